//! Mathematical functions as expansions into basic operations.
//!
//! The expansion is the definition: every backend computes it with correctly rounded basic operations, so all agree
//! bit for bit. Straight-line code only.
pub(crate) fn sin(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn cos(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn tan(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn asin(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn acos(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn atan(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn atan2(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn sinh(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn cosh(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn tanh(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn asinh(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn acosh(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn atanh(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn exp(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn exp2(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn log(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn log2(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn pow(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}
pub(crate) fn inverse_sqrt(_: &mut crate::Builder, _: &[crate::Value]) -> crate::Value {
    todo!()
}

//! Chains of conversions, and taking vectors apart that were just put together.

use super::{New, View, new_op};
use vyre_ir::{Attr, Inst, Op, Program, Scalar, Value};

/// `convert` and `bitcast` of another one.
pub(super) fn convert(v: &View<'_>) -> Option<New> {
    let &[x] = v.made_by(v.args[0], v.op)? else { return None };
    let (from, by, to) = (v.p.ty(x).scalar, v.scalar(), v.result.scalar);
    if v.op == Op::Convert && !skips(from, by, to) {
        return None;
    }
    if from == to { Some(New::Same(x)) } else { new_op(v.op, [x.into()]) }
}

/// Whether converting by way of another type gives what converting directly does.
fn skips(from: Scalar, by: Scalar, to: Scalar) -> bool {
    let int = |s: Scalar| s.is_int() || s == Scalar::Bool;
    if from.is_int() && by.is_int() && to.is_int() && to.bits() <= by.bits() {
        return true; // the low bits, in two steps or one
    }
    // A float in the middle saturates where integers would wrap, unless the number fits anyway.
    holds(by, from) && (!by.is_float() || !int(from) || !int(to) || holds(to, from) || to == Scalar::Bool)
}

/// Whether every number of a type is one of another type.
fn holds(outer: Scalar, inner: Scalar) -> bool {
    use Scalar::*;
    if outer == inner || inner == Bool {
        return true;
    }
    // Significant bits without the sign.
    let digits = |s: Scalar| match s {
        F16 => 11,
        BF16 => 8,
        F32 => 24,
        F64 => 53,
        Bool => 1,
        s => s.bits() - s.is_signed() as u32,
    };
    match (inner.is_float(), outer.is_float()) {
        (false, false) => digits(outer) >= digits(inner) && (outer.is_signed() || !inner.is_signed()),
        // The exponents of all float types reach 2^8, and beyond f16 2^64.
        (false, true) => digits(outer) >= digits(inner),
        (true, true) => matches!((inner, outer), (F16, F32 | F64) | (BF16, F32 | F64) | (F32, F64)),
        (true, false) => false,
    }
}

/// The value that an `extract` or `compose` gives, if there is one already.
pub(super) fn parts(p: &Program, inst: Inst) -> Option<Value> {
    let data = &p.insts[inst];
    if let Attr::Lane(lane) = data.attr {
        let producer = p.producer(data.args[0])?;
        return (producer.op == Op::Compose).then(|| producer.args[lane as usize]);
    }
    let source = |arg: Value| p.producer(arg).filter(|producer| producer.op == Op::Extract);
    let vector = source(data.args[0])?.args[0];
    let in_order = data.args.iter().enumerate().all(|(lane, &arg)| {
        source(arg).is_some_and(|part| part.args[0] == vector && part.attr == Attr::Lane(lane as u8))
    });
    (in_order && p.ty(vector) == p.ty(data.results[0])).then_some(vector)
}

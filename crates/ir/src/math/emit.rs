//! The basic operations as instructions: runs a function of this module on values of a [`Builder`].
//!
//! Works for any number of lanes, because every operation works lane by lane and constants get the lanes of the
//! arguments. A constant that a function names twice is one instruction.

use super::real::{Real, Truth, Word};
use crate::build::Builder;
use crate::op::Op;
use crate::program::Value;
use crate::types::{Scalar, Type};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};

/// Adds the instructions of `function` and gives its result; f16 arguments are computed in f32.
pub(super) fn expand<const N: usize>(
    builder: &mut Builder,
    args: &[Value],
    function: impl for<'m> FnOnce([Emitted<'m, Float>; N]) -> Emitted<'m, Float>,
) -> Value {
    let ty = builder.ty(args[0]);
    let args: [Value; N] = std::array::from_fn(|i| builder.convert(args[i], Scalar::F32));
    let target = RefCell::new(Target { builder, lanes: ty.lanes, constants: Vec::new() });
    let result = function(args.map(|value| Emitted { target: &target, value, kind: PhantomData })).value;
    target.borrow_mut().builder.convert(result, ty.scalar)
}

/// Where instructions go.
struct Target<'b> {
    builder: &'b mut Builder,
    lanes: u8,
    constants: Vec<(Scalar, u32, Value)>,
}

impl Target<'_> {
    fn constant(&mut self, scalar: Scalar, bits: u32) -> Value {
        if let Some(&(_, _, value)) = self.constants.iter().find(|c| (c.0, c.1) == (scalar, bits)) {
            return value;
        }
        let value = self.builder.bits(Type::new(scalar, self.lanes), bits as u64);
        self.constants.push((scalar, bits, value));
        value
    }
}

/// A value and where it is computed; the kind keeps floats, words and bools apart.
#[derive(Clone, Copy)]
pub(super) struct Emitted<'m, Kind> {
    target: &'m RefCell<Target<'m>>,
    value: Value,
    kind: PhantomData<Kind>,
}
/// The kind of an f32.
#[derive(Clone, Copy)]
pub(super) enum Float {}
/// The kind of a u32.
#[derive(Clone, Copy)]
pub(super) enum Bits {}
/// The kind of a bool.
#[derive(Clone, Copy)]
pub(super) enum Bool {}

impl<'m, Kind: Copy> Emitted<'m, Kind> {
    fn give<To>(self, value: Value) -> Emitted<'m, To> {
        Emitted { target: self.target, value, kind: PhantomData }
    }
    fn op<To>(self, op: Op, others: &[Value]) -> Emitted<'m, To> {
        let args: smallvec::SmallVec<[Value; 3]> =
            std::iter::once(self.value).chain(others.iter().copied()).collect();
        self.give(self.target.borrow_mut().builder.op(op, &args))
    }
    fn constant(self, scalar: Scalar, bits: u32) -> Self {
        self.give(self.target.borrow_mut().constant(scalar, bits))
    }
    fn convert<To>(self, scalar: Scalar) -> Emitted<'m, To> {
        self.give(self.target.borrow_mut().builder.convert(self.value, scalar))
    }
    fn bitcast<To>(self, scalar: Scalar) -> Emitted<'m, To> {
        self.give(self.target.borrow_mut().builder.bitcast(self.value, scalar))
    }
}

macro_rules! operators {
    ($($kind:ident $trait:ident $method:ident $op:ident;)*) => { $(
        impl<'m> $trait for Emitted<'m, $kind> {
            type Output = Self;
            fn $method(self, b: Self) -> Self {
                self.op(Op::$op, &[b.value])
            }
        }
    )* };
}
operators! {
    Float Add add Add;
    Float Sub sub Sub;
    Float Mul mul Mul;
    Float Div div Div;
    Bits BitAnd bitand And;
    Bits BitOr bitor Or;
    Bits BitXor bitxor Xor;
    Bool BitAnd bitand And;
    Bool BitOr bitor Or;
}
impl Neg for Emitted<'_, Float> {
    type Output = Self;
    fn neg(self) -> Self {
        self.op(Op::Neg, &[])
    }
}
impl Not for Emitted<'_, Bool> {
    type Output = Self;
    fn not(self) -> Self {
        self.op(Op::Not, &[])
    }
}

impl<'m> Real for Emitted<'m, Float> {
    type Word = Emitted<'m, Bits>;
    type Truth = Emitted<'m, Bool>;
    fn of(self, number: f32) -> Self {
        self.constant(Scalar::F32, number.to_bits())
    }
    fn fma(self, b: Self, c: Self) -> Self {
        self.op(Op::Fma, &[b.value, c.value])
    }
    fn sqrt(self) -> Self {
        self.op(Op::Sqrt, &[])
    }
    fn abs(self) -> Self {
        self.op(Op::Abs, &[])
    }
    fn trunc(self) -> Self {
        self.op(Op::Trunc, &[])
    }
    fn min(self, b: Self) -> Self {
        self.op(Op::Min, &[b.value])
    }
    fn max(self, b: Self) -> Self {
        self.op(Op::Max, &[b.value])
    }
    fn less(self, b: Self) -> Self::Truth {
        self.op(Op::Lt, &[b.value])
    }
    fn at_most(self, b: Self) -> Self::Truth {
        self.op(Op::Le, &[b.value])
    }
    fn equals(self, b: Self) -> Self::Truth {
        self.op(Op::Eq, &[b.value])
    }
    fn word(self) -> Self::Word {
        self.bitcast(Scalar::U32)
    }
    fn to_signed(self) -> Self::Word {
        self.convert::<Bits>(Scalar::I32).bitcast(Scalar::U32)
    }
}

impl<'m> Word for Emitted<'m, Bits> {
    type Real = Emitted<'m, Float>;
    type Truth = Emitted<'m, Bool>;
    fn of(self, number: u32) -> Self {
        self.constant(Scalar::U32, number)
    }
    fn plus(self, b: Self) -> Self {
        self.op(Op::Add, &[b.value])
    }
    fn minus(self, b: Self) -> Self {
        self.op(Op::Sub, &[b.value])
    }
    fn times(self, b: Self) -> Self {
        self.op(Op::Mul, &[b.value])
    }
    fn left(self, n: Self) -> Self {
        self.op(Op::Shl, &[n.value])
    }
    fn right(self, n: Self) -> Self {
        self.op(Op::Shr, &[n.value])
    }
    fn less(self, b: Self) -> Self::Truth {
        self.op(Op::Lt, &[b.value])
    }
    fn equals(self, b: Self) -> Self::Truth {
        self.op(Op::Eq, &[b.value])
    }
    fn real(self) -> Self::Real {
        self.bitcast(Scalar::F32)
    }
    fn unsigned_to_real(self) -> Self::Real {
        self.convert(Scalar::F32)
    }
    fn signed_to_real(self) -> Self::Real {
        self.bitcast::<Bits>(Scalar::I32).convert(Scalar::F32)
    }
}

impl<'m> Truth for Emitted<'m, Bool> {
    type Real = Emitted<'m, Float>;
    type Word = Emitted<'m, Bits>;
    fn select(self, yes: Self::Real, no: Self::Real) -> Self::Real {
        self.op(Op::Select, &[yes.value, no.value])
    }
    fn select_word(self, yes: Self::Word, no: Self::Word) -> Self::Word {
        self.op(Op::Select, &[yes.value, no.value])
    }
}

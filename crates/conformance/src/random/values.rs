//! Values for operands: those at hand, others made from them, constants.

use super::Generator;
use smallvec::SmallVec;
use vyre_ir::{Class, Op, Scalar, Type, Value};

impl Generator<'_> {
    pub(super) fn any_type(&mut self, class: Class) -> Option<Type> {
        let scalars: Vec<Scalar> = self.scalars.iter().copied().filter(|s| class.has(*s)).collect();
        let scalar = *scalars.get(self.random.below(scalars.len().max(1)))?;
        let lanes =
            if self.options.vectors && self.random.below(3) == 0 { 2 + self.random.below(3) } else { 1 };
        Some(Type::new(scalar, lanes as u8))
    }

    pub(super) fn scalar(&mut self) -> Scalar {
        self.scalars[self.random.below(self.scalars.len())]
    }

    /// A type that memory can hold.
    pub(super) fn stored_type(&mut self) -> Type {
        self.any_type(vyre_ir::types::STORED).expect("u32 is always allowed")
    }

    /// A value of the type: one at hand, one made from another at hand, or a constant.
    pub(super) fn of(&mut self, ty: Type) -> Value {
        if self.random.below(5) == 0 {
            return self.constant(ty);
        }
        let start = self.recent();
        let fits = |v: &&Value| self.b.ty(**v) == ty;
        if let Some(&value) =
            self.pool[start..].iter().find(fits).or_else(|| self.pool[..start].iter().find(fits))
        {
            return value;
        }
        let from = self.pool[start];
        let from = self.b.convert(from, ty.scalar);
        let scalars = self.b.scalars(from);
        let lanes: SmallVec<[Value; 4]> =
            (0..ty.lanes).map(|_| scalars[self.random.below(scalars.len())]).collect();
        let value = self.b.compose(&lanes);
        self.pool.push(value);
        value
    }

    pub(super) fn constant(&mut self, ty: Type) -> Value {
        let mut lanes = [0; 4];
        let same = self.random.below(2) == 0;
        let first = self.random.constant(ty.scalar);
        for lane in &mut lanes[..ty.lanes as usize] {
            *lane = if same { first } else { self.random.constant(ty.scalar) };
        }
        self.b.lanes(ty, lanes)
    }

    /// The place of a value at hand: often one of the last, so that computations build on each other.
    pub(super) fn recent(&mut self) -> usize {
        let n = self.pool.len();
        if self.random.below(2) == 0 { self.random.below(n) } else { n - 1 - self.random.below(n.min(8)) }
    }

    pub(super) fn at_hand(&mut self) -> Value {
        let place = self.recent();
        self.pool[place]
    }

    /// A condition, half the time a new one.
    pub(super) fn bool(&mut self) -> Value {
        if self.random.below(2) == 0 {
            return self.of(Scalar::Bool.into());
        }
        let at_hand = self.at_hand();
        let lane = self.b.extract(at_hand, 0);
        let other = self.of(self.b.ty(lane));
        let op = match self.b.ty(lane).scalar {
            Scalar::Bool => [Op::Eq, Op::Ne][self.random.below(2)],
            _ => [Op::Lt, Op::Le, Op::Eq, Op::Ne][self.random.below(4)],
        };
        let value = self.b.op(op, &[lane, other]);
        self.pool.push(value);
        value
    }

    pub(super) fn u32(&mut self) -> Value {
        self.of(Scalar::U32.into())
    }

    /// Putting vectors together and apart.
    pub(super) fn vector(&mut self) {
        if !self.options.vectors {
            return;
        }
        let lanes = 2 + self.random.below(3) as u8;
        let scalar = self.scalar();
        let value = if self.random.below(2) == 0 {
            let parts: Vec<Value> = (0..lanes).map(|_| self.of(scalar.into())).collect();
            self.b.compose(&parts)
        } else {
            let vector = self.of(Type::new(scalar, lanes));
            self.b.extract(vector, self.random.below(lanes as usize) as u8)
        };
        self.pool.push(value);
    }

    /// The value, or 0 where it is NaN.
    pub(super) fn without_nan(&mut self, value: Value) -> Value {
        let ty = self.b.ty(value);
        if !ty.scalar.is_float() {
            return value;
        }
        let number = self.b.op(Op::Eq, &[value, value]);
        let zero = self.b.bits(ty, 0);
        self.b.op(Op::Select, &[number, value, zero])
    }

    /// A value that can be stored so that its bits say nothing about a NaN.
    pub(super) fn storable(&mut self) -> Value {
        let ty = self.stored_type();
        let value = self.of(ty);
        self.without_nan(value)
    }
}

//! Rows of the op table applied to values: one, several in a chain, both ways round.

use super::Generator;
use vyre_ir::{Class, Effect, OPS, Op, Rule, Scalar, Type, Value};

impl Generator<'_> {
    /// One of the rows that say what they compute.
    pub(super) fn operation(&mut self) {
        let op = self.rows[self.random.below(self.rows.len())];
        self.row(op);
    }

    pub(super) fn subgroup(&mut self) {
        let rows: Vec<_> = OPS.iter().filter(|info| info.effect == Effect::Converges).collect();
        let op = rows[self.random.below(rows.len())].op;
        self.row(op);
        let value = self.pool[self.pool.len() - 1];
        if self.random.below(2) == 0 {
            self.show(value);
        }
    }

    pub(super) fn row(&mut self, op: Op) {
        if let Some(ty) = self.operand_type(op) {
            let first = self.of(ty);
            let value = self.apply(op, first, &mut |g, ty| g.of(ty));
            self.pool.push(value);
        }
    }

    /// Operations one after the other, each on what the one before gives and mostly on constants or the same
    /// value again, the last for the host to see: what algebraic rules are about.
    pub(super) fn chain(&mut self) {
        let mut value = if self.random.below(2) == 0 { self.at_hand() } else { self.varied() };
        let mut before = None;
        for _ in 0..2 + self.random.below(3) {
            let ty = self.b.ty(value);
            let takes = |op: &Op| class_of(*op).has(ty.scalar) && !is_nullary(*op);
            let rows: Vec<Op> = self.rows.iter().copied().filter(takes).collect();
            let again = value;
            let mut other = |g: &mut Self, ty: Type| match g.random.below(8) {
                0..5 => g.constant(ty),
                5 if g.b.ty(again) == ty => again,
                _ => g.of(ty),
            };
            let op = match before {
                Some(op) if takes(&op) && self.random.below(3) == 0 => op,
                _ => rows[self.random.below(rows.len())],
            };
            before = Some(op);
            // The constant in front.
            let swaps =
                self.random.below(4) == 0 && matches!(op.info().rule, Rule::Same(_, 2) | Rule::Compare(_));
            value = match swaps {
                true => {
                    let args = [other(self, ty), value];
                    self.b.op(op, &args)
                }
                false => self.apply(op, value, &mut other),
            };
            self.pool.push(value);
        }
        self.show(value);
    }

    /// An operation with its operands both ways round.
    pub(super) fn twins(&mut self) {
        let op = self.rows[self.random.below(self.rows.len())];
        if let (Rule::Same(_, 2) | Rule::Compare(_), Some(ty)) = (op.info().rule, self.operand_type(op)) {
            let (a, b) = (self.of(ty), self.of(ty));
            for args in [[a, b], [b, a]] {
                let value = self.b.op(op, &args);
                self.pool.push(value);
                self.show(value);
            }
        }
    }

    /// The operation with a first operand that its row takes; `other` gives the other ones.
    pub(super) fn apply(
        &mut self,
        op: Op,
        first: Value,
        other: &mut dyn FnMut(&mut Self, Type) -> Value,
    ) -> Value {
        let ty = self.b.ty(first);
        let with = |scalar| Type::new(scalar, ty.lanes);
        let mut args = vec![first];
        match op.info().rule {
            Rule::Same(_, n) => (1..n).for_each(|_| args.push(other(self, ty))),
            Rule::Compare(_) => args.push(other(self, ty)),
            Rule::Shift(_) => args.push(other(self, with(Scalar::U32))),
            Rule::Lane(_) => args.push(other(self, Scalar::U32.into())),
            Rule::Select if ty.scalar == Scalar::Bool && self.random.below(2) == 0 => {
                let chosen = with(self.scalar());
                args.extend([other(self, chosen), other(self, chosen)]);
            }
            Rule::Select => args = vec![self.of(with(Scalar::Bool)), first, other(self, ty)],
            Rule::Ballot => args[0] = self.b.extract(first, 0),
            Rule::Convert => {
                let to = self.scalar();
                return self.b.convert(first, to);
            }
            Rule::Bitcast => {
                let same = |s: &Scalar| *s != Scalar::Bool && s.bits() == ty.scalar.bits();
                let to: Vec<Scalar> = self.scalars.iter().copied().filter(same).collect();
                let to = to[self.random.below(to.len())];
                let first = self.without_nan(first);
                return self.b.bitcast(first, to);
            }
            Rule::Axis => return self.b.axis(op, self.random.below(3) as u8),
            Rule::Index => return self.b.index(op),
            Rule::Length => {
                let bound = [self.memory.words, self.memory.uniform, self.memory.sums, self.memory.data];
                return self.b.length(bound[self.random.below(bound.len())]);
            }
            rule => unreachable!("no row of {rule:?} says what it computes"),
        }
        self.b.op(op, &args)
    }

    /// A type for the first operand that the row takes; that of a value at hand if possible.
    pub(super) fn operand_type(&mut self, op: Op) -> Option<Type> {
        let class = class_of(op);
        for _ in 0..4 {
            let at_hand = self.at_hand();
            let ty = self.b.ty(at_hand);
            if class.has(ty.scalar) && self.random.below(8) > 0 {
                return Some(ty);
            }
        }
        self.any_type(class)
    }
}

/// What the first operand may be, or for a select what it chooses.
pub(super) fn class_of(op: Op) -> Class {
    match op.info().rule {
        Rule::Same(class, _) | Rule::Compare(class) | Rule::Shift(class) | Rule::Lane(class) => class,
        Rule::Bitcast => vyre_ir::types::NUM,
        Rule::Ballot => vyre_ir::types::BOOL,
        _ => vyre_ir::types::ANY,
    }
}

pub(super) fn is_nullary(op: Op) -> bool {
    matches!(op.info().rule, Rule::Axis | Rule::Index | Rule::Length)
}

//! Loops that count, and accesses at indices of which something is known: what bounds checks are left out for.

use super::Generator;
use vyre_ir::{Op, Scalar, Type, Value};

impl Generator<'_> {
    /// A loop that counts in one of the ways in which programs do, and accesses memory at what it counts, up to the
    /// end of the memory and a little further.
    pub(super) fn counting(&mut self) {
        let signed = self.scalars.contains(&Scalar::I32) && self.random.below(2) == 0;
        let counter = Type::from(if signed { Scalar::I32 } else { Scalar::U32 });
        let carried = self.stored_type();
        let first = self.random.below(4) as u64;
        let [step, limit] = [1 + self.random.below(3) as u64, first + self.random.below(14) as u64];
        let [first, step, limit] = [first, step, limit].map(|n| self.b.bits(counter, n));
        let init = [first, self.of(carried)];
        let visible = self.pool.len();
        let body = self.b.open(&[counter, carried]);
        self.b.enter(body);
        let params = self.b.p.regions[body].params.clone();
        let (i, old) = (params[0], params[1]);
        self.pool.extend(&params);
        let form = self.random.below(7);
        let yields = if form == 4 || form == 5 {
            let goes = self.b.op(Op::Lt, &[i, limit]);
            let then = self.b.open(&[]);
            self.b.enter(then);
            let new = self.work(i, old);
            if form == 5 {
                let going_on = self.breaking(&params, &[step, new]);
                self.b.end(&going_on);
            } else {
                let (yes, next) = (self.b.bool(true), self.b.op(Op::Add, &[i, step]));
                self.b.end(&[yes, next, new]);
            }
            let otherwise = self.b.open(&[]);
            self.b.enter(otherwise);
            let no = self.b.bool(false);
            self.b.end(&[no, i, old]);
            self.b.branch(goes, then, otherwise).to_vec()
        } else {
            let new = self.work(i, old);
            let next = self.b.op(Op::Add, &if form == 0 { [step, i] } else { [i, step] });
            let goes = match form {
                0 => self.b.op(Op::Lt, &[next, limit]),
                1 => self.b.op(Op::Lt, &[i, limit]),
                2 => {
                    let ends = self.b.op(Op::Le, &[limit, next]);
                    self.b.op(Op::Not, &[ends])
                }
                _ => {
                    let (less, also) = (self.b.op(Op::Lt, &[next, limit]), self.bool());
                    self.b.op(Op::And, &[less, also])
                }
            };
            if form == 6 {
                // What ends the loop keeps the counter.
                let ends = self.bool();
                let kept = self.b.op(Op::Select, &[ends, i, next]);
                let more = self.b.op(Op::Not, &[ends]);
                vec![self.b.op(Op::And, &[goes, more]), kept, new]
            } else {
                vec![goes, next, new]
            }
        };
        self.pool.truncate(visible);
        self.b.end(&yields);
        let results = self.b.repeat(&init, body);
        self.pool.extend(results);
    }

    /// What a loop that counts by `step` carries on, and ends with what it has if some condition holds.
    fn breaking(&mut self, old: &[Value], &[step, new]: &[Value; 2]) -> Vec<Value> {
        let ends = self.bool();
        let visible = self.pool.len();
        let then = self.b.open(&[]);
        self.b.enter(then);
        let no = self.b.bool(false);
        self.b.end(&[no, old[0], if self.random.below(2) == 0 { old[1] } else { new }]);
        let otherwise = self.b.open(&[]);
        self.b.enter(otherwise);
        if self.random.below(3) == 0 {
            self.operation();
        }
        let (yes, next) = (self.b.bool(true), self.b.op(Op::Add, &[old[0], step]));
        self.b.end(&[yes, next, new]);
        self.pool.truncate(visible);
        self.b.branch(ends, then, otherwise).to_vec()
    }

    /// An access at an index that a condition around it bounds.
    pub(super) fn guarded(&mut self) {
        let scalar = if self.scalars.contains(&Scalar::I32) { Scalar::I32 } else { Scalar::U32 };
        let i = self.of(scalar.into());
        let old = {
            let ty = self.stored_type();
            self.of(ty)
        };
        let limit = self.b.bits(scalar, self.random.below(14) as u64);
        let op = [Op::Lt, Op::Le][self.random.below(2)];
        let condition = self.b.op(op, &[i, limit]);
        let visible = self.pool.len();
        let then = self.b.open(&[]);
        self.b.enter(then);
        let new = self.work(i, old);
        self.b.end(&[new]);
        self.pool.truncate(visible);
        let otherwise = self.b.open(&[]);
        self.b.enter(otherwise);
        self.b.end(&[old]);
        let results = self.b.branch(condition, then, otherwise);
        self.pool.extend(results);
    }

    /// Accesses memory of known size around index `i`, and changes `old` by what is found.
    fn work(&mut self, i: Value, old: Value) -> Value {
        let ty = self.b.ty(i);
        let by = self.b.bits(ty, self.random.below(9) as u64);
        let index = match self.random.below(8) {
            0 => self.b.op(Op::Add, &[i, by]),
            1 => self.b.op(Op::Mul, &[by, i]),
            2 => self.b.op(Op::And, &[i, by]),
            3 => self.b.op(Op::Sub, &[i, by]),
            4 => self.b.op(Op::Sub, &[by, i]),
            5 => self.b.op(Op::Rem, &[i, by]),
            _ => i,
        };
        let index = self.b.convert(index, Scalar::U32);
        let buffer = [self.memory.private, self.memory.uniform][self.random.below(2)];
        let carried = self.b.ty(old);
        let found = self.b.load(Op::Load, buffer, index, carried);
        let new = self.b.op([Op::Add, Op::Sub, Op::Min][self.random.below(3)], &[found, old]);
        let new = self.without_nan(new);
        if self.random.below(2) == 0 {
            self.b.store(Op::Store, self.memory.private, index, new);
        }
        if self.random.below(3) == 0 {
            self.operation();
        }
        new
    }
}

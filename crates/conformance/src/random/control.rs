//! Branches, loops and switches, with results and carried values.

use super::Generator;
use vyre_ir::{Case, Op, Region, Scalar, Type, Value};

impl Generator<'_> {
    /// A region that yields values of these types.
    pub(super) fn region(
        &mut self,
        types: &[Type],
        statements: usize,
        depth: usize,
        uniform: bool,
    ) -> Region {
        let region = self.b.open(&[]);
        self.b.enter(region);
        let visible = self.pool.len();
        let grid = self.grid;
        self.grid &= uniform;
        self.block(statements, depth, uniform);
        self.grid = grid;
        let results: Vec<Value> = types.iter().map(|&ty| self.of(ty)).collect();
        self.pool.truncate(visible);
        self.b.end(&results);
        region
    }

    pub(super) fn result_types(&mut self) -> Vec<Type> {
        let n = self.random.below(4);
        (0..n).map(|_| self.any_type(vyre_ir::types::ANY).expect("bool is always allowed")).collect()
    }

    pub(super) fn branch(&mut self, depth: usize, uniform: bool) {
        let together = uniform && self.random.below(2) == 0;
        let condition = match together {
            true if self.grid => self.grid_condition(),
            true => self.uniform_condition(),
            false => self.bool(),
        };
        let types = self.result_types();
        let sides = [0; 2].map(|_| {
            let statements = self.random.below(5);
            self.region(&types, statements, depth, together)
        });
        let results = self.b.branch(condition, sides[0], sides[1]);
        self.pool.extend(results);
    }

    /// A condition that is the same for the whole workgroup.
    pub(super) fn uniform_condition(&mut self) -> Value {
        let left = match self.random.below(3) {
            0 => self.b.axis(Op::WorkgroupId, 0),
            1 => self.b.axis(Op::NumWorkgroups, 1),
            _ => {
                let index = self.b.u32(self.random.below(10) as u32);
                self.b.load(Op::Load, self.memory.uniform, index, Scalar::U32.into())
            }
        };
        let right = self.b.u32(self.random.below(3) as u32);
        self.b.op([Op::Lt, Op::Eq, Op::Ne][self.random.below(3)], &[left, right])
    }

    pub(super) fn switch(&mut self, depth: usize) {
        let together = self.grid && self.random.below(2) == 0;
        let selector = match self.random.below(3) {
            _ if together => {
                let (condition, two) = (self.grid_condition(), self.b.u32(2));
                let (zero, one) = (self.b.u32(0), self.b.axis(Op::NumWorkgroups, 0));
                let other = self.b.op(Op::Min, &[one, two]);
                self.b.op(Op::Select, &[condition, other, zero])
            }
            0 if self.scalars.contains(&Scalar::I32) => self.of(Scalar::I32.into()),
            1 => self.u32(),
            _ => {
                let (any, three) = (self.u32(), self.b.u32(3));
                self.b.op(Op::And, &[any, three])
            }
        };
        let types = self.result_types();
        let regions: Vec<Region> = (0..1 + self.random.below(4))
            .map(|_| {
                let statements = self.random.below(4);
                self.region(&types, statements, depth, together)
            })
            .collect();
        let mut values = vec![0, 1, 2, 3, 0xffff_ffff];
        let cases: Vec<Case> = (0..self.random.below(5))
            .map(|_| Case {
                value: values.swap_remove(self.random.below(values.len())),
                region: self.random.below(regions.len()) as u32,
            })
            .collect();
        let results = self.b.switch(selector, cases, &regions);
        self.pool.extend(results);
    }

    /// A loop of few iterations that also carries values, exchanges some (the classic trap when leaving
    /// static single assignment) and passes some on.
    pub(super) fn repeat(&mut self, depth: usize, uniform: bool) {
        let together = uniform && self.random.below(2) == 0;
        let mut types = vec![Type::from(Scalar::U32)];
        for ty in self.result_types() {
            types.extend([ty; 2]);
        }
        let mut init = vec![self.b.u32(0)];
        init.extend(types[1..].iter().map(|&ty| self.of(ty)).collect::<Vec<_>>());
        let bound = self.u32();
        let body = self.b.open(&types);
        self.b.enter(body);
        let visible = self.pool.len();
        let params = self.b.p.regions[body].params.clone();
        self.pool.extend(&params);
        let statements = self.random.below(5);
        let grid = self.grid;
        self.grid &= together;
        self.block(statements, depth, together);
        let one = self.b.u32(1);
        let next = self.b.op(Op::Add, &[params[0], one]);
        let mut again = if together && self.grid && self.random.below(2) == 0 {
            // Until somebody says stop, but not for long.
            let (limit, more) = (self.b.u32(4), self.grid_condition());
            let few = self.b.op(Op::Lt, &[next, limit]);
            self.b.op(Op::And, &[few, more])
        } else if together {
            let limit = self.b.u32(1 + self.random.below(3) as u32);
            self.b.op(Op::Lt, &[next, limit])
        } else {
            let three = self.b.u32(3);
            let limit = self.b.op(Op::And, &[bound, three]);
            self.b.op(Op::Lt, &[next, limit])
        };
        if !together && self.random.below(2) == 0 {
            let also = self.bool();
            again = self.b.op(Op::And, &[again, also]);
        }
        let mut yields = vec![again, next];
        for pair in params[1..].chunks(2) {
            let new = self.of(self.b.ty(pair[0]));
            yields.extend(match self.random.below(5) {
                0 | 1 => [pair[1], pair[0]],
                2 => [pair[0], new],
                3 => [new, new],
                _ => [new, pair[0]],
            });
        }
        self.grid = grid;
        self.pool.truncate(visible);
        self.b.end(&yields);
        let results = self.b.repeat(&init, body);
        self.pool.extend(results);
    }
}

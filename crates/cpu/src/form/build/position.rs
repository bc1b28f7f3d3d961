//! Who an invocation is: positions in the order of invocations, local and global ids, and what a launch says.

use super::Build;
use crate::SUBGROUP;
use crate::form::{Stmt, Var};
use crate::order::Order;
use crate::plan::Plan;
use vyre_ir::{Attr, InstData, Op, Program, Scalar};
use vyre_opt::analysis::Shape;

/// Positions below this are divided by multiplying: see [`Build::quotient`].
const FEW: u64 = 1024;

/// The exponent of the factor that does it.
const SHIFT: u64 = 20;

/// Which axes a program asks for.
pub(super) fn axes(p: &Program, plan: &Plan) -> [bool; 3] {
    let mut axes = [plan.checked; 3];
    p.walk(p.body, &mut |inst| match (p.insts[inst].op, &p.insts[inst].attr) {
        (Op::LocalId | Op::GlobalId, Attr::Axis(axis)) => axes[*axis as usize] = true,
        (Op::LocalIndex, _) if plan.order != Order::BY_INDEX => axes = [true; 3],
        _ => {}
    });
    axes
}

impl Build<'_> {
    /// Finds out who the gang is whose first invocation is at a position.
    pub(super) fn arrive(&mut self, at: Var) {
        self.at = at;
        let (asked, order) = (self.asked, self.plan.order);
        for axis in (0..3).filter(|&axis| asked[axis]) {
            let n = self.p.workgroup_size[axis] as u64;
            let (stride, all) = (order.stride(self.p, axis), self.p.workgroup_invocations());
            let varies = self.kind.axis(self.p, axis) == Shape::Varying;
            let mut x = if varies { self.ramp(at, 1) } else { at };
            if n == 1 {
                self.local[axis] = self.constant(Scalar::U32, 0);
                continue;
            }
            if stride > 1 {
                x = self.quotient(x, stride);
            }
            if n * stride < all {
                let whole = self.quotient(x, n);
                let whole = self.word_by(Op::Mul, whole, n);
                x = self.word(Op::Sub, x, whole);
            }
            self.local[axis] = x;
        }
        if self.plan.checked {
            let local = [0, 1, 2].map(|axis| match self.kind.axis(self.p, axis) {
                Shape::Affine(stride) => self.ramp(self.local[axis], stride),
                _ => self.local[axis],
            });
            self.push(Stmt::Invocation { local });
        }
    }

    /// A position divided by a constant. For `x, n <= 1024` and `m = ceil(2^20 / n)`, `m n - 2^20 < n`, so that
    /// `x m / 2^20` exceeds `x / n` by less than `x n / (2^20 n) <= 1 / n`, which changes no quotient.
    fn quotient(&mut self, x: Var, n: u64) -> Var {
        if n.is_power_of_two() {
            return self.word_by(Op::Shr, x, n.trailing_zeros() as u64);
        }
        if self.p.workgroup_invocations() > FEW {
            return self.word_by(Op::Div, x, n);
        }
        let product = self.word_by(Op::Mul, x, (1u64 << SHIFT).div_ceil(n));
        self.word_by(Op::Shr, product, SHIFT)
    }

    /// What a position is, for the gang's first lane or each.
    pub(super) fn position(&mut self, data: &InstData) -> Var {
        let axis = match data.attr {
            Attr::Axis(axis) => axis,
            _ => 0,
        };
        let size = self.p.workgroup_size[axis as usize] as u64;
        let invocations = self.p.workgroup_invocations();
        match data.op {
            Op::GlobalId => {
                let workgroup = self.workgroup(axis);
                let first = self.word_by(Op::Mul, workgroup, size);
                self.word(Op::Add, first, self.local[axis as usize])
            }
            Op::LocalId => self.local[axis as usize],
            Op::WorkgroupId => self.workgroup(axis),
            Op::NumWorkgroups => {
                let out = self.var(Scalar::U32, false);
                self.push(Stmt::Workgroups { out, axis });
                out
            }
            Op::LocalIndex => self.local_index(),
            Op::SubgroupSize => self.constant(Scalar::U32, SUBGROUP as u64),
            Op::SubgroupLane if self.width > SUBGROUP => {
                let lanes = self.ramp(self.at, 1);
                self.word_by(Op::And, lanes, SUBGROUP as u64 - 1)
            }
            Op::SubgroupLane => self.word_by(Op::And, self.at, SUBGROUP as u64 - 1),
            Op::SubgroupId if self.width > SUBGROUP => {
                let lanes = self.ramp(self.at, 1);
                self.word_by(Op::Shr, lanes, SUBGROUP.trailing_zeros() as u64)
            }
            Op::SubgroupId => self.word_by(Op::Shr, self.at, SUBGROUP.trailing_zeros() as u64),
            Op::NumSubgroups => self.constant(Scalar::U32, invocations.div_ceil(SUBGROUP as u64)),
            op => unreachable!("`{}` is no position", op.name()),
        }
    }

    fn workgroup(&mut self, axis: u8) -> Var {
        let out = self.var(Scalar::U32, false);
        self.push(Stmt::Workgroup { out, axis });
        out
    }

    fn local_index(&mut self) -> Var {
        if self.kind.is_by_index(self.p) {
            return self.at;
        }
        let [sx, sy, _] = self.p.workgroup_size.map(u64::from);
        let [x, y, z] = [0, 1, 2].map(|axis| match self.kind.axis(self.p, axis) {
            Shape::Affine(stride) => self.ramp(self.local[axis], stride),
            _ => self.local[axis],
        });
        let rows = self.word_by(Op::Mul, z, sy);
        let row = self.word(Op::Add, rows, y);
        let first = self.word_by(Op::Mul, row, sx);
        self.word(Op::Add, first, x)
    }
}

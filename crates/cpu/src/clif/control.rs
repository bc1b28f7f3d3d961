//! Branches and loops. Control flow is uniform; masks narrow what statements do, never where code goes.

use super::{Emitter, Lanes, block_args, vector};
use crate::form::{Exit, Loop, On, Side, Var};
use cranelift_codegen::ir::types::{I32, I32X4};
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder};
use cranelift_frontend::Switch;
use vyre_ir::Scalar;

impl Emitter<'_> {
    /// Variables as others want them, as arguments of a jump.
    fn args_like(&mut self, from: &[Var], to: &[Var]) -> Vec<BlockArg> {
        let mut args = Vec::new();
        for (&from, &to) in from.iter().zip(to) {
            args.extend(block_args(&self.like(from, to)));
        }
        args
    }

    /// Makes parameters of a block for variables.
    fn params(&mut self, block: Block, vars: &[Var]) {
        for &var in vars {
            let ty = self.ty(var);
            let (clif, count) = (self.clif(ty), self.count(ty));
            let lanes = (0..count).map(|_| self.b.append_block_param(block, clif)).collect();
            self.set(var, lanes);
        }
    }

    pub fn branch(&mut self, on: &On, sides: &[Side], outs: &[Var]) {
        let after = self.b.create_block();
        let blocks: Vec<Block> = sides.iter().map(|_| self.b.create_block()).collect();
        match on {
            On::If(condition) => {
                let condition = self.uniform(*condition);
                self.b.ins().brif(condition, blocks[0], &[], blocks[1], &[]);
            }
            On::Switch(selector, cases) => {
                let selector = self.uniform(*selector);
                let mut switch = Switch::new();
                for &(value, side) in cases {
                    switch.set_entry(value as u128, blocks[side as usize]);
                }
                switch.emit(&mut self.b, selector, *blocks.last().expect("a switch has a side"));
            }
        }
        let (local, branches) = (self.local, self.branches);
        self.branches = branches.map(|branches| branches + 1);
        for (block, side) in blocks.into_iter().zip(sides) {
            self.b.switch_to_block(block);
            self.block(&side.body);
            let values = self.args_like(&side.yields, outs);
            self.b.ins().jump(after, &values);
            self.local = local;
        }
        self.branches = branches;
        self.b.switch_to_block(after);
        self.params(after, outs);
    }

    pub fn repeat(&mut self, data: &Loop) {
        let branches = self.branches.replace(0);
        match &data.exit {
            Exit::While(again) => self.uniform_loop(data, *again),
            Exit::Masked { .. } => self.masked_loop(data),
        }
        self.branches = branches;
    }

    fn uniform_loop(&mut self, data: &Loop, again: Var) {
        let [header, after] = [(); 2].map(|()| self.b.create_block());
        let initial = self.args_like(&data.init, &data.params);
        self.b.ins().jump(header, &initial);
        self.b.switch_to_block(header);
        self.params(header, &data.params);
        self.block(&data.body);
        let again = self.uniform(again);
        let next = self.args_like(&data.next, &data.params);
        if data.watched {
            let back = self.b.create_block();
            self.b.ins().brif(again, back, &[], after, &[]);
            self.b.switch_to_block(back);
            self.unless_stopped(header, &next);
        } else {
            self.b.ins().brif(again, header, &next, after, &[]);
        }
        self.b.switch_to_block(after);
    }

    /// A loop that lanes leave in different turns. The parameters of those that have left go on changing; what they had
    /// when they left is kept aside.
    fn masked_loop(&mut self, data: &Loop) {
        let Exit::Masked { active, first, again, together, kept } = &data.exit else { return };
        let [header, leave, turn, after] = [(); 4].map(|()| self.b.create_block());
        let entering = match first {
            Some(mask) => self.vectors(*mask),
            None => self.all_lanes(),
        };
        let mut aside = Lanes::new();
        for kept in kept {
            let zeros = self.zeros(self.ty(kept.out));
            aside.extend(zeros);
        }
        let mut initial = self.args_like(&data.init, &data.params);
        initial.extend(block_args(&entering));
        initial.extend(block_args(&aside));
        self.b.ins().jump(header, &initial);
        self.b.switch_to_block(header);
        self.params(header, &data.params);
        let mask = self.same_params(header, &entering);
        let aside = self.same_params(header, &aside);
        self.set(*active, mask.clone());
        self.block(&data.body);
        let again = self.vectors(*again);
        let mut next = self.args_like(&data.next, &data.params);
        // Most turns nobody leaves.
        let leaving: Lanes = mask.iter().zip(&again).map(|(&m, &a)| self.b.ins().band_not(m, a)).collect();
        if let Some(together) = together {
            let (together, alone) = (self.uniform(*together), self.b.create_block());
            self.b.ins().brif(together, alone, &[], leave, &[]);
            self.b.switch_to_block(alone);
        }
        let any = self.any(&leaving);
        let mut unchanged = block_args(&mask);
        unchanged.extend(block_args(&aside));
        self.b.ins().brif(any, leave, &[], turn, &unchanged);
        self.b.switch_to_block(leave);
        let (mut again, mut leaving) = (again, leaving);
        if let Some(together) = together {
            let together = self.vectors(*together);
            again = again.iter().zip(&together).map(|(&a, &t)| self.b.ins().band(a, t)).collect();
            leaving = mask.iter().zip(&again).map(|(&m, &a)| self.b.ins().band_not(m, a)).collect();
        }
        let mut last = Lanes::new();
        let mut aside_now = Lanes::new();
        let mut at = 0;
        for kept in kept {
            let values = self.vectors(kept.last);
            let old = &aside[at..at + values.len()];
            let scalar = self.ty(kept.out).scalar;
            let now = self.blend(scalar, &leaving, &values, old);
            at += values.len();
            last.extend(now.iter().copied());
            aside_now.extend(now);
        }
        let staying: Lanes = mask.iter().zip(&again).map(|(&m, &a)| self.b.ins().band(m, a)).collect();
        let any = self.any(&staying);
        let mut changed = block_args(&staying);
        changed.extend(block_args(&aside_now));
        self.b.ins().brif(any, turn, &changed, after, &[]);
        self.b.switch_to_block(turn);
        let mask = self.same_params(turn, &staying);
        let aside = self.same_params(turn, &aside_now);
        next.extend(block_args(&mask));
        next.extend(block_args(&aside));
        if data.watched {
            self.unless_stopped(header, &next);
        } else {
            self.b.ins().jump(header, &next);
        }
        self.b.switch_to_block(after);
        let mut rest = last.into_iter();
        for kept in kept {
            let count = self.count(self.ty(kept.out));
            let lanes = rest.by_ref().take(count).collect();
            self.set(kept.out, lanes);
        }
    }

    /// Parameters of a block of the types of values.
    pub fn same_params(&mut self, block: Block, values: &[ir::Value]) -> Lanes {
        values
            .iter()
            .map(|&x| {
                let ty = self.b.func.dfg.value_type(x);
                self.b.append_block_param(block, ty)
            })
            .collect()
    }

    // ---- masks

    /// The mask of all lanes.
    pub fn all_lanes(&mut self) -> Lanes {
        let all = self.b.ins().iconst(I32, u32::MAX as i64);
        let all = self.b.ins().splat(I32X4, all);
        Lanes::from_elem(all, self.vector_count(Scalar::Bool))
    }

    /// Whether any lane is in a mask.
    pub fn any(&mut self, mask: &[ir::Value]) -> ir::Value {
        let some = mask[1..].iter().fold(mask[0], |some, &m| self.b.ins().bor(some, m));
        self.b.ins().vany_true(some)
    }

    /// Whether all lanes are in a mask.
    pub fn all(&mut self, mask: &[ir::Value]) -> ir::Value {
        let all = mask[1..].iter().fold(mask[0], |all, &m| self.b.ins().band(all, m));
        self.b.ins().vall_true(all)
    }

    /// `x` in the lanes of a mask, else `y`.
    pub fn blend(&mut self, scalar: Scalar, mask: &[ir::Value], x: &[ir::Value], y: &[ir::Value]) -> Lanes {
        let mask = self.mask_for(scalar, mask);
        (0..x.len()).map(|i| vector::blend(&mut self.b, mask[i], x[i], y[i])).collect()
    }

    /// A mask in vectors as those of a type.
    pub fn mask_for(&mut self, scalar: Scalar, mask: &[ir::Value]) -> Lanes {
        if scalar.bytes() < 8 { mask.into() } else { super::wide::widen(&mut self.b, mask, true) }
    }
}

//! Control flow in gangs: branches that all take, and masks where invocations part; see [`crate::gang`].

use crate::lower::{Lanes, Lower};
use crate::ops::{clif_type, constant};
use crate::shape::Shape::{Uniform, Varying};
use crate::vector::{self, blend};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I32X4};
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder};
use smallvec::SmallVec;
use vyre_ir::{Attr, Inst, InstData, Op, Region, Value};

impl Lower<'_> {
    /// A value as another's shape wants it, as arguments of a jump.
    fn shaped(&mut self, from: &[Value], to: &[Value]) -> Vec<BlockArg> {
        let mut all = Vec::new();
        for (&from, &to) in from.iter().zip(to) {
            let lanes = if self.shape(to) == Varying { self.vectors(from) } else { self.get(from) };
            all.extend(lanes.into_iter().map(BlockArg::Value));
        }
        all
    }

    /// Makes parameters of a block for values.
    fn shaped_params(&mut self, block: Block, values: &[Value]) {
        for &value in values {
            let (ty, shape) = (self.p.ty(value), self.shape(value));
            let (clif, count) = match shape {
                Varying => (vector::vector_type(ty.scalar), ty.lanes as usize * self.vector_count()),
                _ => (clif_type(ty.scalar), ty.lanes as usize),
            };
            let lanes = (0..count).map(|_| self.b.append_block_param(block, clif)).collect();
            self.set(value, lanes);
        }
    }

    // ---- uniform control flow

    pub fn gang_branch(&mut self, data: &InstData) {
        let condition = self.get_scalar(data.args[0]);
        let [then, otherwise, after] = [(); 3].map(|()| self.b.create_block());
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        for (block, &region) in [then, otherwise].into_iter().zip(&data.regions) {
            self.b.switch_to_block(block);
            self.side(data, region);
            let values = self.shaped(self.p.yielded(region), &data.results);
            self.b.ins().jump(after, &values);
        }
        self.b.switch_to_block(after);
        self.shaped_params(after, &data.results);
    }

    /// A side of a branch, with what its condition says about numbers on the first one.
    fn side(&mut self, data: &InstData, region: Region) {
        let implied = self.limits.implied(self.p, data.args[0]).filter(|_| region == data.regions[0]);
        let before = implied.map(|(value, largest)| (value, self.limits.set(value, largest)));
        self.gang_region(region);
        if let Some((value, largest)) = before {
            self.limits.set(value, largest);
        }
    }

    pub fn gang_switch(&mut self, data: &InstData) {
        let after = self.b.create_block();
        let blocks = self.cases(data);
        for (block, &region) in blocks.into_iter().zip(&data.regions) {
            self.b.switch_to_block(block);
            self.gang_region(region);
            let values = self.shaped(self.p.yielded(region), &data.results);
            self.b.ins().jump(after, &values);
        }
        self.b.switch_to_block(after);
        self.shaped_params(after, &data.results);
    }

    pub fn gang_loop(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let next = p.yielded(body);
        if self.shape(next[0]) != Uniform {
            return self.masked_loop(inst);
        }
        let header = self.b.create_block();
        let initial = self.shaped(&data.args, params);
        self.b.ins().jump(header, &initial);
        self.b.switch_to_block(header);
        self.shaped_params(header, params);
        self.limit_counter(data);
        self.gang_region(body);
        let again = self.get_scalar(next[0]);
        let values = self.shaped(&next[1..], params);
        self.back_edge(again, header, &values, self.brief[inst]);
        // The values of the last turn reach everything after it; results have the parameters' shapes.
        let mut rest = values.into_iter();
        for &result in &data.results {
            let lanes = p.ty(result).lanes as usize;
            let count = if self.shape(result) == Varying { lanes * self.vector_count() } else { lanes };
            let lanes = rest.by_ref().take(count).map(block_value).collect();
            self.set(result, lanes);
        }
    }

    // ---- under a mask

    /// Whether any invocation is in a mask.
    fn any(&mut self, mask: &[ir::Value]) -> ir::Value {
        let all = mask[1..].iter().fold(mask[0], |all, &m| self.b.ins().bor(all, m));
        self.b.ins().vany_true(all)
    }

    /// Those of a mask that are active.
    fn active(&mut self, mask: Lanes) -> Lanes {
        match self.mask.clone() {
            None => mask,
            Some(active) => mask.iter().zip(active).map(|(&m, a)| self.b.ins().band(m, a)).collect(),
        }
    }

    /// Those that are active and not in a mask.
    fn active_without(&mut self, mask: &[ir::Value]) -> Lanes {
        match self.mask.clone() {
            None => mask.iter().map(|&m| self.b.ins().bnot(m)).collect(),
            Some(active) => mask.iter().zip(active).map(|(&m, a)| self.b.ins().band_not(a, m)).collect(),
        }
    }

    /// Zeros as values of a type that varies.
    fn zeros(&mut self, values: &[Value]) -> Lanes {
        let count = self.vector_count();
        values
            .iter()
            .flat_map(|&v| {
                let ty = self.p.ty(v);
                let zero = constant(&mut self.b, ty.scalar, 0);
                let zero = vector::splat(&mut self.b, ty.scalar, zero);
                std::iter::repeat_n(zero, count * ty.lanes as usize)
            })
            .collect()
    }

    /// What varies of a region's results, in vectors.
    fn all_vectors(&mut self, values: &[Value]) -> Lanes {
        values.iter().flat_map(|&v| self.vectors(v)).collect()
    }

    fn blend_all(&mut self, mask: &[ir::Value], x: &[ir::Value], y: &[ir::Value]) -> Lanes {
        let count = mask.len();
        (0..x.len()).map(|i| blend(&mut self.b, mask[i % count], x[i], y[i])).collect()
    }

    /// Runs `code`, which gives vectors, under a mask if any invocation is in it; else they are `otherwise`.
    fn under(
        &mut self,
        mask: Lanes,
        otherwise: &[ir::Value],
        code: impl FnOnce(&mut Self) -> Lanes,
    ) -> Lanes {
        let [here, after] = [(); 2].map(|()| self.b.create_block());
        let any = self.any(&mask);
        let skipped: Vec<BlockArg> = otherwise.iter().map(|&x| BlockArg::Value(x)).collect();
        self.b.ins().brif(any, here, &[], after, &skipped);
        self.b.switch_to_block(here);
        let outer = self.mask.replace(mask);
        let values = code(self);
        self.mask = outer;
        let values: Vec<BlockArg> = values.into_iter().map(BlockArg::Value).collect();
        self.b.ins().jump(after, &values);
        self.b.switch_to_block(after);
        otherwise
            .iter()
            .map(|&x| {
                let ty = self.b.func.dfg.value_type(x);
                self.b.append_block_param(after, ty)
            })
            .collect()
    }

    /// Whether a region only gives values that are there already.
    fn is_trivial(&self, region: Region) -> bool {
        let insts = &self.p.regions[region].insts;
        insts.iter().all(|&inst| matches!(self.p.insts[inst].op, Op::Const | Op::Yield))
    }

    pub fn masked_branch(&mut self, data: &InstData) {
        let p = self.p;
        let condition = self.vectors(data.args[0]);
        let [then, otherwise] = [data.regions[0], data.regions[1]];
        let first = if self.is_trivial(then) {
            self.gang_region(then);
            self.all_vectors(p.yielded(then))
        } else {
            let mask = self.active(condition.clone());
            let zeros = self.zeros(&data.results);
            self.under(mask, &zeros, |l| {
                l.side(data, then);
                l.all_vectors(p.yielded(then))
            })
        };
        let results = if self.is_trivial(otherwise) {
            self.gang_region(otherwise);
            let second = self.all_vectors(p.yielded(otherwise));
            self.blend_all(&condition, &first, &second)
        } else {
            let mask = self.active_without(&condition);
            self.under(mask, &first, |l| {
                l.gang_region(otherwise);
                let second = l.all_vectors(p.yielded(otherwise));
                l.blend_all(&condition, &first, &second)
            })
        };
        self.set_vectors(&data.results, results);
    }

    pub fn masked_switch(&mut self, data: &InstData) {
        let p = self.p;
        let Attr::Cases(cases) = &data.attr else { unreachable!("the verifier checks attributes") };
        let selector = self.vectors(data.args[0]);
        let count = selector.len();
        let none = self.b.ins().iconst(I32, 0);
        let none = self.b.ins().splat(I32X4, none);
        let mut taken: Lanes = SmallVec::from_elem(none, count);
        let mut results = self.zeros(&data.results);
        for (i, &region) in data.regions.iter().enumerate() {
            let mask = if i + 1 == data.regions.len() {
                self.active_without(&taken)
            } else {
                let mut mask: Lanes = SmallVec::from_elem(none, count);
                for case in cases.iter().filter(|case| case.region as usize == i) {
                    let value = self.b.ins().iconst(I32, case.value as u32 as i64);
                    let value = self.b.ins().splat(I32X4, value);
                    for (mask, &x) in mask.iter_mut().zip(&selector) {
                        let equal = self.b.ins().icmp(IntCC::Equal, x, value);
                        *mask = self.b.ins().bor(*mask, equal);
                    }
                }
                for (taken, &mask) in taken.iter_mut().zip(&mask) {
                    *taken = self.b.ins().bor(*taken, mask);
                }
                self.active(mask)
            };
            let before = results.clone();
            results = self.under(mask.clone(), &before, |l| {
                l.gang_region(region);
                let values = l.all_vectors(p.yielded(region));
                l.blend_all(&mask, &values, &before)
            });
        }
        self.set_vectors(&data.results, results);
    }

    /// A loop that invocations leave in different turns. The parameters of those that have left go on changing;
    /// what they had when they left is kept aside.
    fn masked_loop(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let [header, leave, turn, after] = [(); 4].map(|()| self.b.create_block());
        let outer = self.mask.clone();
        let active = match &outer {
            Some(mask) => mask.clone(),
            None => {
                let all = self.b.ins().iconst(I32, u32::MAX as i64);
                let all = self.b.ins().splat(I32X4, all);
                SmallVec::from_elem(all, self.vector_count())
            }
        };
        let kept = self.zeros(&data.results);
        let mut initial = self.shaped(&data.args, params);
        initial.extend(active.iter().chain(&kept).map(|&x| BlockArg::Value(x)));
        self.b.ins().jump(header, &initial);
        self.b.switch_to_block(header);
        self.shaped_params(header, params);
        let active = self.same_params(header, &active);
        let kept = self.same_params(header, &kept);
        self.limit_counter(data);
        self.mask = Some(active.clone());
        self.gang_region(body);
        let next = p.yielded(body);
        let again = self.vectors(next[0]);
        let mut values = self.shaped(&next[1..], params);
        // Most turns nobody leaves.
        let leaving = self.active_without(&again);
        let any = self.any(&leaving);
        let unchanged: Vec<BlockArg> = active.iter().chain(&kept).map(|&x| BlockArg::Value(x)).collect();
        self.b.ins().brif(any, leave, &[], turn, &unchanged);
        self.b.switch_to_block(leave);
        let last = self.all_vectors(&next[1..]);
        let kept_now = self.blend_all(&leaving, &last, &kept);
        let staying = self.active(again);
        let any = self.any(&staying);
        let changed: Vec<BlockArg> = staying.iter().chain(&kept_now).map(|&x| BlockArg::Value(x)).collect();
        self.b.ins().brif(any, turn, &changed, after, &[]);
        self.b.switch_to_block(turn);
        let active = self.same_params(turn, &active);
        let kept = self.same_params(turn, &kept);
        values.extend(active.iter().chain(&kept).map(|&x| BlockArg::Value(x)));
        if self.brief[inst] {
            self.b.ins().jump(header, &values);
        } else {
            self.unless_stopped(header, &values);
        }
        self.b.switch_to_block(after);
        self.mask = outer;
        self.set_vectors(&data.results, kept_now);
    }

    /// Parameters of a block of the types of values.
    fn same_params(&mut self, block: Block, values: &[ir::Value]) -> Lanes {
        values
            .iter()
            .map(|&x| {
                let ty = self.b.func.dfg.value_type(x);
                self.b.append_block_param(block, ty)
            })
            .collect()
    }

    /// Sets values that vary to vectors, those of the first value first.
    fn set_vectors(&mut self, values: &[Value], vectors: Lanes) {
        let mut rest = vectors.into_iter();
        for &value in values {
            let count = self.p.ty(value).lanes as usize * self.vector_count();
            let lanes = rest.by_ref().take(count).collect();
            self.set(value, lanes);
        }
    }
}

fn block_value(arg: BlockArg) -> ir::Value {
    match arg {
        BlockArg::Value(value) => value,
        _ => unreachable!("only values are passed to blocks"),
    }
}

//! Pieces in gangs: several consecutive invocations in step, their values in vectors (SPMD on SIMD).
//!
//! Where [`crate::shape`] says that a value is uniform it is one scalar, made by the same code as for one invocation;
//! an affine one is the scalar of the gang's first invocation; a varying one is a few vectors ([`crate::vector`])
//! for each lane. What has no vector form is done one invocation after another ([`Lower::each_lane`]).
//!
//! Invocations part at varying conditions. Code then runs under a mask of those that are there, and is skipped when
//! there are none: uniform values and effects in it are right because at least one invocation needs them. Values of
//! the others are arbitrary and never seen: a branch's results are blended by its mask, and a loop keeps aside what
//! each invocation had when it left. Effects happen for invocations of the mask only, in their order.

use crate::fission::{Home, Piece};
use crate::lower::{Lanes, Lower};
use crate::ops::{clif_type, constant, plain_int_op};
use crate::shape::Shape::{self, Affine, Uniform, Varying};
use crate::vector::{self, LANES};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32};
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, MemFlagsData};
use smallvec::SmallVec;
use vyre_ir::{Attr, Effect, Inst, InstData, Op, Region, Rule, Scalar, Value};

/// The most invocations of a gang.
pub(crate) const MAX_WIDTH: u32 = 16;

impl Lower<'_> {
    /// Makes code that runs a piece in gangs, and what is left of the workgroup one by one; gives whether it can.
    pub fn gangs(&mut self, piece: &Piece) -> bool {
        let (width, all) = (self.shapes.width, self.p.workgroup_invocations() as u32);
        if width == 1 || all < width {
            return false;
        }
        self.pieces += 1;
        if !self.shapes.analyze(self.p, self.plan, piece, self.pieces) {
            return false;
        }
        let whole = all / width * width;
        self.piece = self.pieces;
        self.each(0, whole, width, |l| l.gang(piece));
        if whole < all {
            self.pieces += 1;
            self.piece = self.pieces;
            self.each(whole, all, 1, |l| l.invocation(piece));
        }
        self.piece = 0;
        true
    }

    /// A loop over positions in the order of invocations.
    fn each(&mut self, first: u32, end: u32, step: u32, body: impl FnOnce(&mut Self)) {
        let start = self.b.ins().iconst(I32, first as i64);
        if end - first == step {
            self.index = start;
            self.local = self.coordinates(start);
            return body(self);
        }
        let [header, after] = [(); 2].map(|()| self.b.create_block());
        let index = self.b.append_block_param(header, I32);
        self.b.ins().jump(header, &[start.into()]);
        self.b.switch_to_block(header);
        self.index = index;
        self.local = self.coordinates(index);
        body(self);
        let next = self.b.ins().iadd_imm_u(index, step as i64);
        let more = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, next, end as i64);
        self.b.ins().brif(more, header, &[next.into()], after, &[]);
        self.b.switch_to_block(after);
    }

    /// The local id of a position in the order of invocations.
    fn coordinates(&mut self, index: ir::Value) -> [ir::Value; 3] {
        let (mut rest, mut left) = (index, self.p.workgroup_invocations());
        let mut local = [index; 3];
        for axis in self.plan.order.0 {
            let n = self.p.workgroup_size[axis];
            left /= n as u64;
            local[axis] = match n {
                1 => self.b.ins().iconst(I32, 0),
                _ if left == 1 => rest,
                _ => {
                    let at = self.b.ins().urem_imm_u(rest, n as i64);
                    rest = self.b.ins().udiv_imm_u(rest, n as i64);
                    at
                }
            };
        }
        local
    }

    /// The piece for the gang that starts at the index.
    fn gang(&mut self, piece: &Piece) {
        for &buffer in &piece.clears {
            let bytes = self.p.buffers[buffer].static_bytes().unwrap_or(0) * self.shapes.width as u64;
            self.zero(self.scratch, self.plan.frame.buffers[buffer], bytes);
        }
        for &value in &piece.live_in {
            if let Home::Slot(offset) = self.plan.homes[value] {
                let lanes = self.load_slots(value, offset);
                self.set(value, lanes);
            }
        }
        piece.live_in.iter().for_each(|&value| self.gang_again(value));
        for &inst in &piece.insts {
            self.gang_inst(inst);
            for &result in &self.p.insts[inst].results {
                if let Home::Slot(offset) = self.plan.homes[result] {
                    let lanes = self.vectors(result);
                    self.store_slots(result, offset, &lanes);
                }
            }
        }
        let moved: Vec<Lanes> = piece.copies.iter().map(|&(from, _)| self.vectors(from)).collect();
        for (&(_, to), lanes) in piece.copies.iter().zip(&moved) {
            let Home::Slot(offset) = self.plan.homes[to] else {
                unreachable!("fission copies into slots only")
            };
            self.store_slots(to, offset, lanes);
        }
    }

    fn gang_again(&mut self, value: Value) {
        if self.find(value).is_some() {
            return;
        }
        let vyre_ir::Def::Result(inst) = self.p.values[value].def else {
            unreachable!("fission lets only instructions be computed again")
        };
        self.p.insts[inst].args.iter().for_each(|&arg| self.gang_again(arg));
        self.gang_inst(inst);
    }

    fn load_slots(&mut self, value: Value, offset: u64) -> Lanes {
        let ty = self.p.ty(value);
        if ty.scalar == Scalar::Bool {
            let each: Vec<Lanes> = self.indices().map(|at| self.load_slot(value, offset, at)).collect();
            return (0..ty.lanes as usize)
                .flat_map(|lane| self.gather_lanes(ty.scalar, each.iter().map(|lanes| lanes[lane])))
                .collect();
        }
        let address = self.slot_address(ty.scalar.bytes(), self.index);
        let mut vectors = Lanes::new();
        for lane in 0..ty.lanes as usize {
            let at = self.lane_offset(value, offset, lane);
            vectors.extend(self.load_vectors(ty.scalar, self.unaligned_scratch(), address, at));
        }
        vectors
    }

    fn store_slots(&mut self, value: Value, offset: u64, vectors: &[ir::Value]) {
        let (ty, count) = (self.p.ty(value), self.vector_count());
        if ty.scalar == Scalar::Bool {
            let gang = self.index;
            for (i, at) in self.indices().enumerate() {
                self.index = at;
                let lanes = vectors.chunks(count).map(|v| self.lane_of(v, i, ty.scalar)).collect();
                self.store_slot(value, offset, lanes);
            }
            self.index = gang;
            return;
        }
        let address = self.slot_address(ty.scalar.bytes(), self.index);
        for (lane, vectors) in vectors.chunks(count).enumerate() {
            let at = self.lane_offset(value, offset, lane);
            self.store_vectors(self.unaligned_scratch(), address, at, vectors);
        }
    }

    fn unaligned_scratch(&self) -> MemFlagsData {
        MemFlagsData::new().with_notrap().with_alias_region(self.scratch_region)
    }

    /// The indices of the gang's invocations.
    fn indices(&mut self) -> std::vec::IntoIter<ir::Value> {
        let width = self.shapes.width as i64;
        let all: Vec<ir::Value> = (0..width).map(|i| self.b.ins().iadd_imm_u(self.index, i)).collect();
        all.into_iter()
    }

    // ---- values

    /// Vectors of a lane.
    pub fn vector_count(&self) -> usize {
        self.shapes.width as usize / LANES
    }

    pub fn shape(&self, value: Value) -> Shape {
        self.shapes.of(value)
    }

    /// A value as vectors, those of the first lane first.
    pub fn vectors(&mut self, value: Value) -> Lanes {
        let (lanes, scalar, count) = (self.get(value), self.p.ty(value).scalar, self.vector_count());
        match self.shape(value) {
            Varying => lanes,
            Uniform => lanes
                .into_iter()
                .flat_map(|x| {
                    let vector = vector::splat(&mut self.b, scalar, x);
                    std::iter::repeat_n(vector, count)
                })
                .collect(),
            Affine => {
                let first = vector::splat(&mut self.b, scalar, lanes[0]);
                (0..count)
                    .map(|i| {
                        let steps = vector::counting(&mut self.b, (i * LANES) as u32);
                        self.b.ins().iadd(first, steps)
                    })
                    .collect()
            }
        }
    }

    /// An invocation's scalar of a lane.
    pub fn lane_of(&mut self, vectors: &[ir::Value], invocation: usize, scalar: Scalar) -> ir::Value {
        let x = self.b.ins().extractlane(vectors[invocation / LANES], (invocation % LANES) as u8);
        if scalar != Scalar::Bool {
            return x;
        }
        let truth = self.b.ins().ireduce(I8, x);
        self.b.ins().band_imm_u(truth, 1)
    }

    /// Vectors of the invocations' scalars of a lane.
    pub fn gather_lanes(&mut self, scalar: Scalar, each: impl IntoIterator<Item = ir::Value>) -> Lanes {
        let each: SmallVec<[ir::Value; 16]> = each.into_iter().collect();
        each.chunks(LANES)
            .map(|four| {
                let mut vector = vector::splat(&mut self.b, scalar, four[0]);
                for (i, &x) in four.iter().enumerate().skip(1) {
                    let x = if scalar == Scalar::Bool { vector::mask_word(&mut self.b, x) } else { x };
                    vector = self.b.ins().insertlane(vector, x, i as u8);
                }
                vector
            })
            .collect()
    }

    // ---- instructions

    pub fn gang_region(&mut self, region: Region) {
        for &inst in &self.p.regions[region].insts {
            self.gang_inst(inst);
        }
    }

    fn gang_inst(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        match data.op {
            Op::If if self.shape(data.args[0]) == Uniform => return self.gang_branch(data),
            Op::If => return self.masked_branch(data),
            Op::Switch if self.shape(data.args[0]) == Uniform => return self.gang_switch(data),
            Op::Switch => return self.masked_switch(data),
            Op::Loop => return self.gang_loop(inst),
            Op::Yield => return,
            _ => {}
        }
        let rule = data.op.info().rule;
        if rule == Rule::Store {
            return self.gang_store(inst);
        }
        // What is done to the scalar of an affine value's first invocation gives that of the result.
        if data.results.iter().all(|&result| self.shape(result) != Varying) {
            return self.inst(inst);
        }
        let lanes = match rule {
            Rule::Axis | Rule::Index | Rule::Atomic(_) | Rule::CompareExchange(_) => {
                return self.each_lane(inst);
            }
            Rule::Load => return self.gang_load(inst),
            Rule::Compose => data.args.iter().flat_map(|&v| self.vectors(v)).collect(),
            Rule::Extract => {
                let Attr::Lane(lane) = data.attr else { unreachable!("the verifier checks attributes") };
                let count = self.vector_count();
                self.vectors(data.args[0])[lane as usize * count..][..count].into()
            }
            _ => match self.gang_compute(data) {
                Some(lanes) => lanes,
                None => return self.each_lane(inst),
            },
        };
        self.set(data.results[0], lanes);
    }

    /// An operation on vectors, if there is one.
    fn gang_compute(&mut self, data: &InstData) -> Option<Lanes> {
        let sig = self.p.sig(data);
        if matches!(data.op.info().rule, Rule::Shift(_)) {
            if self.shape(data.args[1]) != Uniform {
                return None;
            }
            let (amounts, count) = (self.get(data.args[1]), self.vector_count());
            let signed = sig.operand.is_signed();
            let shifted = self.vectors(data.args[0]).into_iter().enumerate();
            return shifted
                .map(|(i, x)| plain_int_op(&mut self.b, data.op, signed, &[x, amounts[i / count]]))
                .collect();
        }
        let args: SmallVec<[Lanes; 3]> = data.args.iter().map(|&v| self.vectors(v)).collect();
        (0..args[0].len())
            .map(|i| {
                let args: SmallVec<[ir::Value; 3]> = args.iter().map(|a| a[i]).collect();
                vector::emit(&mut self.b, self.features, data.op, sig, &args)
            })
            .collect()
    }

    /// An instruction without regions, one invocation after another by the code for one.
    pub fn each_lane(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let (width, count) = (self.shapes.width as usize, self.vector_count());
        let mask = self.mask.clone().filter(|_| data.op.info().effect != Effect::Pure);
        let types: Vec<Scalar> = data
            .results
            .iter()
            .flat_map(|&r| std::iter::repeat_n(p.ty(r).scalar, p.ty(r).lanes as usize))
            .collect();
        let args: SmallVec<[(Value, Lanes); 3]> = data
            .args
            .iter()
            .filter(|&&arg| self.shape(arg) != Uniform)
            .map(|&arg| (arg, self.get(arg)))
            .collect();
        let (index, local) = (self.index, self.local);
        let mut each: Vec<Lanes> = Vec::new();
        for i in 0..width {
            let after = mask.as_ref().map(|mask| {
                let [here, after] = [(); 2].map(|()| self.b.create_block());
                let active = self.b.ins().extractlane(mask[i / LANES], (i % LANES) as u8);
                let zeros: Vec<BlockArg> =
                    types.iter().map(|&s| BlockArg::Value(constant(&mut self.b, s, 0))).collect();
                self.b.ins().brif(active, here, &[], after, &zeros);
                self.b.switch_to_block(here);
                after
            });
            for (arg, lanes) in &args {
                let scalars = match self.shape(*arg) {
                    Varying => {
                        let scalar = p.ty(*arg).scalar;
                        lanes.chunks(count).map(|v| self.lane_of(v, i, scalar)).collect()
                    }
                    _ => SmallVec::from_elem(self.b.ins().iadd_imm_u(lanes[0], i as i64), 1),
                };
                self.set(*arg, scalars);
            }
            self.index = self.b.ins().iadd_imm_u(index, i as i64);
            if matches!(data.op.info().rule, Rule::Axis | Rule::Index) {
                self.local = self.coordinates(self.index);
            }
            self.lane = Some(i as u32);
            self.inst(inst);
            self.lane = None;
            let mut results: Lanes = data.results.iter().flat_map(|&r| self.get(r)).collect();
            if let Some(after) = after {
                let values: Vec<BlockArg> = results.iter().map(|&x| BlockArg::Value(x)).collect();
                self.b.ins().jump(after, &values);
                self.b.switch_to_block(after);
                results = types.iter().map(|&s| self.b.append_block_param(after, clif_type(s))).collect();
            }
            each.push(results);
        }
        (self.index, self.local) = (index, local);
        for (arg, lanes) in args {
            self.set(arg, lanes);
        }
        let mut first = 0;
        for &result in &data.results {
            let ty = p.ty(result);
            let lanes = (first..first + ty.lanes as usize)
                .flat_map(|lane| self.gather_lanes(ty.scalar, each.iter().map(|lanes| lanes[lane])))
                .collect();
            first += ty.lanes as usize;
            self.set(result, lanes);
        }
    }
}

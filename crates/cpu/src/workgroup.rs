//! The workgroup's level of a function: pieces as loops over invocations, control flow of the whole workgroup, cuts,
//! and the slots in which values wait between pieces.

use crate::fission::{Home, Piece, Step};
use crate::lower::{Lanes, Lower};
use crate::ops::clif_type;
use crate::shim::{self, Shim};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{self, Block, InstBuilder};
use smallvec::SmallVec;
use vyre_ir::{Def, Inst, InstData, Op, Sig, Value};

impl Lower<'_> {
    /// Code for steps, one after another.
    pub fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Scalar(inst) => self.inst(*inst),
                Step::Piece(piece) => self.piece(piece),
                Step::Cut(inst) => self.cut(*inst),
                Step::Control(inst, regions) => self.control(*inst, regions),
            }
        }
    }

    // ---- pieces

    /// Loops over the workgroup's invocations in their order around a piece, unless it can be run in gangs.
    fn piece(&mut self, piece: &Piece) {
        if self.gangs(piece) {
            return;
        }
        self.pieces += 1;
        self.piece = self.pieces;
        let zero = self.b.ins().iconst(I32, 0);
        self.local = [zero; 3];
        self.index = zero;
        // Headers of the loops that are open, outermost first.
        let mut headers: SmallVec<[(usize, Block); 3]> = SmallVec::new();
        for axis in self.plan.order.0.into_iter().rev() {
            if self.p.workgroup_size[axis] > 1 {
                let header = self.b.create_block();
                self.b.ins().jump(header, &[zero.into(), self.index.into()]);
                self.b.switch_to_block(header);
                self.local[axis] = self.b.append_block_param(header, I32);
                self.index = self.b.append_block_param(header, I32);
                headers.push((axis, header));
            }
        }
        self.invocation(piece);
        let next_index = self.b.ins().iadd_imm_u(self.index, 1);
        while let Some((axis, header)) = headers.pop() {
            let next = self.b.ins().iadd_imm_u(self.local[axis], 1);
            let size = self.p.workgroup_size[axis] as i64;
            let more = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, next, size);
            let exit = self.b.create_block();
            self.b.ins().brif(more, header, &[next.into(), next_index.into()], exit, &[]);
            self.b.switch_to_block(exit);
        }
        self.piece = 0;
    }

    pub fn invocation(&mut self, piece: &Piece) {
        for &buffer in &piece.clears {
            let bytes = self.p.buffers[buffer].static_bytes().unwrap_or(0);
            self.zero(self.scratch, self.plan.frame.buffers[buffer], bytes);
        }
        for &value in &piece.live_in {
            match self.plan.homes[value] {
                Home::Slot(offset) => {
                    let lanes = self.load_slot(value, offset, self.index);
                    self.set(value, lanes);
                }
                _ => self.again(value),
            }
        }
        for &inst in &piece.insts {
            self.inst(inst);
            for &result in &self.p.insts[inst].results {
                if let Home::Slot(offset) = self.plan.homes[result] {
                    self.store_slot(result, offset, self.get(result));
                }
            }
        }
        // All that is moved was computed or loaded above, so no move sees another one.
        for &(from, to) in &piece.copies {
            let lanes = self.get(from);
            let Home::Slot(offset) = self.plan.homes[to] else {
                unreachable!("fission copies into slots only")
            };
            self.store_slot(to, offset, lanes);
        }
    }

    /// Computes a value of an earlier piece, and what it needs.
    fn again(&mut self, value: Value) {
        if self.find(value).is_some() {
            return;
        }
        let Def::Result(inst) = self.p.values[value].def else {
            unreachable!("fission lets only instructions be computed again")
        };
        for &arg in &self.p.insts[inst].args {
            self.again(arg);
        }
        self.inst(inst);
    }

    /// Where an invocation's element of a slot is.
    pub fn slot_address(&mut self, bytes: u32, index: ir::Value) -> ir::Value {
        let wide = self.b.ins().uextend(I64, index);
        let offset = self.b.ins().ishl_imm_u(wide, bytes.trailing_zeros() as i64);
        self.b.ins().iadd(self.scratch, offset)
    }

    pub fn lane_offset(&self, value: Value, offset: u64, lane: usize) -> i32 {
        let array = self.p.workgroup_invocations() * self.p.ty(value).scalar.bytes() as u64;
        // `frame` keeps everything below 2^28.
        (offset + lane as u64 * array) as i32
    }

    pub fn load_slot(&mut self, value: Value, offset: u64, index: ir::Value) -> Lanes {
        let (ty, flags) = (self.p.ty(value), self.scratch_flags());
        let address = self.slot_address(ty.scalar.bytes(), index);
        (0..ty.lanes as usize)
            .map(|lane| {
                let at = self.lane_offset(value, offset, lane);
                self.b.ins().load(clif_type(ty.scalar), flags, address, at)
            })
            .collect()
    }

    pub fn store_slot(&mut self, value: Value, offset: u64, lanes: Lanes) {
        let (ty, flags) = (self.p.ty(value), self.scratch_flags());
        let address = self.slot_address(ty.scalar.bytes(), self.index);
        for (lane, &bits) in lanes.iter().enumerate() {
            let at = self.lane_offset(value, offset, lane);
            self.b.ins().store(flags, bits, address, at);
        }
    }

    /// A uniform value at the workgroup's level: all invocations have the same, so the first one's.
    pub fn uniform(&mut self, value: Value) -> ir::Value {
        match self.plan.homes[value] {
            Home::Slot(offset) => {
                let first = self.b.ins().iconst(I32, 0);
                self.load_slot(value, offset, first)[0]
            }
            _ => self.get_scalar(value),
        }
    }

    // ---- control flow

    /// Control flow of the whole workgroup. Results and parameters that are scalars travel as parameters of blocks;
    /// the others are in slots, which the pieces fill.
    fn control(&mut self, inst: Inst, regions: &[Vec<Step>]) {
        let p = self.p;
        let data = &p.insts[inst];
        if data.op == Op::Loop {
            return self.workgroup_loop(data, &regions[0]);
        }
        let blocks = if data.op == Op::If {
            let condition = self.uniform(data.args[0]);
            let [then, otherwise] = [(); 2].map(|()| self.b.create_block());
            self.b.ins().brif(condition, then, &[], otherwise, &[]);
            vec![then, otherwise]
        } else {
            self.cases(data)
        };
        let after = self.b.create_block();
        let scalars = self.scalars(&data.results);
        for ((block, steps), &region) in blocks.into_iter().zip(regions).zip(&data.regions) {
            self.b.switch_to_block(block);
            self.steps(steps);
            let yielded = p.yielded(region);
            let values: Vec<Value> = scalars.iter().map(|&i| yielded[i]).collect();
            let values = self.flat(&values);
            self.b.ins().jump(after, &values);
        }
        self.b.switch_to_block(after);
        let results: Vec<Value> = scalars.iter().map(|&i| data.results[i]).collect();
        self.params(after, &results);
    }

    fn workgroup_loop(&mut self, data: &InstData, steps: &[Step]) {
        let p = self.p;
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let scalars = self.scalars(params);
        let pick = |values: &[Value]| -> Vec<Value> { scalars.iter().map(|&i| values[i]).collect() };
        let header = self.b.create_block();
        let initial = self.flat(&pick(&data.args));
        self.b.ins().jump(header, &initial);
        self.b.switch_to_block(header);
        self.params(header, &pick(params));
        self.limit_counter(data);
        self.steps(steps);
        let yielded = p.yielded(body);
        let again = self.uniform(yielded[0]);
        let last = pick(&yielded[1..]);
        let next = self.flat(&last);
        let results: Vec<Lanes> = last.iter().map(|&v| self.get(v)).collect();
        self.back_edge(again, header, &next, false);
        self.set_all(&pick(&data.results), results);
    }

    /// Which of the values are scalars of the workgroup.
    fn scalars(&self, values: &[Value]) -> Vec<usize> {
        (0..values.len()).filter(|&i| self.plan.homes[values[i]] == Home::Scalar).collect()
    }

    // ---- cuts

    fn cut(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        match data.op {
            // The pieces before it have run for all invocations.
            Op::WorkgroupBarrier | Op::StorageBarrier | Op::SubgroupBarrier => {}
            Op::UniformLoad => {
                self.at = Some(inst);
                let index = self.uniform(data.args[0]);
                let lanes = self.load_at(data, index);
                self.set(data.results[0], lanes);
            }
            _ => self.exchange(data),
        }
    }

    /// A subgroup operation: operands and result are in slots; those that are scalars go through the cells.
    fn exchange(&mut self, data: &InstData) {
        let p = self.p;
        let result = data.results[0];
        let Home::Slot(to) = self.plan.homes[result] else {
            unreachable!("fission keeps what subgroup operations give in slots")
        };
        let operand = p.ty(data.args[0]).scalar;
        let sig = Sig { operand, result: p.ty(result).scalar };
        let packed = self.b.ins().iconst(I64, shim::pack(data.op, sig) as i64);
        let count = self.b.ins().iconst(I64, p.workgroup_invocations() as i64);
        // A ballot has one operand lane and fills all lanes of its result.
        for lane in 0..p.ty(data.args[0]).lanes as usize {
            let zero = self.b.ins().iconst(I64, 0);
            let mut words = [packed, count, zero, zero, zero, zero, zero];
            for (i, &arg) in data.args.iter().enumerate() {
                let lane = if p.ty(arg).lanes == 1 { 0 } else { lane };
                let (address, stride) = self.operand(arg, lane, i);
                words[2 + 2 * i] = address;
                words[3 + 2 * i] = self.b.ins().iconst(I64, stride);
            }
            let to = self.lane_offset(result, to, lane);
            words[6] = self.b.ins().iadd_imm_u(self.scratch, to as i64);
            self.call(Shim::Subgroup, &words);
        }
    }

    /// Address and stride of an operand's lane in memory.
    fn operand(&mut self, value: Value, lane: usize, cell: usize) -> (ir::Value, i64) {
        let at = match self.plan.homes[value] {
            Home::Slot(offset) => self.lane_offset(value, offset, lane),
            _ => {
                let at = (self.plan.frame.cells + 8 * cell as u64) as i32;
                let (flags, bits) = (self.scratch_flags(), self.get(value)[lane]);
                self.b.ins().store(flags, bits, self.scratch, at);
                at
            }
        };
        let stride = match self.plan.homes[value] {
            Home::Slot(_) => self.p.ty(value).scalar.bytes() as i64,
            _ => 0,
        };
        (self.b.ins().iadd_imm_u(self.scratch, at as i64), stride)
    }
}

//! Turns a plan into one Cranelift function that runs one workgroup.
//!
//! `fn(context, scratch, x, y, z) -> status`: the context is that of the launch ([`crate::kernel`]), the scratch
//! memory is the worker's ([`crate::frame`]), x, y, z is the workgroup. The status is 0, or 1 when the run was asked
//! to stop. Scalars of the workgroup are values of that function; a piece is a nest of loops over the local ids with
//! the piece's code inside, where every value of the program is one Cranelift value for each lane.
//!
//! Recursion is as deep as the program's nesting, which the caller bounds.

use crate::context;
use crate::counted::{brief_loops, counted};
use crate::fission::{Home, Piece, Plan, Step};
use crate::ops::{self, Features, clif_type, constant};
use crate::range::Limits;
use crate::shim::{self, Shim};
use crate::subgroup::SIZE;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, AbiParam, AliasRegion, AliasRegionData, Block, BlockArg, ExtFuncData, ExternalName, FuncRef,
    Function, InstBuilder, MemFlagsData, Signature, UserExternalName,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Switch};
use smallvec::{SmallVec, smallvec};
use vyre_ir::{Attr, Buffer, Inst, InstData, Op, Program, Region, Rule, SideTable, Sig, Value};

/// The lanes of a value.
pub(crate) type Lanes = SmallVec<[ir::Value; 4]>;

/// The signature of the function.
pub(crate) fn signature(convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = [I64, I64, I32, I32, I32].map(AbiParam::new).to_vec();
    signature.returns = vec![AbiParam::new(I32)];
    signature
}

/// Builds the function of a program.
pub(crate) fn lower(
    p: &Program,
    plan: &Plan,
    features: Features,
    config: TargetFrontendConfig,
    function: &mut Function,
) {
    function.signature = signature(config.default_call_conv);
    let mut context = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(function, &mut context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    let stopped = b.create_block();
    b.set_cold_block(stopped);
    let mut lower = Lower {
        p,
        plan,
        features,
        config,
        context: params[0],
        scratch: params[1],
        workgroup: [params[2], params[3], params[4]],
        values: SideTable::new(None),
        piece: 0,
        pieces: 0,
        local: [params[2]; 3],
        index: params[2],
        bound: SideTable::new(None),
        shims: [None; Shim::ALL.len()],
        regions: SideTable::new(None),
        scratch_region: None,
        stopped,
        limits: Limits::new(),
        brief: brief_loops(p),
        b,
    };
    lower.enter();
    lower.steps(&plan.steps);
    let done = lower.b.ins().iconst(I32, context::DONE);
    lower.b.ins().return_(&[done]);
    lower.b.switch_to_block(stopped);
    let stop = lower.b.ins().iconst(I32, context::STOPPED);
    lower.b.ins().return_(&[stop]);
    lower.b.seal_all_blocks();
    lower.b.finalize(config);
}

/// The address and sizes of a bound buffer, in registers from the function's entry on.
#[derive(Copy, Clone)]
pub(crate) struct Bound {
    pub base: ir::Value,
    /// Whole scalars of 1, 2, 4 and 8 bytes that fit.
    pub scalars: [ir::Value; 4],
}

pub(crate) struct Lower<'a> {
    pub p: &'a Program,
    pub plan: &'a Plan,
    pub b: FunctionBuilder<'a>,
    pub features: Features,
    config: TargetFrontendConfig,
    pub context: ir::Value,
    pub scratch: ir::Value,
    workgroup: [ir::Value; 3],
    /// Values and the piece they are valid in; 0 for those of the workgroup.
    values: SideTable<Value, Option<(u32, Lanes)>>,
    /// The piece being built, counted from 1; 0 at the workgroup's level.
    piece: u32,
    pieces: u32,
    /// Local id and index of the piece's invocation.
    local: [ir::Value; 3],
    pub index: ir::Value,
    pub bound: SideTable<Buffer, Option<Bound>>,
    shims: [Option<FuncRef>; Shim::ALL.len()],
    regions: SideTable<Buffer, Option<AliasRegion>>,
    scratch_region: Option<AliasRegion>,
    /// Where code goes when the run is to stop.
    stopped: Block,
    /// How large indices can be where code is being made.
    pub limits: Limits,
    /// Loops that need not look whether the run is to stop.
    brief: SideTable<Inst, bool>,
}

impl Lower<'_> {
    /// What every workgroup begins with.
    fn enter(&mut self) {
        let region = |name: &'static str, user_id| AliasRegionData { user_id, description: name.into() };
        self.scratch_region = Some(self.b.func.dfg.alias_regions.insert(region("scratch", 0)));
        for (buffer, decl) in self.p.buffers.iter() {
            if decl.memory.is_bound() && self.plan.used[buffer] {
                let id = buffer_number(buffer);
                self.regions[buffer] = Some(self.b.func.dfg.alias_regions.insert(region("buffer", id + 1)));
                let flags = MemFlagsData::trusted().with_readonly();
                let at = context::buffer_offset(buffer);
                let base = self.b.ins().load(I64, flags, self.context, at);
                let bytes = self.b.ins().load(I64, flags, self.context, at + 8);
                let scalars = [0, 1, 2, 3].map(|shift| match shift {
                    0 => bytes,
                    _ => self.b.ins().ushr_imm_u(bytes, shift),
                });
                self.bound[buffer] = Some(Bound { base, scalars });
            }
        }
        let zeroed = self.plan.frame.zeroed;
        if zeroed > 0 {
            self.zero(self.scratch, 0, zeroed);
        }
    }

    fn steps(&mut self, steps: &[Step]) {
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

    /// Loops over the workgroup's invocations, x fastest, around a piece.
    fn piece(&mut self, piece: &Piece) {
        self.pieces += 1;
        self.piece = self.pieces;
        let zero = self.b.ins().iconst(I32, 0);
        self.local = [zero; 3];
        self.index = zero;
        // Headers of the loops that are open, outermost (z) first.
        let mut headers: SmallVec<[(usize, Block); 3]> = SmallVec::new();
        for axis in [2, 1, 0] {
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

    fn invocation(&mut self, piece: &Piece) {
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
        let vyre_ir::Def::Result(inst) = self.p.values[value].def else {
            unreachable!("fission lets only instructions be computed again")
        };
        for &arg in &self.p.insts[inst].args {
            self.again(arg);
        }
        self.inst(inst);
    }

    /// Where an invocation's element of a slot is.
    fn slot_address(&mut self, bytes: u32, index: ir::Value) -> ir::Value {
        let wide = self.b.ins().uextend(I64, index);
        let offset = self.b.ins().ishl_imm_u(wide, bytes.trailing_zeros() as i64);
        self.b.ins().iadd(self.scratch, offset)
    }

    fn lane_offset(&self, value: Value, offset: u64, lane: usize) -> i32 {
        let array = self.p.workgroup_invocations() * self.p.ty(value).scalar.bytes() as u64;
        // `frame` keeps everything below 2^28.
        (offset + lane as u64 * array) as i32
    }

    fn load_slot(&mut self, value: Value, offset: u64, index: ir::Value) -> Lanes {
        let (ty, flags) = (self.p.ty(value), self.scratch_flags());
        let address = self.slot_address(ty.scalar.bytes(), index);
        (0..ty.lanes as usize)
            .map(|lane| {
                let at = self.lane_offset(value, offset, lane);
                self.b.ins().load(clif_type(ty.scalar), flags, address, at)
            })
            .collect()
    }

    fn store_slot(&mut self, value: Value, offset: u64, lanes: Lanes) {
        let (ty, flags) = (self.p.ty(value), self.scratch_flags());
        let address = self.slot_address(ty.scalar.bytes(), self.index);
        for (lane, &bits) in lanes.iter().enumerate() {
            let at = self.lane_offset(value, offset, lane);
            self.b.ins().store(flags, bits, address, at);
        }
    }

    // ---- values

    fn find(&self, value: Value) -> Option<&Lanes> {
        match &self.values[value] {
            Some((piece, lanes)) if *piece == 0 || *piece == self.piece => Some(lanes),
            _ => None,
        }
    }

    pub fn get(&self, value: Value) -> Lanes {
        match self.find(value) {
            Some(lanes) => lanes.clone(),
            None => unreachable!("{value:?} is used where it is not available"),
        }
    }

    pub fn get_scalar(&self, value: Value) -> ir::Value {
        self.get(value)[0]
    }

    fn set(&mut self, value: Value, lanes: Lanes) {
        self.values[value] = Some((self.piece, lanes));
    }

    fn set_all(&mut self, values: &[Value], lanes: Vec<Lanes>) {
        for (&value, lanes) in values.iter().zip(lanes) {
            self.set(value, lanes);
        }
    }

    /// A uniform value at the workgroup's level: all invocations have the same, so the first one's.
    fn uniform(&mut self, value: Value) -> ir::Value {
        match self.plan.homes[value] {
            Home::Slot(offset) => {
                let first = self.b.ins().iconst(I32, 0);
                self.load_slot(value, offset, first)[0]
            }
            _ => self.get_scalar(value),
        }
    }

    // ---- instructions

    fn inst(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let lanes: Lanes = match data.op {
            Op::If => return self.branch(data),
            Op::Loop => return self.repeat(data, self.brief[inst]),
            Op::Switch => return self.switch(data),
            Op::Yield => return,
            Op::Const => self.constant(data),
            Op::Compose => data.args.iter().map(|&v| self.get_scalar(v)).collect(),
            Op::Extract => match data.attr {
                Attr::Lane(lane) => smallvec![self.get(data.args[0])[lane as usize]],
                _ => unreachable!("the verifier checks attributes"),
            },
            op => match op.info().rule {
                Rule::Axis | Rule::Index => smallvec![self.position(data)],
                Rule::Length => smallvec![self.length(data)],
                Rule::Load | Rule::Store | Rule::Atomic(_) | Rule::CompareExchange(_) => {
                    let results = self.access(data);
                    return self.set_all(&data.results, results);
                }
                _ => self.compute(data),
            },
        };
        self.set(data.results[0], lanes);
    }

    fn constant(&mut self, data: &InstData) -> Lanes {
        let Attr::Bits(bits) = data.attr else { unreachable!("the verifier checks attributes") };
        let ty = self.p.ty(data.results[0]);
        bits[..ty.lanes as usize].iter().map(|&bits| constant(&mut self.b, ty.scalar, bits)).collect()
    }

    /// An operation lane by lane.
    fn compute(&mut self, data: &InstData) -> Lanes {
        let (sig, lanes) = (self.p.sig(data), self.p.ty(data.results[0]).lanes as usize);
        let args: SmallVec<[Lanes; 3]> = data.args.iter().map(|&v| self.get(v)).collect();
        (0..lanes)
            .map(|lane| {
                let args: SmallVec<[ir::Value; 3]> = args.iter().map(|a| a[lane]).collect();
                self.lane(data.op, sig, &args)
            })
            .collect()
    }

    /// One lane of an operation: by the table, else by its reference semantics.
    pub fn lane(&mut self, op: Op, sig: Sig, args: &[ir::Value]) -> ir::Value {
        if let Some(value) = ops::emit(&mut self.b, self.features, op, sig, args) {
            return value;
        }
        let packed = self.b.ins().iconst(I64, shim::pack(op, sig) as i64);
        let mut words = [packed; 4];
        for (word, &arg) in words[1..].iter_mut().zip(args) {
            *word = ops::to_word(&mut self.b, arg);
        }
        let word = self.call(Shim::Evaluate, &words)[0];
        ops::of_word(&mut self.b, word, sig.result)
    }

    fn position(&mut self, data: &InstData) -> ir::Value {
        let axis = match data.attr {
            Attr::Axis(axis) => axis as usize,
            _ => 0,
        };
        let size = self.p.workgroup_size[axis] as i64;
        let invocations = self.p.workgroup_invocations();
        match data.op {
            Op::GlobalId => {
                let first = self.b.ins().imul_imm_u(self.workgroup[axis], size);
                self.b.ins().iadd(first, self.local[axis])
            }
            Op::LocalId => self.local[axis],
            Op::WorkgroupId => self.workgroup[axis],
            Op::NumWorkgroups => {
                let flags = MemFlagsData::trusted().with_readonly();
                self.b.ins().load(I32, flags, self.context, context::num_workgroups_offset(axis))
            }
            Op::LocalIndex => self.index,
            Op::SubgroupSize => self.b.ins().iconst(I32, SIZE as i64),
            Op::SubgroupLane => self.b.ins().band_imm_u(self.index, SIZE as i64 - 1),
            Op::SubgroupId => self.b.ins().ushr_imm_u(self.index, SIZE.trailing_zeros() as i64),
            Op::NumSubgroups => self.b.ins().iconst(I32, invocations.div_ceil(SIZE as u64) as i64),
            op => unreachable!("`{}` is no position", op.name()),
        }
    }

    pub fn call(&mut self, shim: Shim, args: &[ir::Value]) -> SmallVec<[ir::Value; 1]> {
        let function = match self.shims[shim as usize] {
            Some(function) => function,
            None => {
                let signature = self.b.import_signature(shim.signature(self.config.default_call_conv));
                let name = UserExternalName::new(0, shim as u32);
                let name = self.b.func.declare_imported_user_function(name);
                let name = ExternalName::user(name);
                let data = ExtFuncData { name, signature, colocated: false, patchable: false };
                *self.shims[shim as usize].insert(self.b.import_function(data))
            }
        };
        let call = self.b.ins().call(function, args);
        self.b.inst_results(call).into()
    }

    pub fn scratch_flags(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(self.scratch_region)
    }

    /// How a buffer may be accessed. Only memory that is written is known to be aligned.
    pub fn buffer_flags(&self, buffer: Buffer) -> MemFlagsData {
        let decl = &self.p.buffers[buffer];
        if !decl.memory.is_bound() {
            return self.scratch_flags();
        }
        MemFlagsData::new().with_notrap().with_alias_region(self.regions[buffer])
    }

    // ---- control flow

    /// What a region yields, in lanes, one after another, as arguments of a jump.
    fn flat(&self, values: &[Value]) -> Vec<BlockArg> {
        values.iter().flat_map(|&v| self.get(v)).map(BlockArg::Value).collect()
    }

    /// Makes parameters of a block for values, and the values' lanes of them.
    fn params(&mut self, block: Block, values: &[Value]) {
        for &value in values {
            let ty = self.p.ty(value);
            let lanes =
                (0..ty.lanes).map(|_| self.b.append_block_param(block, clif_type(ty.scalar))).collect();
            self.set(value, lanes);
        }
    }

    fn region(&mut self, region: Region) {
        for &inst in &self.p.regions[region].insts {
            self.inst(inst);
        }
    }

    fn branch(&mut self, data: &InstData) {
        let condition = self.get_scalar(data.args[0]);
        let [then, otherwise, after] = [(); 3].map(|()| self.b.create_block());
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        for (block, &region) in [then, otherwise].into_iter().zip(&data.regions) {
            self.b.switch_to_block(block);
            let implied = self.limits.implied(self.p, data.args[0]).filter(|_| block == then);
            let before = implied.map(|(value, largest)| (value, self.limits.set(value, largest)));
            self.region(region);
            if let Some((value, largest)) = before {
                self.limits.set(value, largest);
            }
            let values = self.flat(self.p.yielded(region));
            self.b.ins().jump(after, &values);
        }
        self.b.switch_to_block(after);
        self.params(after, &data.results);
    }

    fn switch(&mut self, data: &InstData) {
        let after = self.b.create_block();
        let blocks = self.cases(data);
        for (block, &region) in blocks.into_iter().zip(&data.regions) {
            self.b.switch_to_block(block);
            self.region(region);
            let values = self.flat(self.p.yielded(region));
            self.b.ins().jump(after, &values);
        }
        self.b.switch_to_block(after);
        self.params(after, &data.results);
    }

    /// Jumps by a selector to a block for each region.
    fn cases(&mut self, data: &InstData) -> Vec<Block> {
        let selector = self.uniform_or_local(data.args[0]);
        let blocks: Vec<Block> = data.regions.iter().map(|_| self.b.create_block()).collect();
        let Attr::Cases(cases) = &data.attr else { unreachable!("the verifier checks attributes") };
        let mut switch = Switch::new();
        for case in cases.iter() {
            switch.set_entry(case.value as u32 as u128, blocks[case.region as usize]);
        }
        switch.emit(&mut self.b, selector, *blocks.last().expect("a switch has a default"));
        blocks
    }

    fn uniform_or_local(&mut self, value: Value) -> ir::Value {
        if self.piece == 0 { self.uniform(value) } else { self.get_scalar(value) }
    }

    fn repeat(&mut self, data: &InstData, brief: bool) {
        let body = data.regions[0];
        let header = self.b.create_block();
        let initial = self.flat(&data.args);
        self.b.ins().jump(header, &initial);
        self.b.switch_to_block(header);
        self.params(header, &self.p.regions[body].params);
        self.limit_counter(data);
        self.region(body);
        let yielded = self.p.yielded(body);
        let again = self.get_scalar(yielded[0]);
        let next = self.flat(&yielded[1..]);
        let results: Vec<Lanes> = yielded[1..].iter().map(|&v| self.get(v)).collect();
        if brief {
            let after = self.b.create_block();
            self.b.ins().brif(again, header, &next, after, &[]);
            self.b.switch_to_block(after);
        } else {
            self.turn(again, header, &next);
        }
        // The values of the last turn reach everything after it.
        self.set_all(&data.results, results);
    }

    /// Notes how large the counter of a loop gets. It is a parameter, so that it is used inside only.
    fn limit_counter(&mut self, data: &InstData) {
        if let Some(counted) = counted(self.p, data) {
            self.limits.set(counted.counter, counted.largest);
        }
    }

    /// The back edge of a loop, unless the run is to stop; goes on after the loop.
    fn turn(&mut self, again: ir::Value, header: Block, next: &[BlockArg]) {
        let [back, after] = [(); 2].map(|()| self.b.create_block());
        self.b.ins().brif(again, back, &[], after, &[]);
        self.b.switch_to_block(back);
        let flags = MemFlagsData::trusted();
        let address = self.b.ins().load(I64, flags.with_readonly(), self.context, context::CANCEL);
        let stop = self.b.ins().atomic_load(I32, flags, address);
        self.b.ins().brif(stop, self.stopped, &[], header, next);
        self.b.switch_to_block(after);
    }

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
        self.turn(again, header, &next);
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

/// A buffer's place among the program's buffers.
pub(crate) fn buffer_number(buffer: Buffer) -> u32 {
    vyre_ir::Entity::index(buffer) as u32
}

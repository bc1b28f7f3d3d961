//! Turns a plan into one Cranelift function that runs one workgroup.
//!
//! `fn(context, scratch, x, y, z) -> status`: the context is that of the launch ([`crate::context`]), the scratch
//! memory is the worker's ([`crate::frame`]), x, y, z is the workgroup. The status is 0, 1 when the run was asked
//! to stop, or 2 after an access out of bounds in checked code. Every value of the program is one Cranelift value for each lane. Here is what a piece is made of, and what is
//! around all; [`crate::workgroup`] has the level of the workgroup, [`crate::memory`] accesses.
//!
//! Recursion is as deep as the program's nesting, which the caller bounds.

use crate::brief::brief_loops;
use crate::context;
use crate::fission::Plan;
use crate::gang_memory::GangBounds;
use crate::ops::{self, Features, clif_type, constant};
use crate::order::Order;
use crate::range::Limits;
use crate::shape::Shapes;
use crate::shim::{self, Shim};
use crate::subgroup::SIZE;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, AbiParam, AliasRegion, AliasRegionData, Block, BlockArg, ExtFuncData, ExternalName, FuncRef,
    Function, InstBuilder, MemFlagsData, Signature, StackSlot, StackSlotData, StackSlotKind,
    UserExternalName,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Switch};
use smallvec::{SmallVec, smallvec};
use vyre_ir::dialect::{OpDef, Reference, Target};
use vyre_ir::{Attr, Buffer, Inst, InstData, Op, Program, Region, Rule, SideTable, Sig, Value};
use vyre_opt::analysis::counted::counted;

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
        outside: None,
        at: None,
        limits: Limits::new(),
        brief: brief_loops(p),
        shapes: Shapes::new(plan.gang),
        mask: None,
        lane: None,
        lane_slot: None,
        b,
    };
    lower.enter();
    lower.steps(&plan.steps);
    let done = lower.b.ins().iconst(I32, context::DONE);
    lower.b.ins().return_(&[done]);
    lower.b.switch_to_block(stopped);
    let stop = lower.b.ins().iconst(I32, context::STOPPED);
    lower.b.ins().return_(&[stop]);
    lower.report();
    lower.b.seal_all_blocks();
    lower.b.finalize(config);
}

/// The address and sizes of a bound buffer, in registers from the function's entry on.
#[derive(Copy, Clone)]
pub(crate) struct Bound {
    pub base: ir::Value,
    /// Whole scalars of 1, 2, 4 and 8 bytes that fit.
    pub scalars: [ir::Value; 4],
    /// For gangs, if there are any.
    pub gang: Option<GangBounds>,
}

pub(crate) struct Lower<'a> {
    pub p: &'a Program,
    pub plan: &'a Plan,
    pub b: FunctionBuilder<'a>,
    pub features: Features,
    pub config: TargetFrontendConfig,
    pub context: ir::Value,
    pub scratch: ir::Value,
    pub workgroup: [ir::Value; 3],
    /// Values and the piece they are valid in; 0 for those of the workgroup.
    pub values: SideTable<Value, Option<(u32, Lanes)>>,
    /// The piece being built, counted from 1; 0 at the workgroup's level.
    pub piece: u32,
    pub pieces: u32,
    /// Local id of the piece's invocation, and its position in the order in which invocations run.
    pub local: [ir::Value; 3],
    pub index: ir::Value,
    pub bound: SideTable<Buffer, Option<Bound>>,
    pub shims: [Option<FuncRef>; Shim::ALL.len()],
    pub regions: SideTable<Buffer, Option<AliasRegion>>,
    pub scratch_region: Option<AliasRegion>,
    /// Where code goes when the run is to stop.
    pub stopped: Block,
    /// Where checked code goes from an access out of bounds.
    pub outside: Option<Block>,
    /// The instruction that code is being made for, as far as it is an access.
    pub at: Option<Inst>,
    /// How large indices can be where code is being made.
    pub limits: Limits,
    /// Loops that need not look whether the run is to stop.
    pub brief: SideTable<Inst, bool>,
    /// What differs over a gang, and its width.
    pub shapes: Shapes,
    /// In a gang: the invocations that are where code is being made; all if there is none.
    pub mask: Option<Lanes>,
    /// In a gang: the invocation that code is being made for, if it is for one.
    pub lane: Option<u32>,
    pub lane_slot: Option<StackSlot>,
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
                let gang = (self.plan.gang > 1).then(|| self.gang_bounds(scalars[2]));
                self.bound[buffer] = Some(Bound { base, scalars, gang });
            }
        }
        let zeroed = self.plan.frame.zeroed;
        if zeroed > 0 {
            self.zero(self.scratch, 0, zeroed);
        }
    }

    // ---- values

    pub fn find(&self, value: Value) -> Option<&Lanes> {
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

    pub fn set(&mut self, value: Value, lanes: Lanes) {
        self.values[value] = Some((self.piece, lanes));
    }

    pub fn set_all(&mut self, values: &[Value], lanes: Vec<Lanes>) {
        for (&value, lanes) in values.iter().zip(lanes) {
            self.set(value, lanes);
        }
    }

    // ---- instructions

    /// An instruction for one invocation, or on what is the same for a gang.
    pub fn inst(&mut self, inst: Inst) {
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
                Rule::Call => smallvec![self.intrinsic(data)],
                Rule::Load | Rule::Store | Rule::Atomic(_) | Rule::CompareExchange(_) => {
                    self.at = Some(inst);
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

    /// A call of an intrinsic's own function for native code, or of its reference function.
    fn intrinsic(&mut self, data: &InstData) -> ir::Value {
        let call = self.p.call(data).expect("the verifier checks attributes");
        let def = call.def.as_ref().expect("the inliner links calls");
        let function = native_function(def).expect("programs with other calls are refused");
        let constants = call.attributes.iter().map(|a| self.b.ins().iconst(I64, a.bits as i64)).collect();
        let mut words: Vec<ir::Value> = constants;
        for &arg in &data.args {
            let arg = self.get_scalar(arg);
            words.push(ops::to_word(&mut self.b, arg));
        }
        let bytes = 8 * words.len().max(1) as u32;
        let slot = self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3));
        for (i, &word) in words.iter().enumerate() {
            self.b.ins().stack_store(I64, word, slot, 8 * i as i32);
        }
        let address = self.b.ins().stack_addr(I64, slot, 0);
        let function = self.b.ins().iconst(I64, function as usize as i64);
        let count = self.b.ins().iconst(I64, words.len() as i64);
        let word = self.call(Shim::Intrinsic, &[function, address, count])[0];
        ops::of_word(&mut self.b, word, self.p.ty(data.results[0]).scalar)
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
            Op::LocalIndex => self.local_index(),
            Op::SubgroupSize => self.b.ins().iconst(I32, SIZE as i64),
            Op::SubgroupLane => self.b.ins().band_imm_u(self.index, SIZE as i64 - 1),
            Op::SubgroupId => self.b.ins().ushr_imm_u(self.index, SIZE.trailing_zeros() as i64),
            Op::NumSubgroups => self.b.ins().iconst(I32, invocations.div_ceil(SIZE as u64) as i64),
            op => unreachable!("`{}` is no position", op.name()),
        }
    }

    fn local_index(&mut self) -> ir::Value {
        if self.plan.order == Order::BY_INDEX {
            return self.index;
        }
        let [sx, sy, _] = self.p.workgroup_size.map(i64::from);
        let [x, y, z] = self.local;
        let rows = self.b.ins().imul_imm_u(z, sy);
        let row = self.b.ins().iadd(rows, y);
        let first = self.b.ins().imul_imm_u(row, sx);
        self.b.ins().iadd(first, x)
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
    pub fn flat(&self, values: &[Value]) -> Vec<BlockArg> {
        values.iter().flat_map(|&v| self.get(v)).map(BlockArg::Value).collect()
    }

    /// Makes parameters of a block for values, and the values' lanes of them.
    pub fn params(&mut self, block: Block, values: &[Value]) {
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
    pub fn cases(&mut self, data: &InstData) -> Vec<Block> {
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
        self.back_edge(again, header, &next, brief);
        // The values of the last turn reach everything after it.
        self.set_all(&data.results, results);
    }

    /// Notes how large the counter of a loop gets. It is a parameter, so that it is used inside only.
    pub fn limit_counter(&mut self, data: &InstData) {
        if let Some(counted) = counted(self.p, data) {
            self.limits.set(counted.counter, counted.largest);
        }
    }

    /// The back edge of a loop, unless the run is to stop, which a brief one need not ask; goes on after the loop.
    pub fn back_edge(&mut self, again: ir::Value, header: Block, next: &[BlockArg], brief: bool) {
        let after = self.b.create_block();
        if brief {
            self.b.ins().brif(again, header, next, after, &[]);
        } else {
            let back = self.b.create_block();
            self.b.ins().brif(again, back, &[], after, &[]);
            self.b.switch_to_block(back);
            self.unless_stopped(header, next);
        }
        self.b.switch_to_block(after);
    }

    /// A jump, unless the run is to stop.
    pub fn unless_stopped(&mut self, to: Block, values: &[BlockArg]) {
        let flags = MemFlagsData::trusted();
        let address = self.b.ins().load(I64, flags.with_readonly(), self.context, context::CANCEL);
        let stop = self.b.ins().atomic_load(I32, flags, address);
        self.b.ins().brif(stop, self.stopped, &[], to, values);
    }
}

/// The function of an intrinsic that native code calls.
pub(crate) fn native_function(def: &OpDef) -> Option<Reference> {
    def.function(Target::NativeModule).or_else(|| def.function(Target::ReferenceBackend))
}

/// A buffer's place among the program's buffers.
pub(crate) fn buffer_number(buffer: Buffer) -> u32 {
    vyre_ir::Entity::index(buffer) as u32
}

//! From the [gang form](crate::form) to one Cranelift function.
//!
//! `fn(context, scratch, x, y, z, end_x) -> status` runs the workgroups `x` to `end_x - 1` of a row: the context is that
//! of the launch ([`crate::context`]), the scratch memory is the worker's ([`crate::frame`]). The status is 0, 1 when
//! the run was asked to stop, or 2 after an access out of bounds in checked code.
//!
//! A uniform variable is one Cranelift value, a varying one a few vectors of 128 bits ([`vector`]). Nothing is decided
//! here about what varies or where masks are: each statement has its one way. [`control`] has branches and loops,
//! [`memory`] and [`access`] loads and stores, [`atomic`] atomics, [`subgroup`] what lanes exchange, [`lanes`] the way
//! of what is done lane by lane. [`scalar`] is the table of operations for scalars; those for vectors are [`vector`],
//! [`wide`] (64 bits), [`narrow`] (8 and 16 bits) and [`half`].
//!
//! Recursion is as deep as the form's nesting, which the caller bounds.

mod access;
mod atomic;
mod bits;
mod compute;
mod control;
mod half;
mod lanes;
mod memory;
mod narrow;
mod report;
pub(crate) mod scalar;
mod subgroup;
mod vector;
mod wide;

use crate::context;
use crate::form::{Form, Place, Space, Stmt, Type, Var};
use crate::meeting::STOP;
use crate::shim::Shim;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, AbiParam, AliasRegion, AliasRegionData, Block, BlockArg, ExtFuncData, ExternalName, FuncRef,
    Function, InstBuilder, MemFlagsData, Signature, StackSlot, StackSlotData, StackSlotKind,
    UserExternalName,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use scalar::{Features, clif_type, constant};
use smallvec::{SmallVec, smallvec};
use vyre_ir::{Buffer, Program, Scalar, SideTable};

/// The vectors of a varying variable, those of the first lanes first; or a uniform variable's one value.
pub(crate) type Lanes = SmallVec<[ir::Value; 4]>;

/// The signature of the function.
fn signature(convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = [I64, I64, I32, I32, I32, I32].map(AbiParam::new).to_vec();
    signature.returns = vec![AbiParam::new(I32)];
    signature
}

/// Builds the function of a form, which was made of the program.
pub(crate) fn emit(
    p: &Program,
    form: &Form,
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
    let scratch_region = AliasRegionData { user_id: 0, description: "scratch".into() };
    let scratch_region = b.func.dfg.alias_regions.insert(scratch_region);
    let mut emitter = Emitter {
        p,
        form,
        features,
        config,
        context: params[0],
        cancel: params[0],
        scratch: params[1],
        workgroup: [params[2], params[3], params[4]],
        values: vec![Lanes::new(); form.types.len()],
        constants: vec![None; form.types.len()],
        bound: SideTable::new(None),
        scratch_region,
        shims: [None; Shim::ALL.len()],
        stopped,
        outside: None,
        local: None,
        widened: None,
        aside: None,
        branches: None,
        lane_slot: None,
        b,
    };
    let flags = MemFlagsData::trusted().with_readonly();
    emitter.cancel = emitter.b.ins().load(I64, flags, params[0], context::CANCEL);
    if form.width == 1 {
        emitter.aside = Some(Aside::new(&mut emitter.b, params[0], emitter.cancel, params[5]));
    }
    emitter.bind(&form.body);
    emitter.workgroups(params[5]);
    emitter.b.switch_to_block(stopped);
    let stop = emitter.b.ins().iconst(I32, context::STOPPED);
    emitter.b.ins().return_(&[stop]);
    emitter.report();
    emitter.b.seal_all_blocks();
    emitter.b.finalize(config);
}

/// Branches in a loop around what is rarely done.
const RARE: u32 = 2;

/// A bound buffer, in registers from the function's entry on.
#[derive(Copy, Clone)]
struct Bound {
    base: ir::Value,
    bytes: ir::Value,
    /// Whole scalars of 1, 2, 4 and 8 bytes that fit.
    scalars: [ir::Value; 4],
    /// Those, as far as 2^32.
    reach: [ir::Value; 4],
    region: AliasRegion,
}

/// What code for one lane rarely needs, on the stack: in registers it would be in the way throughout loops.
#[derive(Copy, Clone)]
struct Aside(StackSlot);

impl Aside {
    const CONTEXT: i32 = 0;
    const CANCEL: i32 = 8;
    const END: i32 = 16;

    fn new(b: &mut FunctionBuilder<'_>, context: ir::Value, cancel: ir::Value, end: ir::Value) -> Aside {
        let slot = b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 24, 3));
        for (value, at) in [(context, Aside::CONTEXT), (cancel, Aside::CANCEL), (end, Aside::END)] {
            b.ins().stack_store(I64, value, slot, at);
        }
        Aside(slot)
    }
}

struct Emitter<'a> {
    p: &'a Program,
    form: &'a Form,
    b: FunctionBuilder<'a>,
    features: Features,
    config: TargetFrontendConfig,
    context: ir::Value,
    /// The address of the flag that asks to stop.
    cancel: ir::Value,
    scratch: ir::Value,
    workgroup: [ir::Value; 3],
    /// By variable.
    values: Vec<Lanes>,
    /// By variable: the bits of what is made anew wherever it is used. A constant in a register would be in the way of
    /// others throughout loops.
    constants: Vec<Option<u64>>,
    bound: SideTable<Buffer, Option<Bound>>,
    scratch_region: AliasRegion,
    shims: [Option<FuncRef>; Shim::ALL.len()],
    /// Where code goes when the run is to stop.
    stopped: Block,
    /// Where checked code goes from an access out of bounds.
    outside: Option<Block>,
    /// Local ids of the invocations that reports are for; those of the first one if there are none.
    local: Option<[Var; 3]>,
    /// Of the statement's one index, in code for one lane: the index, and what it is in 64 bits.
    widened: Option<[ir::Value; 2]>,
    aside: Option<Aside>,
    /// How many branches there are around the statement in its loop, if it is in one.
    branches: Option<u32>,
    /// Where lanes lie that are done one by one, and its bytes.
    lane_slot: Option<(StackSlot, u32)>,
}

impl Emitter<'_> {
    // ---- what is around all

    /// Loads where the buffers are that statements access.
    fn bind(&mut self, block: &[Stmt]) {
        let mut open: Vec<&[Stmt]> = vec![block];
        while let Some(block) = open.pop() {
            for stmt in block {
                match stmt {
                    Stmt::Load { place, .. } | Stmt::Store { place, .. } | Stmt::Atomic { place, .. } => {
                        if let Place { memory: Space::Bound { buffer, .. }, .. } = place {
                            self.bind_buffer(*buffer);
                        }
                    }
                    Stmt::Length { buffer, .. } => self.bind_buffer(*buffer),
                    Stmt::Branch { sides, .. } => open.extend(sides.iter().map(|s| s.body.as_slice())),
                    Stmt::Loop(data) => open.push(&data.body),
                    _ => {}
                }
            }
        }
    }

    fn bind_buffer(&mut self, buffer: Buffer) {
        if self.bound[buffer].is_some() {
            return;
        }
        let user_id = vyre_ir::Entity::index(buffer) as u32 + 1;
        let region = AliasRegionData { user_id, description: "buffer".into() };
        let region = self.b.func.dfg.alias_regions.insert(region);
        self.bound[buffer] = Some(self.bound(buffer, self.context, region));
    }

    /// Loads where a buffer is.
    fn bound(&mut self, buffer: Buffer, context: ir::Value, region: AliasRegion) -> Bound {
        let flags = MemFlagsData::trusted().with_readonly();
        let at = context::buffer_offset(buffer);
        let base = self.b.ins().load(I64, flags, context, at);
        let bytes = self.b.ins().load(I64, flags, context, at + 8);
        let scalars = [0, 1, 2, 3].map(|shift| match shift {
            0 => bytes,
            _ => self.b.ins().ushr_imm_u(bytes, shift),
        });
        let most = self.b.ins().iconst(I64, 1 << 32);
        let reach = scalars.map(|n| self.b.ins().umin(n, most));
        Bound { base, bytes, scalars, reach, region }
    }

    /// Where a buffer is that a statement accesses: loaded there, if it is far from every turn of its loop.
    fn bound_here(&mut self, buffer: Buffer) -> Bound {
        let bound = self.bound[buffer].expect("buffers are bound on entry");
        match (self.aside, self.branches) {
            (Some(Aside(slot)), Some(RARE..)) => {
                let context = self.b.ins().stack_load(I64, I64, slot, Aside::CONTEXT);
                self.bound(buffer, context, bound.region)
            }
            _ => bound,
        }
    }

    /// The loop over the workgroups of the row.
    fn workgroups(&mut self, end: ir::Value) {
        let form = self.form;
        let header = self.b.create_block();
        let x = self.b.append_block_param(header, I32);
        self.b.ins().jump(header, &[self.workgroup[0].into()]);
        self.b.switch_to_block(header);
        self.workgroup[0] = x;
        self.block(&form.body);
        let [back, done] = [(); 2].map(|()| self.b.create_block());
        let next = self.b.ins().iadd_imm_u(x, 1);
        let end = match self.aside {
            Some(Aside(slot)) => self.b.ins().stack_load(I64, I32, slot, Aside::END),
            None => end,
        };
        let more = self.b.ins().icmp(IntCC::NotEqual, next, end);
        self.b.ins().brif(more, back, &[], done, &[]);
        self.b.switch_to_block(back);
        self.unless_stopped(header, &[next.into()]);
        self.b.switch_to_block(done);
        let status = self.b.ins().iconst(I32, context::DONE);
        self.b.ins().return_(&[status]);
    }

    /// A jump, unless the run is to stop.
    fn unless_stopped(&mut self, to: Block, values: &[BlockArg]) {
        let flags = MemFlagsData::trusted();
        let cancel = match self.aside {
            Some(Aside(slot)) => self.b.ins().stack_load(I64, I64, slot, Aside::CANCEL),
            None => self.cancel,
        };
        let stop = self.b.ins().atomic_load(I32, flags, cancel);
        self.b.ins().brif(stop, self.stopped, &[], to, values);
    }

    // ---- variables

    fn ty(&self, var: Var) -> Type {
        self.form.ty(var)
    }

    fn get(&mut self, var: Var) -> Lanes {
        if let Some(bits) = self.constants[var.0 as usize] {
            let scalar = self.ty(var).scalar;
            return smallvec![constant(&mut self.b, scalar, bits)];
        }
        debug_assert!(!self.values[var.0 as usize].is_empty(), "{var:?} is used where it is not known");
        self.values[var.0 as usize].clone()
    }

    fn set(&mut self, var: Var, lanes: Lanes) {
        debug_assert_eq!(lanes.len(), self.count(self.ty(var)), "values of {var:?}, {:?}", self.ty(var));
        self.values[var.0 as usize] = lanes;
    }

    /// A uniform variable.
    fn uniform(&mut self, var: Var) -> ir::Value {
        debug_assert!(!self.ty(var).varying, "{var:?} differs");
        self.get(var)[0]
    }

    /// A variable as vectors.
    fn vectors(&mut self, var: Var) -> Lanes {
        let Type { scalar, varying } = self.ty(var);
        let lanes = self.get(var);
        if varying { lanes } else { self.splat(scalar, lanes[0]) }
    }

    /// A variable as the type of another one wants it.
    fn like(&mut self, var: Var, other: Var) -> Lanes {
        if self.ty(other).varying { self.vectors(var) } else { self.get(var) }
    }

    /// Lanes of a gang.
    fn width(&self) -> usize {
        self.form.width as usize
    }

    /// Vectors of a varying variable.
    fn vector_count(&self, scalar: Scalar) -> usize {
        self.width() / vector::lanes_of(scalar)
    }

    /// Values of a variable.
    fn count(&self, ty: Type) -> usize {
        if ty.varying { self.vector_count(ty.scalar) } else { 1 }
    }

    fn clif(&self, ty: Type) -> ir::Type {
        if ty.varying { vector::vector_type(ty.scalar) } else { clif_type(ty.scalar) }
    }

    /// The same scalar in all lanes.
    fn splat(&mut self, scalar: Scalar, x: ir::Value) -> Lanes {
        let vector = vector::splat(&mut self.b, scalar, x);
        Lanes::from_elem(vector, self.vector_count(scalar))
    }

    /// Zeros of a type.
    fn zeros(&mut self, ty: Type) -> Lanes {
        let zero = constant(&mut self.b, ty.scalar, 0);
        if ty.varying { self.splat(ty.scalar, zero) } else { smallvec![zero] }
    }

    // ---- statements

    fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        self.widened = None;
        match stmt {
            Stmt::Const { out, bits } => {
                let scalar = self.ty(*out).scalar;
                if self.form.width == 1 && !scalar.is_float() {
                    self.constants[out.0 as usize] = Some(*bits);
                    return;
                }
                let value = constant(&mut self.b, scalar, *bits);
                self.set(*out, smallvec![value]);
            }
            Stmt::Workgroup { out, axis } => self.set(*out, smallvec![self.workgroup[*axis as usize]]),
            Stmt::Workgroups { out, axis } => {
                let flags = MemFlagsData::trusted().with_readonly();
                let at = context::num_workgroups_offset(*axis as usize);
                let value = self.b.ins().load(I32, flags, self.context, at);
                self.set(*out, smallvec![value]);
            }
            Stmt::Length { out, buffer } => self.length(*out, *buffer),
            Stmt::Ramp { out, base, stride } => {
                let lanes = self.ramp(*base, *stride);
                self.set(*out, lanes);
            }
            Stmt::Compute { out, op, sig, args } => self.compute(*out, *op, *sig, args),
            Stmt::Any { out, mask } => {
                let mask = self.vectors(*mask);
                let any = self.any(&mask);
                self.set(*out, smallvec![any]);
            }
            Stmt::Load { outs, place } => self.load(outs, place),
            Stmt::Store { values, place } => self.store(values, place),
            Stmt::Atomic { op, outs, operands, place } => self.atomic(*op, outs, operands, place),
            Stmt::Meet { out, value } => self.meet(*out, *value),
            Stmt::Zero { offset, bytes } => self.zero(*offset, *bytes),
            Stmt::Kept { out, slot, at } => self.kept(*out, *slot, *at),
            Stmt::Keep { value, slot, at } => self.keep(*value, *slot, *at),
            Stmt::Subgroup { op, sig, outs, args, mask } => self.subgroup(*op, *sig, outs, args, *mask),
            Stmt::Intrinsic { out, inst, args, mask } => self.intrinsic(*out, *inst, args, *mask),
            Stmt::Branch { on, sides, outs } => self.branch(on, sides, outs),
            Stmt::Loop(data) => self.repeat(data),
            Stmt::Invocation { local } => self.local = Some(*local),
        }
    }

    /// Waits for the other workgroups.
    fn meet(&mut self, out: Var, value: Var) {
        let flags = MemFlagsData::trusted().with_readonly();
        let mut args: SmallVec<[ir::Value; 5]> = SmallVec::new();
        args.push(self.b.ins().load(I64, flags, self.context, context::MEETING));
        for number in [self.uniform(value)].into_iter().chain(self.workgroup) {
            args.push(self.b.ins().uextend(I64, number));
        }
        let met = self.call(Shim::Meet, &args)[0];
        let goes_on = self.b.create_block();
        let stop = self.b.ins().ushr_imm_u(met, STOP.trailing_zeros() as i64);
        self.b.ins().brif(stop, self.stopped, &[], goes_on, &[]);
        self.b.switch_to_block(goes_on);
        let word = self.b.ins().ireduce(I32, met);
        self.set(out, smallvec![word]);
    }

    /// Number of elements of a bound buffer.
    fn length(&mut self, out: Var, buffer: Buffer) {
        let bytes = self.bound[buffer].expect("buffers are bound on entry").bytes;
        let element = self.p.buffers[buffer].element.bytes();
        let count = match element.is_power_of_two() {
            true => self.b.ins().ushr_imm_u(bytes, element.trailing_zeros() as i64),
            false => self.b.ins().udiv_imm_u(bytes, element as i64),
        };
        let most = self.b.ins().iconst(I64, u32::MAX as i64);
        let count = self.b.ins().umin(count, most);
        let count = self.b.ins().ireduce(I32, count);
        self.set(out, smallvec![count]);
    }

    /// `base + lane * stride`.
    fn ramp(&mut self, base: Var, stride: u32) -> Lanes {
        let first = self.vectors(base);
        let steps = (0..first.len() as u32).map(|i| {
            let lanes: [u32; 4] = std::array::from_fn(|k| (4 * i + k as u32).wrapping_mul(stride));
            vector::words(&mut self.b, lanes)
        });
        let steps: Lanes = steps.collect();
        first.iter().zip(steps).map(|(&x, step)| self.b.ins().iadd(x, step)).collect()
    }

    fn call(&mut self, shim: Shim, args: &[ir::Value]) -> SmallVec<[ir::Value; 1]> {
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
}

/// Values as arguments of a jump.
fn block_args(values: &[ir::Value]) -> SmallVec<[BlockArg; 8]> {
    values.iter().map(|&x| BlockArg::Value(x)).collect()
}

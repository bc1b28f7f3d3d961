//! Regions and instructions as naga statements.
//!
//! What a region yields goes into variables: the results of the instruction that holds it. A loop reads its
//! parameters from them at the top of its body and leaves at the bottom; a parameter that every turn passes on
//! unchanged stays the value it began as.

use super::Proven;
use super::code::{Code, Val};
use super::device::{Features, Immediate};
use super::features;
use super::interface::{Interface, along};
use super::memory::{Check, Plan, Read};
use super::scan::{self, Needs};
use crate::codes;
use naga::{Block, Expression, Handle, Statement, SwitchCase, SwitchValue};
use std::collections::HashMap;
use vyre_ir::{
    Attr, Buffer, Diagnostic, Entity, Inst, InstData, Memory, Op, Program, Region, Rule, Scalar, SideTable,
    Type, Value, dialect,
};

type Expr = Handle<Expression>;

/// The translation of one program.
pub(super) struct Lower<'p> {
    p: &'p Program,
    code: Code,
    needs: Needs,
    plans: Vec<Plan>,
    values: SideTable<Value, Option<Val>>,
    inputs: HashMap<naga::BuiltIn, Expr>,
    positions: HashMap<(Op, u8), Val>,
    /// Whether a workgroup of several axes runs as one of the x axis, so that subgroups are consecutive invocations
    /// (naga refuses a lane's position otherwise).
    flat: bool,
    target: &'p Target<'p>,
}

/// What the module is for.
pub(super) struct Target<'t> {
    /// Who runs it.
    pub interface: Interface,
    /// What there is to use.
    pub has: &'t Features,
    /// Which accesses are known to be in bounds.
    pub proven: &'t Proven<'t>,
}

/// The module of a program.
pub(super) struct Lowered {
    pub module: naga::Module,
    /// The immediate data that it reads.
    pub immediates: Vec<Immediate>,
    /// Whether it has a word behind the bound buffers that is set when the device ends a loop early.
    pub watched: bool,
}

/// Translates a program.
pub(super) fn lower(p: &Program, target: &Target<'_>) -> Result<Lowered, Diagnostic> {
    if let Some(what) = dialect::unsupported(p, "WGSL, SPIR-V, MSL and HLSL", &|_| false) {
        return Err(what);
    }
    let needs = scan::scan(p)?;
    features::check(p, &needs, target.has)?;
    let flat = needs.subgroups && p.workgroup_size[1..] != [1, 1];
    let workgroup_size = match flat {
        false => p.workgroup_size,
        true => match u32::try_from(p.workgroup_invocations()) {
            Ok(n) => [n, 1, 1],
            Err(_) => {
                return Err(Diagnostic::new(codes::E007, "the workgroup has more than 2^32 invocations"));
            }
        },
    };
    let bindings = target.interface.bindings(p);
    let bound = bindings.iter().flatten().count() as u32;
    let mut code = Code::new(target.interface.exact_floats(), *target.has, bound);
    let plan = |b: Buffer| Plan::new(&mut code, p, b, needs.buffers[b.index()], target, bindings[b.index()]);
    let plans = p.buffers.keys().map(plan).collect::<Result<_, _>>()?;
    let mut lower = Lower {
        p,
        code,
        needs,
        plans,
        values: SideTable::new(None),
        inputs: HashMap::new(),
        positions: HashMap::new(),
        flat,
        target,
    };
    lower.region(p.body, &mut |_, _| ());
    let watched = lower.code.watch.is_some();
    let (mut module, function, immediates) = lower.code.finish();
    module.entry_points.push(naga::EntryPoint {
        name: identifier(&p.name),
        stage: naga::ShaderStage::Compute,
        early_depth_test: None,
        workgroup_size,
        workgroup_size_overrides: None,
        function,
        mesh_info: None,
        task_payload: None,
        incoming_ray_payload: None,
    });
    Ok(Lowered { module, immediates, watched })
}

/// A name as an identifier of all output languages, apart from their keywords.
pub(super) fn identifier(name: &str) -> String {
    let mut out: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    while out.contains("__") {
        out = out.replace("__", "_");
    }
    match out.trim_matches('_') {
        "" => "main".into(),
        digits if digits.starts_with(|c: char| c.is_ascii_digit()) => format!("n_{digits}"),
        name => name.into(),
    }
}

impl Lower<'_> {
    /// The instructions of a region, and what happens with what it yields.
    fn region(&mut self, region: Region, yields: &mut dyn FnMut(&mut Self, &[Value])) {
        let p = self.p;
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            match data.op {
                Op::Yield => yields(self, &data.args),
                Op::If => self.branch(data),
                Op::Loop => self.repeat(data),
                Op::Switch => self.switch(data),
                _ => self.straight(inst),
            }
        }
    }

    /// A value that was defined before.
    fn value(&self, value: Value) -> Val {
        self.values[value].unwrap_or_else(|| panic!("{value} is used before it is defined"))
    }

    fn define(&mut self, value: Value, val: Val, name: &str) {
        self.code.name(val, name);
        self.values[value] = Some(val);
    }

    // ---- control flow

    /// A variable for each result that is used.
    fn variables(&mut self, results: &[Value], name: &str) -> Vec<Option<Expr>> {
        let variable = |&v: &Value| self.needs.used[v].then(|| self.code.variable(name, self.p.ty(v)));
        results.iter().map(variable).collect()
    }

    fn read_results(&mut self, results: &[Value], variables: &[Option<Expr>], name: &str) {
        for (&result, variable) in results.iter().zip(variables) {
            if let Some(variable) = *variable {
                let value = self.code.read(self.p.ty(result), variable);
                self.define(result, value, name);
            }
        }
    }

    /// The block of a region whose yields go to the variables.
    fn block(&mut self, region: Region, variables: &[Option<Expr>]) -> Block {
        self.code.open();
        self.region(region, &mut |this, yielded| {
            for (&value, variable) in yielded.iter().zip(variables) {
                if let Some(variable) = *variable {
                    let value = this.value(value);
                    this.code.assign(variable, value);
                }
            }
        });
        self.code.close()
    }

    fn branch(&mut self, data: &InstData) {
        let condition = self.value(data.args[0]);
        let variables = self.variables(&data.results, "chosen");
        let [accept, reject] = [0, 1].map(|i| self.block(data.regions[i], &variables));
        match (accept.is_empty(), reject.is_empty()) {
            (true, true) => {}
            (true, false) => {
                let otherwise = self.code.op(Op::Not, &[condition]);
                self.code.branch(otherwise, reject, accept);
            }
            _ => self.code.branch(condition, accept, reject),
        }
        self.read_results(&data.results, &variables, "chosen");
    }

    fn repeat(&mut self, data: &InstData) {
        let p = self.p;
        let body = data.regions[0];
        let (params, next) = (&p.regions[body].params, &p.yielded(body)[1..]);
        let mut variables = Vec::new();
        for (i, (&param, &result)) in params.iter().zip(&data.results).enumerate() {
            let start = self.value(data.args[i]);
            let carried = next[i] != param;
            let wanted = self.needs.used[param] || self.needs.used[result];
            variables.push((carried && wanted).then(|| {
                let variable = self.code.variable("carried", p.ty(param));
                self.code.assign(variable, start);
                variable
            }));
            if !carried {
                self.values[param] = Some(start);
                self.values[result] = Some(start);
            }
        }
        let begun = self.code.begin_loop();
        let mut done = None;
        self.read_results(params, &variables, "current");
        self.region(body, &mut |this, yielded| {
            for (&value, variable) in yielded[1..].iter().zip(&variables) {
                if let Some(variable) = *variable {
                    let value = this.value(value);
                    this.code.assign(variable, value);
                }
            }
            let again = this.value(yielded[0]);
            done = Some(this.code.op(Op::Not, &[again]));
        });
        self.code.end_loop(begun, done.expect("a loop's body yields"));
        self.read_results(&data.results, &variables, "last");
    }

    fn switch(&mut self, data: &InstData) {
        let Attr::Cases(cases) = &data.attr else { unreachable!("a switch has cases") };
        let selector = self.value(data.args[0]);
        let variables = self.variables(&data.results, "chosen");
        let signed = selector.ty.scalar.is_signed();
        let mut arms = Vec::new();
        let default = data.regions.len() - 1;
        for (i, &region) in data.regions.iter().enumerate() {
            let here = cases.iter().filter(|c| c.region as usize == i);
            let mut values: Vec<SwitchValue> =
                here.map(|c| {
                    if signed { SwitchValue::I32(c.value as i32) } else { SwitchValue::U32(c.value as u32) }
                })
                .collect();
            if i == default {
                values.push(SwitchValue::Default);
            }
            let Some(last) = values.pop() else { continue };
            let through = |value| SwitchCase { value, body: Block::new(), fall_through: true };
            arms.extend(values.into_iter().map(through));
            arms.push(SwitchCase { value: last, body: self.block(region, &variables), fall_through: false });
        }
        let selector = self.code.get(selector);
        self.code.statement(Statement::Switch { selector, cases: arms });
        self.read_results(&data.results, &variables, "chosen");
    }

    // ---- instructions

    fn straight(&mut self, inst: Inst) {
        let data = &self.p.insts[inst];
        let args: smallvec::SmallVec<[Val; 3]> = data.args.iter().map(|&v| self.value(v)).collect();
        let name = data.op.name();
        match (data.op.info().rule, &data.attr) {
            (Rule::Const, Attr::Bits(bits)) => {
                let ty = self.p.ty(data.results[0]);
                self.values[data.results[0]] = Some(Val::constant(ty, *bits));
            }
            (Rule::Extract, Attr::Lane(lane)) => {
                let value = self.code.extract(args[0], *lane);
                self.define(data.results[0], value, name);
            }
            (Rule::Axis, Attr::Axis(axis)) => {
                self.values[data.results[0]] = Some(self.position(data.op, *axis));
            }
            (Rule::Index, _) => self.values[data.results[0]] = Some(self.position(data.op, 0)),
            (Rule::Length, Attr::Buffer(buffer)) => {
                let value = self.plans[buffer.index()].length(&mut self.code);
                self.define(data.results[0], value, name);
            }
            (_, Attr::Buffer(buffer)) => self.access(inst, *buffer, &args),
            (Rule::Nothing, _) => {
                let barrier = match data.op {
                    Op::WorkgroupBarrier => naga::Barrier::WORK_GROUP,
                    Op::StorageBarrier => naga::Barrier::STORAGE,
                    _ => naga::Barrier::SUB_GROUP,
                };
                self.code.statement(Statement::ControlBarrier(barrier));
            }
            _ => {
                let ty = self.p.ty(data.results[0]);
                let value = match data.op.info().effect {
                    vyre_ir::Effect::Converges if super::subgroup::is_in_order(data.op, ty.scalar) => {
                        let [lane, size] =
                            [Op::SubgroupLane, Op::SubgroupSize].map(|op| self.position(op, 0));
                        self.code.in_order(data.op, args[0], lane, size)
                    }
                    vyre_ir::Effect::Converges => {
                        let lane =
                            super::subgroup::needs_lane(data.op).then(|| self.position(Op::SubgroupLane, 0));
                        self.code.subgroup(data.op, &args, lane)
                    }
                    _ => self.code.apply(data.op, ty, &args),
                };
                self.define(data.results[0], value, name);
            }
        }
    }

    fn access(&mut self, inst: Inst, buffer: Buffer, args: &[Val]) {
        let data = &self.p.insts[inst];
        let ty = self.p.accessed(data).expect("the row is one of memory");
        let index = args[0];
        // In a loop that turns a known number of times llvmpipe stores to the element of a variable that the loop's counter
        // says a turn later; within the branch of a check it does not.
        let needs_branch = !self.target.has.long_loops && self.p.buffers[buffer].memory == Memory::Private;
        // naga rejects a constant index outside, also in a branch that is never taken, of which anything is proven.
        let check = if index.bits().is_none() && !needs_branch && (self.target.proven)(inst) {
            Check::Inside
        } else {
            self.plans[buffer.index()].check(&mut self.code, ty.scalar.bytes(), ty.lanes, index)
        };
        match data.op.info().rule {
            Rule::Load => {
                let how = if data.op == Op::UniformLoad { Read::Uniformly } else { Read::Plain };
                let value = self.load(buffer, ty, index, check, how);
                let name = format!("{}_value", self.plans[buffer.index()].name);
                self.define(data.results[0], value, &name);
            }
            Rule::Store => self.guarded(index, check, &[], |this| {
                this.plans[buffer.index()].store(&mut this.code, args[1], index);
                Vec::new()
            }),
            Rule::Atomic(_) => self.guarded(index, check, &data.results, |this| {
                let wanted = this.needs.used[data.results[0]];
                let plan = &this.plans[buffer.index()];
                let old = plan.atomic(&mut this.code, data.op, index, args[1], wanted);
                vec![old]
            }),
            _ => self.guarded(index, check, &data.results, |this| {
                let plan = &this.plans[buffer.index()];
                plan.compare_exchange(&mut this.code, index, args[1], args[2]).map(Some).to_vec()
            }),
        }
    }

    fn load(&mut self, buffer: Buffer, ty: Type, index: Val, check: Check, how: Read) -> Val {
        let plan = &self.plans[buffer.index()];
        let code = &mut self.code;
        let zero = Val::splat(ty, 0);
        match check {
            Check::Inside => plan.load(code, ty, index, how),
            // Even without a load the barriers of a uniform one order memory.
            Check::Outside if how == Read::Uniformly => {
                code.statement(Statement::ControlBarrier(naga::Barrier::WORK_GROUP));
                zero
            }
            Check::Outside => zero,
            Check::AtMost(last) => {
                let inside = code.op(Op::Le, &[index, last]);
                let place = match last.same_bits() {
                    Some(0) => last,
                    _ => code.op(Op::Min, &[index, last]),
                };
                let value = plan.load(code, ty, place, how);
                code.choose(inside, value, zero)
            }
            Check::Below { limit, readable: true } => {
                let inside = code.op(Op::Lt, &[index, limit]);
                let place = match index.same_bits() {
                    Some(0) => index,
                    _ => code.choose(inside, index, Val::u32(0)),
                };
                let value = plan.load(code, ty, place, how);
                code.choose(inside, value, zero)
            }
            Check::Below { limit, readable: false } => {
                let variable = code.variable("loaded", ty);
                let inside = code.op(Op::Lt, &[index, limit]);
                let accept = code.block(|code| {
                    let value = plan.load(code, ty, index, how);
                    code.assign(variable, value);
                });
                let reject = code.block(|code| code.assign(variable, zero));
                code.branch(inside, accept, reject);
                code.read(ty, variable)
            }
        }
    }

    /// Something that is done if the index is inside, and gives zeros if not.
    fn guarded(
        &mut self,
        index: Val,
        check: Check,
        results: &[Value],
        fill: impl FnOnce(&mut Self) -> Vec<Option<Val>>,
    ) {
        let zeros: Vec<Val> = results.iter().map(|&v| Val::splat(self.p.ty(v), 0)).collect();
        let (op, limit) = match check {
            Check::Inside => {
                for (&result, value) in results.iter().zip(fill(self)) {
                    self.values[result] = value;
                }
                return;
            }
            Check::Outside => {
                for (&result, zero) in results.iter().zip(zeros) {
                    self.values[result] = Some(zero);
                }
                return;
            }
            Check::AtMost(last) => (Op::Le, last),
            Check::Below { limit, .. } => (Op::Lt, limit),
        };
        let inside = self.code.op(op, &[index, limit]);
        let variables = self.variables(results, "old");
        self.code.open();
        for (value, variable) in fill(self).into_iter().zip(&variables) {
            if let (Some(value), Some(variable)) = (value, *variable) {
                self.code.assign(variable, value);
            }
        }
        let accept = self.code.close();
        let reject = self.code.block(|code| {
            for (zero, variable) in zeros.iter().zip(&variables) {
                if let Some(variable) = *variable {
                    code.assign(variable, *zero);
                }
            }
        });
        self.code.branch(inside, accept, reject);
        self.read_results(results, &variables, "old");
    }

    // ---- where an invocation is

    fn input(&mut self, built_in: naga::BuiltIn, ty: Type, name: &str) -> Expr {
        if let Some(&expr) = self.inputs.get(&built_in) {
            return expr;
        }
        let ty = self.code.ty(ty);
        let arguments = &mut self.code.function.arguments;
        let binding = Some(naga::Binding::BuiltIn(built_in));
        arguments.push(naga::FunctionArgument { name: Some(name.into()), ty, binding });
        let expr = Expression::FunctionArgument(arguments.len() as u32 - 1);
        let expr = self.code.declare(expr);
        self.inputs.insert(built_in, expr);
        expr
    }

    fn position(&mut self, op: Op, axis: u8) -> Val {
        if let Some(&val) = self.positions.get(&(op, axis)) {
            return val;
        }
        let val = self.new_position(op, axis);
        self.positions.insert((op, axis), val);
        val
    }

    fn new_position(&mut self, op: Op, axis: u8) -> Val {
        use naga::BuiltIn as In;
        let (u32x3, u32) = (Type::new(Scalar::U32, 3), Type::from(Scalar::U32));
        let size = self.p.workgroup_size;
        let invocations = self.p.workgroup_invocations();
        let extent = size[axis as usize] as u64;
        if op == Op::LocalId && extent == 1 {
            return Val::u32(0);
        }
        if self.flat && op == Op::LocalId {
            let index = self.position(Op::LocalIndex, 0);
            return self.code.at_start(|code| {
                let before: u32 = size[..axis as usize].iter().product();
                let rest = code.op(Op::Div, &[index, Val::u32(before)]);
                let local = code.op(Op::Rem, &[rest, Val::u32(size[axis as usize])]);
                code.name(local, &along("local", axis));
                local.at_most(extent - 1)
            });
        }
        if self.flat && op == Op::GlobalId {
            let (group, local) = (self.position(Op::WorkgroupId, axis), self.position(Op::LocalId, axis));
            return self.code.at_start(|code| {
                let first = code.op(Op::Mul, &[group, Val::u32(size[axis as usize])]);
                let global = code.op(Op::Add, &[first, local]);
                code.name(global, &along("global", axis));
                global
            });
        }
        let first = match op {
            Op::GlobalId | Op::WorkgroupId => self.target.interface.first_workgroup(&mut self.code, axis),
            _ => None,
        };
        if op == Op::NumWorkgroups
            && let Some(count) = self.target.interface.workgroups(&mut self.code, axis)
        {
            return count;
        }
        if op == Op::NumSubgroups {
            // Not naga's: lavapipe's does not count a last subgroup that is not full.
            let size = self.position(Op::SubgroupSize, 0);
            return self.code.at_start(|code| {
                let full = code.op(Op::Div, &[Val::u32(invocations as u32 - 1), size]);
                let count = code.op(Op::Add, &[full, Val::u32(1)]);
                code.name(count, op.name());
                count.at_most(invocations)
            });
        }
        let (built_in, ty, name, max) = match op {
            Op::GlobalId => (In::GlobalInvocationId, u32x3, "global_id", u64::MAX),
            Op::LocalId => (In::LocalInvocationId, u32x3, "local_id", extent - 1),
            Op::WorkgroupId => (In::WorkGroupId, u32x3, "workgroup_id", u64::MAX),
            Op::NumWorkgroups => (In::NumWorkGroups, u32x3, "num_workgroups", u64::MAX),
            Op::LocalIndex => (In::LocalInvocationIndex, u32, "local_index", invocations - 1),
            Op::SubgroupSize => (In::SubgroupSize, u32, "subgroup_size", 128),
            Op::SubgroupLane => (In::SubgroupInvocationId, u32, "subgroup_lane", 127),
            Op::SubgroupId => (In::SubgroupId, u32, "subgroup_id", invocations - 1),
            _ => unreachable!("`{}` is not a position", op.name()),
        };
        let argument = self.input(built_in, ty, name);
        let value = match ty.lanes {
            1 => Val::expr(ty, argument),
            _ => self.code.at_start(|code| {
                code.value(Scalar::U32, Expression::AccessIndex { base: argument, index: axis as u32 })
            }),
        };
        let Some(first) = first else { return value.at_most(max) };
        self.code.at_start(|code| {
            let before = match op {
                Op::GlobalId => code.op(Op::Mul, &[first, Val::u32(size[axis as usize])]),
                _ => first,
            };
            let sum = code.op(Op::Add, &[value, before]);
            code.name(sum, &along(name, axis));
            sum
        })
    }
}

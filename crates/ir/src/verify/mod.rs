//! Checks every invariant that [`crate::program`] states. What passes never makes a backend panic.
//!
//! Linear in the program's size, since it runs after every pass in debug builds: visibility is one flag for each
//! value, set at the definition and taken back at the end of its region. Only what is reachable from the body is
//! checked. Recursion is limited by [`MAX_DEPTH`]. A check that relies on another runs after it: barriers are judged
//! only in programs without other errors.

use crate::code::Code;
use crate::codes;
use crate::diagnostic::{Diagnostic, Loc};
use crate::dialect::{self, Call, DialectRegistry, Snapshot, check_call};
use crate::entity::{Entity, SideTable};
use crate::op::{Op, Rule};
use crate::program::*;
use crate::text::Names;
use crate::types::*;
use crate::uniform::{self, Scope, Uniformity};
use smallvec::{SmallVec, smallvec};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

mod rows;
use rows::{check_access, check_attribute, check_structure, check_types};

/// How deep regions may be nested; the body is at depth 1. Recursive code over regions relies on it.
pub const MAX_DEPTH: usize = 256;
/// How many instructions a program may have.
pub const MAX_INSTS: usize = 2_000_000;
/// How many buffers a program may have.
pub const MAX_BUFFERS: usize = 4096;
/// How many invocations a workgroup may have, so that a position in it fits 16 bits. Devices have lower limits.
pub const MAX_WORKGROUP_INVOCATIONS: u32 = 65_535;

/// Errors after which no more are looked for.
const MAX_ERRORS: usize = 20;

/// Checks a program.
///
/// # Errors
/// All violations found, up to 20, in program order.
pub fn verify(p: &Program) -> Result<(), Vec<Diagnostic>> {
    verify_with(p, Calls::Global)
}

/// What the definitions of calls that are not linked are taken from.
#[derive(Copy, Clone)]
pub(crate) enum Calls<'r> {
    /// From nowhere: such calls are not checked.
    Any,
    /// From this registry.
    Known(&'r DialectRegistry),
    /// From the registry that is present when the first such call is met.
    Global,
}

pub(crate) fn verify_with(p: &Program, calls: Calls<'_>) -> Result<(), Vec<Diagnostic>> {
    let mut v = Verifier::new(p, calls);
    v.declarations();
    if p.regions.get(p.body).is_some_and(|body| !body.params.is_empty()) {
        v.error(codes::V001, Loc::default(), "the program's body has parameters");
    }
    v.body(&[]);
    if v.errors.is_empty() && v.has_barrier {
        v.barriers(Scope::Workgroup);
    }
    if v.errors.is_empty() && v.has_grid_sync {
        v.barriers(Scope::Grid);
    }
    v.result()
}

/// Checks the body of a dialect's operation, which may have parameters and yields values of these types.
pub(crate) fn verify_body(p: &Program, results: &[Type], calls: Calls<'_>) -> Result<(), Vec<Diagnostic>> {
    let mut v = Verifier::new(p, calls);
    v.body(results);
    v.result()
}

/// What is known of a value at the place that is being checked.
#[derive(Copy, Clone, PartialEq)]
enum State {
    Undefined,
    Visible,
    /// Defined in a region that has ended.
    Ended,
}

type Types = SmallVec<[Type; 4]>;

struct Verifier<'p> {
    p: &'p Program,
    calls: Calls<'p>,
    snapshot: OnceCell<Snapshot>,
    state: SideTable<Value, State>,
    seen_regions: SideTable<Region, bool>,
    seen_insts: SideTable<Inst, bool>,
    count: usize,
    has_barrier: bool,
    has_grid_sync: bool,
    names: OnceCell<Names>,
    errors: Vec<Diagnostic>,
}

impl<'p> Verifier<'p> {
    fn new(p: &'p Program, calls: Calls<'p>) -> Verifier<'p> {
        Verifier {
            p,
            calls,
            snapshot: OnceCell::new(),
            state: SideTable::new(State::Undefined),
            seen_regions: SideTable::new(false),
            seen_insts: SideTable::new(false),
            count: 0,
            has_barrier: false,
            has_grid_sync: false,
            names: OnceCell::new(),
            errors: Vec::new(),
        }
    }

    fn body(&mut self, results: &[Type]) {
        match self.p.regions.get(self.p.body) {
            Some(_) => self.region(self.p.body, results, 1, Loc::default()),
            None => self.error(codes::V001, Loc::default(), "the program has no body"),
        }
    }

    fn result(self) -> Result<(), Vec<Diagnostic>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    fn error(&mut self, code: Code, loc: Loc, message: impl Into<String>) {
        self.report(Diagnostic::new(code, message).at(loc, ""));
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.errors.push(diagnostic.in_source(self.p.source.as_ref()));
    }

    fn name(&self, value: Value) -> String {
        self.names.get_or_init(|| Names::of(self.p)).name(value).to_string()
    }

    // ---- what is declared

    fn declarations(&mut self) {
        let p = self.p;
        let [x, y, z] = p.workgroup_size;
        let product = [x, y, z].iter().try_fold(1u32, |n, &size| n.checked_mul(size));
        if product.is_none_or(|n| n == 0 || n > MAX_WORKGROUP_INVOCATIONS) {
            let limit = format!("each size is at least 1, their product at most {MAX_WORKGROUP_INVOCATIONS}");
            let message = format!("the workgroup size is ({x}, {y}, {z}); {limit}");
            let empty = self.p.workgroup_size.contains(&0);
            let fix = if empty {
                "Give each axis at least 1."
            } else {
                "Use a smaller workgroup, and more of them."
            };
            self.report(Diagnostic::new(codes::V008, message).fix(fix));
        }
        if p.buffers.len() > MAX_BUFFERS {
            let message =
                format!("the program has {} buffers; at most {MAX_BUFFERS} are allowed", p.buffers.len());
            self.error(codes::V010, Loc::default(), message);
            return;
        }
        let mut names: HashSet<&str> = HashSet::new();
        let mut bindings: HashMap<(u32, u32), &str> = HashMap::new();
        for decl in p.buffers.values() {
            if self.errors.len() >= MAX_ERRORS {
                return;
            }
            if let Some((why, fix)) = declaration_error(decl) {
                self.report(Diagnostic::new(codes::V006, format!("buffer `{}` {why}", decl.name)).fix(fix));
            }
            if !names.insert(&decl.name) {
                self.error(codes::V007, Loc::default(), format!("two buffers have the name `{}`", decl.name));
            }
            if !decl.memory.is_bound() {
                continue;
            }
            if let Some(other) = bindings.insert((decl.group, decl.binding), &decl.name) {
                let place = format!("@group({}) @binding({})", decl.group, decl.binding);
                let message = format!("the buffers `{other}` and `{}` are both at {place}", decl.name);
                self.report(Diagnostic::new(codes::V007, message).fix("Give one of them another binding."));
            }
        }
    }

    // ---- structure

    /// `want`: the types that the region must yield. `loc`: of the instruction it belongs to.
    fn region(&mut self, region: Region, want: &[Type], depth: usize, loc: Loc) {
        let p = self.p;
        if depth > MAX_DEPTH {
            return self.error(codes::V010, loc, format!("regions are nested deeper than {MAX_DEPTH}"));
        }
        if std::mem::replace(&mut self.seen_regions[region], true) {
            return self.error(codes::V001, loc, format!("{region} is used twice"));
        }
        let data = &p.regions[region];
        for &param in &data.params {
            self.define(param, Def::Param(region), loc);
        }
        for (i, &inst) in data.insts.iter().enumerate() {
            if self.errors.len() >= MAX_ERRORS || self.count > MAX_INSTS {
                return;
            }
            let Some(data) = p.insts.get(inst) else {
                self.error(codes::V001, loc, format!("{region} holds {inst}, which does not exist"));
                continue;
            };
            self.count += 1;
            if self.count > MAX_INSTS {
                let message = format!("the program has more than {MAX_INSTS} instructions");
                return self.error(codes::V010, data.loc, message);
            }
            if std::mem::replace(&mut self.seen_insts[inst], true) {
                self.error(
                    codes::V001,
                    data.loc,
                    format!("the `{}` of {inst} is in the program twice", data.op.name()),
                );
                continue;
            }
            let last = i + 1 == p.regions[region].insts.len();
            if data.op == Op::Yield && !last {
                self.error(codes::V001, data.loc, "a `yield` is followed by further instructions");
            }
            if data.op != Op::Yield && last {
                self.error(codes::V001, data.loc, "a region does not end in a `yield`");
            }
            self.inst(inst, data, want, depth);
        }
        if data.insts.is_empty() {
            self.error(codes::V001, loc, "a region does not end in a `yield`");
        }
        for &value in data.params.iter().chain(data.insts.iter().flat_map(|&i| results_of(p, i))) {
            if p.values.get(value).is_some() {
                self.state[value] = State::Ended;
            }
        }
    }

    fn define(&mut self, value: Value, def: Def, loc: Loc) {
        let Some(data) = self.p.values.get(value) else {
            return self.error(codes::V001, loc, format!("value {} does not exist", value.index()));
        };
        if data.def != def {
            let message = format!("{} is defined by {def:?}, but says by {:?}", self.name(value), data.def);
            self.error(codes::V001, loc, message);
        } else if !(1..=4).contains(&data.ty.lanes) {
            self.error(codes::V003, loc, format!("{} has {} lanes", self.name(value), data.ty.lanes));
        } else if self.state[value] != State::Undefined {
            self.error(codes::V001, loc, format!("{} is defined twice", self.name(value)));
        }
        self.state[value] = State::Visible;
    }

    fn inst(&mut self, inst: Inst, data: &InstData, want: &[Type], depth: usize) {
        let before = self.errors.len();
        for &arg in &data.args {
            let problem = match self.state[arg] {
                State::Visible => continue,
                State::Undefined if self.p.values.get(arg).is_none() => "does not exist",
                State::Undefined => "is not defined before this use",
                State::Ended => "is defined in a region that has ended",
            };
            let message = format!("`{}` uses {}, which {problem}", data.op.name(), self.name(arg));
            self.error(codes::V002, data.loc, message);
        }
        let missing = data.results.iter().chain(&data.args).any(|&v| self.p.values.get(v).is_none());
        if missing || data.regions.iter().any(|&r| self.p.regions.get(r).is_none()) {
            if self.errors.len() == before {
                self.error(codes::V001, data.loc, format!("`{}` names what does not exist", data.op.name()));
            }
            return;
        }
        let types = |values: &[Value]| -> Types { values.iter().map(|&v| self.p.ty(v)).collect() };
        let (args, results) = (types(&data.args), types(&data.results));
        if let Err((code, message)) = check_attribute(self.p, data, &args) {
            self.error(code, data.loc, message);
        } else if data.op.info().rule == Rule::Structure {
            self.structure(data, &args, &results, want, depth);
        } else if !data.regions.is_empty() {
            self.error(codes::V001, data.loc, format!("`{}` has regions", data.op.name()));
        } else if let Some(call) = self.p.call(data) {
            self.call(call, data, &args, &results);
        } else if let Err(message) = check_types(data.op, &args, &results) {
            self.error(codes::V003, data.loc, message);
        } else if let Err((code, message)) = check_access(self.p, data) {
            self.error(code, data.loc, message);
        }
        match waits(data.op) {
            Some(Scope::Workgroup) => self.has_barrier = true,
            Some(Scope::Grid) => self.has_grid_sync = true,
            None => {}
        }
        for &result in &data.results {
            self.define(result, Def::Result(inst), data.loc);
        }
    }

    fn call(&mut self, call: &Call, data: &InstData, args: &[Type], results: &[Type]) {
        let checked = match (&call.def, self.calls) {
            (Some(def), _) => check_call(call, def, args, results),
            (None, Calls::Any) => Ok(()),
            (None, calls) => {
                let registry = match calls {
                    Calls::Known(registry) => registry,
                    _ => self.snapshot.get_or_init(DialectRegistry::global),
                };
                match registry.find(&call.op) {
                    Some(def) => check_call(call, def, args, results),
                    None => return self.report(dialect::unknown(call, registry).at(data.loc, "")),
                }
            }
        };
        if let Err((code, message)) = checked {
            self.error(code, data.loc, message);
        }
    }

    fn structure(&mut self, data: &InstData, args: &[Type], results: &[Type], want: &[Type], depth: usize) {
        if let Err((code, message)) = check_structure(self.p, data, args, results, want) {
            self.error(code, data.loc, message);
        }
        let mut want: Types = if data.op == Op::Loop { smallvec![Scalar::Bool.into()] } else { smallvec![] };
        want.extend_from_slice(results);
        for &region in &data.regions {
            self.region(region, &want, depth + 1, data.loc);
        }
    }

    // ---- barriers

    /// Judges what waits for all invocations of the scope.
    fn barriers(&mut self, scope: Scope) {
        let p = self.p;
        let uniform = uniform::analyze(p, scope);
        let mut open = vec![p.body];
        while let Some(region) = open.pop() {
            for &inst in &p.regions[region].insts {
                let data = &p.insts[inst];
                open.extend(&data.regions);
                if waits(data.op) != Some(scope) {
                    continue;
                }
                if self.errors.len() >= MAX_ERRORS {
                    return;
                }
                if !uniform.region(region) {
                    self.diverging(&uniform, scope, region, data);
                } else if data.op == Op::UniformLoad && !uniform.value(data.args[0]) {
                    let index = self.name(data.args[0]);
                    let diagnostic = Diagnostic::new(
                        codes::V011,
                        format!(
                            "the index {index} of `uniform_load` differs between the invocations of a workgroup"
                        ),
                    );
                    self.report(diagnostic.at(data.loc, ""));
                }
            }
        }
        self.errors.sort_by_key(|e| e.labels.first().map(|l| l.loc.start));
    }

    fn diverging(&mut self, uniform: &Uniformity, scope: Scope, region: Region, data: &InstData) {
        let p = self.p;
        let why = uniform.divergence(region).expect("the region is not uniform");
        let branch = &p.insts[why.branch];
        let (condition, origin) = (self.name(why.condition), self.name(why.origin));
        let by = match p.producer(why.origin) {
            Some(producer) => format!("{origin}, a result of `{}`", producer.op.name()),
            None => origin,
        };
        let (code, whole) = match scope {
            Scope::Workgroup => (codes::V011, "workgroup"),
            Scope::Grid => (codes::V014, "grid"),
        };
        let message = format!(
            "`{}` is not in uniform control flow: the `{}` around it depends on {condition}, which differs between \
             invocations of the {whole} because of {by}",
            data.op.name(),
            branch.op.name(),
        );
        let mut diagnostic = Diagnostic::new(code, message)
            .at(data.loc, format!("not all invocations of the {whole} get here together"))
            .at(branch.loc, "this condition differs between invocations");
        if let Some(producer) = p.producer(why.origin) {
            diagnostic = diagnostic.at(producer.loc, "this value differs between invocations");
        }
        self.report(diagnostic.fix(match scope {
            Scope::Workgroup => {
                "Move the barrier out of the branch, or make the condition depend only on what is the same for the \
                 whole workgroup."
            }
            Scope::Grid => {
                "Move the grid sync out of the branch, or make the condition depend only on what is the same for the \
                 whole grid, such as the result of `grid_uniform`."
            }
        }));
    }
}

/// Whose invocations an operation waits for, of those that need uniform control flow.
fn waits(op: Op) -> Option<Scope> {
    if op.syncs_grid() { Some(Scope::Grid) } else { op.syncs_workgroup().then_some(Scope::Workgroup) }
}

fn results_of(p: &Program, inst: Inst) -> &[Value] {
    p.insts.get(inst).map_or(&[], |data| &data.results)
}

/// What is wrong with a declaration, and what to do about it.
fn declaration_error(b: &BufferDecl) -> Option<(String, &'static str)> {
    if b.element.scalar == Scalar::Bool || !(1..=4).contains(&b.element.lanes) {
        return Some(("holds bool, which memory cannot".into(), "Declare it as u32, and store 0 or 1."));
    }
    if b.count > u32::MAX as u64 {
        let what = format!("has {} elements; at most {} can be counted", b.count, u32::MAX);
        return Some((what, "Declare fewer elements."));
    }
    let memory = b.memory.name();
    if !b.memory.is_bound() {
        if b.count == 0 {
            let fix = "Declare how many elements it has, as in `f32[64]`.";
            return Some((format!("is in {memory} memory and has no size"), fix));
        }
        if (b.group, b.binding) != (0, 0) {
            return Some((
                format!("is in {memory} memory and has a binding"),
                "Leave group and binding out.",
            ));
        }
        if b.output {
            return Some((format!("is in {memory} memory and cannot be an output"), "Leave `output` out."));
        }
        if b.live_out {
            return Some((format!("is in {memory} memory and cannot live on"), "Leave `live_out` out."));
        }
        if !b.hints.is_default() {
            return Some((format!("is in {memory} memory and has hints"), "Leave `hints` out."));
        }
    }
    if b.memory == Memory::Persistent && b.output {
        let what = "is in persistent memory, which is no output of one run".into();
        return Some((what, "Say `live_out` to read it back after each run."));
    }
    if let Some(axis) = b.hints.coalesce_axis.filter(|axis| *axis > 2) {
        return Some((format!("has a hint for axis {axis}; there are three"), "Use axis 0, 1 or 2."));
    }
    if b.output && !b.access.writes() {
        let what = "is an output that the program only reads".into();
        return Some((what, "Declare it `write` or `read_write`; to read an input back, say `live_out`."));
    }
    if b.memory == Memory::Uniform && b.access != Access::Read {
        let what = format!("is in uniform memory and says `{}`; that is read only", b.access.name());
        return Some((what, "Declare it `read`, or in storage memory."));
    }
    None
}

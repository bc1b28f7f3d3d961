//! Turns a program into a flat list of scalar steps with every operand's place resolved.
//!
//! A vector operation becomes one step a lane, values that no invocation changes become shared cells, and control flow
//! becomes jumps between steps. Nothing is optimized: a step computes exactly what its instruction says.
//!
//! Invariants:
//! - the places a step writes are none of those it reads, so invocations may run it in any order;
//! - a region's steps end in [`Step::Join`] or [`Step::Repeat`].

use crate::bind::Shape;
use crate::codes;
use crate::memory::{Access, Layout};
use crate::slots::{Deaths, Slots};
use crate::subgroup;
use std::collections::{HashMap, HashSet};
use vyre_ir::dialect::{Call, Function, Reference, Target};
use vyre_ir::op::Eval;
use vyre_ir::{
    Attr, Diagnostic, Entity, Inst, InstData, Op, Program, Region, Rule, Scalar, SideTable, Sig, Type, Value,
};

/// Where a scalar is: `cells[base + step * invocation]`.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    base: u32,
    /// 0 for a cell that all invocations share, 1 for a slot.
    step: u32,
}

impl Place {
    pub fn at(self, invocation: usize) -> usize {
        self.base as usize + self.step as usize * invocation
    }
}

/// What the invocations of a workgroup do together.
pub(crate) enum Step {
    /// The row's own semantics.
    Eval {
        eval: Eval,
        sig: Sig,
        arity: u8,
        args: [Place; 3],
        out: Place,
    },
    /// The row's expansion.
    Expand {
        op: Op,
        sig: Sig,
        arity: u8,
        args: [Place; 3],
        out: Place,
    },
    /// The reference function of a dialect's operation.
    Call {
        function: Reference,
        args: Box<[Place]>,
        out: Place,
    },
    Move {
        from: Place,
        out: Place,
    },
    Load {
        access: Access,
        index: Place,
        out: [Place; 4],
    },
    Store {
        access: Access,
        index: Place,
        value: [Place; 4],
    },
    /// The new value is what `eval` makes of the old one and the operand.
    Atomic {
        access: Access,
        eval: Eval,
        sig: Sig,
        index: Place,
        value: Place,
        out: Place,
    },
    CompareExchange {
        access: Access,
        index: Place,
        expected: Place,
        new: Place,
        old: Place,
        exchanged: Place,
    },
    Subgroup {
        what: subgroup::What,
        args: [Place; 2],
        out: [Place; 4],
    },
    /// Checks that the whole workgroup is here, and for a uniform load that it agrees on the index.
    Barrier {
        index: Option<Place>,
    },
    /// Waits for the grid; checks that the whole workgroup is here.
    GridSync(Option<Agreement>),
    /// Sends each invocation to the region its selector names.
    Branch(Box<Branch>),
    /// The end of a branch's region.
    Join,
    /// The start of a loop.
    Enter,
    /// The end of a loop's body: back to `body` where the condition is true.
    Repeat {
        condition: Place,
        body: usize,
    },
    End,
}

/// What a grid sync gives everybody: what the grid's first invocation passes.
#[derive(Copy, Clone)]
pub(crate) struct Agreement {
    pub value: Place,
    /// Whether an invocation must pass the same.
    pub takes_part: Place,
    pub out: Place,
}

/// The targets of an `if` or `switch`.
pub(crate) struct Branch {
    pub selector: Place,
    /// Selector bits and index into `targets`, sorted by the bits.
    pub cases: Vec<(u64, u32)>,
    /// First step of each region, the default last.
    pub targets: Vec<usize>,
    /// The step after the branch.
    pub end: usize,
}

/// A decoded program.
pub(crate) struct Code {
    pub steps: Vec<Step>,
    /// The instruction each step came from.
    pub insts: Vec<Inst>,
    /// Initial contents of the shared cells; slots follow them.
    pub shared: Vec<u64>,
    /// Cells in all.
    pub cells: usize,
    /// Places of the workgroup's id in the grid, along x, y, z.
    pub workgroup_id: [Place; 3],
    /// Places filled for each invocation before a workgroup starts.
    pub ids: Vec<(Id, Place)>,
    pub workgroup_size: [u32; 3],
    pub invocations: usize,
    pub subgroup_size: usize,
    pub layout: Layout,
}

impl Code {
    /// The local id of the invocation of a local index.
    pub fn local_id(&self, index: u32) -> [u32; 3] {
        let [x, y, _] = self.workgroup_size;
        [index % x, index / x % y, index / x / y]
    }
}

/// A number that says where an invocation is.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Id {
    Global(u8),
    Local(u8),
    LocalIndex,
    SubgroupLane,
    Subgroup,
}

/// Decodes a verified program.
pub(crate) fn decode(program: &Program, shape: Shape) -> Result<Code, Diagnostic> {
    let Shape { invocations, subgroup_size, workgroups, lengths, layout } = shape;
    let mut decoder = Decoder {
        program,
        deaths: Deaths::of(program),
        places: SideTable::new([Place::default(); 4]),
        slots: Slots::default(),
        shared: Vec::new(),
        constants: HashMap::new(),
        first_slot: 0,
        invocations,
        steps: Vec::new(),
        insts: Vec::new(),
        at: program.insts.keys().next().expect("a program has its last yield"),
        calls: 0,
        collected: HashSet::new(),
    };
    let cells = [workgroups, [0; 3]].map(|triple| triple.map(|n| decoder.cell(n as u64)));
    let [num_workgroups, workgroup_id] = cells;
    let size = decoder.cell(subgroup_size as u64);
    let count = decoder.cell((invocations as u64).div_ceil(subgroup_size as u64));
    let lengths: Vec<Place> = lengths.iter().map(|&n| decoder.cell(n as u64)).collect();
    // All shared cells come first, so constants are collected before the first slot is handed out.
    let mut wanted: Vec<(Id, Value)> = Vec::new();
    for (_, data) in program.insts.iter() {
        let Some(&value) = data.results.first() else { continue };
        let axis = match data.attr {
            Attr::Axis(axis) => axis,
            _ => 0,
        };
        let place = match (data.op, &data.attr) {
            (Op::Const, Attr::Bits(bits)) => bits.map(|bits| decoder.constant(bits)),
            (Op::WorkgroupId, _) => [workgroup_id[axis as usize]; 4],
            (Op::NumWorkgroups, _) => [num_workgroups[axis as usize]; 4],
            (Op::SubgroupSize, _) => [size; 4],
            (Op::NumSubgroups, _) => [count; 4],
            (Op::Length, Attr::Buffer(buffer)) => [lengths[buffer.index()]; 4],
            (Op::Call, Attr::Call(call)) => {
                decoder.collect_constants(call);
                continue;
            }
            (op, _) => {
                wanted.extend(id_of(op, axis).map(|id| (id, value)));
                continue;
            }
        };
        decoder.places[value] = place;
    }
    decoder.first_slot = decoder.shared.len();
    let mut ids: Vec<(Id, Place)> = Vec::new();
    for (id, value) in wanted {
        let known = ids.iter().find(|(known, _)| *known == id).map(|(_, place)| *place);
        let place = known.unwrap_or_else(|| {
            let place = decoder.slot();
            ids.push((id, place));
            place
        });
        decoder.places[value] = [place; 4];
    }
    decoder.region(program.body);
    decoder.emit(Step::End);

    let cells = (decoder.slots.count as u64).saturating_mul(invocations as u64) + decoder.first_slot as u64;
    let bytes = cells.saturating_mul(8);
    if bytes > crate::WORKGROUP_BYTES {
        let message = format!(
            "a workgroup of {invocations} invocations with {} values each takes {bytes} bytes, more than {}",
            decoder.slots.count,
            crate::WORKGROUP_BYTES
        );
        return Err(
            Diagnostic::new(codes::D303, message).fix("Use a smaller workgroup or split the program.")
        );
    }
    Ok(Code {
        cells: cells as usize,
        steps: decoder.steps,
        insts: decoder.insts,
        shared: decoder.shared,
        workgroup_id,
        ids,
        workgroup_size: program.workgroup_size,
        invocations,
        subgroup_size: subgroup_size as usize,
        layout,
    })
}

fn id_of(op: Op, axis: u8) -> Option<Id> {
    match op {
        Op::GlobalId => Some(Id::Global(axis)),
        Op::LocalId => Some(Id::Local(axis)),
        Op::LocalIndex => Some(Id::LocalIndex),
        Op::SubgroupLane => Some(Id::SubgroupLane),
        Op::SubgroupId => Some(Id::Subgroup),
        _ => None,
    }
}

struct Decoder<'p> {
    program: &'p Program,
    deaths: Deaths,
    /// The place of each lane of a value.
    places: SideTable<Value, [Place; 4]>,
    slots: Slots,
    shared: Vec<u64>,
    constants: HashMap<u64, Place>,
    first_slot: usize,
    invocations: usize,
    steps: Vec<Step>,
    insts: Vec<Inst>,
    /// The instruction of the program being decoded.
    at: Inst,
    /// How many calls deep in bodies of operations.
    calls: usize,
    /// Bodies whose constants have cells.
    collected: HashSet<*const Function>,
}

impl<'p> Decoder<'p> {
    fn cell(&mut self, bits: u64) -> Place {
        self.shared.push(bits);
        Place { base: index_32(self.shared.len() - 1), step: 0 }
    }

    fn constant(&mut self, bits: u64) -> Place {
        if let Some(&place) = self.constants.get(&bits) {
            return place;
        }
        let place = self.cell(bits);
        self.constants.insert(bits, place);
        place
    }

    fn slot(&mut self) -> Place {
        let base = self.slots.take().saturating_mul(self.invocations).saturating_add(self.first_slot);
        Place { base: index_32(base), step: 1 }
    }

    fn give(&mut self, place: Place) {
        self.slots.give((place.base as usize - self.first_slot) / self.invocations);
    }

    fn emit(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.insts.push(self.at);
        self.steps.len() - 1
    }

    fn lanes(&self, value: Value) -> usize {
        self.program.ty(value).lanes as usize
    }

    /// Gives a value slots of its own.
    fn define(&mut self, value: Value) -> [Place; 4] {
        let mut places = [Place::default(); 4];
        for place in places.iter_mut().take(self.lanes(value)) {
            *place = self.slot();
        }
        self.places[value] = places;
        places
    }

    /// The place of a lane; a scalar beside vectors counts for every lane.
    fn arg(&self, value: Value, lane: usize) -> Place {
        self.places[value][if self.lanes(value) == 1 { 0 } else { lane }]
    }

    fn moves(&mut self, from: &[Value], to: &[Value]) {
        for (&from, &to) in from.iter().zip(to) {
            for lane in 0..self.lanes(to) {
                let (from, out) = (self.arg(from, lane), self.arg(to, lane));
                self.emit(Step::Move { from, out });
            }
        }
    }

    /// Frees the slots of values that nobody needs after `inst`.
    fn release(&mut self, inst: Inst) {
        // `Deaths` is borrowed for the length of one call only.
        for i in 0..self.deaths.after(inst).len() {
            let value = self.deaths.after(inst)[i];
            for lane in 0..self.lanes(value) {
                let place = self.places[value][lane];
                let kept = self.program.producer(value).is_some_and(|data| is_kept(data.op));
                if !kept {
                    self.give(place);
                }
            }
        }
    }

    /// The steps of a region up to its yield, and that yield.
    fn region(&mut self, region: Region) -> Inst {
        let program = self.program;
        let (&last, insts) = program.regions[region].insts.split_last().expect("a region ends in a yield");
        for &inst in insts {
            self.go_to(inst);
            self.inst(&program.insts[inst]);
            self.release(inst);
        }
        self.go_to(last);
        last
    }

    /// What is reported about the steps of a body is reported about its call.
    fn go_to(&mut self, inst: Inst) {
        if self.calls == 0 {
            self.at = inst;
        }
    }

    fn inst(&mut self, data: &'p InstData) {
        match data.op {
            Op::Call => self.call(data),
            Op::If | Op::Switch => self.branch(data),
            Op::Loop => self.repeat(data),
            op if is_kept(op) => {}
            Op::Compose => {
                let out = self.define(data.results[0]);
                for (&arg, out) in data.args.iter().zip(out) {
                    let from = self.arg(arg, 0);
                    self.emit(Step::Move { from, out });
                }
            }
            Op::Extract => {
                let Attr::Lane(lane) = data.attr else { unreachable!("the verifier checked the attribute") };
                let from = self.arg(data.args[0], lane as usize);
                let [out, ..] = self.define(data.results[0]);
                self.emit(Step::Move { from, out });
            }
            op => match op.info().rule {
                Rule::Load | Rule::Store | Rule::Atomic(_) | Rule::CompareExchange(_) => self.access(data),
                Rule::Nothing if op == Op::SubgroupBarrier => {}
                Rule::Agree(_) => {
                    let (value, takes_part) = (self.arg(data.args[0], 0), self.arg(data.args[1], 0));
                    let [out, ..] = self.define(data.results[0]);
                    self.emit(Step::GridSync(Some(Agreement { value, takes_part, out })));
                }
                Rule::Nothing if op == Op::GridSync => {
                    self.emit(Step::GridSync(None));
                }
                Rule::Nothing => {
                    self.emit(Step::Barrier { index: None });
                }
                _ if subgroup::what(op).is_some() => self.subgroup(data),
                _ => self.pure(data),
            },
        }
    }

    /// Gives cells to the constants that a call needs.
    fn collect_constants(&mut self, call: &Call) {
        for attribute in &call.attributes {
            self.constant(attribute.bits);
        }
        let Some(body) = call.def.as_ref().and_then(|def| def.body.as_deref()) else { return };
        if !self.collected.insert(body) {
            return;
        }
        for data in body.program.insts.values() {
            match &data.attr {
                Attr::Bits(bits) => bits.iter().for_each(|&bits| _ = self.constant(bits)),
                Attr::Call(call) => self.collect_constants(call),
                _ => (),
            }
        }
    }

    /// An operation of a dialect: its reference function, or the steps of its body with the parameters where the
    /// operands are.
    fn call(&mut self, data: &'p InstData) {
        let call = self.program.call(data).expect("the verifier checked the attribute");
        let def = call.def.as_deref().expect("programs are linked before they run");
        let attributes: Vec<Place> = call.attributes.iter().map(|a| self.constants[&a.bits]).collect();
        if let Some(function) = def.function(Target::ReferenceBackend) {
            let operands = data.args.iter().map(|&v| self.arg(v, 0));
            let args = attributes.into_iter().chain(operands).collect();
            let [out, ..] = self.define(data.results[0]);
            self.emit(Step::Call { function, args, out });
            return;
        }
        let body = def.body.as_deref().expect("a program with other calls is refused before it runs");
        let inner = &body.program;
        let mut places = SideTable::new([Place::default(); 4]);
        for data in inner.insts.values() {
            if let Attr::Bits(bits) = data.attr {
                places[data.results[0]] = bits.map(|bits| self.constants[&bits]);
            }
        }
        let operands = data.args.iter().map(|&v| self.places[v]);
        let given = attributes.into_iter().map(|place| [place; 4]).chain(operands);
        for (&param, given) in body.parameters().iter().zip(given) {
            places[param] = given;
        }
        let mut frame = (inner, Deaths::of(inner), places);
        self.exchange(&mut frame);
        self.calls += 1;
        let last = self.region(inner.body);
        let yielded: Vec<[Place; 4]> = inner.insts[last].args.iter().map(|&v| self.places[v]).collect();
        self.calls -= 1;
        self.exchange(&mut frame);
        for (&result, from) in data.results.iter().zip(yielded) {
            let out = self.define(result);
            for (from, out) in from.into_iter().zip(out).take(self.lanes(result)) {
                self.emit(Step::Move { from, out });
            }
        }
        // Only now may the results' sources be used for something else.
        self.exchange(&mut frame);
        self.release(last);
        self.exchange(&mut frame);
    }

    /// Goes on in another program: in the body of an operation, or back in the caller.
    fn exchange(
        &mut self,
        (program, deaths, places): &mut (&'p Program, Deaths, SideTable<Value, [Place; 4]>),
    ) {
        std::mem::swap(&mut self.program, program);
        std::mem::swap(&mut self.deaths, deaths);
        std::mem::swap(&mut self.places, places);
    }

    fn pure(&mut self, data: &InstData) {
        let (sig, arity, op) = (self.program.sig(data), data.args.len() as u8, data.op);
        let result = data.results[0];
        let out = self.define(result);
        for (lane, out) in out.into_iter().enumerate().take(self.lanes(result)) {
            let mut args = [Place::default(); 3];
            for (place, &arg) in args.iter_mut().zip(&data.args) {
                *place = self.arg(arg, lane);
            }
            self.emit(match op.info().eval {
                Some(eval) => Step::Eval { eval, sig, arity, args, out },
                None => Step::Expand { op, sig, arity, args, out },
            });
        }
    }

    fn access(&mut self, data: &InstData) {
        let Attr::Buffer(buffer) = data.attr else { unreachable!("the verifier checked the attribute") };
        let of = |ty: Type| Access { buffer, scalar: ty.scalar.bytes() as u8, lanes: ty.lanes };
        let index = self.arg(data.args[0], 0);
        match data.op.info().rule {
            Rule::Load => {
                let access = of(self.program.ty(data.results[0]));
                let out = self.define(data.results[0]);
                if data.op == Op::UniformLoad {
                    self.emit(Step::Barrier { index: Some(index) });
                }
                self.emit(Step::Load { access, index, out });
            }
            Rule::Store => {
                let access = of(self.program.ty(data.args[1]));
                let value = self.places[data.args[1]];
                self.emit(Step::Store { access, index, value });
            }
            Rule::Atomic(_) => {
                let ty = self.program.ty(data.args[1]);
                let (access, value) = (of(ty), self.arg(data.args[1], 0));
                let (eval, sig) = (update_of(data.op), Sig { operand: ty.scalar, result: ty.scalar });
                let [out, ..] = self.define(data.results[0]);
                self.emit(Step::Atomic { access, eval, sig, index, value, out });
            }
            _ => {
                let access = of(self.program.ty(data.args[1]));
                let (expected, new) = (self.arg(data.args[1], 0), self.arg(data.args[2], 0));
                let [old, ..] = self.define(data.results[0]);
                let [exchanged, ..] = self.define(data.results[1]);
                self.emit(Step::CompareExchange { access, index, expected, new, old, exchanged });
            }
        }
    }

    fn subgroup(&mut self, data: &InstData) {
        let result = data.results[0];
        let out = self.define(result);
        let make = subgroup::what(data.op).expect("the caller asked");
        let what = make(self.program.ty(data.args[0]).scalar);
        if let subgroup::What::Ballot = what {
            let args = [self.arg(data.args[0], 0), Place::default()];
            self.emit(Step::Subgroup { what, args, out });
            return;
        }
        for (lane, place) in out.into_iter().enumerate().take(self.lanes(result)) {
            let second = data.args.get(1).map_or(Place::default(), |&v| self.arg(v, 0));
            let args = [self.arg(data.args[0], lane), second];
            self.emit(Step::Subgroup { what, args, out: [place; 4] });
        }
    }

    fn branch(&mut self, data: &'p InstData) {
        for &result in &data.results {
            self.define(result);
        }
        let selector = self.arg(data.args[0], 0);
        let mut cases: Vec<(u64, u32)> = match &data.attr {
            Attr::Cases(cases) => cases.iter().map(|case| (case.value, case.region)).collect(),
            _ => vec![(1, 0)],
        };
        cases.sort_unstable();
        let branch = Branch { selector, cases, targets: Vec::new(), end: 0 };
        let at = self.emit(Step::Branch(Box::new(branch)));
        let mut targets = Vec::new();
        for &region in &data.regions {
            targets.push(self.steps.len());
            let last = self.region(region);
            self.moves(&self.program.insts[last].args, &data.results);
            self.emit(Step::Join);
            self.release(last);
        }
        let end = self.steps.len();
        if let Step::Branch(branch) = &mut self.steps[at] {
            (branch.targets, branch.end) = (targets, end);
        }
    }

    /// A loop's parameters and results share slots: each invocation leaves there what it yielded last.
    fn repeat(&mut self, data: &'p InstData) {
        let region = data.regions[0];
        let params = &self.program.regions[region].params;
        let mut written = Vec::new();
        for (&param, &result) in params.iter().zip(&data.results) {
            let places = self.define(param);
            self.places[result] = places;
            written.extend_from_slice(&places[..self.lanes(param)]);
        }
        self.moves(&data.args, params);
        self.emit(Step::Enter);
        let body = self.steps.len();
        let last = self.region(region);
        let args = &self.program.insts[last].args;
        // The yielded values replace the parameters all at once: a parameter that is yielded into another place, or
        // that is the condition, is saved first.
        written.sort_unstable_by_key(|place| place.base);
        let is_written = |place: Place| {
            place.step == 1 && written.binary_search_by_key(&place.base, |place| place.base).is_ok()
        };
        let mut saved = Vec::new();
        let mut condition = self.arg(args[0], 0);
        let mut moves = Vec::new();
        for (&from, &to) in args[1..].iter().zip(params) {
            for lane in 0..self.lanes(to) {
                let pair = (self.arg(from, lane), self.arg(to, lane));
                if pair.0 != pair.1 {
                    moves.push(pair);
                }
            }
        }
        for from in moves.iter_mut().map(|(from, _)| from).chain([&mut condition]) {
            if is_written(*from) {
                let out = self.slot();
                self.emit(Step::Move { from: *from, out });
                saved.push(out);
                *from = out;
            }
        }
        for (from, out) in moves {
            self.emit(Step::Move { from, out });
        }
        self.emit(Step::Repeat { condition, body });
        for place in saved {
            self.give(place);
        }
        self.release(last);
    }
}

/// A cell's index. Programs with more cells than a workgroup may have are refused when all is decoded.
fn index_32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Operations whose results are shared cells or filled in before a workgroup starts.
fn is_kept(op: Op) -> bool {
    matches!(op.info().rule, Rule::Const | Rule::Axis | Rule::Index | Rule::Length)
}

/// What an atomic operation makes of the old value and its operand.
fn update_of(op: Op) -> Eval {
    // Without an update the operand replaces the old value.
    op.info().update.map_or(|_, v| v[1], eval_of)
}

/// The semantics of a row that has them.
pub(crate) fn eval_of(op: Op) -> Eval {
    op.info().eval.unwrap_or_else(|| unreachable!("{op:?} is a basic operation"))
}

/// The signature of an operation on one type.
pub(crate) fn sig_of(scalar: Scalar) -> Sig {
    Sig { operand: scalar, result: scalar }
}

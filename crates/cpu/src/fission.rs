//! Loop fission: cuts a program at its barriers, so that one thread runs a workgroup.
//!
//! Statement lists are cut at the operations that wait for the other invocations of the workgroup. An `if`, `loop` or
//! `switch` that holds a cut becomes control flow of the whole workgroup; its condition is uniform, because barriers must
//! be where all invocations are. What lies between cuts is a [`Piece`]: code without cuts that runs for all
//! invocations of the workgroup, gang after gang. A program without cuts is one piece.
//!
//! Values at the level of the workgroup have a [`Home`]. What only depends on workgroup-wide values is computed once
//! ([`Home::Scalar`]) before the piece it stands in. What a later piece uses is computed again there when that is
//! cheap ([`Home::Again`]), else kept in an array with one element for each invocation ([`Home::Slot`]). Parameters
//! and results of workgroup-level control flow are scalars if all that flows into them is, else slots that the pieces
//! around them fill ([`Piece::copies`]); a loop's result has the slot of its parameter.
//!
//! Nothing here knows Cranelift. The caller bounds the nesting, and with it recursion.

use crate::frame::Frame;
use crate::order::Order;
use crate::{scalars, zeroing};
use vyre_driver::BackendError;
use vyre_ir::{Attr, Buffer, Effect, Inst, Memory, Op, Program, Region, Rule, SideTable, Value};

/// Instructions that computing a value again may take.
const AGAIN_COST: u8 = 6;
/// A value that cannot be computed again, or not cheaply.
const NEVER: u8 = u8::MAX;

/// A program as workgroup-level steps.
pub(crate) struct Plan {
    pub steps: Vec<Step>,
    pub homes: SideTable<Value, Home>,
    pub private: SideTable<Buffer, PrivateCopies>,
    /// Bytes of the scalars that private memory is made of, if all accesses to it agree; else 0.
    pub interleaved: SideTable<Buffer, u32>,
    /// Where slots and memory lie in the worker's scratch.
    pub frame: Frame,
    /// Invocations that run in step where code allows; 1 for one after another.
    pub gang: u32,
    /// In which order invocations run.
    pub order: Order,
    /// Whether an access out of bounds ends the run.
    pub checked: bool,
}

/// A step of a workgroup.
pub(crate) enum Step {
    /// A pure instruction on scalars, done once.
    Scalar(Inst),
    /// Code for every invocation.
    Piece(Piece),
    /// A barrier or uniform load.
    Cut(Inst),
    /// Control flow of the workgroup: the steps of each region of the instruction.
    Control(Inst, Vec<Vec<Step>>),
}

/// Code without cuts, run for each invocation of the workgroup in turn.
#[derive(Default)]
pub(crate) struct Piece {
    pub insts: Vec<Inst>,
    /// After the instructions: moves into the slots of workgroup-level parameters and results, all at once.
    pub copies: Vec<(Value, Value)>,
    /// Values from outside that are no scalars.
    pub live_in: Vec<Value>,
    /// Private buffers that only this piece uses: all invocations share their memory, one after another.
    pub clears: Vec<Buffer>,
    position: u32,
}

/// Where a value of the workgroup level is kept.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    /// Nowhere: it is used in its own piece only.
    Local,
    /// Computed once for the workgroup.
    Scalar,
    /// Computed again in each piece that uses it.
    Again,
    /// In the scratch memory from this offset on: for each lane an array with an element for each invocation.
    Slot(u64),
}

/// How many copies of a private buffer there are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum PrivateCopies {
    Unused,
    /// One, or one for each invocation of a gang, because a single piece that is run once uses it.
    One,
    /// One for each invocation.
    All,
}

/// When a value in a slot is made and last used, as positions in the order of steps.
pub(crate) struct Interval {
    pub value: Value,
    pub start: u32,
    pub end: u32,
}

/// Cuts a program.
///
/// # Errors
/// [`BackendError::OutOfMemory`] when a workgroup needs too much memory.
pub(crate) fn plan(p: &Program, gang: u32, checked: bool) -> Result<Plan, BackendError> {
    let mut cuts = SideTable::new(false);
    mark_cuts(p, p.body, &mut cuts);
    let scalar = scalars::find(p, &cuts, checked);
    let mut b = Builder {
        p,
        cuts: &cuts,
        scalar: &scalar,
        made: SideTable::new(None),
        same_slot: SideTable::new(None),
        in_memory: SideTable::new(false),
        cost: SideTable::new(NEVER),
        position: 0,
        loops: Vec::new(),
        innermost: None,
        uses: Vec::new(),
        memory: SideTable::new(false),
        private: SideTable::new(PrivateUse::None),
    };
    let mut steps = b.steps(p.body, &[])?;
    let (mut homes, intervals) = b.homes();
    let mut private = SideTable::new(PrivateCopies::Unused);
    for buffer in p.buffers.keys() {
        private[buffer] = match b.private[buffer] {
            PrivateUse::None => PrivateCopies::Unused,
            PrivateUse::Once(_) => PrivateCopies::One,
            PrivateUse::Across => PrivateCopies::All,
        };
    }
    let zeroed = zeroing::needed(p, &cuts);
    let frame = Frame::new(p, &mut homes, intervals, &private, gang, &b.memory, &zeroed)?;
    for value in p.values.keys() {
        if let Some(other) = b.same_slot[value] {
            homes[value] = homes[other];
        }
    }
    b.finish(&mut steps);
    let order = Order::of(p, &b.memory);
    let interleaved = interleaved(p);
    Ok(Plan { steps, homes, private, interleaved, frame, gang, order, checked })
}

/// Bytes of the scalars that all accesses to a private buffer are of; 0 if they differ.
fn interleaved(p: &Program) -> SideTable<Buffer, u32> {
    let mut seen: SideTable<Buffer, Option<u32>> = SideTable::new(None);
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        let Some(buffer) = p.buffer_of(data) else { return };
        let accessed = match data.op.info().rule {
            Rule::Load => data.results[0],
            Rule::Store => data.args[1],
            _ => return,
        };
        let bytes = p.ty(accessed).scalar.bytes();
        seen[buffer] = Some(if seen[buffer].is_none_or(|before| before == bytes) { bytes } else { 0 });
    });
    let mut interleaved = SideTable::new(0);
    for (buffer, decl) in p.buffers.iter().filter(|(_, decl)| decl.memory == Memory::Private) {
        // What does not divide evenly would leave a rest that belongs to nobody.
        let even =
            |bytes: &u32| *bytes > 0 && decl.static_bytes().is_some_and(|n| n.is_multiple_of(*bytes as u64));
        interleaved[buffer] = seen[buffer].filter(even).unwrap_or(0);
    }
    interleaved
}

/// Whether pieces end at an operation: what waits, but not for the subgroup, which is a gang and in step.
fn is_cut(op: Op) -> bool {
    op.info().effect == Effect::Syncs && op != Op::SubgroupBarrier
}

/// Marks the instructions that are cuts or hold one; gives whether the region does.
fn mark_cuts(p: &Program, region: Region, cuts: &mut SideTable<Inst, bool>) -> bool {
    let mut any = false;
    for &inst in &p.regions[region].insts {
        let data = &p.insts[inst];
        let mut cut = is_cut(data.op);
        for &inner in &data.regions {
            cut |= mark_cuts(p, inner, cuts);
        }
        if cut {
            cuts[inst] = true;
        }
        any |= cut;
    }
    any
}

/// Where a value of the workgroup level that is no scalar comes from.
#[derive(Copy, Clone, PartialEq, Eq)]
struct Made {
    position: u32,
    /// Whether the piece there computes it; else it is a parameter or result of control flow, or of a cut.
    by_piece: bool,
}

/// A workgroup-level loop: the positions in it, and the loop around it.
struct LoopRange {
    start: u32,
    end: u32,
    outer: Option<usize>,
}

/// Who uses a private buffer.
#[derive(Copy, Clone, PartialEq, Eq)]
enum PrivateUse {
    None,
    /// The piece at a position outside of loops.
    Once(u32),
    Across,
}

/// Builds the steps and notes who uses what where.
struct Builder<'a> {
    p: &'a Program,
    cuts: &'a SideTable<Inst, bool>,
    scalar: &'a SideTable<Value, bool>,
    made: SideTable<Value, Option<Made>>,
    /// For results of loops: the parameter whose slot they have.
    same_slot: SideTable<Value, Option<Value>>,
    /// Values that must be in a slot whatever computing them again would cost.
    in_memory: SideTable<Value, bool>,
    /// Instructions it takes to compute a value again.
    cost: SideTable<Value, u8>,
    position: u32,
    loops: Vec<LoopRange>,
    innermost: Option<usize>,
    /// Uses outside the piece that made the value: value, position, innermost loop there.
    uses: Vec<(Value, u32, Option<usize>)>,
    /// Buffers that are accessed.
    memory: SideTable<Buffer, bool>,
    private: SideTable<Buffer, PrivateUse>,
}

impl Builder<'_> {
    /// The steps of a workgroup-level region that leaves what it yields (after a loop's condition) in `targets`.
    fn steps(&mut self, region: Region, targets: &[Value]) -> Result<Vec<Step>, BackendError> {
        let p = self.p;
        let mut steps = Vec::new();
        let mut piece = Piece::default();
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            if data.op == Op::Yield {
                let values = &data.args[data.args.len() - targets.len()..];
                self.copies(values, targets, &mut piece);
            } else if self.cuts[inst] {
                if data.op == Op::Loop {
                    self.copies(&data.args, &p.regions[data.regions[0]].params, &mut piece);
                    self.make(&p.regions[data.regions[0]].params, false);
                }
                self.flush(&mut piece, &mut steps);
                steps.push(self.cut(inst)?);
            } else if !data.results.is_empty() && data.results.iter().all(|&r| self.scalar[r]) {
                self.note_memory(inst, None);
                steps.push(Step::Scalar(inst));
            } else {
                self.add(inst, &mut piece);
            }
        }
        self.flush(&mut piece, &mut steps);
        Ok(steps)
    }

    /// A cut or control flow that holds one, between two pieces.
    fn cut(&mut self, inst: Inst) -> Result<Step, BackendError> {
        let p = self.p;
        let data = &p.insts[inst];
        self.position += 1;
        let step = match data.op {
            Op::If | Op::Switch => {
                self.use_in_memory(data.args[0]);
                self.make(&data.results, false);
                let regions: Result<_, _> =
                    data.regions.iter().map(|&r| self.steps(r, &data.results)).collect();
                Step::Control(inst, regions?)
            }
            Op::Loop => {
                let body = data.regions[0];
                let condition = p.yielded(body)[0];
                let params = &p.regions[body].params;
                for (&result, &param) in data.results.iter().zip(params) {
                    self.same_slot[result] = (!self.scalar[result]).then_some(param);
                }
                let this = self.loops.len();
                self.loops.push(LoopRange { start: self.position, end: 0, outer: self.innermost });
                self.innermost = Some(this);
                let steps = self.steps(body, params)?;
                self.use_in_memory(condition);
                for &param in params {
                    self.note_use(param);
                }
                self.innermost = self.loops[this].outer;
                self.loops[this].end = self.position;
                self.position += 1;
                self.make(&data.results, false);
                Step::Control(inst, vec![steps])
            }
            _ => {
                for &arg in &data.args {
                    self.use_in_memory(arg);
                }
                self.note_memory(inst, None);
                self.make(&data.results, false);
                for &result in &data.results {
                    self.use_in_memory(result);
                }
                Step::Cut(inst)
            }
        };
        self.position += 1;
        Ok(step)
    }

    /// Adds an instruction to a piece.
    fn add(&mut self, inst: Inst, piece: &mut Piece) {
        let p = self.p;
        piece.insts.push(inst);
        self.add_uses(inst, piece);
        for &region in &p.insts[inst].regions {
            p.walk(region, &mut |inner| self.add_uses(inner, piece));
        }
        self.make(&p.insts[inst].results, true);
        self.rate(inst);
    }

    fn add_uses(&mut self, inst: Inst, piece: &mut Piece) {
        self.note_memory(inst, Some(self.position));
        for &arg in &self.p.insts[inst].args {
            self.use_in_piece(arg, piece);
        }
    }

    fn use_in_piece(&mut self, value: Value, piece: &mut Piece) {
        // Values made inside the piece's control flow are not of the workgroup level.
        let here = Made { position: self.position, by_piece: true };
        if self.made[value].is_some_and(|made| made != here) {
            piece.live_in.push(value);
            self.note_use(value);
        }
    }

    /// Moves into slots at the end of a piece.
    fn copies(&mut self, from: &[Value], to: &[Value], piece: &mut Piece) {
        for (&from, &to) in from.iter().zip(to) {
            if !self.scalar[to] && from != to {
                piece.copies.push((from, to));
                self.use_in_piece(from, piece);
            }
        }
        for &to in to {
            self.note_use(to);
        }
    }

    fn use_in_memory(&mut self, value: Value) {
        if !self.scalar[value] {
            let slot = self.slot_of(value);
            self.in_memory[slot] = true;
            self.note_use(value);
        }
    }

    fn slot_of(&self, value: Value) -> Value {
        self.same_slot[value].unwrap_or(value)
    }

    fn note_use(&mut self, value: Value) {
        if !self.scalar[value] {
            self.uses.push((self.slot_of(value), self.position, self.innermost));
        }
    }

    fn make(&mut self, values: &[Value], by_piece: bool) {
        for &value in values {
            if !self.scalar[value] {
                self.made[value] = Some(Made { position: self.position, by_piece });
            }
        }
    }

    fn note_memory(&mut self, inst: Inst, position: Option<u32>) {
        let Attr::Buffer(buffer) = self.p.insts[inst].attr else { return };
        self.memory[buffer] = true;
        if self.p.buffers[buffer].memory != Memory::Private || self.p.insts[inst].op == Op::Length {
            return;
        }
        self.private[buffer] = match (self.private[buffer], position, self.innermost) {
            (PrivateUse::None, Some(position), None) => PrivateUse::Once(position),
            (PrivateUse::Once(before), Some(position), None) if before == position => {
                PrivateUse::Once(before)
            }
            _ => PrivateUse::Across,
        };
    }

    /// Notes what computing an instruction's result again would take.
    fn rate(&mut self, inst: Inst) {
        let data = &self.p.insts[inst];
        let &[result] = &data.results[..] else { return };
        let cheap = match data.op.info().rule {
            Rule::Axis | Rule::Index | Rule::Compose | Rule::Extract | Rule::Select | Rule::Bitcast => true,
            Rule::Same(..) | Rule::Shift(_) | Rule::Compare(_) | Rule::Convert => {
                let scalar = self.p.ty(data.args[0]).scalar;
                (scalar.is_int() || scalar == vyre_ir::Scalar::Bool)
                    && !matches!(data.op, Op::Div | Op::Rem)
                    && data.op.info().eval.is_some()
            }
            _ => false,
        };
        if cheap {
            let cost = data.args.iter().fold(1u8, |cost, &arg| {
                cost.saturating_add(if self.scalar[arg] { 0 } else { self.cost[arg] })
            });
            self.cost[result] = if cost <= AGAIN_COST { cost } else { NEVER };
        }
    }

    fn flush(&mut self, piece: &mut Piece, steps: &mut Vec<Step>) {
        let mut piece = std::mem::take(piece);
        piece.position = self.position;
        self.position += 1;
        if !piece.insts.is_empty() || !piece.copies.is_empty() {
            piece.live_in.sort();
            piece.live_in.dedup();
            steps.push(Step::Piece(piece));
        }
    }

    /// Homes of all values, those of slots without their offsets yet, and how long slots live.
    fn homes(&self) -> (SideTable<Value, Home>, Vec<Interval>) {
        let p = self.p;
        let mut homes = SideTable::new(Home::Local);
        for value in p.values.keys() {
            if self.scalar[value] {
                homes[value] = Home::Scalar;
            }
        }
        let mut place: SideTable<Value, Option<usize>> = SideTable::new(None);
        let mut intervals: Vec<Interval> = Vec::new();
        for &(value, position, innermost) in &self.uses {
            let Some(made) = self.made[value] else { continue };
            if made.by_piece && !self.in_memory[value] && self.cost[value] != NEVER {
                homes[value] = Home::Again;
                continue;
            }
            let index = *place[value].get_or_insert_with(|| {
                intervals.push(Interval { value, start: made.position, end: made.position });
                intervals.len() - 1
            });
            let mut end = position;
            // What is made before a loop and used in it is needed in every turn.
            let mut around = innermost;
            while let Some(i) = around {
                if made.position < self.loops[i].start {
                    end = end.max(self.loops[i].end);
                }
                around = self.loops[i].outer;
            }
            intervals[index].end = intervals[index].end.max(end);
        }
        (homes, intervals)
    }

    /// Notes in each piece which private buffers are its own.
    fn finish(&self, steps: &mut [Step]) {
        for step in steps {
            match step {
                Step::Piece(piece) => {
                    let own = |b: &Buffer| self.private[*b] == PrivateUse::Once(piece.position);
                    piece.clears = self.p.buffers.keys().filter(own).collect();
                }
                Step::Control(_, regions) => regions.iter_mut().for_each(|steps| self.finish(steps)),
                Step::Scalar(_) | Step::Cut(_) => {}
            }
        }
    }
}

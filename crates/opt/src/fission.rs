//! Fission: cuts a program at operations that wait for other invocations, so that what lies between runs for one
//! invocation, or one gang of them, after the other.
//!
//! Statement lists are cut at the operations that wait. An `if`, `loop` or `switch` that holds a cut becomes control
//! flow of the whole *level*, the workgroup or the grid; its condition is uniform, because what waits must be where all
//! invocations are. What lies between cuts is a [`Piece`]: code without cuts that runs for all invocations of the level.
//! A program without cuts is one piece. Values inside of pieces are of no concern here.
//!
//! Values between pieces have a [`Home`]. What a [`Level`] says is held once is ([`Home::Scalar`]). What a later piece
//! uses is computed again there when that is cheap ([`Home::Again`]), else kept for each invocation ([`Home::Slot`]).
//! Parameters and results of the level's control flow are held once or in slots that the pieces around them fill
//! ([`Piece::copies`]); a loop's result has the slot of its parameter.
//!
//! [`fission`] says how long slots live, [`slots`] lets those whose lifetimes do not touch share memory; where that is
//! is for the caller to say. The caller bounds the nesting, and with it recursion.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use vyre_ir::{Attr, Buffer, Inst, InstData, Memory, Op, Program, Region, Rule, Scalar, SideTable, Value};

/// Instructions that computing a value again may take.
const AGAIN_COST: u8 = 6;
/// A value that cannot be computed again, or not cheaply.
const NEVER: u8 = u8::MAX;

/// What is cut where, and what is known of values.
pub struct Level<'a> {
    /// Instructions that are cuts or hold one, as [`mark_cuts`] finds them.
    pub cuts: &'a SideTable<Inst, bool>,
    /// Values of the level that are held once, not for each invocation. Parameters and results of the level's control
    /// flow are only if all that flows into them is known.
    pub once: &'a SideTable<Value, bool>,
    /// Values that whoever carries out the level's control flow has without a piece's help; others that decide something
    /// are in slots.
    pub known: &'a SideTable<Value, bool>,
    /// What computing an instruction again takes, without its operands; `None` if it cannot be.
    pub again: &'a dyn Fn(&InstData) -> Option<u8>,
    /// What the piece before a cut has to copy, and as what; other operands of cuts are in slots.
    pub handed_over: &'a dyn Fn(&InstData) -> Option<(Value, Value)>,
}

/// A program as steps of a level.
pub struct Fission {
    /// The steps.
    pub steps: Vec<Step>,
    /// Homes of values; all slots have the place 0, and results of loops not that of their parameter.
    pub homes: SideTable<Value, Home>,
    /// When values in slots live.
    pub intervals: Vec<Interval>,
    /// For results of loops: the parameter whose home they have.
    pub same_home: SideTable<Value, Option<Value>>,
    /// Buffers that are accessed.
    pub accessed: SideTable<Buffer, bool>,
    /// Who uses private buffers.
    pub private: SideTable<Buffer, PrivateUse>,
}

/// A step of a level.
pub enum Step {
    /// A pure instruction whose results are held once.
    Scalar(Inst),
    /// Code for every invocation.
    Piece(Piece),
    /// What waits for the others.
    Cut(Inst),
    /// Control flow of the level: the steps of each region of the instruction.
    Control(Inst, Vec<Vec<Step>>),
}

/// Code without cuts, run for each invocation of the level in turn.
#[derive(Default)]
pub struct Piece {
    /// The instructions.
    pub insts: Vec<Inst>,
    /// After the instructions: moves, all at once, to the level's parameters and results in slots, and to what a cut is
    /// handed over.
    pub copies: Vec<(Value, Value)>,
    /// Values from outside that are not held once.
    pub live_in: Vec<Value>,
    /// Private buffers that only this piece uses, which runs once: they need not outlast it.
    pub own: Vec<Buffer>,
    /// Which it is in the order of steps; other steps have positions of their own.
    pub position: u32,
}

/// Where a value of the level is kept.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Home {
    /// Nowhere: it is used in its own piece only.
    Local,
    /// Held once for the level.
    Scalar,
    /// Computed again in each piece that uses it.
    Again,
    /// Kept for each invocation, at this place.
    Slot(u64),
}

/// When a value in a slot is made and last used, as positions in the order of steps.
#[derive(Copy, Clone)]
pub struct Interval {
    /// The value.
    pub value: Value,
    start: u32,
    end: u32,
}

/// Who uses a private buffer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum PrivateUse {
    /// Nobody.
    None,
    /// One piece outside of the level's loops.
    Once(u32),
    /// Several pieces, or one in turns.
    Across,
}

/// Cuts a program.
pub fn fission(p: &Program, level: &Level<'_>) -> Fission {
    let mut b = Builder {
        p,
        level,
        made: SideTable::new(None),
        same_home: SideTable::new(None),
        in_memory: SideTable::new(false),
        cost: SideTable::new(NEVER),
        position: 0,
        loops: Vec::new(),
        innermost: None,
        uses: Vec::new(),
        accessed: SideTable::new(false),
        private: SideTable::new(PrivateUse::None),
    };
    let mut steps = b.steps(p.body, &[]);
    let (homes, intervals) = b.homes();
    b.finish(&mut steps);
    let Builder { same_home, accessed, private, .. } = b;
    Fission { steps, homes, intervals, same_home, accessed, private }
}

/// Gives values in slots their places: in order of their starts, what is free again and as large, else what `take` gives
/// for that many units.
///
/// # Errors
/// Those of `take`.
pub fn slots<E>(
    mut intervals: Vec<Interval>,
    size: impl Fn(Value) -> u32,
    mut take: impl FnMut(u32) -> Result<u64, E>,
) -> Result<Vec<(Value, u64)>, E> {
    intervals.sort_by_key(|i| (i.start, i.value));
    let mut busy: BinaryHeap<Reverse<(u32, u64, u32)>> = BinaryHeap::new();
    let mut free: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut places = Vec::new();
    for interval in intervals {
        while let Some(&Reverse((last, place, size))) = busy.peek()
            && last < interval.start
        {
            busy.pop();
            free.entry(size).or_default().push(place);
        }
        let size = size(interval.value);
        let place = match free.get_mut(&size).and_then(Vec::pop) {
            Some(place) => place,
            None => take(size)?,
        };
        busy.push(Reverse((interval.end, place, size)));
        places.push((interval.value, place));
    }
    Ok(places)
}

/// What computing again takes on any machine that keeps values in memory otherwise: positions and what is made of
/// integers in a step.
pub fn again(p: &Program, data: &InstData) -> Option<u8> {
    let cheap = match data.op.info().rule {
        Rule::Axis | Rule::Index | Rule::Compose | Rule::Extract | Rule::Select | Rule::Bitcast => true,
        Rule::Same(..) | Rule::Shift(_) | Rule::Compare(_) | Rule::Convert => {
            let scalar = p.ty(data.args[0]).scalar;
            (scalar.is_int() || scalar == Scalar::Bool)
                && !matches!(data.op, Op::Div | Op::Rem)
                && data.op.info().eval.is_some()
        }
        _ => false,
    };
    cheap.then_some(1)
}

/// Finds the instructions that are cuts or hold one.
pub fn mark_cuts(p: &Program, is_cut: impl Fn(Op) -> bool) -> SideTable<Inst, bool> {
    let mut cuts = SideTable::new(false);
    mark(p, p.body, &is_cut, &mut cuts);
    cuts
}

fn mark(p: &Program, region: Region, is_cut: &impl Fn(Op) -> bool, cuts: &mut SideTable<Inst, bool>) -> bool {
    let mut any = false;
    for &inst in &p.regions[region].insts {
        let data = &p.insts[inst];
        let mut cut = is_cut(data.op);
        for &inner in &data.regions {
            cut |= mark(p, inner, is_cut, cuts);
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

/// Builds the steps and notes who uses what where.
struct Builder<'a> {
    p: &'a Program,
    level: &'a Level<'a>,
    made: SideTable<Value, Option<Made>>,
    /// For results of loops: the parameter whose home they have.
    same_home: SideTable<Value, Option<Value>>,
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
    accessed: SideTable<Buffer, bool>,
    private: SideTable<Buffer, PrivateUse>,
}

impl Builder<'_> {
    /// The steps of a workgroup-level region that leaves what it yields (after a loop's condition) in `targets`.
    fn steps(&mut self, region: Region, targets: &[Value]) -> Vec<Step> {
        let p = self.p;
        let mut steps = Vec::new();
        let mut piece = Piece::default();
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            if data.op == Op::Yield {
                let values = &data.args[data.args.len() - targets.len()..];
                self.copies(values, targets, &mut piece);
            } else if self.level.cuts[inst] {
                if data.op == Op::Loop {
                    self.copies(&data.args, &p.regions[data.regions[0]].params, &mut piece);
                    self.make(&p.regions[data.regions[0]].params, false);
                }
                if let Some((from, to)) = (self.level.handed_over)(data) {
                    piece.copies.push((from, to));
                    self.use_in_piece(from, &mut piece);
                }
                self.flush(&mut piece, &mut steps);
                steps.push(self.cut(inst));
            } else if !data.results.is_empty() && data.results.iter().all(|&r| self.level.once[r]) {
                self.note_memory(inst, None);
                steps.push(Step::Scalar(inst));
            } else {
                self.add(inst, &mut piece);
            }
        }
        self.flush(&mut piece, &mut steps);
        steps
    }

    /// A cut or control flow that holds one, between two pieces.
    fn cut(&mut self, inst: Inst) -> Step {
        let p = self.p;
        let data = &p.insts[inst];
        self.position += 1;
        let step = match data.op {
            Op::If | Op::Switch => {
                self.use_in_memory(data.args[0]);
                self.make(&data.results, false);
                let regions = data.regions.iter().map(|&r| self.steps(r, &data.results)).collect();
                Step::Control(inst, regions)
            }
            Op::Loop => {
                let body = data.regions[0];
                let condition = p.yielded(body)[0];
                let params = &p.regions[body].params;
                for (&result, &param) in data.results.iter().zip(params) {
                    self.same_home[result] = (!self.level.once[result]).then_some(param);
                }
                let this = self.loops.len();
                self.loops.push(LoopRange { start: self.position, end: 0, outer: self.innermost });
                self.innermost = Some(this);
                let steps = self.steps(body, params);
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
                if (self.level.handed_over)(data).is_none() {
                    // Of the values of a grid sync the first invocation's counts; whether others pass one does not.
                    let count = if data.op == Op::GridUniform { 1 } else { data.args.len() };
                    data.args[..count].iter().for_each(|&arg| self.use_in_memory(arg));
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
        step
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

    /// Moves to parameters or results of control flow, those in slots at the end of a piece.
    fn copies(&mut self, from: &[Value], to: &[Value], piece: &mut Piece) {
        for (&from, &to) in from.iter().zip(to) {
            if self.level.once[to] {
                self.use_in_memory(from);
            } else if from != to {
                piece.copies.push((from, to));
                self.use_in_piece(from, piece);
            }
        }
        for &to in to {
            self.note_use(to);
        }
    }

    fn use_in_memory(&mut self, value: Value) {
        if !self.level.known[value] {
            let slot = self.slot_of(value);
            self.in_memory[slot] = true;
            self.note_use(value);
        }
    }

    fn slot_of(&self, value: Value) -> Value {
        self.same_home[value].unwrap_or(value)
    }

    fn note_use(&mut self, value: Value) {
        if !self.level.once[value] {
            self.uses.push((self.slot_of(value), self.position, self.innermost));
        }
    }

    fn make(&mut self, values: &[Value], by_piece: bool) {
        for &value in values {
            if !self.level.once[value] {
                self.made[value] = Some(Made { position: self.position, by_piece });
            }
        }
    }

    fn note_memory(&mut self, inst: Inst, position: Option<u32>) {
        let Attr::Buffer(buffer) = self.p.insts[inst].attr else { return };
        self.accessed[buffer] = true;
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
        if let Some(own) = (self.level.again)(data) {
            let cost = data.args.iter().fold(own, |cost, &arg| {
                cost.saturating_add(if self.level.once[arg] { 0 } else { self.cost[arg] })
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
            if self.level.once[value] {
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
                homes[value] = Home::Slot(0);
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
                    piece.own = self.p.buffers.keys().filter(own).collect();
                }
                Step::Control(_, regions) => regions.iter_mut().for_each(|steps| self.finish(steps)),
                Step::Scalar(_) | Step::Cut(_) => {}
            }
        }
    }
}

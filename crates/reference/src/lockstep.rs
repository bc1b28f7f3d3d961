//! The schedule: all invocations of a workgroup run each step together, those that took another way left out.
//!
//! That is one legal order. A barrier needs no waiting then; it only checks that nobody is missing. The active
//! invocations are a list of local indices in ascending order, so that idle ones cost nothing.

use crate::codes;
use crate::decode::{Agreement, Branch, Code, Step};
use crate::state::State;
use crate::{Error, Options, Stats};
use std::ops::Range;
use vyre_driver::{Accessor, OutOfBounds};
use vyre_ir::{Diagnostic, Program, Scalar};

/// The invocations that perform a step.
#[derive(Copy, Clone)]
pub(crate) struct Active<'a> {
    /// Local indices in ascending order.
    pub list: &'a [u32],
    /// Whether it is the whole workgroup.
    pub all: bool,
}

impl Active<'_> {
    pub fn each(self, mut f: impl FnMut(usize)) {
        if self.all {
            // The same order as the list's, without reading it.
            (0..self.list.len()).for_each(f);
        } else {
            self.list.iter().for_each(|&i| f(i as usize));
        }
    }
}

/// Where control flow returns to.
enum Frame {
    /// A branch: the regions that still have to run with who runs them, and the step after it.
    Branch { outer: Outer, waiting: Vec<(usize, Range<usize>)>, end: usize },
    /// A loop.
    Loop { outer: Outer },
}

/// What is active again once a frame is left.
#[derive(Clone)]
struct Outer {
    active: Range<usize>,
    /// Length of the lists before the frame added its own.
    lists: usize,
}

/// How far a workgroup is.
pub(crate) struct Position {
    pc: usize,
    /// Lists of invocations, innermost last; the whole workgroup first.
    lists: Vec<u32>,
    /// The list of those active now.
    active: Range<usize>,
    frames: Vec<Frame>,
}

impl Position {
    /// The start.
    pub fn new(code: &Code) -> Position {
        let all = code.invocations;
        Position { pc: 0, lists: (0..all as u32).collect(), active: 0..all, frames: Vec::new() }
    }
}

/// What a workgroup does next.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Nothing.
    Ended,
    /// It waits for the grid before this step.
    Waits(usize),
}

/// Runs workgroups in lockstep.
pub(crate) struct Lockstep<'p> {
    program: &'p Program,
    pub code: &'p Code,
    options: &'p Options<'p>,
    at: Position,
    /// Target of each active invocation of a branch.
    targets: Vec<u32>,
    /// Lane steps until the next look at the cancel flag and the step limit.
    fuel: u64,
    /// What the grid's first invocation passed to the grid sync at which workgroups arrive.
    pub passed: Option<u64>,
    pub stats: Stats,
}

/// Lane steps between two looks at the cancel flag: a few milliseconds.
const LOOK_EVERY: u64 = 100_000;

impl<'p> Lockstep<'p> {
    pub fn new(program: &'p Program, code: &'p Code, options: &'p Options<'p>) -> Self {
        Lockstep {
            program,
            code,
            options,
            at: Position::new(code),
            targets: Vec::new(),
            fuel: 0,
            passed: None,
            stats: Stats::default(),
        }
    }

    /// Runs one workgroup from its start, to its end or a grid sync.
    pub fn start(&mut self, workgroup: [u32; 3], state: &mut State<'_, '_>) -> Result<Next, Error> {
        state.start_workgroup(self.code, workgroup);
        self.at.pc = 0;
        self.go_on(state)
    }

    /// Goes on with another workgroup.
    pub fn exchange(&mut self, at: &mut Position) {
        std::mem::swap(&mut self.at, at);
    }

    /// Runs the workgroup on from where it is, to its end or a grid sync.
    pub fn go_on(&mut self, state: &mut State<'_, '_>) -> Result<Next, Error> {
        self.look()?;
        let code = self.code;
        let mut pc = self.at.pc;
        loop {
            let cost = self.at.active.len() as u64;
            self.stats.steps += cost;
            match self.fuel.checked_sub(cost) {
                Some(rest) => self.fuel = rest,
                None => self.look()?,
            }
            pc = match &code.steps[pc] {
                Step::Branch(branch) => self.branch(branch, &state.cells),
                Step::Join => self.join(),
                Step::Enter => {
                    self.enter();
                    pc + 1
                }
                Step::Repeat { condition, body } => {
                    let again = |i: u32| state.cells[condition.at(i as usize)] & 1 == 1;
                    if self.keep(again) { *body } else { pc + 1 }
                }
                Step::Barrier { index } => {
                    self.check_uniform(pc, *index, &state.cells)?;
                    pc + 1
                }
                Step::GridSync(agreement) => {
                    self.check_uniform(pc, None, &state.cells)?;
                    if let Some(agreement) = agreement {
                        self.agree(pc, agreement, state)?;
                    }
                    self.at.pc = pc + 1;
                    return Ok(Next::Waits(pc + 1));
                }
                Step::End => break,
                step => {
                    let all = self.at.active.len() == code.invocations;
                    let active = Active { list: &self.at.lists[self.at.active.clone()], all };
                    if self.options.checked
                        && let Some((invocation, index, bytes)) = state.outside(step, active)
                    {
                        let by = Accessor { workgroup: state.workgroup(), local: code.local_id(invocation) };
                        let access = OutOfBounds::new(self.program, code.insts[pc], index, bytes, by);
                        return Err(Error::OutOfBounds(Box::new(access)));
                    }
                    state.perform(step, active);
                    pc + 1
                }
            };
        }
        self.stats.workgroups += 1;
        Ok(Next::Ended)
    }

    /// Asks whether to go on.
    fn look(&mut self) -> Result<(), Error> {
        let limit = self.options.step_limit;
        if self.stats.steps > limit {
            return Err(Error::StepLimit(limit));
        }
        if (self.options.cancelled)() {
            return Err(Error::Cancelled);
        }
        self.fuel = LOOK_EVERY.min(limit - self.stats.steps);
        Ok(())
    }

    fn outer(&self) -> Outer {
        Outer { active: self.at.active.clone(), lists: self.at.lists.len() }
    }

    /// Starts a loop: it shrinks a list of its own.
    fn enter(&mut self) {
        let outer = self.outer();
        self.at.lists.extend_from_within(self.at.active.clone());
        self.at.active = outer.lists..self.at.lists.len();
        self.at.frames.push(Frame::Loop { outer });
    }

    /// Divides the active invocations among a branch's regions and gives the first step to run.
    fn branch(&mut self, branch: &Branch, cells: &[u64]) -> usize {
        let target = |i: u32| {
            let selector = cells[branch.selector.at(i as usize)];
            match branch.cases.binary_search_by_key(&selector, |case| case.0) {
                Ok(found) => branch.cases[found].1 as usize,
                Err(_) => branch.targets.len() - 1,
            }
        };
        let outer = self.outer();
        let active = self.at.active.clone();
        let first = target(self.at.lists[active.start]);
        self.targets.clear();
        self.targets.extend(self.at.lists[active.clone()].iter().map(|&i| target(i) as u32));
        if self.targets.iter().all(|&t| t as usize == first) {
            self.at.frames.push(Frame::Branch { outer, waiting: Vec::new(), end: branch.end });
            return branch.targets[first];
        }
        // A stable counting sort keeps each list in ascending order.
        let start = outer.lists;
        let mut ends = vec![0; branch.targets.len() + 1];
        for &t in &self.targets {
            ends[t as usize + 1] += 1;
        }
        for t in 1..ends.len() {
            ends[t] += ends[t - 1];
        }
        self.at.lists.extend_from_within(active.clone());
        for (k, &t) in self.targets.iter().enumerate() {
            self.at.lists[start + ends[t as usize]] = self.at.lists[active.start + k];
            ends[t as usize] += 1;
        }
        let mut waiting = Vec::new();
        for t in (0..branch.targets.len()).rev() {
            let from = t.checked_sub(1).map_or(0, |before| ends[before]);
            if from < ends[t] {
                waiting.push((branch.targets[t], start + from..start + ends[t]));
            }
        }
        self.at.frames.push(Frame::Branch { outer, waiting, end: branch.end });
        self.join()
    }

    /// The end of a branch's region: the next one with its invocations, or the step after the branch.
    fn join(&mut self) -> usize {
        let Some(Frame::Branch { outer, waiting, end }) = self.at.frames.last_mut() else {
            unreachable!("a join ends a branch");
        };
        if let Some((pc, list)) = waiting.pop() {
            self.at.active = list;
            return pc;
        }
        let (outer, end) = (outer.clone(), *end);
        self.leave(outer);
        end
    }

    /// Keeps those active that go round the loop again; false when the loop is done.
    fn keep(&mut self, again: impl Fn(u32) -> bool) -> bool {
        let mut end = self.at.active.start;
        for k in self.at.active.clone() {
            let i = self.at.lists[k];
            if again(i) {
                self.at.lists[end] = i;
                end += 1;
            }
        }
        self.at.active.end = end;
        if !self.at.active.is_empty() {
            return true;
        }
        let Some(Frame::Loop { outer }) = self.at.frames.last() else { unreachable!("a repeat ends a loop") };
        self.leave(outer.clone());
        false
    }

    /// Leaves the innermost frame: those active before it are active again, and its lists are dropped.
    fn leave(&mut self, outer: Outer) {
        self.at.frames.pop();
        self.at.lists.truncate(outer.lists);
        self.at.active = outer.active;
    }

    /// A barrier is reached by the whole workgroup, and a uniform load with one index.
    fn check_uniform(
        &self,
        pc: usize,
        index: Option<crate::decode::Place>,
        cells: &[u64],
    ) -> Result<(), Error> {
        let data = &self.program.insts[self.code.insts[pc]];
        let fail = |message: String| Err(self.invalid(pc, Diagnostic::new(codes::D304, message)));
        let (here, all) = (self.at.active.len(), self.code.invocations);
        if here != all {
            return fail(format!("`{}` is reached by {here} of {all} invocations", data.op.name()));
        }
        if let Some(index) = index {
            let differs = (0..all).find(|&i| cells[index.at(i)] != cells[index.at(0)]);
            if let Some(i) = differs {
                let (a, b) = (cells[index.at(0)], cells[index.at(i)]);
                return fail(format!("`{}` at index {a} in invocation 0 and {b} in {i}", data.op.name()));
            }
        }
        Ok(())
    }

    /// Gives every invocation what the grid's first one passed. The workgroup of that one arrives first.
    fn agree(&mut self, pc: usize, agreement: &Agreement, state: &mut State<'_, '_>) -> Result<(), Error> {
        let Agreement { value, takes_part, out } = *agreement;
        let first = *self.passed.get_or_insert(state.cells[value.at(0)]);
        let differs =
            |i: &usize| state.cells[takes_part.at(*i)] & 1 == 1 && state.cells[value.at(*i)] != first;
        if let Some(i) = (0..self.code.invocations).find(differs) {
            let data = &self.program.insts[self.code.insts[pc]];
            let ty = self.program.ty(data.args[0]).scalar;
            let passed = state.cells[value.at(i)];
            let (workgroup, local) = (state.workgroup(), self.code.local_id(i as u32));
            let [x, y, z] =
                [0, 1, 2].map(|k| workgroup[k] as u64 * self.code.workgroup_size[k] as u64 + local[k] as u64);
            let message = format!(
                "`{}` gets {} from invocation ({x}, {y}, {z}) and {} from invocation (0, 0, 0)",
                data.op.name(),
                shown(ty, passed),
                shown(ty, first),
            );
            let fix = "Pass what is the same for the whole grid: have one invocation write it to memory, and load it \
                       after a grid sync.";
            return Err(self.invalid(pc, Diagnostic::new(codes::D307, message).fix(fix)));
        }
        for i in 0..self.code.invocations {
            state.cells[out.at(i)] = first;
        }
        Ok(())
    }

    /// What is wrong at a step.
    fn invalid(&self, pc: usize, diagnostic: Diagnostic) -> Error {
        let data = &self.program.insts[self.code.insts[pc]];
        Error::Invalid(diagnostic.at(data.loc, "").in_source(self.program.source.as_ref()))
    }
}

/// A scalar for people; of a float also the bits, which are what is compared.
fn shown(ty: Scalar, bits: u64) -> String {
    match ty {
        Scalar::Bool => (bits & 1 == 1).to_string(),
        Scalar::I32 => (bits as u32 as i32).to_string(),
        Scalar::F32 => format!("{} ({bits:#010x})", f32::from_bits(bits as u32)),
        _ => bits.to_string(),
    }
}

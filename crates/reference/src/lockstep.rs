//! The schedule: all invocations of a workgroup run each step together, those that took another way left out.
//!
//! That is one legal order. A barrier needs no waiting then; it only checks that nobody is missing. The active
//! invocations are a list of local indices in ascending order, so that idle ones cost nothing.

use crate::codes;
use crate::decode::{Branch, Code, Step};
use crate::state::State;
use crate::{Error, Options, Stats};
use std::ops::Range;
use vyre_driver::{Accessor, OutOfBounds};
use vyre_ir::{Diagnostic, Program};

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

/// Runs workgroups in lockstep.
pub(crate) struct Lockstep<'p> {
    program: &'p Program,
    code: &'p Code,
    options: &'p Options<'p>,
    /// Lists of invocations, innermost last; the whole workgroup first.
    lists: Vec<u32>,
    /// The list of those active now.
    active: Range<usize>,
    frames: Vec<Frame>,
    /// Target of each active invocation of a branch.
    targets: Vec<u32>,
    /// Lane steps until the next look at the cancel flag and the step limit.
    fuel: u64,
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
            lists: (0..code.invocations as u32).collect(),
            active: 0..code.invocations,
            frames: Vec::new(),
            targets: Vec::new(),
            fuel: 0,
            stats: Stats::default(),
        }
    }

    /// Runs one workgroup to its end.
    pub fn run(&mut self, workgroup: [u32; 3], state: &mut State<'_, '_>) -> Result<(), Error> {
        self.look()?;
        state.start_workgroup(self.code, workgroup);
        let code = self.code;
        let mut pc = 0;
        loop {
            let cost = self.active.len() as u64;
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
                Step::End => break,
                step => {
                    let all = self.active.len() == code.invocations;
                    let active = Active { list: &self.lists[self.active.clone()], all };
                    if self.options.checked
                        && let Some((invocation, index, bytes)) = state.outside(step, active)
                    {
                        let by = Accessor { workgroup, local: code.local_id(invocation) };
                        let access = OutOfBounds::new(self.program, code.insts[pc], index, bytes, by);
                        return Err(Error::OutOfBounds(Box::new(access)));
                    }
                    state.perform(step, active);
                    pc + 1
                }
            };
        }
        self.stats.workgroups += 1;
        Ok(())
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
        Outer { active: self.active.clone(), lists: self.lists.len() }
    }

    /// Starts a loop: it shrinks a list of its own.
    fn enter(&mut self) {
        let outer = self.outer();
        self.lists.extend_from_within(self.active.clone());
        self.active = outer.lists..self.lists.len();
        self.frames.push(Frame::Loop { outer });
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
        let active = self.active.clone();
        let first = target(self.lists[active.start]);
        self.targets.clear();
        self.targets.extend(self.lists[active.clone()].iter().map(|&i| target(i) as u32));
        if self.targets.iter().all(|&t| t as usize == first) {
            self.frames.push(Frame::Branch { outer, waiting: Vec::new(), end: branch.end });
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
        self.lists.extend_from_within(active.clone());
        for (k, &t) in self.targets.iter().enumerate() {
            self.lists[start + ends[t as usize]] = self.lists[active.start + k];
            ends[t as usize] += 1;
        }
        let mut waiting = Vec::new();
        for t in (0..branch.targets.len()).rev() {
            let from = t.checked_sub(1).map_or(0, |before| ends[before]);
            if from < ends[t] {
                waiting.push((branch.targets[t], start + from..start + ends[t]));
            }
        }
        self.frames.push(Frame::Branch { outer, waiting, end: branch.end });
        self.join()
    }

    /// The end of a branch's region: the next one with its invocations, or the step after the branch.
    fn join(&mut self) -> usize {
        let Some(Frame::Branch { outer, waiting, end }) = self.frames.last_mut() else {
            unreachable!("a join ends a branch");
        };
        if let Some((pc, list)) = waiting.pop() {
            self.active = list;
            return pc;
        }
        let (outer, end) = (outer.clone(), *end);
        self.leave(outer);
        end
    }

    /// Keeps those active that go round the loop again; false when the loop is done.
    fn keep(&mut self, again: impl Fn(u32) -> bool) -> bool {
        let mut end = self.active.start;
        for k in self.active.clone() {
            let i = self.lists[k];
            if again(i) {
                self.lists[end] = i;
                end += 1;
            }
        }
        self.active.end = end;
        if !self.active.is_empty() {
            return true;
        }
        let Some(Frame::Loop { outer }) = self.frames.last() else { unreachable!("a repeat ends a loop") };
        self.leave(outer.clone());
        false
    }

    /// Leaves the innermost frame: those active before it are active again, and its lists are dropped.
    fn leave(&mut self, outer: Outer) {
        self.frames.pop();
        self.lists.truncate(outer.lists);
        self.active = outer.active;
    }

    /// A barrier is reached by the whole workgroup, and a uniform load with one index.
    fn check_uniform(
        &self,
        pc: usize,
        index: Option<crate::decode::Place>,
        cells: &[u64],
    ) -> Result<(), Error> {
        let data = &self.program.insts[self.code.insts[pc]];
        let fail = |message: String| {
            let diagnostic = Diagnostic::new(codes::D304, message).at(data.loc, "");
            Err(Error::Invalid(diagnostic.in_source(self.program.source.as_ref())))
        };
        let (here, all) = (self.active.len(), self.code.invocations);
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
}

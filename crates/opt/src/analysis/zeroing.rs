//! Which workgroup buffers need to be zero when a workgroup starts: those that may be read before they are written.
//!
//! A buffer does not if, on every way through the program, all invocations together write all of it, and wait for each
//! other, before anything reads any of it. What counts as writing all of it is a store that every invocation of the
//! workgroup runs, at an index that counts the invocations: a sum of local ids times constants under which each scalar
//! belongs to one invocation. Stores of less than all do not matter; an atomic reads.

use vyre_ir::{Attr, Buffer, Inst, InstData, Memory, Op, Program, Region, Rule, SideTable, Value};

/// How many operations back an index is followed.
const DEPTH: u32 = 16;

/// How far a workgroup is with a buffer.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// It may have been read before it was written.
    Needed,
    /// Nothing has read it.
    Untouched,
    /// Every invocation has written its part, but has not waited for the others.
    Writing,
    /// All of it is written.
    Written,
}

/// Finds the workgroup buffers that must be zero at first. `cuts` are the instructions that are or hold what waits for
/// the workgroup: [`mark_cuts`](crate::fission::mark_cuts) of [`Op::syncs_workgroup`].
pub fn needed(p: &Program, cuts: &SideTable<Inst, bool>) -> SideTable<Buffer, bool> {
    let mut walk = Walk { p, cuts, state: SideTable::new(State::Untouched) };
    walk.region(p.body);
    let mut needed = SideTable::new(false);
    for buffer in p.buffers.keys() {
        needed[buffer] = walk.state[buffer] == State::Needed;
    }
    needed
}

struct Walk<'a> {
    p: &'a Program,
    cuts: &'a SideTable<Inst, bool>,
    state: SideTable<Buffer, State>,
}

impl Walk<'_> {
    /// A region that all invocations of the workgroup run together.
    fn region(&mut self, region: Region) {
        let p = self.p;
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            if !self.cuts[inst] {
                self.access(data, true);
                data.regions.iter().for_each(|&inner| self.apart(inner));
                continue;
            }
            match data.op {
                // A loop runs at least once, and what it finds in later turns is written no less.
                Op::Loop => self.region(data.regions[0]),
                Op::If | Op::Switch => {
                    let before = self.states();
                    let mut after: Option<Vec<State>> = None;
                    for &side in &data.regions {
                        self.restore(&before);
                        self.region(side);
                        let states = self.states();
                        after = Some(match after {
                            Some(after) => after.into_iter().zip(states).map(|(a, b)| a.min(b)).collect(),
                            None => states,
                        });
                    }
                    self.restore(&after.unwrap_or(before));
                }
                _ => {
                    for buffer in p.buffers.keys() {
                        if self.state[buffer] == State::Writing {
                            self.state[buffer] = State::Written;
                        }
                    }
                    self.access(data, true);
                }
            }
        }
    }

    /// A region that some invocations may run.
    fn apart(&mut self, region: Region) {
        let p = self.p;
        p.walk(region, &mut |inst| self.access(&p.insts[inst], false));
    }

    fn states(&self) -> Vec<State> {
        self.p.buffers.keys().map(|buffer| self.state[buffer]).collect()
    }

    fn restore(&mut self, states: &[State]) {
        for (buffer, &state) in self.p.buffers.keys().zip(states) {
            self.state[buffer] = state;
        }
    }

    fn access(&mut self, data: &InstData, by_all: bool) {
        let Attr::Buffer(buffer) = data.attr else { return };
        if self.p.buffers[buffer].memory != Memory::Workgroup || self.state[buffer] == State::Written {
            return;
        }
        match data.op.info().rule {
            Rule::Length => {}
            Rule::Store
                if self.state[buffer] == State::Untouched && by_all && self.is_whole(buffer, data) =>
            {
                self.state[buffer] = State::Writing;
            }
            Rule::Store => {}
            _ => self.state[buffer] = State::Needed,
        }
    }

    /// Whether the invocations' stores cover a buffer.
    fn is_whole(&self, buffer: Buffer, data: &InstData) -> bool {
        let ty = self.p.ty(data.args[1]);
        let Some(mut factors) = self.factors(data.args[0], DEPTH) else { return false };
        // By size, each axis must go on where the ones before end.
        let mut axes: Vec<usize> = (0..3).filter(|&axis| self.p.workgroup_size[axis] > 1).collect();
        axes.sort_by_key(|&axis| factors.axes[axis]);
        let mut next = ty.lanes as u64;
        for axis in axes {
            if std::mem::take(&mut factors.axes[axis]) != next {
                return false;
            }
            next *= self.p.workgroup_size[axis] as u64;
        }
        let bytes = self.p.buffers[buffer].static_bytes();
        factors.constant == 0 && bytes == Some(next * ty.scalar.bytes() as u64)
    }

    /// An index as a sum of local ids times constants, if it is one and cannot wrap.
    fn factors(&self, index: Value, depth: u32) -> Option<Factors> {
        let p = self.p;
        if let Some(bits) = p.splat_constant(index) {
            return Some(Factors { axes: [0; 3], constant: bits });
        }
        let data = p.producer(index).filter(|_| depth > 0)?;
        let arg = |i: usize| self.factors(data.args[i], depth - 1);
        let [x, y, _] = p.workgroup_size.map(u64::from);
        let sum = match data.op {
            Op::LocalId => {
                let Attr::Axis(axis) = data.attr else { return None };
                let mut axes = [0; 3];
                axes[axis as usize] = 1;
                Factors { axes, constant: 0 }
            }
            Op::LocalIndex => Factors { axes: [1, x, x * y], constant: 0 },
            Op::Convert | Op::Bitcast if p.ty(data.args[0]).scalar.bits() == 32 => arg(0)?,
            Op::Add => {
                let (a, b) = (arg(0)?, arg(1)?);
                Factors {
                    axes: [0, 1, 2].map(|i| a.axes[i].saturating_add(b.axes[i])),
                    constant: a.constant.saturating_add(b.constant),
                }
            }
            Op::Mul => match (p.splat_constant(data.args[0]), p.splat_constant(data.args[1])) {
                (Some(n), _) => arg(1)?.times(n),
                (_, Some(n)) => arg(0)?.times(n),
                _ => return None,
            },
            Op::Shl => arg(0)?.times(1 << p.splat_constant(data.args[1]).filter(|&n| n < 32)?),
            _ => return None,
        };
        let largest = sum.axes.iter().zip(p.workgroup_size).fold(sum.constant, |largest, (&factor, n)| {
            largest.saturating_add(factor.saturating_mul(n as u64))
        });
        (largest <= i32::MAX as u64).then_some(sum)
    }
}

/// A sum of local ids times factors, and a constant.
struct Factors {
    axes: [u64; 3],
    constant: u64,
}

impl Factors {
    fn times(self, n: u64) -> Factors {
        Factors { axes: self.axes.map(|x| x.saturating_mul(n)), constant: self.constant.saturating_mul(n) }
    }
}

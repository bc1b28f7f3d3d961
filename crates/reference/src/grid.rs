//! The workgroups of a program that waits for its grid: each runs to its next grid sync and is put aside there, with all
//! that belongs to it, while the others get there.

use crate::decode::Code;
use crate::lockstep::{Lockstep, Next, Position};
use crate::memory::Own;
use crate::state::{State, fresh_cells};
use crate::{Error, GRID_BYTES, codes};
use vyre_ir::Diagnostic;

/// A workgroup that was put aside.
struct Aside {
    at: Position,
    cells: Vec<u64>,
    own: Own,
}

impl Aside {
    fn new(code: &Code) -> Aside {
        Aside { at: Position::new(code), cells: fresh_cells(code), own: Own::new(&code.layout) }
    }

    /// Its size in bytes, but for what lists grow by in nested control flow.
    fn bytes(code: &Code) -> u64 {
        let memory = code.layout.workgroup_bytes + code.layout.private_bytes * code.layout.invocations;
        (size_of::<Aside>() + size_of::<u64>() * code.cells + size_of::<u32>() * code.invocations + memory)
            as u64
    }

    /// Exchanges it with the one that runs.
    fn exchange(&mut self, schedule: &mut Lockstep<'_>, state: &mut State<'_, '_>) {
        schedule.exchange(&mut self.at);
        state.exchange(&mut self.cells, &mut self.own);
    }
}

/// The place in the grid of the workgroup of a linear index.
pub(crate) fn place(index: u128, workgroups: [u32; 3]) -> [u32; 3] {
    let [x, y, _] = workgroups.map(u128::from);
    [index % x, index / x % y, index / x / y].map(|n| n as u32)
}

/// Runs all workgroups.
pub(crate) fn run(
    schedule: &mut Lockstep<'_>,
    state: &mut State<'_, '_>,
    workgroups: [u32; 3],
) -> Result<(), Error> {
    let code = schedule.code;
    let count = workgroups.iter().map(|&n| n as u128).product::<u128>();
    let bytes = count.saturating_mul(Aside::bytes(code) as u128);
    if bytes > GRID_BYTES as u128 {
        let message = format!(
            "{count} workgroups that wait for each other take {bytes} bytes, more than {GRID_BYTES}: {} each",
            Aside::bytes(code)
        );
        let fix = "Run it on a smaller grid, or on another backend.";
        return Err(Error::Invalid(Diagnostic::new(codes::D306, message).fix(fix)));
    }
    let mut all: Vec<Aside> = Vec::with_capacity(count as usize);
    let mut together = None;
    for index in 0..count {
        let mut this = Aside::new(code);
        this.exchange(schedule, state);
        let next = schedule.start(place(index, workgroups), state)?;
        this.exchange(schedule, state);
        all.push(this);
        meet(&mut together, next)?;
    }
    while let Some(Next::Waits(_)) = together {
        together = None;
        schedule.passed = None;
        for this in &mut all {
            this.exchange(schedule, state);
            let next = schedule.go_on(state)?;
            this.exchange(schedule, state);
            meet(&mut together, next)?;
        }
    }
    Ok(())
}

/// Checks that a workgroup is where those before it are.
fn meet(together: &mut Option<Next>, next: Next) -> Result<(), Error> {
    if *together.get_or_insert(next) == next {
        return Ok(());
    }
    let message = "some workgroups of the grid are at a grid sync that others do not reach";
    Err(Error::Invalid(Diagnostic::new(codes::D309, message)))
}

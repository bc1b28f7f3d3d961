//! Stages on the oracle: what the host loop of a device does, without a driver.

use vyre_ir::{Entity, Program};
use vyre_opt::stages::{DONE, NEXT, Staged, args};
use vyre_reference::{Bytes, Error, Options};

/// Runs the stages of a program over the memory of its buffers, in their order; those that are not bound have none.
///
/// # Errors
/// Those of the oracle.
///
/// # Panics
/// When the control program goes another way than it may: to a block that [`vyre_opt::stages::Control::turns`] does not
/// allow next, or one whose words of the state do not say the grid.
pub fn run_stages(
    p: &Program,
    staged: &Staged,
    workgroups: [u32; 3],
    memory: &mut [Vec<u8>],
    options: &Options<'_>,
) -> Result<(), Error> {
    let mut scratch: Vec<Vec<u8>> = (staged.scratch.iter())
        .map(|scratch| {
            let size = scratch.size(workgroups, p.workgroup_invocations()).expect("a size");
            // What is in there at first is of no matter.
            vec![0xA5; (size as usize).max(4)]
        })
        .collect();
    let Some(control) = &staged.control else {
        return staged
            .stages
            .iter()
            .try_for_each(|stage| run(stage, workgroups, memory, &mut scratch, options));
    };
    let state = control.state.index() - memory.len();
    scratch[state] = control.start(workgroups);
    let blocks = control.blocks.len() as u32;
    let mut last = blocks;
    loop {
        let only = Options { workgroups: Some(&[last as u64]), ..*options };
        run(&control.program, [blocks + 1, 1, 1], memory, &mut scratch, &only)?;
        let word = |at: u32| {
            let at = 4 * at as usize;
            u32::from_le_bytes(scratch[state][at..at + 4].try_into().expect("4 bytes"))
        };
        let next = word(NEXT);
        for block in 0..blocks {
            let found = [0, 1, 2].map(|axis| word(args(block as usize) + axis));
            let expected = if block == next { workgroups } else { [0; 3] };
            assert_eq!(found, expected, "the grid of block {block} when {next} is next after {last}");
        }
        if next == DONE {
            return Ok(());
        }
        for stage in &staged.stages[control.blocks[next as usize].clone()] {
            run(stage, workgroups, memory, &mut scratch, options)?;
        }
        last = next;
    }
}

fn run(
    p: &Program,
    workgroups: [u32; 3],
    memory: &mut [Vec<u8>],
    scratch: &mut [Vec<u8>],
    options: &Options<'_>,
) -> Result<(), Error> {
    // Workgroup memory of the stages' own.
    let mut rest = [Vec::new()];
    let mut bytes: Vec<Bytes<'_>> =
        (p.buffers.values().zip(memory.iter_mut().chain(scratch).chain(&mut rest)))
            .map(|(decl, bytes)| match (decl.memory.is_bound(), decl.access.writes()) {
                (false, _) => Bytes::Unbound,
                (_, false) => Bytes::Read(bytes),
                (_, true) => Bytes::Write(bytes),
            })
            .collect();
    vyre_reference::run(p, workgroups, &mut bytes, options).map(|_| ())
}

//! Runs kernels on the interpreter of PTX, as a driver would.

use vyre_ir::Program;
use vyre_ptx::{Kernel, Param, UNCUT};
use vyre_ptx_vm::{Launch, Memory, Module, Options, parse, run};

/// More instructions than any program of the tests takes.
const STEPS: u64 = 200_000_000;

/// What becomes of the buffers' bytes when a grid runs: as two launches, where that can be and the seed is odd, with more
/// blocks than are wanted, where the kernel asks, and in blocks of as many workgroups as can be merged.
///
/// # Errors
/// What the interpreter reports.
pub fn execute(
    p: &Program,
    kernel: &Kernel,
    grid: [u32; 3],
    contents: &[Vec<u8>],
    seed: u64,
    races: bool,
) -> Result<Vec<Vec<u8>>, String> {
    let options = Options { seed, races, step_limit: STEPS, ..Options::default() };
    execute_with(p, kernel, grid, contents, &options)
}

/// [`execute`], as the interpreter's options say.
///
/// # Errors
/// What the interpreter reports.
pub fn execute_with(
    p: &Program,
    kernel: &Kernel,
    grid: [u32; 3],
    contents: &[Vec<u8>],
    options: &Options<'_>,
) -> Result<Vec<Vec<u8>>, String> {
    let module = parse(&kernel.ptx).map_err(|e| format!("{e}\n{}", kernel.ptx))?;
    let checked = execute_entry(p, kernel, (&module, &kernel.entry), grid, contents, options)?;
    let bound = |buffer| contents[vyre_ir::Entity::index(buffer)].len() as u64;
    let other = kernel.entry_for(bound, grid);
    if other != kernel.entry {
        let without = execute_entry(p, kernel, (&module, other), grid, contents, options)?;
        if without != checked {
            return Err(format!("without checks it gives {without:?}, not {checked:?}\n{}", kernel.ptx));
        }
    }
    Ok(checked)
}

fn execute_entry(
    p: &Program,
    kernel: &Kernel,
    (module, entry): (&Module, &str),
    grid: [u32; 3],
    contents: &[Vec<u8>],
    options: &Options<'_>,
) -> Result<Vec<Vec<u8>>, String> {
    let seed = options.seed;
    let entry = module.entry(entry).expect("the module has its entry");
    let mut memory = Memory::default();
    let mut allocate = |bytes: &[u8]| {
        let address = memory.allocate(bytes.len().max(1) as u64);
        memory.write(address, bytes).expect("it was just allocated");
        address
    };
    let addresses: Vec<u64> = contents.iter().map(|bytes| allocate(bytes)).collect();
    let barrier = allocate(&[0; 12]);
    let wanted: Vec<u8> = grid.iter().flat_map(|n| n.to_le_bytes()).collect();
    let gate = allocate(&wanted);
    let merged = (1..=kernel.merges.min(grid[0])).rfind(|n| grid[0].is_multiple_of(*n)).unwrap_or(1);
    let blocks = [grid[0] / merged, grid[1], grid[2]];
    let block = [kernel.workgroup_size[0] * merged, kernel.workgroup_size[1], kernel.workgroup_size[2]];
    let is_cut = |axis: usize| blocks[axis] > 1 && (axis > 0 || kernel.workgroup_size[0] < UNCUT);
    let axis = (0..3).find(|&axis| is_cut(axis) && seed % 2 == 1 && !kernel.waits);
    let parts = match axis {
        None => vec![([0u32; 3], blocks)],
        Some(axis) => {
            let (mut first, mut counts) = ([0u32; 3], [blocks; 2]);
            (first[axis], counts[0][axis]) = (1, 1);
            counts[1][axis] -= 1;
            vec![([0; 3], counts[0]), (first, counts[1])]
        }
    };
    for (first, mut blocks) in parts {
        let mut params = Vec::new();
        for &param in &kernel.params {
            params.resize(params.len().next_multiple_of(param.bytes()), 0);
            let index = |buffer| vyre_ir::Entity::index(buffer);
            match param {
                Param::Address(buffer) => params.extend(addresses[index(buffer)].to_le_bytes()),
                Param::Length { buffer, .. } | Param::Last { buffer, .. } => {
                    let extent = param.extent(contents[index(buffer)].len() as u64);
                    params.extend(extent.expect("it is one of these").to_le_bytes());
                }
                Param::Workgroups(axis) => params.extend(grid[axis as usize].to_le_bytes()),
                Param::FirstWorkgroup(axis) => params.extend(first[axis as usize].to_le_bytes()),
                Param::Barrier => params.extend(barrier.to_le_bytes()),
                Param::Gate => params.extend(gate.to_le_bytes()),
            }
        }
        if kernel.params.contains(&Param::Gate) && axis.is_none() {
            blocks = blocks.map(|n| n + 1);
        }
        let launch = Launch {
            grid: blocks,
            block,
            dynamic_shared: kernel.dynamic_shared,
            params: &params,
            cooperative: kernel.waits,
        };
        run(entry, &mut memory, &launch, options).map_err(|fault| format!("{fault}\n{}", kernel.ptx))?;
    }
    let mut after = contents.to_vec();
    for (decl, (bytes, address)) in p.buffers.values().zip(after.iter_mut().zip(addresses)) {
        if decl.memory.is_bound() {
            memory.read(address, bytes).expect("it is still allocated");
        }
    }
    Ok(after)
}

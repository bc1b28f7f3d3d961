//! How many blocks a multiprocessor has room for.

use super::attributes::{Multiprocessor, REGISTERS, THREADS};
use super::module::registers;
use crate::call::{Call, Needs, enter, give};
use crate::codes::{Code, INVALID_VALUE};
use crate::table::Handle;
use std::ffi::{c_int, c_uint};

/// A warp takes a multiple of this many registers.
const REGISTERS_PER_WARP: u32 = 256;
const WARP: u32 = 32;

/// Registers of a block.
pub(super) fn registers_of_block(registers_per_thread: u32, threads: u32) -> u32 {
    let warp = (registers_per_thread * WARP).next_multiple_of(REGISTERS_PER_WARP);
    warp.saturating_mul(threads.div_ceil(WARP))
}

/// Threads that a block of a kernel can have.
pub(super) fn most_threads(entry: &vyre_ptx_vm::Entry) -> u32 {
    let required = entry.required_threads.map(|required| required.iter().product());
    required.or(entry.max_threads).unwrap_or(THREADS).min(THREADS)
}

/// Blocks of that many threads that a multiprocessor has room for, with that much dynamic shared memory.
pub(super) fn blocks(
    call: &mut Call<'_>,
    function: Handle,
    threads: u32,
    shared: usize,
) -> Result<u32, Code> {
    let found = call.device().functions.get(function)?;
    let (image, most_shared) = (found.image.clone(), found.max_dynamic_shared);
    let entry = &image.module.entries[found.entry];
    if threads == 0 {
        return Err(INVALID_VALUE);
    }
    if threads > most_threads(entry) || shared > most_shared as usize {
        return Ok(0);
    }
    let has = Multiprocessor::of(call.configuration.compute_capability);
    let by_threads = has.threads / threads.next_multiple_of(WARP);
    let by_registers = REGISTERS / registers_of_block(registers(call, &image), threads).max(1);
    let taken = (entry.static_shared + shared as u32).next_multiple_of(128) + has.shared_reserved;
    let by_shared = has.shared.checked_div(taken).unwrap_or(has.blocks);
    Ok(has.blocks.min(by_threads).min(by_registers).min(by_shared))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuOccupancyMaxActiveBlocksPerMultiprocessor(
    count: *mut c_int,
    function: Handle,
    threads: c_int,
    shared: usize,
) -> c_int {
    enter("cuOccupancyMaxActiveBlocksPerMultiprocessor", Needs::Context, |call| {
        let threads = u32::try_from(threads).map_err(|_| INVALID_VALUE)?;
        let found = blocks(call, function, threads, shared)?;
        // SAFETY: as the module says.
        unsafe { give(count, found as c_int) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    count: *mut c_int,
    function: Handle,
    threads: c_int,
    shared: usize,
    flags: c_uint,
) -> c_int {
    enter("cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags", Needs::Context, |call| {
        let threads = u32::try_from(threads).ok().filter(|_| flags <= 1).ok_or(INVALID_VALUE)?;
        let found = blocks(call, function, threads, shared)?;
        // SAFETY: as the module says.
        unsafe { give(count, found as c_int) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuOccupancyMaxPotentialBlockSize(
    grid: *mut c_int,
    block: *mut c_int,
    function: Handle,
    shared_of: Option<unsafe extern "C" fn(c_int) -> usize>,
    shared: usize,
    limit: c_int,
) -> c_int {
    enter("cuOccupancyMaxPotentialBlockSize", Needs::Context, |call| {
        let limit = if limit <= 0 { THREADS } else { THREADS.min(limit as u32) };
        let (mut best, mut size, mut count) = (0, 0, 0);
        for threads in (1..=limit.div_ceil(WARP)).rev().map(|warps| limit.min(warps * WARP)) {
            // SAFETY: as the module says: it takes any number of threads.
            let shared = shared_of.map_or(shared, |shared_of| unsafe { shared_of(threads as c_int) });
            let found = blocks(call, function, threads, shared)?;
            if found * threads > best {
                (best, size, count) = (found * threads, threads, found);
            }
        }
        // SAFETY: as the module says.
        unsafe { give(grid, (count * call.configuration.multiprocessors) as c_int) }?;
        // SAFETY: as the module says.
        unsafe { give(block, size as c_int) }
    })
}

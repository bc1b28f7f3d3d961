//! Memory of a device that is there at once.

use crate::call::{Call, Needs, enter, give};
use crate::codes::{Answer, Code, INVALID_VALUE, OUT_OF_MEMORY};
use crate::table::Handle;
use std::ffi::c_int;
use std::sync::TryLockError;
use vyre_ptx_vm::Memory;

/// The device's memory, once no kernel is in it. Others get on meanwhile.
pub(super) fn with_memory<T>(call: &mut Call<'_>, action: impl FnOnce(&mut Memory) -> T) -> Result<T, Code> {
    let memory = call.device().memory.clone();
    loop {
        match memory.try_lock() {
            Ok(mut memory) => return Ok(action(&mut memory)),
            Err(TryLockError::Poisoned(memory)) => return Ok(action(&mut memory.into_inner())),
            Err(TryLockError::WouldBlock) => call.wait(),
        }
        call.device().check()?;
    }
}

/// Waits for all that the device was given, as the driver does before it frees.
pub(super) fn settle(call: &mut Call<'_>) -> Answer {
    let tickets = call.device().work.all_last();
    call.wait_for(&tickets)
}

/// New memory, from a pool or not. When there is none, what the device was given is done first, since that may free
/// some, and pools give back what is free.
pub(super) fn allocate(call: &mut Call<'_>, bytes: usize, pool: Option<Handle>) -> Result<u64, Code> {
    if bytes == 0 {
        return Err(INVALID_VALUE);
    }
    let bytes = bytes as u64;
    call.journal.allocation()?;
    if call.device().allocations.take(bytes, pool) == Err(OUT_OF_MEMORY) {
        settle(call)?;
        let allocations = &mut call.device().allocations;
        allocations.pools.values_mut().for_each(|pool| pool.trim(0));
        allocations.take(bytes, pool)?;
    }
    let address = place(call, bytes);
    let allocations = &mut call.device().allocations;
    // What was taken is given back when it gets no address.
    allocations.place(*address.as_ref().unwrap_or(&0), bytes, pool);
    if address.is_err() {
        allocations.release(0);
    }
    address
}

/// An address for new memory.
pub(super) fn place(call: &mut Call<'_>, bytes: u64) -> Result<u64, Code> {
    // The interpreter has no address where none are left.
    match with_memory(call, |memory| memory.allocate(bytes))? {
        0 => Err(OUT_OF_MEMORY),
        address => Ok(address),
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemAlloc_v2(address: *mut u64, bytes: usize) -> c_int {
    enter("cuMemAlloc_v2", Needs::Context, |call| {
        if address.is_null() {
            return Err(INVALID_VALUE);
        }
        let new = allocate(call, bytes, None)?;
        // SAFETY: as the module says.
        unsafe { give(address, new) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemFree_v2(address: u64) -> c_int {
    enter("cuMemFree_v2", Needs::Context, |call| {
        if address == 0 {
            return Ok(());
        }
        if call.device().allocations.at(address).is_ok_and(|block| block.mapped || block.freeing) {
            return Err(INVALID_VALUE);
        }
        call.device().allocations.at(address)?;
        settle(call)?;
        with_memory(call, |memory| memory.free(address))?;
        call.device().allocations.release(address);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> c_int {
    enter("cuMemGetInfo_v2", Needs::Context, |call| {
        let allocations = &call.device().allocations;
        // SAFETY: as the module says.
        unsafe { give(free, allocations.free() as usize) }?;
        // SAFETY: as the module says.
        unsafe { give(total, allocations.total as usize) }
    })
}

//! Pinned memory of the host.

use super::memory::{place, with_memory};
use crate::call::{Call, Needs, enter, give};
use crate::codes::{Answer, INVALID_VALUE};
use crate::host::Entry;
use crate::table::Handle;
use std::ffi::{c_int, c_uint};
use std::sync::Arc;

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemHostAlloc(address: *mut Handle, bytes: usize, flags: c_uint) -> c_int {
    enter("cuMemHostAlloc", Needs::Context, |call| {
        if flags > 7 || address.is_null() {
            return Err(INVALID_VALUE);
        }
        call.journal.allocation()?;
        let index = call.index;
        let start = call.host.allocate(bytes, index)?;
        // SAFETY: as the module says.
        unsafe { give(address, start as Handle) }
    })
}

/// What is forgotten has no address on the device any more. Work that uses it keeps the memory itself.
fn forget(call: &mut Call<'_>, entry: Entry) -> Answer {
    if Arc::strong_count(&entry.range) > 1 {
        let (start, bytes) = (entry.range.start, entry.range.bytes);
        call.journal.problem(format!(
            "{bytes} bytes of pinned memory at {start:#x} are freed before their copies are done"
        ));
    }
    if let Some(mapped) = entry.mapped {
        with_memory(call, |memory| memory.free(mapped))?;
        call.device().allocations.release(mapped);
    }
    Ok(())
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemFreeHost(address: Handle) -> c_int {
    enter("cuMemFreeHost", Needs::Context, |call| {
        let entry = call.host.free(address as usize)?;
        forget(call, entry)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemHostRegister_v2(address: Handle, bytes: usize, flags: c_uint) -> c_int {
    enter("cuMemHostRegister_v2", Needs::Context, |call| {
        if flags > 15 {
            return Err(INVALID_VALUE);
        }
        let index = call.index;
        call.host.register(address as usize, bytes, index)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemHostUnregister(address: Handle) -> c_int {
    enter("cuMemHostUnregister", Needs::Context, |call| {
        let entry = call.host.unregister(address as usize)?;
        forget(call, entry)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemHostGetDevicePointer_v2(
    device_address: *mut u64,
    address: Handle,
    flags: c_uint,
) -> c_int {
    enter("cuMemHostGetDevicePointer_v2", Needs::Context, |call| {
        let index = call.index;
        let start = address as usize;
        let entry = call.host.around(start, 1).filter(|entry| flags == 0 && entry.device == index);
        let entry = entry.ok_or(INVALID_VALUE)?;
        let (base, bytes, mapped) = (entry.range.start, entry.range.bytes as u64, entry.mapped);
        let mapped = match mapped {
            Some(mapped) => mapped,
            None => {
                let new = place(call, bytes)?;
                call.device().allocations.place_mapped(new, bytes);
                call.host.around(start, 1).ok_or(INVALID_VALUE)?.mapped = Some(new);
                new
            }
        };
        // SAFETY: as the module says.
        unsafe { give(device_address, mapped + (start - base) as u64) }
    })
}

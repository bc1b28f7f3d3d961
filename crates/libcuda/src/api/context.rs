//! Primary contexts, and which one is current.

use crate::call::{Call, Needs, current_context, enter, find_context, give, pop_context, push_context};
use crate::codes::{Answer, DEVICE_UNAVAILABLE, INVALID_CONTEXT, INVALID_VALUE, UNKNOWN};
use crate::table::Handle;
use std::ffi::{c_int, c_uint};
use std::sync::atomic::Ordering;

/// A context in which something went wrong is not given again before it is reset, or released by all.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut Handle, device: c_int) -> c_int {
    enter("cuDevicePrimaryCtxRetain", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        if context.is_null() {
            return Err(INVALID_VALUE);
        }
        if let Some(code) = call.devices[index].context.error {
            return Err(code);
        }
        if call.journal.refuses() {
            return Err(DEVICE_UNAVAILABLE);
        }
        if !call.devices[index].has_thread {
            let driver = call.driver.clone();
            let thread = std::thread::Builder::new().name(format!("libcuda stand-in {index}"));
            thread.spawn(move || crate::device::work(&driver, index)).map_err(|_| UNKNOWN)?;
            call.devices[index].has_thread = true;
        }
        let device = &mut call.devices[index].context;
        device.retained += 1;
        device.active = true;
        let handle = device.handle as Handle;
        // SAFETY: as the module says.
        unsafe { give(context, handle) }
    })
}

/// Ends a context and all that belongs to it.
fn destroy(call: &mut Call<'_>, index: usize) {
    let device = &mut call.devices[index];
    device.stop.store(true, Ordering::Relaxed);
    let undone = device.work.clear() + usize::from(device.work.busy);
    let failed = device.context.error.is_some();
    while call.devices[index].work.busy {
        call.wait();
    }
    if undone > 0 && !failed {
        call.journal.problem(format!("a context ends while {undone} pieces of work are not done"));
    }
    let configuration = call.configuration.clone();
    call.devices[index].clear(&configuration, index as u64);
    call.host.forget(index);
    call.driver.changed.notify_all();
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDevicePrimaryCtxRelease_v2(device: c_int) -> c_int {
    enter("cuDevicePrimaryCtxRelease_v2", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        let context = &mut call.devices[index].context;
        context.retained = context.retained.checked_sub(1).ok_or(INVALID_CONTEXT)?;
        if context.retained == 0 {
            destroy(call, index);
        }
        Ok(())
    })
}

/// Those who retained the context must release it all the same.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDevicePrimaryCtxReset_v2(device: c_int) -> c_int {
    enter("cuDevicePrimaryCtxReset_v2", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        destroy(call, index);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDevicePrimaryCtxGetState(
    device: c_int,
    flags: *mut c_uint,
    active: *mut c_int,
) -> c_int {
    enter("cuDevicePrimaryCtxGetState", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        let context = &call.devices[index].context;
        // SAFETY: as the module says.
        unsafe { give(flags, context.flags) }?;
        // SAFETY: as the module says.
        unsafe { give(active, c_int::from(context.active)) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDevicePrimaryCtxSetFlags_v2(device: c_int, flags: c_uint) -> c_int {
    enter("cuDevicePrimaryCtxSetFlags_v2", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        call.devices[index].context.flags = flags;
        Ok(())
    })
}

/// Whether there is such a context.
fn known(call: &Call<'_>, context: Handle) -> Answer {
    find_context(call, context as usize).map(|_| ())
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuCtxSetCurrent(context: Handle) -> c_int {
    enter("cuCtxSetCurrent", Needs::Driver, |call| {
        if !context.is_null() {
            known(call, context)?;
        }
        pop_context();
        if !context.is_null() {
            push_context(context as usize);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuCtxGetCurrent(context: *mut Handle) -> c_int {
    enter("cuCtxGetCurrent", Needs::Driver, |_| {
        // SAFETY: as the module says.
        unsafe { give(context, current_context().unwrap_or(0) as Handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuCtxPushCurrent_v2(context: Handle) -> c_int {
    enter("cuCtxPushCurrent_v2", Needs::Driver, |call| {
        known(call, context)?;
        push_context(context as usize);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuCtxPopCurrent_v2(context: *mut Handle) -> c_int {
    enter("cuCtxPopCurrent_v2", Needs::Driver, |_| {
        let handle = pop_context().ok_or(INVALID_CONTEXT)?;
        if context.is_null() {
            return Ok(());
        }
        // SAFETY: as the module says.
        unsafe { give(context, handle as Handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuCtxGetDevice(device: *mut c_int) -> c_int {
    enter("cuCtxGetDevice", Needs::Context, |call| {
        // SAFETY: as the module says.
        unsafe { give(device, call.index as c_int) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuCtxSynchronize() -> c_int {
    enter("cuCtxSynchronize", Needs::Context, |call| {
        let tickets = call.device().work.all_last();
        call.wait_for(&tickets)?;
        call.device().allocations.settle();
        Ok(())
    })
}

/// The first is the least, the second the greatest.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuCtxGetStreamPriorityRange(
    least: *mut c_int,
    greatest: *mut c_int,
) -> c_int {
    enter("cuCtxGetStreamPriorityRange", Needs::Context, |_| {
        for (to, value) in [(least, 0), (greatest, -5)] {
            if !to.is_null() {
                // SAFETY: as the module says.
                unsafe { to.write(value) };
            }
        }
        Ok(())
    })
}

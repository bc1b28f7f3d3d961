//! Events.

use crate::call::{Needs, enter, give};
use crate::codes::{INVALID_HANDLE, INVALID_VALUE, NOT_READY};
use crate::device::Event;
use crate::operation::Operation;
use crate::queues::Ticket;
use crate::table::Handle;
use std::ffi::{c_int, c_uint};

/// `CU_EVENT_DISABLE_TIMING`, and all flags together.
const DISABLE_TIMING: c_uint = 2;
const FLAGS: c_uint = 7;

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuEventCreate(event: *mut Handle, flags: c_uint) -> c_int {
    enter("cuEventCreate", Needs::Context, |call| {
        if flags & !FLAGS != 0 || event.is_null() {
            return Err(INVALID_VALUE);
        }
        let handle = call.device().events.insert(Event { timing: flags & DISABLE_TIMING == 0, last: None });
        // SAFETY: as the module says.
        unsafe { give(event, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuEventDestroy_v2(event: Handle) -> c_int {
    enter("cuEventDestroy_v2", Needs::Context, |call| call.device().events.remove(event).map(|_| ()))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuEventRecord(event: Handle, stream: Handle) -> c_int {
    enter("cuEventRecord", Needs::Context, |call| {
        call.device().events.get(event)?;
        let ticket = call.push(stream, Operation::Mark)?;
        call.device().events.get_mut(event)?.last = Some(ticket);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuEventQuery(event: Handle) -> c_int {
    enter("cuEventQuery", Needs::Context, |call| {
        let done = call.device().events.get(event)?.last.as_ref().is_none_or(Ticket::done);
        call.demand();
        if done { Ok(()) } else { Err(NOT_READY) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuEventSynchronize(event: Handle) -> c_int {
    enter("cuEventSynchronize", Needs::Context, |call| {
        let last = call.device().events.get(event)?.last.clone();
        call.wait_for(last.as_slice())?;
        call.device().allocations.settle();
        Ok(())
    })
}

/// # Safety
/// As the module says.
unsafe fn elapsed(function: &'static str, milliseconds: *mut f32, start: Handle, end: Handle) -> c_int {
    enter(function, Needs::Context, |call| {
        let time = |event: &Event| {
            let last = event.last.clone().filter(|_| event.timing).ok_or(INVALID_HANDLE)?;
            last.time().ok_or(NOT_READY)
        };
        let device = call.device();
        let (start, end) = (device.events.get(start)?, device.events.get(end)?);
        let (start, end) = (time(start)?, time(end)?);
        let between =
            |from: std::time::Instant, to: std::time::Instant| to.duration_since(from).as_secs_f32() * 1e3;
        let value = if end >= start { between(start, end) } else { -between(end, start) };
        // SAFETY: as the module says.
        unsafe { give(milliseconds, value) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuEventElapsedTime(
    milliseconds: *mut f32,
    start: Handle,
    end: Handle,
) -> c_int {
    // SAFETY: as the module says.
    unsafe { elapsed("cuEventElapsedTime", milliseconds, start, end) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuEventElapsedTime_v2(
    milliseconds: *mut f32,
    start: Handle,
    end: Handle,
) -> c_int {
    // SAFETY: as the module says.
    unsafe { elapsed("cuEventElapsedTime_v2", milliseconds, start, end) }
}

//! Streams. Priorities change nothing: the order of streams is any that events allow.

use crate::call::{Call, Needs, enter, give};
use crate::codes::{Code, INVALID_HANDLE, INVALID_VALUE, NOT_READY};
use crate::operation::Operation;
use crate::queues::Ticket;
use crate::table::Handle;
use std::ffi::{c_int, c_uint};

/// `CU_STREAM_NON_BLOCKING`.
const NON_BLOCKING: c_uint = 1;

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuStreamCreate(stream: *mut Handle, flags: c_uint) -> c_int {
    enter("cuStreamCreate", Needs::Context, |call| {
        if flags > NON_BLOCKING || stream.is_null() {
            return Err(INVALID_VALUE);
        }
        let handle = call.device().work.create(flags != NON_BLOCKING);
        // SAFETY: as the module says.
        unsafe { give(stream, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuStreamCreateWithPriority(
    stream: *mut Handle,
    flags: c_uint,
    _priority: c_int,
) -> c_int {
    enter("cuStreamCreateWithPriority", Needs::Context, |call| {
        if flags > NON_BLOCKING || stream.is_null() {
            return Err(INVALID_VALUE);
        }
        let handle = call.device().work.create(flags != NON_BLOCKING);
        // SAFETY: as the module says.
        unsafe { give(stream, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuStreamDestroy_v2(stream: Handle) -> c_int {
    enter("cuStreamDestroy_v2", Needs::Context, |call| call.device().work.destroy(stream))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuStreamSynchronize(stream: Handle) -> c_int {
    enter("cuStreamSynchronize", Needs::Context, |call| {
        let last = call.device().work.last(stream)?;
        call.wait_for(last.as_slice())?;
        call.device().allocations.settle();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuStreamQuery(stream: Handle) -> c_int {
    enter("cuStreamQuery", Needs::Context, |call| {
        let last = call.device().work.last(stream)?;
        call.demand();
        if last.as_ref().is_none_or(Ticket::done) { Ok(()) } else { Err(NOT_READY) }
    })
}

/// An event that was never recorded keeps nobody waiting.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuStreamWaitEvent(stream: Handle, event: Handle, _flags: c_uint) -> c_int {
    enter("cuStreamWaitEvent", Needs::Context, |call| {
        call.device().work.check(stream)?;
        let last = find_event(call, event)?;
        call.push_after(stream, Operation::Mark, last.into_iter().collect()).map(|_| ())
    })
}

/// What an event of any device stands for.
fn find_event(call: &Call<'_>, event: Handle) -> Result<Option<Ticket>, Code> {
    let mut found = call.devices.iter().filter_map(|device| device.events.get(event).ok());
    found.next().map(|event| event.last.clone()).ok_or(INVALID_HANDLE)
}

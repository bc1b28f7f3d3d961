//! Copies and fills.
//!
//! A copy from memory that is not pinned takes what is there when it is asked for, and one to it is done when the
//! function returns; copies between pinned memory and the device do neither ("API synchronization behavior" in NVIDIA's
//! documentation).

use crate::call::{Call, Needs, enter};
use crate::codes::{Answer, Code, INVALID_VALUE};
use crate::operation::{Fill, HostRange, Operation, read_host};
use crate::table::Handle;
use std::ffi::{c_int, c_uint, c_void};

/// The stream of functions that name none.
const LEGACY: Handle = std::ptr::null_mut();

/// Whether a range is all in one allocation of the device.
pub(super) fn check(call: &mut Call<'_>, address: u64, bytes: u64) -> Answer {
    if call.device().allocations.contains(address, bytes) { Ok(()) } else { Err(INVALID_VALUE) }
}

/// Memory of the host as a copy uses it.
pub(super) fn host_range(call: &mut Call<'_>, start: usize, bytes: usize) -> Result<HostRange, Code> {
    if start == 0 {
        return Err(INVALID_VALUE);
    }
    let pinned = call.host.around(start, bytes).map(|entry| entry.range.clone());
    Ok(HostRange { start, bytes, pinned })
}

fn upload(
    call: &mut Call<'_>,
    to: u64,
    from: *const c_void,
    bytes: usize,
    stream: Handle,
    wait: bool,
) -> Answer {
    call.device().work.check(stream)?;
    if bytes == 0 {
        return Ok(());
    }
    check(call, to, bytes as u64)?;
    let from = host_range(call, from as usize, bytes)?;
    let operation = match from.pinned {
        Some(_) => Operation::Upload { to, from },
        None => Operation::Staged { to, bytes: read_host(from.start, bytes).into() },
    };
    let ticket = call.push(stream, operation)?;
    if wait { call.wait_for(&[ticket]) } else { Ok(()) }
}

fn download(
    call: &mut Call<'_>,
    to: *mut c_void,
    from: u64,
    bytes: usize,
    stream: Handle,
    wait: bool,
) -> Answer {
    call.device().work.check(stream)?;
    if bytes == 0 {
        return Ok(());
    }
    check(call, from, bytes as u64)?;
    let to = host_range(call, to as usize, bytes)?;
    let wait = wait || to.pinned.is_none();
    let ticket = call.push(stream, Operation::Download { from, to })?;
    if wait { call.wait_for(&[ticket]) } else { Ok(()) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemcpyHtoD_v2(to: u64, from: *const c_void, bytes: usize) -> c_int {
    enter("cuMemcpyHtoD_v2", Needs::Context, |call| upload(call, to, from, bytes, LEGACY, true))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemcpyHtoDAsync_v2(
    to: u64,
    from: *const c_void,
    bytes: usize,
    stream: Handle,
) -> c_int {
    enter("cuMemcpyHtoDAsync_v2", Needs::Context, |call| upload(call, to, from, bytes, stream, false))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize) -> c_int {
    enter("cuMemcpyDtoH_v2", Needs::Context, |call| download(call, to, from, bytes, LEGACY, true))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemcpyDtoHAsync_v2(
    to: *mut c_void,
    from: u64,
    bytes: usize,
    stream: Handle,
) -> c_int {
    enter("cuMemcpyDtoHAsync_v2", Needs::Context, |call| download(call, to, from, bytes, stream, false))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemcpyDtoDAsync_v2(
    to: u64,
    from: u64,
    bytes: usize,
    stream: Handle,
) -> c_int {
    enter("cuMemcpyDtoDAsync_v2", Needs::Context, |call| {
        call.device().work.check(stream)?;
        if bytes == 0 {
            return Ok(());
        }
        let bytes = bytes as u64;
        check(call, to, bytes)?;
        check(call, from, bytes)?;
        call.push(stream, Operation::Copy { to, from, bytes }).map(|_| ())
    })
}

/// Whether a fill stays in memory, and its address fits its units.
pub(super) fn check_fill(call: &mut Call<'_>, fill: &Fill) -> Answer {
    let extent = fill.extent().ok_or(INVALID_VALUE)?;
    if !matches!(fill.unit, 1 | 2 | 4) || !fill.to.is_multiple_of(u64::from(fill.unit)) {
        return Err(INVALID_VALUE);
    }
    check(call, fill.to, extent)
}

fn fill(call: &mut Call<'_>, to: u64, value: u32, unit: u32, count: usize, stream: Handle) -> Answer {
    call.device().work.check(stream)?;
    if count == 0 {
        return Ok(());
    }
    let fill = Fill { to, value, unit, width: count as u64, height: 1, pitch: 0 };
    check_fill(call, &fill)?;
    call.push(stream, Operation::Fill(fill)).map(|_| ())
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemsetD8Async(to: u64, value: u8, count: usize, stream: Handle) -> c_int {
    enter("cuMemsetD8Async", Needs::Context, |call| fill(call, to, value.into(), 1, count, stream))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemsetD32Async(
    to: u64,
    value: c_uint,
    count: usize,
    stream: Handle,
) -> c_int {
    enter("cuMemsetD32Async", Needs::Context, |call| fill(call, to, value, 4, count, stream))
}

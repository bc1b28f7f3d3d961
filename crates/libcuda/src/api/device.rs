//! Devices.

use super::attributes;
use crate::call::{Needs, enter, give};
use crate::codes::{Answer, INVALID_DEVICE, INVALID_VALUE};
use std::ffi::{c_char, c_int};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> c_int {
    enter("cuDeviceGetCount", Needs::Driver, |call| {
        // SAFETY: as the module says.
        unsafe { give(count, call.devices.len() as c_int) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> c_int {
    enter("cuDeviceGet", Needs::Driver, |call| {
        let index = call.device_number(ordinal)?;
        // SAFETY: as the module says.
        unsafe { give(device, index as c_int) }
    })
}

/// Gives as much of a text as there is room for, with NUL at its end.
///
/// # Safety
/// As the module says.
unsafe fn give_text(text: &str, into: *mut c_char, capacity: c_int) -> Answer {
    let capacity = usize::try_from(capacity).ok().filter(|capacity| *capacity > 0 && !into.is_null());
    let capacity = capacity.ok_or(INVALID_VALUE)?;
    let length = text.len().min(capacity - 1);
    // SAFETY: as the module says; it and the NUL fit.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), into, length);
        into.add(length).write(0);
    }
    Ok(())
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, capacity: c_int, device: c_int) -> c_int {
    enter("cuDeviceGetName", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        let base = &call.configuration.name;
        let text = if call.devices.len() > 1 { format!("{base} {index}") } else { base.clone() };
        // SAFETY: as the module says.
        unsafe { give_text(&text, name, capacity) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], device: c_int) -> c_int {
    enter("cuDeviceGetUuid_v2", Needs::Driver, |call| {
        let mut bytes = *b"vyre stand-in  0";
        bytes[15] += call.device_number(device)? as u8;
        // SAFETY: as the module says.
        unsafe { give(uuid, bytes) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceGetPCIBusId(
    id: *mut c_char,
    capacity: c_int,
    device: c_int,
) -> c_int {
    enter("cuDeviceGetPCIBusId", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        // SAFETY: as the module says.
        unsafe { give_text(&format!("0000:{:02X}:00.0", 1 + index), id, capacity) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceGetAttribute(
    value: *mut c_int,
    attribute: c_int,
    device: c_int,
) -> c_int {
    enter("cuDeviceGetAttribute", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        let known = attributes::attribute(&call.configuration, index, attribute).ok_or(INVALID_VALUE)?;
        // SAFETY: as the module says.
        unsafe { give(value, known) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) -> c_int {
    enter("cuDeviceTotalMem_v2", Needs::Driver, |call| {
        call.device_number(device)?;
        // SAFETY: as the module says.
        unsafe { give(bytes, call.configuration.memory_bytes as usize) }
    })
}

/// No device reaches another's memory.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceCanAccessPeer(can: *mut c_int, device: c_int, peer: c_int) -> c_int {
    enter("cuDeviceCanAccessPeer", Needs::Driver, |call| {
        if call.device_number(device)? == call.device_number(peer)? {
            return Err(INVALID_DEVICE);
        }
        // SAFETY: as the module says.
        unsafe { give(can, 0) }
    })
}

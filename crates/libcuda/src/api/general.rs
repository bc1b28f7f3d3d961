//! The driver itself: its start, version, results, and functions by name.

use super::symbols;
use crate::call::{Needs, enter, give};
use crate::codes::{Code, INVALID_VALUE, NO_DEVICE, NOT_FOUND, describe};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuInit(flags: c_uint) -> c_int {
    enter("cuInit", Needs::Nothing, |call| {
        if flags != 0 {
            return Err(INVALID_VALUE);
        }
        if call.devices.is_empty() {
            return Err(NO_DEVICE);
        }
        call.initialized = true;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> c_int {
    enter("cuDriverGetVersion", Needs::Nothing, |call| {
        // SAFETY: as the module says.
        unsafe { give(version, call.configuration.driver_version as c_int) }
    })
}

/// Gives one of the two texts of a result, or null.
///
/// # Safety
/// As the module says.
unsafe fn text_of(result: Option<&'static CStr>, text: *mut *const c_char) -> Result<(), Code> {
    // SAFETY: as the module says.
    unsafe { give(text, result.map_or(std::ptr::null(), CStr::as_ptr)) }?;
    result.map(|_| ()).ok_or(INVALID_VALUE)
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGetErrorName(result: c_int, text: *mut *const c_char) -> c_int {
    enter("cuGetErrorName", Needs::Nothing, |_| {
        // SAFETY: as the module says.
        unsafe { text_of(describe(result).map(|(name, _)| name), text) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGetErrorString(result: c_int, text: *mut *const c_char) -> c_int {
    enter("cuGetErrorString", Needs::Nothing, |_| {
        // SAFETY: as the module says.
        unsafe { text_of(describe(result).map(|(_, words)| words), text) }
    })
}

/// Takes names with and without the suffix of their version; the version of CUDA that is asked for changes nothing.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGetProcAddress_v2(
    symbol: *const c_char,
    function: *mut *mut c_void,
    _version: c_int,
    _flags: u64,
    status: *mut c_int,
) -> c_int {
    enter("cuGetProcAddress_v2", Needs::Nothing, |call| {
        if symbol.is_null() {
            return Err(INVALID_VALUE);
        }
        // SAFETY: as the module says.
        let name = unsafe { CStr::from_ptr(symbol) }.to_str().map_err(|_| INVALID_VALUE)?;
        let found = symbols::find(name)
            .filter(|(full, _)| !call.configuration.missing.iter().any(|gone| gone == full));
        if !status.is_null() {
            // 0: found, 1: no such name.
            // SAFETY: as the module says.
            unsafe { status.write(c_int::from(found.is_none())) };
        }
        let address = found.map_or(std::ptr::null(), |(_, address)| address);
        // SAFETY: as the module says.
        unsafe { give(function, address.cast_mut().cast()) }?;
        found.map(|_| ()).ok_or(NOT_FOUND)
    })
}

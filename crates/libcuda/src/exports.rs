//! The functions behind [`Control`](crate::Control), which NVIDIA's library does not have.

use crate::configuration::Setup;
use crate::driver::{self, Driver};
use std::ffi::{CStr, c_char, c_int};

/// # Safety
/// The text must end with NUL.
unsafe fn setup(text: *const c_char) -> Option<Setup> {
    // SAFETY: the caller vouches for the text.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().ok()?.parse().ok()
}

/// # Safety
/// The text must end with NUL.
#[unsafe(no_mangle)]
unsafe extern "C" fn vyre_libcuda_reset(text: *const c_char) -> c_int {
    // SAFETY: the caller vouches for the text.
    let Some(setup) = (unsafe { setup(text) }) else { return 1 };
    driver::replace(Driver::new(setup));
    0
}

/// # Safety
/// The text must end with NUL.
#[unsafe(no_mangle)]
unsafe extern "C" fn vyre_libcuda_plan(text: *const c_char) -> c_int {
    // SAFETY: the caller vouches for the text.
    let Some(setup) = (unsafe { setup(text) }) else { return 1 };
    driver::current().lock().journal.set_plan(setup.plan);
    0
}

#[unsafe(no_mangle)]
extern "C" fn vyre_libcuda_release() {
    let driver = driver::current();
    driver.lock().devices.iter_mut().for_each(|device| device.work.release());
    driver.changed.notify_all();
}

#[unsafe(no_mangle)]
extern "C" fn vyre_libcuda_wait_held() {
    let driver = driver::current();
    let mut state = driver.lock();
    state.devices.iter_mut().for_each(|device| device.work.demand());
    driver.changed.notify_all();
    while !state.devices.iter().any(|device| device.work.holds()) {
        state = driver.wait(state);
    }
}

/// Bytes of the report, which is written if there is room for all of it.
///
/// # Safety
/// There must be as many bytes at `into` as `capacity` says.
#[unsafe(no_mangle)]
unsafe extern "C" fn vyre_libcuda_report(into: *mut c_char, capacity: usize) -> usize {
    let text = driver::current().lock().report().to_text();
    if text.len() <= capacity {
        // SAFETY: there is room, as the caller vouches.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr().cast(), into, text.len()) };
    }
    text.len()
}

//! The linker: it takes one text, and gives it back as a "cubin".

use super::jit::{Jit, check_input};
use crate::call::{Needs, enter, give};
use crate::codes::{INVALID_IMAGE, INVALID_VALUE, NOT_SUPPORTED};
use crate::device::Link;
use crate::image::{assemble, cubin, text_at};
use crate::table::Handle;
use std::ffi::{c_char, c_int, c_uint, c_void};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuLinkCreate_v2(
    count: c_uint,
    options: *mut c_int,
    values: *mut *mut c_void,
    link: *mut Handle,
) -> c_int {
    enter("cuLinkCreate_v2", Needs::Context, |call| {
        // SAFETY: as the module says.
        let log = unsafe { Jit::read(count, options, values) }?;
        let target =
            log.target.map_or(call.configuration.compute_capability, |target| (target / 10, target % 10));
        let handle = call.device().links.insert(Link { target, log, ..Link::default() });
        // SAFETY: as the module says.
        unsafe { give(link, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuLinkAddData_v2(
    link: Handle,
    kind: c_int,
    data: *mut c_void,
    bytes: usize,
    _name: *const c_char,
    count: c_uint,
    options: *mut c_int,
    values: *mut *mut c_void,
) -> c_int {
    enter("cuLinkAddData_v2", Needs::Context, |call| {
        check_input(kind)?;
        // SAFETY: as the module says.
        unsafe { Jit::read(count, options, values) }?;
        if data.is_null() || bytes == 0 {
            return Err(INVALID_VALUE);
        }
        let driver = call.configuration.driver_version;
        let link = call.device().links.get_mut(link)?;
        if link.text.is_some() {
            return Err(NOT_SUPPORTED);
        }
        // SAFETY: as the module says. A copy, since text here need not end with NUL.
        let mut copy = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), bytes) }.to_vec();
        copy.push(0);
        // SAFETY: it ends with NUL now.
        let (text, assembled) = unsafe { text_at(copy.as_ptr().cast(), link.target) }?;
        if assembled != (kind == 0) {
            return Err(INVALID_IMAGE);
        }
        // SAFETY: as the module says: logs are there until the link is destroyed.
        unsafe { link.log.tell(assemble(&text, link.target, driver)) }?;
        link.text = Some(text);
        Ok(())
    })
}

/// What is given belongs to the link.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuLinkComplete(
    link: Handle,
    image: *mut *mut c_void,
    bytes: *mut usize,
) -> c_int {
    enter("cuLinkComplete", Needs::Context, |call| {
        let link = call.device().links.get_mut(link)?;
        link.cubin = cubin(link.text.as_ref().ok_or(INVALID_VALUE)?, link.target);
        if !bytes.is_null() {
            // SAFETY: as the module says.
            unsafe { bytes.write(link.cubin.len()) };
        }
        // SAFETY: as the module says.
        unsafe { give(image, link.cubin.as_mut_ptr().cast()) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuLinkDestroy(link: Handle) -> c_int {
    enter("cuLinkDestroy", Needs::Context, |call| call.device().links.remove(link).map(|_| ()))
}

//! Modules and their functions.

use super::attributes::{Multiprocessor, SHARED_PER_BLOCK};
use super::jit::Jit;
use super::occupancy::most_threads;
use crate::call::{Call, Needs, enter, give};
use crate::codes::{Code, INVALID_VALUE, NOT_FOUND};
use crate::device::Function;
use crate::image::{Image, assemble, text_at};
use crate::table::Handle;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::Arc;

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuModuleLoadDataEx(
    module: *mut Handle,
    image: *const c_void,
    count: c_uint,
    options: *mut c_int,
    values: *mut *mut c_void,
) -> c_int {
    enter("cuModuleLoadDataEx", Needs::Context, |call| {
        if module.is_null() || image.is_null() {
            return Err(INVALID_VALUE);
        }
        let (device, driver) = (call.configuration.compute_capability, call.configuration.driver_version);
        // SAFETY: as the module says.
        let jit = unsafe { Jit::read(count, options, values) }?;
        // SAFETY: as the module says.
        let (text, _) = unsafe { text_at(image.cast(), device) }?;
        // SAFETY: as the module says.
        let assembled = unsafe { jit.tell(assemble(&text, device, driver)) }?;
        let image = Image { module: assembled, max_registers: jit.max_registers };
        let handle = call.device().modules.insert(Arc::new(image));
        // SAFETY: as the module says.
        unsafe { give(module, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuModuleUnload(module: Handle) -> c_int {
    enter("cuModuleUnload", Needs::Context, |call| {
        let device = call.device();
        let image = device.modules.remove(module)?;
        device.functions.retain(|function| function.module != module as usize);
        // Others than this one are launches and nodes of graphs.
        if Arc::strong_count(&image) > 1 {
            call.journal.problem("a module is unloaded while launches or graphs use it".into());
        }
        Ok(())
    })
}

/// The text at an address that is not null.
///
/// # Safety
/// As the module says.
unsafe fn name_at<'a>(name: *const c_char) -> Result<&'a str, Code> {
    if name.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: as the module says.
    unsafe { CStr::from_ptr(name) }.to_str().map_err(|_| INVALID_VALUE)
}

/// The same function has the same handle however often it is asked for.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuModuleGetFunction(
    function: *mut Handle,
    module: Handle,
    name: *const c_char,
) -> c_int {
    enter("cuModuleGetFunction", Needs::Context, |call| {
        // SAFETY: as the module says.
        let name = unsafe { name_at(name) }?;
        let device = call.device();
        let image = device.modules.get(module)?.clone();
        let entry = image.module.entries.iter().position(|entry| entry.name == name).ok_or(NOT_FOUND)?;
        let number = module as usize;
        let known = device.functions.find(|function| function.module == number && function.entry == entry);
        let handle = known.unwrap_or_else(|| {
            let shared = image.module.entries[entry].static_shared;
            let max_dynamic_shared = SHARED_PER_BLOCK.saturating_sub(shared);
            device.functions.insert(Function {
                module: number,
                image,
                entry,
                max_dynamic_shared,
                carveout: -1,
            })
        });
        // SAFETY: as the module says.
        unsafe { give(function, handle) }
    })
}

/// The interpreter has no variables of modules.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuModuleGetGlobal_v2(
    _address: *mut u64,
    _bytes: *mut usize,
    module: Handle,
    name: *const c_char,
) -> c_int {
    enter("cuModuleGetGlobal_v2", Needs::Context, |call| {
        // SAFETY: as the module says.
        unsafe { name_at(name) }?;
        call.device().modules.get(module)?;
        Err(NOT_FOUND)
    })
}

/// Registers of a thread of a function, as the configuration has them.
pub(super) fn registers(call: &Call<'_>, image: &Image) -> u32 {
    let registers = call.configuration.registers_per_thread;
    image.max_registers.map_or(registers, |most| registers.min(most))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuFuncGetAttribute(
    value: *mut c_int,
    attribute: c_int,
    function: Handle,
) -> c_int {
    enter("cuFuncGetAttribute", Needs::Context, |call| {
        let found = call.device().functions.get(function)?;
        let (image, max_dynamic_shared, carveout) =
            (found.image.clone(), found.max_dynamic_shared, found.carveout);
        let entry = &image.module.entries[found.entry];
        let (ptx, (major, minor)) = (image.module.version, call.configuration.compute_capability);
        let number = match attribute {
            0 => most_threads(entry) as c_int,
            1 => entry.static_shared as c_int,
            // Bytes of constants and of local memory, and whether caches are used.
            2 | 3 | 7 => 0,
            4 => registers(call, &image) as c_int,
            5 => (ptx.0 * 10 + ptx.1) as c_int,
            6 => (major * 10 + minor) as c_int,
            8 => max_dynamic_shared as c_int,
            9 => carveout,
            _ => return Err(INVALID_VALUE),
        };
        // SAFETY: as the module says.
        unsafe { give(value, number) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuFuncSetAttribute(
    function: Handle,
    attribute: c_int,
    value: c_int,
) -> c_int {
    enter("cuFuncSetAttribute", Needs::Context, |call| {
        let most = Multiprocessor::of(call.configuration.compute_capability).shared_per_block;
        let function = call.device().functions.get_mut(function)?;
        let shared = function.image.module.entries[function.entry].static_shared;
        match attribute {
            8 => {
                let bytes = u32::try_from(value).map_err(|_| INVALID_VALUE)?;
                if bytes > most.saturating_sub(shared) {
                    return Err(INVALID_VALUE);
                }
                function.max_dynamic_shared = bytes;
            }
            9 if (-1..=100).contains(&value) => function.carveout = value,
            _ => return Err(INVALID_VALUE),
        }
        Ok(())
    })
}

/// A wish that nothing comes of.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuFuncSetCacheConfig(function: Handle, preference: c_int) -> c_int {
    enter("cuFuncSetCacheConfig", Needs::Context, |call| {
        call.device().functions.get(function)?;
        if (0..=3).contains(&preference) { Ok(()) } else { Err(INVALID_VALUE) }
    })
}

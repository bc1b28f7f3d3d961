//! Memory in the order of a stream, and the pools that it is from.

use super::memory::allocate;
use crate::allocations::Pool;
use crate::call::{Call, Needs, enter, give};
use crate::codes::{Answer, Code, INVALID_VALUE, NOT_SUPPORTED};
use crate::operation::Operation;
use crate::table::Handle;
use std::ffi::{c_int, c_uint, c_void};

/// `CUmemPoolProps`.
#[repr(C)]
pub(super) struct PoolProperties {
    allocation_type: c_int,
    handle_types: c_int,
    location_type: c_int,
    location: c_int,
    security: *mut c_void,
    max_size: usize,
    usage: u16,
    reserved: [u8; 54],
}

/// `CU_MEM_ALLOCATION_TYPE_PINNED` and `CU_MEM_LOCATION_TYPE_DEVICE`.
const PINNED: c_int = 1;
const DEVICE: c_int = 1;

fn supported(call: &Call<'_>) -> Answer {
    if call.configuration.memory_pools { Ok(()) } else { Err(NOT_SUPPORTED) }
}

fn allocate_from(call: &mut Call<'_>, bytes: usize, pool: Handle, stream: Handle) -> Result<u64, Code> {
    supported(call)?;
    call.device().work.check(stream)?;
    call.device().allocations.pools.get(pool).map_err(|_| INVALID_VALUE)?;
    allocate(call, bytes, Some(pool))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemAllocAsync(address: *mut u64, bytes: usize, stream: Handle) -> c_int {
    enter("cuMemAllocAsync", Needs::Context, |call| {
        let pool = call.device().default_pool;
        let new = allocate_from(call, bytes, pool, stream)?;
        // SAFETY: as the module says.
        unsafe { give(address, new) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemAllocFromPoolAsync(
    address: *mut u64,
    bytes: usize,
    pool: Handle,
    stream: Handle,
) -> c_int {
    enter("cuMemAllocFromPoolAsync", Needs::Context, |call| {
        let new = allocate_from(call, bytes, pool, stream)?;
        // SAFETY: as the module says.
        unsafe { give(address, new) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemFreeAsync(address: u64, stream: Handle) -> c_int {
    enter("cuMemFreeAsync", Needs::Context, |call| {
        supported(call)?;
        let device = call.device();
        device.work.check(stream)?;
        let block = device.allocations.at(address)?;
        if block.pool.is_none() || block.freeing {
            return Err(INVALID_VALUE);
        }
        block.freeing = true;
        call.push(stream, Operation::Free { address }).map(|_| ())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuDeviceGetDefaultMemPool(pool: *mut Handle, device: c_int) -> c_int {
    enter("cuDeviceGetDefaultMemPool", Needs::Driver, |call| {
        let index = call.device_number(device)?;
        supported(call)?;
        // SAFETY: as the module says.
        unsafe { give(pool, call.devices[index].default_pool) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemPoolCreate(
    pool: *mut Handle,
    properties: *const PoolProperties,
) -> c_int {
    enter("cuMemPoolCreate", Needs::Driver, |call| {
        supported(call)?;
        // SAFETY: as the module says.
        let properties = unsafe { properties.as_ref() }.ok_or(INVALID_VALUE)?;
        if properties.allocation_type != PINNED || properties.location_type != DEVICE || pool.is_null() {
            return Err(INVALID_VALUE);
        }
        let index = call.device_number(properties.location)?;
        let handle = call.devices[index].allocations.pools.insert(Pool::default());
        // SAFETY: as the module says.
        unsafe { give(pool, handle) }
    })
}

/// The device that a pool is of.
fn owner(call: &Call<'_>, pool: Handle) -> Result<usize, Code> {
    supported(call)?;
    let is_owner = |device: &crate::device::Device| device.allocations.pools.get(pool).is_ok();
    call.devices.iter().position(is_owner).ok_or(INVALID_VALUE)
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemPoolDestroy(pool: Handle) -> c_int {
    enter("cuMemPoolDestroy", Needs::Driver, |call| {
        let index = owner(call, pool)?;
        call.devices[index].allocations.destroy_pool(pool)
    })
}

/// Attributes 1 to 3 say how memory is used again, which never happens here. They are not kept.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemPoolSetAttribute(
    pool: Handle,
    attribute: c_int,
    value: *mut c_void,
) -> c_int {
    enter("cuMemPoolSetAttribute", Needs::Driver, |call| {
        let index = owner(call, pool)?;
        let pool = call.devices[index].allocations.pools.get_mut(pool)?;
        if value.is_null() {
            return Err(INVALID_VALUE);
        }
        // SAFETY: as the module says: a u64 for these attributes.
        let number = || unsafe { value.cast::<u64>().read() };
        match attribute {
            1..=3 => {}
            4 => pool.threshold = number(),
            6 if number() == 0 => pool.reserved_high = pool.reserved,
            8 if number() == 0 => pool.used_high = pool.used,
            _ => return Err(INVALID_VALUE),
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemPoolGetAttribute(
    pool: Handle,
    attribute: c_int,
    value: *mut c_void,
) -> c_int {
    enter("cuMemPoolGetAttribute", Needs::Driver, |call| {
        let index = owner(call, pool)?;
        let pool = call.devices[index].allocations.pools.get(pool)?;
        let number = match attribute {
            // SAFETY: as the module says: an int for these attributes.
            1..=3 => return unsafe { give(value.cast::<c_uint>(), 1) },
            4 => pool.threshold,
            5 => pool.reserved,
            6 => pool.reserved_high,
            7 => pool.used,
            8 => pool.used_high,
            _ => return Err(INVALID_VALUE),
        };
        // SAFETY: as the module says: a u64 for these attributes.
        unsafe { give(value.cast(), number) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuMemPoolTrimTo(pool: Handle, keep: usize) -> c_int {
    enter("cuMemPoolTrimTo", Needs::Driver, |call| {
        let index = owner(call, pool)?;
        call.devices[index].allocations.pools.get_mut(pool)?.trim(keep as u64);
        Ok(())
    })
}

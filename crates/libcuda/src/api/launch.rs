//! Launches, and what is wrong with them.

use super::attributes::{BLOCK, GRID, REGISTERS};
use super::module::registers;
use super::occupancy::{blocks, most_threads, registers_of_block};
use crate::call::{Call, Needs, enter};
use crate::codes::{
    Answer, COOPERATIVE_LAUNCH_TOO_LARGE, Code, INVALID_VALUE, LAUNCH_OUT_OF_RESOURCES, NOT_SUPPORTED,
};
use crate::journal::Fate;
use crate::operation::{Launch, Operation};
use crate::table::Handle;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::Arc;

/// What a caller gives of a launch, however it does.
pub(super) struct Wish {
    pub function: Handle,
    pub grid: [c_uint; 3],
    pub block: [c_uint; 3],
    pub shared: c_uint,
    /// A pointer for each parameter, to its value.
    pub params: *mut *mut c_void,
    /// Or all of them as one block: pairs of what it is and a pointer.
    pub extra: *mut *mut c_void,
    pub cooperative: bool,
}

/// The parameter block.
///
/// # Safety
/// As the module says.
unsafe fn parameters(entry: &vyre_ptx_vm::Entry, wish: &Wish) -> Result<Vec<u8>, Code> {
    const END: usize = 0;
    const POINTER: usize = 1;
    const SIZE: usize = 2;
    let mut block = vec![0; entry.param_bytes];
    if !wish.params.is_null() {
        for (index, param) in entry.params.iter().enumerate() {
            // SAFETY: as the module says: there is a pointer for each parameter, to as many bytes as it has.
            let value = unsafe { *wish.params.add(index) };
            if value.is_null() {
                return Err(INVALID_VALUE);
            }
            let to = &mut block[param.offset..][..param.bytes];
            // SAFETY: the same.
            unsafe { std::ptr::copy_nonoverlapping(value.cast(), to.as_mut_ptr(), param.bytes) };
        }
        return Ok(block);
    }
    if wish.extra.is_null() {
        return if entry.params.is_empty() { Ok(block) } else { Err(INVALID_VALUE) };
    }
    let (mut start, mut size) = (std::ptr::null::<u8>(), None);
    for pair in 0.. {
        // SAFETY: as the module says: pairs, and one word that ends them.
        let key = unsafe { *wish.extra.add(2 * pair) } as usize;
        if key == END {
            break;
        }
        // SAFETY: the same.
        let value = unsafe { *wish.extra.add(2 * pair + 1) };
        match key {
            POINTER => start = value.cast(),
            // SAFETY: the same: a pointer to the size.
            SIZE => size = Some(unsafe { value.cast::<usize>().read() }),
            _ => return Err(INVALID_VALUE),
        }
    }
    if size != Some(block.len()) || start.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: as the module says: there are as many bytes as the size says.
    unsafe { std::ptr::copy_nonoverlapping(start, block.as_mut_ptr(), block.len()) };
    Ok(block)
}

/// Whether a device can do what is wanted, and what is then to be done.
///
/// # Safety
/// As the module says.
pub(super) unsafe fn prepare(call: &mut Call<'_>, wish: &Wish) -> Result<Launch, Code> {
    let found = call.device().functions.get(wish.function)?;
    let (image, index, most_shared) = (found.image.clone(), found.entry, found.max_dynamic_shared);
    let entry = &image.module.entries[index];
    let fits = |sizes: [u32; 3], most: [u32; 3]| (0..3).all(|axis| (1..=most[axis]).contains(&sizes[axis]));
    let threads: u64 = wish.block.iter().map(|size| u64::from(*size)).product();
    let is_required = entry.required_threads.is_none_or(|required| required == wish.block);
    if !fits(wish.grid, GRID)
        || !fits(wish.block, BLOCK)
        || threads > u64::from(most_threads(entry))
        || !is_required
    {
        return Err(INVALID_VALUE);
    }
    if wish.shared > most_shared {
        return Err(INVALID_VALUE);
    }
    if registers_of_block(registers(call, &image), threads as u32) > REGISTERS {
        return Err(LAUNCH_OUT_OF_RESOURCES);
    }
    if wish.cooperative {
        if !call.configuration.cooperative_launch {
            return Err(NOT_SUPPORTED);
        }
        let at_once = blocks(call, wish.function, threads as u32, wish.shared as usize)?;
        let at_once = u128::from(at_once) * u128::from(call.configuration.multiprocessors);
        if wish.grid.iter().map(|size| u128::from(*size)).product::<u128>() > at_once {
            return Err(COOPERATIVE_LAUNCH_TOO_LARGE);
        }
    }
    // SAFETY: as the module says.
    let params = unsafe { parameters(entry, wish) }?;
    *call.journal.kernels.entry(entry.name.clone()).or_default() += 1;
    Ok(Launch {
        image: image.clone(),
        entry: index,
        grid: wish.grid,
        block: wish.block,
        dynamic_shared: wish.shared,
        params,
        cooperative: wish.cooperative,
    })
}

/// Gives a stream a launch or a graph, or what a plan puts in its place.
pub(super) fn enqueue(call: &mut Call<'_>, stream: Handle, operation: Operation) -> Answer {
    call.device().work.check(stream)?;
    call.journal.blocks += operation.blocks();
    let (operation, held) = match call.journal.launch() {
        Fate::Runs => (operation, false),
        Fate::Held => (operation, true),
        Fate::Loses(code) => (Operation::Lose(code), false),
    };
    call.device().work.push(stream, operation, Vec::new(), held)?;
    call.driver.changed.notify_all();
    Ok(())
}

/// # Safety
/// As the module says.
unsafe fn launch(function: &'static str, wish: Wish, stream: Handle) -> c_int {
    enter(function, Needs::Context, |call| {
        call.device().work.check(stream)?;
        // SAFETY: as the module says.
        let launch = unsafe { prepare(call, &wish) }?;
        enqueue(call, stream, Operation::Launch(Arc::new(launch)))
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuLaunchKernel(
    function: Handle,
    grid_x: c_uint,
    grid_y: c_uint,
    grid_z: c_uint,
    block_x: c_uint,
    block_y: c_uint,
    block_z: c_uint,
    shared: c_uint,
    stream: Handle,
    params: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> c_int {
    let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
    let wish = Wish { function, grid, block, shared, params, extra, cooperative: false };
    // SAFETY: as the module says.
    unsafe { launch("cuLaunchKernel", wish, stream) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuLaunchCooperativeKernel(
    function: Handle,
    grid_x: c_uint,
    grid_y: c_uint,
    grid_z: c_uint,
    block_x: c_uint,
    block_y: c_uint,
    block_z: c_uint,
    shared: c_uint,
    stream: Handle,
    params: *mut *mut c_void,
) -> c_int {
    let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
    let wish = Wish { function, grid, block, shared, params, extra: std::ptr::null_mut(), cooperative: true };
    // SAFETY: as the module says.
    unsafe { launch("cuLaunchCooperativeKernel", wish, stream) }
}

/// `CUlaunchAttribute`.
#[repr(C)]
pub(super) struct LaunchAttribute {
    id: c_int,
    padding: [u8; 4],
    /// A union; its first number is what attributes of yes and no have.
    value: [u32; 16],
}

/// `CUlaunchConfig`.
#[repr(C)]
pub(super) struct LaunchConfiguration {
    grid: [c_uint; 3],
    block: [c_uint; 3],
    shared: c_uint,
    stream: Handle,
    attributes: *mut LaunchAttribute,
    count: c_uint,
}

/// Of the attributes only that a launch is cooperative changes anything; clusters are refused.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuLaunchKernelEx(
    configuration: *const LaunchConfiguration,
    function: Handle,
    params: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> c_int {
    const COOPERATIVE: c_int = 2;
    const CLUSTER: c_int = 4;
    enter("cuLaunchKernelEx", Needs::Context, |call| {
        // SAFETY: as the module says.
        let given = unsafe { configuration.as_ref() }.ok_or(INVALID_VALUE)?;
        let mut cooperative = false;
        for index in 0..given.count as usize {
            // SAFETY: as the module says: there are as many as the count says.
            let attribute = unsafe { &*given.attributes.add(index) };
            match attribute.id {
                COOPERATIVE => cooperative = attribute.value[0] != 0,
                CLUSTER => return Err(NOT_SUPPORTED),
                _ => {}
            }
        }
        let LaunchConfiguration { grid, block, shared, stream, .. } = *given;
        let wish = Wish { function, grid, block, shared, params, extra, cooperative };
        call.device().work.check(stream)?;
        // SAFETY: as the module says.
        let launch = unsafe { prepare(call, &wish) }?;
        enqueue(call, stream, Operation::Launch(Arc::new(launch)))
    })
}

//! Graphs.

use super::copy::{check, check_fill, host_range};
use super::launch::{Wish, enqueue, prepare};
use crate::call::{Call, Needs, enter, give};
use crate::codes::{Answer, Code, GRAPH_EXEC_UPDATE_FAILURE, INVALID_VALUE, NOT_SUPPORTED};
use crate::graph::Graph;
use crate::operation::{Fill, Operation};
use crate::table::Handle;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::Arc;

/// `CUDA_KERNEL_NODE_PARAMS`, its second version.
#[repr(C)]
pub(super) struct KernelNode {
    function: Handle,
    grid: [c_uint; 3],
    block: [c_uint; 3],
    shared: c_uint,
    params: *mut *mut c_void,
    extra: *mut *mut c_void,
    kernel: Handle,
    context: Handle,
}

/// One side of a `CUDA_MEMCPY3D`.
#[repr(C)]
#[derive(Copy, Clone)]
pub(super) struct CopySide {
    x_bytes: usize,
    y: usize,
    z: usize,
    level: usize,
    kind: c_int,
    host: *mut c_void,
    device: u64,
    array: *mut c_void,
    reserved: *mut c_void,
    pitch: usize,
    height: usize,
}

/// `CUDA_MEMCPY3D`.
#[repr(C)]
pub(super) struct CopyNode {
    from: CopySide,
    to: CopySide,
    width_bytes: usize,
    height: usize,
    depth: usize,
}

/// `CUDA_MEMSET_NODE_PARAMS`, its first version.
#[repr(C)]
pub(super) struct FillNode {
    to: u64,
    pitch: usize,
    value: c_uint,
    unit: c_uint,
    width: usize,
    height: usize,
}

fn supported(call: &Call<'_>) -> Answer {
    if call.configuration.graphs { Ok(()) } else { Err(NOT_SUPPORTED) }
}

/// Adds a node after others.
///
/// # Safety
/// As the module says.
unsafe fn add(
    call: &mut Call<'_>,
    node: *mut Handle,
    graph: Handle,
    after: *const Handle,
    count: usize,
    operation: Operation,
) -> Answer {
    if count > 0 && after.is_null() || node.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: as the module says: there are as many as the count says.
    let after = if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(after, count) } };
    let new = call.device().graphs.get_mut(graph)?.add(operation, after)?;
    // SAFETY: as the module says.
    unsafe { give(node, new) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphCreate(graph: *mut Handle, flags: c_uint) -> c_int {
    enter("cuGraphCreate", Needs::Context, |call| {
        supported(call)?;
        if flags != 0 || graph.is_null() {
            return Err(INVALID_VALUE);
        }
        let handle = call.device().graphs.insert(Graph::default());
        // SAFETY: as the module says.
        unsafe { give(graph, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphDestroy(graph: Handle) -> c_int {
    enter("cuGraphDestroy", Needs::Context, |call| call.device().graphs.remove(graph).map(|_| ()))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphAddEmptyNode(
    node: *mut Handle,
    graph: Handle,
    after: *const Handle,
    count: usize,
) -> c_int {
    enter("cuGraphAddEmptyNode", Needs::Context, |call| {
        // SAFETY: as the module says.
        unsafe { add(call, node, graph, after, count, Operation::Mark) }
    })
}

/// # Safety
/// As the module says.
unsafe fn kernel(call: &mut Call<'_>, node: *const KernelNode) -> Result<Operation, Code> {
    // SAFETY: as the module says.
    let node = unsafe { node.as_ref() }.ok_or(INVALID_VALUE)?;
    let KernelNode { function, grid, block, shared, params, extra, .. } = *node;
    let wish = Wish { function, grid, block, shared, params, extra, cooperative: false };
    // SAFETY: as the module says.
    Ok(Operation::Launch(Arc::new(unsafe { prepare(call, &wish) }?)))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphAddKernelNode_v2(
    node: *mut Handle,
    graph: Handle,
    after: *const Handle,
    count: usize,
    params: *const KernelNode,
) -> c_int {
    enter("cuGraphAddKernelNode_v2", Needs::Context, |call| {
        // SAFETY: as the module says.
        let operation = unsafe { kernel(call, params) }?;
        // SAFETY: as the module says.
        unsafe { add(call, node, graph, after, count, operation) }
    })
}

/// Copies of one line; `CU_MEMORYTYPE_HOST` is 1, `CU_MEMORYTYPE_DEVICE` 2.
fn copy(call: &mut Call<'_>, node: &CopyNode) -> Result<Operation, Code> {
    const HOST: c_int = 1;
    const DEVICE: c_int = 2;
    let (from, to, bytes) = (node.from, node.to, node.width_bytes);
    if node.height != 1 || node.depth != 1 {
        return Err(NOT_SUPPORTED);
    }
    let place = |side: &CopySide| (side.x_bytes + side.y * side.pitch) as u64;
    let (from_device, to_device) = (from.device + place(&from), to.device + place(&to));
    match (from.kind, to.kind) {
        (HOST, DEVICE) => {
            check(call, to_device, bytes as u64)?;
            let from = host_range(call, from.host as usize + place(&from) as usize, bytes)?;
            Ok(Operation::Upload { to: to_device, from })
        }
        (DEVICE, HOST) => {
            check(call, from_device, bytes as u64)?;
            let to = host_range(call, to.host as usize + place(&to) as usize, bytes)?;
            Ok(Operation::Download { from: from_device, to })
        }
        (DEVICE, DEVICE) => {
            check(call, from_device, bytes as u64)?;
            check(call, to_device, bytes as u64)?;
            Ok(Operation::Copy { to: to_device, from: from_device, bytes: bytes as u64 })
        }
        _ => Err(INVALID_VALUE),
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphAddMemcpyNode(
    node: *mut Handle,
    graph: Handle,
    after: *const Handle,
    count: usize,
    params: *const CopyNode,
    _context: Handle,
) -> c_int {
    enter("cuGraphAddMemcpyNode", Needs::Context, |call| {
        // SAFETY: as the module says.
        let operation = copy(call, unsafe { params.as_ref() }.ok_or(INVALID_VALUE)?)?;
        // SAFETY: as the module says.
        unsafe { add(call, node, graph, after, count, operation) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphAddMemsetNode(
    node: *mut Handle,
    graph: Handle,
    after: *const Handle,
    count: usize,
    params: *const FillNode,
    _context: Handle,
) -> c_int {
    enter("cuGraphAddMemsetNode", Needs::Context, |call| {
        // SAFETY: as the module says.
        let given = unsafe { params.as_ref() }.ok_or(INVALID_VALUE)?;
        let (width, height, pitch) = (given.width as u64, given.height as u64, given.pitch as u64);
        let fill = Fill { to: given.to, value: given.value, unit: given.unit, width, height, pitch };
        check_fill(call, &fill)?;
        // SAFETY: as the module says.
        unsafe { add(call, node, graph, after, count, Operation::Fill(fill)) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphInstantiateWithFlags(
    executable: *mut Handle,
    graph: Handle,
    _flags: u64,
) -> c_int {
    enter("cuGraphInstantiateWithFlags", Needs::Context, |call| {
        let copy = call.device().graphs.get(graph)?.clone();
        let handle = call.device().executables.insert(copy);
        // SAFETY: as the module says.
        unsafe { give(executable, handle) }
    })
}

/// Launches from then on are other ones; those that are under way are as they were.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphExecKernelNodeSetParams_v2(
    executable: Handle,
    node: Handle,
    params: *const KernelNode,
) -> c_int {
    enter("cuGraphExecKernelNodeSetParams_v2", Needs::Context, |call| {
        call.device().executables.get(executable)?;
        // SAFETY: as the module says.
        let new = unsafe { kernel(call, params) }?;
        let old = call.device().executables.get_mut(executable)?.operation(node)?;
        if !matches!(old, Operation::Launch(_)) {
            return Err(GRAPH_EXEC_UPDATE_FAILURE);
        }
        *old = new;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphLaunch(executable: Handle, stream: Handle) -> c_int {
    enter("cuGraphLaunch", Needs::Context, |call| {
        let device = call.device();
        device.work.check(stream)?;
        let order = device.executables.get(executable)?.order(&mut device.random);
        enqueue(call, stream, Operation::Graph(order.into()))
    })
}

/// Nothing is to be brought to the device before a launch.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphUpload(executable: Handle, stream: Handle) -> c_int {
    enter("cuGraphUpload", Needs::Context, |call| {
        call.device().work.check(stream)?;
        call.device().executables.get(executable).map(|_| ())
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn cuGraphExecDestroy(executable: Handle) -> c_int {
    enter("cuGraphExecDestroy", Needs::Context, |call| {
        call.device().executables.remove(executable).map(|_| ())
    })
}

//! All functions by name.

use super::*;

/// The function of that name; a name without the suffix of its version means the newest one.
pub(super) fn find(name: &str) -> Option<(&'static str, *const ())> {
    let versions = ["_v3", "_v2", ""].map(|version| format!("{name}{version}"));
    let mut found =
        versions.iter().filter_map(|full| FUNCTIONS.iter().find(|function| function.name == full));
    found.next().map(|function| (function.name, function.address))
}

struct Function {
    name: &'static str,
    address: *const (),
}

// SAFETY: addresses of functions are the same for all threads.
unsafe impl Sync for Function {}

macro_rules! functions {
    ($($family:ident: $($name:ident)*;)*) => {
        static FUNCTIONS: &[Function] = &[
            $($(Function { name: stringify!($name), address: $family::$name as *const () },)*)*
        ];
    };
}

functions! {
    context: cuDevicePrimaryCtxRetain cuDevicePrimaryCtxRelease_v2 cuDevicePrimaryCtxReset_v2
        cuDevicePrimaryCtxGetState cuDevicePrimaryCtxSetFlags_v2 cuCtxSetCurrent cuCtxGetCurrent
        cuCtxPushCurrent_v2 cuCtxPopCurrent_v2 cuCtxGetDevice cuCtxSynchronize cuCtxGetStreamPriorityRange;
    copy: cuMemcpyHtoD_v2 cuMemcpyHtoDAsync_v2 cuMemcpyDtoH_v2 cuMemcpyDtoHAsync_v2 cuMemcpyDtoDAsync_v2
        cuMemsetD8Async cuMemsetD32Async;
    device: cuDeviceGetCount cuDeviceGet cuDeviceGetName cuDeviceGetUuid_v2 cuDeviceGetPCIBusId
        cuDeviceGetAttribute cuDeviceTotalMem_v2 cuDeviceCanAccessPeer;
    event: cuEventCreate cuEventDestroy_v2 cuEventRecord cuEventQuery cuEventSynchronize cuEventElapsedTime
        cuEventElapsedTime_v2;
    general: cuInit cuDriverGetVersion cuGetErrorName cuGetErrorString cuGetProcAddress_v2;
    graph: cuGraphCreate cuGraphDestroy cuGraphAddEmptyNode cuGraphAddKernelNode_v2 cuGraphAddMemcpyNode
        cuGraphAddMemsetNode cuGraphInstantiateWithFlags cuGraphExecKernelNodeSetParams_v2 cuGraphLaunch
        cuGraphUpload cuGraphExecDestroy;
    launch: cuLaunchKernel cuLaunchCooperativeKernel cuLaunchKernelEx;
    link: cuLinkCreate_v2 cuLinkAddData_v2 cuLinkComplete cuLinkDestroy;
    memory: cuMemAlloc_v2 cuMemFree_v2 cuMemGetInfo_v2;
    module: cuModuleLoadDataEx cuModuleUnload cuModuleGetFunction cuModuleGetGlobal_v2 cuFuncGetAttribute
        cuFuncSetAttribute cuFuncSetCacheConfig;
    occupancy: cuOccupancyMaxActiveBlocksPerMultiprocessor
        cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags cuOccupancyMaxPotentialBlockSize;
    pinned: cuMemHostAlloc cuMemFreeHost cuMemHostRegister_v2 cuMemHostUnregister
        cuMemHostGetDevicePointer_v2;
    pool: cuMemAllocAsync cuMemAllocFromPoolAsync cuMemFreeAsync cuDeviceGetDefaultMemPool cuMemPoolCreate
        cuMemPoolDestroy cuMemPoolSetAttribute cuMemPoolGetAttribute cuMemPoolTrimTo;
    stream: cuStreamCreate cuStreamCreateWithPriority cuStreamDestroy_v2 cuStreamSynchronize cuStreamQuery
        cuStreamWaitEvent;
}

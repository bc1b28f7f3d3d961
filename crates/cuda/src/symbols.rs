//! NVIDIA's driver interface: types, numbers and functions, as `cuda.h` has them, under the names that NVIDIA's
//! documentation uses.
//!
//! Functions are looked up by the exact names they were written against (`_v2` and so on), which every later driver
//! keeps. Those that came with later drivers than the oldest one supported, CUDA 11.0, are optional.

use libloading::Library;
use std::ffi::{c_char, c_int, c_uint, c_void};

/// What a call gives: 0 for success.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Status(pub c_int);

/// Declares handles: pointers that only the driver looks behind. Which thread uses one is of no matter to the driver.
macro_rules! handles {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {
        $($(#[doc = $doc])+
        #[derive(Copy, Clone, PartialEq, Eq, Default, Debug)]
        #[repr(transparent)]
        pub struct $name(pub usize);)*
    };
}

handles! {
    /// A context.
    Context;
    /// A loaded module.
    Module;
    /// A kernel of a module.
    Function;
    /// A stream.
    Stream;
    /// An event.
    Event;
    /// A pool of memory.
    Pool;
    /// A linker at work.
    Link;
    /// A graph.
    Graph;
    /// A node of a graph.
    Node;
    /// A graph that can be launched.
    Executable;
}

/// The number of a device.
pub type Device = c_int;
/// An address of the device's memory.
pub type Address = u64;

/// `CUDA_KERNEL_NODE_PARAMS`, version 2.
#[repr(C)]
pub struct KernelNode {
    pub function: Function,
    pub grid: [c_uint; 3],
    pub block: [c_uint; 3],
    pub shared: c_uint,
    pub params: *mut *mut c_void,
    pub extra: *mut *mut c_void,
    pub kernel: *mut c_void,
    pub context: Context,
}

/// `CUmemPoolProps`.
#[repr(C)]
pub struct PoolProperties {
    /// 1: memory that is there.
    pub kind: c_int,
    pub handles: c_int,
    /// 1: of a device.
    pub location: c_int,
    pub device: Device,
    pub security: *mut c_void,
    /// 0: as large as the device.
    pub most: usize,
    pub reserved: [u8; 56],
}

pub const SUCCESS: Status = Status(0);
pub const NOT_READY: Status = Status(600);
pub const OUT_OF_MEMORY: Status = Status(2);
pub const NOT_SUPPORTED: Status = Status(801);
pub const NO_DEVICE: Status = Status(100);

/// `CUdevice_attribute`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Attribute {
    MaxThreadsPerBlock = 1,
    MaxBlockX = 2,
    MaxBlockY = 3,
    MaxBlockZ = 4,
    MaxGridX = 5,
    MaxGridY = 6,
    MaxGridZ = 7,
    WarpSize = 10,
    Multiprocessors = 16,
    Integrated = 18,
    ConcurrentKernels = 31,
    CapabilityMajor = 75,
    CapabilityMinor = 76,
    CooperativeLaunch = 95,
    MaxSharedPerBlockOptIn = 97,
    MemoryPools = 115,
}

/// `CUfunction_attribute`.
pub mod function {
    pub const MAX_THREADS_PER_BLOCK: i32 = 0;
    pub const LOCAL_BYTES: i32 = 3;
    pub const REGISTERS: i32 = 4;
    pub const MAX_DYNAMIC_SHARED_BYTES: i32 = 8;
}

/// `CUjit_option`.
pub mod jit {
    pub const INFO_LOG: i32 = 3;
    pub const INFO_LOG_BYTES: i32 = 4;
    pub const ERROR_LOG: i32 = 5;
    pub const ERROR_LOG_BYTES: i32 = 6;
    /// `CUjitInputType`: text of PTX.
    pub const PTX: i32 = 1;
}

/// `CU_STREAM_NON_BLOCKING`: not ordered with what other code of the process does on the default stream.
pub const NON_BLOCKING: c_uint = 1;
/// `CU_EVENT_DISABLE_TIMING`.
pub const UNTIMED: c_uint = 2;
/// `CU_MEMPOOL_ATTR_RELEASE_THRESHOLD`.
pub const RELEASE_THRESHOLD: c_int = 4;

/// A function that a driver may not have.
pub type Optional<F> = Option<F>;

/// Declares the table: each function's name, the symbol that it is found under, and its arguments.
macro_rules! table {
    (
        required { $($required:ident $symbol:literal ($($argument:ty),*);)* }
        optional { $($optional:ident $optional_symbol:literal ($($optional_argument:ty),*);)* }
    ) => {
        /// The functions of a driver library.
        #[allow(non_snake_case)] // as in NVIDIA's documentation
        pub struct Symbols {
            $(pub $required: unsafe extern "system" fn($($argument),*) -> Status,)*
            $(pub $optional: Optional<unsafe extern "system" fn($($optional_argument),*) -> Status>,)*
        }

        /// The symbols that every driver has.
        #[cfg(test)]
        pub const REQUIRED: &[&str] = &[$($symbol),*];
        /// The symbols that a driver may lack.
        #[cfg(test)]
        pub const OPTIONAL: &[&str] = &[$($optional_symbol),*];

        impl Symbols {
            /// Looks all of them up.
            ///
            /// # Errors
            /// The first symbol that every driver has and the library has not.
            ///
            /// # Safety
            /// What the library has under these names must be these functions, and the table not outlive it.
            pub unsafe fn of(library: &Library) -> Result<Symbols, &'static str> {
                Ok(Symbols {
                    $(
                        // SAFETY: it is this function, the caller says.
                        $required: unsafe { library.get(concat!($symbol, "\0").as_bytes()) }
                            .map(|symbol| *symbol)
                            .map_err(|_| $symbol)?,
                    )*
                    $(
                        // SAFETY: it is this function, the caller says.
                        $optional: unsafe { library.get(concat!($optional_symbol, "\0").as_bytes()) }
                            .map(|symbol| *symbol)
                            .ok(),
                    )*
                })
            }
        }
    };
}

table! {
    required {
        cuInit "cuInit" (c_uint);
        cuDriverGetVersion "cuDriverGetVersion" (*mut c_int);
        cuGetErrorName "cuGetErrorName" (Status, *mut *const c_char);
        cuDeviceGetCount "cuDeviceGetCount" (*mut c_int);
        cuDeviceGet "cuDeviceGet" (*mut Device, c_int);
        cuDeviceGetName "cuDeviceGetName" (*mut c_char, c_int, Device);
        cuDeviceGetAttribute "cuDeviceGetAttribute" (*mut c_int, c_int, Device);
        cuDeviceTotalMem "cuDeviceTotalMem_v2" (*mut usize, Device);
        cuDevicePrimaryCtxRetain "cuDevicePrimaryCtxRetain" (*mut Context, Device);
        cuDevicePrimaryCtxRelease "cuDevicePrimaryCtxRelease_v2" (Device);
        cuDevicePrimaryCtxReset "cuDevicePrimaryCtxReset_v2" (Device);
        cuCtxGetCurrent "cuCtxGetCurrent" (*mut Context);
        cuCtxSetCurrent "cuCtxSetCurrent" (Context);
        cuCtxSynchronize "cuCtxSynchronize" ();
        cuModuleLoadDataEx "cuModuleLoadDataEx" (*mut Module, *const c_void, c_uint, *mut c_int, *mut *mut c_void);
        cuModuleGetFunction "cuModuleGetFunction" (*mut Function, Module, *const c_char);
        cuModuleUnload "cuModuleUnload" (Module);
        cuFuncGetAttribute "cuFuncGetAttribute" (*mut c_int, c_int, Function);
        cuFuncSetAttribute "cuFuncSetAttribute" (Function, c_int, c_int);
        cuOccupancyMaxActiveBlocksPerMultiprocessor "cuOccupancyMaxActiveBlocksPerMultiprocessor" (
            *mut c_int, Function, c_int, usize
        );
        cuMemGetInfo "cuMemGetInfo_v2" (*mut usize, *mut usize);
        cuMemAlloc "cuMemAlloc_v2" (*mut Address, usize);
        cuMemFree "cuMemFree_v2" (Address);
        cuMemHostAlloc "cuMemHostAlloc" (*mut *mut c_void, usize, c_uint);
        cuMemFreeHost "cuMemFreeHost" (*mut c_void);
        cuMemcpyHtoDAsync "cuMemcpyHtoDAsync_v2" (Address, *const c_void, usize, Stream);
        cuMemcpyDtoHAsync "cuMemcpyDtoHAsync_v2" (*mut c_void, Address, usize, Stream);
        cuMemsetD8Async "cuMemsetD8Async" (Address, u8, usize, Stream);
        cuStreamCreate "cuStreamCreate" (*mut Stream, c_uint);
        cuStreamDestroy "cuStreamDestroy_v2" (Stream);
        cuStreamQuery "cuStreamQuery" (Stream);
        cuStreamWaitEvent "cuStreamWaitEvent" (Stream, Event, c_uint);
        cuEventCreate "cuEventCreate" (*mut Event, c_uint);
        cuEventDestroy "cuEventDestroy_v2" (Event);
        cuEventRecord "cuEventRecord" (Event, Stream);
        cuEventQuery "cuEventQuery" (Event);
        cuEventElapsedTime "cuEventElapsedTime" (*mut f32, Event, Event);
        cuLaunchKernel "cuLaunchKernel" (
            Function, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Stream, *mut *mut c_void,
            *mut *mut c_void
        );
    }
    optional {
        cuDeviceCanAccessPeer "cuDeviceCanAccessPeer" (*mut c_int, Device, Device);
        cuLaunchCooperativeKernel "cuLaunchCooperativeKernel" (
            Function, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Stream, *mut *mut c_void
        );
        cuMemPoolCreate "cuMemPoolCreate" (*mut Pool, *const PoolProperties);
        cuMemPoolDestroy "cuMemPoolDestroy" (Pool);
        cuMemPoolSetAttribute "cuMemPoolSetAttribute" (Pool, c_int, *mut c_void);
        cuMemPoolTrimTo "cuMemPoolTrimTo" (Pool, usize);
        cuMemAllocFromPoolAsync "cuMemAllocFromPoolAsync" (*mut Address, usize, Pool, Stream);
        cuMemFreeAsync "cuMemFreeAsync" (Address, Stream);
        cuLinkCreate "cuLinkCreate_v2" (c_uint, *mut c_int, *mut *mut c_void, *mut Link);
        cuLinkAddData "cuLinkAddData_v2" (
            Link, c_int, *mut c_void, usize, *const c_char, c_uint, *mut c_int, *mut *mut c_void
        );
        cuLinkComplete "cuLinkComplete" (Link, *mut *mut c_void, *mut usize);
        cuLinkDestroy "cuLinkDestroy" (Link);
        cuGraphCreate "cuGraphCreate" (*mut Graph, c_uint);
        cuGraphDestroy "cuGraphDestroy" (Graph);
        cuGraphAddKernelNode "cuGraphAddKernelNode_v2" (*mut Node, Graph, *const Node, usize, *const KernelNode);
        cuGraphInstantiate "cuGraphInstantiateWithFlags" (*mut Executable, Graph, u64);
        cuGraphExecKernelNodeSetParams "cuGraphExecKernelNodeSetParams_v2" (Executable, Node, *const KernelNode);
        cuGraphLaunch "cuGraphLaunch" (Executable, Stream);
        cuGraphExecDestroy "cuGraphExecDestroy" (Executable);
    }
}

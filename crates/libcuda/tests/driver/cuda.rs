//! The functions as tests call them: errors are numbers, memory is bytes.

use libloading::{Library, Symbol};
use std::ffi::{CString, c_int, c_void};
use vyre_libcuda::{Configuration, Control};

/// What a function returns instead of success.
pub type Result<T> = std::result::Result<T, c_int>;

/// A handle or an address.
pub type Handle = usize;

pub const INVALID_VALUE: c_int = 1;
pub const OUT_OF_MEMORY: c_int = 2;
pub const INVALID_CONTEXT: c_int = 201;
pub const INVALID_HANDLE: c_int = 400;
pub const NOT_READY: c_int = 600;
pub const ILLEGAL_ADDRESS: c_int = 700;

/// The stream that functions use when they are given none.
pub const LEGACY: Handle = 0;

/// The library, with the context of device 0 made and current.
pub struct Cuda {
    library: Library,
    pub control: Control,
    pub context: Handle,
}

/// Calls a function of the library by name: `call!(cuda, "cuMemFree_v2"(address => u64))`.
#[macro_export]
macro_rules! call {
    ($cuda:expr, $name:literal($($argument:expr => $type:ty),* $(,)?)) => {{
        // SAFETY: the test knows the function's type.
        let function = unsafe { $cuda.function::<unsafe extern "C" fn($($type),*) -> std::ffi::c_int>($name) };
        // SAFETY: the test vouches for the arguments.
        let result = unsafe { function($($argument),*) };
        if result == 0 { Ok(()) } else { Err(result) }
    }};
}

/// What a test loads. `fill` writes a value to the first `n` words, `increment` adds 1 to the first word alone, `outside`
/// writes far behind its memory, `odd` to an address that is no multiple of 4, `trap` traps, `wide` wants 64 threads.
pub const KERNELS: &str = "
.version 7.0
.target sm_70
.address_size 64

.visible .entry fill(.param .u64 p, .param .u32 n, .param .u32 value)
{
    .reg .pred %outside;
    .reg .u32 %block, %size, %thread, %index, %count, %value;
    .reg .u64 %base, %offset, %address;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mov.u32 %thread, %tid.x;
    mad.lo.u32 %index, %block, %size, %thread;
    ld.param.u32 %count, [n];
    setp.ge.u32 %outside, %index, %count;
    @%outside bra DONE;
    ld.param.u64 %base, [p];
    ld.param.u32 %value, [value];
    mul.wide.u32 %offset, %index, 4;
    add.u64 %address, %base, %offset;
    st.global.u32 [%address], %value;
DONE:
    ret;
}

.visible .entry increment(.param .u64 p)
{
    .reg .u32 %value;
    .reg .u64 %base;
    ld.param.u64 %base, [p];
    ld.global.u32 %value, [%base];
    add.u32 %value, %value, 1;
    st.global.u32 [%base], %value;
    ret;
}

.visible .entry outside(.param .u64 p)
{
    .reg .u32 %value;
    .reg .u64 %base;
    ld.param.u64 %base, [p];
    mov.u32 %value, 7;
    st.global.u32 [%base+1048576], %value;
    ret;
}

.visible .entry odd(.param .u64 p)
{
    .reg .u32 %value;
    .reg .u64 %base;
    ld.param.u64 %base, [p];
    mov.u32 %value, 7;
    st.global.u32 [%base+2], %value;
    ret;
}

.visible .entry trap()
{
    trap;
}

.visible .entry wide() .reqntid 64, 1, 1
{
    ret;
}

.visible .entry large()
{
    .shared .align 4 .b8 memory[40960];
    .reg .u32 %value;
    mov.u32 %value, 1;
    st.shared.u32 [memory], %value;
    ret;
}
";

impl Cuda {
    pub fn new() -> Cuda {
        Cuda::with(Configuration::default())
    }

    pub fn with(configuration: Configuration) -> Cuda {
        let mut cuda = Cuda::bare(configuration);
        cuda.init().unwrap();
        cuda.context = cuda.retain(0).unwrap();
        cuda.set_current(cuda.context).unwrap();
        cuda
    }

    /// Nothing is called yet.
    pub fn bare(configuration: Configuration) -> Cuda {
        let control = Control::new(configuration).unwrap();
        let path = vyre_libcuda::path().unwrap();
        // SAFETY: opening the library runs none of its code.
        let library = unsafe { Library::new(path) }.unwrap();
        Cuda { library, control, context: 0 }
    }

    /// # Safety
    /// The function must be of that type.
    pub unsafe fn function<T>(&self, name: &str) -> Symbol<'_, T> {
        // SAFETY: the caller vouches for the type.
        unsafe { self.library.get(name.as_bytes()) }.unwrap()
    }

    pub fn init(&self) -> Result<()> {
        call!(self, "cuInit"(0 => u32))
    }

    pub fn retain(&self, device: c_int) -> Result<Handle> {
        let mut context = 0;
        call!(self, "cuDevicePrimaryCtxRetain"(&mut context => *mut Handle, device => c_int))?;
        Ok(context)
    }

    pub fn release(&self) -> Result<()> {
        call!(self, "cuDevicePrimaryCtxRelease_v2"(0 => c_int))
    }

    pub fn reset(&self) -> Result<()> {
        call!(self, "cuDevicePrimaryCtxReset_v2"(0 => c_int))
    }

    pub fn set_current(&self, context: Handle) -> Result<()> {
        call!(self, "cuCtxSetCurrent"(context => Handle))
    }

    pub fn attribute(&self, attribute: c_int) -> Result<c_int> {
        let mut value = 0;
        call!(self, "cuDeviceGetAttribute"(&mut value => *mut c_int, attribute => c_int, 0 => c_int))?;
        Ok(value)
    }

    pub fn synchronize(&self) -> Result<()> {
        call!(self, "cuCtxSynchronize"())
    }

    pub fn allocate(&self, bytes: usize) -> Result<u64> {
        let mut address = 0;
        call!(self, "cuMemAlloc_v2"(&mut address => *mut u64, bytes => usize))?;
        Ok(address)
    }

    pub fn free(&self, address: u64) -> Result<()> {
        call!(self, "cuMemFree_v2"(address => u64))
    }

    pub fn free_bytes(&self) -> usize {
        let (mut free, mut total) = (0, 0);
        call!(self, "cuMemGetInfo_v2"(&mut free => *mut usize, &mut total => *mut usize)).unwrap();
        free
    }

    pub fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        call!(self, "cuMemcpyHtoD_v2"(to => u64, bytes.as_ptr() => *const u8, bytes.len() => usize))
    }

    pub fn read(&self, from: u64, bytes: usize) -> Result<Vec<u8>> {
        let mut into = vec![0; bytes];
        call!(self, "cuMemcpyDtoH_v2"(into.as_mut_ptr() => *mut u8, from => u64, bytes => usize))?;
        Ok(into)
    }

    /// New memory that holds these words.
    pub fn words(&self, words: &[u32]) -> u64 {
        let address = self.allocate(words.len() * 4).unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.write(address, &bytes).unwrap();
        address
    }

    pub fn read_words(&self, from: u64, count: usize) -> Result<Vec<u32>> {
        let bytes = self.read(from, count * 4)?;
        Ok(bytes.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect())
    }

    /// Pinned memory, which is never freed unless a test does so.
    pub fn pinned(&self, bytes: usize) -> Result<&'static mut [u8]> {
        let mut start: *mut u8 = std::ptr::null_mut();
        call!(self, "cuMemHostAlloc"(&mut start => *mut *mut u8, bytes => usize, 0 => u32))?;
        // SAFETY: the driver has just made that much memory, and it is nobody else's.
        Ok(unsafe { std::slice::from_raw_parts_mut(start, bytes) })
    }

    pub fn upload(&self, to: u64, from: &[u8], stream: Handle) -> Result<()> {
        let (start, bytes) = (from.as_ptr(), from.len());
        call!(self, "cuMemcpyHtoDAsync_v2"(to => u64, start => *const u8, bytes => usize, stream => Handle))
    }

    pub fn download(&self, into: &mut [u8], from: u64, stream: Handle) -> Result<()> {
        let (start, bytes) = (into.as_mut_ptr(), into.len());
        call!(self, "cuMemcpyDtoHAsync_v2"(start => *mut u8, from => u64, bytes => usize, stream => Handle))
    }

    pub fn set_words(&self, to: u64, value: u32, count: usize, stream: Handle) -> Result<()> {
        call!(self, "cuMemsetD32Async"(to => u64, value => u32, count => usize, stream => Handle))
    }

    pub fn stream(&self) -> Handle {
        let mut stream = 0;
        call!(self, "cuStreamCreate"(&mut stream => *mut Handle, 1 => u32)).unwrap();
        stream
    }

    pub fn wait(&self, stream: Handle) -> Result<()> {
        call!(self, "cuStreamSynchronize"(stream => Handle))
    }

    pub fn event(&self) -> Handle {
        let mut event = 0;
        call!(self, "cuEventCreate"(&mut event => *mut Handle, 0 => u32)).unwrap();
        event
    }

    pub fn record(&self, event: Handle, stream: Handle) -> Result<()> {
        call!(self, "cuEventRecord"(event => Handle, stream => Handle))
    }

    pub fn wait_event(&self, stream: Handle, event: Handle) -> Result<()> {
        call!(self, "cuStreamWaitEvent"(stream => Handle, event => Handle, 0 => u32))
    }

    /// A module, or the error and the log.
    pub fn load(&self, text: &str) -> std::result::Result<Handle, (c_int, String)> {
        let text = CString::new(text).unwrap();
        let (mut module, mut log) = (0, vec![0u8; 1024]);
        let mut options: [c_int; 2] = [5, 6];
        let mut values = [log.as_mut_ptr() as usize, log.len()];
        let (options, pairs) = (options.as_mut_ptr(), values.as_mut_ptr());
        let done = call!(self, "cuModuleLoadDataEx"(
            &mut module => *mut Handle, text.as_ptr().cast() => *const c_void, 2 => u32, options => *mut c_int,
            pairs => *mut usize
        ));
        log.truncate(values[1]);
        done.map(|()| module).map_err(|code| (code, String::from_utf8(log).unwrap()))
    }

    /// A function of [`KERNELS`].
    pub fn kernel(&self, name: &str) -> Handle {
        let module = self.load(KERNELS).unwrap();
        self.function_of(module, name).unwrap()
    }

    pub fn function_of(&self, module: Handle, name: &str) -> Result<Handle> {
        let (mut function, name) = (0, CString::new(name).unwrap());
        call!(self, "cuModuleGetFunction"(
            &mut function => *mut Handle, module => Handle, name.as_ptr().cast() => *const u8
        ))?;
        Ok(function)
    }

    /// Launches blocks of that many threads along x. Parameters are 64-bit words, of which a kernel reads what it takes.
    pub fn launch(
        &self,
        function: Handle,
        grid: u32,
        block: u32,
        params: &[u64],
        stream: Handle,
    ) -> Result<()> {
        self.launch_with("cuLaunchKernel", function, [grid, block, 0], params, stream)
    }

    /// Grid, block and bytes of shared memory; by the function of that name.
    pub fn launch_with(
        &self,
        name: &str,
        function: Handle,
        [grid, block, shared]: [u32; 3],
        params: &[u64],
        stream: Handle,
    ) -> Result<()> {
        type Launch = unsafe extern "C" fn(
            Handle,
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
            Handle,
            *const *const u64,
            usize,
        ) -> c_int;
        let pointers: Vec<*const u64> = params.iter().map(|param| param as *const u64).collect();
        // SAFETY: both functions are of that type, but for the last argument, which one of them has not, and which a
        // caller in C may then give all the same.
        let launch = unsafe { self.function::<Launch>(name) };
        // SAFETY: there is a pointer for each parameter.
        let code = unsafe { launch(function, grid, 1, 1, block, 1, 1, shared, stream, pointers.as_ptr(), 0) };
        if code == 0 { Ok(()) } else { Err(code) }
    }
}

/// Words as bytes.
pub fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

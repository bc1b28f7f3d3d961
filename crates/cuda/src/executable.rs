//! Programs as kernels of a device.
//!
//! A kernel is loaded when it is compiled, and stays so as long as its program, unless there are very many: then those that
//! were launched longest ago are unloaded, and loaded again from their code when they are launched.

use crate::library::{Failure, call};
use crate::link::{self, Refused, can_link};
use crate::merging::Merging;
use crate::opened::{Opened, PutOff, lock};
use crate::symbols::{self, NOT_SUPPORTED, OUT_OF_MEMORY, Status, function};
use crate::{ID, codes, errors, stored};
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use vyre_driver::{BackendError, CompileOptions, Executable, dump};
use vyre_ir::{Diagnostic, Memory, Program};
use vyre_opt::analysis::Fit;
use vyre_ptx::{Arch, Kernel, Param};

/// Kernels that are loaded at most, about.
const LOADED: usize = 512;

/// Bytes of workgroup memory that a launch may ask for without further ado.
const FREE_SHARED: u32 = 48 << 10;

/// What a launch has to know of a kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    pub entry: CString,
    pub params: Vec<Param>,
    /// Invocations of a workgroup.
    pub block: [u32; 3],
    /// How many workgroups can be one block.
    pub merges: u32,
    pub dynamic_shared: u32,
    /// Whether its blocks wait for each other.
    pub waits: bool,
    /// An entry that does the same if buffers fit, and what that means.
    pub fitted: Option<(CString, Vec<Fit>)>,
}

/// What a kernel is loaded from.
pub enum Image {
    /// What the device executes.
    Code(Vec<u8>),
    /// Text that ends in a zero, where the driver keeps its code for itself.
    Text(Vec<u8>),
}

/// A program as a kernel of one device.
pub struct CudaExecutable {
    pub opened: Arc<Opened>,
    pub facts: Facts,
    image: Image,
    slot: Arc<Slot>,
    /// How many of its blocks can wait for each other.
    waiting: u64,
    pub merging: Merging,
    notice: Option<String>,
    /// Of a control program: how often it decided in the last run, or 0.
    pub turns: AtomicU32,
}

/// Where a loaded kernel is, while it is loaded.
#[derive(Default)]
struct Slot {
    loaded: Mutex<Option<Arc<Loaded>>>,
    /// When it was asked for last, on [`Modules::clock`].
    used: AtomicU64,
}

/// A loaded kernel, unloaded when it is dropped.
pub struct Loaded {
    opened: Arc<Opened>,
    /// Whether it is not to be launched again: graphs that have it are given up.
    retired: AtomicBool,
    /// No two of a process have the same.
    pub id: u64,
    module: symbols::Module,
    function: symbols::Function,
    /// What does the same if buffers fit.
    fitted: Option<symbols::Function>,
}

/// The kernels of a device.
#[derive(Default)]
pub struct Modules {
    clock: AtomicU64,
    slots: Mutex<Vec<Weak<Slot>>>,
    /// How many were retired so far.
    retired: AtomicU64,
}

impl CudaExecutable {
    /// Compiles a legal program.
    pub fn compile(
        opened: &Arc<Opened>,
        program: &Program,
        options: &CompileOptions,
    ) -> Result<CudaExecutable, BackendError> {
        opened.usable()?;
        let arch = opened.description.arch;
        let emitted = vyre_ptx::emit(program, &ptx_options(arch, options));
        let kernel =
            emitted.map_err(|what| BackendError::Unsupported { backend: ID, what: Box::new(what) })?;
        let facts = Facts::of(&kernel)?;
        let mut text = kernel.ptx.into_bytes();
        text.push(0);
        let _inside = opened.enter()?;
        let driver = opened.driver();
        let refused = |refused| failed(opened, program, &refused, &text);
        let linked = match can_link(driver) {
            true => link::link(driver, &text).map(Some),
            false => Ok(None),
        };
        let image = match linked {
            Ok(Some(code)) => Image::Code(code),
            Ok(None) => Image::Text(text.clone()),
            Err(Refused { failure, .. }) if failure.status == NOT_SUPPORTED => Image::Text(text.clone()),
            Err(other) => return Err(refused(other)),
        };
        opened.counters.compilations.add(1);
        let loaded = Loaded::new(opened, &image, &facts).map_err(|error| match error {
            LoadError::Refused(refused) => failed(opened, program, &refused, &text),
            LoadError::Failed(failure) => opened.failed(&failure),
        })?;
        CudaExecutable::of(opened, program, facts, image, loaded)
    }

    /// Loads what was kept of a program; `None` when that is not understood, or the device does not take it.
    pub fn load(
        opened: &Arc<Opened>,
        program: &Program,
        kept: &[u8],
    ) -> Result<Option<CudaExecutable>, BackendError> {
        opened.usable()?;
        let Some((facts, code)) = stored::decode(program, kept) else { return Ok(None) };
        let _inside = opened.enter()?;
        let image = Image::Code(code.to_vec());
        let loaded = match Loaded::new(opened, &image, &facts) {
            Ok(loaded) => loaded,
            Err(LoadError::Refused(Refused { failure, .. }) | LoadError::Failed(failure)) => {
                return if errors::is_loss(failure.status) { Err(opened.failed(&failure)) } else { Ok(None) };
            }
        };
        opened.counters.loads.add(1);
        CudaExecutable::of(opened, program, facts, image, loaded).map(Some)
    }

    fn of(
        opened: &Arc<Opened>,
        program: &Program,
        facts: Facts,
        image: Image,
        loaded: Loaded,
    ) -> Result<CudaExecutable, BackendError> {
        let waiting = if facts.waits { loaded.waiting(&facts).map_err(|e| opened.failed(&e))? } else { 0 };
        loaded.check(&facts)?;
        let merging = Merging::of(&loaded, &facts).map_err(|e| opened.failed(&e))?;
        let notice = loaded.notice(program);
        let slot = Arc::new(Slot::default());
        opened.modules.add(&slot, Arc::new(loaded));
        let opened = opened.clone();
        Ok(CudaExecutable { opened, facts, image, slot, waiting, merging, notice, turns: AtomicU32::new(0) })
    }

    /// The kernel, loaded. The context is the thread's.
    pub fn loaded(&self) -> Result<Arc<Loaded>, BackendError> {
        let modules = &self.opened.modules;
        self.slot.used.store(modules.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        if let Some(loaded) = &*lock(&self.slot.loaded) {
            return Ok(loaded.clone());
        }
        let loaded = Loaded::new(&self.opened, &self.image, &self.facts);
        let loaded = Arc::new(loaded.map_err(|error| match error {
            LoadError::Refused(Refused { failure, .. }) | LoadError::Failed(failure) => {
                self.opened.failed(&failure)
            }
        })?);
        self.opened.counters.loads.add(1);
        modules.add(&self.slot, loaded.clone());
        Ok(loaded)
    }
}

impl Drop for CudaExecutable {
    fn drop(&mut self) {
        let loaded = lock(&self.slot.loaded).take();
        if let Some(loaded) = loaded {
            loaded.retire();
        }
    }
}

impl Executable for CudaExecutable {
    fn waiting_workgroups(&self) -> u64 {
        self.waiting
    }

    fn code(&self) -> Option<Vec<u8>> {
        match &self.image {
            Image::Code(code) => Some(stored::encode(&self.facts, code)),
            Image::Text(_) => None,
        }
    }

    fn notice(&self) -> Option<String> {
        self.notice.clone()
    }
}

/// How a program is written for a device.
fn ptx_options(arch: Arch, options: &CompileOptions) -> vyre_ptx::Options {
    let CompileOptions { unchecked, gated, keep_workgroups, .. } = *options;
    vyre_ptx::Options { unchecked, gated, keep_workgroups, ..vyre_ptx::Options::new(arch) }
}

/// That the driver's compiler did not take what was written for it, which ends in a zero: in its own words and with the
/// lines that it names.
fn failed(opened: &Opened, program: &Program, refused: &Refused, text: &[u8]) -> BackendError {
    let Refused { failure, log } = refused;
    // CUDA_ERROR_JIT_COMPILER_NOT_FOUND
    if failure.status == Status(221) {
        return BackendError::Unavailable {
            reason: format!("NVIDIA's driver has no compiler for PTX: {failure}"),
            fix: "Install the library libnvidia-ptxjitcompiler, which belongs to the driver.".into(),
        };
    }
    if errors::is_loss(failure.status) || failure.status == OUT_OF_MEMORY {
        return opened.failed(failure);
    }
    let text = String::from_utf8_lossy(&text[..text.len() - 1]);
    let mut words = format!("{failure}\n{log}");
    let numbers = log.split("line ").skip(1).filter_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse::<usize>().ok()
    });
    for number in numbers.take(4) {
        if let Some(line) = number.checked_sub(1).and_then(|number| text.lines().nth(number)) {
            words += &format!("\n{number}: {line}");
        }
    }
    words += &format!("\n{}", dump(program, "kernel.ptx", &text));
    BackendError::CompileFailed { backend: ID, log: words }
}

impl Facts {
    fn of(kernel: &Kernel) -> Result<Facts, BackendError> {
        let name = |entry: &str| {
            CString::new(entry).map_err(|_| errors::internal("the name of a kernel has a zero in it"))
        };
        Ok(Facts {
            entry: name(&kernel.entry)?,
            params: kernel.params.clone(),
            block: kernel.workgroup_size,
            merges: kernel.merges,
            dynamic_shared: kernel.dynamic_shared,
            waits: kernel.waits,
            fitted: match &kernel.fitted {
                Some(fitted) => Some((name(&fitted.entry)?, fitted.fits.clone())),
                None => None,
            },
        })
    }

    /// Threads of a workgroup.
    fn threads(&self) -> i32 {
        self.block.iter().fold(1u32, |n, axis| n.saturating_mul(*axis)).min(i32::MAX as u32) as i32
    }
}

/// Why a kernel was not loaded.
enum LoadError {
    Refused(Refused),
    Failed(Failure),
}

impl From<Failure> for LoadError {
    fn from(failure: Failure) -> LoadError {
        LoadError::Failed(failure)
    }
}

impl Loaded {
    /// The context is the thread's.
    fn new(opened: &Arc<Opened>, image: &Image, facts: &Facts) -> Result<Loaded, LoadError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let driver = opened.driver();
        let (Image::Code(bytes) | Image::Text(bytes)) = image;
        let module = link::load(driver, bytes).map_err(LoadError::Refused)?;
        opened.counters.modules.add(1);
        let mut loaded = Loaded {
            opened: opened.clone(),
            retired: AtomicBool::new(false),
            id: COUNT.fetch_add(1, Ordering::Relaxed),
            module,
            function: symbols::Function::default(),
            fitted: None,
        };
        loaded.function = loaded.find(&facts.entry, facts.dynamic_shared)?;
        if let Some((entry, _)) = &facts.fitted {
            loaded.fitted = Some(loaded.find(entry, facts.dynamic_shared)?);
        }
        Ok(loaded)
    }

    /// A function of the module, which may ask for so much shared memory.
    fn find(&self, entry: &CStr, dynamic_shared: u32) -> Result<symbols::Function, Failure> {
        let (driver, mut found) = (self.opened.driver(), symbols::Function::default());
        // SAFETY: the module is loaded, and the name ends in a zero.
        unsafe { call!(driver, cuModuleGetFunction(&mut found, self.module, entry.as_ptr())) }?;
        if dynamic_shared > FREE_SHARED {
            let (attribute, bytes) = (function::MAX_DYNAMIC_SHARED_BYTES, dynamic_shared as i32);
            // SAFETY: the function is the module's.
            unsafe { call!(driver, cuFuncSetAttribute(found, attribute, bytes)) }?;
        }
        Ok(found)
    }

    /// What is launched, where buffers fit or not.
    pub fn function(&self, fit: bool) -> symbols::Function {
        self.fitted.filter(|_| fit).unwrap_or(self.function)
    }

    fn functions(&self) -> impl Iterator<Item = symbols::Function> {
        std::iter::once(self.function).chain(self.fitted)
    }

    /// Whether it is not to be launched again.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// It is not launched again, once what is under way is done.
    fn retire(&self) {
        let opened = &self.opened;
        self.retired.store(true, Ordering::Release);
        opened.modules.retired.fetch_add(1, Ordering::SeqCst);
        if let Some(_inside) = opened.context.enter_to_free() {
            opened.lanes.give_up_retired(opened);
        }
    }

    /// Of each of its functions; what the driver does not say is left out.
    fn attributes(&self, attribute: i32) -> impl Iterator<Item = u64> {
        self.functions().filter_map(move |function| {
            let mut value = 0;
            // SAFETY: the function is the module's; the driver writes the number to where it is to go.
            unsafe { call!(self.opened.driver(), cuFuncGetAttribute(&mut value, attribute, function)) }
                .ok()?;
            u64::try_from(value).ok()
        })
    }

    /// How many workgroups can wait for each other.
    fn waiting(&self, facts: &Facts) -> Result<u64, Failure> {
        if self.opened.description.profile.supports_grid_sync { self.at_once(facts) } else { Ok(0) }
    }

    /// How many workgroups the device runs at once, each as a block.
    pub fn at_once(&self, facts: &Facts) -> Result<u64, Failure> {
        Ok(self.blocks(facts, 1)? * u64::from(self.opened.description.multiprocessors))
    }

    /// How many blocks of so many workgroups run on a multiprocessor at once.
    pub fn blocks(&self, facts: &Facts, workgroups: u32) -> Result<u64, Failure> {
        let (threads, shared) = (facts.threads() * workgroups as i32, facts.dynamic_shared as usize);
        let mut least = u64::MAX;
        for function in self.functions() {
            let mut blocks = 0;
            // SAFETY: the function is the module's; the driver writes the number to where it is to go.
            unsafe {
                call!(
                    self.opened.driver(),
                    cuOccupancyMaxActiveBlocksPerMultiprocessor(&mut blocks, function, threads, shared)
                )
            }?;
            least = least.min(blocks.max(0) as u64);
        }
        Ok(least)
    }

    /// Whether the device can launch it.
    fn check(&self, facts: &Facts) -> Result<(), BackendError> {
        let (has, takes) = (facts.threads() as u64, self.attributes(function::MAX_THREADS_PER_BLOCK).min());
        let unsupported = |what| BackendError::Unsupported { backend: ID, what: Box::new(what) };
        if let Some(takes) = takes.filter(|takes| *takes < has) {
            let registers = self.attributes(function::REGISTERS).max().unwrap_or(0);
            let message = format!(
                "a workgroup of {has} invocations needs {registers} registers for each, with which the device takes {takes}"
            );
            return Err(unsupported(Diagnostic::new(codes::D601, message).fix("Use a smaller workgroup.")));
        }
        Ok(())
    }

    /// That invocations keep values in memory that should be in registers.
    fn notice(&self, program: &Program) -> Option<String> {
        let own = program.buffers.values().filter(|decl| decl.memory == Memory::Private);
        let own: u64 = own.map(|decl| u64::from(decl.element.bytes()) * decl.count).sum();
        let spilled = self.attributes(function::LOCAL_BYTES).max()?.checked_sub(own.next_multiple_of(16))?;
        let registers = self.attributes(function::REGISTERS).max()?;
        (spilled > 0).then(|| {
            format!("each invocation has {registers} registers, and keeps {spilled} bytes in memory for lack of more")
        })
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.opened.counters.modules.sub(1);
        self.opened.give_back(PutOff::Module(self.module));
    }
}

impl Modules {
    /// How many were retired so far.
    pub fn retired(&self) -> u64 {
        self.retired.load(Ordering::SeqCst)
    }

    /// Puts a loaded kernel into its slot, and has others make room for it if there are too many.
    fn add(&self, slot: &Arc<Slot>, loaded: Arc<Loaded>) {
        slot.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        *lock(&slot.loaded) = Some(loaded);
        let mut slots = lock(&self.slots);
        let is_loaded = |slot: &Weak<Slot>| slot.upgrade().is_some_and(|slot| lock(&slot.loaded).is_some());
        if slots.len() >= LOADED {
            slots.retain(is_loaded);
        }
        if !slots.iter().any(|known| std::ptr::eq(known.as_ptr(), &**slot)) {
            slots.push(Arc::downgrade(slot));
        }
        let mut gone = Vec::new();
        while slots.len() > LOADED {
            let used = |slot: &Weak<Slot>| slot.upgrade().map_or(0, |slot| slot.used.load(Ordering::Relaxed));
            let Some((oldest, _)) = slots.iter().enumerate().min_by_key(|(_, slot)| used(slot)) else {
                break;
            };
            gone.extend(slots.swap_remove(oldest).upgrade().and_then(|slot| lock(&slot.loaded).take()));
        }
        drop(slots);
        gone.iter().for_each(|loaded| loaded.retire());
    }
}

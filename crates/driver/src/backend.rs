//! What a backend implements: identity, what legal means to it, compile, memory, submit, lifecycle. Everything a user
//! calls is written once above it, on [`Device`](crate::Device).

use crate::error::BackendError;
use crate::placement::Placement;
use crate::profile::DeviceProfile;
use smallvec::SmallVec;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use vyre_ir::Program;
use vyre_opt::{Schedule, Target};

/// A device opened through a backend.
///
/// A backend is a thin thing: it neither caches, checks inputs, nor remembers what a user allocated. After a loss it is
/// dropped, with all that came from it, and [`VyreBackend::reopen`] makes a new one.
pub trait VyreBackend: Send + Sync {
    /// The backend's stable id.
    fn id(&self) -> &'static str;

    /// What the device is and can do.
    fn profile(&self) -> &DeviceProfile;

    /// What a program must look like before [`VyreBackend::compile`] takes it; `None` for as it was written.
    fn target(&self) -> Option<Target>;

    /// Compiles a verified, legal program.
    fn compile(
        &self,
        program: &Arc<Program>,
        options: &CompileOptions,
    ) -> Result<Arc<dyn Executable>, BackendError>;

    /// Memory of the device, all zero, of exactly so many bytes, which may be 0. It is freed when it is dropped.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`], in which `what` says for what.
    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError>;

    /// Performs commands in order, as one unit of work with one synchronization at its end.
    ///
    /// Returns when all is done. Once `cancel` is requested it returns early with [`BackendError::Timeout`] if the
    /// device can be stopped; memory then holds what was written so far.
    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError>;

    /// Why the device is lost, if it is. Cheap: it is asked after every failure.
    fn device_lost(&self) -> Option<String>;

    /// Opens the same device again, after a loss.
    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError>;

    /// Finishes what is under way before the device is closed.
    fn shutdown(&self) {}

    /// Counters of the backend's own, by name.
    fn metrics(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// What, beside program and options, decides what code is made: versions of the code generator, features of the
    /// device. Part of the key under which code is cached.
    fn code_version(&self) -> String {
        String::new()
    }

    /// The executable that [`Executable::code`] gave these bytes of, for the same program, options and
    /// [`VyreBackend::code_version`]; `None` when the bytes are not understood.
    ///
    /// # Safety
    /// The bytes may be executed: they must be what [`Executable::code`] gave under that key.
    unsafe fn load(
        &self,
        _program: &Arc<Program>,
        _code: &[u8],
        _options: &CompileOptions,
    ) -> Result<Option<Arc<dyn Executable>>, BackendError> {
        Ok(None)
    }
}

/// What memory is asked for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct MemoryRequest<'a> {
    /// How much.
    pub bytes: u64,
    /// How it is best placed; a backend that cannot may place it elsewhere.
    pub placement: Placement,
    /// For what, in messages.
    pub what: &'a str,
}

/// What changes the code that is made.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct CompileOptions {
    /// Stop with [`BackendError::OutOfBounds`] at the first access out of bounds instead of reading 0. A backend that
    /// cannot gives [`BackendError::no_checked_mode`].
    pub checked: bool,
    /// Nothing is out of bounds: whoever asks for the program promises that. A backend may leave out what looks for it
    /// where only the device can come to harm, never the process; what an access out of bounds then does is as the device
    /// has it. Never together with `checked`.
    pub unchecked: bool,
    /// The program is a stage of which a [`Control`] decides on the device whether it runs: it is launched by
    /// [`Command::Stages`] with one, and in no other way. A backend for which that makes no difference may ignore it.
    pub gated: bool,
    /// The caller chose the workgroup's size, so it is also what the device is given where no result depends on it.
    pub keep_workgroups: bool,
    /// Allow results of floating-point arithmetic that differ in rounding. Checked code makes no use of it.
    pub fast_math: bool,
}

impl CompileOptions {
    /// What the optimizer does: in checked mode it only makes the program legal, so that no access that would be
    /// reported is moved, merged or left out.
    pub fn passes(&self) -> vyre_opt::Options<'static> {
        let schedule = if self.checked { Schedule::Legal } else { Schedule::All };
        vyre_opt::Options { schedule, fast_math: self.fast_math, ..vyre_opt::Options::default() }
    }
}

/// A program compiled for a device. The backend knows its own type of it again in [`VyreBackend::submit`].
pub trait Executable: Any + Send + Sync {
    /// Of a program that waits for its grid: how many workgroups can wait for each other. A larger grid runs as stages.
    fn waiting_workgroups(&self) -> u64 {
        0
    }

    /// The code as bytes that [`VyreBackend::load`] takes, also in another process; `None` when it cannot be kept.
    fn code(&self) -> Option<Vec<u8>> {
        None
    }

    /// What about it is not as good or as fast as it should be, and why, for people; `None` if there is nothing.
    fn notice(&self) -> Option<String> {
        None
    }
}

/// Memory of a device. The backend knows its own type of it again in [`VyreBackend::submit`].
pub trait DeviceMemory: Any + Send + Sync {
    /// Size in bytes.
    fn bytes(&self) -> u64;
}

/// One step of a submission.
pub enum Command<'a> {
    /// Copies bytes of the host to the device.
    Upload {
        /// To where.
        to: &'a dyn DeviceMemory,
        /// From which byte on.
        offset: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// Runs a program.
    Launch(Launch<'a>),
    /// Runs the stages of a program.
    Stages(Stages<'a>),
    /// Has a program handle the items of a work queue until none are left. Only for a device of
    /// [`DeviceProfile::supports_persistent_threads`] and [`DeviceProfile::host_memory`]; others get a
    /// [`Command::Launch`] of a program that waits for its grid, or [`Command::Stages`].
    Drain(Drain<'a>),
    /// Performs commands several times.
    Repeat {
        /// How often.
        times: u32,
        /// What.
        commands: Vec<Command<'a>>,
    },
    /// Copies bytes of the device to the host.
    Download {
        /// From where.
        from: &'a dyn DeviceMemory,
        /// From which byte on.
        offset: u64,
        /// To where, and how many.
        into: &'a mut [u8],
    },
}

/// One run of a program.
pub struct Launch<'a> {
    /// What [`VyreBackend::compile`] gave.
    pub executable: &'a dyn Executable,
    /// Workgroups along x, y, z.
    pub workgroups: [u32; 3],
    /// Memory of each buffer, in the order of `Program::buffers`.
    pub memory: SmallVec<[LaunchMemory<'a>; 8]>,
    /// Whether to have the device measure how long it takes, if it can. That may cost time.
    pub timed: bool,
}

/// One run of a program that is cut into stages: see [`vyre_opt::stages`].
pub struct Stages<'a> {
    /// What [`VyreBackend::compile`] gave for each stage.
    pub stages: SmallVec<[&'a dyn Executable; 8]>,
    /// What decides which of them run; without, each runs once, in order, with all workgroups.
    pub control: Option<Control<'a>>,
    /// Workgroups of the grid along x, y, z: no stage ever has more.
    pub workgroups: [u32; 3],
    /// Memory of each buffer, in the order of `Program::buffers` of every stage and of the control program.
    pub memory: SmallVec<[LaunchMemory<'a>; 8]>,
    /// As [`Launch::timed`].
    pub timed: bool,
}

/// What decides which stages of a program run.
pub struct Control<'a> {
    /// What [`VyreBackend::compile`] gave for the control program.
    pub executable: &'a dyn Executable,
    /// The rest.
    pub plan: &'a vyre_opt::stages::Control,
}

/// A program that handles the items of a work queue: see [`vyre_opt::queue`].
pub struct Drain<'a> {
    /// What [`VyreBackend::compile`] gave for it.
    pub executable: &'a dyn Executable,
    /// Where items are and how they are counted.
    pub queue: &'a vyre_opt::queue::Queue,
    /// Entries of the queue.
    pub capacity: u32,
    /// Memory of each buffer, in the order of `Program::buffers`.
    pub memory: SmallVec<[LaunchMemory<'a>; 8]>,
    /// As [`Launch::timed`].
    pub timed: bool,
}

/// Memory of one buffer during a run.
pub enum LaunchMemory<'a> {
    /// The buffer is not bound: workgroup or private memory.
    Unbound,
    /// Memory of the host, read only, of any alignment. Only for a device of [`DeviceProfile::host_memory`].
    Read(&'a [u8]),
    /// Memory of the host, read and written, aligned to 16 bytes. Only for a device of [`DeviceProfile::host_memory`].
    Write(&'a mut [u8]),
    /// Memory of the device.
    Device {
        /// Which.
        memory: &'a dyn DeviceMemory,
        /// Whether the program may write it.
        writes: bool,
    },
}

/// How long a submission took, in nanoseconds, as far as the backend measures it.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct Submitted {
    /// How often the host waited for the device after the first time: 0 unless a bound on what one submission holds was
    /// too small.
    pub further_waits: u32,
    /// Handing the work over to the device.
    pub enqueue_ns: Option<u64>,
    /// Waiting for the device.
    pub wait_ns: Option<u64>,
    /// All launches together, measured by the device; `None` unless all of them are [`Launch::timed`].
    pub device_ns: Option<u64>,
}

/// A flag that asks a run to stop; a run looks at it at least once in every turn of a loop.
#[derive(Default, Debug)]
pub struct Cancel {
    flag: AtomicU32,
}

impl Cancel {
    /// Asks the run to stop.
    pub fn request(&self) {
        self.flag.store(1, Ordering::Relaxed);
    }
    /// Whether it was asked.
    pub fn requested(&self) -> bool {
        self.flag.load(Ordering::Relaxed) != 0
    }
    /// Where generated code reads the flag: a u32 that is 0 until the run is to stop. Valid as long as `self`.
    pub fn address(&self) -> *const u32 {
        self.flag.as_ptr()
    }
}

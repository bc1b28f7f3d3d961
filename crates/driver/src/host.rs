//! Memory and submissions of devices that work in the host's memory: processors and interpreters. Such a backend
//! implements compiling and running one launch; the rest is here.

use crate::backend::{
    Cancel, Command, Control, DeviceMemory, Drain, Executable, Launch, LaunchMemory, MemoryRequest, Stages,
    Submitted,
};
use crate::drain::HostDrain;
use crate::error::BackendError;
use crate::memory::AlignedBytes;
use crate::spans::{self, TARGET};
use smallvec::SmallVec;
use std::any::Any;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use vyre_ir::Entity;
use vyre_opt::stages::{DONE, NEXT, args};

/// Device memory that is memory of the host.
pub struct HostMemory {
    bytes: RwLock<AlignedBytes>,
    len: u64,
}

impl HostMemory {
    /// Zeroed memory, for [`VyreBackend::allocate`](crate::VyreBackend::allocate).
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`].
    pub fn allocate(request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        let bytes = AlignedBytes::placed(request.bytes, request.placement, request.what)?;
        Ok(Arc::new(HostMemory { bytes: RwLock::new(bytes), len: request.bytes }))
    }

    /// To read.
    pub fn read(&self) -> RwLockReadGuard<'_, AlignedBytes> {
        self.bytes.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To write.
    pub fn write(&self) -> RwLockWriteGuard<'_, AlignedBytes> {
        self.bytes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeviceMemory for HostMemory {
    fn bytes(&self) -> u64 {
        self.len
    }
}

/// A launch whose memory is all in the host's memory.
pub struct HostLaunch<'a> {
    /// Workgroups along x, y, z.
    pub workgroups: [u32; 3],
    /// The only workgroup of the grid that runs; all of them when `None`.
    pub only: Option<[u32; 3]>,
    /// That the program handles the items of a work queue, all of which are to be handled, in any order. Only for a
    /// device of [`DeviceProfile::supports_persistent_threads`](crate::DeviceProfile::supports_persistent_threads).
    pub drain: Option<HostDrain<'a>>,
    /// Memory of each buffer, in the order of `Program::buffers`.
    pub memory: SmallVec<[HostBytes<'a>; 8]>,
    /// Asks the run to stop.
    pub cancel: &'a Cancel,
}

/// Memory of one buffer in the host's memory.
pub enum HostBytes<'a> {
    /// The buffer is not bound: workgroup or private memory.
    Unbound,
    /// Read only; any alignment.
    Read(&'a [u8]),
    /// Read and written; aligned to 16 bytes.
    Write(&'a mut [u8]),
}

/// Performs commands, with `run` for each launch: [`VyreBackend::submit`](crate::VyreBackend::submit) of a device that
/// works in the host's memory. `E` is the backend's type of executables.
///
/// # Errors
/// What `run` says; [`BackendError::Timeout`] when asked to stop between commands.
pub fn submit_on_host<E: Executable>(
    commands: &mut [Command<'_>],
    cancel: &Cancel,
    run: Run<'_, E>,
) -> Result<Submitted, BackendError> {
    for command in commands {
        if cancel.requested() {
            return Err(BackendError::stopped());
        }
        match command {
            Command::Upload { to, offset, bytes } => {
                let _span = spans::upload(bytes.len()).entered();
                let mut memory = own::<HostMemory>(*to)?.write();
                let len = memory.len();
                (range(*offset, bytes.len()).and_then(|range| memory.get_mut(range)))
                    .ok_or_else(|| outside("an upload", *offset, bytes.len(), len))?
                    .copy_from_slice(bytes);
            }
            Command::Launch(launch) => {
                let workgroups = tracing::field::debug(launch.workgroups);
                let _span = tracing::debug_span!(target: TARGET, "kernel", workgroups).entered();
                let Launch { executable, workgroups, memory, .. } = launch;
                let executable = own::<E>(*executable)?;
                bind(memory, Part::of(*workgroups), cancel, &mut |launch| run(executable, launch))?;
            }
            Command::Stages(stages) => stages_on_host(stages, cancel, run)?,
            Command::Drain(drain) => {
                let Drain { executable, queue, capacity, memory, .. } = drain;
                let executable = own::<E>(*executable)?;
                let drain = Some(HostDrain { queue, capacity: *capacity });
                let part = Part { drain, ..Part::of([1; 3]) };
                bind(memory, part, cancel, &mut |launch| run(executable, launch))?;
            }
            Command::Repeat { times, commands } => {
                for _ in 0..*times {
                    submit_on_host(commands, cancel, run)?;
                }
            }
            Command::Download { from, offset, into } => {
                let _span = tracing::debug_span!(target: TARGET, "readback", bytes = into.len()).entered();
                let memory = own::<HostMemory>(*from)?.read();
                let bytes = range(*offset, into.len()).and_then(|range| memory.get(range));
                into.copy_from_slice(
                    bytes.ok_or_else(|| outside("a download", *offset, into.len(), memory.len()))?,
                );
            }
        }
    }
    Ok(Submitted::default())
}

/// A backend's own type behind the driver's view of it.
///
/// # Errors
/// [`BackendError::Internal`] when it comes from another backend.
pub fn own<T: Any>(object: &dyn Any) -> Result<&T, BackendError> {
    let foreign = || BackendError::Internal { what: "an object of another backend".into() };
    object.downcast_ref().ok_or_else(foreign)
}

fn range(offset: u64, len: usize) -> Option<Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(len)?)
}

fn outside(what: &str, offset: u64, len: usize, memory: usize) -> BackendError {
    let what = format!("{what} of {len} bytes from byte {offset} on, of a memory of {memory} bytes");
    BackendError::Internal { what }
}

/// A lock on one memory of a launch.
enum Locked<'a> {
    Read(RwLockReadGuard<'a, AlignedBytes>),
    Write(RwLockWriteGuard<'a, AlignedBytes>),
}

/// What a locked memory still has to give: read-only bytes to everyone, bytes to write once.
enum Free<'a> {
    Read(&'a [u8]),
    Write(Option<&'a mut [u8]>),
}

/// What runs one launch of a backend's executable.
type Run<'r, E> = &'r mut dyn FnMut(&E, &mut HostLaunch<'_>) -> Result<(), BackendError>;

/// Runs stages, and between blocks of them the control program.
fn stages_on_host<E: Executable>(
    stages: &mut Stages<'_>,
    cancel: &Cancel,
    run: Run<'_, E>,
) -> Result<(), BackendError> {
    let Stages { stages, control, workgroups, memory, .. } = stages;
    let executables = stages.iter().map(|stage| own::<E>(*stage));
    let executables = executables.collect::<Result<SmallVec<[&E; 8]>, _>>()?;
    let Some(Control { executable, plan }) = control else {
        return executables.iter().try_for_each(|stage| {
            bind(memory, Part::of(*workgroups), cancel, &mut |launch| run(stage, launch))
        });
    };
    let decides = own::<E>(*executable)?;
    let blocks = plan.blocks.len() as u32;
    let mut last = blocks;
    loop {
        if cancel.requested() {
            return Err(BackendError::stopped());
        }
        let mut words = [0; 4];
        let part = Part { only: Some([last, 0, 0]), ..Part::of([blocks + 1, 1, 1]) };
        bind(memory, part, cancel, &mut |launch| {
            run(decides, launch)?;
            let state = match &launch.memory[plan.state.index()] {
                HostBytes::Read(bytes) => bytes,
                HostBytes::Write(bytes) => &**bytes,
                HostBytes::Unbound => &[],
            };
            let word =
                |i: u32| state[4 * i as usize..].first_chunk().map_or(DONE, |w| u32::from_le_bytes(*w));
            let next = word(NEXT);
            words = [next, 0, 0, 0];
            if next != DONE {
                words[1..].copy_from_slice(&[0, 1, 2].map(|axis| word(args(next as usize) + axis)));
            }
            Ok(())
        })?;
        let [next, workgroups @ ..] = words;
        if next == DONE {
            return Ok(());
        }
        let block = plan.blocks.get(next as usize).cloned();
        let stages = block.and_then(|block| executables.get(block));
        let missing = || BackendError::Internal { what: format!("a program has no block {next} of stages") };
        for stage in stages.ok_or_else(missing)? {
            bind(memory, Part::of(workgroups), cancel, &mut |launch| run(stage, launch))?;
        }
        last = next;
    }
}

/// What a launch on the host is, apart from its memory.
#[derive(Copy, Clone)]
struct Part<'a> {
    workgroups: [u32; 3],
    only: Option<[u32; 3]>,
    drain: Option<HostDrain<'a>>,
}

impl Part<'_> {
    fn of(workgroups: [u32; 3]) -> Self {
        Part { workgroups, only: None, drain: None }
    }
}

/// Locks the memory of a launch and gives the launch to `then`.
fn bind(
    memory: &mut [LaunchMemory<'_>],
    Part { workgroups, only, drain }: Part<'_>,
    cancel: &Cancel,
    then: &mut dyn FnMut(&mut HostLaunch<'_>) -> Result<(), BackendError>,
) -> Result<(), BackendError> {
    // Each memory once, in the order of addresses, so that two launches never wait for each other in a circle.
    let mut distinct: SmallVec<[(&HostMemory, bool); 8]> = SmallVec::new();
    for memory in &*memory {
        if let LaunchMemory::Device { memory, writes } = memory {
            distinct.push((own::<HostMemory>(*memory)?, *writes));
        }
    }
    let address = |memory: &HostMemory| std::ptr::from_ref(memory).addr();
    distinct.sort_by_key(|(memory, writes)| (address(memory), !writes));
    distinct.dedup_by_key(|(memory, _)| address(memory));
    let mut locked: SmallVec<[Locked<'_>; 8]> = (distinct.iter())
        .map(|(memory, writes)| match writes {
            true => Locked::Write(memory.write()),
            false => Locked::Read(memory.read()),
        })
        .collect();
    let mut free: SmallVec<[Free<'_>; 8]> = (locked.iter_mut())
        .map(|lock| match lock {
            Locked::Read(bytes) => Free::Read(bytes),
            Locked::Write(bytes) => Free::Write(Some(bytes)),
        })
        .collect();
    let mut all = SmallVec::with_capacity(memory.len());
    for slot in memory {
        all.push(match slot {
            LaunchMemory::Unbound => HostBytes::Unbound,
            LaunchMemory::Read(bytes) => HostBytes::Read(bytes),
            LaunchMemory::Write(bytes) => HostBytes::Write(bytes),
            LaunchMemory::Device { memory, .. } => {
                let wanted = address(own::<HostMemory>(*memory)?);
                let found = distinct.iter().position(|(memory, _)| address(memory) == wanted);
                match found.map(|i| &mut free[i]) {
                    Some(Free::Read(bytes)) => HostBytes::Read(bytes),
                    Some(Free::Write(bytes)) => match bytes.take() {
                        Some(bytes) => HostBytes::Write(bytes),
                        None => {
                            let what = "a memory that is written is bound twice".into();
                            return Err(BackendError::Internal { what });
                        }
                    },
                    None => return Err(BackendError::Internal { what: "a memory was not locked".into() }),
                }
            }
        });
    }
    then(&mut HostLaunch { workgroups, only, drain, memory: all, cancel })
}

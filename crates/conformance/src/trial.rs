//! A program with the grid and the memory it runs on, and what became of its memory: on the oracle, on a backend.

use crate::case::as_f64;
use crate::list::from_bytes;
use crate::random;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};
use std::time::Duration;
use vyre_driver::{
    BackendError, Cancel, Command, CompileOptions, Device, DeviceMemory, DispatchConfig, Grid, Launch,
    LaunchMemory, MemoryRequest, Placement, Resource, VyreBackend, with_timeout,
};
use vyre_ir::{BufferDecl, Memory, Program};
use vyre_reference::Bytes;

/// More than any generated program takes.
pub const STEPS: u64 = 20_000_000;

/// More than any program of [`STEPS`] takes, compiled.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A program and what it runs on.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What runs.
    pub program: Program,
    /// How many workgroups of it.
    pub grid: [u32; 3],
    /// The bytes of every buffer before the run, indexed like the program's buffers; empty for memory that is not bound.
    pub contents: Vec<Vec<u8>>,
    /// How long a backend may take.
    pub patience: Duration,
}

/// The bytes of every buffer after a run.
pub type Memories = Vec<Vec<u8>>;

impl Trial {
    /// The random program of a seed, with its grid and inputs.
    pub fn random(seed: u64, options: &random::Options) -> Trial {
        let program = random::program(seed, options);
        Trial {
            grid: random::grid(seed),
            contents: random::inputs(seed, &program),
            program,
            patience: PATIENCE,
        }
    }

    /// Another program on the same grid and memory.
    pub fn with(&self, program: Program) -> Trial {
        Trial { program, contents: self.contents.clone(), ..*self }
    }

    /// How many invocations run.
    pub fn invocations(&self) -> u64 {
        self.grid.iter().map(|&n| n as u64).product::<u64>() * self.program.workgroup_invocations()
    }

    /// What the oracle makes of it.
    ///
    /// # Errors
    /// What the oracle says, also when the program takes more than `steps`.
    pub fn oracle(&self, steps: u64) -> Result<Memories, String> {
        let mut contents = self.contents.clone();
        let buffers = self.program.buffers.values().zip(&mut contents);
        let mut buffers: Vec<Bytes<'_>> = buffers
            .map(|(decl, bytes)| match decl.memory {
                Memory::Workgroup | Memory::Private => Bytes::Unbound,
                _ if decl.access.writes() => Bytes::Write(bytes),
                _ => Bytes::Read(bytes),
            })
            .collect();
        let options = vyre_reference::Options { step_limit: steps, ..Default::default() };
        vyre_reference::run(&self.program, self.grid, &mut buffers, &options).map_err(|e| e.to_string())?;
        Ok(contents)
    }

    /// What a backend makes of it, without optimizing.
    ///
    /// # Errors
    /// What the backend says; [`BackendError::Timeout`] when it does not come to an end.
    pub fn backend(&self, backend: &dyn VyreBackend) -> Result<Memories, BackendError> {
        let executable = backend.compile(&Arc::new(self.program.clone()), &CompileOptions::default())?;
        let allocate = |(bytes, decl): (&Vec<u8>, &BufferDecl)| {
            let request =
                MemoryRequest { bytes: bytes.len() as u64, what: "a trial", placement: Placement::default() };
            let bound = decl.memory.is_bound();
            bound.then(|| backend.allocate(&request)).transpose()
        };
        let memories = self.contents.iter().zip(self.program.buffers.values()).map(allocate);
        let memories: Vec<Option<Arc<dyn DeviceMemory>>> = memories.collect::<Result<_, _>>()?;
        let mut contents = self.contents.clone();
        let mut commands = Vec::new();
        for (memory, bytes) in memories.iter().zip(&self.contents) {
            if let Some(memory) = memory {
                commands.push(Command::Upload { to: &**memory, offset: 0, bytes });
            }
        }
        let decls = || self.program.buffers.values();
        let memory = decls().zip(&memories).map(|(decl, memory)| match memory {
            None => LaunchMemory::Unbound,
            Some(memory) => LaunchMemory::Device { memory: &**memory, writes: decl.access.writes() },
        });
        let launch = Launch {
            executable: &*executable,
            workgroups: self.grid,
            memory: memory.collect(),
            timed: false,
        };
        commands.push(Command::Launch(launch));
        for ((decl, memory), into) in decls().zip(&memories).zip(&mut contents) {
            if let Some(memory) = memory
                && decl.access.writes()
            {
                commands.push(Command::Download { from: &**memory, offset: 0, into });
            }
        }
        let cancel = &Cancel::default();
        let result = with_timeout(Some(self.patience), cancel, || backend.submit(&mut commands, cancel));
        drop(commands);
        if cancel.requested() {
            return Err(BackendError::Timeout { seconds: self.patience.as_secs_f64(), stopped: true });
        }
        result?;
        Ok(contents)
    }

    /// What a device makes of it through the driver.
    ///
    /// # Errors
    /// What the driver says.
    pub fn device(&self, device: &Device, config: &DispatchConfig) -> Result<Memories, BackendError> {
        let config = DispatchConfig {
            grid: Grid::Workgroups(self.grid),
            timeout: Some(self.patience),
            ..config.clone()
        };
        let compiled = device.compile(&self.program, &config)?;
        let bound = compiled.plan().bound().map(|b| Resource::Bytes(&self.contents[b.buffer_index]));
        let outputs = compiled.dispatch_resources(&bound.collect::<Vec<_>>(), &config)?;
        let mut contents = self.contents.clone();
        for (b, bytes) in compiled.plan().outputs().zip(&outputs.buffers) {
            contents[b.buffer_index] = bytes.to_vec();
        }
        Ok(contents)
    }

    /// Where two runs differ first, in words. In a buffer of floats any NaN is like any other.
    pub fn difference(&self, expected: &Memories, found: &Memories) -> Option<String> {
        let pairs = self.program.buffers.values().zip(expected.iter().zip(found));
        for (decl, (expected, found)) in pairs.filter(|(_, (a, b))| a != b) {
            let scalar = decl.element.scalar;
            let size = scalar.bytes() as usize;
            let differs = |at: &usize| {
                let [a, b] =
                    [expected, found].map(|bytes| from_bytes(&bytes[*at..bytes.len().min(at + size)]));
                a != b && !(scalar.is_float() && as_f64(scalar, a).is_nan() && as_f64(scalar, b).is_nan())
            };
            let Some(at) = (0..expected.len()).step_by(size).find(differs) else { continue };
            let show = |bytes: &[u8]| {
                let words = bytes[at..bytes.len().min(at + 8)].iter().map(|b| format!("{b:02x}"));
                words.collect::<Vec<_>>().join(" ")
            };
            let (expected, found) = (show(expected), show(found));
            return Some(format!("`{}` from byte {at} on is {found}, expected {expected}", decl.name));
        }
        None
    }
}

thread_local! {
    /// Whether a panic of this thread is expected, and nothing to print.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives, or the message it panics with, which is not printed.
///
/// # Errors
/// The message.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                usual(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result.map_err(|panic| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().map_or("a panic".into(), |s| s.to_string()),
    })
}

//! What a device does: copies, fills and launches, each from its beginning to its end.

use crate::codes::{
    Code, ILLEGAL_ADDRESS, ILLEGAL_INSTRUCTION, LAUNCH_FAILED, LAUNCH_TIMEOUT, MISALIGNED_ADDRESS,
};
use crate::host::Pinned;
use crate::image::Image;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use vyre_ptx_vm::{Fault, FaultKind, Memory, Options};

/// Memory of the host.
#[derive(Clone)]
pub(crate) struct HostRange {
    pub start: usize,
    pub bytes: usize,
    /// The pinned memory it lies in, which lives as long as somebody is to use it.
    pub pinned: Option<Arc<Pinned>>,
}

/// A launch.
#[derive(Clone)]
pub(crate) struct Launch {
    pub image: Arc<Image>,
    pub entry: usize,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub dynamic_shared: u32,
    pub params: Vec<u8>,
    pub cooperative: bool,
}

/// A memory of lines: `height` of them, each of `width` units, `pitch` bytes from one to the next.
#[derive(Clone)]
pub(crate) struct Fill {
    pub to: u64,
    pub value: u32,
    /// Bytes of a unit: 1, 2 or 4.
    pub unit: u32,
    pub width: u64,
    pub height: u64,
    pub pitch: u64,
}

impl Fill {
    /// Bytes from the first to the last, or `None` where no memory is that large.
    pub fn extent(&self) -> Option<u64> {
        let line = self.width.checked_mul(u64::from(self.unit))?;
        self.height.checked_sub(1)?.checked_mul(self.pitch)?.checked_add(line)
    }
}

/// A piece of work.
#[derive(Clone)]
pub(crate) enum Operation {
    /// Nothing: a place in a stream.
    Mark,
    /// What the caller's memory held when it asked for the copy.
    Staged {
        to: u64,
        bytes: Arc<[u8]>,
    },
    /// From memory that is read when the turn comes.
    Upload {
        to: u64,
        from: HostRange,
    },
    Download {
        from: u64,
        to: HostRange,
    },
    Copy {
        to: u64,
        from: u64,
        bytes: u64,
    },
    Fill(Fill),
    Launch(Arc<Launch>),
    /// Memory that is then free.
    Free {
        address: u64,
    },
    /// One after the other.
    Graph(Arc<[Operation]>),
    /// The device is lost.
    Lose(Code),
}

impl Operation {
    /// Blocks that it launches.
    pub fn blocks(&self) -> u64 {
        match self {
            Operation::Launch(launch) => launch.grid.iter().map(|size| u64::from(*size)).product(),
            Operation::Graph(all) => all.iter().map(Operation::blocks).sum(),
            _ => 0,
        }
    }
}

/// Why a piece of work did not end.
pub(crate) struct Failure {
    pub code: Code,
    pub text: String,
}

/// What work is done with.
pub(crate) struct Machine {
    pub memory: Arc<Mutex<Memory>>,
    /// Pinned memory that has addresses on the device, with these.
    pub mirrors: Vec<(u64, Arc<Pinned>)>,
    pub seed: u64,
    pub races: bool,
    pub uninitialized: bool,
    pub step_limit: u64,
    pub stop: Arc<AtomicBool>,
}

impl Machine {
    /// Does a piece of work. What pinned memory holds is brought to the device before, and what changed, back after.
    pub fn run(&self, operation: &Operation) -> Result<(), Failure> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let before: Vec<Vec<u8>> =
            self.mirrors.iter().map(|(_, range)| read_host(range.start, range.bytes)).collect();
        for ((address, _), bytes) in self.mirrors.iter().zip(&before) {
            memory.write(*address, bytes);
        }
        let done = self.step(operation, &mut memory);
        for ((address, range), before) in self.mirrors.iter().zip(&before) {
            let mut after = vec![0; range.bytes];
            memory.read(*address, &mut after);
            for (index, byte) in after.iter().enumerate().filter(|(index, byte)| before[*index] != **byte) {
                write_host(range.start + index, std::slice::from_ref(byte));
            }
        }
        done
    }

    fn step(&self, operation: &Operation, memory: &mut Memory) -> Result<(), Failure> {
        let outside = |address: u64, bytes: u64| Failure {
            code: ILLEGAL_ADDRESS,
            text: format!("a copy touches {bytes} bytes at {address:#x}, which are in no allocation"),
        };
        match operation {
            Operation::Mark => Ok(()),
            Operation::Staged { to, bytes } => {
                memory.write(*to, bytes).ok_or_else(|| outside(*to, bytes.len() as u64))
            }
            Operation::Upload { to, from } => {
                let bytes = read_host(from.start, from.bytes);
                memory.write(*to, &bytes).ok_or_else(|| outside(*to, bytes.len() as u64))
            }
            Operation::Download { from, to } => {
                let mut bytes = vec![0; to.bytes];
                memory.read(*from, &mut bytes).ok_or_else(|| outside(*from, bytes.len() as u64))?;
                write_host(to.start, &bytes);
                Ok(())
            }
            Operation::Copy { to, from, bytes } => {
                let mut copied = vec![0; *bytes as usize];
                memory.read(*from, &mut copied).ok_or_else(|| outside(*from, *bytes))?;
                memory.write(*to, &copied).ok_or_else(|| outside(*to, *bytes))
            }
            Operation::Fill(fill) => {
                let unit = &fill.value.to_le_bytes()[..fill.unit as usize];
                let line = unit.repeat(fill.width as usize);
                let mut lines = (0..fill.height).map(|line| fill.to + line * fill.pitch);
                lines.try_for_each(|to| memory.write(to, &line).ok_or_else(|| outside(to, line.len() as u64)))
            }
            Operation::Free { address } => {
                memory.free(*address);
                Ok(())
            }
            Operation::Graph(steps) => steps.iter().try_for_each(|step| self.step(step, memory)),
            Operation::Launch(launch) => self.launch(launch, memory),
            Operation::Lose(code) => {
                Err(Failure { code: *code, text: "the device is lost, as planned".into() })
            }
        }
    }

    fn launch(&self, launch: &Launch, memory: &mut Memory) -> Result<(), Failure> {
        let entry = &launch.image.module.entries[launch.entry];
        let options = Options {
            seed: self.seed,
            races: self.races,
            uninitialized: self.uninitialized,
            step_limit: self.step_limit,
            stop: Some(&self.stop),
            ..Options::default()
        };
        let given = vyre_ptx_vm::Launch {
            grid: launch.grid,
            block: launch.block,
            dynamic_shared: launch.dynamic_shared,
            params: &launch.params,
            cooperative: launch.cooperative,
        };
        let run = catch_unwind(AssertUnwindSafe(|| {
            vyre_ptx_vm::run(entry, memory, &given, &options).map_err(Box::new)
        }));
        match run {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(fault)) => Err(Failure { code: code_of(fault.kind), text: describe(&entry.name, &fault) }),
            Err(_) => Err(Failure {
                code: LAUNCH_FAILED,
                text: format!("{}: the interpreter panicked", entry.name),
            }),
        }
    }
}

/// What a GPU makes of such a fault. It knows nothing of races and of what was never written; here they end the kernel,
/// since a test is to see them.
fn code_of(kind: FaultKind) -> Code {
    match kind {
        FaultKind::Bounds => ILLEGAL_ADDRESS,
        FaultKind::Misaligned => MISALIGNED_ADDRESS,
        FaultKind::Deadlock | FaultKind::StepLimit | FaultKind::Stopped => LAUNCH_TIMEOUT,
        FaultKind::Unsupported => ILLEGAL_INSTRUCTION,
        FaultKind::Uninitialized
        | FaultKind::Race
        | FaultKind::Barrier
        | FaultKind::Collective
        | FaultKind::Launch
        | FaultKind::Trap => LAUNCH_FAILED,
    }
}

fn describe(entry: &str, fault: &Fault) -> String {
    let mut text = format!("{entry}: {:?}: {fault}", fault.kind);
    if let Some((file, line, column)) = &fault.source {
        text += &format!(" ({file}:{line}:{column})");
    }
    if let Some((block, thread)) = fault.place {
        text += &format!(" in block {block:?} thread {thread:?}");
    }
    text
}

/// A copy of the host's memory. Callers may be writing it: whoever reuses memory too early is to get what a device gets.
pub(crate) fn read_host(start: usize, bytes: usize) -> Vec<u8> {
    let mut copy = Vec::with_capacity(bytes);
    // SAFETY: whoever asked for the copy vouches for the memory, as with NVIDIA's driver; pinned memory is kept alive.
    unsafe {
        std::ptr::copy_nonoverlapping(start as *const u8, copy.as_mut_ptr(), bytes);
        copy.set_len(bytes);
    }
    copy
}

fn write_host(start: usize, bytes: &[u8]) {
    // SAFETY: whoever asked for the copy vouches for the memory, as with NVIDIA's driver; pinned memory is kept alive.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start as *mut u8, bytes.len()) }
}

//! Commands as text, and as commands about what the device is made of.

use crate::Log;
use smallvec::SmallVec;
use std::any::Any;
use std::fmt::Write;
use std::sync::Arc;
use vyre_driver::{
    BackendError, Command, Control, DeviceMemory, Drain, Executable, Launch, LaunchMemory, Stages,
};
use vyre_reference::Interpreted;

/// Memory of one device.
pub(crate) struct NullMemory {
    memory: Arc<dyn DeviceMemory>,
    number: u64,
    generation: u64,
    log: Log,
}

impl NullMemory {
    pub fn new(memory: Arc<dyn DeviceMemory>, generation: u64, log: Log) -> NullMemory {
        let number = log.add_memory(memory.bytes());
        NullMemory { memory, number, generation, log }
    }
}

impl DeviceMemory for NullMemory {
    fn bytes(&self) -> u64 {
        self.memory.bytes()
    }
}

impl Drop for NullMemory {
    fn drop(&mut self) {
        self.log.remove_memory(self.memory.bytes());
    }
}

/// A program compiled for one device.
pub(crate) struct NullExecutable {
    program: Interpreted,
    /// Workgroups that can wait for each other.
    waiting: u64,
    generation: u64,
    log: Log,
}

impl NullExecutable {
    pub fn new(program: Interpreted, waiting: u64, generation: u64, log: Log) -> NullExecutable {
        log.add_executable();
        NullExecutable { program, waiting, generation, log }
    }
}

impl Executable for NullExecutable {
    fn waiting_workgroups(&self) -> u64 {
        self.waiting
    }
}

impl Drop for NullExecutable {
    fn drop(&mut self) {
        self.log.remove_executable();
    }
}

/// A line for each command after the first line.
pub(crate) fn text(commands: &[Command<'_>]) -> String {
    let mut text = "submit".to_string();
    lines(commands, 1, &mut text);
    text
}

fn lines(commands: &[Command<'_>], depth: usize, text: &mut String) {
    for command in commands {
        let _ = write!(text, "\n{}", "  ".repeat(depth));
        let _ = match command {
            Command::Upload { to, offset, bytes } => {
                write!(text, "upload {} {offset}..{}", name(*to), *offset + bytes.len() as u64)
            }
            Command::Download { from, offset, into } => {
                write!(text, "download {} {offset}..{}", name(*from), *offset + into.len() as u64)
            }
            Command::Launch(launch) => {
                write!(text, "launch {:?}{}", launch.workgroups, memory_text(&launch.memory))
            }
            Command::Stages(Stages { stages, control, workgroups, memory, .. }) => {
                let control = if control.is_some() { " controlled" } else { "" };
                let memory = memory_text(memory);
                write!(text, "{}{control} stages {workgroups:?}{memory}", stages.len())
            }
            Command::Drain(drain) => {
                write!(text, "drain {}{}", drain.capacity, memory_text(&drain.memory))
            }
            Command::Repeat { times, commands } => {
                let _ = write!(text, "repeat {times}");
                lines(commands, depth + 1, text);
                Ok(())
            }
        };
    }
}

fn memory_text(memory: &[LaunchMemory<'_>]) -> String {
    let text = |memory: &LaunchMemory<'_>| match memory {
        LaunchMemory::Unbound => " -".into(),
        LaunchMemory::Read(_) => " host".into(),
        LaunchMemory::Write(_) => " host!".into(),
        LaunchMemory::Device { memory, writes } => {
            format!(" {}{}", name(*memory), if *writes { "!" } else { "" })
        }
    };
    memory.iter().map(text).collect()
}

fn name(memory: &dyn DeviceMemory) -> String {
    (memory as &dyn Any)
        .downcast_ref::<NullMemory>()
        .map_or("?".into(), |memory| format!("m{}", memory.number))
}

/// The commands about what is inside of this backend's memory and executables, after a look at whether they are the
/// device's own.
pub(crate) fn inner<'c>(
    commands: &'c mut [Command<'_>],
    generation: u64,
    host_memory: bool,
    log: &Log,
) -> Result<Vec<Command<'c>>, BackendError> {
    let memory = |memory: &'c dyn DeviceMemory| -> Result<&'c dyn DeviceMemory, BackendError> {
        match (memory as &dyn Any).downcast_ref::<NullMemory>() {
            Some(own) if own.generation == generation => Ok(&*own.memory),
            Some(_) => Err(log.problem("memory of a device that is gone is used")),
            None => Err(log.problem("memory of another backend is used")),
        }
    };
    let executable = |executable: &'c dyn Executable| -> Result<&'c dyn Executable, BackendError> {
        match (executable as &dyn Any).downcast_ref::<NullExecutable>() {
            Some(own) if own.generation == generation => Ok(&own.program),
            Some(_) => Err(log.problem("code of a device that is gone is run")),
            None => Err(log.problem("code of another backend is run")),
        }
    };
    let bound = |all: &'c mut [LaunchMemory<'_>]| -> Result<SmallVec<[LaunchMemory<'c>; 8]>, BackendError> {
        let inner = |bound: &'c mut LaunchMemory<'_>| {
            Ok(match bound {
                LaunchMemory::Unbound => LaunchMemory::Unbound,
                LaunchMemory::Read(_) | LaunchMemory::Write(_) if !host_memory => {
                    return Err(log.problem("the device does not reach the host's memory"));
                }
                LaunchMemory::Read(bytes) => LaunchMemory::Read(bytes),
                LaunchMemory::Write(bytes) => LaunchMemory::Write(bytes),
                LaunchMemory::Device { memory: of, writes } => {
                    LaunchMemory::Device { memory: memory(*of)?, writes: *writes }
                }
            })
        };
        all.iter_mut().map(inner).collect()
    };
    let command = |command: &'c mut Command<'_>| -> Result<Command<'c>, BackendError> {
        Ok(match command {
            Command::Upload { to, offset, bytes } => {
                Command::Upload { to: memory(*to)?, offset: *offset, bytes }
            }
            Command::Download { from, offset, into } => {
                Command::Download { from: memory(*from)?, offset: *offset, into }
            }
            Command::Repeat { times, commands } => {
                Command::Repeat { times: *times, commands: inner(commands, generation, host_memory, log)? }
            }
            Command::Launch(launch) => Command::Launch(Launch {
                executable: executable(launch.executable)?,
                workgroups: launch.workgroups,
                memory: bound(&mut launch.memory)?,
                timed: launch.timed,
            }),
            Command::Stages(Stages { stages, control, workgroups, memory, timed }) => {
                let control = match control {
                    Some(control) => {
                        Some(Control { executable: executable(control.executable)?, plan: control.plan })
                    }
                    None => None,
                };
                Command::Stages(Stages {
                    stages: stages.iter().map(|stage| executable(*stage)).collect::<Result<_, _>>()?,
                    control,
                    workgroups: *workgroups,
                    memory: bound(memory)?,
                    timed: *timed,
                })
            }
            Command::Drain(drain) => Command::Drain(Drain {
                executable: executable(drain.executable)?,
                queue: drain.queue,
                capacity: drain.capacity,
                memory: bound(&mut drain.memory)?,
                timed: drain.timed,
            }),
        })
    };
    commands.iter_mut().map(command).collect()
}

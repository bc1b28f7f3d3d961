//! Commands as text, and as commands about what the device is made of.

use crate::Log;
use std::any::Any;
use std::fmt::Write;
use std::sync::Arc;
use vyre_driver::{BackendError, Command, DeviceMemory, Executable, Launch, LaunchMemory};
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
    generation: u64,
    log: Log,
}

impl NullExecutable {
    pub fn new(program: Interpreted, generation: u64, log: Log) -> NullExecutable {
        log.add_executable();
        NullExecutable { program, generation, log }
    }
}

impl Executable for NullExecutable {}

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
                let memory = launch.memory.iter().map(|memory| match memory {
                    LaunchMemory::Unbound => " -".into(),
                    LaunchMemory::Read(_) => " host".into(),
                    LaunchMemory::Write(_) => " host!".into(),
                    LaunchMemory::Device { memory, writes } => {
                        format!(" {}{}", name(*memory), if *writes { "!" } else { "" })
                    }
                });
                write!(text, "launch {:?}{}", launch.workgroups, memory.collect::<String>())
            }
            Command::Repeat { times, commands } => {
                let _ = write!(text, "repeat {times}");
                lines(commands, depth + 1, text);
                Ok(())
            }
        };
    }
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
            Command::Launch(launch) => {
                let executable = match (launch.executable as &dyn Any).downcast_ref::<NullExecutable>() {
                    Some(own) if own.generation == generation => &own.program,
                    Some(_) => return Err(log.problem("code of a device that is gone is run")),
                    None => return Err(log.problem("code of another backend is run")),
                };
                let mut all = Vec::new();
                for bound in &mut launch.memory {
                    all.push(match bound {
                        LaunchMemory::Unbound => LaunchMemory::Unbound,
                        LaunchMemory::Read(_) | LaunchMemory::Write(_) if !host_memory => {
                            return Err(log.problem("the device does not reach the host's memory"));
                        }
                        LaunchMemory::Read(bytes) => LaunchMemory::Read(bytes),
                        LaunchMemory::Write(bytes) => LaunchMemory::Write(bytes),
                        LaunchMemory::Device { memory: of, writes } => {
                            LaunchMemory::Device { memory: memory(*of)?, writes: *writes }
                        }
                    });
                }
                Command::Launch(Launch {
                    executable,
                    workgroups: launch.workgroups,
                    timed: launch.timed,
                    memory: all.into_iter().collect(),
                })
            }
        })
    };
    commands.iter_mut().map(command).collect()
}

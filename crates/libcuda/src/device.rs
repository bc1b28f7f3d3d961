//! A device: its context, all that belongs to that, and the thread that does its work.

use crate::allocations::{Allocations, Pool};
use crate::api::Jit;
use crate::codes::{Answer, CONTEXT_IS_DESTROYED, Code, LAUNCH_TIMEOUT};
use crate::configuration::Configuration;
use crate::driver::Driver;
use crate::graph::Graph;
use crate::host::GARBAGE;
use crate::image::Image;
use crate::operation::{Failure, Machine, Operation};
use crate::queues::{Queues, Task, Ticket};
use crate::random::Random;
use crate::table::{Handle, Table, fresh};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use vyre_ptx_vm::Memory;

/// The primary context.
pub(crate) struct Context {
    pub handle: usize,
    /// How often it was retained and not released.
    pub retained: u32,
    pub flags: u32,
    /// Whether it is there.
    pub active: bool,
    /// What every call in it says since something went wrong.
    pub error: Option<Code>,
}

/// A point in a stream.
#[derive(Default)]
pub(crate) struct Event {
    pub timing: bool,
    /// The work before it, once it was recorded.
    pub last: Option<Ticket>,
}

/// A kernel of a module.
pub(crate) struct Function {
    /// The handle of its module.
    pub module: usize,
    pub image: Arc<Image>,
    pub entry: usize,
    /// How much dynamic shared memory launches may ask for.
    pub max_dynamic_shared: u32,
    pub carveout: i32,
}

/// A linker at work.
#[derive(Default)]
pub(crate) struct Link {
    pub target: (u32, u32),
    pub log: Jit,
    pub text: Option<String>,
    pub cubin: Vec<u8>,
}

/// A device.
pub(crate) struct Device {
    pub context: Context,
    pub memory: Arc<Mutex<Memory>>,
    pub allocations: Allocations,
    pub default_pool: Handle,
    pub work: Queues,
    pub events: Table<Event>,
    pub modules: Table<Arc<Image>>,
    pub functions: Table<Function>,
    pub links: Table<Link>,
    pub graphs: Table<Graph>,
    pub executables: Table<Graph>,
    /// Of the schedules of kernels and graphs.
    pub random: Random,
    /// Ends the kernel that runs.
    pub stop: Arc<AtomicBool>,
    pub has_thread: bool,
}

// SAFETY: what is not `Send` are handles and addresses of callers, which are numbers here.
unsafe impl Send for Device {}

impl Device {
    pub fn new(configuration: &Configuration, index: u64) -> Device {
        let seed = configuration.seed.wrapping_mul(31).wrapping_add(index);
        let mut allocations = Allocations::default();
        allocations.total = configuration.memory_bytes;
        let mut memory = Memory::default();
        memory.unwritten = GARBAGE;
        let default_pool = allocations.pools.insert(Pool { default: true, ..Pool::default() });
        Device {
            context: Context { handle: fresh(), retained: 0, flags: 0, active: false, error: None },
            memory: Arc::new(Mutex::new(memory)),
            allocations,
            default_pool,
            work: Queues::new(configuration.pace, seed),
            events: Table::default(),
            modules: Table::default(),
            functions: Table::default(),
            links: Table::default(),
            graphs: Table::default(),
            executables: Table::default(),
            random: Random::new(!seed),
            stop: Arc::default(),
            has_thread: false,
        }
    }

    /// All that belongs to the context is gone. The device must not be at work.
    pub fn clear(&mut self, configuration: &Configuration, index: u64) {
        let Context { handle, retained, flags, .. } = self.context;
        let has_thread = self.has_thread;
        *self = Device::new(configuration, index);
        self.context = Context { handle, retained, flags, active: false, error: None };
        self.has_thread = has_thread;
    }

    /// Whether the context can be used.
    pub fn check(&self) -> Answer {
        match self.context.error {
            Some(code) => Err(code),
            None if self.context.active => Ok(()),
            None => Err(CONTEXT_IS_DESTROYED),
        }
    }

    /// Something went wrong: the context says so from now on, and does nothing more.
    fn fail(&mut self, code: Code) {
        self.context.error = Some(code);
        self.work.clear();
    }

    fn finish(&mut self, task: &Task, failure: Option<&Failure>) {
        self.work.finish(task);
        if let Operation::Free { address } = task.operation {
            self.allocations.release(address);
        }
        if let Some(failure) = failure {
            self.fail(failure.code);
        }
    }
}

/// Does the work of a device until the driver is replaced.
pub(crate) fn work(driver: &Driver, index: usize) {
    let mut state = driver.lock();
    while !state.stopped {
        let device = &mut state.devices[index];
        let (held, task) = (device.work.holds(), device.work.take());
        if device.work.holds() != held {
            driver.changed.notify_all();
        }
        let Some(task) = task else {
            state = driver.wait(state);
            continue;
        };
        let seed = device.random.next();
        let (memory, stop) = (device.memory.clone(), device.stop.clone());
        let configuration = &state.configuration;
        let machine = Machine {
            memory,
            mirrors: state.host.mirrors(index),
            seed,
            races: configuration.races,
            uninitialized: configuration.uninitialized,
            step_limit: configuration.step_limit,
            stop,
        };
        drop(state);
        let failure = machine.run(&task.operation).err();
        state = driver.lock();
        let stopped = machine.stop.load(Ordering::Relaxed);
        if let Some(Failure { code, text }) = &failure
            && !(stopped && *code == LAUNCH_TIMEOUT)
        {
            state.journal.fault(text.clone());
            if matches!(task.operation, Operation::Lose(_)) {
                state.journal.lost();
            }
        }
        state.devices[index].finish(&task, failure.as_ref());
        driver.changed.notify_all();
    }
}

//! An open device, and all that is kept for it. A device is opened once in a process, whoever opens it.

use crate::context::{Context, Inside};
use crate::counters::Counters;
use crate::device::{self, Description};
use crate::executable::{Loaded, Modules};
use crate::heap::Heap;
use crate::lane::{Lane, Lanes};
use crate::library::{Driver, Failure, call};
use crate::memory::Block;
use crate::{ID, errors, symbols};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use vyre_driver::BackendError;

/// An open device.
pub struct Opened {
    pub index: usize,
    pub description: Description,
    pub context: Context,
    pub heap: Heap,
    pub lanes: Lanes,
    pub modules: Modules,
    pub counters: Counters,
    /// Runs that nobody waits for any more and that may still be at work.
    stuck: Mutex<Vec<Stuck>>,
    put_off: Mutex<Vec<PutOff>>,
}

/// What can be given back only when no run is at work that was left: giving it back waits for all work, with some drivers.
pub enum PutOff {
    /// Memory.
    Memory(symbols::Address),
    /// A module.
    Module(symbols::Module),
}

/// A run that was left, with all that the device may use until it ends.
pub struct Stuck {
    pub lane: Lane,
    pub _blocks: Vec<Arc<Block>>,
    pub _kernels: Vec<Arc<Loaded>>,
}

impl Opened {
    /// The device of that number, opened if it is not. One that is lost is opened anew: everything of it is gone then,
    /// for everybody in the process.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when there is none, it cannot be opened, or a run that was left is still at work on
    /// it.
    pub fn get(index: usize) -> Result<Arc<Opened>, BackendError> {
        static ALL: Mutex<Vec<Weak<Opened>>> = Mutex::new(Vec::new());
        let driver = Driver::get()?;
        let description = device::describe(driver, index)?;
        let mut all = lock(&ALL);
        all.retain(|opened| opened.strong_count() > 0);
        let same = |opened: &Arc<Opened>| std::ptr::eq(opened.driver(), driver) && opened.index == index;
        let known = all.iter().filter_map(Weak::upgrade).filter(same);
        for known in known.filter(|known| !known.context.is_ended()) {
            if known.is_stuck() {
                return Err(BackendError::Unavailable {
                    reason: format!(
                        "a run that reached its time limit is still under way on \"{}\", and CUDA cannot stop it",
                        known.description.profile.name
                    ),
                    fix: "Try again when it has ended, or end the process.".into(),
                });
            }
            if known.context.lost().is_none() {
                return Ok(known);
            }
            // What it says does not matter: what comes next tells whether the device works.
            let _ = known.context.end();
        }
        let opened = Arc::new(Opened::new(driver, index, description)?);
        all.push(Arc::downgrade(&opened));
        Ok(opened)
    }

    /// Opens a device that is not open.
    pub fn new(
        driver: &'static Driver,
        index: usize,
        description: Description,
    ) -> Result<Opened, BackendError> {
        let name = description.profile.name.clone();
        let failed = |failure: Failure| {
            BackendError::Unavailable {
            reason: format!("the device \"{name}\" cannot be opened: {failure}"),
            fix: "Look whether another process holds the device. After a loss some drivers need the process to end first."
                .into(),
        }
        };
        let context = Context::retain(driver, description.device).map_err(failed)?;
        let inside = context.enter().map_err(failed)?;
        // After a loss, a context that was not made anew says so here.
        // SAFETY: the context is the thread's.
        unsafe { call!(driver, cuCtxSynchronize()) }.map_err(failed)?;
        let heap = Heap::new(driver, &description).map_err(failed)?;
        drop(inside);
        Ok(Opened {
            index,
            description,
            context,
            heap,
            lanes: Lanes::default(),
            modules: Modules::default(),
            counters: Counters::default(),
            stuck: Mutex::default(),
            put_off: Mutex::default(),
        })
    }

    /// The driver that drives it.
    pub fn driver(&self) -> &'static Driver {
        self.context.driver
    }

    /// Makes the device's context the thread's.
    ///
    /// # Errors
    /// [`BackendError::DeviceLost`].
    pub fn enter(&self) -> Result<Inside<'_>, BackendError> {
        match self.context.enter() {
            Ok(Some(inside)) => Ok(inside),
            Ok(None) => {
                Err(self.lost_error().unwrap_or_else(|| errors::internal("a device that was closed")))
            }
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    /// What a call that failed means: that the device is lost, or that there is a bug in vyre.
    pub fn failed(&self, failure: &Failure) -> BackendError {
        if errors::is_loss(failure.status) {
            let reason = self.context.lose(&failure.to_string());
            return BackendError::DeviceLost { backend: ID, reason };
        }
        self.lost_error().unwrap_or_else(|| errors::of(failure))
    }

    /// That the device is lost, if it is.
    pub fn lost_error(&self) -> Option<BackendError> {
        self.context.lost().map(|reason| BackendError::DeviceLost { backend: ID, reason })
    }

    /// That the device can be given work.
    ///
    /// # Errors
    /// [`BackendError::DeviceLost`], also while a run is under way that did not end when it was asked to.
    pub fn usable(&self) -> Result<(), BackendError> {
        if let Some(lost) = self.lost_error() {
            return Err(lost);
        }
        if self.is_stuck() {
            let reason = "a run that reached its time limit is still under way".into();
            return Err(BackendError::DeviceLost { backend: ID, reason });
        }
        Ok(())
    }

    /// Nobody waits for a run any more, and it cannot be made to stop.
    pub fn leave(&self, stuck: Stuck) {
        lock(&self.stuck).push(stuck);
    }

    /// Gives something back that nothing uses any more, now or when no run is at work that was left.
    pub fn give_back(&self, what: PutOff) {
        if !lock(&self.stuck).is_empty() {
            lock(&self.put_off).push(what);
            return;
        }
        let Some(_inside) = self.context.enter_to_free() else { return };
        match what {
            PutOff::Memory(address) => self.heap.give(self.driver(), address),
            PutOff::Module(module) => {
                // SAFETY: no launch of it is under way. There is nothing to do about a failure.
                let _ = unsafe { call!(self.driver(), cuModuleUnload(module)) };
            }
        }
    }

    /// Whether a run that was left is still at work. What others have of those that have ended is given back.
    pub fn is_stuck(&self) -> bool {
        if lock(&self.stuck).is_empty() {
            return false;
        }
        let inside = self.context.enter_to_free();
        let at_work = |stuck: &mut Stuck| inside.is_some() && stuck.lane.is_at_work(self.driver());
        let ended: Vec<Stuck>;
        let left;
        {
            let mut stuck = lock(&self.stuck);
            ended = stuck.extract_if(.., |stuck| !at_work(stuck)).collect();
            left = !stuck.is_empty();
        }
        for Stuck { lane, .. } in ended {
            if inside.is_some() {
                lane.end(self);
            }
        }
        if !left {
            let all = std::mem::take(&mut *lock(&self.put_off));
            all.into_iter().for_each(|what| self.give_back(what));
        }
        left
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // Whoever has a run that was left holds the device: there is none.
        let Some(_inside) = self.context.enter_to_free() else { return };
        for lane in self.lanes.take_all() {
            lane.end(self);
        }
        let all = std::mem::take(&mut *lock(&self.put_off));
        all.into_iter().for_each(|what| self.give_back(what));
        self.heap.end(self.context.driver);
    }
}

/// Locks; what is guarded here is right at every moment, so a panic elsewhere does not spoil it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What is the same for every function: it is counted, fails where a plan says so, needs a context, and never panics
//! into its caller.

use crate::codes::{
    Answer, Code, INVALID_CONTEXT, INVALID_DEVICE, INVALID_VALUE, NOT_INITIALIZED, NOT_SUPPORTED, UNKNOWN,
};
use crate::device::Device;
use crate::driver::{self, Driver, State};
use crate::operation::Operation;
use crate::queues::Ticket;
use crate::table::Handle;
use std::cell::RefCell;
use std::ffi::c_int;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard};

thread_local! {
    /// The contexts of this thread; the last one is current.
    static CONTEXTS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// What a function needs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Needs {
    Nothing,
    /// That `cuInit` was called.
    Driver,
    /// That a context is current, and nothing has gone wrong in it.
    Context,
}

/// A call: the driver's state while it lasts.
pub(crate) struct Call<'a> {
    pub driver: &'a Arc<Driver>,
    /// Always there but within [`Call::wait`].
    state: Option<MutexGuard<'a, State>>,
    /// The device whose context is current, where the function needs one.
    pub index: usize,
}

impl Deref for Call<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state.as_ref().expect("only `wait` takes it")
    }
}

impl DerefMut for Call<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("only `wait` takes it")
    }
}

impl Call<'_> {
    /// The device whose context is current.
    pub fn device(&mut self) -> &mut Device {
        let index = self.index;
        &mut self.devices[index]
    }

    /// The index of a device by its number.
    pub fn device_number(&self, number: c_int) -> Result<usize, Code> {
        usize::try_from(number).ok().filter(|index| *index < self.devices.len()).ok_or(INVALID_DEVICE)
    }

    /// Gives a stream something to do.
    pub fn push(&mut self, stream: Handle, operation: Operation) -> Result<Ticket, Code> {
        self.push_after(stream, operation, Vec::new())
    }

    /// The same, after more than what the stream was given before.
    pub fn push_after(
        &mut self,
        stream: Handle,
        operation: Operation,
        after: Vec<Ticket>,
    ) -> Result<Ticket, Code> {
        let ticket = self.device().work.push(stream, operation, after, false)?;
        self.driver.changed.notify_all();
        Ok(ticket)
    }

    /// Lets others at the state until something has changed.
    pub fn wait(&mut self) {
        let state = self.state.take().expect("only `wait` takes it");
        self.state = Some(self.driver.wait(state));
    }

    /// Devices may do all that they were given.
    pub fn demand(&mut self) {
        self.devices.iter_mut().for_each(|device| device.work.demand());
        self.driver.changed.notify_all();
    }

    /// Waits until work is done, or the context is no good any more.
    pub fn wait_for(&mut self, tickets: &[Ticket]) -> Answer {
        self.demand();
        loop {
            self.device().check()?;
            if tickets.iter().all(Ticket::done) {
                return Ok(());
            }
            self.wait();
        }
    }
}

/// Runs the body of a function.
pub(crate) fn enter(
    function: &'static str,
    needs: Needs,
    body: impl FnOnce(&mut Call<'_>) -> Answer,
) -> c_int {
    let run = || {
        let driver = driver::current();
        let mut call = Call { driver: &driver, state: Some(driver.lock()), index: 0 };
        call.journal.call(function)?;
        if call.configuration.missing.iter().any(|name| name == function) {
            return Err(NOT_SUPPORTED);
        }
        if needs != Needs::Nothing && !call.initialized {
            return Err(NOT_INITIALIZED);
        }
        if needs == Needs::Context {
            let handle = current_context().ok_or(INVALID_CONTEXT)?;
            call.index = find_context(&call, handle)?;
            call.device().check()?;
        }
        body(&mut call)
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => 0,
        Ok(Err(Code(code))) => code,
        Err(_) => UNKNOWN.0,
    }
}

/// The device of a context.
pub(crate) fn find_context(state: &State, handle: usize) -> Result<usize, Code> {
    state.devices.iter().position(|device| device.context.handle == handle).ok_or(INVALID_CONTEXT)
}

/// The context of this thread.
pub(crate) fn current_context() -> Option<usize> {
    CONTEXTS.with_borrow(|contexts| contexts.last().copied())
}

/// Makes a context the current one; also in the place of the one that is.
pub(crate) fn push_context(handle: usize) {
    CONTEXTS.with_borrow_mut(|contexts| contexts.push(handle));
}

/// Takes the current context away.
pub(crate) fn pop_context() -> Option<usize> {
    CONTEXTS.with_borrow_mut(Vec::pop)
}

/// Gives the caller a value.
///
/// # Safety
/// The address must be null or of memory for such a value.
pub(crate) unsafe fn give<T>(to: *mut T, value: T) -> Answer {
    if to.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: the caller vouches for the memory.
    unsafe { to.write(value) };
    Ok(())
}

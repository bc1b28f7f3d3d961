//! The primary context of a device: everything on the device belongs to it.
//!
//! A context that has failed stays failed: every call gives the same error. It is then ended, and all that was in it with
//! it: handles that are left over are not to be used. Whoever uses the driver is inside the context
//! ([`Context::enter`]), and it is ended only when nobody is.

use crate::library::{Driver, Failure, call};
use crate::symbols;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A context.
pub struct Context {
    pub driver: &'static Driver,
    device: symbols::Device,
    handle: symbols::Context,
    /// Threads that are inside, counted once for each time.
    inside: AtomicUsize,
    /// Whether nothing of it may be used any more.
    ended: AtomicBool,
    /// Why nothing works in it any more, once that is so.
    loss: OnceLock<String>,
}

/// That the calling thread is inside the context.
pub struct Inside<'c> {
    context: &'c Context,
    /// What was the thread's context before, if it was another one.
    before: Option<symbols::Context>,
}

impl Context {
    /// Takes part in the device's primary context.
    pub fn retain(driver: &'static Driver, device: symbols::Device) -> Result<Context, Failure> {
        let mut handle = symbols::Context::default();
        // SAFETY: the driver gave the number of the device, and writes the handle to where it is to go.
        unsafe { call!(driver, cuDevicePrimaryCtxRetain(&mut handle, device)) }?;
        Ok(Context {
            driver,
            device,
            handle,
            inside: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            loss: OnceLock::new(),
        })
    }

    /// Makes the context the thread's; `None` when it was ended.
    pub fn enter(&self) -> Result<Option<Inside<'_>>, Failure> {
        self.inside.fetch_add(1, Ordering::SeqCst);
        let mut inside = Inside { context: self, before: None };
        if self.ended.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let mut current = symbols::Context::default();
        // SAFETY: the driver writes the handle to where it is to go.
        unsafe { call!(self.driver, cuCtxGetCurrent(&mut current)) }?;
        if current != self.handle {
            // SAFETY: the context was not ended.
            unsafe { call!(self.driver, cuCtxSetCurrent(self.handle)) }?;
            inside.before = Some(current).filter(|before| *before != symbols::Context::default());
        }
        Ok(Some(inside))
    }

    /// Makes the context the thread's to give something back; `None` when there is nothing to give back any more.
    pub fn enter_to_free(&self) -> Option<Inside<'_>> {
        self.enter().ok().flatten()
    }

    /// Ends the context for everybody in the process, once nobody is inside. Its handles are nothing then.
    pub fn end(&self) -> Result<(), Failure> {
        if let Some(_inside) = self.enter_to_free() {
            // Nothing is at work in a context that has failed. In one that only gave an error that means so, there may be.
            // SAFETY: the context is the thread's.
            let _ = unsafe { call!(self.driver, cuCtxSynchronize()) };
        }
        if self.ended.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        while self.inside.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_micros(50));
        }
        // SAFETY: it was retained once and is released once; nobody is inside. It fails if the context has, which
        // resetting ends.
        let _ = unsafe { call!(self.driver, cuDevicePrimaryCtxRelease(self.device)) };
        // SAFETY: nothing of this crate uses what was in the context.
        unsafe { call!(self.driver, cuDevicePrimaryCtxReset(self.device)) }
    }

    /// Whether nothing of it may be used any more.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Nothing works in it any more, for that reason if there was none before.
    pub fn lose(&self, reason: &str) -> String {
        self.loss.get_or_init(|| reason.into()).clone()
    }

    /// Why nothing works in it any more, if that is so.
    pub fn lost(&self) -> Option<String> {
        let ended = || self.is_ended().then(|| "the device was opened anew elsewhere in the process".into());
        self.loss.get().cloned().or_else(ended)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if !self.is_ended() {
            // SAFETY: it was retained once and is released once; all that was made in it is gone. There is nothing to do
            // about a failure.
            let _ = unsafe { call!(self.driver, cuDevicePrimaryCtxRelease(self.device)) };
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // SAFETY: it was the thread's context before; if it is gone since, the driver says so, and the thread has
            // none.
            let _ = unsafe { call!(self.context.driver, cuCtxSetCurrent(before)) };
        }
        self.context.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

//! One submission after the other, on devices in software.
//!
//! Mesa's llvmpipe computes while the next submission is handed over: that call, and with it all of wgpu, stands still
//! until what is under way is done. A caller could neither give up at its timeout nor notice a loss. So where nothing is
//! gained by handing over early, callers wait here.

use crate::opened::lock;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Whose turn it is.
#[derive(Default)]
pub struct Turns {
    taken: Mutex<bool>,
    free: Condvar,
}

/// The right to hand work over, until it is dropped.
pub struct Turn<'t>(&'t Turns);

impl Turns {
    /// The next turn; `None` if it does not come within that time.
    pub fn next(&self, at_most: Duration) -> Option<Turn<'_>> {
        let taken = lock(&self.taken);
        let waited = self.free.wait_timeout_while(taken, at_most, |taken| *taken);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!std::mem::replace(&mut *taken, true)).then(|| Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.taken) = false;
        self.0.free.notify_one();
    }
}

//! Asynchronous dispatches: each device has one thread that does them in order, started with the first one. A caller
//! that waits sleeps.

use crate::backend::Cancel;
use crate::compiled::Compiled;
use crate::config::DispatchConfig;
use crate::device::lock;
use crate::error::BackendError;
use crate::outputs::Outputs;
use crate::spans::TARGET;
use smallvec::SmallVec;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A dispatch that is under way.
pub struct PendingDispatch {
    shared: Arc<Shared>,
    can_stop: bool,
}

#[derive(Default)]
struct Shared {
    result: Mutex<Option<Result<Outputs, BackendError>>>,
    done: Condvar,
    cancel: Cancel,
    begun: AtomicBool,
    cancelled: AtomicBool,
}

impl Compiled {
    /// As [`Compiled::dispatch`], while the caller goes on. Asynchronous dispatches of a device are done one after the
    /// other, in the order in which they were asked for.
    pub fn dispatch_async(&self, inputs: Vec<Vec<u8>>, config: &DispatchConfig) -> PendingDispatch {
        let shared = Arc::new(Shared::default());
        let pending =
            PendingDispatch { shared: shared.clone(), can_stop: self.device.profile().supports_cancel };
        let (compiled, config) = (self.clone(), config.clone());
        let program = &*self.kernel.program.name;
        // It ends when the job begins.
        let queue = tracing::debug_span!(target: TARGET, "queue", program);
        self.device.inner.worker.add(Box::new(move || {
            drop(queue);
            let Some(result) = shared.perform(&compiled, &inputs, &config) else { return };
            // What the dispatch held is gone when its result is there.
            drop((compiled, inputs));
            shared.finish(result);
        }));
        pending
    }
}

impl PendingDispatch {
    /// Whether [`PendingDispatch::wait`] returns at once.
    pub fn ready(&self) -> bool {
        lock(&self.shared.result).is_some()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// As [`Compiled::dispatch`]; [`BackendError::Cancelled`].
    pub fn wait(self) -> Result<Outputs, BackendError> {
        let _span = tracing::debug_span!(target: TARGET, "wait").entered();
        let guard = lock(&self.shared.result);
        let mut guard =
            self.shared.done.wait_while(guard, |r| r.is_none()).unwrap_or_else(PoisonError::into_inner);
        guard.take().unwrap_or(Err(BackendError::Cancelled))
    }

    /// Asks the dispatch to end without a result. Gives whether it will: what is done already, or under way on a device
    /// that cannot be stopped, will not. What has not begun never will, and ends now.
    pub fn cancel(&self) -> bool {
        let mut state = lock(&self.shared.result);
        if state.is_some() || (self.shared.begun.load(Ordering::Acquire) && !self.can_stop) {
            return false;
        }
        self.shared.cancelled.store(true, Ordering::Release);
        self.shared.cancel.request();
        if !self.shared.begun.load(Ordering::Acquire) {
            *state = Some(Err(BackendError::Cancelled));
            self.shared.done.notify_all();
        }
        true
    }
}

impl Shared {
    /// What the dispatch gives; nothing when it was cancelled before it began.
    fn perform(
        &self,
        compiled: &Compiled,
        inputs: &[Vec<u8>],
        config: &DispatchConfig,
    ) -> Option<Result<Outputs, BackendError>> {
        // Under the lock, so that `cancel` knows which of both it met.
        let guard = lock(&self.result);
        if self.cancelled.load(Ordering::Acquire) {
            return None;
        }
        self.begun.store(true, Ordering::Release);
        drop(guard);
        let mut outputs = Outputs::default();
        let run = || {
            let inputs: SmallVec<[&[u8]; 16]> = inputs.iter().map(Vec::as_slice).collect();
            compiled.dispatch_cancellable(&inputs, config, &mut outputs, &self.cancel)
        };
        let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            Err(BackendError::Internal { what: "an asynchronous dispatch panicked".into() })
        });
        Some(result.map(|()| outputs))
    }

    fn finish(&self, result: Result<Outputs, BackendError>) {
        let mut state = lock(&self.result);
        let cancelled = self.cancelled.load(Ordering::Acquire);
        *state = Some(match result {
            Ok(_) | Err(BackendError::Timeout { .. }) if cancelled => Err(BackendError::Cancelled),
            result => result,
        });
        self.done.notify_all();
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// The thread of a device.
#[derive(Default)]
pub(crate) struct Worker {
    jobs: Mutex<Option<Sender<Job>>>,
}

impl Worker {
    /// Does a job after those added before; here and now if there can be no thread.
    fn add(&self, job: Job) {
        let mut jobs = lock(&self.jobs);
        if jobs.is_none() {
            let (send, receive) = channel::<Job>();
            let serve = move || receive.into_iter().for_each(|job| job());
            // It ends with the device, which owns the sender.
            if std::thread::Builder::new().name("vyre-dispatch".into()).spawn(serve).is_ok() {
                *jobs = Some(send);
            }
        }
        let Some(sender) = &*jobs else {
            drop(jobs);
            return job();
        };
        if let Err(job) = sender.send(job) {
            drop(jobs);
            (job.0)();
        }
    }

    /// Waits until all jobs added so far are done.
    pub fn flush(&self) {
        if lock(&self.jobs).is_none() {
            return;
        }
        let (send, receive) = channel::<()>();
        self.add(Box::new(move || drop(send)));
        // Ends with an error when the job is done.
        let _ = receive.recv();
    }
}

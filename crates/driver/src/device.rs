//! A device as users hold it: the backend, what was allocated on it and compiled for it, and what became of it.
//!
//! Every call to the backend is made under a read lock of it, so that recovery, which takes the write lock, finds none
//! under way and nothing that a call holds belongs to a backend that is gone.

use crate::acquire::{acquire, acquire_by_policy, acquire_preferred_dispatch_backend};
use crate::backend::{Cancel, Command, Submitted, VyreBackend};
use crate::cache::pipeline::Pipeline;
use crate::cache::{CacheConfig, PipelineCache, PipelineCacheSnapshot};
use crate::compiled::Kernel;
use crate::error::BackendError;
use crate::metrics::Metrics;
use crate::pending::Worker;
use crate::policy::AcquirePolicy;
use crate::profile::DeviceProfile;
use crate::resident::{ResidentInner, Restored};
use crate::spans::{self, TARGET};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::Duration;
use tracing::field::Empty;
use vyre_opt::Target;

/// An open device. Clones are the same device; it is closed when the last one, and all that was made with it, is gone.
#[derive(Clone)]
pub struct Device {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    id: &'static str,
    profile: DeviceProfile,
    backend: RwLock<Box<dyn VyreBackend>>,
    /// Whether `reason` says why the device is lost.
    lost: AtomicBool,
    reason: Mutex<String>,
    shut: AtomicBool,
    /// What recovery has to make anew.
    pub residents: Mutex<Vec<Weak<ResidentInner>>>,
    pub kernels: Mutex<Vec<Weak<Kernel>>>,
    cache: Mutex<Arc<PipelineCache<Pipeline>>>,
    pub metrics: Metrics,
    pub worker: Worker,
}

/// What [`Device::try_recover`] did.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// Names of the resident buffers whose contents are as before the call that failed.
    pub restored: Vec<String>,
    /// Names of the resident buffers whose contents are lost.
    pub lost: Vec<String>,
    /// Programs that were compiled again.
    pub compiled: usize,
}

/// The backend, for as long as this is held.
pub(crate) type Opened<'a> = RwLockReadGuard<'a, Box<dyn VyreBackend>>;

impl Device {
    /// A device through a backend that is open already.
    pub fn new(backend: Box<dyn VyreBackend>) -> Device {
        let inner = Inner {
            id: backend.id(),
            profile: backend.profile().clone(),
            backend: RwLock::new(backend),
            lost: AtomicBool::new(false),
            reason: Mutex::default(),
            shut: AtomicBool::new(false),
            residents: Mutex::default(),
            kernels: Mutex::default(),
            cache: Mutex::new(Arc::new(PipelineCache::new(CacheConfig::default()))),
            metrics: Metrics::default(),
            worker: Worker::default(),
        };
        Device { inner: Arc::new(inner) }
    }

    /// The device of that backend id.
    ///
    /// # Errors
    /// As [`acquire`].
    pub fn open(id: &str) -> Result<Device, BackendError> {
        Device::acquired(|| acquire(id))
    }

    /// The best GPU.
    ///
    /// # Errors
    /// As [`acquire_preferred_dispatch_backend`].
    pub fn preferred() -> Result<Device, BackendError> {
        Device::acquired(acquire_preferred_dispatch_backend)
    }

    /// The best device that the policy allows.
    ///
    /// # Errors
    /// As [`acquire_by_policy`].
    pub fn by_policy(policy: &AcquirePolicy) -> Result<Device, BackendError> {
        Device::acquired(|| acquire_by_policy(policy))
    }

    /// The device that `acquire` opens, in a way of the caller's own: with a [`Survey`](crate::Survey) that was told
    /// something, for instance.
    ///
    /// # Errors
    /// As `acquire`.
    pub fn acquired(
        acquire: impl FnOnce() -> Result<Box<dyn VyreBackend>, BackendError>,
    ) -> Result<Device, BackendError> {
        let span = tracing::info_span!(target: TARGET, "acquire", backend = Empty).entered();
        let device = Device::new(acquire()?);
        span.record("backend", device.id());
        Ok(device)
    }

    /// Begins anew with another cache of compiled programs. The default keeps 64 MB in memory and nothing on disk.
    pub fn set_cache(&self, config: CacheConfig) {
        *lock(&self.inner.cache) = Arc::new(PipelineCache::new(config));
    }

    /// What the cache of compiled programs has done so far.
    pub fn pipeline_cache_snapshot(&self) -> PipelineCacheSnapshot {
        self.inner.cache().snapshot()
    }

    /// The backend's id.
    pub fn id(&self) -> &'static str {
        self.inner.id
    }

    /// Whether both are the same open device.
    pub fn is(&self, other: &Device) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// What the device is and can do.
    pub fn profile(&self) -> &DeviceProfile {
        &self.inner.profile
    }

    /// What a program must look like before the backend takes it; `None` for as it was written.
    pub fn target(&self) -> Option<Target> {
        self.inner.backend.read().unwrap_or_else(PoisonError::into_inner).target()
    }

    /// Waits until all asynchronous dispatches asked for so far are done.
    pub fn flush(&self) {
        let _span = tracing::debug_span!(target: TARGET, "wait").entered();
        self.inner.worker.flush();
    }

    /// Ends the device's work: what is under way is finished, asynchronous dispatches that have not begun and all
    /// later calls fail with [`BackendError::ShutDown`].
    pub fn shutdown(&self) {
        if self.inner.shut.swap(true, Ordering::AcqRel) {
            return;
        }
        self.flush();
        let backend = self.inner.backend.write().unwrap_or_else(PoisonError::into_inner);
        backend.shutdown();
    }

    /// Why the device is lost, if it is.
    pub fn device_lost(&self) -> Option<String> {
        self.inner.lost.load(Ordering::Acquire).then(|| lock(&self.inner.reason).clone())
    }

    /// After a loss: opens the device again, compiles again what was compiled, and restores the resident buffers that
    /// were created as journaled. The contents of the others are lost, which [`BackendError::Poisoned`] says of each
    /// that is used before it has been uploaded as a whole. Does nothing when the device is not lost.
    ///
    /// # Errors
    /// When the device cannot be opened or a program not be compiled; the device then stays lost.
    pub fn try_recover(&self) -> Result<Recovery, BackendError> {
        let inner = &*self.inner;
        let mut backend = inner.backend.write().unwrap_or_else(PoisonError::into_inner);
        let mut recovery = Recovery::default();
        if inner.shut.load(Ordering::Acquire) {
            return Err(BackendError::ShutDown);
        }
        if !inner.lost.load(Ordering::Acquire) {
            return Ok(recovery);
        }
        let span = spans::recover(inner.id).entered();
        // What is in memory was made by the device that is gone.
        let cache = inner.cache();
        cache.clear_memory();
        let residents: Vec<Arc<ResidentInner>> =
            lock(&inner.residents).iter().filter_map(Weak::upgrade).collect();
        residents.iter().for_each(|resident| resident.forget());
        let kernels: Vec<Arc<Kernel>> = lock(&inner.kernels).iter().filter_map(Weak::upgrade).collect();
        let mut open = || {
            let fresh = caught(|| backend.reopen())?;
            for kernel in &kernels {
                kernel.compile_again(&cache, &*fresh)?;
                recovery.compiled += 1;
            }
            for resident in &residents {
                match resident.restore(&*fresh)? {
                    Restored::Whole => recovery.restored.push(resident.name.clone()),
                    Restored::Lost => recovery.lost.push(resident.name.clone()),
                    Restored::Freed => {}
                }
            }
            Ok(fresh)
        };
        match open() {
            Ok(fresh) => *backend = fresh,
            Err(error) => {
                // Of a device that is not used nothing is kept.
                cache.clear_memory();
                residents.iter().for_each(|resident| resident.forget());
                return Err(error);
            }
        }
        inner.lost.store(false, Ordering::Release);
        inner.metrics.recoveries.add(1);
        span.record("compiled", recovery.compiled);
        span.record("restored", recovery.restored.len());
        span.record("lost", recovery.lost.len());
        Ok(recovery)
    }

    /// Counters by name: those of every device, then the backend's own.
    pub fn metrics(&self) -> Vec<(&'static str, u64)> {
        let mut list = self.inner.metrics.list();
        let backend = self.inner.backend.read().unwrap_or_else(PoisonError::into_inner);
        list.extend(backend.metrics());
        list
    }
}

impl Inner {
    /// The cache of compiled programs.
    pub fn cache(&self) -> Arc<PipelineCache<Pipeline>> {
        lock(&self.cache).clone()
    }

    /// The backend, if calls can be made to it.
    pub fn opened(&self) -> Result<Opened<'_>, BackendError> {
        let backend = self.backend.read().unwrap_or_else(PoisonError::into_inner);
        if self.shut.load(Ordering::Acquire) {
            return Err(BackendError::ShutDown);
        }
        if self.lost.load(Ordering::Acquire) {
            return Err(self.lost_error());
        }
        Ok(backend)
    }

    /// Performs commands, at most for so long.
    pub fn submit(
        &self,
        backend: &Opened<'_>,
        commands: &mut [Command<'_>],
        timeout: Option<Duration>,
        cancel: &Cancel,
    ) -> Result<Submitted, BackendError> {
        self.metrics.submissions.add(1);
        let result = with_timeout(timeout, cancel, || caught(|| backend.submit(commands, cancel)));
        // What was asked to stop and came to its end all the same is late.
        let result = result.and_then(|done| match cancel.requested() {
            true => Err(BackendError::Timeout { seconds: 0.0, stopped: self.profile.supports_cancel }),
            false => Ok(done),
        });
        self.judge(backend, result).map_err(|error| match (error, timeout) {
            (BackendError::Timeout { stopped, .. }, Some(timeout)) => {
                self.metrics.timeouts.add(1);
                BackendError::Timeout { seconds: timeout.as_secs_f64(), stopped }
            }
            (error, _) => error,
        })
    }

    /// What the backend said, or that the device was lost meanwhile.
    pub fn judge<T>(&self, backend: &Opened<'_>, result: Result<T, BackendError>) -> Result<T, BackendError> {
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let reason = match (&error, backend.device_lost()) {
            (BackendError::DeviceLost { reason, .. }, _) => reason.clone(),
            (_, Some(reason)) => reason,
            _ => return Err(error),
        };
        let mut known = lock(&self.reason);
        if !self.lost.load(Ordering::Acquire) {
            *known = reason;
            self.lost.store(true, Ordering::Release);
            self.metrics.losses.add(1);
        }
        drop(known);
        Err(self.lost_error())
    }

    fn lost_error(&self) -> BackendError {
        BackendError::DeviceLost { backend: self.id, reason: lock(&self.reason).clone() }
    }
}

/// What a call of the backend gives; a panic in it is an error, and the process lives on.
pub(crate) fn caught<T>(call: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let text = (payload.downcast_ref::<&str>().copied())
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("without a message");
        Err(BackendError::Internal { what: format!("the backend panicked: {text}") })
    })
}

/// Runs `work`; when it takes longer than `timeout`, requests `cancel` and waits for it to notice.
///
/// # Errors
/// What `work` gives; [`BackendError::OutOfMemory`] when there can be no thread that watches the time.
pub fn with_timeout<T>(
    timeout: Option<Duration>,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    let Some(timeout) = timeout else { return work() };
    let (done, changed) = (Mutex::new(false), Condvar::new());
    std::thread::scope(|scope| {
        let watch = || {
            let guard = lock(&done);
            let (guard, wait) = changed
                .wait_timeout_while(guard, timeout, |done| !*done)
                .unwrap_or_else(PoisonError::into_inner);
            if wait.timed_out() && !*guard {
                cancel.request();
            }
        };
        if std::thread::Builder::new().name("vyre-timeout".into()).spawn_scoped(scope, watch).is_err() {
            let what = "a thread that watches the time".into();
            return Err(BackendError::OutOfMemory { requested: 1, available: None, what });
        }
        // Set also when `work` unwinds, so that the watcher always ends.
        struct Finish<'a>(&'a Mutex<bool>, &'a Condvar);
        impl Drop for Finish<'_> {
            fn drop(&mut self) {
                *lock(self.0) = true;
                self.1.notify_all();
            }
        }
        let _finish = Finish(&done, &changed);
        work()
    })
}

/// Locks; what is guarded here is right at every moment, so a panic elsewhere does not spoil it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

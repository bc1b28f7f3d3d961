//! Threads that share the chunks of a job, created at first use and kept.
//!
//! What is counted is finished chunks, not workers: the caller takes part, can finish a job alone, and never waits for
//! a thread that has nothing of the job in hand. So a job may start another, and a preempted worker costs nothing.
//! Workers and callers spin briefly before they sleep. The number of threads is the machine's, or `VYRE_THREADS`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use vyre_driver::BackendError;

/// Turns of waiting before a thread sleeps: some 10 us, about what sleeping and waking cost.
pub(crate) const SPINS: u32 = 300;

/// The most threads that `VYRE_THREADS` may ask for.
const MAX_THREADS: usize = 1024;

/// A function of worker and chunk; see [`Pool::run`].
type Work<'a> = dyn Fn(usize, u64) + Sync + 'a;

/// The process's worker threads.
pub(crate) struct Pool {
    /// Threads that can work on a job at once, the caller included.
    pub threads: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    jobs: Mutex<Vec<Arc<Job>>>,
    /// A finished job, to be used again.
    spare: Mutex<Option<Arc<Job>>>,
    /// Goes up with each new job.
    epoch: AtomicU64,
    wake: Condvar,
}

struct Job {
    /// The next chunk to take.
    next: AtomicU64,
    chunks: u64,
    /// Finished chunks.
    done: AtomicU64,
    /// Valid until `done` is `chunks`.
    work: *const Work<'static>,
    panicked: AtomicBool,
    finished: Mutex<bool>,
    woken: Condvar,
}

// SAFETY: `work` points to a `Sync` function, and is followed only while the caller of `Pool::run` keeps it alive.
unsafe impl Send for Job {}
// SAFETY: as above.
unsafe impl Sync for Job {}

/// A chunk of a job panicked.
pub(crate) struct Panicked;

impl Pool {
    /// The pool of the process.
    ///
    /// # Errors
    /// When `VYRE_THREADS` is no number of threads.
    pub fn get() -> Result<&'static Pool, BackendError> {
        static POOL: OnceLock<Result<Pool, String>> = OnceLock::new();
        POOL.get_or_init(|| setting().map(Pool::new)).as_ref().map_err(|reason| unavailable(reason))
    }

    /// Threads beside those of the process's pool.
    pub fn new(threads: usize) -> Pool {
        let shared = Arc::new(Shared::default());
        let mut started = 1;
        for worker in 1..threads {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(format!("vyre-cpu-{worker}"));
            // A machine that has no more threads to give still has the caller.
            if thread.spawn(move || shared.serve(worker)).is_err() {
                break;
            }
            started = worker + 1;
        }
        Pool { threads: started, shared }
    }

    /// Calls `work(worker, chunk)` once for each chunk, on this and other threads. No two calls at a time have the
    /// same worker, which is below [`Pool::threads`].
    pub fn run(&self, chunks: u64, work: &Work<'_>) -> Result<(), Panicked> {
        // SAFETY: only the lifetime changes. The job follows the pointer for chunks it has taken and not finished,
        // and this function returns when all are finished.
        let work = unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(work) };
        let fresh = Job {
            next: AtomicU64::new(0),
            chunks,
            done: AtomicU64::new(0),
            work,
            panicked: AtomicBool::new(false),
            finished: Mutex::new(chunks == 0),
            woken: Condvar::new(),
        };
        let mut spare = lock(&self.shared.spare).take();
        let job = match spare.as_mut().and_then(Arc::get_mut) {
            Some(place) => {
                *place = fresh;
                spare.expect("it was just written")
            }
            // There is none, or a worker still looks at it.
            None => Arc::new(fresh),
        };
        let helped = chunks > 1 && self.threads > 1;
        if helped {
            lock(&self.shared.jobs).push(job.clone());
            self.shared.epoch.fetch_add(1, Ordering::Release);
            self.shared.wake.notify_all();
        }
        job.take_part(0);
        job.wait();
        if helped {
            lock(&self.shared.jobs).retain(|j| !Arc::ptr_eq(j, &job));
        }
        let panicked = job.panicked.load(Ordering::Relaxed);
        *lock(&self.shared.spare) = Some(job);
        if panicked { Err(Panicked) } else { Ok(()) }
    }
}

impl Shared {
    /// What a worker does for as long as the process lives.
    fn serve(&self, worker: usize) {
        loop {
            let epoch = self.epoch.load(Ordering::Acquire);
            // A statement of its own, so that the list is free again while the worker works.
            let job = open_job(&lock(&self.jobs));
            if let Some(job) = job {
                job.take_part(worker);
                continue;
            }
            let mut spins = 0;
            while spins < SPINS && self.epoch.load(Ordering::Acquire) == epoch {
                std::hint::spin_loop();
                spins += 1;
            }
            let mut jobs = lock(&self.jobs);
            while open_job(&jobs).is_none() {
                jobs = self.wake.wait(jobs).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

fn open_job(jobs: &[Arc<Job>]) -> Option<Arc<Job>> {
    jobs.iter().find(|job| job.next.load(Ordering::Relaxed) < job.chunks).cloned()
}

impl Job {
    /// Takes chunks until there are none left.
    fn take_part(&self, worker: usize) {
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            if chunk >= self.chunks {
                return;
            }
            // SAFETY: this chunk is not finished, so `Pool::run` has not returned.
            let work = unsafe { &*self.work };
            if catch_unwind(AssertUnwindSafe(|| work(worker, chunk))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            if self.done.fetch_add(1, Ordering::AcqRel) + 1 == self.chunks {
                *lock(&self.finished) = true;
                self.woken.notify_all();
            }
        }
    }

    /// Returns when all chunks are finished.
    fn wait(&self) {
        for _ in 0..SPINS {
            if self.done.load(Ordering::Acquire) == self.chunks {
                return;
            }
            std::hint::spin_loop();
        }
        let mut finished = lock(&self.finished);
        while !*finished {
            finished = self.woken.wait(finished).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Locks; what the lock guards is right at every moment, so a panic elsewhere does not spoil it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Threads that the pool will have, without starting one.
///
/// # Errors
/// As [`Pool::get`].
pub(crate) fn threads() -> Result<usize, BackendError> {
    setting().map_err(|reason| unavailable(&reason))
}

fn unavailable(reason: &str) -> BackendError {
    BackendError::Unavailable {
        reason: reason.into(),
        fix: format!("Set VYRE_THREADS to a number from 1 to {MAX_THREADS}, or unset it."),
    }
}

fn setting() -> Result<usize, String> {
    parse(std::env::var("VYRE_THREADS").ok().as_deref())
}

/// The number of threads that a setting of `VYRE_THREADS` asks for.
fn parse(setting: Option<&str>) -> Result<usize, String> {
    let Some(text) = setting else {
        return Ok(std::thread::available_parallelism().map_or(1, |n| n.get()).min(MAX_THREADS));
    };
    match text.trim().parse() {
        Ok(n) if (1..=MAX_THREADS).contains(&n) => Ok(n),
        _ => Err(format!("VYRE_THREADS is `{text}`, which is not a number of threads")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        assert_eq!(parse(Some("3")), Ok(3));
        assert_eq!(parse(Some(" 1 ")), Ok(1));
        for bad in ["0", "1025", "-1", "two", ""] {
            assert!(parse(Some(bad)).is_err(), "{bad}");
        }
        assert!(parse(None).is_ok_and(|n| n >= 1));
    }

    #[test]
    fn every_chunk_once_and_workers_apart() {
        let pool = Pool::new(4);
        for chunks in [0, 1, 2, 3, 1000] {
            let counts: Vec<AtomicU64> = (0..chunks).map(|_| AtomicU64::new(0)).collect();
            let busy: Vec<AtomicBool> = (0..4).map(|_| AtomicBool::new(false)).collect();
            let done = pool.run(chunks, &|worker, chunk| {
                assert!(!busy[worker].swap(true, Ordering::SeqCst));
                counts[chunk as usize].fetch_add(1, Ordering::Relaxed);
                busy[worker].store(false, Ordering::SeqCst);
            });
            assert!(done.is_ok());
            assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn jobs_in_jobs() {
        let pool = Pool::new(3);
        let (sum, inside) = (AtomicU64::new(0), AtomicU64::new(0));
        let start = std::time::Instant::now();
        let outer = pool.run(8, &|_, i| {
            // All three threads are in the job before any of them starts another.
            inside.fetch_add(1, Ordering::SeqCst);
            while inside.load(Ordering::SeqCst) < 3 {
                assert!(start.elapsed().as_secs() < 60, "a thread does not take part");
                std::thread::yield_now();
            }
            let inner = pool.run(8, &|_, j| {
                sum.fetch_add(8 * i + j, Ordering::Relaxed);
            });
            assert!(inner.is_ok());
        });
        assert!(outer.is_ok());
        assert_eq!(sum.load(Ordering::Relaxed), 63 * 64 / 2);
    }

    #[test]
    fn a_panic_is_reported_and_the_rest_runs() {
        let pool = Pool::new(2);
        let ran = AtomicU64::new(0);
        let result = pool.run(10, &|_, chunk| {
            ran.fetch_add(1, Ordering::Relaxed);
            if chunk == 3 {
                std::panic::resume_unwind(Box::new(()));
            }
        });
        assert!(result.is_err());
        assert_eq!(ran.load(Ordering::Relaxed), 10);
        assert!(pool.run(2, &|_, _| {}).is_ok());
    }
}

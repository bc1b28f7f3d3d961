//! A compiled program and its runs: binds memory, gives each worker scratch memory, and shares out the workgroups.

use crate::context;
use crate::deques::{self, Deques};
use crate::jit::Code;
use crate::meeting::{Meeting, together};
use crate::pool::Pool;
use crate::report::Report;
use crate::strips::Strips;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use vyre_driver::{
    AlignedBytes, BackendError, Binding, BindingPlan, Cancel, Executable, HostBytes, HostDrain, HostLaunch,
};
use vyre_ir::{BufferDecl, Program};

/// Chunks of workgroups for each thread: enough that uneven workgroups even out.
const CHUNKS_PER_THREAD: u64 = 32;

/// Code that takes more stack than this runs on threads with a stack of their own.
const SMALL_STACK: usize = 128 << 10;

/// Stack for what is around generated code: the run itself, and the functions that code calls.
const OTHER_STACK: usize = 256 << 10;

/// Scratch memory up to this size is kept for the next run.
const KEPT_BYTES: u64 = 16 << 20;

/// Workers' scratch memory starts at multiples of this, so that two workers share no cache line.
pub(crate) const SCRATCH_ALIGN: u64 = 256;

/// A compiled program.
pub struct Kernel {
    pub(crate) work: Work,
    buffers: Vec<Shape>,
    /// Invocations of a workgroup.
    pub(crate) invocations: u64,
    /// Bytes of scratch memory for each worker.
    pub(crate) scratch_bytes: u64,
    /// Scratch memory of the last run.
    spare: Mutex<Option<AlignedBytes>>,
    /// Whether its workgroups wait for each other, so that all of them must be at work at once.
    waits: bool,
    /// For code that reports accesses out of bounds: the program that it was made from.
    pub(crate) checked: Option<Box<Program>>,
    /// What is not as fast as it should be.
    pub(crate) notice: Option<String>,
}

/// What runs a workgroup.
pub(crate) enum Work {
    Code(Box<Code>),
    Strips(Box<Strips>),
}

/// What a buffer's memory must be.
struct Shape {
    name: String,
    bound: bool,
    writes: bool,
    /// A buffer with a declared count is no longer than that.
    most_bytes: u64,
    /// What code relies on: the declared bytes, else one element; 0 for buffers that are not accessed.
    least_bytes: u64,
}

/// What a run is about, for the threads that share it.
struct Run<'a> {
    kernel: &'a Kernel,
    words: &'a [u64],
    scratch: *mut u8,
    workgroups: [u32; 3],
    cancel: &'a Cancel,
    meeting: &'a Meeting,
    stopped: AtomicBool,
}

// SAFETY: the memory behind `words` and `scratch` outlives the run. Generated code writes through `words` what the
// program's invocations write, which is the program's own business, and to its worker's part of `scratch`.
unsafe impl Sync for Run<'_> {}

impl Kernel {
    /// Code for a program, or for any with the same buffers, and the scratch memory that a worker needs for it.
    pub(crate) fn new(
        p: &Program,
        scratch_bytes: u64,
        work: Work,
        checked: bool,
    ) -> Result<Kernel, BackendError> {
        let plan = BindingPlan::build(p)?;
        let mut bindings: Vec<&Binding> = plan.bindings.iter().collect();
        bindings.sort_by_key(|b| b.buffer_index);
        let (mut accessed, mut waits) = (vec![false; p.buffers.len()], false);
        p.walk(p.body, &mut |inst| {
            waits |= p.insts[inst].op.syncs_grid();
            if let Some(buffer) = p.buffer_of(&p.insts[inst]) {
                accessed[vyre_ir::Entity::index(buffer)] = true;
            }
        });
        let shape = |(b, decl): (&&Binding, &BufferDecl)| Shape {
            name: b.name.clone(),
            bound: b.is_bound(),
            writes: decl.access.writes(),
            most_bytes: b.static_byte_len.unwrap_or(u64::MAX),
            least_bytes: match accessed[b.buffer_index] {
                true => b.static_byte_len.unwrap_or(decl.element.bytes() as u64),
                false => 0,
            },
        };
        Ok(Kernel {
            work,
            buffers: bindings.iter().zip(p.buffers.values()).map(shape).collect(),
            invocations: p.workgroup_invocations(),
            scratch_bytes: scratch_bytes.next_multiple_of(SCRATCH_ALIGN),
            spare: Mutex::new(None),
            waits,
            checked: checked.then(|| Box::new(p.clone())),
            notice: None,
        })
    }

    /// The address and size of each buffer.
    fn bind(&self, memory: &mut [HostBytes<'_>]) -> Result<SmallVec<[(*const u8, usize); 16]>, BackendError> {
        let internal = |what: String| Err(BackendError::Internal { what });
        if memory.len() != self.buffers.len() {
            return internal(format!("{} buffers for a program of {}", memory.len(), self.buffers.len()));
        }
        let mut bound = SmallVec::with_capacity(memory.len());
        for (shape, memory) in self.buffers.iter().zip(memory) {
            let (base, bytes) = match memory {
                _ if !shape.bound => (std::ptr::null(), 0),
                HostBytes::Unbound => (std::ptr::null(), 0),
                HostBytes::Read(bytes) if !shape.writes => (bytes.as_ptr(), bytes.len()),
                HostBytes::Read(_) => {
                    return internal(format!("buffer `{}` is written and was bound to be read", shape.name));
                }
                HostBytes::Write(bytes) => (bytes.as_mut_ptr().cast_const(), bytes.len()),
            };
            // Atomics need it.
            if shape.writes && !(base as usize).is_multiple_of(16) {
                return internal(format!("buffer `{}` is not aligned to 16 bytes", shape.name));
            }
            // Accesses that are known to be in bounds are not checked.
            if shape.bound && (bytes as u64) < shape.least_bytes {
                return internal(format!("buffer `{}` was bound to {bytes} bytes", shape.name));
            }
            bound.push((base, (bytes as u64).min(shape.most_bytes) as usize));
        }
        Ok(bound)
    }

    /// Memory of that many bytes for each worker.
    fn scratch(&self, workers: u64, each: u64) -> Result<AlignedBytes, BackendError> {
        let bytes = each.saturating_mul(workers);
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        match spare {
            Some(spare) if spare.len() as u64 >= bytes => Ok(spare),
            _ => AlignedBytes::zeroed(bytes, "workgroups' variables"),
        }
    }

    fn keep(&self, scratch: AlignedBytes) {
        if scratch.len() as u64 <= KEPT_BYTES {
            *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(scratch);
        }
    }
}

impl Executable for Kernel {
    fn waiting_workgroups(&self) -> u64 {
        Pool::get().map_or(1, |pool| pool.threads as u64)
    }

    fn code(&self) -> Option<Vec<u8>> {
        self.to_bytes()
    }

    fn notice(&self) -> Option<String> {
        self.notice.clone()
    }
}

impl Kernel {
    /// Runs it to the end.
    ///
    /// # Errors
    /// Out of memory; [`BackendError::OutOfBounds`] from checked code; [`BackendError::Timeout`] when it was asked to stop; internal errors.
    pub fn launch(&self, launch: &mut HostLaunch<'_>) -> Result<(), BackendError> {
        let bound = self.bind(&mut launch.memory)?;
        let report = Report::default();
        let [x, y, z] = launch.workgroups.map(u64::from);
        let all = x.checked_mul(y).and_then(|n| n.checked_mul(z));
        let count =
            all.ok_or_else(|| BackendError::Internal { what: format!("a grid of {x}x{y}x{z} workgroups") })?;
        let (start, count) = match launch.only.map(|only| only.map(u64::from)) {
            Some([px, py, pz]) => ((pz * y + py) * x + px, 1),
            None => (0, count),
        };
        let pool = Pool::get()?;
        if let Some(drain) = launch.drain {
            let meeting = Meeting::new(0);
            let words = context::words(
                launch.cancel.address(),
                launch.workgroups,
                &report,
                &meeting,
                bound.iter().copied(),
            );
            let drained = self.drain(pool, &drain, launch, &words);
            return match (&self.checked, report.into_inner()) {
                (Some(program), Some(outside)) => Err(outside.error(program, &bound)),
                _ => drained,
            };
        }
        let threads = if count == 1 { 1 } else { pool.threads as u64 };
        if self.waits && count > threads {
            let what = format!("{count} workgroups wait for each other on {threads} threads");
            return Err(BackendError::Internal { what });
        }
        let meeting = Meeting::new(if self.waits { count as u32 } else { 0 });
        let bound_words = bound.iter().copied();
        let words =
            context::words(launch.cancel.address(), launch.workgroups, &report, &meeting, bound_words);
        let mut scratch = self.scratch(threads, self.scratch_bytes)?;
        let run = Run {
            kernel: self,
            words: &words,
            scratch: scratch.as_mut_ptr(),
            workgroups: launch.workgroups,
            cancel: launch.cancel,
            meeting: &meeting,
            stopped: AtomicBool::new(false),
        };
        let per_chunk = if self.waits { 1 } else { (count / (threads * CHUNKS_PER_THREAD)).max(1) };
        let work = |worker: usize, chunk: u64| {
            let first = start + chunk * per_chunk;
            run.chunk(worker, first, (first + per_chunk).min(start + count));
        };
        let chunks = count.div_ceil(per_chunk);
        let large = self.work.stack() > SMALL_STACK;
        let result = if self.waits && chunks > 1 {
            let stack = large.then_some(self.work.stack() + OTHER_STACK);
            together(chunks, stack, &meeting, &work)
        } else {
            self.share(pool, threads, chunks, &work)
        };
        let stopped = run.stopped.load(Ordering::Relaxed);
        self.keep(scratch);
        result?;
        match (&self.checked, report.into_inner()) {
            (Some(program), Some(outside)) => Err(outside.error(program, &bound)),
            _ if stopped => Err(BackendError::stopped()),
            _ => Ok(()),
        }
    }
}

impl Kernel {
    /// Calls `work(worker, chunk)` for each chunk, on up to that many threads.
    fn share(
        &self,
        pool: &Pool,
        threads: u64,
        chunks: u64,
        work: &(dyn Fn(usize, u64) + Sync),
    ) -> Result<(), BackendError> {
        if self.work.stack() > SMALL_STACK {
            return on_large_stacks(threads as usize, self.work.stack() + OTHER_STACK, chunks, work);
        }
        if threads == 1 {
            (0..chunks).for_each(|chunk| work(0, chunk));
            return Ok(());
        }
        pool.run(chunks, work).map_err(|_| BackendError::Internal { what: "a worker thread panicked".into() })
    }

    /// Handles the items of a work queue.
    fn drain(
        &self,
        pool: &Pool,
        drain: &HostDrain<'_>,
        launch: &mut HostLaunch<'_>,
        words: &[u64],
    ) -> Result<(), BackendError> {
        let workers = pool.threads as u64;
        let mut memory = self.scratch(workers, deques::bytes(drain, self.scratch_bytes))?;
        let start = memory.as_mut_ptr();
        let deques =
            Deques::new(self, drain, &mut launch.memory, words, start, workers as usize, launch.cancel)?;
        let result = self.share(pool, workers, workers, &|_, worker| deques.work(worker as usize));
        let stopped = deques.stopped();
        let finished = deques.finish(drain, &mut launch.memory);
        self.keep(memory);
        result.and(finished)?;
        if stopped { Err(BackendError::stopped()) } else { Ok(()) }
    }
}

/// Calls `work(worker, chunk)` for each chunk, on threads with that much stack.
fn on_large_stacks(
    threads: usize,
    stack: usize,
    chunks: u64,
    work: &(dyn Fn(usize, u64) + Sync),
) -> Result<(), BackendError> {
    let next = AtomicU64::new(0);
    let take_part = &|worker: usize| {
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            if chunk >= chunks {
                return;
            }
            work(worker, chunk);
        }
    };
    std::thread::scope(|scope| {
        let mut started = Vec::new();
        for worker in 0..threads {
            let thread = std::thread::Builder::new().stack_size(stack);
            match thread.spawn_scoped(scope, move || take_part(worker)) {
                Ok(thread) => started.push(thread),
                // The others do its part.
                Err(_) if worker > 0 => break,
                Err(_) => {
                    let what = "the stack of a very large program".into();
                    return Err(BackendError::OutOfMemory { requested: stack as u64, available: None, what });
                }
            }
        }
        if started.into_iter().any(|thread| thread.join().is_err()) {
            return Err(BackendError::Internal { what: "a worker thread panicked".into() });
        }
        Ok(())
    })
}

impl Run<'_> {
    /// Runs the workgroups from the `first` one up to the `end`.
    fn chunk(&self, worker: usize, first: u64, end: u64) {
        let kernel = self.kernel;
        let ending = Ending { run: self, well: false };
        // SAFETY: there is scratch memory for each worker that the pool has.
        let scratch = unsafe { self.scratch.add(worker * kernel.scratch_bytes as usize) };
        let [nx, ny, _] = self.workgroups.map(u64::from);
        let mut i = first;
        while i < end {
            if self.cancel.requested() || self.stopped.load(Ordering::Relaxed) {
                return;
            }
            let (x, y, z) = (i % nx, i / nx % ny, i / nx / ny);
            let end_x = nx.min(x + (end - i));
            i += end_x - x;
            let [x, y, z, end_x] = [x, y, z, end_x].map(|n| n as u32);
            // SAFETY: `words` has the layout of `context` for this program, its memory is as large as it says, and
            // this worker's scratch memory is as large as what runs it says.
            let status = unsafe { kernel.work.run(self.words.as_ptr(), scratch, [x, y, z], end_x) };
            if status as i64 != context::DONE {
                return;
            }
        }
        ending.well();
    }
}

/// The end of a chunk, however it comes.
struct Ending<'a> {
    run: &'a Run<'a>,
    well: bool,
}

impl Ending<'_> {
    /// All of the chunk has run.
    fn well(mut self) {
        self.well = true;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.well {
            self.run.stopped.store(true, Ordering::Relaxed);
            self.run.meeting.end();
        } else if self.run.kernel.waits {
            self.run.meeting.leave();
        }
    }
}

impl Work {
    /// Bytes of stack that a run takes.
    fn stack(&self) -> usize {
        match self {
            Work::Code(code) => code.stack(),
            Work::Strips(strips) => strips.stack(),
        }
    }

    /// Runs workgroups along x up to `end_x`; gives a status of [`context`].
    ///
    /// # Safety
    /// `words` must have the layout of [`context`] for the program that this was made from, with memory as large as it
    /// says, and `scratch` the start of as many bytes as it needs, which nothing else uses meanwhile.
    pub(crate) unsafe fn run(
        &self,
        words: *const u64,
        scratch: *mut u8,
        [x, y, z]: [u32; 3],
        end_x: u32,
    ) -> u32 {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Work::Strips(strips) => strips.run(words, scratch, x, y, z, end_x),
                Work::Code(code) => code.entry()(words, scratch, x, y, z, end_x),
            }
        }
    }
}

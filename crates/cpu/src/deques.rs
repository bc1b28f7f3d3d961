//! Work queues: threads that handle items until none are left, each from a ring of its own.
//!
//! A worker runs the program of [`vyre_opt::queue`] over windows of its own items, the oldest first, so that the order is
//! about that of one queue. For it the program is bound to the worker's own ring, state and counts, which nobody else
//! touches while a window runs; so a push is an addition to a word in the worker's own cache. Between windows the worker
//! says which items it has, under a lock. A worker without items takes half of another's, or sleeps until somebody
//! has some. When no items are left anywhere, all are done: that is counted, so nobody waits for a thread that has not
//! come.
//!
//! Each ring has room for as many items as the queue may hold. Whether all rings together hold more is found out after
//! each window; then no further window begins.

use crate::context;
use crate::kernel::{Kernel, SCRATCH_ALIGN};
use crate::pool::{SPINS, lock};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Condvar, Mutex, PoisonError};
use vyre_driver::{BackendError, Cancel, Drained, HostBytes, HostDrain, Undrained, writable};
use vyre_ir::Buffer;
use vyre_opt::queue::{CAPACITY, COUNT, COUNT_WORDS, HEAD, STATE_WORDS, TAIL};

/// Items of a window at most: enough that what is around a window is little, few enough that others find some to take.
const WINDOW_ITEMS: u64 = 256;

/// Items of a window, if there are so many, however few others would find.
const FEW: u64 = 16;

/// Bytes of a worker's state and counts, each.
const BLOCK: u64 = 128;

const _: () = assert!(4 * STATE_WORDS as u64 <= BLOCK && 4 * COUNT_WORDS as u64 <= BLOCK);

/// A drain on its way.
pub(crate) struct Deques<'a> {
    kernel: &'a Kernel,
    words: &'a [u64],
    cancel: &'a Cancel,
    buffers: [Buffer; 3],
    /// Workers' memory: state, counts, ring and scratch memory of each.
    memory: *mut u8,
    layout: Layout,
    capacity: u64,
    entry_bytes: usize,
    window: u64,
    bound: u64,
    invocations: u64,
    deques: Vec<Deque>,
    /// Items that are somewhere, those of windows included.
    in_flight: AtomicU64,
    /// As many, and what windows under way may push if that is bounded.
    promised: AtomicU64,
    high_water: AtomicU64,
    /// Windows under way.
    active: AtomicUsize,
    over: AtomicBool,
    stopped: AtomicBool,
    totals: Mutex<Totals>,
    asleep: AtomicUsize,
    sleepers: Mutex<()>,
    woken: Condvar,
}

// SAFETY: the memory behind `words` and `memory` outlives the drain. Each worker uses its own part of `memory`, but for
// entries, which others read under the lock of the ring, before its owner can overwrite them.
unsafe impl Sync for Deques<'_> {}

/// The items that a worker has and that no window has begun with. Two share no cache lines.
#[repr(align(256))]
#[derive(Default)]
struct Deque {
    ends: Mutex<Ends>,
    /// How many there are.
    items: AtomicU64,
}

/// The first item and that behind the last one, counted from when the ring was empty; entries are these modulo the
/// capacity.
#[derive(Copy, Clone, Default)]
struct Ends {
    head: u64,
    tail: u64,
}

/// What workers counted.
#[derive(Copy, Clone, Default)]
struct Totals {
    processed: u64,
    pushed: u64,
    lost: u64,
    windows: u64,
}

/// Where things are in a worker's memory.
#[derive(Copy, Clone)]
struct Layout {
    ring: u64,
    scratch: u64,
    bytes: u64,
}

impl Layout {
    fn new(capacity: u64, entry_bytes: u64, scratch_bytes: u64) -> Layout {
        let ring = 2 * BLOCK;
        let scratch = (ring + capacity * entry_bytes).next_multiple_of(SCRATCH_ALIGN);
        // One more line, so that the blocks of all workers are not in the same sets of a cache.
        Layout { ring, scratch, bytes: scratch + scratch_bytes + SCRATCH_ALIGN }
    }
}

/// Bytes that each worker needs.
pub(crate) fn bytes(drain: &HostDrain<'_>, scratch_bytes: u64) -> u64 {
    Layout::new(drain.capacity.into(), 4 * u64::from(drain.queue.entry_words), scratch_bytes).bytes
}

impl<'a> Deques<'a> {
    /// The items of a queue, given to `workers`, each of whom has [`bytes`] from `memory` on.
    ///
    /// # Errors
    /// When the queue's memory is not what it should be.
    pub fn new(
        kernel: &'a Kernel,
        drain: &HostDrain<'_>,
        bound: &mut [HostBytes<'_>],
        words: &'a [u64],
        memory: *mut u8,
        workers: usize,
        cancel: &'a Cancel,
    ) -> Result<Deques<'a>, BackendError> {
        let queue = drain.queue;
        let (capacity, entry_bytes) = (u64::from(drain.capacity), drain.entry_bytes());
        let Undrained { head, items: initial, window, bound: most_pushes } = drain.begin(bound)?;
        let items = writable(bound, queue.items)?;
        let deques = Deques {
            kernel,
            words,
            cancel,
            buffers: [queue.state, queue.counts, queue.items],
            memory,
            layout: Layout::new(capacity, entry_bytes as u64, kernel.scratch_bytes),
            capacity,
            entry_bytes,
            window: window.clamp(1, WINDOW_ITEMS),
            bound: most_pushes,
            invocations: kernel.invocations,
            deques: (0..workers).map(|_| Deque::default()).collect(),
            in_flight: AtomicU64::new(initial),
            promised: AtomicU64::new(initial),
            high_water: AtomicU64::new(initial),
            active: AtomicUsize::new(0),
            over: AtomicBool::new(initial == 0),
            stopped: AtomicBool::new(false),
            totals: Mutex::default(),
            asleep: AtomicUsize::new(0),
            sleepers: Mutex::default(),
            woken: Condvar::new(),
        };
        // Everybody gets a share; what nobody comes for is taken by the others.
        for (worker, deque) in deques.deques.iter().enumerate() {
            let share = |worker: usize| initial * worker as u64 / workers as u64;
            let (from, to) = (share(worker), share(worker + 1));
            for (place, at) in (from..to).enumerate() {
                let entry = ((head + at) % capacity) as usize * entry_bytes;
                // SAFETY: a ring has room for as many entries as the queue, and the entry is in bounds of `items`.
                unsafe {
                    let ring = deques.ring(worker).add(place * entry_bytes);
                    ring.copy_from_nonoverlapping(items[entry..].as_ptr(), entry_bytes);
                }
            }
            lock(&deque.ends).tail = to - from;
            deque.items.store(to - from, Ordering::Relaxed);
        }
        Ok(deques)
    }

    /// The start of a worker's memory.
    fn base(&self, worker: usize) -> *mut u8 {
        // SAFETY: the memory is as large as all workers' parts.
        unsafe { self.memory.add(worker * self.layout.bytes as usize) }
    }

    fn ring(&self, worker: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.base(worker).add(self.layout.ring as usize) }
    }

    /// Handles items until there are none left, as the worker of that number, of which there is one at a time.
    pub fn work(&self, worker: usize) {
        let end = Ending { deques: self, well: false };
        let bytes =
            [4 * u64::from(STATE_WORDS), 4 * u64::from(COUNT_WORDS), self.capacity * self.entry_bytes as u64];
        let base = self.base(worker);
        let mut words = self.words.to_vec();
        for ((buffer, at), bytes) in self.buffers.into_iter().zip([0, BLOCK, self.layout.ring]).zip(bytes) {
            let word = context::buffer_offset(buffer) as usize / 8;
            words[word] = base as u64 + at;
            words[word + 1] = bytes;
        }
        // SAFETY: the blocks of the worker's memory, aligned to words, which nothing else uses.
        let (state, counts) = unsafe {
            (
                std::slice::from_raw_parts(base.cast::<AtomicU32>(), STATE_WORDS as usize),
                std::slice::from_raw_parts(
                    base.add(BLOCK as usize).cast::<AtomicU32>(),
                    COUNT_WORDS as usize,
                ),
            )
        };
        let mut totals = Totals::default();
        state[CAPACITY as usize].store(self.capacity as u32, Ordering::Relaxed);
        let mut stored = 0;
        loop {
            if self.cancel.requested() {
                return;
            }
            let Some((first, count, tail)) = self.window(worker, stored) else {
                stored = 0;
                if self.over.load(Ordering::Acquire) {
                    break;
                }
                // It may have items and no room for what they push.
                let has_items = self.deques[worker].items.load(Ordering::Relaxed) > 0;
                if has_items || !self.steal(worker) {
                    self.idle();
                }
                continue;
            };
            let head = first % self.capacity;
            let before = head + (tail - first);
            state[HEAD as usize].store(head as u32, Ordering::Relaxed);
            state[COUNT as usize].store(count as u32, Ordering::Relaxed);
            counts[TAIL as usize].store(before as u32, Ordering::Relaxed);
            let workgroups = count.div_ceil(self.invocations) as u32;
            // SAFETY: `words` has the layout of `context` for this program, its memory is as large as it says, and this
            // worker's scratch memory is as large as what runs it says.
            let status = unsafe {
                let scratch = base.add(self.layout.scratch as usize);
                self.kernel.work.run(words.as_ptr(), scratch, [0; 3], workgroups)
            };
            if i64::from(status) != context::DONE {
                return;
            }
            let pushed = u64::from(counts[TAIL as usize].load(Ordering::Relaxed).wrapping_sub(before as u32));
            stored = pushed.min(self.capacity - (tail - first));
            totals.processed += count;
            totals.pushed += pushed;
            totals.lost += pushed - stored;
            totals.windows += 1;
            self.done(count, stored, pushed - stored);
        }
        let mut all = lock(&self.totals);
        all.processed += totals.processed;
        all.pushed += totals.pushed;
        all.lost += totals.lost;
        all.windows += totals.windows;
        drop(all);
        end.well();
    }

    /// Says that the worker has `stored` more items, and begins a window: its first item, how many it has, and what is
    /// behind the last item of the worker.
    fn window(&self, worker: usize, stored: u64) -> Option<(u64, u64, u64)> {
        let deque = &self.deques[worker];
        let mut ends = lock(&deque.ends);
        ends.tail += stored;
        let items = ends.tail - ends.head;
        let share = items.div_ceil(self.deques.len() as u64).max(FEW);
        let mut count = share.min(self.window).min(items);
        if count > 0 && !self.over.load(Ordering::Relaxed) {
            count = self.promise(count);
        } else {
            count = 0;
        }
        let first = ends.head;
        ends.head += count;
        if ends.head == ends.tail && count == 0 {
            // What was used last is used again.
            *ends = Ends::default();
        }
        let tail = ends.tail;
        deque.items.store(items - count, Ordering::Relaxed);
        drop(ends);
        // Who falls asleep now sees the items, or is seen here.
        fence(Ordering::SeqCst);
        if items > count && self.asleep.load(Ordering::Relaxed) > 0 {
            self.wake();
        }
        (count > 0).then_some((first, count, tail))
    }

    /// Up to `count` items for whose pushes there is room.
    fn promise(&self, mut count: u64) -> u64 {
        if self.bound == 0 {
            return count;
        }
        self.active.fetch_add(1, Ordering::SeqCst);
        let promise = self.promised.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |promised| {
            count = count.min(self.capacity.saturating_sub(promised) / self.bound);
            Some(promised + count * self.bound)
        });
        debug_assert!(promise.is_ok());
        if count == 0 {
            self.active.fetch_sub(1, Ordering::SeqCst);
        }
        count
    }

    /// A window of `count` items is done.
    fn done(&self, count: u64, stored: u64, lost: u64) {
        let most = self.in_flight.fetch_add(stored, Ordering::AcqRel) + stored;
        self.high_water.fetch_max(most + lost, Ordering::Relaxed);
        if lost > 0 || most > self.capacity {
            self.end();
        }
        if self.bound > 0 {
            // What it did not push is free again, and its items are.
            self.promised.fetch_add(stored, Ordering::SeqCst);
            self.promised.fetch_sub(count * self.bound + count, Ordering::SeqCst);
            self.active.fetch_sub(1, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if self.asleep.load(Ordering::Relaxed) > 0 {
                self.wake();
            }
        }
        if self.in_flight.fetch_sub(count, Ordering::AcqRel) == count {
            self.end();
        }
    }

    /// Takes half of another worker's items.
    fn steal(&self, worker: usize) -> bool {
        let workers = self.deques.len();
        (1..workers).map(|i| (worker + i) % workers).any(|from| self.steal_from(worker, from))
    }

    fn steal_from(&self, worker: usize, from: usize) -> bool {
        let (own, other) = (&self.deques[worker], &self.deques[from]);
        if other.items.load(Ordering::Relaxed) == 0 {
            return false;
        }
        // Nobody else adds to a worker's items; it has none.
        let mut ends = lock(&other.ends);
        let items = ends.tail - ends.head;
        let taken = items.div_ceil(2);
        for i in 0..taken {
            let entry = ((ends.head + i) % self.capacity) as usize * self.entry_bytes;
            // SAFETY: both are entries of rings. The other worker stores no entry over one that is not taken; this one
            // has no window under way.
            unsafe {
                let place = self.ring(worker).add(i as usize * self.entry_bytes);
                place.copy_from_nonoverlapping(self.ring(from).add(entry), self.entry_bytes);
            }
        }
        ends.head += taken;
        other.items.store(items - taken, Ordering::Relaxed);
        drop(ends);
        *lock(&own.ends) = Ends { head: 0, tail: taken };
        own.items.store(taken, Ordering::Relaxed);
        taken > 0
    }

    /// Waits until there is something to take, or all is over.
    fn idle(&self) {
        for _ in 0..SPINS {
            if self.over.load(Ordering::Acquire) || self.is_something_to_do() {
                return;
            }
            std::hint::spin_loop();
        }
        let mut guard = lock(&self.sleepers);
        self.asleep.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        while !self.over.load(Ordering::SeqCst) && !self.is_something_to_do() {
            if self.bound > 0 && self.is_stuck() {
                self.over.store(true, Ordering::SeqCst);
                self.woken.notify_all();
                break;
            }
            guard = self.woken.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.asleep.fetch_sub(1, Ordering::SeqCst);
    }

    fn is_something_to_do(&self) -> bool {
        let items = self.deques.iter().any(|deque| deque.items.load(Ordering::Relaxed) > 0);
        items && (self.bound == 0 || self.has_room())
    }

    /// Whether there is room for what an item may push.
    fn has_room(&self) -> bool {
        self.capacity.saturating_sub(self.promised.load(Ordering::SeqCst)) >= self.bound
    }

    /// Whether there is too little room for any item, and nobody at work who could make some.
    fn is_stuck(&self) -> bool {
        self.active.load(Ordering::SeqCst) == 0 && !self.has_room()
    }

    fn wake(&self) {
        drop(lock(&self.sleepers));
        self.woken.notify_all();
    }

    /// No window begins any more.
    fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Whether it was stopped before its end.
    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// When all workers are back: puts what is left and what was counted where the control program would.
    ///
    /// # Errors
    /// When the queue's memory is not what it should be.
    pub fn finish(self, drain: &HostDrain<'_>, bound: &mut [HostBytes<'_>]) -> Result<(), BackendError> {
        let mut totals = *lock(&self.totals);
        let items = writable(bound, drain.queue.items)?;
        let mut left = 0;
        for (worker, deque) in self.deques.iter().enumerate() {
            let ends = *lock(&deque.ends);
            for at in ends.head..ends.tail {
                if left == self.capacity {
                    totals.lost += 1;
                    continue;
                }
                let (entry, place) = ((at % self.capacity) as usize, left as usize);
                // SAFETY: an entry of the worker's ring, in which nobody works any more.
                let entry = unsafe {
                    let entry = self.ring(worker).add(entry * self.entry_bytes);
                    std::slice::from_raw_parts(entry, self.entry_bytes)
                };
                items[place * self.entry_bytes..][..self.entry_bytes].copy_from_slice(entry);
                left += 1;
            }
        }
        let Totals { processed, pushed, lost, windows } = totals;
        let high_water = self.high_water.load(Ordering::Relaxed);
        drain.finish(bound, &Drained { processed, pushed, lost, left, high_water, windows })
    }
}

/// The end of a worker's part, however it comes.
struct Ending<'a> {
    deques: &'a Deques<'a>,
    well: bool,
}

impl Ending<'_> {
    fn well(mut self) {
        self.well = true;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.well {
            self.deques.stopped.store(true, Ordering::Relaxed);
            self.deques.end();
        }
    }
}

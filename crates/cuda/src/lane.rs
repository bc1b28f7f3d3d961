//! What one submission at a time has for itself: a stream, and what goes with it. Lanes are kept, so that a thread that
//! submits again finds all it needs.

use crate::graphs::Graphs;
use crate::library::{Driver, Failure, call};
use crate::opened::{Opened, lock};
use crate::staging::Staging;
use crate::symbols::{Address, Event, NON_BLOCKING, NOT_READY, Stream, UNTIMED};
use std::sync::Mutex;

/// Lanes that are kept at most while nobody uses them.
const KEPT: usize = 16;

/// Bytes around the word by which blocks wait for each other: no two lanes share a line of a cache.
const BARRIER_BYTES: usize = 128;

/// A stream, and what goes with it.
pub struct Lane {
    pub stream: Stream,
    /// The word by which the blocks of a kernel wait for each other. Kernels of a stream follow each other.
    pub barrier: Address,
    pub staging: Staging,
    pub graphs: Graphs,
    /// Pairs of events around what is timed.
    pub timers: Vec<[Event; 2]>,
    /// What this stream waits for the heap by.
    caught: Event,
    /// How much of the heap's doings this stream has waited for.
    seen: u64,
}

/// Lanes that no submission uses.
#[derive(Default)]
pub struct Lanes {
    free: Mutex<Vec<Lane>>,
}

impl Lanes {
    /// A lane; the context is the thread's.
    pub fn take(&self, opened: &Opened) -> Result<Lane, Failure> {
        // The one that was used last: its memory is in the caches.
        if let Some(lane) = lock(&self.free).pop() {
            return Ok(lane);
        }
        Lane::new(opened)
    }

    /// Keeps a lane on which nothing is under way.
    pub fn keep(&self, opened: &Opened, lane: Lane) {
        let mut free = lock(&self.free);
        if free.len() < KEPT {
            let mut lane = lane;
            lane.graphs.give_up_retired(opened);
            free.push(lane);
            return;
        }
        drop(free);
        lane.end(opened);
    }

    /// Gives up the graphs of kernels that are retired; the context is the thread's.
    pub fn give_up_retired(&self, opened: &Opened) {
        lock(&self.free).iter_mut().for_each(|lane| lane.graphs.give_up_retired(opened));
    }

    /// All of them.
    pub fn take_all(&self) -> Vec<Lane> {
        std::mem::take(&mut *lock(&self.free))
    }
}

impl Lane {
    fn new(opened: &Opened) -> Result<Lane, Failure> {
        let driver = opened.driver();
        let mut stream = Stream::default();
        // SAFETY: the driver writes the handle to where it is to go.
        unsafe { call!(driver, cuStreamCreate(&mut stream, NON_BLOCKING)) }?;
        // What was made is given back when the rest cannot be.
        let mut lane = Lane {
            stream,
            barrier: 0,
            staging: Staging::default(),
            graphs: Graphs::default(),
            timers: Vec::new(),
            caught: Event::default(),
            seen: 0,
        };
        opened.counters.lanes.add(1);
        match lane.fill(opened) {
            Ok(()) => Ok(lane),
            Err(failure) => {
                lane.end(opened);
                Err(failure)
            }
        }
    }

    fn fill(&mut self, opened: &Opened) -> Result<(), Failure> {
        let driver = opened.driver();
        self.caught = event(driver, UNTIMED)?;
        self.barrier = opened.heap.take(driver, BARRIER_BYTES)?;
        opened.heap.clear(driver, self.barrier, BARRIER_BYTES)
    }

    /// Has the stream wait for all that was done to memory so far.
    pub fn catch_up(&mut self, opened: &Opened) -> Result<(), Failure> {
        let epoch = opened.heap.epoch();
        if epoch != self.seen {
            opened.heap.precede(opened.driver(), self.stream, self.caught)?;
            self.seen = epoch;
        }
        Ok(())
    }

    /// Whether all that was given to the stream is done.
    pub fn is_done(&self, driver: &Driver) -> Result<bool, Failure> {
        // SAFETY: the stream is this lane's.
        let status = unsafe { (driver.cuStreamQuery)(self.stream) };
        if status == NOT_READY {
            return Ok(false);
        }
        driver.check("cuStreamQuery", status).map(|()| true)
    }

    /// Whether something that was given to the stream is under way; what has failed is not.
    pub fn is_at_work(&self, driver: &Driver) -> bool {
        matches!(self.is_done(driver), Ok(false))
    }

    /// Gives everything back; nothing is under way, and the context is the thread's.
    pub fn end(mut self, opened: &Opened) {
        let driver = opened.driver();
        self.graphs.end(opened);
        self.staging.end(opened);
        for event in self.timers.drain(..).flatten().chain([self.caught]) {
            if event != Event::default() {
                // SAFETY: the event is this lane's. There is nothing to do about a failure, here and below.
                let _ = unsafe { call!(driver, cuEventDestroy(event)) };
            }
        }
        if self.barrier != 0 {
            opened.heap.give(driver, self.barrier);
        }
        // SAFETY: the stream is this lane's, and not used again.
        let _ = unsafe { call!(driver, cuStreamDestroy(self.stream)) };
        opened.counters.lanes.sub(1);
    }
}

/// A new event.
pub fn event(driver: &Driver, flags: u32) -> Result<Event, Failure> {
    let mut event = Event::default();
    // SAFETY: the driver writes the handle to where it is to go.
    unsafe { call!(driver, cuEventCreate(&mut event, flags)) }?;
    Ok(event)
}

//! The streams of a device: what is to be done, in which order, and what comes next.

use crate::codes::{Code, INVALID_HANDLE};
use crate::configuration::Pace;
use crate::operation::Operation;
use crate::random::Random;
use crate::table::{Handle, fresh};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The stream that others wait for, and that waits for others, unless they say no.
const LEGACY: usize = 0;
/// What `CU_STREAM_LEGACY` and `CU_STREAM_PER_THREAD` are.
const LEGACY_HANDLE: usize = 1;
const PER_THREAD: usize = 2;

/// Whether a piece of work has ended, and when. Clones are of the same piece.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<TicketState>);

#[derive(Default)]
struct TicketState {
    done: AtomicBool,
    time: OnceLock<Instant>,
}

impl Ticket {
    pub fn done(&self) -> bool {
        self.0.done.load(Ordering::Acquire)
    }

    /// When it ended; `None` where it never ran to its end.
    pub fn time(&self) -> Option<Instant> {
        self.0.time.get().copied()
    }

    fn finish(&self) {
        let _ = self.0.time.set(Instant::now());
        self.0.done.store(true, Ordering::Release);
    }

    fn drop_work(&self) {
        self.0.done.store(true, Ordering::Release);
    }
}

/// Work in its place.
pub(crate) struct Task {
    pub operation: Operation,
    pub ticket: Ticket,
    after: Vec<Ticket>,
    /// How many pieces of work the device was given before.
    number: u64,
    held: bool,
}

struct Stream {
    waiting: VecDeque<Task>,
    last: Option<Ticket>,
    /// Whether it waits for the legacy stream and the other way round.
    blocking: bool,
    destroyed: bool,
}

impl Stream {
    fn new(blocking: bool) -> Stream {
        Stream { waiting: VecDeque::new(), last: None, blocking, destroyed: false }
    }
}

/// All streams of a device.
pub(crate) struct Queues {
    streams: BTreeMap<usize, Stream>,
    pace: Pace,
    random: Random,
    given: u64,
    /// Work with a lower number may be done.
    demanded: u64,
    /// Whether the device is at work.
    pub busy: bool,
    /// Whether a launch whose turn has come is held.
    holding: bool,
}

impl Queues {
    pub fn new(pace: Pace, seed: u64) -> Queues {
        let streams = BTreeMap::from([(LEGACY, Stream::new(true)), (PER_THREAD, Stream::new(true))]);
        Queues {
            streams,
            pace,
            random: Random::new(seed),
            given: 0,
            demanded: 0,
            busy: false,
            holding: false,
        }
    }

    /// A new stream.
    pub fn create(&mut self, blocking: bool) -> Handle {
        let number = fresh();
        self.streams.insert(number, Stream::new(blocking));
        number as Handle
    }

    fn key(&self, handle: Handle) -> Result<usize, Code> {
        let key = if handle as usize == LEGACY_HANDLE { LEGACY } else { handle as usize };
        self.streams.get(&key).filter(|stream| !stream.destroyed).map(|_| key).ok_or(INVALID_HANDLE)
    }

    /// Whether there is such a stream.
    pub fn check(&self, stream: Handle) -> Result<(), Code> {
        self.key(stream).map(|_| ())
    }

    /// A stream takes no more work, and is gone once it has done what it has.
    pub fn destroy(&mut self, stream: Handle) -> Result<(), Code> {
        let key = self.key(stream)?;
        if key == LEGACY || key == PER_THREAD {
            return Err(INVALID_HANDLE);
        }
        self.streams.get_mut(&key).expect("it was found").destroyed = true;
        self.sweep();
        Ok(())
    }

    /// Gives a stream something to do, after all that it was given before and after what the tickets stand for.
    pub fn push(
        &mut self,
        stream: Handle,
        operation: Operation,
        mut after: Vec<Ticket>,
        held: bool,
    ) -> Result<Ticket, Code> {
        let key = self.key(stream)?;
        let others = self.streams.iter().filter(|(other, stream)| match key {
            LEGACY => stream.blocking,
            _ => **other == LEGACY && self.streams[&key].blocking,
        });
        after.extend(others.filter_map(|(_, other)| other.last.clone()));
        let ticket = Ticket::default();
        let task = Task { operation, ticket: ticket.clone(), after, number: self.given, held };
        self.given += 1;
        let stream = self.streams.get_mut(&key).expect("it was found");
        stream.waiting.push_back(task);
        stream.last = Some(ticket.clone());
        Ok(ticket)
    }

    /// What the work that a stream was given last stands for.
    pub fn last(&self, stream: Handle) -> Result<Option<Ticket>, Code> {
        Ok(self.streams[&self.key(stream)?].last.clone())
    }

    /// The same of all streams.
    pub fn all_last(&self) -> Vec<Ticket> {
        self.streams.values().filter_map(|stream| stream.last.clone()).collect()
    }

    /// Somebody waits for what was given so far.
    pub fn demand(&mut self) {
        self.demanded = self.given;
    }

    /// Something that can be done now. The device is busy until [`Queues::finish`].
    pub fn take(&mut self) -> Option<Task> {
        let limit = if self.pace == Pace::Eager { u64::MAX } else { self.demanded };
        let turns: Vec<(usize, bool)> = self
            .streams
            .iter()
            .filter_map(|(key, stream)| Some((*key, stream.waiting.front()?)))
            .filter(|(_, task)| task.number < limit && task.after.iter().all(Ticket::done))
            .map(|(key, task)| (key, task.held))
            .collect();
        self.holding = turns.iter().any(|(_, held)| *held);
        let ready: Vec<usize> = turns.into_iter().filter(|(_, held)| !held).map(|(key, _)| key).collect();
        if self.busy || ready.is_empty() {
            return None;
        }
        let key = ready[self.random.below(ready.len())];
        self.busy = true;
        self.streams.get_mut(&key).expect("it was found").waiting.pop_front()
    }

    /// What was taken is done.
    pub fn finish(&mut self, task: &Task) {
        self.busy = false;
        task.ticket.finish();
        self.sweep();
    }

    fn sweep(&mut self) {
        self.streams.retain(|_, stream| {
            let idle = stream.waiting.is_empty() && stream.last.as_ref().is_none_or(Ticket::done);
            !(stream.destroyed && idle)
        });
    }

    /// Gives up all that is not done: nobody waits for it any more. How much that was.
    pub fn clear(&mut self) -> usize {
        let mut dropped = 0;
        for stream in self.streams.values_mut() {
            dropped += stream.waiting.len();
            stream.waiting.drain(..).for_each(|task| task.ticket.drop_work());
        }
        self.holding = false;
        dropped
    }

    /// Lets go on what is held.
    pub fn release(&mut self) {
        let tasks = self.streams.values_mut().flat_map(|stream| &mut stream.waiting);
        tasks.for_each(|task| task.held = false);
        self.holding = false;
    }

    /// Whether a launch whose turn has come is held.
    pub fn holds(&self) -> bool {
        self.holding
    }

    /// Streams that callers made and did not destroy.
    pub fn count(&self) -> u64 {
        self.streams.values().filter(|stream| !stream.destroyed).count() as u64 - 2
    }
}

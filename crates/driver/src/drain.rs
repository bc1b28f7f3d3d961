//! A work queue in the host's memory: what a backend that handles its items finds there, and leaves there.

use crate::error::BackendError;
use crate::host::HostBytes;
use vyre_ir::{Buffer, Entity};
use vyre_opt::queue::{
    BEFORE, BOUND, COUNT, HEAD, HIGH_WATER, LEFT, LOST, PROCESSED, PUSHED, Queue, TAIL, WINDOW, WINDOWS,
};
use vyre_opt::stages::{DONE, NEXT, args};

/// A work queue in the host's memory.
///
/// At the start the state and the counts are as in a window of no items; at the end the counts, and head and
/// count of the state, are as the control program would leave them, and what is left is in the ring.
#[derive(Copy, Clone)]
pub struct HostDrain<'a> {
    /// Where items are and how they are counted.
    pub queue: &'a Queue,
    /// Entries of the queue.
    pub capacity: u32,
}

/// A queue before its items are handled.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Undrained {
    /// The place of the first item: below the capacity.
    pub head: u64,
    /// How many items there are.
    pub items: u64,
    /// How many items a window may have.
    pub window: u64,
    /// How many items an item may push at most; 0 when that is not known.
    pub bound: u64,
}

/// What became of a queue. What is left is in the first entries of the ring.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct Drained {
    /// Items done.
    pub processed: u64,
    /// Items pushed, lost ones included.
    pub pushed: u64,
    /// Items that found no room.
    pub lost: u64,
    /// Items left.
    pub left: u64,
    /// Items that were in the queue at most, lost ones included.
    pub high_water: u64,
    /// Windows.
    pub windows: u64,
}

impl HostDrain<'_> {
    /// Bytes of an entry.
    pub fn entry_bytes(&self) -> usize {
        4 * self.queue.entry_words as usize
    }

    /// What is in the queue before the first item is handled.
    ///
    /// # Errors
    /// [`BackendError::Internal`] when the memory is not that of the queue.
    pub fn begin(&self, memory: &mut [HostBytes<'_>]) -> Result<Undrained, BackendError> {
        let state = writable(memory, self.queue.state)?;
        let [head, window, bound] = [HEAD, WINDOW, BOUND].map(|of| u64::from(word(state, of)));
        let tail = u64::from(word(writable(memory, self.queue.counts)?, TAIL));
        let (items, capacity) = (tail.saturating_sub(head), u64::from(self.capacity));
        let ring = writable(memory, self.queue.items)?.len() as u64;
        if items > capacity || ring < capacity * self.entry_bytes() as u64 {
            let what = format!("a work queue of {capacity} entries with {items} items");
            return Err(BackendError::Internal { what });
        }
        Ok(Undrained { head, items, window, bound })
    }

    /// Leaves what the control program would.
    ///
    /// # Errors
    /// [`BackendError::Internal`] when the memory is not that of the queue.
    pub fn finish(&self, memory: &mut [HostBytes<'_>], drained: &Drained) -> Result<(), BackendError> {
        let counts = writable(memory, self.queue.counts)?;
        set_word(counts, TAIL, drained.left as u32);
        set_word(counts, BEFORE, drained.left as u32);
        add_long(counts, PROCESSED, drained.processed);
        add_long(counts, PUSHED, drained.pushed);
        let high_water = drained.high_water.min(u32::MAX.into()) as u32;
        set_word(counts, HIGH_WATER, word(counts, HIGH_WATER).max(high_water));
        set_word(counts, LEFT, drained.left as u32);
        set_word(counts, LOST, drained.lost as u32);
        set_word(counts, WINDOWS, word(counts, WINDOWS).wrapping_add(drained.windows as u32));
        let state = writable(memory, self.queue.state)?;
        for (of, to) in
            [(NEXT, DONE), (HEAD, 0), (COUNT, 0), (args(0), 0), (args(0) + 1, 0), (args(0) + 2, 0)]
        {
            set_word(state, of, to);
        }
        Ok(())
    }
}

/// The bytes of a buffer of a queue.
///
/// # Errors
/// [`BackendError::Internal`] when they cannot be written.
pub fn writable<'m>(memory: &'m mut [HostBytes<'_>], buffer: Buffer) -> Result<&'m mut [u8], BackendError> {
    match memory.get_mut(buffer.index()) {
        Some(HostBytes::Write(bytes)) => Ok(bytes),
        _ => Err(BackendError::Internal { what: "a work queue whose memory cannot be written".into() }),
    }
}

/// A word of the state or the counts of a queue; 0 beyond their end.
pub fn word(bytes: &[u8], word: u32) -> u32 {
    let rest = bytes.get(4 * word as usize..);
    rest.and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
}

/// Sets a word of the state or the counts of a queue.
pub fn set_word(bytes: &mut [u8], word: u32, to: u32) {
    let rest = bytes.get_mut(4 * word as usize..);
    if let Some(place) = rest.and_then(|rest| rest.first_chunk_mut()) {
        *place = to.to_le_bytes();
    }
}

/// Adds to a number of two words.
fn add_long(bytes: &mut [u8], at: u32, more: u64) {
    let sum = (u64::from(word(bytes, at)) | u64::from(word(bytes, at + 1)) << 32).wrapping_add(more);
    set_word(bytes, at, sum as u32);
    set_word(bytes, at + 1, (sum >> 32) as u32);
}

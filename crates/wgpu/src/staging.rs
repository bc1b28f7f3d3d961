//! Buffers that the host can see: what goes to the device or comes from it passes through them.
//!
//! They are kept, mapped for writing or ready to be copied to, so that a transfer neither allocates nor maps anew what
//! it writes. A buffer is in the pool or belongs to one submission.

use crate::errors;
use crate::opened::{Opened, lock};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use vyre_driver::BackendError;
use wgpu::{Buffer, BufferDescriptor, BufferUsages, MapMode};

/// Bytes that are kept at most, for each direction.
const KEPT_BYTES: u64 = 256 << 20;

/// The smallest buffer.
const SMALLEST: u64 = 64 << 10;

/// Which way bytes go.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Direction {
    /// To the device.
    Up,
    /// From it.
    Down,
}

/// A buffer that the host can see.
pub struct Staging {
    pub buffer: Buffer,
    pub size: u64,
    mapping: Arc<Mapping>,
}

#[derive(Default)]
struct Mapping {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Copy, Clone, PartialEq, Eq, Default)]
enum State {
    #[default]
    Unmapped,
    Asked,
    Mapped,
    Failed,
}

impl Staging {
    fn new(opened: &Opened, direction: Direction, size: u64) -> Result<Staging, BackendError> {
        let up = direction == Direction::Up;
        let usage = match direction {
            Direction::Up => BufferUsages::MAP_WRITE | BufferUsages::COPY_SRC,
            Direction::Down => BufferUsages::MAP_READ | BufferUsages::COPY_DST,
        };
        let descriptor = BufferDescriptor { label: None, size, usage, mapped_at_creation: up };
        let what = "a copy between host and device";
        let buffer = errors::check(what, size, || opened.device.create_buffer(&descriptor))?;
        let state = Mutex::new(if up { State::Mapped } else { State::Unmapped });
        Ok(Staging { buffer, size, mapping: Arc::new(Mapping { state, changed: Condvar::new() }) })
    }

    /// Writes bytes, and zeros behind them up to a multiple of 4; it is mapped.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), BackendError> {
        let end = offset + bytes.len().next_multiple_of(4) as u64;
        let mut view = self.buffer.get_mapped_range_mut(offset..end).map_err(|e| unmapped(&e))?;
        let view = view.slice(..);
        let (mut body, mut rest) = view.split_at(bytes.len());
        body.copy_from_slice(bytes);
        rest.fill(0);
        Ok(())
    }

    /// Reads bytes, of which the first is at any place; it is mapped.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), BackendError> {
        let start = offset / 8 * 8;
        let end = (offset + into.len() as u64).next_multiple_of(4);
        let view = self.buffer.get_mapped_range(start..end).map_err(|e| unmapped(&e))?;
        into.copy_from_slice(&view[(offset - start) as usize..][..into.len()]);
        Ok(())
    }

    /// Makes it the device's.
    pub fn unmap(&self) {
        self.buffer.unmap();
        *lock(&self.mapping.state) = State::Unmapped;
    }

    /// Makes it the host's when the device is done with it.
    pub fn map(&self, direction: Direction) {
        *lock(&self.mapping.state) = State::Asked;
        let mapping = self.mapping.clone();
        let mode = match direction {
            Direction::Up => MapMode::Write,
            Direction::Down => MapMode::Read,
        };
        self.buffer.map_async(mode, .., move |result| {
            *lock(&mapping.state) = if result.is_ok() { State::Mapped } else { State::Failed };
            mapping.changed.notify_all();
        });
    }

    /// Waits, at most for so long, until the request to map it was answered, which may happen on any thread that polls
    /// the device. Gives whether it is mapped; `None` when there is no answer yet.
    pub fn wait(&self, at_most: Duration) -> Option<bool> {
        let state = lock(&self.mapping.state);
        let asked = |state: &mut State| *state == State::Asked;
        let waited = self.mapping.changed.wait_timeout_while(state, at_most, asked);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (*state != State::Asked).then_some(*state == State::Mapped)
    }
}

fn unmapped(error: &dyn std::fmt::Display) -> BackendError {
    BackendError::Internal { what: format!("a buffer for copies is not mapped: {error}") }
}

/// Buffers of one direction that no submission uses.
pub struct Stagings {
    direction: Direction,
    free: Mutex<Vec<Staging>>,
}

impl Stagings {
    pub fn new(direction: Direction) -> Stagings {
        Stagings { direction, free: Mutex::default() }
    }

    /// The smallest buffer of at least so many bytes; a new one if there is none, or only much larger ones.
    pub fn take(&self, opened: &Opened, bytes: u64) -> Result<Staging, BackendError> {
        let size = bytes.max(SMALLEST).next_multiple_of(SMALLEST);
        let mut free = lock(&self.free);
        let fits = free.iter().enumerate().filter(|(_, s)| s.size >= bytes && s.size <= 8 * size);
        if let Some((at, _)) = fits.min_by_key(|(_, s)| s.size) {
            return Ok(free.swap_remove(at));
        }
        drop(free);
        Staging::new(opened, self.direction, size)
    }

    /// Keeps a buffer: mapped if it is for writing, not mapped if it is for reading.
    pub fn keep(&self, staging: Staging) {
        let mut free = lock(&self.free);
        free.push(staging);
        let mut bytes: u64 = free.iter().map(|s| s.size).sum();
        while bytes > KEPT_BYTES {
            bytes -= free.remove(0).size;
        }
    }

    /// Gives all buffers up.
    pub fn clear(&self) {
        lock(&self.free).clear();
    }
}

/// Room for the copies of one submission in one direction, in a few large buffers.
pub struct Arena {
    /// Each with the bytes that are taken.
    pub chunks: Vec<(Staging, u64)>,
    /// Bytes that are still to come, as far as known.
    expected: u64,
}

impl Arena {
    /// For so many bytes.
    pub fn new(expected: u64) -> Arena {
        Arena { chunks: Vec::new(), expected }
    }

    /// Bytes that are taken.
    pub fn taken(&self) -> u64 {
        self.chunks.iter().map(|(_, used)| used).sum()
    }

    /// Room for so many bytes: which chunk, and from where on (a multiple of 8).
    pub fn room(
        &mut self,
        opened: &Opened,
        from: &Stagings,
        bytes: u64,
    ) -> Result<(usize, u64), BackendError> {
        let bytes = bytes.next_multiple_of(8);
        if self.chunks.last().is_none_or(|(chunk, used)| chunk.size - used < bytes) {
            let size = self.expected.min(LARGEST).max(bytes);
            self.chunks.push((from.take(opened, size)?, 0));
        }
        self.expected = self.expected.saturating_sub(bytes);
        let at = self.chunks.len() - 1;
        let used = &mut self.chunks[at].1;
        let start = *used;
        *used += bytes;
        Ok((at, start))
    }
}

/// Copies larger than this are made in several.
pub const LARGEST: u64 = 128 << 20;

//! Time stamps that the device takes at the beginning and the end of what it computes.

use crate::errors;
use crate::opened::{Opened, lock};
use crate::staging::Staging;
use std::sync::Mutex;
use vyre_driver::BackendError;
use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePassTimestampWrites, QuerySet,
    QuerySetDescriptor, QueryType,
};

/// Stretches of computing, between copies, that a submission can time.
const STRETCHES: u32 = 32;

/// Timers that no submission uses.
pub struct Timers {
    supported: bool,
    /// Nanoseconds of a tick.
    period: f32,
    free: Mutex<Vec<Timer>>,
}

/// Takes the time stamps of one submission.
pub struct Timer {
    set: QuerySet,
    resolved: Buffer,
    /// How many stretches there were.
    used: u32,
}

impl Timers {
    pub fn new(supported: bool, period: f32) -> Timers {
        Timers { supported, period, free: Mutex::default() }
    }

    /// A timer, if the device has time stamps.
    pub fn take(&self, opened: &Opened) -> Result<Option<Timer>, BackendError> {
        if !self.supported {
            return Ok(None);
        }
        let kept = lock(&self.free).pop();
        kept.map_or_else(|| Timer::new(opened), |timer| Ok(Timer { used: 0, ..timer })).map(Some)
    }

    pub fn keep(&self, timer: Timer) {
        lock(&self.free).push(timer);
    }
}

impl Timer {
    /// Bytes of the time stamps.
    pub const BYTES: u64 = 16 * STRETCHES as u64;

    fn new(opened: &Opened) -> Result<Timer, BackendError> {
        let queries = QuerySetDescriptor { label: None, ty: QueryType::Timestamp, count: 2 * STRETCHES };
        let usage = BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC;
        let buffer = BufferDescriptor { label: None, size: Timer::BYTES, usage, mapped_at_creation: false };
        let make = || (opened.device.create_query_set(&queries), opened.device.create_buffer(&buffer));
        let (set, resolved) = errors::check("time stamps", Timer::BYTES, make)?;
        Ok(Timer { set, resolved, used: 0 })
    }

    /// What takes the stamps of the next stretch; `None` for those beyond the first ones.
    pub fn stretch(&mut self) -> Option<ComputePassTimestampWrites<'_>> {
        let first = 2 * self.used;
        self.used += 1;
        (self.used <= STRETCHES).then_some(ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        })
    }

    /// Copies the stamps to where the host can read them, if all stretches were timed. Gives whether.
    pub fn resolve(&self, encoder: &mut CommandEncoder, into: &Staging, at: u64) -> bool {
        let timed = (1..=STRETCHES).contains(&self.used);
        if timed {
            encoder.resolve_query_set(&self.set, 0..2 * self.used, &self.resolved, 0);
            encoder.copy_buffer_to_buffer(&self.resolved, 0, &into.buffer, at, 16 * self.used as u64);
        }
        timed
    }

    /// Nanoseconds of all stretches together.
    pub fn elapsed(&self, opened: &Opened, from: &Staging, at: u64) -> Result<u64, BackendError> {
        let mut bytes = [0; Timer::BYTES as usize];
        let bytes = &mut bytes[..16 * self.used as usize];
        from.read(at, bytes)?;
        let stamp = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        let ticks = |pair: &[u8]| stamp(&pair[8..]).saturating_sub(stamp(&pair[..8]));
        let ticks: u64 = bytes.chunks(16).map(ticks).sum();
        Ok((ticks as f64 * opened.timers.period as f64) as u64)
    }
}

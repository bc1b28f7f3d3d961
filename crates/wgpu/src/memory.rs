//! Memory of a device. What is freed is kept for a while and given out again, so that a program that is dispatched often
//! on data of the host neither allocates nor makes new bindings.

use crate::errors;
use crate::opened::{Opened, lock};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use vyre_driver::{BackendError, DeviceMemory, MemoryRequest};
use wgpu::{Buffer, BufferDescriptor, BufferUsages, Limits};

/// Sizes of buffers and of what is bound are multiples of this, and at least this: a load out of bounds reads the first
/// element, of up to 16 bytes, and drops it; uniform memory is rows of 16 bytes.
pub const GRAIN: u64 = 16;

/// Bytes that are kept at most while nobody uses them.
const KEPT_BYTES: u64 = 256 << 20;

/// Buffers that are kept at most while nobody uses them.
const KEPT: usize = 64;

/// A buffer of the device, larger than what it is used for.
pub struct Block {
    /// No two blocks of a process have the same.
    pub id: u64,
    pub buffer: Buffer,
    size: u64,
}

/// Memory that was allocated.
pub struct WgpuMemory {
    opened: Arc<Opened>,
    /// There until it is dropped.
    block: Option<Block>,
    bytes: u64,
    /// Whether it holds what was there before, which nothing may read.
    stale: AtomicBool,
}

impl WgpuMemory {
    /// Memory that reads as zeros.
    pub fn allocate(opened: &Arc<Opened>, request: &MemoryRequest<'_>) -> Result<WgpuMemory, BackendError> {
        let MemoryRequest { bytes, what, .. } = *request;
        opened.usable()?;
        let size = opened.memory.size(bytes).ok_or_else(|| BackendError::OutOfMemory {
            requested: bytes,
            available: Some(opened.memory.largest),
            what: what.into(),
        })?;
        let (block, stale) = match opened.memory.take(size) {
            Some(block) => (block, true),
            None => (Block::new(opened, size, what)?, false),
        };
        Ok(WgpuMemory { opened: opened.clone(), block: Some(block), bytes, stale: AtomicBool::new(stale) })
    }

    pub fn block(&self) -> &Block {
        self.block.as_ref().expect("it is there until it is dropped")
    }

    /// How many bytes are bound.
    pub fn bound_bytes(&self) -> u64 {
        padded(self.bytes)
    }

    /// Whether the device is this one.
    pub fn is_of(&self, opened: &Opened) -> bool {
        self.opened.id == opened.id
    }

    /// Whether it has to be cleared or overwritten before anything reads it.
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }

    /// It was cleared or overwritten, in a submission that is on its way.
    pub fn renewed(&self) {
        self.stale.store(false, Ordering::Release);
    }
}

impl DeviceMemory for WgpuMemory {
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for WgpuMemory {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            let gone = self.opened.memory.keep(block);
            self.opened.layouts.forget(&gone);
        }
    }
}

impl Block {
    /// A new buffer; wgpu clears it before its first use.
    pub fn new(opened: &Opened, size: u64, what: &str) -> Result<Block, BackendError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let descriptor = BufferDescriptor {
            label: None,
            size,
            usage: BufferUsages::STORAGE
                | BufferUsages::UNIFORM
                | BufferUsages::INDIRECT
                | BufferUsages::COPY_SRC
                | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        let create = || errors::check(what, size, || opened.device.create_buffer(&descriptor));
        let buffer = match create() {
            Err(BackendError::OutOfMemory { .. }) => {
                opened.layouts.forget(&opened.memory.clear());
                opened.up.clear();
                opened.down.clear();
                create()?
            }
            made => made?,
        };
        Ok(Block { id: COUNT.fetch_add(1, Ordering::Relaxed), buffer, size })
    }
}

/// Blocks that nobody uses.
pub struct Pool {
    /// The size of the largest buffer.
    pub largest: u64,
    free: Mutex<Vec<Block>>,
}

impl Pool {
    pub fn new(limits: &Limits) -> Pool {
        Pool { largest: limits.max_buffer_size / GRAIN * GRAIN, free: Mutex::default() }
    }

    /// The size of the buffer for so many bytes: one of 16 to each doubling, so that buffers of nearly the same size
    /// can stand for each other. `None` if the device has none so large.
    fn size(&self, bytes: u64) -> Option<u64> {
        if bytes > self.largest {
            return None;
        }
        let bytes = padded(bytes);
        let step = (bytes.next_power_of_two() / 16).max(GRAIN);
        Some(bytes.next_multiple_of(step).min(self.largest))
    }

    fn take(&self, size: u64) -> Option<Block> {
        let mut free = lock(&self.free);
        // The one that was used last: then the same dispatch gets the same buffers, in the same order.
        let at = free.iter().rposition(|block| block.size == size)?;
        Some(free.remove(at))
    }

    /// Keeps a block; gives those that have to go for it.
    fn keep(&self, block: Block) -> Vec<Block> {
        let mut free = lock(&self.free);
        free.push(block);
        let mut bytes: u64 = free.iter().map(|block| block.size).sum();
        let mut gone = Vec::new();
        while free.len() > KEPT || bytes > KEPT_BYTES {
            let oldest = free.remove(0);
            bytes -= oldest.size;
            gone.push(oldest);
        }
        gone
    }

    /// Gives all blocks up.
    pub fn clear(&self) -> Vec<Block> {
        std::mem::take(&mut *lock(&self.free))
    }
}

fn padded(bytes: u64) -> u64 {
    bytes.max(1).next_multiple_of(GRAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_waste_an_eighth_at_most() {
        let pool = Pool::new(&Limits { max_buffer_size: (1 << 31) - 1, ..Limits::default() });
        for bytes in [0, 1, 15, 16, 17, 100, 255, 257, 4097, 65_535, 1_000_001, 134_217_732, 2_147_483_632] {
            let size = pool.size(bytes).unwrap();
            assert!(size.is_multiple_of(16) && size >= bytes.max(16), "{bytes}: {size}");
            assert!(size <= bytes.max(128) / 8 * 9 + 16, "{bytes}: {size}");
        }
        assert_eq!(pool.size(1 << 31), None);
        assert_eq!(pool.size(64 << 20), Some(64 << 20));
    }
}

//! Memory of a device as the driver layer holds it.

use crate::library::call;
use crate::opened::{Opened, PutOff, lock};
use crate::symbols::{Address, OUT_OF_MEMORY};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vyre_driver::{BackendError, DeviceMemory, MemoryRequest};

/// Sizes are multiples of this, and at least this: a load out of bounds reads the first element, of up to 16 bytes.
const GRAIN: u64 = 16;

/// Memory of a device.
pub struct CudaMemory {
    /// Shared with a run that was left at its time limit.
    block: Arc<Block>,
    bytes: u64,
    /// Whether it holds what was there before, which nothing may read.
    stale: AtomicBool,
}

/// A piece of the device's memory, given back when it is dropped.
pub struct Block {
    opened: Arc<Opened>,
    address: Address,
    bytes: u64,
}

impl CudaMemory {
    /// Memory that reads as zeros.
    pub fn allocate(opened: &Arc<Opened>, request: &MemoryRequest<'_>) -> Result<CudaMemory, BackendError> {
        let MemoryRequest { bytes, what, .. } = *request;
        opened.usable()?;
        let block = Arc::new(Block::new(opened, bytes, what)?);
        Ok(CudaMemory { block, bytes, stale: AtomicBool::new(true) })
    }

    /// Where it is.
    pub fn address(&self) -> Address {
        self.block.address
    }

    /// What keeps it.
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Whether the device is this one.
    pub fn is_of(&self, opened: &Arc<Opened>) -> bool {
        Arc::ptr_eq(&self.block.opened, opened)
    }

    /// Has memory that nobody has used cleared, unless all of it is about to be `overwritten`. The context is the thread's.
    pub fn prepare(&self, overwritten: bool) -> Result<(), BackendError> {
        if !self.stale.load(Ordering::Acquire) {
            return Ok(());
        }
        let opened = &self.block.opened;
        // Another submission that clears it has said so to the heap when this is had.
        let _first = lock(&opened.heap.first_use);
        if self.stale.load(Ordering::Acquire) {
            if !overwritten {
                let cleared = opened.heap.clear(opened.driver(), self.address(), self.block.bytes as usize);
                cleared.map_err(|failure| opened.failed(&failure))?;
            }
            self.stale.store(false, Ordering::Release);
        }
        Ok(())
    }
}

impl DeviceMemory for CudaMemory {
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Block {
    fn new(opened: &Arc<Opened>, bytes: u64, what: &str) -> Result<Block, BackendError> {
        let _inside = opened.enter()?;
        let driver = opened.driver();
        let size = bytes.max(1).checked_next_multiple_of(GRAIN);
        let all = opened.description.memory_bytes;
        let taken = match size.filter(|size| *size <= all).and_then(|size| usize::try_from(size).ok()) {
            None => None,
            Some(size) => match opened.heap.take(driver, size) {
                Ok(address) => Some((address, size as u64)),
                Err(failure) if failure.status == OUT_OF_MEMORY => None,
                Err(failure) => return Err(opened.failed(&failure)),
            },
        };
        let Some((address, size)) = taken else {
            let (mut free, mut total) = (0, 0);
            // SAFETY: the driver writes the numbers to where they are to go.
            let asked = unsafe { call!(driver, cuMemGetInfo(&mut free, &mut total)) };
            let available = asked.is_ok().then_some(free as u64);
            return Err(BackendError::OutOfMemory { requested: bytes, available, what: what.into() });
        };
        opened.counters.blocks.add(1);
        opened.counters.block_bytes.add(size);
        Ok(Block { opened: opened.clone(), address, bytes: size })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let Block { opened, address, bytes } = self;
        opened.counters.blocks.sub(1);
        opened.counters.block_bytes.sub(*bytes);
        opened.give_back(PutOff::Memory(*address));
    }
}

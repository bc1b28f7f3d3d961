//! Where memory of the device comes from: a pool of this crate's own where the driver has such, else one call of the
//! driver for each.
//!
//! Memory is taken, cleared and given back in the order of one stream. Other streams may use it once they have waited for
//! what that one had to do: [`Heap::epoch`] tells whether there is something new. Nothing is given back before the host
//! has waited for all work on it.

use crate::device::Description;
use crate::library::{Driver, Failure, call};
use crate::symbols::{
    self, Address, Event, NON_BLOCKING, NOT_SUPPORTED, OUT_OF_MEMORY, Pool, PoolProperties,
    RELEASE_THRESHOLD, Stream,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that the pool keeps while nobody uses them, about.
const KEPT_BYTES: u64 = 1 << 30;

/// Memory of a device; the context is the thread's at every call.
pub struct Heap {
    stream: Stream,
    pool: Option<Pool>,
    /// Grows with all that other streams have to wait for.
    epoch: AtomicU64,
    /// Held while memory is cleared for its first use.
    pub first_use: Mutex<()>,
}

impl Heap {
    pub fn new(driver: &Driver, description: &Description) -> Result<Heap, Failure> {
        let mut stream = Stream::default();
        // SAFETY: the driver writes the handle to where it is to go.
        unsafe { call!(driver, cuStreamCreate(&mut stream, NON_BLOCKING)) }?;
        let pool = match description.pools.then(|| pool(driver, description.device)) {
            Some(Ok(pool)) => Some(pool),
            // Some devices that are shared have none, whatever they say.
            None | Some(Err(Failure { status: NOT_SUPPORTED, .. })) => None,
            Some(Err(failure)) => return Err(failure),
        };
        Ok(Heap { stream, pool, epoch: AtomicU64::new(0), first_use: Mutex::default() })
    }

    /// Takes memory.
    pub fn take(&self, driver: &Driver, bytes: usize) -> Result<Address, Failure> {
        match self.take_once(driver, bytes) {
            Err(failure) if failure.status == OUT_OF_MEMORY => {
                self.trim(driver);
                self.take_once(driver, bytes)
            }
            taken => taken,
        }
    }

    fn take_once(&self, driver: &Driver, bytes: usize) -> Result<Address, Failure> {
        let mut address = 0;
        match (self.pool, driver.cuMemAllocFromPoolAsync) {
            (Some(pool), Some(take)) => {
                // SAFETY: the pool and the stream are this heap's; the driver writes the address to where it is to go.
                let status = unsafe { take(&mut address, bytes, pool, self.stream) };
                driver.check("cuMemAllocFromPoolAsync", status)?;
                self.epoch.fetch_add(1, Ordering::Release);
            }
            // SAFETY: the driver writes the address to where it is to go.
            _ => unsafe { call!(driver, cuMemAlloc(&mut address, bytes)) }?,
        }
        Ok(address)
    }

    /// Gives memory back; nothing is at work on it. There is nothing to do about a failure, which the next call tells of.
    pub fn give(&self, driver: &Driver, address: Address) {
        match (self.pool, driver.cuMemFreeAsync) {
            (Some(_), Some(give)) => {
                // SAFETY: the memory came from the pool, and nothing uses it.
                let _ = unsafe { give(address, self.stream) };
            }
            _ => {
                // SAFETY: the memory came from the driver, and nothing uses it.
                let _ = unsafe { call!(driver, cuMemFree(address)) };
            }
        }
    }

    /// Has memory cleared.
    pub fn clear(&self, driver: &Driver, address: Address, bytes: usize) -> Result<(), Failure> {
        // SAFETY: the memory is that long, and nobody has been told that it can be used.
        unsafe { call!(driver, cuMemsetD8Async(address, 0, bytes, self.stream)) }?;
        self.epoch.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// What has been done to memory so far, as a number.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Has a stream wait for what was done to memory so far.
    pub fn precede(&self, driver: &Driver, stream: Stream, event: Event) -> Result<(), Failure> {
        // SAFETY: event and streams are the caller's and this heap's.
        unsafe {
            call!(driver, cuEventRecord(event, self.stream))?;
            call!(driver, cuStreamWaitEvent(stream, event, 0))
        }
    }

    /// Waits until all that was done to memory is done, which itself waits for nothing else.
    fn settle(&self, driver: &Driver) {
        // SAFETY: the stream is this heap's.
        while unsafe { (driver.cuStreamQuery)(self.stream) } == symbols::NOT_READY {
            std::thread::yield_now();
        }
    }

    /// Gives up what the pool keeps.
    fn trim(&self, driver: &Driver) {
        let (Some(pool), Some(trim)) = (self.pool, driver.cuMemPoolTrimTo) else { return };
        // What was given back is free once the stream got there.
        self.settle(driver);
        // SAFETY: the pool is this heap's.
        let _ = unsafe { trim(pool, 0) };
    }

    /// Ends it; all memory was given back.
    pub fn end(&self, driver: &Driver) {
        self.settle(driver);
        // SAFETY: both are this heap's, and nobody uses them any more. There is nothing to do about a failure.
        unsafe {
            let _ = call!(driver, cuStreamDestroy(self.stream));
            if let (Some(pool), Some(destroy)) = (self.pool, driver.cuMemPoolDestroy) {
                let _ = destroy(pool);
            }
        }
    }
}

fn pool(driver: &Driver, device: symbols::Device) -> Result<Pool, Failure> {
    let mut pool = Pool::default();
    let properties = PoolProperties {
        kind: 1,
        handles: 0,
        location: 1,
        device,
        security: std::ptr::null_mut(),
        most: 0,
        reserved: [0; 56],
    };
    let create = driver.cuMemPoolCreate.expect("only a driver that has pools is asked for one");
    // SAFETY: the properties are whole, and the driver writes the handle to where it is to go.
    let status = unsafe { create(&mut pool, &properties) };
    driver.check("cuMemPoolCreate", status)?;
    if let Some(set) = driver.cuMemPoolSetAttribute {
        let mut kept = KEPT_BYTES;
        // SAFETY: the attribute is a number of 64 bits. Without it the pool is slower, and right.
        let _ = unsafe { set(pool, RELEASE_THRESHOLD, (&raw mut kept).cast()) };
    }
    Ok(pool)
}

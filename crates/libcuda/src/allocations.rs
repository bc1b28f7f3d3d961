//! Which memory of a device is whose: allocations, pools, and how much is left.

use crate::codes::{Answer, Code, INVALID_VALUE, OUT_OF_MEMORY};
use crate::table::{Handle, Table};
use std::collections::BTreeMap;

/// Allocations take multiples of this.
const GRANULARITY: u64 = 512;

/// An allocation.
pub(crate) struct Block {
    pub bytes: u64,
    /// The pool it is from.
    pub pool: Option<usize>,
    /// Whether a stream is to free it.
    pub freeing: bool,
    /// Whether it is pinned memory of the host, which is none of the device's.
    pub mapped: bool,
}

/// A pool of stream-ordered memory.
#[derive(Default)]
pub(crate) struct Pool {
    /// Whether it is what the device has from the start.
    pub default: bool,
    /// How much of what is free it keeps when the host waits.
    pub threshold: u64,
    pub used: u64,
    pub used_high: u64,
    pub reserved: u64,
    pub reserved_high: u64,
}

impl Pool {
    /// Gives back what is free, but for that much.
    pub fn trim(&mut self, keep: u64) {
        self.reserved = self.used.max(self.reserved.min(keep));
    }
}

/// The memory of a device.
#[derive(Default)]
pub(crate) struct Allocations {
    pub total: u64,
    /// Bytes of allocations that are from no pool.
    direct: u64,
    blocks: BTreeMap<u64, Block>,
    pub pools: Table<Pool>,
}

fn rounded(bytes: u64) -> u64 {
    bytes.div_ceil(GRANULARITY).saturating_mul(GRANULARITY)
}

impl Allocations {
    /// Bytes that nothing is in and no pool keeps.
    pub fn free(&self) -> u64 {
        self.total - self.direct - self.pools.values().map(|pool| pool.reserved).sum::<u64>()
    }

    /// Takes memory from what is free, or from a pool.
    pub fn take(&mut self, bytes: u64, pool: Option<Handle>) -> Answer {
        let (bytes, free) = (rounded(bytes), self.free());
        match pool {
            None if bytes <= free => self.direct += bytes,
            Some(handle) => {
                let pool = self.pools.get_mut(handle)?;
                let more = (pool.used + bytes.min(self.total + 1)).saturating_sub(pool.reserved);
                if more > free {
                    return Err(OUT_OF_MEMORY);
                }
                pool.used += bytes;
                pool.reserved += more;
                pool.used_high = pool.used_high.max(pool.used);
                pool.reserved_high = pool.reserved_high.max(pool.reserved);
            }
            None => return Err(OUT_OF_MEMORY),
        }
        Ok(())
    }

    /// Where memory that was taken lies.
    pub fn place(&mut self, address: u64, bytes: u64, pool: Option<Handle>) {
        let pool = pool.map(|handle| handle as usize);
        self.blocks.insert(address, Block { bytes, pool, freeing: false, mapped: false });
    }

    /// Pinned memory of the host has that address.
    pub fn place_mapped(&mut self, address: u64, bytes: u64) {
        self.blocks.insert(address, Block { bytes, pool: None, freeing: false, mapped: true });
    }

    /// The allocation that begins there.
    pub fn at(&mut self, address: u64) -> Result<&mut Block, Code> {
        self.blocks.get_mut(&address).ok_or(INVALID_VALUE)
    }

    /// Forgets an allocation; what it took is free, or its pool's.
    pub fn release(&mut self, address: u64) {
        let Some(block) = self.blocks.remove(&address) else { return };
        let bytes = rounded(block.bytes);
        match block.pool.map(|pool| self.pools.get_mut(pool as Handle)) {
            _ if block.mapped => {}
            Some(Ok(pool)) => pool.used -= bytes,
            Some(Err(_)) | None => self.direct -= bytes,
        }
    }

    /// A pool is gone; what is left of it belongs to nobody but its allocations.
    pub fn destroy_pool(&mut self, handle: Handle) -> Answer {
        if self.pools.get(handle).map_err(|_| INVALID_VALUE)?.default {
            return Err(INVALID_VALUE);
        }
        self.direct += self.pools.remove(handle)?.used;
        Ok(())
    }

    /// The host has waited: pools give back what they need not keep.
    pub fn settle(&mut self) {
        self.pools.values_mut().for_each(|pool| pool.trim(pool.threshold));
    }

    /// Whether all of a range lies in one allocation.
    pub fn contains(&self, address: u64, bytes: u64) -> bool {
        let Some((start, block)) = self.blocks.range(..=address).next_back() else { return false };
        address.checked_add(bytes).is_some_and(|end| end <= start + block.bytes)
            && address < start + block.bytes
    }

    /// Allocations of the device's memory, and the bytes that were asked for.
    pub fn counts(&self) -> (u64, u64) {
        let own = self.blocks.values().filter(|block| !block.mapped);
        own.fold((0, 0), |(count, bytes), block| (count + 1, bytes + block.bytes))
    }
}

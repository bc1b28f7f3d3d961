//! The device's global memory: allocations at addresses.
//!
//! Addresses are cut into slots, each of one allocation at most, so that finding an allocation is one look into a table.

use crate::bytes::ByteSet;
use rustc_hash::FxHashMap;

const BEGIN: u64 = 0x7000_0000_0000;
const SLOT: u64 = 1 << 20;
/// So many slots fit below the end of a device's addresses.
const SLOTS: u64 = (1 << 47) / SLOT - BEGIN / SLOT;
/// At least so much nothing lies behind every allocation.
const GUARD: u64 = 4096;

/// Global memory. Addresses are never used again while the memory lives, so that a use after free is found.
#[derive(Default, Debug)]
pub struct Memory {
    /// What new memory holds until it is written, where somebody looks all the same.
    pub unwritten: u8,
    allocations: Vec<Allocation>,
    /// For each slot its allocation plus 1.
    slots: Vec<u32>,
    /// Where variables of modules are: by module and variable.
    pub(crate) globals: FxHashMap<(u64, u32), u64>,
}

#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) begin: u64,
    pub(crate) data: Vec<u8>,
    pub(crate) written: ByteSet,
    /// Whether it is a `.const` variable.
    pub(crate) constant: bool,
    live: bool,
}

impl Memory {
    /// New memory, which reads as never written until it is. Its address is a multiple of 256; it is 0 if addresses
    /// or the machine's memory have run out.
    pub fn allocate(&mut self, bytes: u64) -> u64 {
        let first = self.slots.len() as u64;
        // Not always at a slot's begin: no more than what is promised shall divide the address.
        let begin = BEGIN + first * SLOT + 256 * (1 + 2 * (self.allocations.len() as u64 % 7));
        let Some(end) = begin.checked_add(bytes).and_then(|end| end.checked_add(GUARD)) else { return 0 };
        let count = (end - BEGIN).div_ceil(SLOT) - first;
        if first + count > SLOTS || self.allocations.len() >= u32::MAX as usize - 1 {
            return 0;
        }
        // Asked for before it is taken, because what takes it cannot fail.
        let mut room: Vec<u8> = Vec::new();
        if usize::try_from(bytes).map(|bytes| room.try_reserve_exact(bytes).is_err()) != Ok(false) {
            return 0;
        }
        drop(room);
        self.allocations.push(Allocation {
            begin,
            data: vec![self.unwritten; bytes as usize],
            written: ByteSet::new(bytes as usize),
            constant: false,
            live: true,
        });
        self.slots.resize((first + count) as usize, self.allocations.len() as u32);
        begin
    }

    /// Frees an allocation by its address; whether there was one.
    pub fn free(&mut self, address: u64) -> bool {
        match self.find(address) {
            Some(index) if self.allocations[index].begin == address => {
                let allocation = &mut self.allocations[index];
                allocation.live = false;
                allocation.data = Vec::new();
                allocation.written = ByteSet::default();
                true
            }
            _ => false,
        }
    }

    /// Copies out; `None` unless all of it lies in one allocation. What was never written reads as [`Memory::unwritten`].
    pub fn read(&self, address: u64, into: &mut [u8]) -> Option<()> {
        let (allocation, offset) = self.locate(address, into.len() as u64)?;
        into.copy_from_slice(&self.allocations[allocation].data[offset..offset + into.len()]);
        Some(())
    }

    /// Copies in; `None` unless all of it lies in one allocation.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Option<()> {
        let (allocation, offset) = self.locate(address, bytes.len() as u64)?;
        let allocation = &mut self.allocations[allocation];
        allocation.data[offset..offset + bytes.len()].copy_from_slice(bytes);
        allocation.written.insert(offset, bytes.len());
        Some(())
    }

    /// The allocation around an address: where it begins, and its bytes.
    pub fn allocation(&self, address: u64) -> Option<(u64, u64)> {
        let allocation = &self.allocations[self.find(address)?];
        let bytes = allocation.data.len() as u64;
        (address - allocation.begin < bytes.max(1)).then_some((allocation.begin, bytes))
    }

    /// The allocation in whose slots an address is, if it is not before it.
    #[inline]
    pub(crate) fn find(&self, address: u64) -> Option<usize> {
        let slot = *self.slots.get((address.checked_sub(BEGIN)? / SLOT) as usize)?;
        let allocation = &self.allocations[slot as usize - 1];
        (allocation.live && address >= allocation.begin).then_some(slot as usize - 1)
    }

    /// The allocation that has all of a range, and where in it the range begins.
    #[inline]
    pub(crate) fn locate(&self, address: u64, bytes: u64) -> Option<(usize, usize)> {
        let index = self.find(address)?;
        let allocation = &self.allocations[index];
        let offset = address - allocation.begin;
        let room = (allocation.data.len() as u64).checked_sub(offset)?;
        (bytes <= room).then_some((index, offset as usize))
    }

    pub(crate) fn at(&mut self, index: usize) -> &mut Allocation {
        &mut self.allocations[index]
    }

    pub(crate) fn begin(&self, index: usize) -> u64 {
        self.allocations[index].begin
    }

    #[inline]
    pub(crate) fn data(&self, index: usize) -> &[u8] {
        &self.allocations[index].data
    }

    #[inline]
    pub(crate) fn written(&self, index: usize) -> &ByteSet {
        &self.allocations[index].written
    }

    pub(crate) fn is_constant(&self, index: usize) -> bool {
        self.allocations[index].constant
    }
}

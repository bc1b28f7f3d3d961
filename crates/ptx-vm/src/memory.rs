//! The device's global memory: allocations at addresses.

/// Global memory. Addresses are never used again while the memory lives, so that a use after free is found.
#[derive(Default, Debug)]
pub struct Memory {}

impl Memory {
    /// New memory, which reads as never written until it is. Its address is a multiple of 256.
    pub fn allocate(&mut self, _bytes: u64) -> u64 {
        unimplemented!()
    }
    /// Frees an allocation by its address; whether there was one.
    pub fn free(&mut self, _address: u64) -> bool {
        unimplemented!()
    }
    /// Copies out; `None` unless all of it lies in one allocation. What was never written reads as 0.
    pub fn read(&self, _address: u64, _into: &mut [u8]) -> Option<()> {
        unimplemented!()
    }
    /// Copies in; `None` unless all of it lies in one allocation.
    pub fn write(&mut self, _address: u64, _bytes: &[u8]) -> Option<()> {
        unimplemented!()
    }
    /// The allocation around an address: where it begins, and its bytes.
    pub fn allocation(&self, _address: u64) -> Option<(u64, u64)> {
        unimplemented!()
    }
}

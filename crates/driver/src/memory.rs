//! Host memory for buffers: aligned, zeroed, and refused with an error instead of an abort.

use crate::error::BackendError;
use crate::placement::{Placement, use_large_pages};
use std::ops::{Deref, DerefMut};

/// Zeroed bytes at an address that is a multiple of 16, or of what their [`Placement`] says.
#[derive(Default)]
pub struct AlignedBytes {
    words: Vec<Word>,
    /// The first word that is used: those before are there so that it has the right address.
    start: usize,
    len: usize,
}

#[derive(Copy, Clone, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C, align(16))]
struct Word([u8; 16]);

impl AlignedBytes {
    /// `len` zero bytes for the purpose `what`.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`] when the machine does not have that much memory left.
    pub fn zeroed(len: u64, what: &str) -> Result<AlignedBytes, BackendError> {
        AlignedBytes::placed(len, Placement::default(), what)
    }

    /// `len` zero bytes for the purpose `what`, where `placement` says.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`] when the machine does not have that much memory left.
    pub fn placed(len: u64, placement: Placement, what: &str) -> Result<AlignedBytes, BackendError> {
        let available = available_host_bytes();
        let error = || BackendError::OutOfMemory { requested: len, available, what: what.into() };
        if available.is_some_and(|available| len > available) {
            return Err(error());
        }
        let bytes = usize::try_from(len).map_err(|_| error())?;
        let alignment = placement.alignment_of(bytes);
        // Where an alignment is asked for, there is memory for the worst address; what is not used is never touched.
        let count = bytes.div_ceil(16).checked_add(alignment / 16 - 1).ok_or_else(error)?;
        // `alloc_zeroed` gets fresh pages from the system without touching them.
        let words = bytemuck::allocation::try_zeroed_slice_box(count).map_err(|()| error())?;
        let mut memory = AlignedBytes { words: Vec::from(words), start: 0, len: bytes };
        let address = memory.words.as_ptr().addr();
        memory.start = (address.next_multiple_of(alignment) - address) / 16;
        if placement.wants_large_pages(bytes) {
            use_large_pages(&mut memory);
        }
        Ok(memory)
    }

    /// Makes it `len` bytes for the purpose `what`, where `placement` says; without an allocation where there is room
    /// there already. What the bytes are is not said.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`]; the bytes are then gone.
    pub fn resize(&mut self, len: u64, placement: Placement, what: &str) -> Result<(), BackendError> {
        if self.has_room(len, placement) {
            self.len = len as usize;
            return Ok(());
        }
        // The old memory makes room for the new.
        *self = AlignedBytes::default();
        *self = AlignedBytes::placed(len, placement, what)?;
        Ok(())
    }

    /// Whether [`AlignedBytes::resize`] takes no allocation.
    pub fn has_room(&self, len: u64, placement: Placement) -> bool {
        let words = usize::try_from(len).ok().map(|len| len.div_ceil(16));
        let address = self.words.as_ptr().addr() + self.start * 16;
        words.is_some_and(|words| words <= self.words.len() - self.start)
            && address.is_multiple_of(placement.alignment_of(len as usize))
    }

    /// Makes it 0 bytes and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// A copy of `bytes` for the purpose `what`.
    pub fn copy_of(bytes: &[u8], what: &str) -> Result<AlignedBytes, BackendError> {
        let mut copy = AlignedBytes::zeroed(bytes.len() as u64, what)?;
        copy.copy_from_slice(bytes);
        Ok(copy)
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words[self.start..])[..self.len]
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words[self.start..])[..self.len]
    }
}

/// Bytes of memory that a new allocation can have without swapping; `None` where the system does not say.
pub fn available_host_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

//! Host memory for buffers: aligned, zeroed, and refused with an error instead of an abort.

use crate::error::BackendError;
use std::ops::{Deref, DerefMut};

/// Zeroed bytes at an address that is a multiple of 16.
pub struct AlignedBytes {
    words: Vec<Word>,
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
        let available = available_host_bytes();
        let error = || BackendError::OutOfMemory { requested: len, available, what: what.into() };
        if available.is_some_and(|available| len > available) {
            return Err(error());
        }
        let bytes = usize::try_from(len).map_err(|_| error())?;
        // `alloc_zeroed` gets fresh pages from the system without touching them.
        let words = bytemuck::allocation::try_zeroed_slice_box(bytes.div_ceil(16)).map_err(|()| error())?;
        Ok(AlignedBytes { words: Vec::from(words), len: bytes })
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
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

/// Bytes of memory that a new allocation can have without swapping; `None` where the system does not say.
pub fn available_host_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

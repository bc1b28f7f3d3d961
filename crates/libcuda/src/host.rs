//! Pinned memory of the host: what the driver allocated, and what it was told of.

use crate::codes::{
    Answer, Code, HOST_MEMORY_ALREADY_REGISTERED, HOST_MEMORY_NOT_REGISTERED, INVALID_VALUE, OUT_OF_MEMORY,
};
use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What new memory holds.
pub(crate) const GARBAGE: u8 = 0xA5;

/// A range of pinned memory.
pub(crate) struct Pinned {
    pub start: usize,
    pub bytes: usize,
    /// How it was allocated, if the driver did that.
    layout: Option<Layout>,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(layout) = self.layout {
            // SAFETY: it was allocated so, by `HostMemory::allocate`, and is freed once.
            unsafe { dealloc(self.start as *mut u8, layout) }
        }
    }
}

/// What one device knows of an entry.
pub(crate) struct Entry {
    pub range: Arc<Pinned>,
    /// The device whose context it belongs to.
    pub device: usize,
    /// Its address on that device, once that was asked for.
    pub mapped: Option<u64>,
}

/// All pinned memory, by where it begins.
#[derive(Default)]
pub(crate) struct HostMemory {
    entries: BTreeMap<usize, Entry>,
}

impl HostMemory {
    /// New memory that is full of garbage.
    pub fn allocate(&mut self, bytes: usize, device: usize) -> Result<usize, Code> {
        let layout = Layout::from_size_align(bytes, 4096).map_err(|_| INVALID_VALUE)?;
        if bytes == 0 {
            return Err(INVALID_VALUE);
        }
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            return Err(OUT_OF_MEMORY);
        }
        // SAFETY: all of it was just allocated.
        unsafe { start.write_bytes(GARBAGE, bytes) };
        let range = Arc::new(Pinned { start: start as usize, bytes, layout: Some(layout) });
        self.entries.insert(start as usize, Entry { range, device, mapped: None });
        Ok(start as usize)
    }

    /// Pins memory of the caller.
    pub fn register(&mut self, start: usize, bytes: usize, device: usize) -> Answer {
        let end = start.checked_add(bytes).filter(|_| start != 0 && bytes != 0).ok_or(INVALID_VALUE)?;
        let before = self.entries.range(..end).next_back();
        if before.is_some_and(|(_, entry)| entry.range.start + entry.range.bytes > start) {
            return Err(HOST_MEMORY_ALREADY_REGISTERED);
        }
        let range = Arc::new(Pinned { start, bytes, layout: None });
        self.entries.insert(start, Entry { range, device, mapped: None });
        Ok(())
    }

    /// Forgets memory that the driver allocated.
    pub fn free(&mut self, start: usize) -> Result<Entry, Code> {
        match self.entries.get(&start) {
            Some(entry) if entry.range.layout.is_some() => {
                Ok(self.entries.remove(&start).expect("it is there"))
            }
            _ => Err(INVALID_VALUE),
        }
    }

    /// Forgets memory of the caller.
    pub fn unregister(&mut self, start: usize) -> Result<Entry, Code> {
        match self.entries.get(&start) {
            Some(entry) if entry.range.layout.is_none() => {
                Ok(self.entries.remove(&start).expect("it is there"))
            }
            Some(_) => Err(INVALID_VALUE),
            None => Err(HOST_MEMORY_NOT_REGISTERED),
        }
    }

    /// Forgets all memory of a device.
    pub fn forget(&mut self, device: usize) {
        self.entries.retain(|_, entry| entry.device != device);
    }

    /// The pinned memory in which all of a range lies.
    pub fn around(&mut self, start: usize, bytes: usize) -> Option<&mut Entry> {
        let (_, entry) = self.entries.range_mut(..=start).next_back()?;
        let end = entry.range.start + entry.range.bytes;
        (start.checked_add(bytes)? <= end && start < end).then_some(entry)
    }

    /// What has an address on a device, and that.
    pub fn mirrors(&self, device: usize) -> Vec<(u64, Arc<Pinned>)> {
        let own = self.entries.values().filter(|entry| entry.device == device);
        own.filter_map(|entry| Some((entry.mapped?, entry.range.clone()))).collect()
    }

    /// How many ranges there are: those that the driver allocated, and the others.
    pub fn counts(&self) -> (u64, u64) {
        let allocated = self.entries.values().filter(|entry| entry.range.layout.is_some()).count();
        (allocated as u64, (self.entries.len() - allocated) as u64)
    }
}

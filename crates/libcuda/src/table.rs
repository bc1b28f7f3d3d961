//! What handles stand for.

use crate::codes::{Code, INVALID_HANDLE};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a caller holds of something that the driver has.
pub(crate) type Handle = *mut c_void;

/// A number that was never given, in this process. Handles are never used again, so that a stale one is found.
pub(crate) fn fresh() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0x5AFE_0000_0000);
    NEXT.fetch_add(0x10, Ordering::Relaxed)
}

/// Things of one kind by their handles.
pub(crate) struct Table<T> {
    entries: HashMap<usize, T>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { entries: HashMap::new() }
    }
}

impl<T> Table<T> {
    pub fn insert(&mut self, value: T) -> Handle {
        let number = fresh();
        self.entries.insert(number, value);
        number as Handle
    }

    pub fn get(&self, handle: Handle) -> Result<&T, Code> {
        self.entries.get(&(handle as usize)).ok_or(INVALID_HANDLE)
    }

    pub fn get_mut(&mut self, handle: Handle) -> Result<&mut T, Code> {
        self.entries.get_mut(&(handle as usize)).ok_or(INVALID_HANDLE)
    }

    pub fn remove(&mut self, handle: Handle) -> Result<T, Code> {
        self.entries.remove(&(handle as usize)).ok_or(INVALID_HANDLE)
    }

    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.entries.retain(|_, value| keep(value));
    }

    /// The handle of the thing that is so.
    pub fn find(&self, is: impl Fn(&T) -> bool) -> Option<Handle> {
        self.entries.iter().find(|(_, value)| is(value)).map(|(number, _)| *number as Handle)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.values_mut()
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values()
    }
}

//! What is kept in memory: up to a number of bytes, those first that are used often and lately.
//!
//! LFU with dynamic aging (M. Arlitt and others, "Evaluating Content Management Techniques for Web Proxy Caches",
//! 2000): an entry is worth its number of uses plus the cache's age when it was last used, the least worth goes first,
//! and the age is then what that was worth. So what was used often once goes when enough else was used since.

use std::collections::HashMap;

pub(crate) struct Memory<T> {
    limit: u64,
    bytes: u64,
    entries: HashMap<[u8; 32], Entry<T>>,
    /// What the last entry that went was worth.
    age: u64,
    /// Counts uses, to order entries of the same worth.
    clock: u64,
    evictions: u64,
}

struct Entry<T> {
    value: T,
    bytes: u64,
    uses: u64,
    worth: u64,
    last: u64,
}

impl<T: Clone> Memory<T> {
    pub fn new(limit: u64) -> Memory<T> {
        Memory { limit, bytes: 0, entries: HashMap::new(), age: 0, clock: 0, evictions: 0 }
    }

    pub fn get(&mut self, key: &[u8; 32]) -> Option<T> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.uses += 1;
        entry.worth = self.age + entry.uses;
        entry.last = self.clock;
        Some(entry.value.clone())
    }

    /// Keeps a value of so many bytes, unless it alone is over the limit.
    pub fn insert(&mut self, key: [u8; 32], value: T, bytes: u64) {
        if bytes > self.limit {
            self.evictions += 1;
            return;
        }
        self.remove(&key);
        while self.bytes + bytes > self.limit {
            // There are at most some hundreds, and compiling what comes in took milliseconds.
            let Some((&least, entry)) = self.entries.iter().min_by_key(|(_, e)| (e.worth, e.last)) else {
                break;
            };
            self.age = entry.worth;
            self.remove(&least);
            self.evictions += 1;
        }
        self.clock += 1;
        self.bytes += bytes;
        self.entries.insert(key, Entry { value, bytes, uses: 1, worth: self.age + 1, last: self.clock });
    }

    fn remove(&mut self, key: &[u8; 32]) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
        }
    }

    /// Forgets everything; this is no eviction.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// Entries, bytes, and how many entries had to go.
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.entries.len() as u64, self.bytes, self.evictions)
    }
}

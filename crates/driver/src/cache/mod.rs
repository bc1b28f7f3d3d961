//! Compiled programs, kept: in memory for this process and, if asked for, on disk for the next.
//!
//! Invariants: what a compilation gives never depends on the cache, only how long it takes; nothing that goes wrong with
//! the cache is an error of a compilation. Of threads that ask for the same key at once, one compiles and the others
//! wait for it.
//!
//! [`key`] says what decides the code that is made, [`memory`] what is kept, [`disk`] how entries lie in files.

pub mod disk;
pub mod key;
mod memory;
pub(crate) mod pipeline;
mod snapshot;

use disk::{DiskCache, DiskCacheConfig, Lookup};
use key::{CacheKey, Name};
use memory::Memory;
pub use snapshot::{DiskSnapshot, MissReason, PipelineCacheSnapshot};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// What is kept, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheConfig {
    /// Bytes of compiled programs in memory.
    pub memory_bytes: u64,
    /// Whether and where programs are kept for other processes.
    pub disk: Option<DiskCacheConfig>,
}

impl Default for CacheConfig {
    /// 64 MB in memory, nothing on disk: a library writes no files unless it is asked to.
    fn default() -> Self {
        CacheConfig { memory_bytes: 64 << 20, disk: None }
    }
}

impl CacheConfig {
    /// As the default, and on disk where [`DiskCacheConfig::from_environment`] says.
    pub fn with_disk() -> CacheConfig {
        CacheConfig { disk: DiskCacheConfig::from_environment(), ..CacheConfig::default() }
    }
}

/// Where a value came from, the least costly first.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CacheSource {
    /// It was in memory, or another thread was making it.
    Memory,
    /// It was read from disk.
    Disk,
    /// It was made.
    Compiled,
}

impl CacheSource {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            CacheSource::Compiled => "compiled",
            CacheSource::Memory => "memory",
            CacheSource::Disk => "disk",
        }
    }
}

/// How a value is made, when it is not in memory.
pub trait Recipe<T> {
    /// Why it cannot be made.
    type Error;
    /// The value from its stored form; `None` when that is of no use.
    fn load(&self, stored: &[u8]) -> Option<T>;
    /// The value anew.
    fn compile(&self) -> Result<T, Self::Error>;
    /// The form in which a value is stored; `None` when it is not worth it.
    fn store(&self, value: &T) -> Option<Vec<u8>>;
    /// Bytes of memory that a value takes, as far as they are known.
    fn bytes(&self, value: &T) -> u64;
}

/// A cache of two levels.
pub struct PipelineCache<T> {
    state: Mutex<State<T>>,
    /// Somebody has made something, or failed to.
    made: Condvar,
    disk: Option<DiskCache>,
    memory_limit: u64,
}

struct State<T> {
    memory: Memory<T>,
    /// What is being made, each with the place where it will be.
    under_way: HashMap<[u8; 32], Arc<OnceLock<T>>>,
    /// What was made lately, to say why something is missing.
    history: VecDeque<Name>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    memory_hits: u64,
    disk_hits: u64,
    misses: BTreeMap<MissReason, u64>,
    stored: u64,
    disk_evictions: u64,
    not_stored: BTreeMap<&'static str, u64>,
}

/// How many names are remembered.
const HISTORY: usize = 1024;

impl<T: Clone> PipelineCache<T> {
    /// An empty cache. Nothing is read from or written to disk yet.
    pub fn new(config: CacheConfig) -> PipelineCache<T> {
        let state = State {
            memory: Memory::new(config.memory_bytes),
            under_way: HashMap::new(),
            history: VecDeque::new(),
            counts: Counts::default(),
        };
        PipelineCache {
            state: Mutex::new(state),
            made: Condvar::new(),
            disk: config.disk.map(DiskCache::new),
            memory_limit: config.memory_bytes,
        }
    }

    /// The value of a key: from memory, from disk, or made, and kept then.
    ///
    /// # Errors
    /// That of [`Recipe::compile`]. Threads that waited for it try themselves.
    pub fn get_or_make<R: Recipe<T>>(
        &self,
        key: &CacheKey,
        recipe: &R,
    ) -> Result<(T, CacheSource), R::Error> {
        let name = key.name();
        let work = match self.find(&name) {
            Ok(value) => return Ok((value, CacheSource::Memory)),
            Err(work) => work,
        };
        let (found, reason) = self.read(&name, recipe);
        let source = if found.is_some() { CacheSource::Disk } else { CacheSource::Compiled };
        let value = match found {
            Some(value) => value,
            None => {
                let reason = reason.unwrap_or_else(|| self.why_missing(&name));
                *self.lock().counts.misses.entry(reason).or_default() += 1;
                let value = recipe.compile()?;
                self.write(&name, recipe, &value);
                value
            }
        };
        let bytes = recipe.bytes(&value);
        let mut state = self.lock();
        if source == CacheSource::Disk {
            state.counts.disk_hits += 1;
        }
        state.history.truncate(HISTORY - 1);
        state.history.push_front(name);
        state.memory.insert(name.key, value.clone(), bytes);
        drop(state);
        // Those who wait take it even when it is too large to be kept.
        let _ = work.place.set(value.clone());
        Ok((value, source))
    }

    /// The value in memory, perhaps once another thread has made it; or the right to make it.
    fn find(&self, name: &Name) -> Result<T, Work<'_, T>> {
        let mut state = self.lock();
        loop {
            if let Some(value) = state.memory.get(&name.key) {
                state.counts.memory_hits += 1;
                return Ok(value);
            }
            let Some(place) = state.under_way.get(&name.key).cloned() else {
                let place = Arc::new(OnceLock::new());
                state.under_way.insert(name.key, place.clone());
                return Err(Work { cache: self, key: name.key, place });
            };
            let waits = |state: &mut State<T>| {
                state.under_way.get(&name.key).is_some_and(|other| Arc::ptr_eq(other, &place))
            };
            state = self.made.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = place.get() {
                state.counts.memory_hits += 1;
                return Ok(value.clone());
            }
        }
    }

    /// Looks on disk; else says why there is nothing, as far as the disk knows.
    fn read<R: Recipe<T>>(&self, name: &Name, recipe: &R) -> (Option<T>, Option<MissReason>) {
        let reason = match self.disk.as_ref().map_or(Lookup::Missing, |disk| disk.read(name)) {
            Lookup::Found(stored) => match recipe.load(&stored) {
                Some(value) => return (Some(value), None),
                None => MissReason::Refused,
            },
            Lookup::Missing => return (None, None),
            Lookup::Corrupt => MissReason::Corrupt,
            Lookup::Foreign => MissReason::Foreign,
            Lookup::Unreadable => MissReason::DiskUnreadable,
        };
        (None, Some(reason))
    }

    /// Why there is no entry of a name.
    fn why_missing(&self, name: &Name) -> MissReason {
        let (mut other_version, mut other_configuration) =
            self.disk.as_ref().map_or((false, false), |disk| disk.relatives(name));
        for known in &self.lock().history {
            if known == name {
                return MissReason::Evicted;
            }
            let same_program = known.program == name.program;
            let same_configuration = known.configuration == name.configuration;
            other_version |= same_program && same_configuration;
            other_configuration |= same_program && !same_configuration;
        }
        match (other_version, other_configuration) {
            (true, _) => MissReason::OtherVersion,
            (_, true) => MissReason::ConfigurationDiffers,
            _ => MissReason::NeverSeen,
        }
    }

    fn write<R: Recipe<T>>(&self, name: &Name, recipe: &R, value: &T) {
        let Some(disk) = &self.disk else { return };
        let Some(stored) = recipe.store(value) else { return };
        let result = disk.write(name, &stored);
        let counts = &mut self.lock().counts;
        match result {
            Ok(evicted) => {
                counts.stored += 1;
                counts.disk_evictions += evicted;
            }
            Err(error) => *counts.not_stored.entry(disk::failure(&error)).or_default() += 1,
        }
    }

    /// Forgets what is in memory: it belongs to a device that is gone. What is on disk stays.
    pub fn clear_memory(&self) {
        self.lock().memory.clear();
    }

    /// The directory, if there is one.
    pub fn disk(&self) -> Option<&DiskCache> {
        self.disk.as_ref()
    }

    /// What happened so far.
    pub fn snapshot(&self) -> PipelineCacheSnapshot {
        let state = self.lock();
        let counts = &state.counts;
        let (entries, bytes, evictions) = state.memory.counts();
        let of = |reason| counts.misses.get(&reason).copied().unwrap_or(0);
        let disk = self.disk.as_ref().map(|disk| DiskSnapshot {
            directory: disk.config().directory.clone(),
            limit: disk.config().bytes,
            hits: counts.disk_hits,
            stored: counts.stored,
            evictions: counts.disk_evictions,
            not_stored: counts.not_stored.iter().map(|(&reason, &n)| (reason, n)).collect(),
        });
        PipelineCacheSnapshot {
            hits: counts.memory_hits + counts.disk_hits,
            misses: counts.misses.values().sum(),
            miss_reasons: counts.misses.iter().map(|(reason, &n)| (reason.name(), n)).collect(),
            entries,
            bytes,
            limit: self.memory_limit,
            evictions,
            corrupt: of(MissReason::Corrupt) + of(MissReason::Foreign) + of(MissReason::Refused),
            disk,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Every change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to make a value. When it ends, those who wait look again.
struct Work<'a, T: Clone> {
    cache: &'a PipelineCache<T>,
    key: [u8; 32],
    place: Arc<OnceLock<T>>,
}

impl<T: Clone> Drop for Work<'_, T> {
    fn drop(&mut self) {
        self.cache.lock().under_way.remove(&self.key);
        self.cache.made.notify_all();
    }
}

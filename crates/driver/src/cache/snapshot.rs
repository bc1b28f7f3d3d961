//! What a cache has done so far, as data.

use std::path::PathBuf;

/// Why a program had to be compiled.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MissReason {
    /// It was not compiled here before.
    NeverSeen,
    /// It was, by another version of the compiler or of the backend's code generator.
    OtherVersion,
    /// It was, for another device or with other options.
    ConfigurationDiffers,
    /// It was, and had to make room or was removed.
    Evicted,
    /// Its file was damaged.
    Corrupt,
    /// Its file belongs to another user, or another user may write it.
    Foreign,
    /// The backend did not take what was stored.
    Refused,
    /// The system did not let its file be read.
    DiskUnreadable,
}

impl MissReason {
    /// Its name in snapshots.
    pub fn name(self) -> &'static str {
        match self {
            MissReason::NeverSeen => "never seen",
            MissReason::OtherVersion => "other version",
            MissReason::ConfigurationDiffers => "configuration differs",
            MissReason::Evicted => "evicted",
            MissReason::Corrupt => "corrupt",
            MissReason::Foreign => "foreign",
            MissReason::Refused => "refused",
            MissReason::DiskUnreadable => "disk unreadable",
        }
    }
}

/// What a cache has done since it was made, and what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipelineCacheSnapshot {
    /// Programs that were in memory, being compiled by another thread, or on disk.
    pub hits: u64,
    /// Programs that had to be compiled.
    pub misses: u64,
    /// Those by [`MissReason::name`], without those that are 0.
    pub miss_reasons: Vec<(&'static str, u64)>,
    /// Programs in memory.
    pub entries: u64,
    /// Bytes of memory that they take, as far as backends say.
    pub bytes: u64,
    /// The most bytes there may be.
    pub limit: u64,
    /// Programs that left memory to make room, or that were too large to be kept.
    pub evictions: u64,
    /// Files that were no entry: damaged, foreign, or refused by the backend.
    pub corrupt: u64,
    /// The disk, if it is used.
    pub disk: Option<DiskSnapshot>,
}

/// What a cache has done on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskSnapshot {
    /// Where the entries are.
    pub directory: PathBuf,
    /// The most bytes there may be.
    pub limit: u64,
    /// Programs that were read.
    pub hits: u64,
    /// Programs that were written.
    pub stored: u64,
    /// Entries that this process removed to make room.
    pub evictions: u64,
    /// Programs that could not be written, by reason: `disk full`, `not writable`, `no directory`, `too large`,
    /// `other`.
    pub not_stored: Vec<(&'static str, u64)>,
}

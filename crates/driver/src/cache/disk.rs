//! Entries in a directory, one file each, shared by all processes of a user.
//!
//! A file is a header, then the payload: see [`Header`]. It is written under another name and renamed, so a reader finds
//! it whole or not at all; several processes may write and delete at once, and the last one that writes an entry wins.
//!
//! Entries are code that is executed. So the directory is made for its user alone, and on systems that say so, files
//! that belong to someone else or that someone else may write are not read. The checksum finds damage; it is no
//! protection against who may write as this user, who can do all that this user can.
//!
//! Nothing that fails here is an error of a compilation: it is counted, and there is a reason to be told.

use super::key::Name;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where entries are, and how many bytes of them there may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskCacheConfig {
    /// The directory; it is made when the first entry is written.
    pub directory: PathBuf,
    /// Bytes of all entries together. When there are more, those go that were not used for the longest time.
    pub bytes: u64,
}

/// Bytes of all entries, if nothing else is said.
const DEFAULT_BYTES: u64 = 256 << 20;

/// The most files of a directory that are looked at.
const MAX_FILES: usize = 1 << 16;

/// The largest payload that is read.
const MAX_PAYLOAD: u64 = 512 << 20;

/// Files of processes that ended while they wrote are removed when they are this old.
const ABANDONED: Duration = Duration::from_secs(3600);

const EXTENSION: &str = ".vyre-pipeline";
const UNFINISHED: &str = ".unfinished";

impl DiskCacheConfig {
    /// What the environment says: the directory `VYRE_CACHE_DIR`, by default `vyre` in the platform's cache directory.
    /// `None` when that variable is empty or `off`, or when the platform has no such directory.
    pub fn from_environment() -> Option<DiskCacheConfig> {
        let directory = match std::env::var_os("VYRE_CACHE_DIR") {
            Some(value) if value.is_empty() || value == "off" => return None,
            Some(value) => value.into(),
            None => dirs::cache_dir()?.join("vyre"),
        };
        Some(DiskCacheConfig { directory, bytes: DEFAULT_BYTES })
    }
}

/// What is in a directory.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct DiskUsage {
    /// Entries.
    pub entries: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

/// The entries of a directory.
pub struct DiskCache {
    config: DiskCacheConfig,
}

/// What came of looking for an entry.
pub(crate) enum Lookup {
    Found(Vec<u8>),
    Missing,
    /// There was one that is damaged; it is removed.
    Corrupt,
    /// There is a file that is not this user's alone.
    Foreign,
    /// The system does not let it be read.
    Unreadable,
}

impl DiskCache {
    /// The entries of that directory. Nothing is read or written yet.
    pub fn new(config: DiskCacheConfig) -> DiskCache {
        DiskCache { config }
    }

    /// Where it is and how large it may be.
    pub fn config(&self) -> &DiskCacheConfig {
        &self.config
    }

    /// Counts the entries. A directory that does not exist has none.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn usage(&self) -> io::Result<DiskUsage> {
        let files = self.files()?;
        let entries = files.iter().filter(|file| file.entry);
        Ok(entries.fold(DiskUsage::default(), |sum, file| DiskUsage {
            entries: sum.entries + 1,
            bytes: sum.bytes + file.bytes,
        }))
    }

    /// Removes all entries, and nothing else; gives what was removed.
    ///
    /// # Errors
    /// When the directory cannot be read, or for the first file that cannot be removed.
    pub fn clear(&self) -> io::Result<DiskUsage> {
        let mut removed = DiskUsage::default();
        for file in self.files()? {
            match fs::remove_file(&file.path) {
                Ok(()) if file.entry => {
                    removed.entries += 1;
                    removed.bytes += file.bytes;
                }
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(removed)
    }

    pub(crate) fn read(&self, name: &Name) -> Lookup {
        let path = self.path(name);
        let mut file = match open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Lookup::Missing,
            Err(_) => return Lookup::Unreadable,
        };
        match file.metadata() {
            Ok(metadata) if !is_ours(&metadata) => return Lookup::Foreign,
            Ok(_) => {}
            Err(_) => return Lookup::Unreadable,
        }
        match payload(&mut file, name) {
            Ok(Some(payload)) => {
                // The time of its last use. Where it cannot be set, entries go in the order in which they were made.
                let _ = file.set_modified(SystemTime::now());
                Lookup::Found(payload)
            }
            Ok(None) => {
                let _ = fs::remove_file(&path);
                Lookup::Corrupt
            }
            Err(_) => Lookup::Unreadable,
        }
    }

    /// Writes an entry, then removes old ones while there are too many bytes; gives how many went.
    pub(crate) fn write(&self, name: &Name, payload: &[u8]) -> io::Result<u64> {
        let bytes = (Header::BYTES + payload.len()) as u64;
        if bytes > self.config.bytes || payload.len() as u64 > MAX_PAYLOAD {
            return Err(ErrorKind::InvalidInput.into());
        }
        make_directory(&self.config.directory)?;
        let mut file = tempfile::Builder::new().suffix(UNFINISHED).tempfile_in(&self.config.directory)?;
        file.write_all(&Header::of(name, payload).encode())?;
        file.write_all(payload)?;
        // As precise as the times of use that readers set.
        let _ = file.as_file().set_modified(SystemTime::now());
        file.persist(self.path(name)).map_err(|error| error.error)?;
        self.make_room()
    }

    /// Whether there are entries for the same program and configuration, or the same program.
    pub(crate) fn relatives(&self, name: &Name) -> (bool, bool) {
        let (program, both) = (hex(&name.program), hex(&name.program) + "-" + &hex(&name.configuration));
        let (mut other_version, mut other_configuration) = (false, false);
        for file in fs::read_dir(&self.config.directory).into_iter().flatten().flatten().take(MAX_FILES) {
            let file = file.file_name();
            let file = file.to_string_lossy();
            other_version |= file.starts_with(&both);
            other_configuration |= file.starts_with(&program) && !file.starts_with(&both);
        }
        (other_version, other_configuration)
    }

    fn path(&self, name: &Name) -> PathBuf {
        let [program, configuration, version] =
            [&name.program[..], &name.configuration, &name.version].map(hex);
        self.config.directory.join(format!("{program}-{configuration}-{version}{EXTENSION}"))
    }

    fn make_room(&self) -> io::Result<u64> {
        let mut files = self.files()?;
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        files.sort_by_key(|file| file.used);
        let mut removed = 0;
        for file in files {
            let abandoned = !file.entry && file.used.elapsed().is_ok_and(|age| age > ABANDONED);
            if abandoned || (file.entry && bytes > self.config.bytes) {
                // Another process may have been faster.
                let _ = fs::remove_file(&file.path);
                bytes -= file.bytes;
                removed += file.entry as u64;
            }
        }
        Ok(removed)
    }

    /// The files that belong to the cache.
    fn files(&self) -> io::Result<Vec<Found>> {
        let entries = match fs::read_dir(&self.config.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries.take(MAX_FILES) {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_entry = name.ends_with(EXTENSION);
            if !is_entry && !name.ends_with(UNFINISHED) {
                continue;
            }
            // It may be gone by now.
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push(Found { path: entry.path(), bytes: metadata.len(), used, entry: is_entry });
        }
        Ok(files)
    }
}

struct Found {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
    /// Whether it is an entry; else it is one that is being written, or was when its process ended.
    entry: bool,
}

/// What stands before the payload. Numbers are little-endian.
struct Header {
    version: [u8; 8],
    key: [u8; 32],
    length: u64,
    /// The BLAKE3 hash of all before it and of the payload.
    checksum: [u8; 32],
}

const MAGIC: [u8; 8] = *b"VYREPIPE";

/// The version of this layout.
const FORMAT: u32 = 1;

impl Header {
    const BYTES: usize = 8 + 4 + 8 + 32 + 8 + 32;

    fn of(name: &Name, payload: &[u8]) -> Header {
        let mut header =
            Header { version: name.version, key: name.key, length: payload.len() as u64, checksum: [0; 32] };
        header.checksum = header.hash(payload);
        header
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Header::BYTES);
        out.extend(MAGIC);
        out.extend(FORMAT.to_le_bytes());
        out.extend(self.version);
        out.extend(self.key);
        out.extend(self.length.to_le_bytes());
        out.extend(self.checksum);
        out
    }

    fn hash(&self, payload: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.encode()[..Header::BYTES - 32]).update(payload);
        hasher.finalize().into()
    }
}

/// The payload of an entry of that name; `None` when the file is not exactly one.
fn payload(file: &mut File, name: &Name) -> io::Result<Option<Vec<u8>>> {
    let Some(length) = file.metadata()?.len().checked_sub(Header::BYTES as u64) else { return Ok(None) };
    let mut header = [0; Header::BYTES];
    file.read_exact(&mut header)?;
    // What the header must be but for the checksum, which follows from the rest.
    let mut expected = Header { version: name.version, key: name.key, length, checksum: [0; 32] };
    let (start, checksum) = header.split_at(Header::BYTES - 32);
    if length > MAX_PAYLOAD || start != &expected.encode()[..start.len()] {
        return Ok(None);
    }
    let mut payload = Vec::new();
    payload.try_reserve_exact(length as usize).map_err(|_| ErrorKind::OutOfMemory)?;
    file.take(length).read_to_end(&mut payload)?;
    expected.checksum = expected.hash(&payload);
    let whole = payload.len() as u64 == length && expected.checksum == checksum;
    Ok(whole.then_some(payload))
}

/// Why an entry was not written, in a few words to count by.
pub(crate) fn failure(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "disk full",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "not writable",
        ErrorKind::InvalidInput => "too large",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists | ErrorKind::NotFound => "no directory",
        _ => "other",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a directory for its user alone, unless there is one.
#[cfg(unix)]
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens a file, without following a link at its place or waiting for the other end of a pipe.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    File::options().read(true).custom_flags(flags.bits() as i32).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether a file is this user's, and nobody else may write it.
#[cfg(unix)]
fn is_ours(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    const OTHERS_WRITE: u32 = 0o022;
    let owner = rustix::process::geteuid().as_raw();
    metadata.is_file() && metadata.uid() == owner && metadata.mode() & OTHERS_WRITE == 0
}

#[cfg(not(unix))]
fn is_ours(metadata: &fs::Metadata) -> bool {
    metadata.is_file()
}

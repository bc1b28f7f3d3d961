//! The cache on disk: what comes back, what is refused, and that nothing that goes wrong there is an error.

mod texts;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use texts::{Text, disk, key, source};
use vyre_driver::{CacheSource, DiskCache, DiskCacheConfig, DiskUsage, PipelineCache};

const ROOM: u64 = 1 << 20;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The files of a directory, but for those that are no entries.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|e| e == "vyre-pipeline")).collect()
}

fn misses(cache: &PipelineCache<String>) -> Vec<(&'static str, u64)> {
    cache.snapshot().miss_reasons
}

fn not_stored(cache: &PipelineCache<String>) -> Vec<(&'static str, u64)> {
    cache.snapshot().disk.unwrap().not_stored
}

#[test]
fn the_next_process_finds_it() {
    let folder = folder();
    let place = folder.path().join("not/yet/there");
    let first = disk(&place, ROOM);
    assert_eq!(source(&first, "a", 10), CacheSource::Compiled);
    assert_eq!(source(&first, "a", 10), CacheSource::Memory);
    let second = disk(&place, ROOM);
    assert_eq!(source(&second, "a", 10), CacheSource::Disk);
    assert_eq!(source(&second, "a", 10), CacheSource::Memory);
    assert_eq!(source(&second, "b", 10), CacheSource::Compiled);
    let s = second.snapshot();
    assert_eq!((s.hits, s.misses, s.corrupt), (2, 1, 0));
    let on_disk = s.disk.unwrap();
    assert_eq!((on_disk.directory, on_disk.limit), (place.clone(), ROOM));
    assert_eq!((on_disk.hits, on_disk.stored, on_disk.evictions), (1, 1, 0));
    assert_eq!(on_disk.not_stored, []);
    assert_eq!(entries(&place).len(), 2, "one file an entry");
}

#[test]
fn what_left_memory_is_still_on_disk() {
    let folder = folder();
    let cache = disk(folder.path(), ROOM);
    assert_eq!(source(&cache, "a", 1 << 20), CacheSource::Compiled);
    assert_eq!(source(&cache, "b", 1 << 20), CacheSource::Compiled);
    assert_eq!(source(&cache, "a", 1 << 20), CacheSource::Disk);
    cache.clear_memory();
    assert_eq!(source(&cache, "a", 1 << 20), CacheSource::Disk);
}

#[test]
fn a_damaged_entry_is_rebuilt_and_counted() {
    let folder = folder();
    source(&disk(folder.path(), ROOM), "a", 10);
    let path = entries(folder.path()).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len(), 92 + 2, "a header and the value");
    let check = |damaged: &[u8], what: &str| {
        fs::write(&path, damaged).unwrap();
        let cache = disk(folder.path(), ROOM);
        assert_eq!(source(&cache, "a", 10), CacheSource::Compiled, "{what}");
        assert_eq!((cache.snapshot().corrupt, misses(&cache)), (1, vec![("corrupt", 1)]), "{what}");
        assert_eq!(source(&disk(folder.path(), ROOM), "a", 10), CacheSource::Disk, "{what}");
    };
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            check(&damaged, &format!("byte {at} ^ {flip}"));
        }
    }
    for end in 0..whole.len() {
        check(&whole[..end], &format!("{end} bytes"));
    }
    check(&[&whole[..], &[0]].concat(), "a byte more");
    check(&vec![0; 10 << 20], "zeros");
}

#[test]
fn an_entry_under_the_name_of_another_is_refused() {
    let folder = folder();
    let cache = disk(folder.path(), ROOM);
    source(&cache, "a", 10);
    let a = entries(folder.path()).pop().unwrap();
    source(&cache, "b", 10);
    let b = entries(folder.path()).into_iter().find(|path| *path != a).unwrap();
    fs::copy(&a, &b).unwrap();
    let cache = disk(folder.path(), ROOM);
    assert_eq!(source(&cache, "b", 10), CacheSource::Compiled);
    assert_eq!(misses(&cache), [("corrupt", 1)]);
}

#[test]
fn what_the_backend_does_not_take_is_rebuilt_and_counted() {
    let folder = folder();
    source(&disk(folder.path(), ROOM), "a", 10);
    let cache = disk(folder.path(), ROOM);
    let refuses = Text { takes: false, ..Text::new("a") };
    let (value, from) = cache.get_or_make(&key("a"), &refuses).unwrap();
    assert_eq!((value.as_str(), from), ("aa", CacheSource::Compiled));
    assert_eq!((cache.snapshot().corrupt, misses(&cache)), (1, vec![("refused", 1)]));
}

#[test]
fn a_miss_says_in_what_an_entry_on_disk_differs() {
    let folder = folder();
    source(&disk(folder.path(), ROOM), "a", 10);
    let reason = |change: &dyn Fn(&mut vyre_driver::CacheKey)| {
        let (cache, mut key) = (disk(folder.path(), ROOM), key("a"));
        change(&mut key);
        let (_, from) = cache.get_or_make(&key, &Text::new("a")).unwrap();
        assert_eq!(from, CacheSource::Compiled);
        misses(&cache)[0].0
    };
    assert_eq!(reason(&|k| k.program[5] ^= 1), "never seen");
    assert_eq!(reason(&|k| k.options.checked = true), "configuration differs");
    assert_eq!(reason(&|k| k.code_version = "2".into()), "other version");
    assert_eq!(reason(&|k| k.compiler = "2".into()), "other version");
    assert_eq!(entries(folder.path()).len(), 5, "entries of other versions stay");
}

#[test]
fn the_disk_stays_within_its_limit_and_the_least_lately_used_go() {
    let folder = folder();
    let size = 92 + 200;
    let cache = disk(folder.path(), 3 * size);
    let program = |c: char| c.to_string().repeat(100);
    for c in ['a', 'b', 'c'] {
        source(&cache, &program(c), 10);
    }
    let used = disk(folder.path(), 3 * size);
    assert_eq!(source(&used, &program('a'), 10), CacheSource::Disk);
    source(&cache, &program('d'), 10);
    assert_eq!(cache.snapshot().disk.unwrap().evictions, 1);
    let usage = cache.disk().unwrap().usage().unwrap();
    assert_eq!(usage, DiskUsage { entries: 3, bytes: 3 * size });
    let next = disk(folder.path(), 3 * size);
    assert_eq!(['a', 'c', 'd'].map(|c| source(&next, &program(c), 10)), [CacheSource::Disk; 3]);
    assert_eq!(source(&next, &program('b'), 10), CacheSource::Compiled);
    // What is larger than all is not written, and drives nothing out.
    let cache = disk(folder.path(), 3 * size);
    source(&cache, &"e".repeat(1000), 10);
    assert_eq!(not_stored(&cache), [("too large", 1)]);
    assert_eq!(cache.disk().unwrap().usage().unwrap().entries, 3);
}

#[test]
fn clear_removes_entries_and_nothing_else() {
    let folder = folder();
    let config = DiskCacheConfig { directory: folder.path().join("cache"), bytes: ROOM };
    let cache = DiskCache::new(config.clone());
    assert_eq!(cache.usage().unwrap(), DiskUsage::default());
    assert_eq!(cache.clear().unwrap(), DiskUsage::default());
    for program in ["a", "b"] {
        source(&disk(&config.directory, ROOM), program, 10);
    }
    fs::write(config.directory.join("notes.txt"), "mine").unwrap();
    let expect = DiskUsage { entries: 2, bytes: 2 * (92 + 2) };
    assert_eq!(cache.usage().unwrap(), expect);
    assert_eq!(cache.clear().unwrap(), expect);
    assert_eq!(cache.usage().unwrap(), DiskUsage::default());
    assert!(config.directory.join("notes.txt").exists());
    assert_eq!(source(&disk(&config.directory, ROOM), "a", 10), CacheSource::Compiled);
}

#[test]
fn files_that_a_process_left_unfinished_are_removed_later() {
    let folder = folder();
    let [old, new] = ["old.unfinished", "new.unfinished"].map(|name| folder.path().join(name));
    for path in [&old, &new] {
        fs::write(path, "half of an ent").unwrap();
    }
    let hours = Duration::from_secs(2 * 3600);
    File::options().write(true).open(&old).unwrap().set_modified(SystemTime::now() - hours).unwrap();
    source(&disk(folder.path(), ROOM), "a", 10);
    assert!(!old.exists() && new.exists(), "another process may still be writing the new one");
}

#[test]
fn many_threads_share_a_directory_that_is_too_small() {
    let folder = folder();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let path = folder.path();
            scope.spawn(move || {
                for i in 0..100 {
                    // A new cache each time: nothing comes from memory. `source` checks the value.
                    source(&disk(path, 500), &((worker + i) % 8).to_string().repeat(20), 10);
                }
            });
        }
    });
    let usage =
        DiskCache::new(DiskCacheConfig { directory: folder.path().into(), bytes: 500 }).usage().unwrap();
    assert!(usage.entries > 0 && usage.bytes <= 500, "{usage:?}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count() as u64,
        usage.entries,
        "nothing is left unfinished"
    );
}

#[test]
fn without_a_directory_everything_works() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [file.clone(), file.join("below")] {
        let cache = disk(&place, ROOM);
        assert_eq!(source(&cache, "a", 10), CacheSource::Compiled);
        assert_eq!(source(&cache, "a", 10), CacheSource::Memory);
        assert_eq!(not_stored(&cache), [("no directory", 1)]);
        assert_eq!(misses(&cache), [("disk unreadable", 1)]);
        assert_eq!(cache.snapshot().disk.unwrap().stored, 0);
    }
    assert_eq!(fs::read(&file).unwrap(), b"");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn is_root(folder: &TempDir) -> bool {
        fs::metadata(folder.path()).unwrap().uid() == 0
    }

    #[test]
    fn directory_and_entries_are_for_their_user_alone() {
        let folder = folder();
        let place = folder.path().join("cache");
        source(&disk(&place, ROOM), "a", 10);
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
        let entry = entries(&place).pop().unwrap();
        assert_eq!(fs::metadata(entry).unwrap().mode() & 0o077, 0);
    }

    #[test]
    fn a_file_that_others_may_write_is_not_believed() {
        let folder = folder();
        source(&disk(folder.path(), ROOM), "a", 10);
        let path = entries(folder.path()).pop().unwrap();
        let whole = fs::read(&path).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, &whole).unwrap();
        let check = |what: &str, reason| {
            let cache = disk(folder.path(), ROOM);
            assert_eq!(source(&cache, "a", 10), CacheSource::Compiled, "{what}");
            assert_eq!(misses(&cache), [(reason, 1)], "{what}");
            assert_eq!(source(&disk(folder.path(), ROOM), "a", 10), CacheSource::Disk, "{what}: replaced");
        };
        for mode in [0o620, 0o602, 0o666] {
            set_mode(&path, mode);
            check(&format!("mode {mode:o}"), "foreign");
        }
        if is_root(&folder) {
            chown(&path, Some(12345), None).unwrap();
            check("another owner", "foreign");
        }
        fs::remove_file(&path).unwrap();
        symlink(&elsewhere, &path).unwrap();
        check("a link", "disk unreadable");
        assert!(elsewhere.exists() && fs::read(&elsewhere).unwrap() == whole, "the link was not followed");
        fs::remove_file(&path).unwrap();
        let status = std::process::Command::new("mkfifo").arg(&path).status();
        if status.is_ok_and(|status| status.success()) {
            set_mode(&path, 0o600);
            check("a pipe", "foreign");
        }
    }

    #[test]
    fn a_directory_in_an_entrys_place_is_no_error() {
        let folder = folder();
        source(&disk(folder.path(), ROOM), "a", 10);
        let path = entries(folder.path()).pop().unwrap();
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let cache = disk(folder.path(), ROOM);
        assert_eq!(source(&cache, "a", 10), CacheSource::Compiled);
        assert_eq!(misses(&cache), [("foreign", 1)]);
        assert_eq!(not_stored(&cache).len(), 1);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_no_error() {
        let folder = folder();
        source(&disk(folder.path(), ROOM), "a", 10);
        set_mode(folder.path(), 0o500);
        // Root may write everywhere but in a file system that is made by the kernel.
        let system = Path::new("/sys/kernel");
        let place = if is_root(&folder) { system } else { folder.path() };
        if !place.exists() {
            return;
        }
        let cache = disk(place, ROOM);
        assert_eq!(source(&cache, "b", 10), CacheSource::Compiled);
        assert_eq!(source(&cache, "b", 10), CacheSource::Memory);
        assert_eq!(not_stored(&cache), [("not writable", 1)]);
        // What is there is read all the same.
        assert_eq!(source(&disk(folder.path(), ROOM), "a", 10), CacheSource::Disk);
        set_mode(folder.path(), 0o700);
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_no_error() {
        let folder = folder();
        source(&disk(folder.path(), ROOM), "a", 10);
        set_mode(folder.path(), 0o000);
        let cache = disk(folder.path(), ROOM);
        let from = source(&cache, "a", 10);
        set_mode(folder.path(), 0o700);
        if is_root(&folder) {
            assert_eq!(from, CacheSource::Disk, "nothing is unreadable for root");
        } else {
            assert_eq!((from, misses(&cache)), (CacheSource::Compiled, vec![("disk unreadable", 1)]));
        }
    }
}

//! Where memory lies: alignments are kept, and what is accessed at random gets large pages.

use vyre_driver::{AlignedBytes, BackendError, MAX_ALIGNMENT, Placement};
use vyre_ir::CacheLocality::{self, Random, Streaming, Temporal};

const LARGE: u64 = 2 << 20;

fn placed(len: u64, alignment: u32, locality: CacheLocality) -> AlignedBytes {
    AlignedBytes::placed(len, Placement { alignment, locality }, "a test").unwrap()
}

fn address(bytes: &[u8]) -> usize {
    bytes.as_ptr().addr()
}

#[test]
fn addresses_are_multiples_of_what_is_asked() {
    for len in [0, 1, 16, 100, 5000, LARGE + 1] {
        for (asked, want) in [
            (0, 16),
            (1, 16),
            // Elements of three words.
            (12, 16),
            (24, 32),
            (64, 64),
            (4096, 4096),
            (MAX_ALIGNMENT, 1 << 21),
            (u32::MAX, 1 << 21),
        ] {
            // Several at once, so that none is aligned by chance.
            let all: Vec<AlignedBytes> = (0..4).map(|_| placed(len, asked, Temporal)).collect();
            for bytes in &all {
                assert_eq!(address(bytes) % want, 0, "{len} bytes, {asked} asked");
                assert_eq!(bytes.len() as u64, len);
                assert!(bytes.iter().all(|&b| b == 0));
            }
        }
    }
}

#[test]
fn locality_places_memory_too() {
    let check = |len, locality, want| {
        for bytes in [0; 4].map(|_| placed(len, 1, locality)) {
            assert_eq!(address(&bytes) % want, 0, "{len} bytes, {locality:?}");
        }
    };
    check(100, Streaming, 64);
    check(LARGE, Streaming, 64);
    check(LARGE, Random, 1 << 21);
    check(3 * LARGE - 5, Random, 1 << 21);
    // What does not fill a large page is as it would be: no memory is spent on it.
    let alignment = |bytes, locality| Placement { alignment: 1, locality }.alignment_of(bytes);
    assert_eq!(alignment(LARGE as usize - 1, Random), 16);
    assert_eq!(alignment(LARGE as usize, Random), 1 << 21);
    assert_eq!(alignment(LARGE as usize, Temporal), 16);
    assert_eq!(alignment(1, Streaming), 64);
    assert_eq!(Placement { alignment: 4096, locality: Streaming }.alignment_of(1), 4096);
}

/// Whether the system was asked for large pages where `bytes` are; `None` where it does not say.
fn has_large_pages(bytes: &[u8]) -> Option<bool> {
    std::fs::metadata("/sys/kernel/mm/transparent_hugepage").ok()?;
    let text = std::fs::read_to_string("/proc/self/smaps").ok()?;
    let mut inside = false;
    for line in text.lines() {
        if let Some((range, _)) = line.split_once(' ')
            && let Some((start, end)) = range.split_once('-')
            && let (Ok(start), Ok(end)) = (usize::from_str_radix(start, 16), usize::from_str_radix(end, 16))
        {
            inside = (start..end).contains(&address(bytes));
        } else if let Some(flags) = line.strip_prefix("VmFlags:")
            && inside
        {
            return Some(flags.split_whitespace().any(|flag| flag == "hg"));
        }
    }
    None
}

#[test]
fn only_memory_accessed_at_random_asks_for_large_pages() {
    let mut random = placed(8 * LARGE, 1, Random);
    let temporal = placed(8 * LARGE, 1, Temporal);
    // The whole of it can be used.
    random.fill(7);
    assert!(random.iter().all(|&b| b == 7));
    match has_large_pages(&random) {
        None => println!("skipped: the system does not say which pages are large"),
        Some(large) => assert_eq!((large, has_large_pages(&temporal)), (true, Some(false))),
    }
}

#[test]
fn memory_is_used_again_where_it_lies_right() {
    let place = |alignment| Placement { alignment, locality: Temporal };
    let mut bytes = placed(1000, 4096, Temporal);
    let first = address(&bytes);
    bytes.resize(10, place(64), "a test").unwrap();
    assert_eq!((address(&bytes), bytes.len()), (first, 10));
    bytes.clear();
    assert_eq!(bytes.len(), 0);
    assert!(bytes.has_room(1000, place(4096)) && !bytes.has_room(1 << 30, place(16)));
    bytes.resize(1000, place(4096), "a test").unwrap();
    assert_eq!((address(&bytes), bytes.len()), (first, 1000));
    // Four memories of one alignment are not all of a larger one by chance.
    let mut all = [0; 4].map(|_| placed(1000, 16, Temporal));
    for bytes in &mut all {
        bytes.resize(1000, place(MAX_ALIGNMENT), "a test").unwrap();
        assert_eq!(address(bytes) % (1 << 21), 0);
    }
    bytes.resize(100_000, place(16), "a test").unwrap();
    assert_eq!(bytes.len(), 100_000);
}

#[test]
fn sizes_beyond_the_machine_are_refused() {
    for len in [u64::MAX, u64::MAX - 15, 1 << 62] {
        let result =
            AlignedBytes::placed(len, Placement { alignment: MAX_ALIGNMENT, locality: Random }, "it");
        match result.err() {
            Some(BackendError::OutOfMemory { requested, what, .. }) => {
                assert_eq!((requested, what.as_str()), (len, "it"));
            }
            other => panic!("{other:?}"),
        }
    }
}

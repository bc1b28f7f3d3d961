//! The cache in memory: what it keeps, who makes what is missing, and why it was missing.

mod texts;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use texts::{Text, key, memory, source};
use vyre_driver::{COMPILER, CacheKey, CacheSource, PipelineCache, Recipe};

#[test]
fn a_key_changes_with_each_of_its_fields() {
    let base = key("p");
    let mut keys = vec![base.clone()];
    let mut with = |change: &dyn Fn(&mut CacheKey)| {
        let mut key = base.clone();
        change(&mut key);
        keys.push(key);
    };
    with(&|k| k.program[31] ^= 1);
    with(&|k| k.backend += "x");
    with(&|k| k.device += "x");
    with(&|k| k.options.checked = true);
    with(&|k| k.options.unchecked = true);
    with(&|k| k.options.gated = true);
    with(&|k| k.options.fast_math = true);
    with(&|k| k.source = Some([0; 32]));
    with(&|k| k.source = Some([1; 32]));
    with(&|k| k.code_version += "x");
    with(&|k| k.compiler += "x");
    // The same characters, shared out among the fields in other ways.
    with(&|k| (k.backend, k.device) = ("ab".into(), "c".into()));
    with(&|k| (k.backend, k.device) = ("a".into(), "bc".into()));
    with(&|k| (k.code_version, k.compiler) = ("ab".into(), "c".into()));
    with(&|k| (k.code_version, k.compiler) = ("a".into(), "bc".into()));
    for (i, a) in keys.iter().enumerate() {
        assert_eq!(a.fingerprint(), a.clone().fingerprint());
        for b in &keys[..i] {
            assert_ne!(a.fingerprint(), b.fingerprint(), "{a:?}\n{b:?}");
        }
    }
}

#[test]
fn the_compiler_version_names_version_and_sources() {
    let words: Vec<&str> = COMPILER.split(' ').collect();
    assert_eq!(words[1], env!("CARGO_PKG_VERSION"));
    assert!(words[2].len() == 16 && words[2].bytes().all(|b| b.is_ascii_hexdigit()), "{COMPILER}");
}

#[test]
fn what_was_made_is_found_again() {
    let cache = memory(100);
    assert_eq!(source(&cache, "a", 10), CacheSource::Compiled);
    assert_eq!(source(&cache, "a", 10), CacheSource::Memory);
    assert_eq!(source(&cache, "b", 10), CacheSource::Compiled);
    let s = cache.snapshot();
    assert_eq!((s.hits, s.misses, s.entries, s.bytes, s.limit, s.evictions), (1, 2, 2, 20, 100, 0));
    assert_eq!(s.miss_reasons, [("never seen", 2)]);
    assert_eq!(s.disk, None);
}

#[test]
fn bytes_stay_within_the_limit() {
    let cache = memory(100);
    for i in 0..50u64 {
        source(&cache, &i.to_string(), 1 + i % 40);
        let s = cache.snapshot();
        assert!(s.bytes <= 100, "{s:?}");
        assert_eq!(s.entries + s.evictions, i + 1);
    }
    // One that is too large drives nothing out.
    let before = cache.snapshot();
    assert_eq!(source(&cache, "large", 101), CacheSource::Compiled);
    let after = cache.snapshot();
    assert_eq!(
        (after.entries, after.bytes, after.evictions),
        (before.entries, before.bytes, before.evictions + 1)
    );
    assert_eq!(source(&cache, "large", 101), CacheSource::Compiled);
}

#[test]
fn of_equally_used_entries_the_oldest_goes() {
    let cache = memory(3);
    for program in ["a", "b", "c", "d"] {
        source(&cache, program, 1);
    }
    assert_eq!(["b", "c", "d"].map(|p| source(&cache, p, 1)), [CacheSource::Memory; 3]);
    assert_eq!(source(&cache, "a", 1), CacheSource::Compiled);
    assert_eq!(cache.snapshot().miss_reasons, [("never seen", 4), ("evicted", 1)]);
}

#[test]
fn what_is_used_often_stays_and_ages() {
    let cache = memory(3);
    source(&cache, "often", 1);
    for _ in 0..3 {
        assert_eq!(source(&cache, "often", 1), CacheSource::Memory);
    }
    // A few others, each used once, do not drive it out.
    for i in 0..4 {
        assert_eq!(source(&cache, &format!("once {i}"), 1), CacheSource::Compiled);
    }
    assert_eq!(source(&cache, "often", 1), CacheSource::Memory);
    // Many do.
    for i in 0..40 {
        assert_eq!(source(&cache, &format!("later {i}"), 1), CacheSource::Compiled);
    }
    assert_eq!(source(&cache, "often", 1), CacheSource::Compiled);
}

#[test]
fn a_miss_says_in_what_an_entry_differs() {
    let cache = memory(100);
    let made = |change: &dyn Fn(&mut CacheKey)| {
        let mut key = key("p");
        change(&mut key);
        let before = cache.snapshot().miss_reasons;
        cache.get_or_make(&key, &Text::new("p")).unwrap();
        let after = cache.snapshot().miss_reasons;
        let new = after.into_iter().find(|reason| !before.contains(reason));
        new.map(|(reason, _)| reason)
    };
    assert_eq!(made(&|_| {}), Some("never seen"));
    assert_eq!(made(&|_| {}), None);
    assert_eq!(made(&|k| k.code_version += "2"), Some("other version"));
    assert_eq!(made(&|k| k.compiler += "2"), Some("other version"));
    assert_eq!(made(&|k| k.options.checked = true), Some("configuration differs"));
    assert_eq!(made(&|k| k.device += "2"), Some("configuration differs"));
    assert_eq!(made(&|k| k.program[0] ^= 1), Some("never seen"));
}

#[test]
fn clearing_memory_forgets_all() {
    let cache = memory(100);
    source(&cache, "a", 10);
    cache.clear_memory();
    let s = cache.snapshot();
    assert_eq!((s.entries, s.bytes, s.evictions), (0, 0, 0));
    assert_eq!(source(&cache, "a", 10), CacheSource::Compiled);
}

/// Makes a value once all threads are about to ask for it.
struct Once<'a> {
    asked: &'a AtomicUsize,
    made: &'a AtomicUsize,
    threads: usize,
    fails: usize,
}

impl Recipe<usize> for Once<'_> {
    type Error = String;
    fn load(&self, _: &[u8]) -> Option<usize> {
        unreachable!("there is no disk")
    }
    fn compile(&self) -> Result<usize, String> {
        while self.asked.load(Ordering::SeqCst) < self.threads {
            std::thread::yield_now();
        }
        let turn = self.made.fetch_add(1, Ordering::SeqCst);
        match turn < self.fails {
            true if turn == 0 => panic!("the compiler panics"),
            true => Err(format!("failure {turn}")),
            false => Ok(turn),
        }
    }
    fn store(&self, _: &usize) -> Option<Vec<u8>> {
        None
    }
    fn bytes(&self, _: &usize) -> u64 {
        1
    }
}

/// What a thread gets, or its panic.
type Answer = std::thread::Result<Result<usize, String>>;

/// What each thread gets of those that ask for one key at once, where the first makers fail: the first by a panic.
fn at_once(threads: usize, fails: usize) -> (Vec<Answer>, usize) {
    let cache = PipelineCache::new(vyre_driver::CacheConfig::default());
    let (asked, made, start) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(threads));
    let results = std::thread::scope(|scope| {
        let ask = || {
            let recipe = Once { asked: &asked, made: &made, threads, fails };
            start.wait();
            asked.fetch_add(1, Ordering::SeqCst);
            cache.get_or_make(&key("p"), &recipe).map(|(value, _)| value)
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
        handles.into_iter().map(|handle| handle.join()).collect()
    });
    (results, made.into_inner())
}

#[test]
fn threads_that_ask_for_the_same_at_once_compile_it_once() {
    for _ in 0..20 {
        let (results, made) = at_once(8, 0);
        assert_eq!(made, 1);
        assert!(results.iter().all(|result| matches!(result, Ok(Ok(0)))), "{results:?}");
    }
}

#[test]
fn when_the_one_that_compiles_fails_another_tries() {
    let (results, made) = at_once(8, 3);
    assert_eq!(made, 4);
    let count = |f: &dyn Fn(&Answer) -> bool| results.iter().filter(|answer| f(answer)).count();
    assert_eq!(count(&|r| r.is_err()), 1, "one saw the panic");
    assert_eq!(count(&|r| matches!(r, Ok(Err(_)))), 2, "two saw errors");
    assert_eq!(count(&|r| matches!(r, Ok(Ok(3)))), 5);
}

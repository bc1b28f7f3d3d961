//! The wire form: what it keeps, and that damaged and hostile files are refused.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use vyre_ir::text::parse;
use vyre_ir::wire::{decode, encode, fingerprint};
use vyre_ir::*;

/// Notes the largest request of each thread, to see what a hostile file can cause.
struct Noting;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    LARGEST.with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: every request goes to the system's allocator unchanged, and noting it allocates nothing.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Noting = Noting;

fn sample() -> Program {
    parse("all.vyre", include_str!("all.vyre")).unwrap()
}

/// A file around a body, its hash right.
fn file(body: &[u8]) -> Vec<u8> {
    let mut file = b"VYRE\x01\0\0\0".to_vec();
    file.extend(blake3::hash(body).as_bytes());
    file.extend(body);
    file
}

/// What decoding gives. No allocation on the way is out of proportion to the file: an instruction takes 5 bytes in it
/// and 152 in memory, in a list that grows by doubling.
fn attempt(file: &[u8]) -> Result<Program, Diagnostic> {
    LARGEST.set(0);
    let result = decode(file);
    assert!(LARGEST.get() < 64 * file.len() + 100_000, "{} bytes for {}", LARGEST.get(), file.len());
    result
}

fn refused(file: &[u8]) -> &'static str {
    match attempt(file) {
        Ok(p) => panic!("decoded:\n{p}"),
        Err(error) => error.code.name(),
    }
}

#[test]
fn round_trip() {
    let p = sample();
    let bytes = encode(&p);
    assert_eq!(&bytes[..8], b"VYRE\x01\0\0\0");
    assert_eq!(bytes[8..40], fingerprint(&p));
    let q = decode(&bytes).unwrap();
    assert_eq!(q.to_string(), p.to_string());
    assert_eq!(encode(&q), bytes);
    assert!(q.source.is_none());
}

/// The bytes of a small program, worked out by hand from the description of the format.
#[test]
fn format() {
    let text = "program p workgroup(300, 1, 2) {
  buffer b: f32x2[] storage write output @group(0) @binding(7)
  %0: u32 = const 128
  %1: f32 = const -0.0
  store b[%0], %1
}
";
    let mut body: Vec<u8> = vec![8];
    for word in ["f32x2", "storage", "write", "const", "u32", "f32", "store", "yield"] {
        body.push(word.len() as u8);
        body.extend(word.as_bytes());
    }
    body.extend([1, b'p', 0xac, 0x02, 1, 2]);
    body.extend([1, 1, b'b', 0, 1, 2, 1, 0, 0, 7]);
    body.extend([0, 4]);
    body.extend([3, 1, 0x80, 0x01, 0, 0, 0, 1, 4, 0, 0]);
    body.extend([3, 1, 0x80, 0x80, 0x80, 0x80, 0x08, 0, 0, 0, 1, 5, 0, 0]);
    body.extend([6, 4, 0, 0, 2, 0, 1, 0]);
    body.extend([7, 0, 0, 0, 0]);
    assert_eq!(encode(&parse("", text).unwrap()), file(&body));
    assert_eq!(decode(&file(&body)).unwrap().to_string(), text);
}

/// The bytes of what buffers are marked with, worked out by hand from the description of the format.
#[test]
fn marks_of_buffers() {
    let text = "program p workgroup(1, 1, 1) {
  buffer a: u32[] storage read live_out @group(0) @binding(0)
  buffer b: u32[] storage write output live_out @group(0) @binding(1) hints(axis 1, align 128, random)
  buffer c: u32[] storage read @group(0) @binding(2) hints(streaming)
}
";
    let words = ["u32", "storage", "read", "write", "random", "streaming", "yield"];
    let mut table: Vec<u8> = vec![7];
    for word in words {
        table.push(word.len() as u8);
        table.extend(word.as_bytes());
    }
    let body = |b_hints: &[u8], c: &[u8]| {
        let mut body = table.clone();
        body.extend([1, b'p', 1, 1, 1, 3]);
        body.extend([1, b'a', 0, 1, 2, 2, 0, 0, 0]);
        body.extend([1, b'b', 0, 1, 3, 7, 0, 0, 1]);
        body.extend(b_hints);
        body.extend([1, b'c', 0, 1, 2]);
        body.extend(c);
        body.extend([0, 1, 6, 0, 0, 0, 0]);
        file(&body)
    };
    let good = body(&[2, 0x80, 0x01, 4], &[4, 0, 0, 2, 0, 0, 5]);
    assert_eq!(encode(&parse("", text).unwrap()), good);
    assert_eq!(decode(&good).unwrap().to_string(), text);
    // A flag that is not known, an axis that there is not, a word that is no locality.
    assert_eq!(refused(&body(&[2, 0x80, 0x01, 4], &[8, 0, 0, 2, 0, 0, 5])), "W006");
    assert_eq!(refused(&body(&[4, 0x80, 0x01, 4], &[4, 0, 0, 2, 0, 0, 5])), "W010");
    assert_eq!(refused(&body(&[2, 0x80, 0x01, 0], &[4, 0, 0, 2, 0, 0, 5])), "W008");
}

/// Hints that say nothing have one encoding: none.
#[test]
fn hints_of_nothing_are_not_canonical() {
    let mut body: Vec<u8> = vec![5];
    for word in ["u32", "storage", "read", "temporal", "yield"] {
        body.push(word.len() as u8);
        body.extend(word.as_bytes());
    }
    body.extend([1, b'p', 1, 1, 1, 1]);
    body.extend([1, b'a', 0, 1, 2, 4, 0, 0, 0, 0, 0, 3]);
    body.extend([0, 1, 4, 0, 0, 0, 0]);
    assert_eq!(refused(&file(&body)), "W009");
}

/// The same program built in another order, and from text laid out otherwise, has the same fingerprint; a changed
/// one has another.
#[test]
fn fingerprints() {
    let build = |first: u32, extra: bool| {
        let mut b = Builder::new("p", [1, 1, 1]);
        if extra {
            b.open(&[Scalar::U32.into()]);
        }
        let one = b.u32(first);
        b.op(Op::Add, &[one, one]);
        b.loc = Loc::span(1, 2);
        b.finish()
    };
    let same = fingerprint(&build(1, false));
    assert_eq!(fingerprint(&build(1, true)), same);
    let text = "program p workgroup(1, 1, 1) { %a: u32 = const 0x1\n\n%b: u32 = add %a, %a }";
    assert_eq!(fingerprint(&parse("", text).unwrap()), same);
    assert_ne!(fingerprint(&build(2, false)), same);
    for (from, to) in [("u32", "i32"), ("add", "sub"), ("program p", "program q"), ("1, 1, 1", "1, 2, 1")] {
        assert_ne!(fingerprint(&parse("", &text.replace(from, to)).unwrap()), same, "{to}");
    }
}

#[test]
fn flipped_bits() {
    let good = encode(&sample());
    let mut codes = std::collections::BTreeSet::new();
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        codes.insert(refused(&bytes));
    }
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["W001", "W002", "W003", "W005"]);
}

/// The same with the hash corrected, so that the decoder itself is asked.
#[test]
fn flipped_bits_with_a_right_hash() {
    let good = encode(&sample());
    let text = sample().to_string();
    let mut accepted = 0;
    for bit in 0..(good.len() - 40) * 8 {
        let mut body = good[40..].to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let bytes = file(&body);
        if let Ok(p) = attempt(&bytes) {
            accepted += 1;
            assert_ne!(p.to_string(), text, "bit {bit}: another encoding of the same program");
            assert_eq!(encode(&p), bytes, "bit {bit}");
        }
    }
    // Names, constants and sizes may become others.
    assert!(accepted > 0);
}

#[test]
fn cut_short() {
    let good = encode(&sample());
    for length in 0..good.len() {
        let code = refused(&good[..length]);
        assert_eq!(
            code,
            if length < 4 {
                "W001"
            } else if length < 40 {
                "W004"
            } else {
                "W005"
            }
        );
        if length >= 40 {
            assert!(matches!(refused(&file(&good[40..length])), "W004" | "W006"), "{length}");
        }
    }
}

#[test]
fn refusals() {
    let good = encode(&sample());
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    assert_eq!(refused(b""), "W001");
    assert_eq!(refused(b"MZ\x90\0"), "W001");
    assert_eq!(refused(&with(4, 2)), "W002");
    assert_eq!(refused(&with(7, 1)), "W003");
    assert_eq!(refused(&with(8, good[8] ^ 1)), "W005");
    let trailing = [&good[40..], &[0]].concat();
    assert_eq!(refused(&file(&trailing)), "W006");
    // An unused word, and a number with a byte more than it needs.
    let body = |parts: &[&[u8]]| file(&parts.concat());
    let rest: &[u8] = &[1, b'p', 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0];
    assert_eq!(decode(&body(&[&[1, 5], b"yield", rest])).unwrap().name, "p");
    assert_eq!(refused(&body(&[&[2, 5], b"yield", &[1, b'x'], rest])), "W009");
    assert_eq!(refused(&body(&[&[0x81, 0, 5], b"yield", rest])), "W009");
    assert_eq!(refused(&body(&[&[1, 5], b"yeild", rest])), "W008");
    assert_eq!(refused(&body(&[&[1, 5], b"yiel\xff", rest])), "W006");
    // A workgroup of nothing is decoded, but not valid.
    assert_eq!(refused(&body(&[&[1, 5], b"yield", &[1, b'p', 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0]])), "W010");
    // A number that does not fit 64 bits, one without end, and 2^64 - 1 of something.
    assert_eq!(refused(&body(&[&[0xff; 9], &[2]])), "W006");
    assert_eq!(refused(&body(&[&[0xff; 100]])), "W006");
    assert_eq!(refused(&body(&[&[0xff; 9], &[1]])), "W006");
    assert_eq!(refused(&body(&[&[0xff; 4], &[0xf]])), "W006");
}

/// Deep and large programs in few bytes.
#[test]
fn bombs() {
    let words = [&[3u8, 2], &b"if"[..], &[4], b"bool", &[5], b"yield"].concat();
    let head = [&words[..], &[1, b'p', 1, 1, 1, 0, 0]].concat();
    // `if` without operands in `if` without operands ...
    let nested = [&head[..], &[1, 0, 0, 0, 0, 1, 0].repeat(1_000_000)].concat();
    assert_eq!(refused(&file(&nested)), "W007");
    // Regions without instructions.
    let empty = [&head[..], &[1, 0, 0, 0, 0, 0x80, 0x80, 0x40], &vec![0; 3_000_000]].concat();
    assert_eq!(refused(&file(&empty)), "W006");
    // A count that the file could hold, but not of this many instructions.
    let many = [&head[..], &[0x80, 0x80, 0x80, 0x04], &[2, 0, 0, 0, 0].repeat(2_000_002)].concat();
    assert_eq!(refused(&file(&many)), "W007");
    let buffers = [&words[..], &[1, b'p', 1, 1, 1, 0xff, 0xff, 1], &vec![0; 100_000]].concat();
    assert_eq!(refused(&file(&buffers)), "W007");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        rng_seed: proptest::test_runner::RngSeed::Fixed(1), failure_persistence: None, cases: 2000, ..Default::default()
    })]

    #[test]
    fn garbage(body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        proptest::prop_assert!(decode(&body).is_err());
        if let Ok(p) = attempt(&file(&body)) {
            proptest::prop_assert_eq!(encode(&p), file(&body));
        }
    }

    /// Pieces of a good file in another order, so that the decoder gets far.
    #[test]
    fn splices(edits in proptest::collection::vec((0usize..2000, 0usize..8, 0usize..2000, 0usize..8), 1..4)) {
        let good = encode(&sample())[40..].to_vec();
        let mut body = good.clone();
        for (at, removed, from, inserted) in edits {
            let at = at % body.len();
            let from = from % good.len();
            let end = (at + removed).min(body.len());
            body.splice(at..end, good[from..(from + inserted).min(good.len())].iter().copied());
        }
        if let Ok(p) = attempt(&file(&body)) {
            proptest::prop_assert_eq!(encode(&p), file(&body));
            proptest::prop_assert_eq!(parse("", &p.to_string()).unwrap().to_string(), p.to_string());
        }
    }
}

//! Hashes and generators put together from their steps, against published values.

use vyre_ir::dialect::{DialectRegistry, evaluate};
use vyre_ops as _;

/// The first result of an operation.
fn call(op: &str, operands: &[u64]) -> u64 {
    let registry = DialectRegistry::try_global().unwrap();
    let def = registry.find(op).unwrap_or_else(|| panic!("`{op}` is not registered"));
    let operands: Vec<_> = operands.iter().map(|&bits| [bits, 0, 0, 0]).collect();
    evaluate(def, &[], &operands).expect("it has a body")[0][0]
}

fn call32(op: &str, operands: &[u32]) -> u32 {
    let operands: Vec<u64> = operands.iter().map(|&word| word.into()).collect();
    call(op, &operands) as u32
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

fn fnv1a(text: &str) -> u32 {
    let (words, rest) = text.as_bytes().as_chunks::<4>();
    let hash = words.iter().fold(0x811c_9dc5, |hash, bytes| call32("hash.fnv1a_word", &[hash, word(bytes)]));
    // What is above the byte must not count.
    rest.iter().fold(hash, |hash, &byte| call32("hash.fnv1a_byte", &[hash, u32::from(byte) | 0xabcd_ef00]))
}

fn murmur3(text: &str, seed: u32) -> u32 {
    let (words, rest) = text.as_bytes().as_chunks::<4>();
    let hash = words.iter().fold(seed, |hash, bytes| call32("hash.murmur3_round", &[hash, word(bytes)]));
    let hash = hash ^ call32("hash.murmur3_key", &[word(rest)]);
    call32("hash.murmur3_finish", &[hash ^ text.len() as u32])
}

/// Section 2 of the specification of XXH32.
fn xxh32(text: &str, seed: u32) -> u32 {
    const PRIME_1: u32 = 0x9e37_79b1;
    const PRIME_2: u32 = 0x85eb_ca77;
    const PRIME_5: u32 = 0x1656_67b1;
    let (stripes, rest) = text.as_bytes().as_chunks::<16>();
    let mut lanes = [
        seed.wrapping_add(PRIME_1).wrapping_add(PRIME_2),
        seed.wrapping_add(PRIME_2),
        seed,
        seed.wrapping_sub(PRIME_1),
    ];
    for stripe in stripes {
        for (lane, bytes) in lanes.iter_mut().zip(stripe.as_chunks::<4>().0) {
            *lane = call32("hash.xxh32_round", &[*lane, word(bytes)]);
        }
    }
    let start =
        if stripes.is_empty() { seed.wrapping_add(PRIME_5) } else { call32("hash.xxh32_merge", &lanes) };
    let (words, bytes) = rest.as_chunks::<4>();
    let start = start.wrapping_add(text.len() as u32);
    let hash = words.iter().fold(start, |hash, bytes| call32("hash.xxh32_word", &[hash, word(bytes)]));
    let hash = bytes
        .iter()
        .fold(hash, |hash, &byte| call32("hash.xxh32_byte", &[hash, u32::from(byte) | 0xabcd_ef00]));
    call32("hash.xxh32_avalanche", &[hash])
}

#[test]
fn fnv1a_hashes() {
    // Noll's table of test vectors, in RFC 9923.
    for (text, hash) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968)] {
        assert_eq!(fnv1a(text), hash, "{text:?}");
    }
}

#[test]
fn murmur3_hashes() {
    // The three of the empty text are found in most ports' tests, the others in the article "MurmurHash" of Wikipedia.
    let vectors = [
        ("", 0, 0),
        ("", 1, 0x514e_28b7),
        ("", u32::MAX, 0x81f1_6f39),
        ("test", 0x9747_b28c, 0x704b_81dc),
        ("Hello, world!", 0x9747_b28c, 0x2488_4cba),
        ("The quick brown fox jumps over the lazy dog", 0x9747_b28c, 0x2fa8_26cd),
    ];
    for (text, seed, hash) in vectors {
        assert_eq!(murmur3(text, seed), hash, "{text:?}");
    }
}

#[test]
fn xxh32_hashes() {
    // From the tests of xxHash-Swift and of the crate xx_hash; the second has stripes, words and bytes.
    let vectors = [
        ("", 0x02cc_5d05),
        ("123456789ABCDEF", 0x576e_3cf9),
        ("The quick brown fox jumps over the lazy dog", 0xe85e_a4de),
        ("Nobody inspects the spammish repetition", 0xe229_3b2f),
    ];
    for (text, hash) in vectors {
        assert_eq!(xxh32(text, 0), hash, "{text:?}");
    }
}

#[test]
fn pcg_numbers() {
    // test-high/expected/check-pcg32si.out of imneme/pcg-c, which seeds with 42: one step from 0, the seed added, one step.
    let step = |state: u32| call32("hash.pcg_step", &[state]);
    let mut state = step(step(0).wrapping_add(42));
    for want in [0x256b_5357, 0xa5ef_ad32, 0x170b_7830, 0x334a_5b22, 0x3de5_c680, 0x9b47_b7b3] {
        assert_eq!(call32("hash.pcg_output", &[state]), want);
        state = step(state);
    }
    // Worked out by hand-written integer arithmetic in another language from the paper's listing.
    for (x, want) in [129_708_002, 2_831_084_092, 2_055_130_248, 2_131_687_100].into_iter().enumerate() {
        assert_eq!(call32("hash.pcg", &[x as u32]), want);
    }
}

#[test]
fn wang_hashes() {
    // Worked out in another language from the listing; no values are published.
    let vectors = [(0, 3_232_319_850), (1, 663_891_101), (2, 3_329_832_309), (0xdead_beef, 1_462_664_237)];
    for (x, want) in vectors {
        assert_eq!(call32("hash.wang", &[x]), want);
    }
}

#[test]
fn splitmix64_numbers() {
    // "Pseudo-random numbers/Splitmix64" of Rosetta Code, seed 1234567.
    let mut state: u64 = 1_234_567;
    for want in [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423] {
        assert_eq!(call("hash.splitmix64", &[state]), want);
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
}

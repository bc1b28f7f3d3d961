//! The dialect `hash`: steps of hash functions and of random number generators, which programs put together.
//!
//! All are bijections of their state for a given input. A word is four bytes of the input, the first one lowest.

use crate::shipped::Shipped;

pub(crate) const OPS: &[Shipped] = &[
    Shipped {
        doc: "FNV-1a of 32 bits: one more byte, the lowest one of the operand. Fowler, Noll, Vo and Eastlake, \"The FNV non-cryptographic hash algorithm\", RFC 9923; the hash of no bytes is 0x811c9dc5.",
        ulp: None,
        laws: &[],
        text: "op hash.fnv1a_byte(%hash: u32, %byte: u32) -> u32 {
  %mask: u32 = const 0xff
  %low: u32 = and %byte, %mask
  %mixed: u32 = xor %hash, %low
  %r_by: u32 = const 0x01000193
  %r: u32 = mul %mixed, %r_by
  yield %r
}",
    },
    Shipped {
        doc: "FNV-1a of 32 bits: four more bytes, the lowest one first. Fowler, Noll, Vo and Eastlake, \"The FNV non-cryptographic hash algorithm\", RFC 9923; the hash of no bytes is 0x811c9dc5.",
        ulp: None,
        laws: &[],
        text: "op hash.fnv1a_word(%hash: u32, %word: u32) -> u32 {
  %eight: u32 = const 8
  %sixteen: u32 = const 16
  %twenty_four: u32 = const 24
  %second: u32 = shr %word, %eight
  %third: u32 = shr %word, %sixteen
  %fourth: u32 = shr %word, %twenty_four
  %h1: u32 = call hash.fnv1a_byte %hash, %word
  %h2: u32 = call hash.fnv1a_byte %h1, %second
  %h3: u32 = call hash.fnv1a_byte %h2, %third
  %h4: u32 = call hash.fnv1a_byte %h3, %fourth
  yield %h4
}",
    },
    Shipped {
        doc: "MurmurHash3 of 32 bits: a word scrambled. The one to three bytes at the end of the input are xored to the hash like this. Appleby, MurmurHash3_x86_32, 2011, in the public domain.",
        ulp: None,
        laws: &[],
        text: "op hash.murmur3_key(%key: u32) -> u32 {
  %k1_by: u32 = const 0xcc9e2d51
  %k1: u32 = mul %key, %k1_by
  %k2_n: u32 = const 15
  %k2_m: u32 = const 17
  %k2_high: u32 = shl %k1, %k2_n
  %k2_low: u32 = shr %k1, %k2_m
  %k2: u32 = or %k2_high, %k2_low
  %k3_by: u32 = const 0x1b873593
  %k3: u32 = mul %k2, %k3_by
  yield %k3
}",
    },
    Shipped {
        doc: "MurmurHash3 of 32 bits: one more word. The hash of nothing is the seed. Appleby, MurmurHash3_x86_32, 2011, in the public domain.",
        ulp: None,
        laws: &[],
        text: "op hash.murmur3_round(%hash: u32, %word: u32) -> u32 {
  %key: u32 = call hash.murmur3_key %word
  %mixed: u32 = xor %hash, %key
  %turned_n: u32 = const 13
  %turned_m: u32 = const 19
  %turned_high: u32 = shl %mixed, %turned_n
  %turned_low: u32 = shr %mixed, %turned_m
  %turned: u32 = or %turned_high, %turned_low
  %five: u32 = const 5
  %product: u32 = mul %turned, %five
  %plus: u32 = const 0xe6546b64
  %r: u32 = add %product, %plus
  yield %r
}",
    },
    Shipped {
        doc: "MurmurHash3 of 32 bits: the end (fmix32), after the length in bytes was xored to the hash. Appleby, MurmurHash3_x86_32, 2011, in the public domain.",
        ulp: None,
        laws: &[],
        text: "op hash.murmur3_finish(%hash: u32) -> u32 {
  %a_n: u32 = const 16
  %a_shifted: u32 = shr %hash, %a_n
  %a: u32 = xor %hash, %a_shifted
  %b_by: u32 = const 0x85ebca6b
  %b: u32 = mul %a, %b_by
  %c_n: u32 = const 13
  %c_shifted: u32 = shr %b, %c_n
  %c: u32 = xor %b, %c_shifted
  %d_by: u32 = const 0xc2b2ae35
  %d: u32 = mul %c, %d_by
  %e_n: u32 = const 16
  %e_shifted: u32 = shr %d, %e_n
  %e: u32 = xor %d, %e_shifted
  yield %e
}",
    },
    Shipped {
        doc: "XXH32: one more word for one of the four accumulators. Collet, xxHash specification 0.1.1.",
        ulp: None,
        laws: &[],
        text: "op hash.xxh32_round(%accumulator: u32, %word: u32) -> u32 {
  %input_by: u32 = const 0x85ebca77
  %input: u32 = mul %word, %input_by
  %sum: u32 = add %accumulator, %input
  %turned_n: u32 = const 13
  %turned_m: u32 = const 19
  %turned_high: u32 = shl %sum, %turned_n
  %turned_low: u32 = shr %sum, %turned_m
  %turned: u32 = or %turned_high, %turned_low
  %r_by: u32 = const 0x9e3779b1
  %r: u32 = mul %turned, %r_by
  yield %r
}",
    },
    Shipped {
        doc: "XXH32: the four accumulators as one, after the last full stripe of 16 bytes; the length in bytes is then added. Collet, xxHash specification 0.1.1.",
        ulp: None,
        laws: &[],
        text: "op hash.xxh32_merge(%a: u32, %b: u32, %c: u32, %d: u32) -> u32 {
  %a1_n: u32 = const 1
  %a1_m: u32 = const 31
  %a1_high: u32 = shl %a, %a1_n
  %a1_low: u32 = shr %a, %a1_m
  %a1: u32 = or %a1_high, %a1_low
  %b1_n: u32 = const 7
  %b1_m: u32 = const 25
  %b1_high: u32 = shl %b, %b1_n
  %b1_low: u32 = shr %b, %b1_m
  %b1: u32 = or %b1_high, %b1_low
  %c1_n: u32 = const 12
  %c1_m: u32 = const 20
  %c1_high: u32 = shl %c, %c1_n
  %c1_low: u32 = shr %c, %c1_m
  %c1: u32 = or %c1_high, %c1_low
  %d1_n: u32 = const 18
  %d1_m: u32 = const 14
  %d1_high: u32 = shl %d, %d1_n
  %d1_low: u32 = shr %d, %d1_m
  %d1: u32 = or %d1_high, %d1_low
  %ab: u32 = add %a1, %b1
  %cd: u32 = add %c1, %d1
  %r: u32 = add %ab, %cd
  yield %r
}",
    },
    Shipped {
        doc: "XXH32: a word after the last full stripe. Collet, xxHash specification 0.1.1.",
        ulp: None,
        laws: &[],
        text: "op hash.xxh32_word(%hash: u32, %word: u32) -> u32 {
  %input_by: u32 = const 0xc2b2ae3d
  %input: u32 = mul %word, %input_by
  %sum: u32 = add %hash, %input
  %turned_n: u32 = const 17
  %turned_m: u32 = const 15
  %turned_high: u32 = shl %sum, %turned_n
  %turned_low: u32 = shr %sum, %turned_m
  %turned: u32 = or %turned_high, %turned_low
  %r_by: u32 = const 0x27d4eb2f
  %r: u32 = mul %turned, %r_by
  yield %r
}",
    },
    Shipped {
        doc: "XXH32: a byte after the last full word, the lowest one of the operand. Collet, xxHash specification 0.1.1.",
        ulp: None,
        laws: &[],
        text: "op hash.xxh32_byte(%hash: u32, %byte: u32) -> u32 {
  %mask: u32 = const 0xff
  %low: u32 = and %byte, %mask
  %input_by: u32 = const 0x165667b1
  %input: u32 = mul %low, %input_by
  %sum: u32 = add %hash, %input
  %turned_n: u32 = const 11
  %turned_m: u32 = const 21
  %turned_high: u32 = shl %sum, %turned_n
  %turned_low: u32 = shr %sum, %turned_m
  %turned: u32 = or %turned_high, %turned_low
  %r_by: u32 = const 0x9e3779b1
  %r: u32 = mul %turned, %r_by
  yield %r
}",
    },
    Shipped {
        doc: "XXH32: the end. Collet, xxHash specification 0.1.1.",
        ulp: None,
        laws: &[],
        text: "op hash.xxh32_avalanche(%hash: u32) -> u32 {
  %a_n: u32 = const 15
  %a_shifted: u32 = shr %hash, %a_n
  %a: u32 = xor %hash, %a_shifted
  %b_by: u32 = const 0x85ebca77
  %b: u32 = mul %a, %b_by
  %c_n: u32 = const 13
  %c_shifted: u32 = shr %b, %c_n
  %c: u32 = xor %b, %c_shifted
  %d_by: u32 = const 0xc2b2ae3d
  %d: u32 = mul %c, %d_by
  %e_n: u32 = const 16
  %e_shifted: u32 = shr %d, %e_n
  %e: u32 = xor %d, %e_shifted
  yield %e
}",
    },
    Shipped {
        doc: "PCG of 32 bits: the next state. O'Neill, \"PCG: a family of simple fast space-efficient statistically good algorithms for random number generation\", 2014.",
        ulp: None,
        laws: &[],
        text: "op hash.pcg_step(%state: u32) -> u32 {
  %product_by: u32 = const 747796405
  %product: u32 = mul %state, %product_by
  %plus: u32 = const 2891336453
  %r: u32 = add %product, %plus
  yield %r
}",
    },
    Shipped {
        doc: "PCG of 32 bits: the number that a state gives (RXS-M-XS). O'Neill, \"PCG: a family of simple fast space-efficient statistically good algorithms for random number generation\", 2014.",
        ulp: None,
        laws: &[],
        text: "op hash.pcg_output(%state: u32) -> u32 {
  %top: u32 = const 28
  %four: u32 = const 4
  %high: u32 = shr %state, %top
  %amount: u32 = add %high, %four
  %shifted: u32 = shr %state, %amount
  %mixed: u32 = xor %shifted, %state
  %word_by: u32 = const 277803737
  %word: u32 = mul %mixed, %word_by
  %r_n: u32 = const 22
  %r_shifted: u32 = shr %word, %r_n
  %r: u32 = xor %word, %r_shifted
  yield %r
}",
    },
    Shipped {
        doc: "A word scrambled by one step of PCG. Jarzynski and Olano, \"Hash functions for GPU rendering\", Journal of Computer Graphics Techniques 9, 2020.",
        ulp: None,
        laws: &[],
        text: "op hash.pcg(%x: u32) -> u32 {
  %state: u32 = call hash.pcg_step %x
  %r: u32 = call hash.pcg_output %state
  yield %r
}",
    },
    Shipped {
        doc: "A word scrambled. Wang, \"Integer hash function\", version 3.1, 2007.",
        ulp: None,
        laws: &[],
        text: "op hash.wang(%x: u32) -> u32 {
  %sixty_one: u32 = const 61
  %sixteen: u32 = const 16
  %a1: u32 = xor %x, %sixty_one
  %a2: u32 = shr %x, %sixteen
  %a: u32 = xor %a1, %a2
  %b_by: u32 = const 9
  %b: u32 = mul %a, %b_by
  %c_n: u32 = const 4
  %c_shifted: u32 = shr %b, %c_n
  %c: u32 = xor %b, %c_shifted
  %d_by: u32 = const 0x27d4eb2d
  %d: u32 = mul %c, %d_by
  %e_n: u32 = const 15
  %e_shifted: u32 = shr %d, %e_n
  %e: u32 = xor %d, %e_shifted
  yield %e
}",
    },
    Shipped {
        doc: "SplitMix64: the number that a generator of this state gives; the next state is 0x9e3779b97f4a7c15 more. Steele, Lea and Flood, \"Fast splittable pseudorandom number generators\", OOPSLA 2014.",
        ulp: None,
        laws: &[],
        text: "op hash.splitmix64(%state: u64) -> u64 {
  %gamma: u64 = const 0x9e3779b97f4a7c15
  %a: u64 = add %state, %gamma
  %thirty: u32 = const 30
  %b1: u64 = shr %a, %thirty
  %b2: u64 = xor %a, %b1
  %b3: u64 = const 0xbf58476d1ce4e5b9
  %b: u64 = mul %b2, %b3
  %twenty_seven: u32 = const 27
  %c1: u64 = shr %b, %twenty_seven
  %c2: u64 = xor %b, %c1
  %c3: u64 = const 0x94d049bb133111eb
  %c: u64 = mul %c2, %c3
  %thirty_one: u32 = const 31
  %d1: u64 = shr %c, %thirty_one
  %r: u64 = xor %c, %d1
  yield %r
}",
    },
];

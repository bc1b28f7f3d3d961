//! The dialect `bits`: u32 as rows of bits, bit 0 the lowest.

use crate::shipped::Shipped;
use vyre_ir::dialect::Law;

pub(crate) const OPS: &[Shipped] = &[
    Shipped {
        doc: "The low 16 bits, each bit i at 2 i, zeros between. Warren, \"Hacker's Delight\", 2nd edition, section 7-2.",
        ulp: None,
        laws: &[],
        text: "op bits.spread2(%value: u32) -> u32 {
  %mask: u32 = const 0xffff
  %x: u32 = and %value, %mask
  %n0: u32 = const 8
  %m0: u32 = const 0x00ff00ff
  %s0: u32 = shl %x, %n0
  %o0: u32 = or %x, %s0
  %x0: u32 = and %o0, %m0
  %n1: u32 = const 4
  %m1: u32 = const 0x0f0f0f0f
  %s1: u32 = shl %x0, %n1
  %o1: u32 = or %x0, %s1
  %x1: u32 = and %o1, %m1
  %n2: u32 = const 2
  %m2: u32 = const 0x33333333
  %s2: u32 = shl %x1, %n2
  %o2: u32 = or %x1, %s2
  %x2: u32 = and %o2, %m2
  %n3: u32 = const 1
  %m3: u32 = const 0x55555555
  %s3: u32 = shl %x2, %n3
  %o3: u32 = or %x2, %s3
  %x3: u32 = and %o3, %m3
  yield %x3
}",
    },
    Shipped {
        doc: "Each bit 2 i at i; the reverse of spread2, the odd bits are left out. Warren, \"Hacker's Delight\", 2nd edition, section 7-2.",
        ulp: None,
        laws: &[],
        text: "op bits.compact2(%value: u32) -> u32 {
  %mask: u32 = const 0x55555555
  %x: u32 = and %value, %mask
  %n0: u32 = const 1
  %m0: u32 = const 0x33333333
  %s0: u32 = shr %x, %n0
  %o0: u32 = or %x, %s0
  %x0: u32 = and %o0, %m0
  %n1: u32 = const 2
  %m1: u32 = const 0x0f0f0f0f
  %s1: u32 = shr %x0, %n1
  %o1: u32 = or %x0, %s1
  %x1: u32 = and %o1, %m1
  %n2: u32 = const 4
  %m2: u32 = const 0x00ff00ff
  %s2: u32 = shr %x1, %n2
  %o2: u32 = or %x1, %s2
  %x2: u32 = and %o2, %m2
  %n3: u32 = const 8
  %m3: u32 = const 0xffff
  %s3: u32 = shr %x2, %n3
  %o3: u32 = or %x2, %s3
  %x3: u32 = and %o3, %m3
  yield %x3
}",
    },
    Shipped {
        doc: "The low 10 bits, each bit i at 3 i, zeros between. Warren, \"Hacker's Delight\", 2nd edition, section 7-2, for three.",
        ulp: None,
        laws: &[],
        text: "op bits.spread3(%value: u32) -> u32 {
  %mask: u32 = const 0x3ff
  %x: u32 = and %value, %mask
  %n0: u32 = const 16
  %m0: u32 = const 0x030000ff
  %s0: u32 = shl %x, %n0
  %o0: u32 = or %x, %s0
  %x0: u32 = and %o0, %m0
  %n1: u32 = const 8
  %m1: u32 = const 0x0300f00f
  %s1: u32 = shl %x0, %n1
  %o1: u32 = or %x0, %s1
  %x1: u32 = and %o1, %m1
  %n2: u32 = const 4
  %m2: u32 = const 0x030c30c3
  %s2: u32 = shl %x1, %n2
  %o2: u32 = or %x1, %s2
  %x2: u32 = and %o2, %m2
  %n3: u32 = const 2
  %m3: u32 = const 0x09249249
  %s3: u32 = shl %x2, %n3
  %o3: u32 = or %x2, %s3
  %x3: u32 = and %o3, %m3
  yield %x3
}",
    },
    Shipped {
        doc: "Each bit 3 i at i; the reverse of spread3, the other bits are left out. Warren, \"Hacker's Delight\", 2nd edition, section 7-2, for three.",
        ulp: None,
        laws: &[],
        text: "op bits.compact3(%value: u32) -> u32 {
  %mask: u32 = const 0x09249249
  %x: u32 = and %value, %mask
  %n0: u32 = const 2
  %m0: u32 = const 0x030c30c3
  %s0: u32 = shr %x, %n0
  %o0: u32 = or %x, %s0
  %x0: u32 = and %o0, %m0
  %n1: u32 = const 4
  %m1: u32 = const 0x0300f00f
  %s1: u32 = shr %x0, %n1
  %o1: u32 = or %x0, %s1
  %x1: u32 = and %o1, %m1
  %n2: u32 = const 8
  %m2: u32 = const 0x030000ff
  %s2: u32 = shr %x1, %n2
  %o2: u32 = or %x1, %s2
  %x2: u32 = and %o2, %m2
  %n3: u32 = const 16
  %m3: u32 = const 0x3ff
  %s3: u32 = shr %x2, %n3
  %o3: u32 = or %x2, %s3
  %x3: u32 = and %o3, %m3
  yield %x3
}",
    },
    Shipped {
        doc: "The place of a point on the Morton curve: the low 16 bits of x at the even places, those of y at the odd ones. Morton, \"A computer oriented geodetic data base\", 1966.",
        ulp: None,
        laws: &[],
        text: "op bits.morton2_encode(%x: u32, %y: u32) -> u32 {
  %even: u32 = call bits.spread2 %x
  %odd: u32 = call bits.spread2 %y
  %one: u32 = const 1
  %above: u32 = shl %odd, %one
  %r: u32 = or %even, %above
  yield %r
}",
    },
    Shipped {
        doc: "The point at a place on the Morton curve: x from the even bits, y from the odd ones. Morton, \"A computer oriented geodetic data base\", 1966.",
        ulp: None,
        laws: &[],
        text: "op bits.morton2_decode(%code: u32) -> (u32, u32) {
  %one: u32 = const 1
  %odd: u32 = shr %code, %one
  %x: u32 = call bits.compact2 %code
  %y: u32 = call bits.compact2 %odd
  yield %x, %y
}",
    },
    Shipped {
        doc: "The place of a point on the Morton curve in space: the low 10 bits of x, y and z in turn. Morton, \"A computer oriented geodetic data base\", 1966, for three axes.",
        ulp: None,
        laws: &[],
        text: "op bits.morton3_encode(%x: u32, %y: u32, %z: u32) -> u32 {
  %first: u32 = call bits.spread3 %x
  %second: u32 = call bits.spread3 %y
  %third: u32 = call bits.spread3 %z
  %one: u32 = const 1
  %two: u32 = const 2
  %second_at: u32 = shl %second, %one
  %third_at: u32 = shl %third, %two
  %both: u32 = or %first, %second_at
  %r: u32 = or %both, %third_at
  yield %r
}",
    },
    Shipped {
        doc: "The point at a place on the Morton curve in space; the upper 2 bits of the code do not count. Morton, \"A computer oriented geodetic data base\", 1966, for three axes.",
        ulp: None,
        laws: &[],
        text: "op bits.morton3_decode(%code: u32) -> (u32, u32, u32) {
  %one: u32 = const 1
  %two: u32 = const 2
  %second: u32 = shr %code, %one
  %third: u32 = shr %code, %two
  %x: u32 = call bits.compact3 %code
  %y: u32 = call bits.compact3 %second
  %z: u32 = call bits.compact3 %third
  yield %x, %y, %z
}",
    },
    Shipped {
        doc: "The 64 bits of two words in turn, as the low and the high word. Warren, \"Hacker's Delight\", 2nd edition, section 7-2.",
        ulp: None,
        laws: &[],
        text: "op bits.interleave(%even: u32, %odd: u32) -> (u32, u32) {
  %low: u32 = call bits.morton2_encode %even, %odd
  %sixteen: u32 = const 16
  %even_high: u32 = shr %even, %sixteen
  %odd_high: u32 = shr %odd, %sixteen
  %high: u32 = call bits.morton2_encode %even_high, %odd_high
  yield %low, %high
}",
    },
    Shipped {
        doc: "The even and the odd bits of 64, given as low and high word; the reverse of interleave. Warren, \"Hacker's Delight\", 2nd edition, section 7-2.",
        ulp: None,
        laws: &[],
        text: "op bits.deinterleave(%low: u32, %high: u32) -> (u32, u32) {
  %even_low: u32, %odd_low: u32 = call bits.morton2_decode %low
  %even_high: u32, %odd_high: u32 = call bits.morton2_decode %high
  %sixteen: u32 = const 16
  %even_above: u32 = shl %even_high, %sixteen
  %odd_above: u32 = shl %odd_high, %sixteen
  %even: u32 = or %even_low, %even_above
  %odd: u32 = or %odd_low, %odd_above
  yield %even, %odd
}",
    },
    Shipped {
        doc: "The Gray code of a number: those of neighbors differ in one bit. Gray, \"Pulse code communication\", US patent 2632058, 1953.",
        ulp: None,
        laws: &[],
        text: "op bits.gray_encode(%x: u32) -> u32 {
  %one: u32 = const 1
  %shifted: u32 = shr %x, %one
  %r: u32 = xor %x, %shifted
  yield %r
}",
    },
    Shipped {
        doc: "The number of a Gray code. Warren, \"Hacker's Delight\", 2nd edition, section 13-1.",
        ulp: None,
        laws: &[],
        text: "op bits.gray_decode(%code: u32) -> u32 {
  %n0: u32 = const 1
  %s0: u32 = shr %code, %n0
  %x0: u32 = xor %code, %s0
  %n1: u32 = const 2
  %s1: u32 = shr %x0, %n1
  %x1: u32 = xor %x0, %s1
  %n2: u32 = const 4
  %s2: u32 = shr %x1, %n2
  %x2: u32 = xor %x1, %s2
  %n3: u32 = const 8
  %s3: u32 = shr %x2, %n3
  %x3: u32 = xor %x2, %s3
  %n4: u32 = const 16
  %s4: u32 = shr %x3, %n4
  %x4: u32 = xor %x3, %s4
  yield %x4
}",
    },
    Shipped {
        doc: "1 if the number of one bits is odd, else 0. Warren, \"Hacker's Delight\", 2nd edition, section 5-2.",
        ulp: None,
        laws: &[],
        text: "op bits.parity(%x: u32) -> u32 {
  %ones: u32 = count_ones %x
  %one: u32 = const 1
  %r: u32 = and %ones, %one
  yield %r
}",
    },
    Shipped {
        doc: "The smallest power of two that is not below x; 0 for 0, and above 2^31 where there is none. Warren, \"Hacker's Delight\", 2nd edition, section 3-2.",
        ulp: None,
        laws: &[Law::Idempotent],
        text: "op bits.next_power_of_two(%x: u32) -> u32 {
  %one: u32 = const 1
  %zero: u32 = const 0
  %before: u32 = sub %x, %one
  %zeros: u32 = leading_zeros %before
  // 32 - zeros, modulo 32. There are none before where x is 0 or beyond the largest power.
  %exponent: u32 = sub %zero, %zeros
  %power: u32 = shl %one, %exponent
  %none: bool = eq %zeros, %zero
  %r: u32 = select %none, %zero, %power
  yield %r
}",
    },
    Shipped {
        doc: "The largest power of two that is not above x; 0 for 0. Warren, \"Hacker's Delight\", 2nd edition, section 3-2.",
        ulp: None,
        laws: &[Law::Idempotent],
        text: "op bits.previous_power_of_two(%x: u32) -> u32 {
  %top: u32 = const 0x80000000
  %zeros: u32 = leading_zeros %x
  %power: u32 = shr %top, %zeros
  %r: u32 = and %power, %x
  yield %r
}",
    },
    Shipped {
        doc: "The bits moved up by n modulo 32 places; what leaves at the top comes in at the bottom. Warren, \"Hacker's Delight\", 2nd edition, section 2-15.",
        ulp: None,
        laws: &[Law::Identity(0)],
        text: "op bits.rotate_left(%x: u32, %n: u32) -> u32 {
  %zero: u32 = const 0
  %rest: u32 = sub %zero, %n
  %high: u32 = shl %x, %n
  %low: u32 = shr %x, %rest
  %r: u32 = or %high, %low
  yield %r
}",
    },
    Shipped {
        doc: "The bits moved down by n modulo 32 places; what leaves at the bottom comes in at the top. Warren, \"Hacker's Delight\", 2nd edition, section 2-15.",
        ulp: None,
        laws: &[Law::Identity(0)],
        text: "op bits.rotate_right(%x: u32, %n: u32) -> u32 {
  %zero: u32 = const 0
  %rest: u32 = sub %zero, %n
  %low: u32 = shr %x, %n
  %high: u32 = shl %x, %rest
  %r: u32 = or %high, %low
  yield %r
}",
    },
    Shipped {
        doc: "The four bytes in opposite order. Warren, \"Hacker's Delight\", 2nd edition, section 7-1.",
        ulp: None,
        laws: &[Law::Involution],
        text: "op bits.byte_swap(%x: u32) -> u32 {
  %eight: u32 = const 8
  %twenty_four: u32 = const 24
  %even: u32 = const 0x00ff00ff
  %left: u32 = call bits.rotate_left %x, %eight
  %right: u32 = call bits.rotate_left %x, %twenty_four
  %odd: u32 = not %even
  %a: u32 = and %left, %even
  %b: u32 = and %right, %odd
  %r: u32 = or %a, %b
  yield %r
}",
    },
    Shipped {
        doc: "The low bits of x at the places where the mask has ones, in order; zeros elsewhere. Warren, \"Hacker's Delight\", 2nd edition, section 7-5.",
        ulp: None,
        laws: &[],
        text: "op bits.deposit(%x: u32, %mask: u32) -> u32 {
  %zero: u32 = const 0
  %one: u32 = const 1
  // The lowest bit of the mask that is left takes the lowest bit of x that is left.
  %r: u32, %x_end: u32, %mask_end: u32 = loop (%done: u32 = %zero, %from: u32 = %x, %left: u32 = %mask) {
    %minus: u32 = sub %zero, %left
    %place: u32 = and %left, %minus
    %bit: u32 = and %from, %one
    %all: u32 = sub %zero, %bit
    %put: u32 = and %place, %all
    %now: u32 = or %done, %put
    %rest: u32 = shr %from, %one
    %next: u32 = xor %left, %place
    %again: bool = ne %next, %zero
    yield %again, %now, %rest, %next
  }
  yield %r
}",
    },
    Shipped {
        doc: "The bits of x at the places where the mask has ones, in order from bit 0; zeros above. Warren, \"Hacker's Delight\", 2nd edition, section 7-4.",
        ulp: None,
        laws: &[],
        text: "op bits.extract(%x: u32, %mask: u32) -> u32 {
  %zero: u32 = const 0
  %one: u32 = const 1
  // The lowest bit of the mask that is left says which bit of x is next.
  %r: u32, %at_end: u32, %mask_end: u32 = loop (%done: u32 = %zero, %at: u32 = %one, %left: u32 = %mask) {
    %minus: u32 = sub %zero, %left
    %place: u32 = and %left, %minus
    %bit: u32 = and %x, %place
    %is_set: bool = ne %bit, %zero
    %put: u32 = select %is_set, %at, %zero
    %now: u32 = or %done, %put
    %up: u32 = shl %at, %one
    %next: u32 = xor %left, %place
    %again: bool = ne %next, %zero
    yield %again, %now, %up, %next
  }
  yield %r
}",
    },
];

// SHA-256 (FIPS 180-4) of many messages, one invocation a message.
//
//   vyre run examples/sha256.wgsl --set messages=[6513249] --set lengths=[3] --set digests=zeros:8 --out digests=-:hex       ("abc")
//   vyre run examples/sha256.wgsl --set messages=bytes:FILE --set lengths=[SIZE] --set digests=zeros:8
//
// `lengths` has one entry a message: its length in bytes. `messages` is cut into as many slots of equal size as there
// are lengths, and message i starts at slot i; its bytes lie four to a word, the first in the lowest bits, as they do
// in a file. What follows the message in its slot is ignored: the padding is made here.
// `digests` receives eight words a message, H0 to H7; written as hexadecimal numbers they read as the usual digest.

@group(0) @binding(0) var<storage, read> messages: array<u32>;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read_write> digests: array<array<u32, 8>>;

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const K = array<u32, 64>(
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
);

// The first 32 bits of the fractional parts of the square roots of the first 8 primes.
const INITIAL = array<u32, 8>(
    0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
);

fn rotate_right(x: u32, n: u32) -> u32 {
    return (x >> n) | (x << (32u - n));
}

fn swap_bytes(x: u32) -> u32 {
    return (x << 24u) | ((x & 0xff00u) << 8u) | ((x >> 8u) & 0xff00u) | (x >> 24u);
}

// Word `i` of the padded message, big endian: the message, one bit 1, zeros, and in the last word the length in bits.
// (The word before it, the length's upper half, stays zero for messages below 512 MiB.)
fn padded_word(base: u32, length: u32, i: u32, last: u32) -> u32 {
    if i == last {
        return length << 3u;
    }
    let start = 4u * i;
    if start + 4u <= length {
        return swap_bytes(messages[base + i]);
    }
    if start > length {
        return 0u;
    }
    let kept = length - start;
    if kept == 0u {
        return 0x80000000u;
    }
    let mask = (1u << (8u * kept)) - 1u;
    return swap_bytes((messages[base + i] & mask) | (0x80u << (8u * kept)));
}

fn compress(state: ptr<function, array<u32, 8>>, schedule: ptr<function, array<u32, 64>>) {
    for (var t = 16u; t < 64u; t++) {
        let w15 = (*schedule)[t - 15u];
        let w2 = (*schedule)[t - 2u];
        let s0 = rotate_right(w15, 7u) ^ rotate_right(w15, 18u) ^ (w15 >> 3u);
        let s1 = rotate_right(w2, 17u) ^ rotate_right(w2, 19u) ^ (w2 >> 10u);
        (*schedule)[t] = (*schedule)[t - 16u] + s0 + (*schedule)[t - 7u] + s1;
    }

    var a = (*state)[0];
    var b = (*state)[1];
    var c = (*state)[2];
    var d = (*state)[3];
    var e = (*state)[4];
    var f = (*state)[5];
    var g = (*state)[6];
    var h = (*state)[7];
    for (var t = 0u; t < 64u; t++) {
        let sum1 = rotate_right(e, 6u) ^ rotate_right(e, 11u) ^ rotate_right(e, 25u);
        let choose = (e & f) ^ (~e & g);
        let temp1 = h + sum1 + choose + K[t] + (*schedule)[t];
        let sum0 = rotate_right(a, 2u) ^ rotate_right(a, 13u) ^ rotate_right(a, 22u);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d + temp1;
        d = c;
        c = b;
        b = a;
        a = temp1 + sum0 + majority;
    }
    (*state)[0] += a;
    (*state)[1] += b;
    (*state)[2] += c;
    (*state)[3] += d;
    (*state)[4] += e;
    (*state)[5] += f;
    (*state)[6] += g;
    (*state)[7] += h;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let count = arrayLength(&lengths);
    if id.x >= count {
        return;
    }
    let base = id.x * (arrayLength(&messages) / count);
    let length = lengths[id.x];
    // One byte for the bit 1 and eight for the length, rounded up to whole blocks of 64.
    let blocks = (length + 72u) / 64u;

    var state = INITIAL;
    var schedule: array<u32, 64>;
    for (var block = 0u; block < blocks; block++) {
        for (var t = 0u; t < 16u; t++) {
            schedule[t] = padded_word(base, length, 16u * block + t, 16u * blocks - 1u);
        }
        compress(&state, &schedule);
    }
    digests[id.x] = state;
}

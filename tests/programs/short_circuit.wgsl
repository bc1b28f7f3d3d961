//! The right side of && and || is evaluated only when it decides; & and | always evaluate both.
//! in result = zeros 24
//! out result = [1, 12, 1, 123, 100123, 0, 12, 1, 1234, 123, 1, 6, 1, 12, 1, 123, 12, 2, 12, 1, 124, 123, 1, 15]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<private> calls: u32;

fn probe(value: bool, digit: u32) -> bool {
    calls = calls * 10u + digit;
    return value;
}

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    let a = (i & 1u) == 1u;
    let b = (i & 2u) == 2u;
    calls = 0u;
    let and_value = probe(a, 1u) && probe(b, 2u);
    result[6u * i] = calls;
    calls = 0u;
    let or_value = probe(a, 1u) || probe(b, 2u);
    result[6u * i + 1u] = calls;
    calls = 0u;
    let mixed = probe(a, 1u) && (probe(b, 2u) || probe(a, 3u)) && probe(true, 4u);
    result[6u * i + 2u] = calls;
    calls = 0u;
    let eager = (probe(a, 1u) & probe(b, 2u)) | probe(false, 3u);
    result[6u * i + 3u] = calls;
    calls = 0u;
    if !(probe(a, 1u) || probe(b, 2u)) && probe(true, 3u) {
        calls += 100000u;
    }
    result[6u * i + 4u] = calls;
    result[6u * i + 5u] = u32(and_value) + 2u * u32(or_value) + 4u * u32(mixed) + 8u * u32(eager);
}

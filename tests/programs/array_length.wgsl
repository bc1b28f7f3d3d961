//! arrayLength of several runtime-sized arrays, of scalars, vectors, structs and arrays, through a pointer as well.
//! in words = iota 7
//! in pairs = iota 6
//! in triples = iota 12
//! in rows = iota 20
//! in result = zeros 6
//! out result = [7, 3, 4, 4, 6, 30]

struct Triple { a: u32, b: u32, c: u32 }

@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<storage, read> pairs: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> triples: array<Triple>;
@group(0) @binding(3) var<storage, read> rows: array<array<u32, 5>>;
@group(0) @binding(4) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(1)
fn main() {
    let whole = &words;
    result[0] = arrayLength(whole);
    result[1] = arrayLength(&pairs);
    result[2] = arrayLength(&triples);
    result[3] = arrayLength(&rows);
    result[4] = arrayLength(&result);
    result[5] = rows[arrayLength(&rows) - 1u][4] + triples[arrayLength(&triples) - 1u].c;
}

//! A struct with a header and a runtime-sized tail: arrayLength and element access through the struct.
//! in log = [100, 0, 5, 0, 6, 0, 7, 0]
//! out log = [103, 3, 5, 5, 6, 12, 7, 21]

struct Log {
    count: u32,
    limit: u32,
    entries: array<vec2<u32>>, // offset 8
}

@group(0) @binding(0) var<storage, read_write> log: Log;

@compute @workgroup_size(1)
fn main() {
    log.limit = arrayLength(&log.entries);
    for (var i = 0u; i < log.limit; i++) {
        log.entries[i].y = log.entries[i].x * (i + 1u);
        log.count += 1u;
    }
}

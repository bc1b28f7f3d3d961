//! Inner arrays of fixed size out of bounds: the next member, row or element must not be reached.
//! in rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0]
//! in at = [0, 3, 4, -1, 2, -2]
//! out rows = [1, 90, 3, 94, 5, 6, 507, 8, 509, 10, 1, 77, 3, 77, 5]
//! out loaded = [2, 0, 0, 0, 4, 0, 7, 0, 0, 0, 9, 0]

struct Row { head: u32, cells: array<u32, 3>, tail: u32 }

@group(0) @binding(0) var<storage, read_write> rows: array<Row>;
@group(0) @binding(1) var<storage, read> at: array<i32, 6>; // indices unknown to the compiler
@group(0) @binding(2) var<storage, read_write> loaded: array<u32, 12>;

@compute @workgroup_size(1)
fn main() {
    var local: array<Row, 2>;
    local[0] = rows[0];
    local[1] = rows[1];
    for (var i = 0u; i < 6u; i++) {
        loaded[i] = rows[0].cells[at[i]];
        loaded[6u + i] = local[1].cells[at[i]];
    }
    for (var i = 0u; i < 6u; i++) {
        rows[0].cells[at[i]] = 90u + i;
        rows[1].cells[u32(at[i])] += 500u;
        local[0].cells[at[i]] = 77u;
    }
    rows[2] = local[0];
}

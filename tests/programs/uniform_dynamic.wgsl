//! Arrays of structs, vectors and matrices in a uniform buffer, indexed dynamically at every level.
//! words table
//! in table = [0x3f000000, 0x3fc00000, 0x40200000, 0x40600000, 7, 0x00000000, 0, 0, 0x3fc00000, 0x40200000, 0x40600000, 0x40900000, 107, 0x3e800000, 0, 0, 0x40200000, 0x40600000, 0x40900000, 0x40b00000, 207, 0x3f000000, 0, 0, 0x3f800000, 0x40000000, 0x40400000, 0x40800000, 0x40a00000, 0x40c00000, 0x40e00000, 0x41000000, 0x41100000, 0x41200000, 0x41300000, 0x41400000, 0x41500000, 0x41600000, 0x41700000, 0x41800000, 2, 0, 1, 9]
//! out result = [32.5, 122.0, 242.25, 19.0, 21.0, 26.0]

struct Entry { weight: vec4<f32>, key: u32, bias: f32 } // 32 bytes with the gap at the end
struct Table { entries: array<Entry, 3>, turns: array<mat2x4<f32>, 2>, order: array<vec4<u32>, 1> }

@group(0) @binding(0) var<uniform> table: Table;
@group(0) @binding(1) var<storage, read_write> result: array<f32, 6>;

@compute @workgroup_size(3)
fn main(@builtin(local_invocation_index) i: u32) {
    let at = table.order[0][i];
    let entry = table.entries[at];
    result[i] = entry.weight[i] * 10.0 + entry.bias + f32(table.entries[i].key);
    result[3u + i] = table.turns[at % 2u][i % 2u][at] + table.turns[1][1].w;
}

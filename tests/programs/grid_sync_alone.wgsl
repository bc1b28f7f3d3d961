//! A program of nothing but grid syncs.
//! grid: 3,1,1
//! in data = [4, 5]
//! out data = [4, 5]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main() {
    if data[0] == 77u {
        data[1] = 78u;
    }
    vyreGridSync();
    vyreGridSync();
}

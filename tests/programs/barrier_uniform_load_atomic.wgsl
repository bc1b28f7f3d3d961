//! workgroupUniformLoad of an atomic.
//! in result = zeros 8
//! out result = [2836, 2836, 2836, 2836, 2836, 2836, 2836, 2836]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<workgroup> counter: atomic<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    atomicAdd(&counter, i);
    let total = workgroupUniformLoad(&counter);
    atomicAdd(&counter, 1u);
    result[i] = total * 100u + workgroupUniformLoad(&counter);
}

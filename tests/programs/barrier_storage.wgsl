//! storageBarrier: storage written by one invocation and read by another of the same workgroup.
//! grid: 3,1,1
//! in result = zeros 24
//! out result = [1500, 1803, 2106, 9, 312, 615, 918, 1221, 1601, 1904, 2207, 110, 413, 716, 1019, 1322, 1702, 2005, 2308, 211, 514, 817, 1120, 1423]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let base = 8u * group.x;
    result[base + i] = i * 3u + group.x;
    storageBarrier();
    let other = result[base + (i + 5u) % 8u];
    storageBarrier();
    result[base + i] += 100u * other;
}

//! subgroupBroadcastFirst and subgroupBroadcast of lane 0 give every invocation the value of the first.
//! out result = [301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301, 301]

@group(0) @binding(0) var<storage, read_write> result: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32) {
    let mine = lane * 7u + 3u;
    let first = subgroupBroadcastFirst(mine);
    let zeroth = subgroupBroadcast(vec2<f32>(f32(lane), 0.5), 0u);
    result[i] = first * 100u + u32(zeroth.x) * 10u + u32(zeroth.y * 2.0);
}

//! Values defined in a loop and used after it, on ways that leave by break, by the condition and by return.
//! in result = zeros 18
//! out result = [0, 0, 0, 2, 2, 2, 10, 4, 4, 26, 6, 6, 17, 4, 8, 37, 6, 10]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

fn scan(limit: u32, needle: u32) -> vec3<u32> {
    var last = 0u;
    var i = 0u;
    while i < limit {
        let square = i * i;
        last = square + 1u;
        if square == needle {
            break;
        }
        if square > 60u {
            return vec3<u32>(777u, i, last);
        }
        i++;
    }
    return vec3<u32>(last, i, limit);
}

@compute @workgroup_size(6)
fn main(@builtin(local_invocation_index) i: u32) {
    let r = scan(2u * i, 16u + 20u * (i & 1u));
    result[3u * i] = r.x;
    result[3u * i + 1u] = r.y;
    result[3u * i + 2u] = r.z;
}

//! f32 to i32 and u32: toward zero, out of range to the nearest value that f32 can represent, NaN to zero.
//! in x = [0.0, 1.9, -1.9, 2147483520.0, 3000000000.0, -3000000000.0, 1e20, -1e20, 4294967040.0, 5000000000.0, inf, -inf, nan, -0.5, 0.99999994, 16777217.0]
//! out signed = [0, 1, -1, 2147483520, 2147483520, -2147483648, 2147483520, -2147483648, 2147483520, 2147483520, 2147483520, -2147483648, 0, 0, 0, 16777216, 0, 1, -1, 2147483520, 2147483520, -2147483648, 2147483520, -2147483648, 2147483520, 2147483520, 2147483520, -2147483648, 0, 0, 0, 16777216]
//! out unsigned = [0, 1, 0, 2147483520, 3000000000, 0, 4294967040, 0, 4294967040, 4294967040, 4294967040, 0, 0, 0, 0, 16777216, 0, 1, 0, 2147483520, 3000000000, 0, 4294967040, 0, 4294967040, 4294967040, 4294967040, 0, 0, 0, 0, 16777216]

@group(0) @binding(0) var<storage, read> x: array<f32, 16>;
@group(0) @binding(1) var<storage, read_write> signed: array<i32, 32>;
@group(0) @binding(2) var<storage, read_write> unsigned: array<u32, 32>;

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) i: u32) {
    signed[i] = i32(x[i]);
    unsigned[i] = u32(x[i]);
    if i % 2u == 0u {
        let v = vec2<f32>(x[i], x[i + 1u]);
        let s = vec2<i32>(v);
        let u = vec2<u32>(v);
        signed[16u + i] = s.x;
        signed[17u + i] = s.y;
        unsigned[16u + i] = u.x;
        unsigned[17u + i] = u.y;
    }
}

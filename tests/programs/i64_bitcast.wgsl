//! bitcast between i64, u64 and f64 of scalars and vectors.
//! in x = [1.0, -0.0, 1e+300, 5e-324]
//! out result = [0x3ff0000000000001, 0x8000000000000001, 0x7e37e43c8800759d, 0x0000000000000002, 0x8000000000000000, 0x3ff0000000000001, 0xc1c7e43c8800759e, 0xbff0000000000002]

@group(0) @binding(0) var<storage, read> x: array<f64, 4>;
@group(0) @binding(1) var<storage, read_write> result: array<u64, 8>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    result[i] = bitcast<u64>(x[i]) + 1lu;
    let v = bitcast<vec2<i64>>(vec2<f64>(-x[i], bitcast<f64>(4607182418800017408lu + u64(i))));
    result[4u + i] = bitcast<u64>(v.x) ^ bitcast<u64>(v.y);
}

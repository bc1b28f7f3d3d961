//! Matrices in storage: columns of three rows take 16 bytes, columns of two rows take 8.
//! in m = [1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 0.0, 0.0]
//! out product = [39.0, 54.0, 69.0, _, 49.0, 68.0, 87.0, _, 59.0, 82.0, 105.0, _]
//! out small = [58.0, 64.0, 139.0, 154.0]

struct Matrices { a: mat2x3<f32>, b: mat3x2<f32> } // offsets 0 and 32

@group(0) @binding(0) var<storage, read> m: Matrices;
@group(0) @binding(1) var<storage, read_write> product: mat3x3<f32>;
@group(0) @binding(2) var<storage, read_write> small: mat2x2<f32>;

@compute @workgroup_size(1)
fn main() {
    product = m.a * m.b;
    small = m.b * m.a;
}

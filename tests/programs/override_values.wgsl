//! Overrides of every scalar type: defaults, values given by name and by id, and expressions built from them.
//! override: count=5
//! override: offset=-40
//! override: factor=2.25
//! override: 17=true
//! in result = zeros 6
//! out result = [5.0, -40.0, 2.25, 1.0, 11.0, 8.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

override count: u32 = 3u;
override offset: i32 = -2;
override factor: f32 = 0.5;
@id(17) override enabled: bool = false;
override derived: u32 = count * 2u + 1u;
override untouched: f32 = 8.0;

@compute @workgroup_size(1)
fn main() {
    result[0] = f32(count);
    result[1] = f32(offset);
    result[2] = factor;
    result[3] = select(0.0, 1.0, enabled);
    result[4] = f32(derived);
    result[5] = untouched;
}

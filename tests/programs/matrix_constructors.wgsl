//! Matrix constructors from scalars and columns, zero values, equality of columns, matrices in structs and arrays.
//! in result = zeros 6
//! out result = [-8.0, 6.0, 15.0, 15.0, 6.0, -3.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

struct Frame { turn: mat2x2<f32>, scale: f32 }

fn apply(frame: Frame, v: vec2<f32>) -> vec2<f32> {
    return frame.turn * v * frame.scale;
}

@compute @workgroup_size(1)
fn main() {
    let quarter = mat2x2<f32>(0.0, 1.0, -1.0, 0.0);
    var frames = array<Frame, 2>(Frame(quarter, 2.0), Frame(mat2x2<f32>(), 5.0));
    frames[1].turn[0] = vec2<f32>(1.0, 1.0);
    let a = apply(frames[0], vec2<f32>(3.0, 4.0));
    let b = apply(frames[1], vec2<f32>(3.0, 4.0));
    result[0] = a.x;
    result[1] = a.y;
    result[2] = b.x;
    result[3] = b.y;
    let m = mat3x3f(vec3f(1.0), vec3f(2.0), vec3f(3.0));
    let n = mat3x3f(m);
    result[4] = n[2].x + n[1].y + n[0].z;
    let minus = m - 2.0 * m;
    result[5] = minus[2].z;
}

//! Assignment to single components by name and by constant index, compound assignment, in local, private and storage vectors.
//! in result = [0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 1]
//! out result = [2, 4, -5, 40, 8, 0, 7, 5, 12, 100, 11, 12]

@group(0) @binding(0) var<storage, read_write> result: array<vec4<i32>, 3>;

var<private> hidden: vec4<i32> = vec4<i32>(9, 8, 7, 6);

@compute @workgroup_size(1)
fn main() {
    var v = vec4<i32>(1, 2, 3, 4);
    v.x = v.y;
    v[2] = -5;
    v.w *= 10;
    v.y += v.x;
    hidden.g = 0;
    hidden[3] -= 1;
    hidden.x--;
    result[0] = v;
    result[1] = hidden;
    result[2].z = 11;
    result[2][0] = 12;
    result[2].w += result[2].z;
}

// x = ~x.

@group(0) @binding(0) var<storage, read_write> x: array<vec4<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= arrayLength(&x)) {
        return;
    }
    x[i] = ~x[i];
}

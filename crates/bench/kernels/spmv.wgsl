// y = m * x for a sparse matrix in compressed rows: an invocation a row.

@group(0) @binding(0) var<storage, read> starts: array<u32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&y)) {
        return;
    }
    var sum = 0.0;
    let end = starts[id.x + 1u];
    for (var i = starts[id.x]; i < end; i++) {
        sum += values[i] * x[columns[i]];
    }
    y[id.x] = sum;
}

//! Rounding, min, max, clamp, abs, sign, step, fract, mix, fma, dot, length, modf and frexp of f16; all results are exact.
//! in x = [0.0, 1.5, -1.5, 2.5, -0.25, 100.75, -3.0, 0.5]
//! out result = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 4.0, 5.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 0.5, 0.25, 1.5, 1.5, 1.5, 1.0, 1.0, 1.75, 4.0, 7.0, 6.0, 0.5, 1.0, 0.75, -2.0, -1.0, -2.0, -1.0, 0.5, -1.5, 0.25, -1.0, 1.5, -1.0, 0.0, 0.25, -2.0, 1.0, 5.0, -0.5, -1.0, -0.75, 2.0, 3.0, 2.0, 2.0, 0.5, 0.25, 2.5, 2.0, 2.5, 1.0, 1.0, 2.25, 6.0, 9.0, 6.0, 0.5, 2.0, 0.625, -1.0, -0.0, -0.0, -0.0, 0.75, -0.25, 0.25, -0.25, 0.25, -1.0, 0.0, 0.875, 0.5, 3.5, 5.0, -0.25, -0.0, -0.5, 100.0, 101.0, 101.0, 100.0, 0.75, 0.25, 100.75, 2.0, 100.75, 1.0, 1.0, 51.38, 202.5, 205.5, 6.0, 0.75, 100.0, 0.787, -3.0, -3.0, -3.0, -3.0, 0.0, -3.0, 0.25, -1.0, 3.0, -1.0, 0.0, -0.5, -5.0, -2.0, 5.0, 0.0, -3.0, -0.75, 0.0, 1.0, 0.0, 0.0, 0.5, 0.25, 0.5, 0.5, 0.5, 1.0, 1.0, 1.25, 2.0, 5.0, 5.5, 0.5, 0.0, 0.5]
//! out exponents = [0, 1, 1, 2, -1, 7, 2, 0]

enable f16;

@group(0) @binding(0) var<storage, read> x: array<f16, 8>;
@group(0) @binding(1) var<storage, read_write> result: array<array<f16, 18>, 8>;
@group(0) @binding(2) var<storage, read_write> exponents: array<i32, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let v = x[i];
    result[i][0] = floor(v);
    result[i][1] = ceil(v);
    result[i][2] = round(v);
    result[i][3] = trunc(v);
    result[i][4] = fract(v);
    result[i][5] = min(v, 0.25h);
    result[i][6] = max(v, 0.25h);
    result[i][7] = clamp(v, -1.0h, 2.0h);
    result[i][8] = abs(v);
    result[i][9] = sign(v);
    result[i][10] = step(0.5h, v);
    result[i][11] = mix(v, 2.0h, 0.5h);
    result[i][12] = fma(v, 2.0h, 1.0h);
    result[i][13] = dot(vec3<f16>(v, 1.0h, 2.0h), vec3<f16>(2.0h, 3.0h, 0.5h));
    result[i][14] = length(vec2<f16>(3.0h, 4.0h)) + saturate(v);
    result[i][15] = modf(v).fract;
    result[i][16] = modf(v).whole;
    result[i][17] = frexp(v).fract;
    exponents[i] = i32(frexp(v).exp);
}

//! Functions of f64 whose results are exact here: fma, fract, mix, step, smoothstep, length, dot, modf, frexp, ldexp, saturate, the remainder.
//! in x = [1.5, -2.25, 3.0, 0.5]
//! out result = [0.25, 0.5, 1.625, 1.0, 0.31640625, 8.5, 7.5, 0.5, 1.0, 1.75, 1.901475900342344e+30, 1.0, 0.0, 3.0625, 0.75, -1.1875, 0.0, 0.0, 4.75, -11.25, -0.25, -2.0, 1.4375, -2.852213850513516e+30, 0.0, -0.0, 7.0, 0.0, 2.75, 1.0, 0.84375, 10.0, 15.0, 0.0, 3.0, 2.75, 3.802951800684688e+30, 1.0, 0.0, -1.75, 0.5, 0.875, 0.0, 0.04296875, 7.5, 2.5, 0.5, 0.0, 0.5, 6.338253001141147e+29, 0.5, 0.5]

@group(0) @binding(0) var<storage, read> x: array<f64, 4>;
@group(0) @binding(1) var<storage, read_write> result: array<array<f64, 13>, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    let a = x[i];
    result[i][0] = fma(a, a, -2.0lf);
    result[i][1] = fract(a);
    result[i][2] = mix(a, 2.0lf, 0.25lf);
    result[i][3] = step(1.0lf, a);
    result[i][4] = smoothstep(0.0lf, 4.0lf, a);
    result[i][5] = length(vec3<f64>(2.0lf, 3.0lf, 6.0lf)) + a;
    result[i][6] = dot(vec2<f64>(a, 3.0lf), vec2<f64>(2.0lf, a));
    result[i][7] = modf(a).fract;
    result[i][8] = modf(a).whole;
    result[i][9] = frexp(a).fract + f64(frexp(a).exp);
    result[i][10] = ldexp(a, 100);
    result[i][11] = saturate(a);
    result[i][12] = a % 0.75lf;
}

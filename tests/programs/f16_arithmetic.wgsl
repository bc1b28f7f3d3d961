//! f16 + - * / negation and sqrt, rounded correctly, as scalars and as vectors; overflow goes to infinity.
//! in x = [1.0, 0.1, -2.5, 65500.0, 0.333, 6.0e-05, 100.0, -7.0]
//! in y = [3.0, 0.7, 1.5, 2.0, -0.125, 0.5, 0.01, 3.5]
//! out scalars = [4.0, -2.0, 3.0, 0.3333, -1.0, 1.0, 0.8003, -0.6, 0.07, 0.1428, -0.1, 0.3162, -1.0, -4.0, -3.75, -1.667, 2.5, 1.581, 65500.0, 65500.0, inf, 32750.0, -65500.0, 255.9, 0.208, 0.458, -0.04163, -2.664, -0.333, 0.577, 0.5, -0.5, 3.004e-05, 1.2004e-04, -6.0e-05, 0.007748, 100.0, 100.0, 1.0, 10000.0, -100.0, 10.0, -3.5, -10.5, -24.5, -2.0, 7.0, 2.646]
//! out vectors = [4.0, 10.0, 7.0, 1.5, 1.07, 1.49, 2.4, 1.25, -2.75, 3.25, 4.0, 4.25, inf, 5.0, 5.0, -65500.0, 0.9585, 1.016, 0.75, 0.6045, 1.0, 1.25, 2.0, 1.25, 2.0, 1.0, 1.02, -99.0, -23.5, 13.25, 8.0, 9.75]
//! inexact scalars = 7
//! needs: subnormals

enable f16;

@group(0) @binding(0) var<storage, read> x: array<f16, 8>;
@group(0) @binding(1) var<storage, read> y: array<f16, 8>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<f16, 6>, 8>;
@group(0) @binding(3) var<storage, read_write> vectors: array<vec4<f16>, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[i][0] = x[i] + y[i];
    scalars[i][1] = x[i] - y[i];
    scalars[i][2] = x[i] * y[i];
    scalars[i][3] = x[i] / y[i];
    scalars[i][4] = -x[i];
    scalars[i][5] = sqrt(abs(x[i]));
    let a = vec4<f16>(x[i], y[i], 2.0h, 0.5h);
    var b = a * y[i] + vec4<f16>(1.0);
    b.w -= x[i];
    vectors[i] = b;
}

//! A tree of calls three deep; functions with struct, array, vector and matrix parameters and results.
//! in result = zeros 12
//! out result = [1.40625, 1.421875, 1.71875, 1.734375, 2.4375, 2.453125, 3.3125, 3.328125, 0.5, 1.0, 2.5, 23.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

struct Range { low: f32, high: f32 }

fn middle(r: Range) -> f32 {
    return (r.low + r.high) * 0.5;
}

fn halve(r: Range, upper: bool) -> Range {
    let m = middle(r);
    if upper {
        return Range(m, r.high);
    }
    return Range(r.low, m);
}

// The square root by bisection, within 2^-10 of an interval of 16.
fn root(x: f32) -> Range {
    var r = Range(0.0, 16.0);
    for (var i = 0; i < 10; i++) {
        let m = middle(r);
        r = halve(r, m * m <= x);
    }
    return r;
}

fn powers(x: f32) -> array<f32, 4> {
    return array<f32, 4>(1.0, x, x * x, x * x * x);
}

fn horner(c: array<f32, 4>, x: f32) -> f32 {
    var sum = 0.0;
    let p = powers(x);
    for (var i = 0; i < 4; i++) {
        sum += c[i] * p[i];
    }
    return sum;
}

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    let r = root(f32(i * i) + 2.0);
    result[2u * i] = r.low;
    result[2u * i + 1u] = r.high;
    result[8u + i] = horner(array<f32, 4>(1.0, -2.0, 0.5, 3.0), f32(i) - 1.0);
}

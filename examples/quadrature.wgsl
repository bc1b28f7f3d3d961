// Adaptive quadrature with a work queue: the area under 1 / (x * x + 0.0001) between the ends of each item, (start, width).
//
//   vyre run examples/quadrature.wgsl --items [-1,2] --set area=[0,0] --out area=-
//
// An interval whose two halves give another area by Simpson's rule than the whole is replaced by them. Areas are added
// as whole numbers of 1 / 65536, so that the order in which intervals end does not matter: with 0.0001 it is
// 200 * atan(100) = 312.16, and the second number counts the intervals.

@group(0) @binding(0) var<storage, read_write> area: array<atomic<u32>, 2>;

fn vyreItem() -> vec2<f32> { return vec2<f32>(); }
fn vyrePush(interval: vec2<f32>) {}

fn f(x: f32) -> f32 { return 1.0 / (x * x + 0.0001); }

@compute @workgroup_size(64)
fn integrate() {
    let interval = vyreItem();
    let start = interval.x;
    let quarter = interval.y * 0.25;
    let half = interval.y * 0.5;
    let at = array<f32, 5>(f(start), f(start + quarter), f(start + half), f(start + half + quarter), f(start + interval.y));
    let whole = interval.y / 6.0 * (at[0] + 4.0 * at[2] + at[4]);
    let halves = half / 6.0 * (at[0] + 4.0 * at[1] + 2.0 * at[2] + 4.0 * at[3] + at[4]);
    // No finer than what is added up.
    if abs(whole - halves) > 0.0001 && interval.y > 0.00001 {
        vyrePush(vec2<f32>(start, half));
        vyrePush(vec2<f32>(start + half, half));
    } else {
        atomicAdd(&area[0], u32(round(halves * 65536.0)));
        atomicAdd(&area[1], 1u);
    }
}

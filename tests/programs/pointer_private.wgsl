//! Pointers to private variables as parameters, and a private variable changed by several functions.
//! in result = zeros 12
//! out result = [15470, 18256, 12017426, 15496, 24200, 12017426, 15521, 30144, 12017426, 15547, 36089, 12017426]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

struct State { seed: u32, draws: u32 }

var<private> state: State;
var<private> spare: State;

fn draw(s: ptr<private, State>) -> u32 {
    (*s).seed = (*s).seed * 1664525u + 1013904223u;
    (*s).draws += 1u;
    return (*s).seed >> 16u;
}

fn reset(value: u32) {
    state.seed = value;
}

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    reset(i);
    spare.seed = 77u;
    let a = draw(&state);
    let b = draw(&state);
    let c = draw(&spare);
    result[3u * i] = a;
    result[3u * i + 1u] = b;
    result[3u * i + 2u] = c + 1000000u * state.draws + 10000000u * spare.draws;
}

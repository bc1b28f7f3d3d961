//! Operands, arguments and constructor members with side effects are evaluated from left to right, and loads happen where they stand.
//! in result = zeros 7
//! out result = [123, 123, 462, 7232, 996, 5067, 7]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<private> log: u32;

fn note(digit: u32) -> u32 {
    log = log * 10u + digit;
    return digit;
}

fn three(a: u32, b: u32, c: u32) -> u32 {
    return a * 100u + b * 10u + c;
}

fn change(p: ptr<function, u32>) -> u32 {
    *p += 1u;
    return *p;
}

@compute @workgroup_size(1)
fn main() {
    result[0] = three(note(1u), note(2u), note(3u));
    result[1] = log;
    log = 0u;
    let v = vec3<u32>(note(4u), note(5u), note(6u));
    result[2] = log + v.z;
    log = 0u;
    let sum = note(7u) - (note(2u) + note(3u));
    result[3] = log * 10u + sum;
    log = 0u;
    let list = array<u32, 3>(note(9u), note(8u), note(7u));
    result[4] = log + list[note(1u) - 1u];
    var x = 5u;
    let before = x;
    let y = change(&x) * 10u + change(&x);
    result[5] = before * 1000u + y;
    result[6] = x;
}

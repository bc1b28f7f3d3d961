//! Names that mean something in the languages vyre writes, names that differ from others by a suffix, and Unicode names.
//! in result = zeros 5
//! out result = [7, 8, -8, 21, 31]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

struct float { half_: i32, double: i32 }

var<private> threadgroup: i32 = 1;

fn kernel_(int: i32) -> i32 {
    return int + 1;
}

fn sin_(x: i32) -> i32 {
    return -x;
}

fn main_(x: i32) -> i32 {
    let device = x * 2;
    let main = device + 1;
    return main;
}

@compute @workgroup_size(1)
fn main() {
    var unsigned = float(3, 4);
    let void_ = unsigned.half_ + unsigned.double;
    let result_1 = kernel_(void_);
    let result_ = sin_(result_1);
    let größe = 5;
    let 长度 = 6;
    let buffer = threadgroup + größe * 长度;
    result[0] = void_;
    result[1] = result_1;
    result[2] = result_;
    result[3] = main_(10);
    result[4] = buffer;
}

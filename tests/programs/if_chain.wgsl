//! Chains of if and else if, nested ifs without else, and values that merge from many ways.
//! in result = zeros 16
//! out result = [1001, 1100, 1003, 1100, 2100, 2100, 2101, 2077, 150, -100, 150, -100, 150, 150, 150, 150]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) index: u32) {
    let i = i32(index);
    var a = 0;
    var b = 100;
    if i < 4 {
        a = 1;
        if i % 2 == 0 {
            b = a + i;
        }
    } else if i < 8 {
        a = 2;
        if i > 5 {
            if i == 7 {
                b = 77;
            } else {
                b += 1;
            }
        }
    } else if i == 9 || i == 11 {
        b = -b;
    } else {
        let a = 50; // shadows the variable
        b += a;
    }
    result[index] = a * 1000 + b;
}

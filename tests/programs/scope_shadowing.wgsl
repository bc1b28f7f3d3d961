//! Names that shadow others: in blocks, in loops, a parameter by a variable, a module constant by a local name.
//! in result = zeros 6
//! out result = [1, 11, 300, -5, 11, 58]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

const value = 1;

fn shadowed(x: i32) -> i32 {
    var sum = x;
    {
        let x = sum * 2;
        sum += x;
        {
            var x = x + 1;
            x++;
            sum += x;
        }
        sum += x;
    }
    return sum + x;
}

@compute @workgroup_size(1)
fn main() {
    result[0] = value;
    let value = value + 10;
    result[1] = value;
    for (var value = 0; value < 3; value++) {
        let value = value * 100;
        result[2] += value;
    }
    if value == 11 {
        let value = -5;
        result[3] = value;
    }
    result[4] = value;
    result[5] = shadowed(7);
}

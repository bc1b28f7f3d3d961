//! loop with a continuing block that declares variables, reads those of the body, and ends with break if.
//! in result = zeros 12
//! out result = [1001000, 1001000, 3003000, 3003000, 5005006, 5005006, 7007016, 7007016, 9009016, 9009016, 11011034, 11011034]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(12)
fn main(@builtin(local_invocation_index) n: u32) {
    var i = 0u;
    var sum = 0u;
    var trace = 0u;
    loop {
        let odd = i % 2u;
        if i % 3u == 1u {
            continue;
        }
        if sum > 20u {
            break;
        }
        sum += i * 2u;
        continuing {
            let step = i % 2u + 1u;
            i += step;
            trace += 10u * step;
            break if i >= n;
        }
    }
    result[n] = sum + 1000u * i + 100000u * trace;
}

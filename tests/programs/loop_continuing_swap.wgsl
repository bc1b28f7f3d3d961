//! Values that the continuing block exchanges and rotates: all are read before any is replaced.
//! in result = zeros 8
//! out result = [102, 10202, 20203, 20305, 30507, 50710, 71015, 101522]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) n: u32) {
    var a = 0u;
    var b = 1u;
    var c = 2u;
    var k = 0u;
    loop {
        if k == n {
            break;
        }
        continuing {
            let t = a;
            a = b;
            b = c;
            c = t + b;
            k++;
        }
    }
    result[n] = a * 10000u + b * 100u + c;
}

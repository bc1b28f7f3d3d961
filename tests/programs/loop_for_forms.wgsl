//! The forms of for: other steps, counting down with signed numbers, parts left out, an empty body, zero rounds.
//! in result = zeros 8
//! out result = [7, 1005, 4004, 10003, 3020003, 3035003, 3056003, 9084003]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) index: u32) {
    let n = i32(index);
    var sum = 0;
    for (var i = 0; i < n; i += 3) {
        sum += i;
    }
    var squares = 0;
    for (var i = n; i >= 0; i -= 2) {
        squares += i * i;
    }
    var rounds = 0;
    var k = 1;
    for (; k < 100;) {
        k *= n + 2;
        rounds++;
    }
    var m = 0;
    for (; m < 10; m++) { }
    for (; ; m += 100) {
        if m > 500 {
            break;
        }
    }
    result[index] = sum * 1000000 + squares * 1000 + rounds + m - 510;
}

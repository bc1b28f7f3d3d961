//! Every atomic on i32 in storage: the value returned is the one before, the new one is stored.
//! in cells = [2147483647, -2147483648, -5, -5, -1, -256, 12345, -7]
//! in operands = [1, 1, 3, 3, 32527, 255, -1, 8]
//! out cells = [-2147483648, 2147483647, 3, -5, 32527, -1, -12346, -12346]
//! out old = [2147483647, -2147483648, -5, -5, -1, -256, 12345, -7, 8]

@group(0) @binding(0) var<storage, read_write> cells: array<atomic<i32>, 8>;
@group(0) @binding(1) var<storage, read> operands: array<i32, 8>;
@group(0) @binding(2) var<storage, read_write> old: array<i32, 9>;

@compute @workgroup_size(1)
fn main() {
    old[0] = atomicAdd(&cells[0], operands[0]);
    old[1] = atomicSub(&cells[1], operands[1]);
    old[2] = atomicMax(&cells[2], operands[2]);
    old[3] = atomicMin(&cells[3], operands[3]);
    old[4] = atomicAnd(&cells[4], operands[4]);
    old[5] = atomicOr(&cells[5], operands[5]);
    old[6] = atomicXor(&cells[6], operands[6]);
    old[7] = atomicExchange(&cells[7], operands[7]);
    old[8] = atomicLoad(&cells[7]);
    atomicStore(&cells[7], atomicLoad(&cells[6]));
}

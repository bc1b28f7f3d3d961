//! Every atomic on u32 in storage: the value returned is the one before, the new one is stored.
//! in cells = [5, 3, 2147483648, 2147483648, 4278255360, 240, 2863311530, 1]
//! in operands = [4294967295, 4, 7, 7, 267390960, 15, 4294967295, 99]
//! out cells = [4, 4294967295, 2147483648, 7, 251662080, 255, 1431655765, 1431655765]
//! out old = [5, 3, 2147483648, 2147483648, 4278255360, 240, 2863311530, 1, 99]

@group(0) @binding(0) var<storage, read_write> cells: array<atomic<u32>, 8>;
@group(0) @binding(1) var<storage, read> operands: array<u32, 8>;
@group(0) @binding(2) var<storage, read_write> old: array<u32, 9>;

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

//! Every atomic on i32 in workgroup memory, with results that are used and results that are not.
//! in initial = [2147483647, -2147483648, -5, -5, -1, -256, 12345, -7]
//! in operands = [1, 1, 3, 3, 32527, 255, -1, 8]
//! out old = [2147483647, -2147483648, -5, -5, 0, 0, 0, -7]
//! out cells = [-2147483648, 2147483647, 3, -5, 32527, -1, -12346, 8]

@group(0) @binding(0) var<storage, read> initial: array<i32, 8>;
@group(0) @binding(1) var<storage, read> operands: array<i32, 8>;
@group(0) @binding(2) var<storage, read_write> old: array<i32, 8>;
@group(0) @binding(3) var<storage, read_write> cells: array<i32, 8>;

struct Shared { unused: u32, cells: array<atomic<i32>, 8>, spare: atomic<i32> }

var<workgroup> mine: Shared;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    atomicStore(&mine.cells[i], initial[i]);
    workgroupBarrier();
    let x = operands[i];
    switch i {
        case 0u: { old[i] = atomicAdd(&mine.cells[i], x); }
        case 1u: { old[i] = atomicSub(&mine.cells[i], x); }
        case 2u: { old[i] = atomicMax(&mine.cells[i], x); }
        case 3u: { old[i] = atomicMin(&mine.cells[i], x); }
        case 4u: { atomicAnd(&mine.cells[i], x); }
        case 5u: { atomicOr(&mine.cells[i], x); }
        case 6u: { atomicXor(&mine.cells[i], x); }
        default: { old[i] = atomicExchange(&mine.cells[i], x); }
    }
    workgroupBarrier();
    cells[7u - i] = atomicLoad(&mine.cells[7u - i]) + atomicLoad(&mine.spare);
}

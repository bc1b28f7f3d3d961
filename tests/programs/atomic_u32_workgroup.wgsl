//! Every atomic on u32 in workgroup memory, with results that are used and results that are not.
//! in initial = [5, 3, 2147483648, 2147483648, 4278255360, 240, 2863311530, 1]
//! in operands = [4294967295, 4, 7, 7, 267390960, 15, 4294967295, 99]
//! out old = [5, 3, 2147483648, 2147483648, 0, 0, 0, 1]
//! out cells = [4, 4294967295, 2147483648, 7, 251662080, 255, 1431655765, 99]

@group(0) @binding(0) var<storage, read> initial: array<u32, 8>;
@group(0) @binding(1) var<storage, read> operands: array<u32, 8>;
@group(0) @binding(2) var<storage, read_write> old: array<u32, 8>;
@group(0) @binding(3) var<storage, read_write> cells: array<u32, 8>;

struct Shared { unused: u32, cells: array<atomic<u32>, 8>, spare: atomic<u32> }

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

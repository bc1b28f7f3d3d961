//! Whole arrays and structs copied between storage, function, private and workgroup variables.
//! grid: 2,1,1
//! in source = iota 18
//! out result = [0, 14, 15, 16, 0, 1, 2, 3, 8, 9, 5, 6, 7, 9, 10, 11, 12, 26]

struct Cell { id: u32, weights: array<u32, 3> }
struct Block { cells: array<Cell, 2>, total: u32 }

@group(0) @binding(0) var<storage, read> source: array<Block, 2>;
@group(0) @binding(1) var<storage, read_write> result: array<Block, 2>;

var<private> held: Block;
var<workgroup> shared_block: Block;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>) {
    var local = source[group.x];
    held = local;
    local.cells[1] = held.cells[0];
    shared_block = local;
    shared_block.cells[0].weights = source[1u - group.x].cells[1].weights;
    held.total += shared_block.cells[1].id;
    let cells = shared_block.cells;
    result[group.x] = Block(cells, held.total);
}

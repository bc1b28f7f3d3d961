//! A runtime-sized tail whose elements are structs with an inner array.
//! in table = [-5, 1, 10, 100, 0, 1, 2, 3, 0, -4, 5, -6]
//! out table = [-5, 1, 10, 100, 316, 1, 2, 3, -559, -4, 5, -6]

struct Row { key: i32, cells: array<i32, 3> }
struct Table { bias: i32, pad: array<i32, 3>, rows: array<Row> }

@group(0) @binding(0) var<storage, read_write> table: Table;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    if i < arrayLength(&table.rows) {
        var sum = table.bias;
        for (var k = 0; k < 3; k++) {
            sum += table.rows[i].cells[k] * table.pad[k];
        }
        table.rows[i].key = sum;
    }
}

//! Arrays of arrays in function memory and storage, indexed dynamically at every level.
//! out grid = [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 221]
//! out sums = [1201, 21221, 41241]

@group(0) @binding(0) var<storage, read_write> grid: array<array<array<u32, 2>, 3>, 2>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32, 3>;

@compute @workgroup_size(1)
fn main() {
    var local: array<array<u32, 3>, 2>;
    for (var i = 0u; i < 2u; i++) {
        for (var j = 0u; j < 3u; j++) {
            for (var k = 0u; k < 2u; k++) {
                grid[i][j][k] = 100u * i + 10u * j + k;
                local[i][j] += grid[i][j][k];
            }
        }
    }
    for (var j = 0u; j < 3u; j++) {
        sums[j] = local[0][j] * 1000u + local[1][j];
    }
    let row = grid[1]; // a copy of the plane
    grid[1][2][1] = row[0][1] + row[2][0];
}

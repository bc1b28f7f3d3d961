// One generation of Conway's Game of Life on a torus: the left edge meets the right, the top meets the bottom.
//
//   vyre run examples/game_of_life.wgsl --threads 1048576 --set cells=random:1:1048576 --set next=zeros:1048576
//
// One cell a word, row by row. A cell lives where the lowest bit is set; the new generation is written as 0 and 1.
// The width has to be told (--override width=256, default 1024); the height follows from the length of `cells`.

override width: u32 = 1024u;

@group(0) @binding(0) var<storage, read> cells: array<u32>;
@group(0) @binding(1) var<storage, read_write> next: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let height = arrayLength(&cells) / width;
    if id.x >= width * height {
        return;
    }
    let x = id.x % width;
    let y = id.x / width;

    var neighbors = 0u;
    for (var dy = 0u; dy < 3u; dy++) {
        // Adding the size less one steps back without leaving the unsigned numbers.
        let row = (y + dy + height - 1u) % height * width;
        for (var dx = 0u; dx < 3u; dx++) {
            if dx == 1u && dy == 1u {
                continue;
            }
            neighbors += cells[row + (x + dx + width - 1u) % width] & 1u;
        }
    }

    let alive = (cells[id.x] & 1u) == 1u;
    next[id.x] = select(0u, 1u, neighbors == 3u || (alive && neighbors == 2u));
}

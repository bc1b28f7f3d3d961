// Laplace's equation on a rectangle by Jacobi's method, until it converges, in one launch.
//
//   vyre run examples/jacobi.wgsl --threads 128,128 --set field=zeros:16384 --set other=zeros:16384 \
//       --set progress=zeros:2 --out field=laplace.png:128 --out progress=-
//
// What is at the edges of `field` stays there; the upper edge becomes 1. Every cell inside becomes the mean of its four
// neighbors, again and again, from `field` to `other` and back, until a round changes no cell by more than the tolerance.
// The width has to be told (--override width=640, default 128); the height follows from the length of `field`.

override width: u32 = 128u;
override tolerance: f32 = 0.0001;
override max_rounds: u32 = 100000u;

struct Progress {
    // The last round in which a cell changed by more than the tolerance. It only grows, so nobody has to clear it.
    changed: atomic<u32>,
    // Rounds that were made.
    rounds: u32,
}

@group(0) @binding(0) var<storage, read_write> field: array<f32>;
@group(0) @binding(1) var<storage, read_write> other: array<f32>;
// Two zeros at the start.
@group(0) @binding(2) var<storage, read_write> progress: Progress;

// Waits until all invocations of the grid are here and sees what they have written. See docs/grid-sync.md.
fn vyreGridSync() {}

// The same, and gives all of them what invocation 0 has: a loop may depend on that.
fn vyreGridUniform(v: u32) -> u32 {
    return v;
}

fn mean(left: f32, right: f32, above: f32, below: f32) -> f32 {
    return 0.25 * ((left + right) + (above + below));
}

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let height = arrayLength(&field) / width;
    let i = id.y * width + id.x;
    let inside = id.x > 0u && id.x + 1u < width && id.y > 0u && id.y + 1u < height;

    if id.x < width && id.y < height {
        if id.y == 0u {
            field[i] = 1.0;
        }
        other[i] = field[i];
    }
    vyreGridSync();

    var round = 0u;
    loop {
        round++;
        if inside {
            other[i] = mean(field[i - 1u], field[i + 1u], field[i - width], field[i + width]);
        }
        vyreGridSync();
        if inside {
            let value = mean(other[i - 1u], other[i + 1u], other[i - width], other[i + width]);
            if abs(value - other[i]) > tolerance {
                atomicMax(&progress.changed, round);
            }
            field[i] = value;
        }
        vyreGridSync(); // nobody will mark this round any more
        if vyreGridUniform(atomicLoad(&progress.changed)) < round || round == max_rounds {
            break;
        }
    }
    if i == 0u {
        progress.rounds = round;
    }
}

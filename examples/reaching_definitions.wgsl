// Which definitions reach which blocks of a control-flow graph, with a work queue: the least fixpoint of
//   in(b) = the union of out(p) over the predecessors p,   out(b) = made(b) | in(b) & ~killed(b).
// An item is a block whose `in` has grown, at first every block. Sets are bits, `words` words a block.

override words: u32 = 4;

@group(0) @binding(0) var<storage, read> offsets: array<u32>; // the successors of block b are offsets[b] .. offsets[b + 1]
@group(0) @binding(1) var<storage, read> successors: array<u32>;
@group(0) @binding(2) var<storage, read> made: array<u32>;
@group(0) @binding(3) var<storage, read> killed: array<u32>;
@group(0) @binding(4) var<storage, read_write> reaching: array<atomic<u32>>; // in(b)

fn vyreItem() -> u32 { return 0u; }
fn vyrePush(block: u32) {}

@compute @workgroup_size(64)
fn propagate() {
    let block = vyreItem();
    let end = offsets[block + 1u];
    for (var edge = offsets[block]; edge < end; edge++) {
        let next = successors[edge];
        var grown = 0u;
        for (var w = 0u; w < words; w++) {
            let at = block * words + w;
            let leaves = made[at] | (atomicLoad(&reaching[at]) & ~killed[at]);
            let to = next * words + w;
            let missing = leaves & ~atomicLoad(&reaching[to]);
            if missing != 0u {
                grown |= missing & ~atomicOr(&reaching[to], missing);
            }
        }
        if grown != 0u {
            vyrePush(next);
        }
    }
}

//! Prints the largest error and the cost of each mathematical function: `ulp [SPARSE] [FUNCTION]...`
//!
//! Every f32 is tried, or one in SPARSE. With `RUSTFLAGS="-C target-cpu=native"` it takes about a minute a function on
//! two cores, without it several.

use vyre_ir::math::measure::{FUNCTIONS, sweep};
use vyre_ir::{Builder, Op, Scalar};

fn main() {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let sparse = names.first().and_then(|s| s.parse().ok());
    if sparse.is_some() {
        names.remove(0);
    }
    for function in FUNCTIONS {
        let name = function.op.name();
        if !names.is_empty() && !names.iter().any(|n| n == name) {
            continue;
        }
        let worst = sweep(function, sparse.unwrap_or(1));
        let (x, y) = worst.at;
        let bound = function.op.info().ulp.expect("each of these rows has one");
        let cost = instructions(function.op);
        println!(
            "{name:12} {:.4} ulp (bound {bound}) at {x:e} {y:e} (0x{:08x} 0x{:08x}), {} wrong, {cost} instructions",
            worst.ulps,
            x.to_bits(),
            y.to_bits(),
            worst.wrong
        );
    }
}

/// Instructions of the expansion for f32, without constants and changes of type that cost nothing.
fn instructions(op: Op) -> usize {
    let mut b = Builder::new("", [1, 1, 1]);
    let region = b.open(&[Scalar::F32.into(); 2]);
    b.enter(region);
    let params = b.p.regions[region].params.clone();
    op.info().expand.expect("each of these rows has one")(&mut b, &params);
    let free = [Op::Const, Op::Bitcast];
    b.p.insts.values().filter(|inst| !free.contains(&inst.op)).count()
}

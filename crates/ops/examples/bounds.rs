//! Prints the largest error of each function of the dialect `math`: `bounds [SPARSE] [OPERATION]...`
//!
//! Every f32 is tried, or one in SPARSE.

#[path = "../tests/measure/mod.rs"]
mod measure;

use measure::{FUNCTIONS, Measured, Worst};
use vyre_ir::dialect::DialectRegistry;

fn main() {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let sparse = names.first().and_then(|s| s.parse().ok());
    if sparse.is_some() {
        names.remove(0);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let registry = DialectRegistry::try_global().unwrap_or_else(|e| panic!("{e}"));
    for exact in FUNCTIONS.iter().filter(|e| names.is_empty() || names.iter().any(|n| n == e.op)) {
        let measured = Measured::new(exact);
        let worst = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads)
                .map(|part| (part, &measured))
                .map(|(part, measured)| {
                    scope.spawn(move || measured.sweep(sparse.unwrap_or(1), part, threads))
                })
                .collect();
            let done = parts.into_iter().map(|part| part.join().expect("no function panics"));
            done.fold(Worst::default(), worse)
        });
        let def = registry.find(exact.op).expect("each of these is registered");
        let bound = def.ulp.map(f64::from).or(exact.bound.as_ref().map(|bound| bound.ulps));
        println!(
            "{:18} {:.4} ulp (bound {}) at {:?}, {} wrong {:?}, {} instructions",
            exact.op,
            worst.ulps,
            bound.expect("each states one"),
            &worst.at[..exact.operands],
            worst.wrong,
            &worst.wrong_at[..exact.operands],
            def.size()
        );
    }
}

fn worse(a: Worst, b: Worst) -> Worst {
    let larger = if b.ulps > a.ulps { b } else { a };
    let wrong_at = if b.wrong > 0 { b.wrong_at } else { a.wrong_at };
    Worst { wrong: a.wrong + b.wrong, wrong_at, ..larger }
}

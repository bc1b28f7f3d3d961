//! What the rows compute, against expectations made another way: integers in 128 bits, small floats by searching
//! the exact result's neighbors, and tables written by hand for the edges.

mod floats;
mod integers;
mod tables;

use vyre_ir::{Op, Scalar, Sig, eval::evaluate};

/// One lane of an operation whose operands (but a shift's amount and a select's condition) have the type.
fn run(op: Op, operand: Scalar, result: Scalar, args: &[u64]) -> u64 {
    let bits =
        evaluate(op, Sig { operand, result }, args).unwrap_or_else(|| panic!("{op:?} has no semantics"));
    assert_eq!(bits & !result.mask(), 0, "{op:?} on {operand}: bits that {result} does not have");
    bits
}

/// A fixed sequence of numbers with all bits in use (SplitMix64, Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

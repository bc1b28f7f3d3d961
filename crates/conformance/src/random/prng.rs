//! Random numbers, and numbers with which something special happens.

use vyre_ir::Scalar;

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait, reason = "it has no end")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// One of several things.
    pub fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// The bits of a number of the type, most often one with which something special happens.
    pub fn constant(&mut self, scalar: Scalar) -> u64 {
        let (bits, mask) = (scalar.bits(), scalar.mask());
        if scalar.is_float() {
            let numbers = [
                0.0,
                -0.0,
                1.0,
                -1.0,
                0.5,
                2.0,
                -4.0,
                3.0,
                7.25,
                100.0,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NAN,
            ];
            return match self.below(4) {
                0 => self.next() & mask,
                1 => [1, 3, mask >> 1][self.below(3)],
                _ => vyre_ir::lane::convert(Scalar::F64, scalar, numbers[self.below(13)].to_bits()),
            };
        }
        let x = match self.below(8) {
            0 => self.next(),
            1 => mask >> 1,
            2 => 1 << (bits - 1),
            3 => (self.below(4) as u64).wrapping_neg(),
            4 => 1 << self.below(bits as usize),
            5 => bits as u64 - self.below(2) as u64,
            _ => self.below(6) as u64,
        };
        x & mask
    }
}

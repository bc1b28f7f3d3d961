//! What holds of an operation for all operands.
//!
//! The optimizer relies on laws, so they are checked: on samples, when an operation is installed, and in a test of all
//! that are linked. Results are compared bit by bit, except that any NaN is as good as another.

use super::evaluate::{Lanes, evaluate_within};
use super::{OpDef, Signature};
use crate::lane::convert;
use crate::types::{Scalar, Type};
use std::cell::Cell;

/// A law.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Law {
    /// `f(a, b, ...) = f(b, a, ...)`
    Commutative,
    /// `f(f(a, b), c) = f(a, f(b, c))`
    Associative,
    /// `f(a, a) = a`, or of one operand `f(f(a)) = f(a)`
    Idempotent,
    /// `f(f(a)) = a`
    Involution,
    /// `f(a, e) = a` for the scalar `e` of these bits, in every lane.
    Identity(u64),
    /// `f(a, z) = z` for the scalar `z` of these bits, in every lane.
    Annihilator(u64),
}

impl Law {
    /// Whether the signature is one that the law speaks of.
    pub(super) fn fits(self, signature: &Signature) -> bool {
        match (self, &signature.operands[..], &signature.results[..]) {
            (Law::Commutative, [a, b, ..], _) => a == b,
            (Law::Idempotent | Law::Involution, [a], [r]) => a == r,
            (Law::Commutative | Law::Involution, ..) => false,
            (_, [a, b], [r]) => a == b && a == r,
            _ => false,
        }
    }

    /// Operands that break the law, if these do.
    fn holds(self, f: &dyn Fn(&[Lanes]) -> Option<Vec<Lanes>>, ty: Type, v: &[Lanes]) -> Option<bool> {
        let one = |args: &[Lanes]| f(args).map(|results| results[0]);
        let same = |a: Lanes, b: Lanes| (0..ty.lanes as usize).all(|i| same_lane(ty.scalar, a[i], b[i]));
        let splat = |bits| crate::program::splat_bits(ty, bits);
        Some(match self {
            // Compared by the caller, which knows the results' types.
            Law::Commutative => unreachable!("results may have other types"),
            Law::Associative => same(one(&[one(&[v[0], v[1]])?, v[2]])?, one(&[v[0], one(&[v[1], v[2]])?])?),
            Law::Involution => same(one(&[one(&v[..1])?])?, v[0]),
            Law::Idempotent => match f(&[v[0], v[0]]) {
                _ if v.len() == 1 => {
                    let once = one(&v[..1])?;
                    same(one(&[once])?, once)
                }
                Some(results) => same(results[0], v[0]),
                None => return None,
            },
            Law::Identity(bits) => same(one(&[v[0], splat(bits)])?, v[0]),
            Law::Annihilator(bits) => same(one(&[v[0], splat(bits)])?, splat(bits)),
        })
    }
}

fn same_lane(scalar: Scalar, a: u64, b: u64) -> bool {
    let nan = |bits| scalar.is_float() && f64::from_bits(convert(scalar, Scalar::F64, bits)).is_nan();
    a == b || nan(a) && nan(b)
}

/// Steps of a body for each sample of a law, on average: a law of a body that hardly ends is tried on fewer samples, so
/// that nobody waits for it: 64 samples take at most 4 million steps.
const STEPS_PER_SAMPLE: u64 = 1 << 16;

/// The first law that an operation breaks on `samples` lists of operands drawn with `seed`, in words. Operands for which
/// it gives nothing, because it runs too long, are passed over.
pub fn check_laws(def: &OpDef, samples: u32, seed: u64) -> Option<String> {
    let mut random = Random(seed);
    for &law in &def.laws {
        if !law.fits(&def.signature) {
            return Some(format!("`{}` does not have the operands and results of {law:?}", def.id));
        }
        let budget = Cell::new(u64::from(samples) * STEPS_PER_SAMPLE);
        for sample in 0..samples {
            let attributes: Vec<u64> = (def.attributes.iter())
                .map(|a| a.default.unwrap_or_else(|| (random.next() % 9) & a.ty.mask()))
                .collect();
            let types = &def.signature.operands;
            let mut operands: Vec<Lanes> = types.iter().map(|&ty| random.value(ty, sample)).collect();
            let f = |args: &[Lanes]| evaluate_within(def, &attributes, args, &budget);
            let holds = match law {
                Law::Commutative => commutes(def, &f, &operands),
                Law::Associative => {
                    operands.push(random.value(types[0], sample));
                    law.holds(&f, types[0], &operands)
                }
                Law::Idempotent if types.len() == 2 => {
                    operands[1] = operands[0];
                    law.holds(&f, types[0], &operands)
                }
                _ => law.holds(&f, types[0], &operands),
            };
            if holds == Some(false) {
                let shown: Vec<String> = operands.iter().map(|lanes| format!("{:#x}", lanes[0])).collect();
                return Some(format!("`{}` is not {law:?}: see the operands {}", def.id, shown.join(", ")));
            }
        }
    }
    None
}

fn commutes(def: &OpDef, f: &dyn Fn(&[Lanes]) -> Option<Vec<Lanes>>, operands: &[Lanes]) -> Option<bool> {
    let mut exchanged = operands.to_vec();
    exchanged.swap(0, 1);
    let (a, b) = (f(operands)?, f(&exchanged)?);
    let same = |(ty, (a, b)): (&Type, (&Lanes, &Lanes))| {
        (0..ty.lanes as usize).all(|i| same_lane(ty.scalar, a[i], b[i]))
    };
    Some(def.signature.results.iter().zip(a.iter().zip(&b)).all(same))
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In turn small numbers, in which laws of floats meet ties and zeros, and any bits.
    fn value(&mut self, ty: Type, sample: u32) -> Lanes {
        let mut lanes = [0; 4];
        for lane in &mut lanes[..ty.lanes as usize] {
            let bits = self.next();
            *lane = match sample % 2 {
                0 => convert(Scalar::I64, ty.scalar, (bits % 9).wrapping_sub(4)),
                _ => bits & ty.scalar.mask(),
            };
        }
        lanes
    }
}

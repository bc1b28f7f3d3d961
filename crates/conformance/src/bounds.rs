//! What a device whose floats are not exact may give for each operation.
//!
//! Devices behind graphics interfaces are promised to divide and take roots within bounds only, and may take subnormal
//! numbers to be zero. All else is as on the oracle: whole numbers, truth, comparisons, conversions, bits, choices,
//! sums, products, rounding to whole numbers. A result is judged against all that the promises allow.
//!
//! The promises are those of WGSL, section 15.7.4 "Floating Point Accuracy", and of Vulkan, appendix "Precision of
//! Individual Operations". One unit in the last place (ULP) is counted between representable numbers, and the oracle's own
//! rounding is half of one, so a bound of 2.5 from the true result is one of 3 from the oracle's.

use vyre_ir::eval::evaluate;
use vyre_ir::{Builder, Info, Op, Rule, Scalar, Sig, Type, lane};

/// An operation that devices do not round correctly.
pub struct Bound {
    /// The operation.
    pub op: Op,
    /// How many ULP its result may be from the oracle's.
    pub ulp: f64,
    /// Why so many.
    pub why: &'static str,
}

/// The operations that need not be rounded correctly, apart from those that are made of them.
pub const BOUNDS: &[Bound] = &[
    Bound { op: Op::Div, ulp: 3.0, why: "2.5 ULP for divisors from 2^-126 to 2^126 (f32)" },
    Bound {
        op: Op::Sqrt,
        ulp: 7.0,
        why: "as 1 / inverseSqrt: 2 ULP, which the reciprocal makes up to 4, and 2.5 of the division",
    },
    Bound {
        op: Op::Fma,
        ulp: 1.0,
        why: "as x * y + z, of which a backend makes one rounding where the device makes two",
    },
];

/// How many ULP the result may be from the oracle's.
///
/// An expanded row: the oracle's result is within the row's own bound of the true one, and so is that of a device that
/// computes the same expansion, which makes twice that bound, but for what its divisions and roots are off: the bound of
/// each is added, of a root twice. `tests/inexact.rs` measures that on a device that errs as much as it may: 5 of 7 for
/// `atan2`, 6 of 8 for `atanh`, 8 of 17 for `acos`, 16 of 20 for `inverse_sqrt`, the largest shares. No bound holds
/// where products and sums of `fma` are rounded one by one: reducing an angle needs the part that the first of the two
/// roundings takes. f16 goes by way of f32, of whose errors one rounding is left.
pub fn bound(info: &Info, scalar: Scalar) -> f64 {
    let basic = |op: Op| BOUNDS.iter().find(|bound| bound.op == op).map_or(0.0, |bound| bound.ulp);
    let Some(expand) = info.expand else { return basic(info.op) };
    if scalar != Scalar::F32 {
        return 1.0;
    }
    let mut b = Builder::new("", [1, 1, 1]);
    let Rule::Same(_, operands) = info.rule else {
        unreachable!("an expanded row takes operands of one type")
    };
    let region = b.open(&vec![Type::from(scalar); operands as usize]);
    b.enter(region);
    let params = b.p.regions[region].params.clone();
    expand(&mut b, &params);
    let steps = b.p.regions[region].insts.iter();
    let steps = steps.map(|&inst| match b.p.insts[inst].op {
        Op::Div => basic(Op::Div),
        // A reciprocal may follow, which doubles it.
        Op::Sqrt => 2.0 * basic(Op::Sqrt),
        _ => 0.0,
    });
    (2.0 * info.ulp.unwrap_or(0.0) as f64 + steps.sum::<f64>()).ceil()
}

/// How a result is right.
#[derive(Copy, Clone, PartialEq, Default, Debug)]
pub struct Close {
    /// ULP from a result that the oracle gives.
    pub ulp: f64,
    /// Whether a subnormal number had to be taken to be zero for that.
    pub flushed: bool,
    /// Whether a zero has the other sign.
    pub zero: bool,
}

/// Judges results of one operation for one signature.
pub struct Judge {
    op: Op,
    sig: Sig,
    exact: bool,
    /// The bound.
    pub bound: f64,
}

impl Judge {
    /// For devices whose floats are exact or not.
    pub fn new(op: Op, sig: Sig, exact_floats: bool) -> Judge {
        let floats = sig.operand.is_float() || sig.result.is_float();
        // Bits are moved, not computed. A sign that is changed counts as computed: Vulkan lets that flush, too.
        let moves = matches!(op, Op::Select | Op::Bitcast);
        let exact = exact_floats || !floats || moves;
        let bound = if exact { 0.0 } else { bound(op.info(), sig.operand) };
        Judge { op, sig, exact, bound }
    }

    /// How the result is right; `None` when it is wrong.
    pub fn judge(&self, args: &[u64], got: u64) -> Option<Close> {
        let want = evaluate(self.op, self.sig, args).expect("the row has semantics");
        if self.same(want, got) {
            return Some(Close::default());
        }
        if self.exact {
            return None;
        }
        if self.is_out_of_range(args) {
            return Some(Close::default());
        }
        let mut best: Option<Close> = None;
        for (args, flushed) in flushes(self.sig.operand, args) {
            for want in self.allowed(&args) {
                if let Some(mut close) = self.close(want, got) {
                    close.flushed |= flushed;
                    let key = |c: &Close| (c.flushed, c.ulp, c.zero);
                    if best.as_ref().is_none_or(|best| key(&close) < key(best)) {
                        best = Some(close);
                    }
                }
            }
        }
        best
    }

    fn same(&self, want: u64, got: u64) -> bool {
        want == got || is_nan(self.sig.result, want) && is_nan(self.sig.result, got)
    }

    fn close(&self, want: u64, got: u64) -> Option<Close> {
        let scalar = self.sig.result;
        if self.same(want, got) {
            return Some(Close::default());
        }
        if !scalar.is_float() || is_nan(scalar, want) || is_nan(scalar, got) {
            return None;
        }
        let magnitude = |bits: u64| bits & scalar.mask() >> 1;
        if magnitude(want) == 0 && magnitude(got) == 0 {
            return Some(Close { zero: true, ..Close::default() });
        }
        if magnitude(got) == 0 && is_subnormal(scalar, want) {
            return Some(Close { flushed: true, ..Close::default() });
        }
        let ulp = ulps(scalar, want, got);
        (ulp <= self.bound).then_some(Close { ulp, ..Close::default() })
    }

    /// Whether nothing is promised: a divisor whose reciprocal is not a normal number.
    fn is_out_of_range(&self, args: &[u64]) -> bool {
        if !matches!(self.op, Op::Div | Op::Rem) {
            return false;
        }
        // The exponent of 2^126 for f32.
        let (fraction, limit) = match self.sig.operand {
            Scalar::F16 => (10, 29),
            Scalar::BF16 => (7, 253),
            Scalar::F32 => (23, 253),
            _ => (52, 2045),
        };
        let exponent = (args[1] & self.sig.operand.mask() >> 1) >> fraction;
        let is_infinite_or_nan = exponent == limit + 2;
        exponent >= limit && !is_infinite_or_nan
    }

    /// What the operation may give for operands, but for roundings within the bound.
    fn allowed(&self, args: &[u64]) -> Vec<u64> {
        let on = |op: Op, args: &[u64]| evaluate(op, self.sig, args).expect("the row has semantics");
        let want = on(self.op, args);
        match self.op {
            // Of two zeros either.
            Op::Min | Op::Max if args[0] != args[1] && on_zeros(self.sig.operand, args) => {
                vec![args[0], args[1]]
            }
            // x - y trunc(x / y), whose quotient may be off.
            Op::Rem => {
                let quotient = on(Op::Div, args);
                let near = neighbors(self.sig.operand, quotient, BOUNDS[0].ulp as u64);
                let rest = |q| on(Op::Sub, &[args[0], on(Op::Mul, &[args[1], on(Op::Trunc, &[q])])]);
                near.into_iter().map(rest).chain([want]).collect()
            }
            _ => vec![want],
        }
    }
}

/// The operands as they are, and with subnormal ones taken to be zeros of either sign; whether any is.
fn flushes(scalar: Scalar, args: &[u64]) -> Vec<(Vec<u64>, bool)> {
    let mut all = vec![(Vec::new(), false)];
    for &arg in args {
        let flushed =
            if is_subnormal(scalar, arg) { vec![0, scalar.mask() ^ scalar.mask() >> 1] } else { vec![] };
        let extended = |(args, any): (Vec<u64>, bool)| {
            let with = |arg, any| ([args.clone(), vec![arg]].concat(), any);
            let flushed = flushed.iter().map(|&zero| with(zero, true));
            [with(arg, any)].into_iter().chain(flushed).collect::<Vec<_>>()
        };
        all = all.into_iter().flat_map(extended).collect();
    }
    all
}

/// The numbers up to `n` ULP around a finite one.
fn neighbors(scalar: Scalar, bits: u64, n: u64) -> Vec<u64> {
    let sign = bits & !(scalar.mask() >> 1);
    let magnitude = bits ^ sign;
    let last = lane::convert(Scalar::F64, scalar, f64::INFINITY.to_bits());
    (magnitude.saturating_sub(n)..=(magnitude + n).min(last)).map(|m| m | sign).collect()
}

/// ULP between two numbers.
pub fn ulps(scalar: Scalar, a: u64, b: u64) -> f64 {
    let sign = 1u64 << (scalar.bits() - 1);
    let ordered = |bits: u64| if bits & sign != 0 { -((bits & !sign) as i128) } else { bits as i128 };
    (ordered(a) - ordered(b)).unsigned_abs() as f64
}

fn value(scalar: Scalar, bits: u64) -> f64 {
    f64::from_bits(lane::convert(scalar, Scalar::F64, bits))
}

/// Whether it is a float and no number.
pub fn is_nan(scalar: Scalar, bits: u64) -> bool {
    scalar.is_float() && value(scalar, bits).is_nan()
}

fn on_zeros(scalar: Scalar, args: &[u64]) -> bool {
    args.iter().all(|&bits| value(scalar, bits) == 0.0)
}

/// Whether it is a float below the least normal one, and not zero.
pub fn is_subnormal(scalar: Scalar, bits: u64) -> bool {
    // The least normal number's bits are one exponent.
    let least = match scalar {
        Scalar::F16 => 1 << 10,
        Scalar::BF16 => 1 << 7,
        Scalar::F32 => 1 << 23,
        Scalar::F64 => 1 << 52,
        _ => return false,
    };
    let magnitude = bits & scalar.mask() >> 1;
    magnitude != 0 && magnitude < least
}

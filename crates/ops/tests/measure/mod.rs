//! Errors of the operations that state one, against f64 functions of the crate `libm`, which has nothing in common with
//! the bodies. Operations run as compiled code, which is the fastest way to many operands; that it agrees with the
//! interpreter is tested elsewhere.

use std::f64::consts::{FRAC_1_SQRT_2, PI};
use vyre_cpu as _;
use vyre_driver::{Compiled, Device, DispatchConfig};
use vyre_ir::math::measure::{SPECIAL, ulps};
use vyre_ir::text::parse;
use vyre_ops as _;

/// What an operation should give.
pub struct Exact {
    /// Its id.
    pub op: &'static str,
    /// Number of operands.
    pub operands: usize,
    /// The true result, but for errors of f64.
    pub function: fn([f64; 3]) -> f64,
    /// For operations whose documentation bounds the error otherwise than in units of the result's last place.
    pub bound: Option<Bound>,
}

/// An error of at most `ulps` units in the last place of another number than the result.
pub struct Bound {
    /// How many units.
    pub ulps: f64,
    /// The number, from the operands and the true result; NaN where no bound is stated.
    pub of: fn([f64; 3], f64) -> f64,
}

const fn exact(op: &'static str, operands: usize, function: fn([f64; 3]) -> f64) -> Exact {
    Exact { op, operands, function, bound: None }
}

impl Exact {
    const fn within(self, ulps: f64, of: fn([f64; 3], f64) -> f64) -> Exact {
        Exact { bound: Some(Bound { ulps, of }), ..self }
    }

    /// The error of a result; `None` where nothing is stated.
    fn error(&self, got: f32, at: [f32; 3]) -> Option<f64> {
        let at = at.map(f64::from);
        let exact = (self.function)(at);
        let Some(bound) = &self.bound else { return Some(ulps(got, exact)) };
        let of = (bound.of)(at, exact).abs();
        let unit = f64::from(f32::from_bits((of as f32).to_bits() & 0x7f80_0000)) / (1u32 << 23) as f64;
        let off = (got as f64 - exact).abs() / unit.max(f64::from(f32::from_bits(1)));
        of.is_finite().then_some(if off.is_nan() { f64::INFINITY } else { off })
    }
}

/// Every function of the dialect `math`.
pub const FUNCTIONS: &[Exact] = &[
    exact("math.erf", 1, |[x, ..]| libm::erf(x)),
    exact("math.erfc", 1, |[x, ..]| libm::erfc(x)),
    exact("math.erfcx_abs", 1, |[x, ..]| scaled_erfc(x.abs())),
    exact("math.expm1", 1, |[x, ..]| libm::expm1(x)),
    exact("math.log1p", 1, |[x, ..]| libm::log1p(x)),
    exact("math.log_add_exp", 2, |[x, y, _]| log_add_exp(x, y))
        .within(2.0, |[x, y, _], _| x.abs().max(y.abs()).max(1.0) + (x + y) * 0.0),
    exact("math.sigmoid", 1, |[x, ..]| 1.0 / (1.0 + libm::exp(-x))),
    exact("math.silu", 1, |[x, ..]| at_minus_infinity(x, x / (1.0 + libm::exp(-x)))),
    exact("math.softplus", 1, |[x, ..]| log_add_exp(0.0, x)),
    exact("math.gelu", 1, |[x, ..]| at_minus_infinity(x, x * 0.5 * libm::erfc(-x * FRAC_1_SQRT_2))),
    exact("math.gelu_tanh", 1, |[x, ..]| {
        let u = libm::sqrt(8.0 / PI) * (x + 0.044715 * x * x * x);
        at_minus_infinity(x, x / (1.0 + libm::exp(-u)))
    })
    .within(2.5, |[x, ..], _| x),
    exact("math.lerp", 3, |[a, b, t]| a * (1.0 - t) + b * t)
        .within(1.0, |[a, b, t], r| larger(in_range(a * (1.0 - t)), in_range(r)) + (a + b + t) * 0.0),
    exact("math.smoothstep", 3, |[low, high, x]| {
        let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
        let t = if x == low { 0.0 } else { t };
        t * t * (3.0 - 2.0 * t)
    })
    .within(9.0, |[low, high, x], r| r + in_range(high - low) * 0.0 + in_range(x - low) * 0.0),
    exact("math.sin_pi", 1, |[x, ..]| sin_pi(x)),
    exact("math.cos_pi", 1, |[x, ..]| {
        let r = (x.abs() % 2.0 - 1.0).abs();
        if r == 0.5 { 0.0 } else { -libm::cos(PI * r) }
    }),
    exact("math.sinc", 1, |[x, ..]| match x {
        0.0 => 1.0,
        _ if x.is_infinite() => 0.0,
        _ => libm::sin(x) / x,
    }),
    exact("math.cbrt", 1, |[x, ..]| libm::cbrt(x)),
    exact("math.hypot", 2, |[x, y, _]| libm::hypot(x, y)),
];

/// The magnitude of what a body computes on the way, NaN where it is beyond f32.
fn in_range(x: f64) -> f64 {
    if x.abs() < f64::from(f32::MAX) { x.abs() } else { f64::NAN }
}

/// The larger of two, NaN if one is.
fn larger(x: f64, y: f64) -> f64 {
    x.max(y) + (x + y) * 0.0
}

/// The limit of functions that go to -0 there; f64 goes to 0 times infinity.
fn at_minus_infinity(x: f64, value: f64) -> f64 {
    if x == f64::NEG_INFINITY || x < -700.0 { -0.0 } else { value }
}

fn log_add_exp(x: f64, y: f64) -> f64 {
    let (small, large) = if x < y { (x, y) } else { (y, x) };
    if small == large {
        large + std::f64::consts::LN_2
    } else {
        large + libm::log1p(libm::exp(small - large))
    }
}

fn sin_pi(x: f64) -> f64 {
    let n = x.round_ties_even();
    let r = x - n;
    let sign = if n % 2.0 == 0.0 { 1.0 } else { -1.0 };
    if r == 0.0 { 0.0_f64.copysign(x) } else { sign * libm::sin(PI * r) }
}

/// e^(x^2) erfc x for x >= 0: far out by its continued fraction (DLMF 7.9.1, evaluated from the end).
fn scaled_erfc(x: f64) -> f64 {
    if x < 5.0 {
        // The square of an f32 is exact.
        return libm::exp(x * x) * libm::erfc(x);
    }
    let fraction = (1..=60).rev().fold(0.0, |rest, k| k as f64 / 2.0 / (x + rest));
    1.0 / (PI.sqrt() * (x + fraction))
}

/// The largest error met, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    /// In units in the last place of the result.
    pub ulps: f64,
    /// The operands.
    pub at: [f32; 3],
    /// How many were NaN or of another sign where they should not be; they do not count otherwise.
    pub wrong: u64,
    /// The operands of one of these.
    pub wrong_at: [f32; 3],
}

/// An operation compiled, ready to run on lists of operands.
pub struct Measured {
    exact: &'static Exact,
    compiled: Compiled,
}

/// Points evaluated in one go.
const CHUNK: u64 = 1 << 16;

impl Measured {
    /// Compiles one.
    pub fn new(exact: &'static Exact) -> Measured {
        let names = &["a", "b", "c"][..exact.operands];
        let lines = |line: &dyn Fn(usize, &str) -> String| -> String {
            names.iter().enumerate().map(|(i, name)| line(i, name)).collect()
        };
        let operands: Vec<String> = names.iter().map(|name| format!("%{name}")).collect();
        let text = format!(
            "program measure workgroup(64, 1, 1) {{\n{}  buffer r: f32[] storage read_write output @group(0) @binding(9)\n  \
             %i: u32 = global_id x\n{}  %r: f32 = call {} {}\n  store r[%i], %r\n}}\n",
            lines(&|i, name| format!("  buffer {name}: f32[] storage read @group(0) @binding({i})\n")),
            lines(&|_, name| format!("  %{name}: f32 = load {name}[%i]\n")),
            exact.op,
            operands.join(", "),
        );
        let program = parse("measure.vyre", &text).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
        let device = Device::open("cpu").expect("it is linked");
        let compiled = device.compile(&program, &DispatchConfig::default()).unwrap_or_else(|e| panic!("{e}"));
        Measured { exact, compiled }
    }

    /// The results for lists of operands, one list for each operand.
    pub fn run(&self, operands: &[Vec<f32>]) -> Vec<f32> {
        let bytes: Vec<Vec<u8>> =
            operands.iter().map(|list| list.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
        let zeros = vec![0; bytes[0].len()];
        let inputs: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).chain([&zeros[..]]).collect();
        let inputs = &inputs[..self.compiled.plan().inputs().count()];
        let outputs = self.compiled.dispatch(inputs, &DispatchConfig::default()).expect("it runs");
        outputs.buffers[0].chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
    }

    /// The largest error over one in `sparse` of all f32 for functions of one operand, of `1 << 28` lists of operands for
    /// the others; part `part` of `parts`.
    pub fn sweep(&self, sparse: u64, part: u64, parts: u64) -> Worst {
        let mut worst = Worst::default();
        let points: u64 = if self.exact.operands == 1 { 1 << 32 } else { 1 << 28 };
        for chunk in (part..points.div_ceil(sparse * CHUNK)).step_by(parts as usize) {
            let points = || (chunk * CHUNK..(chunk + 1) * CHUNK).map(|i| i * sparse);
            let operands: Vec<Vec<f32>> = match self.exact.operands {
                1 => vec![points().map(|i| f32::from_bits(i as u32)).collect()],
                n => (0..n as u64).map(|k| points().map(|i| operand(i, k)).collect()).collect(),
            };
            for (i, got) in self.run(&operands).into_iter().enumerate() {
                let at: [f32; 3] = std::array::from_fn(|k| operands.get(k).map_or(0.0, |list| list[i]));
                if let Some(error) = self.exact.error(got, at) {
                    worst.note(error, at);
                }
            }
        }
        worst
    }
}

impl Worst {
    fn note(&mut self, ulps: f64, at: [f32; 3]) {
        if ulps == f64::INFINITY {
            (self.wrong, self.wrong_at) = (self.wrong + 1, at);
        } else if ulps > self.ulps {
            (self.ulps, self.at) = (ulps, at);
        }
    }
}

/// Operand `k` of the `i`-th list: any, special ones, ones near the other operands, small ones.
fn operand(i: u64, k: u64) -> f32 {
    let random = |of: u64| {
        let mut x = of.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (x ^ (x >> 32)) as u32
    };
    let own = random(i * 4 + k + 1);
    match i % 4 {
        0 => f32::from_bits(own),
        1 if own.is_multiple_of(4) => SPECIAL[(own >> 8) as usize % SPECIAL.len()],
        1 | 2 => f32::from_bits(random(i * 4) ^ own >> (own & 31)),
        _ => own as f32 / (1u64 << 31) as f32 - 1.0,
    }
}

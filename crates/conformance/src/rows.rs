//! Every row of the op table that says what it computes, for every type it takes, on a device: numbers with which
//! something special happens and seeded random ones, against the row's own semantics.

use crate::bounds::{Close, Judge};
use crate::list::{from_bytes, show};
use crate::random::Random;
use std::fmt;
use vyre_driver::{BackendError, BindingPlan, Device, DispatchConfig, Grid};
use vyre_ir::{
    Access, Attr, Buffer, BufferDecl, Builder, Effect, Memory, OPS, Op, Program, Rule, Scalar, Sig, lane,
};

/// Invocations of a workgroup.
const WORKGROUP: u32 = 64;

/// An operation on certain types.
#[derive(Clone, PartialEq, Debug)]
pub struct Signature {
    /// The operation.
    pub op: Op,
    /// Its operands.
    pub operands: Vec<Scalar>,
    /// Its result.
    pub result: Scalar,
}

impl Signature {
    fn sig(&self) -> Sig {
        Sig { operand: self.operands[(self.op == Op::Select) as usize], result: self.result }
    }
}

/// The type, or from which type to which.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sig = self.sig();
        match self.op.info().rule {
            Rule::Convert | Rule::Bitcast => write!(f, "{}->{}", sig.operand, sig.result),
            _ => write!(f, "{}", sig.operand),
        }
    }
}

/// What a device makes of an operation.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// What the oracle gives, bit by bit.
    Exact,
    /// What a device without exact floats may give.
    Near {
        /// The largest error in units in the last place.
        worst: f64,
        /// How large it may be.
        bound: f64,
        /// Whether subnormal numbers are taken to be zero.
        flushes: bool,
        /// Whether zeros have other signs.
        zeros: bool,
    },
    /// So many programs that use it give what they must.
    Passed(usize),
    /// The device refuses it, and says so.
    Unsupported(String),
    /// A wrong result, with its operands, or another error.
    Wrong(String),
}

/// All operations on all types that they take.
pub fn signatures() -> Vec<Signature> {
    let rows = OPS.iter().filter(|info| info.effect == Effect::Pure && vyre_ir::eval::is_evaluable(info.op));
    rows.flat_map(|info| of(info.op)).collect()
}

fn of(op: Op) -> Vec<Signature> {
    use Scalar::{Bool, U32};
    let all = || Scalar::ALL.into_iter();
    let list: Vec<(Vec<Scalar>, Scalar)> = match op.info().rule {
        Rule::Same(class, n) => class.scalars().map(|s| (vec![s; n as usize], s)).collect(),
        Rule::Compare(class) => class.scalars().map(|s| (vec![s; 2], Bool)).collect(),
        Rule::Shift(class) => class.scalars().map(|s| (vec![s, U32], s)).collect(),
        Rule::Select => all().map(|s| (vec![Bool, s, s], s)).collect(),
        Rule::Convert => all()
            .flat_map(|from| all().filter(move |to| *to != from).map(move |to| (vec![from], to)))
            .collect(),
        Rule::Bitcast => {
            let same =
                |from: Scalar| move |to: &Scalar| *to != from && to.bits() == from.bits() && from != Bool;
            all().flat_map(|from| all().filter(same(from)).map(move |to| (vec![from], to))).collect()
        }
        rule => unreachable!("no row of {rule:?} says what it computes"),
    };
    list.into_iter().map(|(operands, result)| Signature { op, operands, result }).collect()
}

/// Tries one on a device.
pub fn check(device: &Device, signature: &Signature) -> Verdict {
    let Signature { op, operands, .. } = signature;
    let judge = Judge::new(*op, signature.sig(), device.profile().exact_floats);
    let mut all = Close::default();
    let mut exact = true;
    let tuples = tuples(signature);
    let mut runs = vec![(program(signature), tuples)];
    // Rows that are compiled differently when the second operand is known.
    if matches!(op, Op::Div | Op::Rem | Op::Min | Op::Max | Op::Shl | Op::Shr) {
        let constants = numbers(operands[1]);
        let pairs = numbers(operands[0]).into_iter().flat_map(|x| constants.iter().map(move |&y| vec![x, y]));
        runs.push((with_constants(signature, &constants), pairs.collect()));
    }
    for (program, tuples) in runs {
        let results = match run(device, &program, &tuples) {
            Ok(results) => results,
            Err(e @ BackendError::Unsupported { .. }) => return Verdict::Unsupported(e.to_string()),
            Err(e) => return Verdict::Wrong(e.to_string()),
        };
        for (args, got) in tuples.iter().zip(results) {
            match judge.judge(args, got) {
                Some(close) => {
                    exact &= close == Close::default();
                    all.ulp = all.ulp.max(close.ulp);
                    all.flushed |= close.flushed;
                    all.zero |= close.zero;
                }
                None => return Verdict::Wrong(wrong(signature, &judge, args, got)),
            }
        }
    }
    match exact {
        true => Verdict::Exact,
        false => {
            let Close { ulp, flushed, zero } = all;
            Verdict::Near { worst: ulp, bound: judge.bound, flushes: flushed, zeros: zero }
        }
    }
}

fn wrong(signature: &Signature, judge: &Judge, args: &[u64], got: u64) -> String {
    let Signature { op, operands, result } = signature;
    let text = |bits, scalar| match scalar {
        Scalar::Bool => ["false", "true"][(bits != 0) as usize].to_string(),
        scalar => format!("{} ({bits:#x})", show(bits, scalar)),
    };
    let args_text: Vec<String> =
        args.iter().zip(operands).map(|(&bits, &scalar)| text(bits, scalar)).collect();
    let want = vyre_ir::eval::evaluate(*op, signature.sig(), args).expect("the row has semantics");
    let within = match judge.bound {
        0.0 => String::new(),
        ulp => format!(" within {ulp} ULP"),
    };
    let (got, want) = (text(got, *result), text(want, *result));
    format!("{} {signature} of {} gives {got}, expected {want}{within}", op.name(), args_text.join(", "))
}

/// Numbers that matter to a type: limits, ties, signs, specials, and some of no meaning.
fn numbers(scalar: Scalar) -> Vec<u64> {
    let mask = scalar.mask();
    let mut list = vec![0, 1, 2, 3, 5, 7, 8, 15, 31, 32, 33, 63, 64, 100, 0x5555_5555_5555_5555];
    let half = mask >> 1;
    list.extend([mask, mask - 1, half, half + 1, half.wrapping_sub(1), 0xdead_beef_cafe_f00d]);
    if scalar.is_float() {
        #[rustfmt::skip]
        let floats: [f64; 31] = [
            1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.49, 127.5, 255.9, -128.9, 32767.5, 65535.9, 65504.0,
            2147483648.0, 4294967296.0, -2147483904.0, 9.3e18, 1.9e19, -9.3e18, 3.4e38, 1e300, 1e-40, 1e-7,
            16777217.0, 0.1, -7.3, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -0.0,
        ];
        list.extend(floats.map(|n| lane::convert(Scalar::F64, scalar, n.to_bits())));
    }
    let mut random = Random::new(scalar as u64);
    list.extend((0..6).map(|_| random.next()));
    list.iter_mut().for_each(|bits| *bits &= mask);
    list.sort();
    list.dedup();
    list
}

/// All combinations of special numbers, of three every seventh, and random ones.
fn tuples(signature: &Signature) -> Vec<Vec<u64>> {
    let operands = &signature.operands;
    let mut tuples = vec![vec![]];
    for &scalar in operands {
        let list = numbers(scalar);
        tuples = tuples
            .into_iter()
            .flat_map(|t: Vec<u64>| list.iter().map(move |&x| [t.clone(), vec![x]].concat()))
            .collect();
    }
    let step = if operands.len() > 2 { 7 } else { 1 };
    let mut tuples: Vec<_> = tuples.into_iter().step_by(step).collect();
    let mut random = Random::new(signature.op as u64);
    let mut draw = |scalar: Scalar| match random.below(2) {
        // Of a size that occurs.
        0 if scalar.is_float() => {
            let x = (random.next() >> 11) as f64 / (1u64 << 53) as f64 * 20.0 - 10.0;
            lane::convert(Scalar::F64, scalar, x.to_bits())
        }
        _ => random.next() & scalar.mask(),
    };
    tuples.extend((0..2000).map(|_| operands.iter().map(|&scalar| draw(scalar)).collect::<Vec<_>>()));
    tuples
}

/// How a type is stored: truth as a word, because no buffer holds it.
fn stored(scalar: Scalar) -> Scalar {
    if scalar == Scalar::Bool { Scalar::U32 } else { scalar }
}

fn storage(b: &mut Builder, name: String, scalar: Scalar, access: Access) -> Buffer {
    let binding = b.p.buffers.len() as u32;
    b.buffer(BufferDecl {
        name,
        binding,
        memory: Memory::Storage,
        access,
        element: stored(scalar).into(),
        ..BufferDecl::default()
    })
}

/// The inputs, one for each operand, then the output.
fn buffers(b: &mut Builder, operands: &[Scalar], result: Scalar) -> (Vec<Buffer>, Buffer) {
    let inputs = operands.iter().enumerate().map(|(i, &s)| storage(b, format!("in{i}"), s, Access::Read));
    let inputs = inputs.collect();
    (inputs, storage(b, "out".into(), result, Access::ReadWrite))
}

/// `out[i] = op(a[i], b[i], c[i])`.
fn program(signature: &Signature) -> Program {
    let Signature { op, operands, result } = signature;
    let mut b = Builder::new("row", [WORKGROUP, 1, 1]);
    let (inputs, out) = buffers(&mut b, operands, *result);
    let i = b.axis(Op::GlobalId, 0);
    let load = |(&scalar, &buffer): (&Scalar, &Buffer)| {
        let x = b.load(Op::Load, buffer, i, stored(scalar).into());
        if scalar == Scalar::Bool { b.convert(x, scalar) } else { x }
    };
    let args: Vec<_> = operands.iter().zip(&inputs).map(load).collect();
    let mut x = b.value(*op, Attr::None, &args, (*result).into());
    if *result == Scalar::Bool {
        x = b.convert(x, stored(*result));
    }
    b.store(Op::Store, out, i, x);
    b.finish()
}

/// `out[i, k] = op(a[i], constant k)`, where `a` has an element for each result.
fn with_constants(signature: &Signature, constants: &[u64]) -> Program {
    let Signature { op, operands, result } = signature;
    let mut b = Builder::new("row", [WORKGROUP, 1, 1]);
    let (inputs, out) = buffers(&mut b, operands, *result);
    let i = b.axis(Op::GlobalId, 0);
    let width = b.u32(constants.len() as u32);
    let first = b.op(Op::Mul, &[i, width]);
    let x = b.load(Op::Load, inputs[0], first, operands[0].into());
    for (k, &constant) in constants.iter().enumerate() {
        let (y, k) = (b.bits(operands[1], constant), b.u32(k as u32));
        let at = b.op(Op::Add, &[first, k]);
        let z = b.op(*op, &[x, y]);
        b.store(Op::Store, out, at, z);
    }
    b.finish()
}

/// The results for all operands, as bits. Invocations that are too many access nothing.
fn run(device: &Device, program: &Program, tuples: &[Vec<u64>]) -> Result<Vec<u64>, BackendError> {
    let workgroups = (tuples.len() as u32).div_ceil(WORKGROUP);
    let config = DispatchConfig { grid: Grid::Workgroups([workgroups, 1, 1]), ..DispatchConfig::default() };
    let compiled = device.compile(program, &config)?;
    let decls: Vec<&BufferDecl> = program.buffers.values().collect();
    let plan = BindingPlan::build(program)?;
    let inputs: Vec<Vec<u8>> = plan
        .inputs()
        .map(|binding| {
            let at = binding.buffer_index;
            let bytes = decls[at].element.scalar.bytes() as usize;
            let word = |args: &Vec<u64>| args.get(at).copied().unwrap_or(0xaaaa_aaaa_aaaa_aaaa);
            tuples.iter().flat_map(|args| word(args).to_le_bytes()[..bytes].to_vec()).collect()
        })
        .collect();
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let outputs = compiled.dispatch(&inputs, &config)?;
    let bytes = decls[decls.len() - 1].element.scalar.bytes() as usize;
    Ok(outputs.buffers[0].chunks_exact(bytes).map(from_bytes).collect())
}

//! The suite on devices whose floats are not exact: what they may do passes, what they may not is found.
//!
//! Such a device is the processor, running programs in which operations are replaced by ones that err as a driver's may.

use std::sync::Arc;
use vyre::{BackendError, Device};
use vyre_conformance::rows::{self, Verdict};
use vyre_conformance::suite;
use vyre_conformance::table::table;
use vyre_driver::{
    Cancel, Command, CompileOptions, DeviceMemory, DeviceProfile, Executable, MemoryRequest, Submitted,
    VyreBackend,
};
use vyre_ir::{Builder, Inst, Op, Program, Scalar, Type, Value};
use vyre_opt::Target;
use vyre_opt::rewrite::{Copier, Values, rewrite};

/// What the device does otherwise.
#[derive(Copy, Clone, Default, Debug)]
struct Errs {
    /// Quotients are off by so many units in the last place, up or down.
    division: i64,
    /// Roots.
    root: i64,
    /// Sums.
    sum: i64,
    /// Products and sums of `fma` are rounded one by one.
    twice: bool,
    /// Subnormal operands and results of arithmetic are zero.
    flushes: bool,
}

struct Inexact {
    inner: Box<dyn VyreBackend>,
    profile: DeviceProfile,
    errs: Errs,
}

fn inexact(errs: Errs) -> Device {
    let inner = vyre::acquire("cpu").expect("it is linked");
    let profile = DeviceProfile { exact_floats: false, ..inner.profile().clone() };
    Device::new(Box::new(Inexact { inner, profile, errs }))
}

impl VyreBackend for Inexact {
    fn id(&self) -> &'static str {
        self.inner.id()
    }
    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }
    fn target(&self) -> Option<Target> {
        self.inner.target()
    }
    fn compile(&self, p: &Arc<Program>, o: &CompileOptions) -> Result<Arc<dyn Executable>, BackendError> {
        self.inner.compile(&Arc::new(self.errs.applied(p)), o)
    }
    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        self.inner.allocate(request)
    }
    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        self.inner.submit(commands, cancel)
    }
    fn device_lost(&self) -> Option<String> {
        None
    }
    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        self.inner.reopen()
    }
    /// So that nothing of it is taken for the processor's.
    fn code_version(&self) -> String {
        format!("{:?}", self.errs)
    }
}

impl Errs {
    fn applied(self, p: &Program) -> Program {
        rewrite(p, &mut |copy: &mut Copier<'_>, inst: Inst, args: &[Value]| {
            let data = &copy.from.insts[inst];
            let result = *data.results.first()?;
            let ty = copy.from.ty(result);
            let operand = copy.from.ty(*data.args.first()?).scalar;
            let by = match data.op {
                Op::Div => self.division,
                Op::Sqrt => self.root,
                Op::Add | Op::Sub => self.sum,
                _ => 0,
            };
            let arithmetic = matches!(
                data.op,
                Op::Add
                    | Op::Sub
                    | Op::Mul
                    | Op::Div
                    | Op::Sqrt
                    | Op::Fma
                    | Op::Rem
                    | Op::Min
                    | Op::Max
                    | Op::Lt
                    | Op::Le
                    | Op::Eq
                    | Op::Ne
                    | Op::Floor
                    | Op::Ceil
                    | Op::Trunc
                    | Op::Round
            ) || data.op == Op::Convert && ty.scalar.is_float();
            if !operand.is_float() || !arithmetic || ty.lanes > 1 {
                return None;
            }
            let b = &mut copy.b;
            let flush = |b: &mut Builder, x: Value| if self.flushes { flushed(b, x) } else { x };
            let args: Vec<Value> = args.iter().map(|&x| flush(b, x)).collect();
            let x = match data.op {
                Op::Fma if self.twice => {
                    let product = b.op(Op::Mul, &args[..2]);
                    b.op(Op::Add, &[product, args[2]])
                }
                op => b.value(op, data.attr.clone(), &args, ty),
            };
            let x = if ty.scalar.is_float() { flush(b, x) } else { x };
            let x = if by != 0 { off(b, x, by) } else { x };
            Some(Values::from_slice(&[x]))
        })
    }
}

/// The word type as wide as a float.
fn word(scalar: Scalar) -> Scalar {
    match scalar.bits() {
        16 => Scalar::U16,
        32 => Scalar::U32,
        _ => Scalar::U64,
    }
}

/// The bits of the least normal number.
fn least_normal(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::F16 => 1 << 10,
        Scalar::BF16 => 1 << 7,
        Scalar::F32 => 1 << 23,
        _ => 1 << 52,
    }
}

/// The bits of a float and those without the sign.
fn bits(b: &mut Builder, x: Value) -> (Type, Value, Value) {
    let scalar = b.ty(x).scalar;
    let ty = Type::from(word(scalar));
    let bits = b.bitcast(x, word(scalar));
    let mask = b.bits(ty, scalar.mask() >> 1);
    let magnitude = b.op(Op::And, &[bits, mask]);
    (ty, bits, magnitude)
}

/// Zero with the same sign where the number is subnormal.
fn flushed(b: &mut Builder, x: Value) -> Value {
    let scalar = b.ty(x).scalar;
    let (ty, bits, magnitude) = bits(b, x);
    let least = b.bits(ty, least_normal(scalar));
    let small = b.op(Op::Lt, &[magnitude, least]);
    let sign = b.op(Op::Xor, &[bits, magnitude]);
    let bits = b.op(Op::Select, &[small, sign, bits]);
    b.bitcast(bits, scalar)
}

/// So many units off, up or down by a bit of the number; zeros, subnormal numbers and specials are left.
fn off(b: &mut Builder, x: Value, by: i64) -> Value {
    let scalar = b.ty(x).scalar;
    let (ty, bits, magnitude) = bits(b, x);
    let infinity = vyre_ir::lane::convert(Scalar::F64, scalar, f64::INFINITY.to_bits());
    let first = b.bits(ty, least_normal(scalar) + by as u64);
    let span = b.bits(ty, infinity - least_normal(scalar) - 2 * by as u64);
    let above = b.op(Op::Sub, &[magnitude, first]);
    let normal = b.op(Op::Lt, &[above, span]);
    let one = b.bits(ty, 1);
    let third = b.u32(2);
    let shifted = b.op(Op::Shr, &[bits, third]);
    let odd = b.op(Op::And, &[shifted, one]);
    let is_odd = b.op(Op::Eq, &[odd, one]);
    let (up, down) = (b.bits(ty, by as u64), b.bits(ty, (by as u64).wrapping_neg() & word(scalar).mask()));
    let by = b.op(Op::Select, &[is_odd, up, down]);
    let moved = b.op(Op::Add, &[bits, by]);
    let bits = b.op(Op::Select, &[normal, moved, bits]);
    b.bitcast(bits, scalar)
}

/// What a driver may do, all at once.
const MAY: Errs = Errs { division: 3, root: 7, sum: 0, twice: false, flushes: true };

#[test]
fn what_a_driver_may_do_passes() {
    let table = table(&inexact(MAY), &mut |_, _| ());
    let wrong = table.rows.iter().filter(|row| matches!(row.verdict, Verdict::Wrong(_)));
    let wrong: Vec<String> =
        wrong.map(|row| format!("{} {}: {:?}", row.op.name(), row.types, row.verdict)).collect();
    assert!(table.passed(), "{}\n{:?}", wrong.join("\n"), table.programs.failed);
    let verdict = |op: Op, types: &str| {
        let row = table.rows.iter().find(|row| row.op == op && row.types == types);
        row.unwrap_or_else(|| panic!("{} {types}", op.name())).verdict.clone()
    };
    let near = |worst, bound| Verdict::Near { worst, bound, flushes: true, zeros: false };
    assert_eq!(verdict(Op::Div, "f32"), near(3.0, 3.0));
    assert_eq!(verdict(Op::Sqrt, "f16"), near(7.0, 7.0));
    assert_eq!(verdict(Op::Mul, "f64"), near(0.0, 0.0));
    for (op, types) in [(Op::Div, "i64"), (Op::Select, "f32"), (Op::Bitcast, "f32->u32"), (Op::Neg, "f16")] {
        assert_eq!(verdict(op, types), Verdict::Exact, "{} {types}", op.name());
    }
    // Programs about subnormal numbers are refused by name, the others compared.
    assert!((5..15).contains(&table.programs.unsupported.len()), "{:?}", table.programs.unsupported);
    for (name, why) in &table.programs.unsupported {
        assert_eq!(why, "this device has no subnormal numbers", "{name}");
    }
}

#[test]
fn programs_about_subnormal_numbers_run_where_these_are_kept() {
    let report = suite::run(&inexact(Errs { flushes: false, ..MAY }), &suite::programs());
    assert!(report.failed.is_empty() && report.unsupported.is_empty(), "{report:?}");
}

/// What the suite finds of one operation for f32.
fn found(errs: Errs, op: Op) -> Verdict {
    let all = rows::signatures();
    let signature = all.iter().find(|s| s.op == op && s.to_string() == "f32").expect("it takes f32");
    rows::check(&inexact(errs), signature)
}

#[test]
fn what_a_driver_may_not_do_is_found() {
    for (op, errs, within) in [
        (Op::Div, Errs { division: 4, ..Errs::default() }, " within 3 ULP"),
        (Op::Sqrt, Errs { root: 8, ..Errs::default() }, " within 7 ULP"),
        (Op::Add, Errs { sum: 1, ..Errs::default() }, ""),
        (Op::Fma, Errs { twice: true, ..Errs::default() }, " within 1 ULP"),
        // It reduces an angle with `fma`.
        (Op::Sin, Errs { twice: true, ..Errs::default() }, " within 4 ULP"),
    ] {
        match found(errs, op) {
            Verdict::Wrong(why) => {
                assert!(
                    why.starts_with(op.name()) && why.contains("expected") && why.ends_with(within),
                    "{why}"
                );
            }
            other => panic!("{} {errs:?}: {other:?}", op.name()),
        }
    }
    assert_eq!(found(Errs { division: 4, ..Errs::default() }, Op::Add), Verdict::Exact);
    let report = suite::run(&inexact(Errs { sum: 1, ..Errs::default() }), &suite::programs());
    assert!(report.failed.len() > 20, "{:?}", report.failed);
}

/// The same results on a device that says that its floats are exact.
#[test]
fn exact_floats_have_no_bounds() {
    let inner = vyre::acquire("cpu").expect("it is linked");
    let profile = inner.profile().clone();
    let errs = Errs { division: 1, ..Errs::default() };
    let device = Device::new(Box::new(Inexact { inner, profile, errs }));
    let report = suite::run(&device, &suite::programs());
    assert!(report.failed.iter().any(|(name, _)| name == "float_arithmetic.wgsl"), "{:?}", report.failed);
}

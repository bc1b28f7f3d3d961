//! Floating-point instructions and conversions.

use super::{Decoded, Reading, plain};
use crate::code::{Flags, Instruction, Op, Rounding, Source};
use crate::convert::Conversion;
use crate::float;
use crate::parse::Operand;
use crate::types::Type::{self, *};

const FLOATS: [Type; 6] = [F16, F16x2, Bf16, Bf16x2, F32, F64];

/// The instruction of that name, if it is one of these.
pub(super) fn instruction(r: &mut Reading<'_, '_, '_>, name: &str) -> Option<Decoded> {
    Some(match name {
        "add" | "sub" | "mul" => arithmetic(r, name),
        "fma" | "mad" => fused(r),
        "div" => divide(r),
        "rcp" | "sqrt" | "rsqrt" => root(r, name),
        "sin" | "cos" | "lg2" | "ex2" | "tanh" => approximate(r, name),
        "neg" | "abs" => sign(r, name == "neg"),
        "min" | "max" => extreme(r, name == "min"),
        "copysign" => copy_sign(r),
        "testp" => test(r),
        "cvt" => convert(r),
        _ => return None,
    })
}

fn flags(kind: Type) -> Flags {
    Flags { format: kind.format().unwrap_or_default(), width: kind.bits() as u8, ..Flags::default() }
}

/// `.ftz` and `.sat` where the type has them.
fn modified(r: &mut Reading<'_, '_, '_>, kind: Type, rounding: Option<Rounding>) -> Decoded<Flags> {
    let (flush, saturate) = (r.has("ftz"), r.has("sat"));
    if flush && !matches!(kind, F16 | F16x2 | F32) || saturate && matches!(kind, F64 | Bf16 | Bf16x2) {
        return Err(format!("a .{} has no .ftz or .sat", kind.name()));
    }
    let narrow = kind.bits() == 16 || kind.packed();
    if narrow && !matches!(rounding, None | Some(Rounding::Nearest)) {
        return Err(format!("a .{} is rounded to the nearest", kind.name()));
    }
    Ok(Flags { flush, saturate, rounding: rounding.unwrap_or_default(), ..flags(kind) })
}

fn arithmetic(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    let rounding = r.rounding();
    let kind = r.kind_of(&FLOATS)?;
    let flags = modified(r, kind, rounding)?;
    r.count(3)?;
    let f = match (name, kind.packed()) {
        ("add", false) => float::add,
        ("sub", false) => float::subtract,
        (_, false) => float::multiply,
        ("add", true) => float::add_halves,
        ("sub", true) => float::subtract_halves,
        (_, true) => float::multiply_halves,
    };
    let (destination, sources) = (r.output(0, kind)?, r.inputs([kind, kind])?);
    if rounding.is_none() {
        let why = match name {
            "add" => {
                "`add` without `.rn` may be fused with a multiplication before it: its result is not defined"
            }
            "sub" => {
                "`sub` without `.rn` may be fused with a multiplication before it: its result is not defined"
            }
            _ => "`mul` without `.rn` may be fused with an addition after it: its result is not defined",
        };
        return plain(Op::Unsupported(why), destination, sources);
    }
    plain(Op::Binary(f, flags), destination, sources)
}

fn fused(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let Some(rounding) = r.rounding() else {
        return Err("a rounding is missing".to_string());
    };
    let relu = r.has("relu");
    let kind = r.kind_of(&FLOATS)?;
    if relu && matches!(kind, F32 | F64) {
        return Err(format!("a .{} has no .relu", kind.name()));
    }
    let flags = Flags { relu, ..modified(r, kind, Some(rounding))? };
    r.count(4)?;
    let f = if kind.packed() { float::fused_halves } else { float::fused };
    plain(Op::Ternary(f, flags), r.output(0, kind)?, r.inputs([kind, kind, kind])?)
}

fn divide(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let rounding = r.rounding();
    let approximate = rounding.is_none() && (r.has("approx") || r.has("full"));
    let kind = r.kind_of(&[F32, F64])?;
    if rounding.is_none() && !(approximate && kind == F32) {
        return Err("a rounding is missing".to_string());
    }
    let flags = modified(r, kind, rounding)?;
    r.count(3)?;
    let f = if approximate { float::approximate_divide } else { float::divide };
    plain(Op::Binary(f, flags), r.output(0, kind)?, r.inputs([kind, kind])?)
}

fn root(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    let rounding = if name == "rsqrt" { None } else { r.rounding() };
    let approximate = rounding.is_none() && r.has("approx");
    let kind = r.kind_of(&[F32, F64])?;
    if rounding.is_none() && !approximate {
        return Err("a rounding is missing".to_string());
    }
    let flush = r.has("ftz");
    if flush && kind == F64 && !approximate {
        return Err("a .f64 has no .ftz".to_string());
    }
    r.count(2)?;
    let mode = match name {
        "rcp" => 0,
        "rsqrt" => 1,
        _ => 2,
    };
    let flags = Flags { flush, mode, rounding: rounding.unwrap_or_default(), ..flags(kind) };
    let f = match (approximate, name) {
        (true, _) => float::approximate,
        (false, "rcp") => float::reciprocal,
        _ => float::square_root,
    };
    plain(Op::Unary(f, flags), r.output(0, kind)?, r.inputs([kind])?)
}

fn approximate(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    if !r.has("approx") {
        return Err("it has .approx".to_string());
    }
    let (mode, kinds): (u8, &[Type]) = match name {
        "sin" => (3, &[F32]),
        "cos" => (4, &[F32]),
        "lg2" => (5, &[F32]),
        "ex2" => (6, &[F32, F16, F16x2, Bf16, Bf16x2]),
        _ => (7, &[F32, F16, F16x2, Bf16, Bf16x2]),
    };
    let kind = r.kind_of(kinds)?;
    // A bf16 says it flushes, though it has the exponents of f32.
    let flush = r.has("ftz") && kind == F32;
    r.count(2)?;
    let f = if kind.packed() { float::approximate_halves } else { float::approximate };
    plain(Op::Unary(f, Flags { mode, flush, ..flags(kind) }), r.output(0, kind)?, r.inputs([kind])?)
}

fn sign(r: &mut Reading<'_, '_, '_>, negate: bool) -> Decoded {
    let kind = r.kind_of(&FLOATS)?;
    let flush = r.has("ftz");
    if flush && !matches!(kind, F16 | F16x2 | F32) {
        return Err(format!("a .{} has no .ftz", kind.name()));
    }
    r.count(2)?;
    let f = match (negate, kind.packed()) {
        (true, false) => float::negate,
        (false, false) => float::absolute,
        (true, true) => float::negate_halves,
        (false, true) => float::absolute_halves,
    };
    plain(Op::Unary(f, Flags { flush, ..flags(kind) }), r.output(0, kind)?, r.inputs([kind])?)
}

fn extreme(r: &mut Reading<'_, '_, '_>, least: bool) -> Decoded {
    let (flush, nan) = (r.has("ftz"), r.has("NaN"));
    let xor_sign = r.has("xorsign") && r.has("abs");
    let kind = r.kind_of(&FLOATS)?;
    if flush && !matches!(kind, F16 | F16x2 | F32) || (nan || xor_sign) && kind == F64 {
        return Err(format!("a .{} has no such modifier", kind.name()));
    }
    let flags = Flags { flush, nan, xor_sign, ..flags(kind) };
    if r.operands.len() == 4 && kind == F32 {
        let f = if least { float::minimum_of_three } else { float::maximum_of_three };
        return plain(Op::Ternary(f, flags), r.output(0, kind)?, r.inputs([kind, kind, kind])?);
    }
    r.count(3)?;
    let f = match (least, kind.packed()) {
        (true, false) => float::minimum,
        (false, false) => float::maximum,
        (true, true) => float::minimum_halves,
        (false, true) => float::maximum_halves,
    };
    plain(Op::Binary(f, flags), r.output(0, kind)?, r.inputs([kind, kind])?)
}

fn copy_sign(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let kind = r.kind_of(&[F32, F64])?;
    r.count(3)?;
    plain(Op::Binary(float::copy_sign, flags(kind)), r.output(0, kind)?, r.inputs([kind, kind])?)
}

fn test(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let mode = r.must(&[
        ("finite", 0),
        ("infinite", 1),
        ("number", 2),
        ("notanumber", 3),
        ("normal", 4),
        ("subnormal", 5),
    ])?;
    let kind = r.kind_of(&[F32, F64])?;
    r.count(2)?;
    plain(Op::Unary(float::test, Flags { mode, ..flags(kind) }), r.output(0, Pred)?, r.inputs([kind])?)
}

/// The roundings of `cvt`, and whether the result is an integer.
const ROUNDINGS: [(&str, (Rounding, bool)); 9] = [
    ("rn", (Rounding::Nearest, false)),
    ("rz", (Rounding::Zero, false)),
    ("rm", (Rounding::Down, false)),
    ("rp", (Rounding::Up, false)),
    ("rna", (Rounding::Away, false)),
    ("rni", (Rounding::Nearest, true)),
    ("rzi", (Rounding::Zero, true)),
    ("rmi", (Rounding::Down, true)),
    ("rpi", (Rounding::Up, true)),
];

fn convert(r: &mut Reading<'_, '_, '_>) -> Decoded {
    if r.has("pack") {
        return pack(r);
    }
    let rounding = r.one_of(&ROUNDINGS);
    let (flush, saturate) = (r.has("ftz"), r.has("sat"));
    let (relu, finite) = (r.has("relu"), r.has("satfinite"));
    let (to, from) = (r.kind()?, r.kind()?);
    let conversion = Conversion {
        from,
        to,
        rounding: rounding.map_or(Rounding::Nearest, |rounding| rounding.0),
        integral: rounding.is_some_and(|rounding| rounding.1),
        flush,
        saturate,
        finite,
        relu,
    };
    if to.packed() {
        return convert_pair(r, conversion, rounding);
    }
    let number = |kind: Type| kind.integer() || kind.format().is_some() && !kind.packed();
    if !number(from) || !number(to) || from == Tf32 {
        return Err(format!("there is no conversion from .{} to .{}", from.name(), to.name()));
    }
    check_rounding(conversion, rounding)?;
    if flush && from != F32 && to != F32 {
        return Err("only f32 has .ftz".to_string());
    }
    if (relu || finite) && !matches!(to, F16 | Bf16 | Tf32) {
        return Err("only f16, bf16 and tf32 have .relu and .satfinite".to_string());
    }
    r.count(2)?;
    if let Operand::Special(special) = *r.operand(1)? {
        if crate::parse::special_bits(special) != from.bits() {
            return Err("that special register has another size".to_string());
        }
        return plain(Op::Cvt(Box::new(conversion)), r.wide_output(0, to)?, [Source::special(special)]);
    }
    plain(Op::Cvt(Box::new(conversion)), r.wide_output(0, to)?, [r.wide_input(1, from)?])
}

/// A rounding is there exactly where bits can be lost.
fn check_rounding(conversion: Conversion, rounding: Option<(Rounding, bool)>) -> Decoded<()> {
    let Conversion { from, to, .. } = conversion;
    let rule = match (from.format(), to.format()) {
        (None, None) => rounding.is_none(),
        (None, Some(_)) => rounding.is_some_and(|(_, integral)| !integral),
        (Some(_), None) => rounding.is_some_and(|(_, integral)| integral),
        (Some(a), Some(b)) if a == b => rounding.is_none_or(|(_, integral)| integral),
        (Some(a), Some(b)) => {
            let exact = a.fraction_bits() <= b.fraction_bits() && a.exponent_bits() <= b.exponent_bits();
            if exact { rounding.is_none() } else { rounding.is_some_and(|(_, integral)| !integral) }
        }
    };
    let away = rounding.is_some_and(|(rounding, _)| rounding == Rounding::Away);
    if !rule || away && to != Tf32 {
        return Err(format!("no such rounding from .{} to .{}", from.name(), to.name()));
    }
    Ok(())
}

/// Two f32 to both halves.
fn convert_pair(
    r: &mut Reading<'_, '_, '_>,
    conversion: Conversion,
    rounding: Option<(Rounding, bool)>,
) -> Decoded {
    let to = match conversion.to {
        F16x2 => F16,
        Bf16x2 => Bf16,
        _ => return Err("there is no such conversion".to_string()),
    };
    if conversion.from != F32 || !matches!(rounding, Some((Rounding::Nearest | Rounding::Zero, false))) {
        return Err("two halves come from two f32, rounded .rn or .rz".to_string());
    }
    r.count(3)?;
    let destination = r.output(0, conversion.to)?;
    let sources = r.inputs([F32, F32])?;
    plain(Op::CvtPair(Box::new(Conversion { to, ..conversion })), destination, sources)
}

/// `cvt.pack.sat`: two s32, saturated, above what `c` has.
fn pack(r: &mut Reading<'_, '_, '_>) -> Decoded {
    if !r.has("sat") {
        return Err("it has .sat".to_string());
    }
    let to = r.kind_of(&[U8, S8, U16, S16])?;
    r.kind_of(&[S32])?;
    let conversion = Conversion {
        from: S32,
        to,
        rounding: Rounding::Nearest,
        integral: false,
        flush: false,
        saturate: true,
        finite: false,
        relu: false,
    };
    let destination = r.output(0, B32)?;
    let mut out = Instruction::new(Op::CvtPair(Box::new(conversion))).to(destination);
    if to.bits() == 8 {
        r.kind_of(&[B32])?;
        r.count(4)?;
        out = out.from(r.inputs([S32, S32, B32])?);
    } else {
        r.count(3)?;
        out = out.from(r.inputs([S32, S32])?);
    }
    Ok(out)
}

//! Integer instructions, comparisons, selections and moves.

use super::{Decoded, Reading, plain};
use crate::code::{Binary, Combine, Comparison, Flags, Instruction, Op, Source, Unary};
use crate::parse::Operand;
use crate::types::Type::{self, *};
use crate::{float, integer};

const WORDS: [Type; 6] = [U16, U32, U64, S16, S32, S64];
const BITS: [Type; 3] = [B16, B32, B64];

/// The instruction of that name, if it is one of these.
pub(super) fn instruction(r: &mut Reading<'_, '_, '_>, name: &str) -> Option<Decoded> {
    // Names that floats share come back as None when the type is one of theirs.
    let floating =
        r.modifiers.iter().any(|(word, _)| Type::named(word).is_some_and(|kind| kind.format().is_some()));
    Some(match name {
        "add" | "sub" | "addc" | "subc" if !floating => add(r, name),
        "mul" | "mad" | "madc" if !floating => multiply(r, name),
        "mul24" | "mad24" => multiply_24(r, name),
        "sad" => distance(r),
        "div" if !floating => binary(r, &WORDS, integer::divide),
        "rem" => binary(r, &WORDS, integer::remainder),
        "min" | "max" if !floating => extreme(r, name == "min"),
        "abs" if !floating => unary(r, &[S16, S32, S64], integer::absolute),
        "neg" if !floating => unary(r, &[S16, S32, S64], integer::negate),
        "and" => binary(r, &[Pred, B16, B32, B64], integer::and),
        "or" => binary(r, &[Pred, B16, B32, B64], integer::or),
        "xor" => binary(r, &[Pred, B16, B32, B64], integer::xor),
        "not" => unary(r, &[Pred, B16, B32, B64], integer::not),
        "cnot" => unary(r, &BITS, integer::logical_not),
        "shl" => shift(r, &BITS, integer::shift_left),
        "shr" => shift(r, &[B16, B32, B64, U16, U32, U64, S16, S32, S64], integer::shift_right),
        "shf" => funnel(r),
        "popc" => counted(r, &[B32, B64], integer::population),
        "clz" => counted(r, &[B32, B64], integer::leading_zeros),
        "brev" => unary(r, &[B32, B64], integer::reverse),
        "bfind" => find_highest(r),
        "bfe" => extract(r),
        "bfi" => insert(r),
        "lop3" => lookup(r),
        "prmt" => permute(r),
        "dp4a" | "dp2a" => dot(r, name == "dp2a"),
        "szext" => extend(r),
        "bmsk" => bit_mask(r),
        "fns" => find_nth(r),
        "selp" => select(r),
        "slct" => select_by_sign(r),
        "setp" => compare(r),
        "set" => set(r),
        "mov" => mov(r),
        _ => return None,
    })
}

/// The flags of an integer type.
fn flags(kind: Type) -> Flags {
    Flags { width: kind.bits() as u8, signed: kind.signed(), ..Flags::default() }
}

fn unary(r: &mut Reading<'_, '_, '_>, kinds: &[Type], f: Unary) -> Decoded {
    let kind = r.kind_of(kinds)?;
    r.count(2)?;
    plain(Op::Unary(f, flags(kind)), r.output(0, kind)?, r.inputs([kind])?)
}

/// With a result of 32 bits.
fn counted(r: &mut Reading<'_, '_, '_>, kinds: &[Type], f: Unary) -> Decoded {
    let kind = r.kind_of(kinds)?;
    r.count(2)?;
    plain(Op::Unary(f, flags(kind)), r.output(0, U32)?, r.inputs([kind])?)
}

fn binary(r: &mut Reading<'_, '_, '_>, kinds: &[Type], f: Binary) -> Decoded {
    let kind = r.kind_of(kinds)?;
    r.count(3)?;
    plain(Op::Binary(f, flags(kind)), r.output(0, kind)?, r.inputs([kind, kind])?)
}

fn add(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    let (reads, writes, saturate) = (name.ends_with('c'), r.has("cc"), r.has("sat"));
    let subtracts = name.starts_with("sub");
    if reads || writes {
        let kind = r.kind_of(&[U32, S32, U64, S64])?;
        r.count(3)?;
        let op = Op::Carry { reads, writes, subtracts, flags: flags(kind) };
        return plain(op, r.output(0, kind)?, r.inputs([kind, kind])?);
    }
    let kind = r.kind_of(&[U16, U32, U64, S16, S32, S64, U16x2, S16x2])?;
    r.count(3)?;
    if saturate && kind != S32 {
        return Err("only .s32 saturates".to_string());
    }
    let f = match (kind.packed(), subtracts) {
        (true, false) => integer::add_halves,
        (true, true) => return Err("there is no such subtraction".to_string()),
        (false, false) => integer::add,
        (false, true) => integer::subtract,
    };
    plain(Op::Binary(f, Flags { saturate, ..flags(kind) }), r.output(0, kind)?, r.inputs([kind, kind])?)
}

fn doubled(kind: Type) -> Decoded<Type> {
    Ok(match kind {
        U16 => U32,
        S16 => S32,
        U32 => U64,
        S32 => S64,
        _ => return Err("there is no wider type".to_string()),
    })
}

fn multiply(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    let part = r.must(&[("lo", 0), ("hi", 1), ("wide", 2)])?;
    let (reads, writes, saturate) = (name == "madc", r.has("cc"), r.has("sat"));
    let kind = r.kind_of(&WORDS)?;
    let flags = Flags { saturate, ..flags(kind) };
    if saturate && !(name == "mad" && part == 1 && kind == S32) {
        return Err("only mad.hi.s32 saturates".to_string());
    }
    let result = if part == 2 { doubled(kind)? } else { kind };
    if name == "mul" {
        r.count(3)?;
        let f = [integer::multiply_low, integer::multiply_high, integer::multiply_wide][part];
        return plain(Op::Binary(f, flags), r.output(0, result)?, r.inputs([kind, kind])?);
    }
    r.count(4)?;
    let destination = r.output(0, result)?;
    let sources = r.inputs([kind, kind, result])?;
    if reads || writes {
        if part == 2 || kind.bits() < 32 {
            return Err("there is no such form with carry".to_string());
        }
        return plain(Op::MadCarry { high: part == 1, reads, writes, flags }, destination, sources);
    }
    let f = [integer::mad_low, integer::mad_high, integer::mad_wide][part];
    plain(Op::Ternary(f, flags), destination, sources)
}

fn multiply_24(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    let mode = r.must(&[("lo", 0), ("hi", 1)])?;
    let saturate = r.has("sat");
    let kind = r.kind_of(&[U32, S32])?;
    if saturate && !(name == "mad24" && mode == 1 && kind == S32) {
        return Err("only mad24.hi.s32 saturates".to_string());
    }
    let flags = Flags { mode, saturate, ..flags(kind) };
    if name == "mul24" {
        r.count(3)?;
        return plain(Op::Binary(integer::multiply_24, flags), r.output(0, kind)?, r.inputs([kind, kind])?);
    }
    r.count(4)?;
    plain(Op::Ternary(integer::mad_24, flags), r.output(0, kind)?, r.inputs([kind, kind, kind])?)
}

fn distance(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let kind = r.kind_of(&WORDS)?;
    r.count(4)?;
    plain(Op::Ternary(integer::distance, flags(kind)), r.output(0, kind)?, r.inputs([kind, kind, kind])?)
}

fn extreme(r: &mut Reading<'_, '_, '_>, least: bool) -> Decoded {
    let relu = r.has("relu");
    let kind = r.kind_of(&[U16, U32, U64, S16, S32, S64, U16x2, S16x2])?;
    r.count(3)?;
    if relu && !matches!(kind, S32 | S16x2) {
        return Err(format!("there is no .relu of .{}", kind.name()));
    }
    let f = match (kind.packed(), least) {
        (false, true) => integer::minimum,
        (false, false) => integer::maximum,
        (true, true) => integer::minimum_halves,
        (true, false) => integer::maximum_halves,
    };
    let flags = Flags { relu, signed: kind.signed() || kind == S16x2, ..flags(kind) };
    plain(Op::Binary(f, flags), r.output(0, kind)?, r.inputs([kind, kind])?)
}

fn shift(r: &mut Reading<'_, '_, '_>, kinds: &[Type], f: Binary) -> Decoded {
    let kind = r.kind_of(kinds)?;
    r.count(3)?;
    plain(Op::Binary(f, flags(kind)), r.output(0, kind)?, r.inputs([kind, U32])?)
}

fn funnel(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let left = r.must(&[("l", true), ("r", false)])?;
    let mode = r.must(&[("clamp", 0), ("wrap", 1)])?;
    r.kind_of(&[B32])?;
    r.count(4)?;
    let f = if left { integer::funnel_left } else { integer::funnel_right };
    plain(Op::Ternary(f, Flags { mode, ..Flags::default() }), r.output(0, B32)?, r.inputs([B32, B32, U32])?)
}

fn find_highest(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let mode = u8::from(r.has("shiftamt"));
    let kind = r.kind_of(&[U32, U64, S32, S64])?;
    r.count(2)?;
    plain(
        Op::Unary(integer::find_highest, Flags { mode, ..flags(kind) }),
        r.output(0, U32)?,
        r.inputs([kind])?,
    )
}

fn extract(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let kind = r.kind_of(&[U32, U64, S32, S64])?;
    r.count(4)?;
    plain(Op::Ternary(integer::extract, flags(kind)), r.output(0, kind)?, r.inputs([kind, U32, U32])?)
}

fn insert(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let kind = r.kind_of(&[B32, B64])?;
    r.count(5)?;
    plain(Op::Quaternary(integer::insert, flags(kind)), r.output(0, kind)?, r.inputs([kind, kind, U32, U32])?)
}

fn lookup(r: &mut Reading<'_, '_, '_>) -> Decoded {
    r.kind_of(&[B32])?;
    r.count(5)?;
    match r.operand(4)? {
        Operand::Integer(0..=255) => {}
        _ => return Err("the table is a number from 0 to 255".to_string()),
    }
    plain(Op::Quaternary(integer::lookup, Flags::default()), r.output(0, B32)?, r.inputs([B32; 4])?)
}

fn permute(r: &mut Reading<'_, '_, '_>) -> Decoded {
    r.kind_of(&[B32])?;
    r.count(4)?;
    let mode =
        r.one_of(&[("f4e", 1), ("b4e", 2), ("rc8", 3), ("ecl", 4), ("ecr", 5), ("rc16", 6)]).unwrap_or(0);
    plain(
        Op::Ternary(integer::permute, Flags { mode, ..Flags::default() }),
        r.output(0, B32)?,
        r.inputs([B32; 3])?,
    )
}

fn dot(r: &mut Reading<'_, '_, '_>, halves: bool) -> Decoded {
    let mode = if halves { r.must(&[("lo", 0), ("hi", 1)])? } else { 0 };
    let (a, b) = (r.kind_of(&[U32, S32])?, r.kind_of(&[U32, S32])?);
    r.count(4)?;
    let kind = if a.signed() || b.signed() { S32 } else { U32 };
    let flags = Flags { signed: a.signed(), other_signed: b.signed(), mode, ..Flags::default() };
    let f = if halves { integer::dot_halves } else { integer::dot_bytes };
    plain(Op::Ternary(f, flags), r.output(0, kind)?, r.inputs([a, b, kind])?)
}

fn extend(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let mode = r.must(&[("clamp", 0), ("wrap", 1)])?;
    let kind = r.kind_of(&[U32, S32])?;
    r.count(3)?;
    plain(
        Op::Binary(integer::extend, Flags { mode, ..flags(kind) }),
        r.output(0, kind)?,
        r.inputs([kind, U32])?,
    )
}

fn bit_mask(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let mode = r.must(&[("clamp", 0), ("wrap", 1)])?;
    r.kind_of(&[B32])?;
    r.count(3)?;
    plain(
        Op::Binary(integer::bit_mask, Flags { mode, ..Flags::default() }),
        r.output(0, B32)?,
        r.inputs([U32, U32])?,
    )
}

fn find_nth(r: &mut Reading<'_, '_, '_>) -> Decoded {
    r.kind_of(&[B32])?;
    r.count(4)?;
    plain(Op::Ternary(integer::find_nth, Flags::default()), r.output(0, B32)?, r.inputs([B32, U32, S32])?)
}

fn select(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let kind = r.kind_of(&[B16, B32, B64, U16, U32, U64, S16, S32, S64, F32, F64])?;
    r.count(4)?;
    plain(Op::Ternary(integer::select, flags(kind)), r.output(0, kind)?, r.inputs([kind, kind, Pred])?)
}

fn select_by_sign(r: &mut Reading<'_, '_, '_>) -> Decoded {
    r.has("ftz");
    let kind = r.kind_of(&[B16, B32, B64, U16, U32, U64, S16, S32, S64, F32, F64])?;
    let by = r.kind_of(&[S32, F32])?;
    r.count(4)?;
    let f = if by == F32 { integer::select_by_float } else { integer::select_by_sign };
    plain(Op::Ternary(f, flags(kind)), r.output(0, kind)?, r.inputs([kind, kind, by])?)
}

/// The comparison, and which types it is for.
fn comparison(r: &mut Reading<'_, '_, '_>) -> Decoded<(Comparison, bool, Ordered)> {
    use Comparison::*;
    r.must(&[
        ("eq", (Equal, false, Ordered::All)),
        ("ne", (NotEqual, false, Ordered::All)),
        ("lt", (Less, false, Ordered::Numbers)),
        ("le", (LessEqual, false, Ordered::Numbers)),
        ("gt", (Greater, false, Ordered::Numbers)),
        ("ge", (GreaterEqual, false, Ordered::Numbers)),
        ("lo", (Less, false, Ordered::Unsigned)),
        ("ls", (LessEqual, false, Ordered::Unsigned)),
        ("hi", (Greater, false, Ordered::Unsigned)),
        ("hs", (GreaterEqual, false, Ordered::Unsigned)),
        ("equ", (Equal, true, Ordered::Floats)),
        ("neu", (NotEqual, true, Ordered::Floats)),
        ("ltu", (Less, true, Ordered::Floats)),
        ("leu", (LessEqual, true, Ordered::Floats)),
        ("gtu", (Greater, true, Ordered::Floats)),
        ("geu", (GreaterEqual, true, Ordered::Floats)),
        ("num", (Numbers, false, Ordered::Floats)),
        ("nan", (Nan, false, Ordered::Floats)),
    ])
}

/// Which types a comparison is for.
#[derive(Copy, Clone, PartialEq)]
enum Ordered {
    All,
    Numbers,
    Unsigned,
    Floats,
}

const COMPARED: [Type; 15] =
    [B16, B32, B64, U16, U32, U64, S16, S32, S64, F16, F16x2, Bf16, Bf16x2, F32, F64];

/// The comparison's function and flags for a type.
fn test(r: &mut Reading<'_, '_, '_>) -> Decoded<(Binary, Flags, Combine, Type, Option<Type>)> {
    let (comparison, unordered, ordered) = comparison(r)?;
    let combine = r
        .one_of(&[("and", Combine::And), ("or", Combine::Or), ("xor", Combine::Xor)])
        .unwrap_or(Combine::None);
    let flush = r.has("ftz");
    let first = r.kind()?;
    let second = r.kind().ok();
    let kind = second.unwrap_or(first);
    let fits = match ordered {
        Ordered::All => true,
        Ordered::Numbers => !kind.untyped(),
        Ordered::Unsigned => kind.integer() && !kind.signed(),
        Ordered::Floats => kind.format().is_some(),
    };
    if !fits || !COMPARED.contains(&kind) {
        return Err(format!("there is no such comparison of .{}", kind.name()));
    }
    let format = kind.format();
    if flush && !matches!(kind, F32 | F16 | F16x2) {
        return Err("only f32 and f16 have .ftz".to_string());
    }
    let flags = Flags { comparison, unordered, flush, format: format.unwrap_or_default(), ..flags(kind) };
    let f = if format.is_some() { float::compare } else { integer::compare };
    Ok((f, flags, combine, first, second))
}

fn compare(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let (test, flags, combine, kind, None) = test(r)? else {
        return Err("it has one type".to_string());
    };
    r.count(if combine == Combine::None { 3 } else { 4 })?;
    let (first, second) = match r.operand(0)? {
        Operand::Pair(first, second) => (r.pair_output(first)?, r.pair_output(second)?),
        _ => (Some(r.output(0, Pred)?), None),
    };
    let [a, b] = r.inputs([kind, kind])?;
    let (c, negated) = if combine == Combine::None { (Source::NONE, false) } else { r.predicate(3)? };
    let op =
        if kind.packed() { Op::ComparePair { flags, combine } } else { Op::Compare { test, flags, combine } };
    let none = crate::code::NONE;
    let mut out = Instruction::new(op).to(first.unwrap_or(none)).from([a, b, c]);
    out.offset = i64::from(negated);
    if let Some(second) = second {
        out.more_destinations = Box::new([second]);
    }
    Ok(out)
}

impl<'a> Reading<'_, '_, 'a> {
    /// A predicate of two, which can be `_`.
    fn pair_output(&self, operand: &Operand<'a>) -> Decoded<Option<u32>> {
        if *operand == Operand::Sink {
            Ok(None)
        } else {
            self.destination(operand, Pred, Type::takes).map(Some)
        }
    }
}

/// `set`: all ones or 1.0 where the comparison holds.
fn set(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let (test, flags, combine, result, Some(kind)) = test(r)? else {
        return Err("it has two types".to_string());
    };
    if !matches!(result, U32 | S32 | F32) || kind.packed() {
        return Err("no such result".to_string());
    }
    r.count(if combine == Combine::None { 3 } else { 4 })?;
    let destination = r.output(0, result)?;
    let [a, b] = r.inputs([kind, kind])?;
    let (c, negated) = if combine == Combine::None { (Source::NONE, false) } else { r.predicate(3)? };
    let mut out = Instruction::new(Op::Compare { test, flags, combine }).to(destination).from([a, b, c]);
    out.offset = i64::from(negated) | if result == F32 { 4 } else { 2 };
    Ok(out)
}

fn mov(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let kind = r.kind_of(&[Pred, B16, B32, B64, U16, U32, U64, S16, S32, S64, F32, F64])?;
    r.count(2)?;
    match (r.operand(0)?.clone(), r.operand(1)?.clone()) {
        (_, Operand::Vector(elements)) => {
            let part = part(kind, elements.len())?;
            let sources: Decoded<Box<[Source]>> =
                elements.iter().map(|element| r.value(element, part, Type::takes)).collect();
            let mut out = Instruction::new(Op::Pack(part.bits() as u8)).to(r.output(0, kind)?);
            out.more_sources = sources?;
            Ok(out)
        }
        (Operand::Vector(elements), _) => {
            let part = part(kind, elements.len())?;
            let destinations: Decoded<Box<[u32]>> = elements
                .iter()
                .map(|element| match element {
                    Operand::Sink => Ok(crate::code::NONE),
                    _ => r.destination(element, part, Type::takes),
                })
                .collect();
            let mut out = Instruction::new(Op::Unpack(part.bits() as u8)).from([r.input(1, kind)?]);
            out.more_destinations = destinations?;
            Ok(out)
        }
        (_, Operand::Special(special)) => {
            let bits = crate::parse::special_bits(special);
            if bits != kind.bits() || kind.format().is_some() {
                return Err(format!("that special register has {bits} bits"));
            }
            plain(Op::Move, r.output(0, kind)?, [Source::special(special)])
        }
        (_, Operand::Variable(variable, more)) => {
            if !matches!(kind, U32 | U64 | S32 | S64 | B32 | B64) {
                return Err("an address has 32 or 64 bits".to_string());
            }
            plain(Op::Move, r.output(0, kind)?, [r.address_of(variable, more)])
        }
        _ => plain(Op::Move, r.output(0, kind)?, [r.input(1, kind)?]),
    }
}

/// The type of a piece, of which so many make the whole.
fn part(whole: Type, count: usize) -> Decoded<Type> {
    Ok(match (whole, count) {
        (B32, 2) | (B64, 4) => B16,
        (B64, 2) => B32,
        _ => return Err(format!("{count} pieces do not make a .{}", whole.name())),
    })
}

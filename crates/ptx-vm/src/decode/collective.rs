//! What threads of a warp or block do together.

use super::{Decoded, Reading, plain};
use crate::code::{AtomicOp, BarrierKind, Collective, Instruction, NONE, Op, Source, Space};
use crate::parse::Operand;
use crate::types::Format;
use crate::types::Type::{self, *};

/// The instruction of that name, if it is one of these.
pub(super) fn instruction(r: &mut Reading<'_, '_, '_>, name: &str) -> Option<Decoded> {
    Some(match name {
        "bar" | "barrier" => barrier(r, name == "bar"),
        "shfl" => shuffle(r),
        "vote" => vote(r),
        "match" => matching(r),
        "redux" => reduce(r),
        "elect" => elect(r),
        "ldmatrix" => load_matrix(r),
        "mma" => multiply(r),
        _ => return None,
    })
}

fn barrier(r: &mut Reading<'_, '_, '_>, short: bool) -> Decoded {
    if short && r.has("warp") {
        if !r.has("sync") {
            return Err("it has .sync".to_string());
        }
        r.count(1)?;
        let mask = r.input(0, B32)?;
        return plain(
            collective(Collective::WarpBarrier),
            NONE,
            [Source::NONE, Source::NONE, Source::NONE, mask],
        );
    }
    r.has("cta");
    let kind = r.must(&[("sync", 0), ("arrive", 1), ("red", 2)])?;
    let kind = match kind {
        0 => BarrierKind::Sync,
        1 => BarrierKind::Arrive,
        _ => r.must(&[("popc", BarrierKind::Popc), ("and", BarrierKind::And), ("or", BarrierKind::Or)])?,
    };
    let aligned = r.has("aligned") || short;
    let mut destination = NONE;
    let reduces = !matches!(kind, BarrierKind::Sync | BarrierKind::Arrive);
    if reduces {
        let result = r.kind_of(if kind == BarrierKind::Popc { &[U32] } else { &[Pred] })?;
        destination = r.output(0, result)?;
    }
    let first = usize::from(reduces);
    let more = r.operands.len().checked_sub(first + usize::from(reduces)).ok_or("an operand is missing")?;
    if !(1..=2).contains(&more) || kind == BarrierKind::Arrive && more != 2 {
        return Err("a barrier's number, and maybe how many threads, are missing".to_string());
    }
    if let Operand::Integer(16..) = r.operand(first)? {
        return Err("barriers are numbered 0 to 15".to_string());
    }
    let number = r.input(first, U32)?;
    let mut threads = Source::NONE;
    if more == 2 {
        if matches!(*r.operand(first + 1)?, Operand::Integer(count) if count % 32 != 0 || count == 0) {
            return Err("as many threads as some warps have".to_string());
        }
        threads = r.input(first + 1, U32)?;
    }
    let (predicate, negated) = if reduces { r.predicate(first + more)? } else { (Source::NONE, false) };
    plain(Op::Barrier { kind, aligned, negated }, destination, [number, threads, predicate])
}

fn collective(kind: Collective) -> Op {
    Op::Collective { kind, negated: false }
}

fn synchronized(r: &mut Reading<'_, '_, '_>) -> Decoded<()> {
    if r.has("sync") { Ok(()) } else { Err("it has .sync".to_string()) }
}

/// A result, and maybe a predicate beside it.
fn results(r: &Reading<'_, '_, '_>, kind: Type) -> Decoded<(u32, u32)> {
    let one = |operand: &Operand<'_>, kind| match operand {
        Operand::Sink => Ok(NONE),
        Operand::Register(register) if kind_takes(r, kind, *register) => Ok(*register),
        _ => Err("no destination of the right type".to_string()),
    };
    match r.operand(0)? {
        Operand::Pair(first, second) => Ok((one(first, kind)?, one(second, Pred)?)),
        operand => Ok((one(operand, kind)?, NONE)),
    }
}

fn kind_takes(r: &Reading<'_, '_, '_>, kind: Type, register: u32) -> bool {
    kind.takes(r.register_type(register))
}

fn shuffle(r: &mut Reading<'_, '_, '_>) -> Decoded {
    synchronized(r)?;
    let kind = r.must(&[
        ("up", Collective::ShuffleUp),
        ("down", Collective::ShuffleDown),
        ("bfly", Collective::ShuffleXor),
        ("idx", Collective::ShuffleIndex),
    ])?;
    r.kind_of(&[B32])?;
    r.count(5)?;
    let (destination, predicate) = results(r, B32)?;
    let sources = [r.input(1, B32)?, r.input(2, U32)?, r.input(3, U32)?, r.input(4, B32)?];
    with_predicate(plain(collective(kind), destination, sources), predicate)
}

fn with_predicate(decoded: Decoded, predicate: u32) -> Decoded {
    decoded.map(|mut out| {
        if predicate != NONE {
            out.more_destinations = Box::new([predicate]);
        }
        out
    })
}

fn vote(r: &mut Reading<'_, '_, '_>) -> Decoded {
    synchronized(r)?;
    let kind = r.must(&[
        ("any", Collective::VoteAny),
        ("all", Collective::VoteAll),
        ("uni", Collective::VoteUniform),
        ("ballot", Collective::VoteBallot),
    ])?;
    let result = r.kind_of(if kind == Collective::VoteBallot { &[B32] } else { &[Pred] })?;
    r.count(3)?;
    let destination = r.output(0, result)?;
    let (predicate, negated) = r.predicate(1)?;
    let mask = r.input(2, B32)?;
    plain(Op::Collective { kind, negated }, destination, [predicate, Source::NONE, Source::NONE, mask])
}

fn matching(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let kind = r.must(&[("any", Collective::MatchAny), ("all", Collective::MatchAll)])?;
    synchronized(r)?;
    let input = r.kind_of(&[B32, B64])?;
    r.count(3)?;
    let (destination, predicate) = results(r, B32)?;
    if predicate != NONE && kind == Collective::MatchAny {
        return Err("only match.all gives a predicate".to_string());
    }
    let sources = [r.input(1, input)?, Source::NONE, Source::NONE, r.input(2, B32)?];
    with_predicate(plain(collective(kind), destination, sources), predicate)
}

fn reduce(r: &mut Reading<'_, '_, '_>) -> Decoded {
    synchronized(r)?;
    let op = r.must(&[
        ("add", AtomicOp::Add),
        ("min", AtomicOp::Min),
        ("max", AtomicOp::Max),
        ("and", AtomicOp::And),
        ("or", AtomicOp::Or),
        ("xor", AtomicOp::Xor),
    ])?;
    let bitwise = matches!(op, AtomicOp::And | AtomicOp::Or | AtomicOp::Xor);
    let kind = r.kind_of(if bitwise { &[B32] } else { &[U32, S32] })?;
    r.count(3)?;
    let sources = [r.input(1, kind)?, Source::NONE, Source::NONE, r.input(2, B32)?];
    plain(collective(Collective::Reduce(op, kind)), r.output(0, kind)?, sources)
}

fn elect(r: &mut Reading<'_, '_, '_>) -> Decoded {
    synchronized(r)?;
    r.count(2)?;
    let (destination, predicate) = results(r, B32)?;
    let sources = [Source::NONE, Source::NONE, Source::NONE, r.input(1, B32)?];
    with_predicate(plain(collective(Collective::Elect), destination, sources), predicate)
}

fn load_matrix(r: &mut Reading<'_, '_, '_>) -> Decoded {
    synchronized(r)?;
    r.must(&[("aligned", ())])?;
    r.must(&[("m8n8", ())])?;
    let count = r.must(&[("x1", 1u8), ("x2", 2), ("x4", 4)])?;
    let transposed = r.has("trans");
    if r.space() != Space::Shared {
        return Err("matrices are loaded from shared memory".to_string());
    }
    r.kind_of(&[B16])?;
    r.count(2)?;
    let (base, offset, _) = r.address(1, Space::Shared)?;
    let destinations = registers(r, 0, usize::from(count), B32)?;
    let mask = r.constant(u64::from(u32::MAX));
    let kind = Collective::LoadMatrix { count, transposed };
    let mut out = Instruction::new(collective(kind)).from([base, Source::NONE, Source::NONE, mask]);
    out.destination = destinations[0];
    out.more_destinations = destinations[1..].into();
    out.offset = offset;
    Ok(out)
}

fn registers(r: &Reading<'_, '_, '_>, at: usize, count: usize, kind: Type) -> Decoded<Vec<u32>> {
    r.elements(at, count)?.iter().map(|element| r.destination(element, kind, Type::takes)).collect()
}

/// `mma.sync` of m16n8k8 and m16n8k16: sources are the pieces of a, b and c in a row.
fn multiply(r: &mut Reading<'_, '_, '_>) -> Decoded {
    synchronized(r)?;
    r.must(&[("aligned", ())])?;
    let k = r.must(&[("m16n8k8", 8u8), ("m16n8k16", 16)])?;
    r.must(&[("row", ())])?;
    r.must(&[("col", ())])?;
    let d = r.kind_of(&[F16, F32])?;
    let a = r.kind_of(&[F16, Bf16])?;
    let b = r.kind_of(&[F16, Bf16])?;
    let c = r.kind_of(&[F16, F32])?;
    r.count(4)?;
    let format = a.format().unwrap_or(Format::F16);
    if a != b || c != d || format == Format::Bf16 && d == F16 {
        return Err("there is no such product".to_string());
    }
    let pieces = usize::from(k) / 4;
    let (result, results) = if d == F32 { (F32, 4) } else { (B32, 2) };
    let destinations = registers(r, 0, results, result)?;
    let mut sources = Vec::new();
    for (at, count, kind) in [(1, pieces, B32), (2, pieces / 2, B32), (3, results, result)] {
        for element in r.elements(at, count)? {
            sources.push(r.value(&element, kind, Type::takes)?);
        }
    }
    let mask = r.constant(u64::from(u32::MAX));
    let kind = Collective::Multiply { k, format, wide: d == F32 };
    let mut out = Instruction::new(collective(kind)).from([Source::NONE, Source::NONE, Source::NONE, mask]);
    out.destination = destinations[0];
    out.more_destinations = destinations[1..].into();
    out.more_sources = sources.into();
    Ok(out)
}

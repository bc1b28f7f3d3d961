//! Loads, stores, atomics, fences and addresses.

use super::{Decoded, Reading, plain};
use crate::code::{Access, AtomicOp, Instruction, NONE, Op, Order, Scope, Source, Space};
use crate::parse::Operand;
use crate::types::Type::{self, *};

const LOADED: [Type; 14] = [B8, B16, B32, B64, U8, U16, U32, U64, S8, S16, S32, S64, F32, F64];

/// The instruction of that name, if it is one of these.
pub(super) fn instruction(r: &mut Reading<'_, '_, '_>, name: &str) -> Option<Decoded> {
    Some(match name {
        "ld" | "ldu" => load(r, name == "ldu"),
        "st" => store(r),
        "atom" => atomic(r, true),
        "red" => atomic(r, false),
        "fence" | "membar" => fence(r, name),
        "cvta" => convert(r),
        "isspacep" => is_space(r),
        "prefetch" | "prefetchu" | "applypriority" | "discard" => hint(r, name),
        _ => return None,
    })
}

/// A cluster is one block here.
fn scope(r: &mut Reading<'_, '_, '_>) -> Option<Scope> {
    r.one_of(&[
        ("cta", Scope::Block),
        ("cluster", Scope::Block),
        ("gpu", Scope::Device),
        ("sys", Scope::System),
    ])
}

/// Modifiers about caches, which change nothing here.
fn caching(r: &mut Reading<'_, '_, '_>) {
    const NAMES: [&str; 19] = [
        "ca",
        "cg",
        "cs",
        "lu",
        "cv",
        "wb",
        "wt",
        "L1::evict_normal",
        "L1::evict_unchanged",
        "L1::evict_first",
        "L1::evict_last",
        "L1::no_allocate",
        "L2::evict_normal",
        "L2::evict_first",
        "L2::evict_last",
        "L2::64B",
        "L2::128B",
        "L2::256B",
        "unified",
    ];
    for name in NAMES {
        r.has(name);
    }
}

/// How strong a load or store is.
fn strength(r: &mut Reading<'_, '_, '_>, ordered: &[(&str, Order)]) -> Decoded<(Order, Scope)> {
    if r.has("weak") {
        return Ok((Order::Weak, Scope::System));
    }
    if r.has("volatile") {
        return Ok((Order::Relaxed, Scope::System));
    }
    r.has("mmio");
    let Some(order) = r.one_of(ordered) else { return Ok((Order::Weak, Scope::System)) };
    match scope(r) {
        Some(scope) => Ok((order, scope)),
        None => Err("a scope is missing: .cta, .gpu or .sys".to_string()),
    }
}

fn count(r: &mut Reading<'_, '_, '_>) -> u8 {
    r.one_of(&[("v2", 2), ("v4", 4), ("v8", 8)]).unwrap_or(1)
}

/// An access of such elements; refuses what is too wide.
fn access(space: Space, (order, scope): (Order, Scope), kind: Type, count: u8) -> Decoded<Access> {
    let bytes = kind.bytes() as u8;
    let most = if space == Space::Global { 32 } else { 16 };
    if u32::from(bytes) * u32::from(count) > most {
        return Err("a vector of too many bytes".to_string());
    }
    if matches!(space, Space::Param | Space::Const | Space::Local) && order != Order::Weak {
        return Err("nobody else sees that space".to_string());
    }
    Ok(Access { space, order, scope, bytes, count, signed: kind.signed(), non_coherent: false })
}

fn load(r: &mut Reading<'_, '_, '_>, uniform: bool) -> Decoded {
    let strength = strength(r, &[("relaxed", Order::Relaxed), ("acquire", Order::Acquire)])?;
    let mut space = r.space();
    let non_coherent = r.has("nc") || uniform;
    caching(r);
    let count = count(r);
    let kind = r.kind_of(&LOADED)?;
    r.count(2)?;
    if non_coherent && (!matches!(space, Space::Global | Space::Generic) || strength.0 != Order::Weak) {
        return Err(".nc is for weak loads of global memory".to_string());
    }
    let (base, offset, exact) = r.address(1, space)?;
    space = exact;
    let mut destinations = Vec::new();
    for element in r.elements(0, usize::from(count))? {
        destinations.push(match element {
            Operand::Sink if count > 1 => NONE,
            element => r.destination(&element, kind, Type::takes_wider)?,
        });
    }
    let access = Access { non_coherent, ..access(space, strength, kind, count)? };
    let mut out = Instruction::new(Op::Load(access)).to(destinations[0]).from([base]);
    out.offset = offset;
    out.more_destinations = destinations[1..].into();
    Ok(out)
}

fn store(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let strength = strength(r, &[("relaxed", Order::Relaxed), ("release", Order::Release)])?;
    let mut space = r.space();
    caching(r);
    let count = count(r);
    let kind = r.kind_of(&LOADED)?;
    r.count(2)?;
    let (base, offset, exact) = r.address(0, space)?;
    space = exact;
    if matches!(space, Space::Param | Space::Const) {
        return Err("that space cannot be stored to".to_string());
    }
    let mut sources = Vec::new();
    for element in r.elements(1, usize::from(count))? {
        sources.push(r.value(&element, kind, Type::takes_wider)?);
    }
    let mut out = Instruction::new(Op::Store(access(space, strength, kind, count)?)).from([base, sources[0]]);
    out.offset = offset;
    out.more_sources = sources[1..].into();
    Ok(out)
}

fn atomic(r: &mut Reading<'_, '_, '_>, returns: bool) -> Decoded {
    let order = r
        .one_of(&[
            ("relaxed", Order::Relaxed),
            ("acquire", Order::Acquire),
            ("release", Order::Release),
            ("acq_rel", Order::AcquireRelease),
        ])
        .unwrap_or(Order::Relaxed);
    let scope = scope(r).unwrap_or(Scope::Device);
    let space = r.space();
    if !matches!(space, Space::Global | Space::Shared | Space::Generic) {
        return Err("atomics are for global and shared memory".to_string());
    }
    if !returns && order.acquires() {
        return Err("a reduction acquires nothing".to_string());
    }
    caching(r);
    let op = r.must(&[
        ("add", AtomicOp::Add),
        ("min", AtomicOp::Min),
        ("max", AtomicOp::Max),
        ("and", AtomicOp::And),
        ("or", AtomicOp::Or),
        ("xor", AtomicOp::Xor),
        ("exch", AtomicOp::Exchange),
        ("cas", AtomicOp::CompareExchange),
        ("inc", AtomicOp::Increment),
        ("dec", AtomicOp::Decrement),
    ])?;
    let unflushed = r.has("noftz");
    let count = count(r);
    let kind = r.kind()?;
    check_atomic(op, kind, unflushed, count, returns, space)?;
    let first = usize::from(returns);
    r.count(first + if op == AtomicOp::CompareExchange { 3 } else { 2 })?;
    let (base, offset, _) = r.address(first, space)?;
    let mut access = access(space, (order, scope), kind, count)?;
    access.signed = false;
    let mut destinations = Vec::new();
    if returns {
        for element in r.elements(0, usize::from(count))? {
            destinations.push(match element {
                Operand::Sink => NONE,
                element => r.destination(&element, kind, Type::takes)?,
            });
        }
    }
    let mut sources = Vec::new();
    for element in r.elements(first + 1, usize::from(count))? {
        sources.push(r.value(&element, kind, Type::takes)?);
    }
    let third = if op == AtomicOp::CompareExchange { r.input(first + 2, kind)? } else { Source::NONE };
    let returns = destinations.iter().any(|destination| *destination != NONE);
    let mut out = Instruction::new(Op::Atomic { op, kind, access, returns }).from([base, sources[0], third]);
    out.destination = destinations.first().copied().unwrap_or(NONE);
    out.more_destinations = destinations.get(1..).unwrap_or_default().into();
    out.more_sources = sources[1..].into();
    out.offset = offset;
    Ok(out)
}

fn check_atomic(
    op: AtomicOp,
    kind: Type,
    unflushed: bool,
    count: u8,
    returns: bool,
    space: Space,
) -> Decoded<()> {
    use AtomicOp::*;
    let narrow = matches!(kind, F16 | F16x2 | Bf16 | Bf16x2);
    let fits = match op {
        Add => matches!(kind, U32 | S32 | U64 | F32 | F64) || narrow,
        Min | Max => matches!(kind, U32 | S32 | U64 | S64) || narrow && count > 1,
        And | Or | Xor => matches!(kind, B32 | B64),
        Exchange => returns && matches!(kind, B32 | B64),
        CompareExchange => returns && matches!(kind, B16 | B32 | B64),
        Increment | Decrement => kind == U32,
    };
    if !fits {
        return Err(format!("there is no such atomic of .{}", kind.name()));
    }
    if narrow != unflushed {
        return Err("the atomics of f16 and bf16, and only they, have .noftz".to_string());
    }
    if count > 1 && (space != Space::Global || !(narrow || kind == F32)) {
        return Err("atomics of vectors are for floats in global memory".to_string());
    }
    Ok(())
}

fn fence(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    r.count(0)?;
    if name == "membar" {
        let scope = r.must(&[("cta", Scope::Block), ("gl", Scope::Device), ("sys", Scope::System)])?;
        return Ok(Instruction::new(Op::Fence(scope, Order::AcquireRelease)));
    }
    let order = r.must(&[
        ("acq_rel", Order::AcquireRelease),
        ("sc", Order::AcquireRelease),
        ("acquire", Order::Acquire),
        ("release", Order::Release),
    ])?;
    let scope = scope(r).ok_or("a scope is missing: .cta, .gpu or .sys")?;
    Ok(Instruction::new(Op::Fence(scope, order)))
}

fn convert(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let to_generic = !r.has("to");
    let space = r.space();
    if space == Space::Generic {
        return Err("a space is missing".to_string());
    }
    let kind = r.kind_of(&[U64])?;
    r.count(2)?;
    let source = match *r.operand(1)? {
        Operand::Variable(variable, more) if to_generic => {
            let found = &r.body.source.variables[variable as usize];
            if found.space != space && !(space == Space::Param && found.space == Space::Param) {
                return Err(format!("`{}` is not in that space", found.name));
            }
            r.address_of(variable, more)
        }
        _ => r.input(1, kind)?,
    };
    plain(Op::Convert { space, to_generic }, r.output(0, kind)?, [source])
}

fn is_space(r: &mut Reading<'_, '_, '_>) -> Decoded {
    let space = r.space();
    if space == Space::Generic {
        return Err("a space is missing".to_string());
    }
    r.count(2)?;
    plain(Op::IsSpace(space), r.output(0, Pred)?, [r.input(1, U64)?])
}

/// Instructions that only say what will be used.
fn hint(r: &mut Reading<'_, '_, '_>, name: &str) -> Decoded {
    r.space();
    r.has("L1");
    r.has("L2");
    caching(r);
    if matches!(name, "applypriority" | "discard") {
        r.count(2)?;
        if name == "discard" {
            return Err("it makes memory undefined; no instruction known here".to_string());
        }
    } else {
        r.count(1)?;
    }
    r.address(0, Space::Generic)?;
    Ok(Instruction::new(Op::Nothing))
}

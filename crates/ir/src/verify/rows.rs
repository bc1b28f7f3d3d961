//! Whether an instruction fits its row: attribute, types, and what the buffer allows.

use crate::build::{result_type, type_list, wants};
use crate::code::Code;
use crate::codes;
use crate::op::{Op, Rule};
use crate::program::*;
use crate::types::*;
use std::collections::HashSet;

/// Code and message.
pub(super) type Failure = (Code, String);

/// Whether the attribute is of the row's kind and in range.
pub(super) fn check_attribute(p: &Program, data: &InstData, args: &[Type]) -> Result<(), Failure> {
    let op = data.op;
    let wrong = |what: &str| Err((codes::V004, format!("`{}` {what}", op.name())));
    match (op.info().rule, &data.attr) {
        (Rule::Const, Attr::Bits(bits)) => {
            let Some(&result) = data.results.first() else { return Ok(()) };
            let ty = p.ty(result);
            let fits = bits.iter().enumerate().all(|(i, &lane)| {
                let mask = if i < ty.lanes as usize { ty.scalar.mask() } else { 0 };
                lane & !mask == 0
            });
            if fits { Ok(()) } else { wrong(&format!("has bits that {ty} does not have")) }
        }
        (Rule::Axis, Attr::Axis(0..=2)) => Ok(()),
        (Rule::Axis, Attr::Axis(axis)) => wrong(&format!("has no axis {axis}")),
        (Rule::Extract, Attr::Lane(lane)) => match args.first() {
            Some(ty) if *lane >= ty.lanes => wrong(&format!("takes lane {lane} of {ty}")),
            _ => Ok(()),
        },
        (
            Rule::Length | Rule::Load | Rule::Store | Rule::Atomic(_) | Rule::CompareExchange(_),
            Attr::Buffer(buffer),
        ) => match p.buffers.get(*buffer) {
            Some(_) => Ok(()),
            None => wrong(&format!("names {buffer}, which does not exist")),
        },
        (Rule::Call, Attr::Call(_)) => Ok(()),
        (Rule::Structure, Attr::Cases(cases)) if op == Op::Switch => check_cases(data, cases),
        (
            Rule::Const
            | Rule::Axis
            | Rule::Call
            | Rule::Extract
            | Rule::Length
            | Rule::Load
            | Rule::Store
            | Rule::Atomic(_)
            | Rule::CompareExchange(_),
            _,
        ) => wrong("lacks its attribute"),
        (Rule::Structure, _) if op == Op::Switch => wrong("lacks its cases"),
        (_, Attr::None) => Ok(()),
        _ => wrong("has an attribute, which it does not take"),
    }
}

fn check_cases(data: &InstData, cases: &[Case]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for case in cases {
        if case.region as usize >= data.regions.len() {
            return Err((
                codes::V009,
                format!("`switch` sends {} to a region that it does not have", case.value),
            ));
        }
        if case.value > u32::MAX as u64 {
            return Err((codes::V009, format!("the case {} of `switch` does not fit 32 bits", case.value)));
        }
        if !seen.insert(case.value) {
            return Err((codes::V009, format!("`switch` has the case {} twice", case.value as u32 as i32)));
        }
    }
    Ok(())
}

/// Whether operands and results fit the row.
pub(super) fn check_types(op: Op, args: &[Type], results: &[Type]) -> Result<(), String> {
    let index = Type::from(Scalar::U32);
    let scalar_of = |ty: &Type, class: Class| ty.lanes == 1 && class.has(ty.scalar);
    let atomic = matches!(op, Op::AtomicLoad | Op::AtomicStore);
    let stored = |ty: &Type| if atomic { scalar_of(ty, ATOMIC) } else { STORED.has(ty.scalar) };
    let fits = match (op.info().rule, args, results) {
        (Rule::Convert, [a], [r]) => a.lanes == r.lanes && a.scalar != r.scalar,
        (Rule::Bitcast, [a], [r]) => {
            a.lanes == r.lanes
                && a.scalar != r.scalar
                && a.scalar.bits() == r.scalar.bits()
                && NUM.has(a.scalar)
                && NUM.has(r.scalar)
        }
        (Rule::Const, [], [_]) => true,
        (Rule::Load, [i], [r]) => *i == index && stored(r),
        (Rule::Store, [i, v], []) => *i == index && stored(v),
        (Rule::Atomic(class), [i, v], [r]) => *i == index && v == r && scalar_of(v, class),
        (Rule::CompareExchange(class), [i, expected, new], [old, done]) => {
            *i == index
                && expected == new
                && new == old
                && scalar_of(new, class)
                && *done == Type::from(Scalar::Bool)
        }
        (Rule::Item(class), [], [r]) => class.has(r.scalar),
        (Rule::Push(class), [v], []) => class.has(v.scalar),
        (Rule::Nothing, [], []) => true,
        (
            Rule::Convert
            | Rule::Bitcast
            | Rule::Const
            | Rule::Load
            | Rule::Store
            | Rule::Atomic(_)
            | Rule::CompareExchange(_)
            | Rule::Item(_)
            | Rule::Push(_)
            | Rule::Nothing,
            ..,
        ) => false,
        _ => {
            let ty = result_type(op, args)?;
            if results != [ty] {
                return Err(format!("`{}` gives {ty}, not {}", op.name(), type_list(results)));
            }
            true
        }
    };
    if fits {
        return Ok(());
    }
    let (name, args, results) = (op.name(), type_list(args), type_list(results));
    Err(format!("`{name}` takes {}; here its operands are {args} and its results {results}", wants(op)))
}

/// Whether the buffer allows the access.
pub(super) fn check_access(p: &Program, data: &InstData) -> Result<(), Failure> {
    let Attr::Buffer(buffer) = data.attr else { return Ok(()) };
    let (op, decl) = (data.op, &p.buffers[buffer]);
    let shared = matches!(decl.memory, Memory::Storage | Memory::Workgroup | Memory::Persistent);
    let atomic = matches!(op, Op::AtomicLoad | Op::AtomicStore)
        || matches!(op.info().rule, Rule::Atomic(_) | Rule::CompareExchange(_));
    let (name, buffer, memory) = (op.name(), &decl.name, decl.memory.name());
    let wrong = |what: String| Err((codes::V005, format!("`{name}` on `{buffer}`: {what}")));
    if atomic && !shared {
        return wrong(format!(
            "atomics work on storage, persistent and workgroup memory, not on {memory} memory"
        ));
    }
    if atomic && decl.access != Access::ReadWrite {
        return wrong(format!(
            "atomics need `read_write`, but the buffer is declared `{}`",
            decl.access.name()
        ));
    }
    if op == Op::UniformLoad && decl.memory != Memory::Workgroup {
        return wrong(format!("it loads from workgroup memory, not from {memory} memory"));
    }
    match op.info().rule {
        Rule::Load if !decl.access.reads() => {
            wrong("the buffer is declared `write`: it cannot be read".into())
        }
        Rule::Store if !decl.access.writes() => {
            wrong("the buffer is declared `read`: it cannot be written".into())
        }
        _ => Ok(()),
    }
}

/// Whether an instruction with regions, or a `yield` in a region that must yield `want`, is well formed.
pub(super) fn check_structure(
    p: &Program,
    data: &InstData,
    args: &[Type],
    results: &[Type],
    want: &[Type],
) -> Result<(), Failure> {
    let name = data.op.name();
    let structure = |what: String| Err((codes::V001, format!("`{name}` {what}")));
    let types = |what: String| Err((codes::V003, format!("`{name}` {what}")));
    let u32_or_i32 = |args: &[Type]| args == [Scalar::U32.into()] || args == [Scalar::I32.into()];
    match (data.op, &data.regions[..]) {
        (Op::Yield, []) if !results.is_empty() => types("has results".into()),
        (Op::Yield, []) if args != want => {
            types(format!("gives {}, but its region must give {}", type_list(args), type_list(want)))
        }
        (Op::Yield, []) => Ok(()),
        (Op::If, [_, _]) if args != [Scalar::Bool.into()] => {
            types(format!("takes one bool, not {}", type_list(args)))
        }
        (Op::Switch, [_, ..]) if !u32_or_i32(args) => {
            types(format!("takes one i32 or u32, not {}", type_list(args)))
        }
        (Op::If, [_, _]) | (Op::Switch, [_, ..]) => {
            if data.regions.iter().any(|&r| !p.regions[r].params.is_empty()) {
                return structure("has a region with parameters".into());
            }
            Ok(())
        }
        (Op::Loop, &[body]) => {
            let params = p.regions[body].params.iter().map(|&v| p.values.get(v).map(|data| data.ty));
            if args == results && params.eq(args.iter().map(|&ty| Some(ty))) {
                return Ok(());
            }
            types(format!(
                "has initial values of {} and results of {}; these and its parameters must agree",
                type_list(args),
                type_list(results)
            ))
        }
        (_, regions) => structure(format!("has {} regions", regions.len())),
    }
}

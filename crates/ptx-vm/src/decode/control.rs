//! Branches, calls, and what stops a thread.

use super::{Decoded, Reading, plain};
use crate::code::{Call, Instruction, Op, Place};
use crate::parse::Operand;
use crate::types::Type::*;

/// The instruction of that name, if it is one of these.
pub(super) fn instruction(r: &mut Reading<'_, '_, '_>, name: &str) -> Option<Decoded> {
    Some(match name {
        "bra" => branch(r),
        "brx" => branch_by_index(r),
        "call" => call(r),
        "ret" => alone(r, Op::Return),
        "exit" => alone(r, Op::Exit),
        "trap" => alone(r, Op::Trap),
        "brkpt" | "pmevent" => {
            r.modifiers.iter_mut().for_each(|modifier| modifier.1 = true);
            Ok(Instruction::new(Op::Nothing))
        }
        "griddepcontrol" => r
            .must(&[("wait", ()), ("launch_dependents", ())])
            .and_then(|()| r.count(0))
            .map(|()| Instruction::new(Op::Nothing)),
        "nanosleep" => sleep(r),
        "activemask" => r.kind_of(&[B32]).and_then(|_| {
            r.count(1)?;
            plain(Op::ActiveMask, r.output(0, B32)?, [])
        }),
        _ => return None,
    })
}

fn alone(r: &mut Reading<'_, '_, '_>, op: Op) -> Decoded {
    r.has("uni");
    r.count(0)?;
    Ok(Instruction::new(op))
}

fn branch(r: &mut Reading<'_, '_, '_>) -> Decoded {
    r.has("uni");
    r.count(1)?;
    let Operand::Name(label) = *r.operand(0)? else {
        return Err("a label is missing".to_string());
    };
    r.body.branch(label);
    Ok(Instruction::new(Op::Branch(0)))
}

fn branch_by_index(r: &mut Reading<'_, '_, '_>) -> Decoded {
    if !r.has("idx") {
        return Err("it has .idx".to_string());
    }
    r.has("uni");
    r.count(2)?;
    let index = r.input(0, U32)?;
    let Operand::Name(list) = *r.operand(1)? else {
        return Err("a list of branch targets is missing".to_string());
    };
    if !r.body.has_list(list) {
        return Err(format!("there is no list of branch targets `{list}` before it"));
    }
    r.body.branch(list);
    Ok(Instruction::new(Op::BranchIndex(Box::default())).from([index]))
}

/// `call (results), name, (arguments)`, without what is empty.
fn call(r: &mut Reading<'_, '_, '_>) -> Decoded {
    r.has("uni");
    let mut operands = r.operands.iter();
    let mut next = operands.next();
    let mut results = Vec::new();
    if let Some(Operand::Group(group)) = next {
        for operand in group {
            results.push(match operand {
                Operand::Register(register) => Place::Register(*register),
                operand => memory(r, operand)?,
            });
        }
        next = operands.next();
    }
    let Some(Operand::Name(name)) = next else {
        return Err("a function's name is missing".to_string());
    };
    let mut arguments = Vec::new();
    if let Some(Operand::Group(group)) = operands.next() {
        for operand in group {
            arguments.push(match *operand {
                Operand::Register(register) => Place::Register(register),
                Operand::Integer(value) => Place::Value(r.constant(value)),
                _ => memory(r, operand)?,
            });
        }
    }
    if operands.next().is_some() {
        return Err("only functions with a name are called".to_string());
    }
    Ok(Instruction::new(Op::Call(Call {
        name: (*name).to_string(),
        target: 0,
        arguments,
        results,
        formal_arguments: Vec::new(),
        formal_results: Vec::new(),
    })))
}

fn memory(r: &Reading<'_, '_, '_>, operand: &Operand<'_>) -> Decoded<Place> {
    match *operand {
        Operand::Variable(variable, 0) => {
            let found = &r.body.source.variables[variable as usize];
            if found.space != crate::code::Space::Param || found.of_entry {
                return Err(format!("`{}` is no parameter of a call", found.name));
            }
            Ok(Place::Memory(variable, found.bytes as u32))
        }
        _ => Err("no parameter of a call".to_string()),
    }
}

fn sleep(r: &mut Reading<'_, '_, '_>) -> Decoded {
    r.kind_of(&[U32])?;
    r.count(1)?;
    let time = r.input(0, U32)?;
    Ok(Instruction::new(Op::Yield).from([time]))
}

//! The form as text, for people: a statement on each line, blocks indented.
//!
//! A variable is `v` and its number. Where it is set its type stands with it, with the number of lanes if it varies:
//! `v7: f32x8 = mul v3, v5`.

use super::{Block, Exit, Form, Kept, Loop, On, Place, Side, Space, Step, Stmt, Var};
use std::fmt::{self, Display, Formatter, Write};
use vyre_ir::Op;

impl Display for Form {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let checked = if self.checked { ", checked" } else { "" };
        writeln!(f, "gangs of {}{checked}", self.width)?;
        Printer { form: self, out: f }.block(&self.body, 0)
    }
}

impl Display for Var {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

struct Printer<'a, 'b> {
    form: &'a Form,
    out: &'a mut Formatter<'b>,
}

/// Variables one after another.
fn list(vars: &[Var]) -> String {
    vars.iter().map(Var::to_string).collect::<Vec<_>>().join(", ")
}

/// Under which mask.
fn masked(mask: Option<Var>) -> String {
    mask.map_or(String::new(), |mask| format!(" masked {mask}"))
}

impl Printer<'_, '_> {
    fn block(&mut self, block: &Block, depth: usize) -> fmt::Result {
        block.iter().try_for_each(|stmt| self.stmt(stmt, depth))
    }

    /// Variables with their types, as where they are set; with an equals sign if there are any.
    fn set(&self, outs: &[Var]) -> String {
        if outs.is_empty() { String::new() } else { self.typed(outs) + " = " }
    }

    fn typed(&self, vars: &[Var]) -> String {
        let typed = |&var: &Var| {
            let ty = self.form.ty(var);
            let lanes = if ty.varying { format!("x{}", self.form.width) } else { String::new() };
            format!("{var}: {}{lanes}", ty.scalar)
        };
        vars.iter().map(typed).collect::<Vec<_>>().join(", ")
    }

    fn line(&mut self, depth: usize, text: impl Display) -> fmt::Result {
        writeln!(self.out, "{:1$}{text}", "", 2 * depth)
    }

    fn stmt(&mut self, stmt: &Stmt, depth: usize) -> fmt::Result {
        let axis = |axis: u8| ["x", "y", "z"][axis as usize];
        let one = |out: Var| self.set(&[out]);
        let text = match stmt {
            Stmt::Const { out, bits } => format!("{}const {bits:#x}", one(*out)),
            Stmt::Workgroup { out, axis: a } => format!("{}workgroup {}", one(*out), axis(*a)),
            Stmt::Workgroups { out, axis: a } => format!("{}workgroups {}", one(*out), axis(*a)),
            Stmt::Length { out, buffer } => format!("{}length {buffer}", one(*out)),
            Stmt::Ramp { out, base, stride } => format!("{}ramp {base} by {stride}", one(*out)),
            Stmt::Compute { out, op, sig, args } => {
                let from = if *op == Op::Convert { format!(" {}", sig.operand) } else { String::new() };
                format!("{}{}{from} {}", one(*out), op.name(), list(args))
            }
            Stmt::Any { out, mask } => format!("{}any {mask}", one(*out)),
            Stmt::Load { outs, place } => format!("{}load {}", self.set(outs), show(place)),
            Stmt::Store { values, place } => format!("store {}, {}", show(place), list(values)),
            Stmt::Atomic { op, outs, operands, place } => {
                format!("{}{} {}, {}", self.set(outs), op.name(), show(place), list(operands))
            }
            Stmt::Meet { out, value } => format!("{}meet {value}", one(*out)),
            Stmt::Zero { offset, bytes } => format!("zero {bytes} bytes at {offset}"),
            Stmt::Kept { out, slot, at } => format!("{}kept {}[{at}]", one(*out), slot.offset),
            Stmt::Keep { value, slot, at } => format!("keep {}[{at}], {value}", slot.offset),
            Stmt::Subgroup { op, sig: _, outs, args, mask } => {
                format!("{}{} {}{}", self.set(outs), op.name(), list(args), masked(*mask))
            }
            Stmt::Intrinsic { out, inst, args, mask } => {
                format!("{}call {inst} {}{}", one(*out), list(args), masked(*mask))
            }
            Stmt::Invocation { local } => format!("invocation {}", list(local)),
            Stmt::Branch { on, sides, outs } => return self.branch(on, sides, outs, depth),
            Stmt::Loop(inner) => return self.turns(inner, depth),
        };
        self.line(depth, text)
    }

    fn branch(&mut self, on: &On, sides: &[Side], outs: &[Var], depth: usize) -> fmt::Result {
        let set = self.set(outs);
        for (i, side) in sides.iter().enumerate() {
            let head = match on {
                On::If(condition) if i == 0 => format!("{set}if {condition} {{"),
                On::If(_) => "} else {".into(),
                On::Switch(var, cases) => {
                    let values = cases.iter().filter(|(_, side)| *side as usize == i);
                    let mut head =
                        if i == 0 { format!("{set}switch {var} {{ case") } else { "} case".into() };
                    values.for_each(|(value, _)| write!(head, " {value}").expect("memory takes it"));
                    if i + 1 == sides.len() {
                        head += " default";
                    }
                    head + " {"
                }
            };
            self.line(depth, head)?;
            self.block(&side.body, depth + 1)?;
            if !side.yields.is_empty() {
                self.line(depth + 1, format!("yield {}", list(&side.yields)))?;
            }
        }
        self.line(depth, "}")
    }

    fn turns(&mut self, inner: &Loop, depth: usize) -> fmt::Result {
        let param = |(&param, init): (&Var, &Var)| format!("{} = {init}", self.typed(&[param]));
        let params: Vec<String> = inner.params.iter().zip(&inner.init).map(param).collect();
        let watched = if inner.watched { "watched " } else { "" };
        let mask = match &inner.exit {
            Exit::While(_) => String::new(),
            Exit::Masked { active, first, .. } => {
                let first = first.map_or(String::new(), |first| format!(" = {first}"));
                format!("masked {}{first} ", self.typed(&[*active]))
            }
        };
        self.line(depth, format!("loop ({}) {watched}{mask}{{", params.join(", ")))?;
        self.block(&inner.body, depth + 1)?;
        let again = match &inner.exit {
            Exit::While(again) => again,
            Exit::Masked { again, kept, .. } => {
                for Kept { last, out } in kept {
                    let out = self.typed(&[*out]);
                    self.line(depth + 1, format!("leaving {out} = {last}"))?;
                }
                again
            }
        };
        let together = match &inner.exit {
            Exit::Masked { together: Some(together), .. } => format!(" and {together}"),
            _ => String::new(),
        };
        let next = list(&inner.next);
        let to = if next.is_empty() { String::new() } else { format!(" with {next}") };
        self.line(depth + 1, format!("again if {again}{together}{to}"))?;
        self.line(depth, "}")
    }
}

/// A place: memory, index and what else is true of it.
fn show(place: &Place) -> String {
    let memory = match place.memory {
        Space::Bound { buffer, shared } => format!("{buffer}{}", if shared { "" } else { " read-only" }),
        Space::Workgroup { offset, bytes } => format!("workgroup {offset}+{bytes}"),
        Space::Private(private) => {
            let at = private.at.map_or(String::new(), |at| format!(" of {at}"));
            let how = if private.interleaved > 0 { " interleaved" } else { "" };
            format!("private {}+{}{at}{how}", private.offset, private.bytes)
        }
    };
    let step = match place.step {
        Step::Same => String::new(),
        Step::By(stride) => format!(" + lane * {stride}"),
        Step::Each => " each".into(),
    };
    let plus = if place.plus > 0 { format!(" + {}", place.plus) } else { String::new() };
    let atomic = if place.atomic { "atomic " } else { "" };
    let proven = if place.proven { " proven" } else { "" };
    format!("{atomic}{} {memory}[{}{plus}{step}]{}{proven}", place.scalar, place.index, masked(place.mask))
}

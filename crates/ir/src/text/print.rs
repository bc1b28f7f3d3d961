//! Writes the text form of any program, valid or not: dumps of broken programs are what it is read for.

use super::literal::Number;
use super::{Name, Names};
use crate::build::type_list;
use crate::diagnostic::{Loc, Source};
use crate::dialect::{AttributeDef, Call, CallAttribute, Function, Signature, is_word};
use crate::entity::{Entity, SideTable};
use crate::op::Op;
use crate::program::*;
use crate::types::{Scalar, Type};
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::Arc;

/// How deep regions are printed; [`crate::verify`] admits fewer.
const DEPTH: usize = 1000;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(self))
    }
}

/// The text form of a program.
pub fn print(p: &Program) -> String {
    Printer::run(p).out
}

/// The same program with its own text form as its source, so that messages about it show that text.
pub fn relocate(p: &Program) -> Program {
    let printer = Printer::run(p);
    let (spans, text) = (printer.spans, printer.out);
    let mut p = p.clone();
    for inst in p.insts.keys() {
        p.insts[inst].loc = spans[inst];
    }
    p.source = Some(Arc::new(Source { name: format!("{}.vyre", p.name), text }));
    p
}

struct Printer<'p> {
    p: &'p Program,
    names: Names,
    /// What the parameters of an operation's body are called.
    params: HashMap<Value, &'p str>,
    out: String,
    /// Where each instruction was printed.
    spans: SideTable<Inst, Loc>,
    seen: SideTable<Region, bool>,
}

impl<'p> Printer<'p> {
    fn run(p: &'p Program) -> Printer<'p> {
        let mut printer = Printer::new(p);
        printer.program().expect("writing to a string does not fail");
        printer
    }

    fn new(p: &'p Program) -> Printer<'p> {
        Printer {
            p,
            names: Names::of(p),
            params: HashMap::new(),
            out: String::new(),
            spans: SideTable::new(Loc::default()),
            seen: SideTable::new(false),
        }
    }

    fn function(&mut self, f: &'p Function) -> fmt::Result {
        let attributes = f.attributes.iter().map(|attribute| &attribute.name);
        for (&param, name) in f.parameters().iter().zip(attributes.chain(&f.names)) {
            if !name.is_empty() {
                self.params.insert(param, name);
            }
        }
        write_header(&mut self.out, &self.p.name, &f.attributes, &f.signature(), &f.names)?;
        writeln!(self.out, " {{")?;
        self.region(self.p.body, 1)?;
        writeln!(self.out, "}}")
    }

    /// A value as text form spells it.
    fn name(&self, value: Value) -> Spelled<'p> {
        match self.params.get(&value) {
            Some(name) => Spelled::Word(name),
            None => Spelled::Number(self.names.name(value)),
        }
    }

    fn program(&mut self) -> fmt::Result {
        let [x, y, z] = self.p.workgroup_size;
        writeln!(self.out, "program {} workgroup({x}, {y}, {z}) {{", Ident(&self.p.name))?;
        for decl in self.p.buffers.values() {
            self.buffer(decl)?;
        }
        self.region(self.p.body, 1)?;
        writeln!(self.out, "}}")
    }

    fn buffer(&mut self, b: &BufferDecl) -> fmt::Result {
        write!(self.out, "  buffer {}: {}[", Ident(&b.name), b.element)?;
        if b.count > 0 {
            write!(self.out, "{}", b.count)?;
        }
        write!(self.out, "] {} {}", b.memory.name(), b.access.name())?;
        if b.output {
            write!(self.out, " output")?;
        }
        if b.live_out {
            write!(self.out, " live_out")?;
        }
        if b.memory.is_bound() || (b.group, b.binding) != (0, 0) {
            write!(self.out, " @group({}) @binding({})", b.group, b.binding)?;
        }
        if !b.hints.is_default() {
            self.hints(b.hints)?;
        }
        writeln!(self.out)
    }

    fn hints(&mut self, hints: MemoryHints) -> fmt::Result {
        let axis = hints.coalesce_axis.map(|axis| format!("axis {axis}"));
        let align = (hints.preferred_alignment > 0).then(|| format!("align {}", hints.preferred_alignment));
        let locality = hints.cache_locality;
        let locality = (locality != CacheLocality::default()).then(|| locality.name().to_string());
        let given: Vec<String> = [axis, align, locality].into_iter().flatten().collect();
        write!(self.out, " hints({})", given.join(", "))
    }

    /// A value's type, of whatever is no value too.
    fn ty(&self, value: Value) -> Type {
        let ty = self.p.values.get(value).map_or(Scalar::U32.into(), |data| data.ty);
        Type { lanes: ty.lanes.clamp(1, 4), ..ty }
    }

    fn indent(&mut self, depth: usize) -> fmt::Result {
        write!(self.out, "{:1$}", "", depth * 2)
    }

    fn region(&mut self, region: Region, depth: usize) -> fmt::Result {
        let p = self.p;
        let Some(RegionData { insts, .. }) = p.regions.get(region) else {
            self.indent(depth)?;
            return writeln!(self.out, "// {region} does not exist");
        };
        if depth > DEPTH || std::mem::replace(&mut self.seen[region], true) {
            self.indent(depth)?;
            return writeln!(self.out, "// not printed: nested too deeply or printed before");
        }
        for (i, &inst) in insts.iter().enumerate() {
            let Some(data) = p.insts.get(inst) else {
                self.indent(depth)?;
                writeln!(self.out, "// {inst} does not exist")?;
                continue;
            };
            if i + 1 == insts.len() && data.op == Op::Yield && data.args.is_empty() {
                self.spans[inst] = Loc::span(self.out.len() as u32, self.out.len() as u32 + 1);
                return Ok(());
            }
            self.inst(inst, data, depth)?;
        }
        if insts.last().and_then(|&last| p.insts.get(last)).is_none_or(|last| last.op != Op::Yield) {
            self.indent(depth)?;
            writeln!(self.out, "// no yield")?;
        }
        Ok(())
    }

    fn inst(&mut self, inst: Inst, data: &InstData, depth: usize) -> fmt::Result {
        self.indent(depth)?;
        let start = self.out.len();
        for (i, &result) in data.results.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(self.out, "{comma}{}: {}", self.name(result), self.ty(result))?;
        }
        if !data.results.is_empty() {
            write!(self.out, " = ")?;
        }
        write!(self.out, "{}", data.op.name())?;
        self.operands(data)?;
        self.spans[inst] = Loc::span(start as u32, self.out.len() as u32);
        match data.op {
            Op::Switch => self.switch(data, depth)?,
            _ => self.regions(data, depth)?,
        }
        writeln!(self.out)
    }

    /// Attribute and operands.
    fn operands(&mut self, data: &InstData) -> fmt::Result {
        let mut args = &data.args[..];
        match &data.attr {
            Attr::None | Attr::Cases(_) => (),
            Attr::Call(call) => {
                write!(self.out, " {}", OpName(&call.op))?;
                self.call(call)?;
            }
            Attr::Bits(lanes) => {
                let ty = data.results.first().map_or(Type::new(Scalar::U64, 4), |&r| self.ty(r));
                write!(self.out, " {}", Constant(ty, lanes))?;
            }
            Attr::Axis(axis) => match b"xyz".get(*axis as usize) {
                Some(&letter) => write!(self.out, " {}", letter as char)?,
                None => write!(self.out, " axis {axis}")?,
            },
            Attr::Lane(lane) => {
                if let Some((first, rest)) = args.split_first() {
                    write!(self.out, " {}", self.name(*first))?;
                    args = rest;
                }
                match b"xyzw".get(*lane as usize) {
                    Some(&letter) => write!(self.out, ".{}", letter as char)?,
                    None => write!(self.out, " lane {lane}")?,
                }
                return self.list(args, ", ");
            }
            Attr::Buffer(buffer) => {
                match self.p.buffers.get(*buffer) {
                    Some(decl) => write!(self.out, " {}", Ident(&decl.name))?,
                    None => write!(self.out, " \"no buffer {}\"", buffer.index())?,
                }
                if let Some((index, rest)) = args.split_first() {
                    write!(self.out, "[{}]", self.name(*index))?;
                    args = rest;
                }
                return self.list(args, ", ");
            }
        }
        if let (Op::Loop, [body]) = (data.op, &data.regions[..]) {
            let params = self.p.regions.get(*body).map_or(&[][..], |body| &body.params);
            return self.parameters(params, args);
        }
        self.list(args, " ")
    }

    /// A call's version and attributes.
    fn call(&mut self, call: &Call) -> fmt::Result {
        if let Some(version) = &call.version {
            match version.pre.is_empty() && version.build.is_empty() {
                true => write!(self.out, "@{version}")?,
                false => write!(self.out, "@\"{version}\"")?,
            }
        }
        for (i, CallAttribute { name, ty, bits }) in call.attributes.iter().enumerate() {
            let before = if i > 0 { ", " } else { "[" };
            write!(self.out, "{before}{}: {ty} = {}", Ident(name), Number(*ty, *bits))?;
        }
        write!(self.out, "{}", if call.attributes.is_empty() { "" } else { "]" })
    }

    fn list(&mut self, values: &[Value], before: &str) -> fmt::Result {
        for (i, &value) in values.iter().enumerate() {
            let comma = if i > 0 { ", " } else { before };
            write!(self.out, "{comma}{}", self.name(value))?;
        }
        Ok(())
    }

    /// A loop's parameters with their initial values.
    fn parameters(&mut self, params: &[Value], init: &[Value]) -> fmt::Result {
        write!(self.out, " (")?;
        for i in 0..params.len().max(init.len()) {
            write!(self.out, "{}", if i > 0 { ", " } else { "" })?;
            if let Some(&param) = params.get(i) {
                write!(self.out, "{}: {}", self.name(param), self.ty(param))?;
            }
            if let Some(&init) = init.get(i) {
                write!(self.out, " = {}", self.name(init))?;
            }
        }
        write!(self.out, ")")
    }

    fn regions(&mut self, data: &InstData, depth: usize) -> fmt::Result {
        for (i, &region) in data.regions.iter().enumerate() {
            if data.op == Op::If && i == 1 {
                if data.regions.len() == 2 && self.does_nothing(region) {
                    let end = self.out.len() as u32;
                    self.spans[self.p.regions[region].insts[0]] = Loc::span(end - 1, end);
                    return Ok(());
                }
                write!(self.out, " else")?;
            }
            writeln!(self.out, " {{")?;
            self.region(region, depth + 1)?;
            self.indent(depth)?;
            write!(self.out, "}}")?;
        }
        Ok(())
    }

    fn does_nothing(&self, region: Region) -> bool {
        match self.p.regions.get(region).map(|data| &data.insts[..]) {
            Some(&[only]) => {
                self.p.insts.get(only).is_some_and(|data| data.op == Op::Yield && data.args.is_empty())
            }
            _ => false,
        }
    }

    fn switch(&mut self, data: &InstData, depth: usize) -> fmt::Result {
        let cases: &[Case] = match &data.attr {
            Attr::Cases(cases) => cases,
            _ => &[],
        };
        let selector = data.args.first().map_or(Type::from(Scalar::U32), |&v| self.ty(v));
        // Positions of the cases of each region, without asking every region about every case.
        let mut by_region: Vec<(u32, u64)> = cases.iter().map(|c| (c.region, c.value)).collect();
        by_region.sort_by_key(|c| c.0);
        let mut by_region = by_region.into_iter().peekable();
        writeln!(self.out, " {{")?;
        for (i, &region) in data.regions.iter().enumerate() {
            self.indent(depth + 1)?;
            let mut before = "case ";
            while let Some((_, value)) = by_region.next_if(|c| c.0 as usize <= i) {
                write!(self.out, "{before}{}", Number(selector.scalar, value))?;
                before = ", ";
            }
            if i + 1 == data.regions.len() {
                write!(self.out, "{}default", if before == ", " { before } else { "" })?;
            } else if before != ", " {
                write!(self.out, "case")?;
            }
            writeln!(self.out, " {{")?;
            self.region(region, depth + 2)?;
            self.indent(depth + 1)?;
            writeln!(self.out, "}}")?;
        }
        self.indent(depth)?;
        write!(self.out, "}}")
    }
}

/// The text form of an operation's body.
pub fn print_function(f: &Function) -> String {
    let mut printer = Printer::new(&f.program);
    printer.function(f).expect("writing to a string does not fail");
    printer.out
}

/// The first line of an operation: `op math.horner[%n: u32 = 3](%x: f32) -> f32`. Operands without a name are numbered
/// after the attributes, as the parameters of a body are.
pub(crate) fn write_header(
    out: &mut impl Write,
    id: &str,
    attributes: &[AttributeDef],
    signature: &Signature,
    names: &[String],
) -> fmt::Result {
    write!(out, "op {}", OpName(id))?;
    for (i, AttributeDef { name, ty, default }) in attributes.iter().enumerate() {
        write!(out, "{}%{name}: {ty}", if i > 0 { ", " } else { "[" })?;
        if let Some(bits) = default {
            write!(out, " = {}", Number(*ty, *bits))?;
        }
    }
    write!(out, "{}(", if attributes.is_empty() { "" } else { "]" })?;
    for (i, ty) in signature.operands.iter().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        match names.get(i).filter(|name| !name.is_empty()) {
            Some(name) => write!(out, "{comma}%{name}: {ty}")?,
            None => write!(out, "{comma}%{}: {ty}", attributes.len() + i)?,
        }
    }
    let results = type_list(&signature.results);
    match signature.results.len() {
        1 => write!(out, ") -> {results}"),
        _ => write!(out, ") -> ({results})"),
    }
}

/// A value in text form: a parameter with a name of its own, or a number.
enum Spelled<'p> {
    Word(&'p str),
    Number(Name),
}

impl fmt::Display for Spelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spelled::Word(name) => write!(f, "%{name}"),
            Spelled::Number(name) => name.fmt(f),
        }
    }
}

/// The id of a dialect's operation, in quotes if it is not two plain words.
struct OpName<'a>(&'a str);

impl fmt::Display for OpName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once('.') {
            Some((dialect, op)) if is_word(dialect) && is_word(op) => f.write_str(self.0),
            _ => quoted(f, self.0),
        }
    }
}

/// A name, in quotes if it is not a plain word.
pub(super) struct Ident<'a>(pub &'a str);

impl fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_word(self.0) { f.write_str(self.0) } else { quoted(f, self.0) }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in name.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "\\u{{{:x}}}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// A constant: one number if all lanes are the same, else a list.
struct Constant<'a>(Type, &'a [u64; 4]);

impl fmt::Display for Constant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Constant(ty, bits) = self;
        let lanes = &bits[..ty.lanes as usize];
        if lanes.iter().all(|b| *b == lanes[0]) {
            return write!(f, "{}", Number(ty.scalar, lanes[0]));
        }
        for (i, &lane) in lanes.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "(" }, Number(ty.scalar, lane))?;
        }
        write!(f, ")")
    }
}

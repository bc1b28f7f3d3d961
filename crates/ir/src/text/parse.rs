//! Reads text form: recursive descent with one token of lookahead.
//!
//! What is read has the right shape (kinds of attributes, a region for each branch, names that are visible), so it
//! prints; whether it is valid is for [`crate::verify`] to say. After an error in an instruction reading goes on with
//! the next line at the same nesting, and what the instruction would have defined counts as defined, so that one
//! mistake gives one error. A value is visible to the end of the region that defines it; its name may be used again
//! after that.

use super::lex::{Kind, Lexer, Token, unquote};
use super::literal;
use super::near::{nearest, shorten};
use crate::build::Builder;
use crate::code::Code;
use crate::codes;
use crate::diagnostic::{Diagnostic, Loc, Source};
use crate::op::{OPS, Op, Rule};
use crate::program::*;
use crate::types::{Scalar, Type};
use crate::verify::{MAX_BUFFERS, MAX_DEPTH, MAX_INSTS};
use std::collections::HashMap;
use std::sync::Arc;

mod dialect;
pub use dialect::{parse_function, parse_op, parse_ops};

/// Errors after which reading ends.
const MAX_ERRORS: usize = 20;

/// Reads a program. The instructions' locations point into its [`Program::source`].
///
/// # Errors
/// Every error found, up to 20, in order.
pub fn parse(name: &str, source: &str) -> Result<Program, Vec<Diagnostic>> {
    let shared = Arc::new(Source { name: name.into(), text: source.into() });
    let mut parser = Parser::new(source)?;
    let read = parser.program();
    if read.is_ok() && parser.errors.is_empty() {
        let mut p = parser.b.p;
        p.source = Some(shared);
        return Ok(p);
    }
    Err(parser.errors.into_iter().map(|e| e.in_source(Some(&shared))).collect())
}

/// An error has been reported.
struct Failed;
type Parse<T> = Result<T, Failed>;

struct Parser<'s> {
    lexer: Lexer<'s>,
    next: Token<'s>,
    /// End of the last token taken.
    end: usize,
    /// Open braces before `next`.
    braces: usize,
    b: Builder,
    ops: HashMap<&'static str, Op>,
    buffers: HashMap<String, Buffer>,
    /// Visible values.
    values: HashMap<&'s str, Value>,
    /// Stands for a value that an erroneous instruction would have given.
    poison: Option<Value>,
    errors: Vec<Diagnostic>,
    /// Whether to give up.
    fatal: bool,
    /// The source of definitions of operations.
    source: Option<Arc<Source>>,
}

/// A result or parameter as written.
type Typed<'s> = (Token<'s>, Type);

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Result<Parser<'s>, Vec<Diagnostic>> {
        if source.len() >= u32::MAX as usize {
            let message = format!("the text has {} bytes; at most {} are read", source.len(), u32::MAX - 1);
            return Err(vec![Diagnostic::new(codes::T009, message)]);
        }
        let mut lexer = Lexer::new(source);
        let next = lexer.next();
        Ok(Parser {
            lexer,
            next,
            end: 0,
            braces: 0,
            b: Builder::new("", [1, 1, 1]),
            ops: OPS.iter().map(|info| (info.name, info.op)).collect(),
            buffers: HashMap::new(),
            values: HashMap::new(),
            poison: None,
            errors: Vec::new(),
            fatal: false,
            source: None,
        })
    }

    // ---- tokens

    fn take(&mut self) -> Token<'s> {
        match self.next.kind {
            Kind::Mark('{') => self.braces += 1,
            Kind::Mark('}') => self.braces = self.braces.saturating_sub(1),
            _ => (),
        }
        self.end = self.next.end();
        std::mem::replace(&mut self.next, self.lexer.next())
    }

    fn take_if(&mut self, kind: Kind) -> Option<Token<'s>> {
        (self.next.kind == kind).then(|| self.take())
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.next.kind == Kind::Word && self.next.text == word;
        if found {
            self.take();
        }
        found
    }

    fn error(&mut self, code: Code, loc: Loc, message: impl Into<String>) -> Failed {
        self.errors.push(Diagnostic::new(code, message).at(loc, ""));
        self.fatal |= self.errors.len() >= MAX_ERRORS;
        Failed
    }

    /// Says what to do about the last error.
    fn advise(&mut self, fix: Option<String>) -> Failed {
        if let Some(error) = self.errors.last_mut() {
            error.fix = fix;
        }
        Failed
    }

    fn loc(&self, token: &Token) -> Loc {
        Loc::span(token.start as u32, token.end().max(token.start + 1) as u32)
    }

    /// `next` is not what was needed.
    fn unexpected(&mut self, wanted: &str) -> Failed {
        // Every enclosing region would miss its end too.
        self.fatal |= self.next.kind == Kind::End;
        let found = match self.next.kind {
            Kind::End => "the end of the text".into(),
            Kind::Bad if self.next.text.starts_with('"') => "a name whose quotes are not closed".into(),
            _ => format!("`{}`", shorten(self.next.text)),
        };
        let loc = self.loc(&self.next);
        self.error(codes::T001, loc, format!("expected {wanted}, found {found}"))
    }

    fn expect(&mut self, mark: char) -> Parse<Token<'s>> {
        match self.take_if(Kind::Mark(mark)) {
            Some(token) => Ok(token),
            None => Err(self.unexpected(&format!("`{mark}`"))),
        }
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    fn word(&mut self, wanted: &str) -> Parse<Token<'s>> {
        match self.take_if(Kind::Word) {
            Some(token) => Ok(token),
            None => Err(self.unexpected(wanted)),
        }
    }

    fn name(&mut self, wanted: &str) -> Parse<(String, Loc)> {
        let token = self.next;
        match token.kind {
            Kind::Word => {
                self.take();
                Ok((token.text.into(), self.loc(&token)))
            }
            Kind::Quoted => {
                self.take();
                let loc = self.loc(&token);
                let Some(name) = unquote(token.text) else {
                    let message = "a name in quotes has escapes other than `\\\"`, `\\\\` and `\\u{...}`";
                    return Err(self.error(codes::T001, loc, message));
                };
                Ok((name, loc))
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn integer<T: TryFrom<u64>>(&mut self, wanted: &str) -> Parse<T> {
        let number = self.next.text.parse::<u64>().ok().and_then(|n| T::try_from(n).ok());
        match (self.next.kind, number) {
            (Kind::Number, Some(number)) => {
                self.take();
                Ok(number)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn ty(&mut self) -> Parse<Type> {
        let token = self.word("a type")?;
        match Type::parse(token.text) {
            Some(ty) => Ok(ty),
            None => {
                let message = format!("there is no type `{}`", shorten(token.text));
                let loc = self.loc(&token);
                let names = Scalar::ALL.map(Scalar::name).join(", ");
                let fix = format!("Use one of {names}, or a vector such as f32x4.");
                self.error(codes::T003, loc, message);
                Err(self.advise(Some(fix)))
            }
        }
    }

    // ---- declarations

    fn program(&mut self) -> Parse<()> {
        self.expect_word("program")?;
        self.b.p.name = self.name("the program's name")?.0;
        self.expect_word("workgroup")?;
        self.expect('(')?;
        let x = self.integer("a size")?;
        self.expect(',')?;
        let y = self.integer("a size")?;
        self.expect(',')?;
        let z = self.integer("a size")?;
        self.expect(')')?;
        self.b.p.workgroup_size = [x, y, z];
        self.expect('{')?;
        while self.next.kind == Kind::Word && self.next.text == "buffer" {
            let (level, start) = (self.braces, self.next.start);
            if self.buffer().is_err() {
                self.recover(level, start);
            }
            if self.fatal {
                return Err(Failed);
            }
        }
        self.region_content(1)?;
        self.expect('}')?;
        self.end_of_text()
    }

    fn buffer(&mut self) -> Parse<()> {
        self.expect_word("buffer")?;
        let (name, loc) = self.name("the buffer's name")?;
        self.expect(':')?;
        let element = self.ty()?;
        self.expect('[')?;
        let count = if self.next.kind == Kind::Mark(']') { 0 } else { self.integer("a count or `]`")? };
        self.expect(']')?;
        let memory = self.word("a kind of memory")?;
        let Some(memory) = Memory::ALL.into_iter().find(|m| m.name() == memory.text) else {
            let names = Memory::ALL.map(Memory::name).join(", ");
            let loc = self.loc(&memory);
            return Err(self.error(
                codes::T001,
                loc,
                format!("memory is one of {names}, not `{}`", memory.text),
            ));
        };
        let access = self.word("an access")?;
        let Some(access) = Access::ALL.into_iter().find(|a| a.name() == access.text) else {
            let names = Access::ALL.map(Access::name).join(", ");
            let loc = self.loc(&access);
            return Err(self.error(
                codes::T001,
                loc,
                format!("access is one of {names}, not `{}`", access.text),
            ));
        };
        let output = self.take_word("output");
        let live_out = self.take_word("live_out");
        let (mut group, mut binding) = (0, 0);
        if memory.is_bound() || self.next.kind == Kind::Mark('@') {
            group = self.binding_attribute("group")?;
            binding = self.binding_attribute("binding")?;
        }
        let hints = if self.take_word("hints") { self.hints()? } else { MemoryHints::default() };
        let decl = BufferDecl {
            name: name.clone(),
            group,
            binding,
            memory,
            access,
            element,
            count,
            output,
            live_out,
            hints,
        };
        if self.b.p.buffers.len() >= MAX_BUFFERS {
            self.fatal = true;
            return Err(self.error(codes::T009, loc, format!("there are more than {MAX_BUFFERS} buffers")));
        }
        let buffer = self.b.buffer(decl);
        match self.buffers.insert(name, buffer) {
            None => Ok(()),
            Some(first) => {
                let message = format!("there are two buffers `{}`", self.b.p.buffers[first].name);
                Err(self.error(codes::T005, loc, message))
            }
        }
    }

    fn binding_attribute(&mut self, word: &str) -> Parse<u32> {
        self.expect('@')?;
        self.expect_word(word)?;
        self.expect('(')?;
        let number = self.integer("a number")?;
        self.expect(')')?;
        Ok(number)
    }

    /// What is in the parentheses after `hints`: each kind of hint at most once, in any order.
    fn hints(&mut self) -> Parse<MemoryHints> {
        let (mut axis, mut align, mut locality) = (None, None, None);
        self.expect('(')?;
        loop {
            let word = self.word("a hint: `axis`, `align`, `streaming`, `temporal` or `random`")?;
            let kind = CacheLocality::ALL.into_iter().find(|l| l.name() == word.text);
            let twice = match (word.text, kind) {
                ("axis", _) => axis.replace(self.integer("an axis: 0, 1 or 2")?).is_some(),
                ("align", _) => align.replace(self.integer("a number of bytes")?).is_some(),
                (_, Some(kind)) => locality.replace(kind).is_some(),
                _ => {
                    let message = format!("there is no hint `{}`", shorten(word.text));
                    let loc = self.loc(&word);
                    self.error(codes::T001, loc, message);
                    let fix = "Use some of `axis 1`, `align 64`, `streaming`, `temporal`, `random`.";
                    return Err(self.advise(Some(fix.into())));
                }
            };
            if twice {
                let message = format!("the hint `{}` says again what another says", word.text);
                let loc = self.loc(&word);
                return Err(self.error(codes::T001, loc, message));
            }
            if self.take_if(Kind::Mark(',')).is_none() {
                break;
            }
        }
        self.expect(')')?;
        Ok(MemoryHints {
            coalesce_axis: axis,
            preferred_alignment: align.unwrap_or(0),
            cache_locality: locality.unwrap_or_default(),
        })
    }

    // ---- regions and instructions

    /// Skips to the next line at this nesting, past what starts at `start`.
    fn recover(&mut self, level: usize, start: usize) {
        if self.next.start == start {
            self.take();
        }
        loop {
            match self.next.kind {
                Kind::End => return,
                Kind::Mark('}') if self.braces <= level => return,
                _ if self.next.first && self.braces <= level => return,
                _ => drop(self.take()),
            }
        }
    }

    /// `{ ... }` with parameters that are visible in it.
    fn region(&mut self, params: &[Typed<'s>], depth: usize) -> Parse<Region> {
        let open = self.expect('{')?;
        if depth > MAX_DEPTH {
            self.fatal = true;
            let loc = self.loc(&open);
            return Err(self.error(codes::T008, loc, format!("regions are nested deeper than {MAX_DEPTH}")));
        }
        let types: Vec<Type> = params.iter().map(|p| p.1).collect();
        let region = self.b.open(&types);
        self.b.enter(region);
        let mut defined = Vec::new();
        for (i, (token, _)) in params.iter().enumerate() {
            let value = self.b.p.regions[region].params[i];
            self.define(token, value, &mut defined);
        }
        self.statements(depth, defined)?;
        let close = self.expect('}')?;
        self.end_region(&close);
        self.b.leave();
        Ok(region)
    }

    /// The program's body, up to its closing brace.
    fn region_content(&mut self, depth: usize) -> Parse<()> {
        self.statements(depth, Vec::new())?;
        let close = self.next;
        self.end_region(&close);
        Ok(())
    }

    /// A region whose last instruction is no `yield` yields nothing.
    fn end_region(&mut self, close: &Token) {
        let at = self.b.at();
        let insts = &self.b.p.regions[at].insts;
        if insts.last().is_none_or(|&last| self.b.p.insts[last].op != Op::Yield) {
            self.b.loc = self.loc(close);
            self.b.insert(Op::Yield, Attr::None, &[], &[], []);
        }
    }

    /// Instructions up to a closing brace. `defined`: names that end with the region.
    fn statements(&mut self, depth: usize, mut defined: Vec<&'s str>) -> Parse<()> {
        while !matches!(self.next.kind, Kind::Mark('}') | Kind::End) {
            let (level, start) = (self.braces, self.next.start);
            if self.b.p.insts.len() >= MAX_INSTS {
                self.fatal = true;
                let loc = self.loc(&self.next);
                return Err(self.error(
                    codes::T009,
                    loc,
                    format!("there are more than {MAX_INSTS} instructions"),
                ));
            }
            if self.statement(depth, &mut defined).is_err() {
                if self.fatal {
                    return Err(Failed);
                }
                self.recover(level, start);
            } else if !self.next.first && !matches!(self.next.kind, Kind::Mark('}') | Kind::End) {
                self.unexpected("the end of the line");
                self.recover(level, start);
            }
        }
        for name in defined {
            self.values.remove(name);
        }
        Ok(())
    }

    fn define(&mut self, token: &Token<'s>, value: Value, defined: &mut Vec<&'s str>) {
        if self.values.insert(token.text, value).is_some() {
            let loc = self.loc(token);
            self.error(codes::T005, loc, format!("`{}` is defined already", shorten(token.text)));
        } else {
            defined.push(token.text);
        }
    }

    fn poison(&mut self) -> Value {
        *self.poison.get_or_insert_with(|| {
            self.b.p.values.push(ValueData { ty: Scalar::U32.into(), def: Def::Param(self.b.p.body) })
        })
    }

    fn statement(&mut self, depth: usize, defined: &mut Vec<&'s str>) -> Parse<()> {
        let mut results: Vec<Typed<'s>> = Vec::new();
        let start = self.next.start;
        let read = self.instruction(start, &mut results, depth);
        for (i, (token, _)) in results.iter().enumerate() {
            let value = match &read {
                Ok(inst) => self.b.p.insts[*inst].results[i],
                Err(Failed) => self.poison(),
            };
            self.define(token, value, defined);
        }
        read.map(|_| ())
    }

    fn instruction(&mut self, start: usize, results: &mut Vec<Typed<'s>>, depth: usize) -> Parse<Inst> {
        if self.next.kind == Kind::Value {
            loop {
                results.push(self.typed()?);
                if self.take_if(Kind::Mark(',')).is_none() {
                    break;
                }
            }
            self.expect('=')?;
        }
        let word = self.word("an instruction")?;
        let Some(&op) = self.ops.get(word.text) else { return Err(self.no_operation(&word)) };
        let types: Vec<Type> = results.iter().map(|r| r.1).collect();
        let mut args = Vec::new();
        let (mut regions, mut attr) = (Vec::new(), Attr::None);
        let mut params = Vec::new();
        match op.info().rule {
            Rule::Const => attr = Attr::Bits(self.constant(&word, &types)?),
            Rule::Axis => attr = Attr::Axis(self.letter("xyz", "an axis: x, y or z")?),
            Rule::Extract => {
                args.push(self.value()?);
                self.expect('.')?;
                attr = Attr::Lane(self.letter("xyzw", "a lane: x, y, z or w")?);
            }
            Rule::Length => attr = Attr::Buffer(self.buffer_name()?),
            Rule::Call => {
                attr = Attr::Call(Arc::new(self.callee()?));
                args = self.operands()?;
            }
            Rule::Load | Rule::Store | Rule::Atomic(_) | Rule::CompareExchange(_) => {
                attr = Attr::Buffer(self.buffer_name()?);
                self.expect('[')?;
                args.push(self.value()?);
                self.expect(']')?;
                while self.take_if(Kind::Mark(',')).is_some() {
                    args.push(self.value()?);
                }
            }
            _ if op == Op::Loop => {
                self.expect('(')?;
                while self.next.kind != Kind::Mark(')') {
                    params.push(self.typed()?);
                    self.expect('=')?;
                    args.push(self.value()?);
                    if self.take_if(Kind::Mark(',')).is_none() {
                        break;
                    }
                }
                self.expect(')')?;
            }
            _ => args = self.operands()?,
        }
        let loc = Loc::span(start as u32, self.end as u32);
        match op {
            Op::If => {
                regions.push(self.region(&[], depth + 1)?);
                regions.push(if self.take_word("else") {
                    self.region(&[], depth + 1)?
                } else {
                    self.b.loc = Loc::span(self.end as u32 - 1, self.end as u32);
                    self.b.region(&[], |_, _| Vec::new())
                });
            }
            Op::Loop => regions.push(self.region(&params, depth + 1)?),
            Op::Switch => attr = Attr::Cases(self.cases(&args, &mut regions, depth)?.into()),
            _ => (),
        }
        self.b.loc = loc;
        Ok(self.b.insert(op, attr, &args, &types, regions))
    }

    /// Values on the same line, separated by commas.
    fn operands(&mut self) -> Parse<Vec<Value>> {
        let mut args = Vec::new();
        if self.next.kind == Kind::Value && !self.next.first {
            loop {
                args.push(self.value()?);
                if self.take_if(Kind::Mark(',')).is_none() {
                    break;
                }
            }
        }
        Ok(args)
    }

    fn no_operation(&mut self, word: &Token<'s>) -> Failed {
        let loc = self.loc(word);
        self.error(codes::T002, loc, format!("there is no operation `{}`", shorten(word.text)));
        let fix = nearest(word.text, OPS.iter().map(|info| info.name));
        self.advise(fix)
    }

    fn typed(&mut self) -> Parse<Typed<'s>> {
        let Some(token) = self.take_if(Kind::Value) else {
            return Err(self.unexpected("a value such as `%1`"));
        };
        if token.text == "%" {
            let loc = self.loc(&token);
            return Err(self.error(codes::T001, loc, "`%` must be followed by a name"));
        }
        self.expect(':')?;
        Ok((token, self.ty()?))
    }

    /// A value that is visible here. An unknown one is reported, and reading goes on.
    fn value(&mut self) -> Parse<Value> {
        let Some(token) = self.take_if(Kind::Value) else {
            return Err(self.unexpected("a value such as `%1`"));
        };
        if let Some(&value) = self.values.get(token.text) {
            return Ok(value);
        }
        let loc = self.loc(&token);
        self.error(codes::T004, loc, format!("`{}` is not defined here", shorten(token.text)));
        if self.fatal { Err(Failed) } else { Ok(self.poison()) }
    }

    fn buffer_name(&mut self) -> Parse<Buffer> {
        let (name, loc) = self.name("a buffer's name")?;
        match self.buffers.get(&name) {
            Some(&buffer) => Ok(buffer),
            None => {
                let fix = nearest(&name, self.b.p.buffers.values().map(|decl| decl.name.as_str()));
                self.error(codes::T006, loc, format!("there is no buffer `{}`", shorten(&name)));
                Err(self.advise(fix))
            }
        }
    }

    fn letter(&mut self, letters: &str, wanted: &str) -> Parse<u8> {
        let place = match self.next.kind {
            Kind::Word if self.next.text.len() == 1 => letters.find(self.next.text),
            _ => None,
        };
        match place {
            Some(place) => {
                self.take();
                Ok(place as u8)
            }
            None => Err(self.unexpected(wanted)),
        }
    }

    fn constant(&mut self, word: &Token, types: &[Type]) -> Parse<[u64; 4]> {
        let &[ty] = types else {
            let loc = self.loc(word);
            return Err(self.error(codes::T001, loc, "`const` defines one value: `%1: f32 = const 0.5`"));
        };
        if self.take_if(Kind::Mark('(')).is_none() {
            return Ok(splat_bits(ty, self.number(ty.scalar)?));
        }
        let mut lanes = [0; 4];
        for (i, lane) in lanes[..ty.lanes as usize].iter_mut().enumerate() {
            if i > 0 {
                self.expect(',')?;
            }
            *lane = self.number(ty.scalar)?;
        }
        self.expect(')')?;
        Ok(lanes)
    }

    fn number(&mut self, scalar: Scalar) -> Parse<u64> {
        if !matches!(self.next.kind, Kind::Number | Kind::Word) {
            return Err(self.unexpected("a constant"));
        }
        let token = self.take();
        match literal::parse(scalar, token.text) {
            Some(bits) => Ok(bits),
            None => {
                let loc = self.loc(&token);
                Err(self.error(
                    codes::T007,
                    loc,
                    format!("`{}` is not a number of type {scalar}", shorten(token.text)),
                ))
            }
        }
    }

    /// `{ case 1, 2 { ... } default { ... } }`
    fn cases(&mut self, args: &[Value], regions: &mut Vec<Region>, depth: usize) -> Parse<Vec<Case>> {
        let scalar = args.first().map_or(Scalar::U32, |&selector| self.b.p.ty(selector).scalar);
        let mut cases = Vec::new();
        self.expect('{')?;
        loop {
            let region = regions.len() as u32;
            let mut is_default = self.take_word("default");
            if !is_default {
                self.expect_word("case")?;
                while self.next.kind != Kind::Mark('{') {
                    if self.take_word("default") {
                        is_default = true;
                        break;
                    }
                    cases.push(Case { value: self.number(scalar)?, region });
                    if self.take_if(Kind::Mark(',')).is_none() {
                        break;
                    }
                }
            }
            regions.push(self.region(&[], depth + 1)?);
            if is_default {
                self.expect('}')?;
                return Ok(cases);
            }
        }
    }
}

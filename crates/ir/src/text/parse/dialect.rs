//! What dialects add to the text form: calls, and definitions of operations.

use super::*;
use crate::dialect::{AttributeDef, Call, CallAttribute, Category, Function, OpDef, Signature};
use semver::Version;

/// Reads the definition of an operation: `op math.lerp(%a: f32, %b: f32, %t: f32) -> f32 { ... }`. Without the body it
/// is an intrinsic that still lacks its lowerings.
///
/// # Errors
/// Every error found, up to 20, in order.
pub fn parse_op(name: &str, source: &str) -> Result<OpDef, Vec<Diagnostic>> {
    read(name, source, |parser| {
        let def = parser.op()?;
        parser.end_of_text()?;
        Ok(def)
    })
}

/// Reads the definitions of any number of operations, one after another.
///
/// # Errors
/// Every error found, up to 20, in order.
pub fn parse_ops(name: &str, source: &str) -> Result<Vec<OpDef>, Vec<Diagnostic>> {
    read(name, source, |parser| {
        let mut defs = Vec::new();
        while parser.next.kind != Kind::End {
            defs.push(parser.op()?);
        }
        Ok(defs)
    })
}

/// Reads the definition of an operation that has a body.
///
/// # Errors
/// Every error found, up to 20, in order.
pub fn parse_function(name: &str, source: &str) -> Result<Function, Vec<Diagnostic>> {
    let body = read(name, source, |parser| {
        let def = parser.op()?;
        if def.body.is_none() {
            return Err(parser.unexpected("`{`"));
        }
        parser.end_of_text()?;
        Ok(def.body)
    })?;
    Ok(Arc::unwrap_or_clone(body.expect("asked above")))
}

fn read<'s, T>(
    name: &str,
    source: &'s str,
    content: impl FnOnce(&mut Parser<'s>) -> Parse<T>,
) -> Result<T, Vec<Diagnostic>> {
    let mut parser = Parser::new(source)?;
    parser.source = Some(Arc::new(Source { name: name.into(), text: source.into() }));
    match content(&mut parser) {
        Ok(read) if parser.errors.is_empty() => Ok(read),
        _ => Err(parser.errors.into_iter().map(|e| e.in_source(parser.source.as_ref())).collect()),
    }
}

impl<'s> Parser<'s> {
    pub(super) fn end_of_text(&mut self) -> Parse<()> {
        match self.next.kind {
            Kind::End => Ok(()),
            _ => Err(self.unexpected("the end of the text")),
        }
    }

    /// What a call names: `dialect.op@version[attribute: type = number, ...]`.
    pub(super) fn callee(&mut self) -> Parse<Call> {
        let mut call = Call::new(self.op_name()?);
        if self.take_if(Kind::Mark('@')).is_some() {
            call.version = Some(self.version()?);
        }
        if self.next.kind != Kind::Mark('[') {
            return Ok(call);
        }
        self.expect('[')?;
        loop {
            let (name, _) = self.name("an attribute's name")?;
            self.expect(':')?;
            let ty = self.scalar()?;
            self.expect('=')?;
            let bits = self.number(ty)?;
            call.attributes.push(CallAttribute { name: name.into(), ty, bits });
            if self.take_if(Kind::Mark(',')).is_none() {
                break;
            }
        }
        self.expect(']')?;
        Ok(call)
    }

    /// `dialect.op`, or any name in quotes.
    fn op_name(&mut self) -> Parse<String> {
        if self.next.kind == Kind::Quoted {
            return Ok(self.name("an operation's name")?.0);
        }
        let dialect = self.word("an operation's name, as in `math.lerp`")?;
        self.expect('.')?;
        let op = self.word("an operation's name")?;
        Ok(format!("{}.{}", dialect.text, op.text))
    }

    fn version(&mut self) -> Parse<Version> {
        let token = self.next;
        let (text, loc) = match token.kind {
            Kind::Number => {
                self.take();
                (token.text.into(), self.loc(&token))
            }
            _ => self.name("a version such as `1.2.0`")?,
        };
        Version::parse(&text).map_err(|why| {
            let message = format!("`{}` is not a version: {why}", shorten(&text));
            self.error(codes::T001, loc, message)
        })
    }

    fn scalar(&mut self) -> Parse<Scalar> {
        let token = self.next;
        let ty = self.ty()?;
        if ty.lanes == 1 {
            return Ok(ty.scalar);
        }
        let loc = self.loc(&token);
        Err(self.error(codes::T001, loc, format!("an attribute is a scalar, not {ty}")))
    }

    /// A definition.
    fn op(&mut self) -> Parse<OpDef> {
        self.expect_word("op")?;
        let id = self.op_name()?;
        let mut attributes = Vec::new();
        let mut params: Vec<Typed<'s>> = Vec::new();
        if self.take_if(Kind::Mark('[')).is_some() {
            loop {
                let (attribute, token) = self.attribute()?;
                params.push((token, attribute.ty.into()));
                attributes.push(attribute);
                if self.take_if(Kind::Mark(',')).is_none() {
                    break;
                }
            }
            self.expect(']')?;
        }
        self.expect('(')?;
        while self.next.kind != Kind::Mark(')') {
            params.push(self.typed()?);
            if self.take_if(Kind::Mark(',')).is_none() {
                break;
            }
        }
        self.expect(')')?;
        let operands: Vec<Type> = params[attributes.len()..].iter().map(|p| p.1).collect();
        let results = self.op_results()?;
        let signature = Signature { operands, results };
        if self.next.kind != Kind::Mark('{') {
            let mut def = OpDef::bare(&id, Category::Intrinsic, signature);
            def.attributes = attributes;
            return Ok(def);
        }
        let names = params[attributes.len()..].iter().map(|(token, _)| own_name(token)).collect();
        let program = self.op_body(&id, &params)?;
        let mut def = OpDef::bare(&id, Category::Composite, signature);
        def.attributes = attributes.clone();
        def.body = Some(Arc::new(Function { attributes, names, program }));
        Ok(def)
    }

    /// `%n: u32 = 3`, where the number is what a call has that gives none.
    fn attribute(&mut self) -> Parse<(AttributeDef, Token<'s>)> {
        let (token, ty) = self.typed()?;
        let name = own_name(&token);
        let loc = self.loc(&token);
        if name.is_empty() {
            return Err(self.error(codes::T001, loc, "an attribute's name starts with a letter"));
        }
        if ty.lanes > 1 {
            return Err(self.error(codes::T001, loc, format!("an attribute is a scalar, not {ty}")));
        }
        let default = match self.take_if(Kind::Mark('=')) {
            Some(_) => Some(self.number(ty.scalar)?),
            None => None,
        };
        Ok((AttributeDef { name, ty: ty.scalar, default }, token))
    }

    fn op_results(&mut self) -> Parse<Vec<Type>> {
        if self.take_if(Kind::Arrow).is_none() {
            return Err(self.unexpected("`->` and the type of the result"));
        }
        if self.take_if(Kind::Mark('(')).is_none() {
            return Ok(vec![self.ty()?]);
        }
        let mut results = vec![self.ty()?];
        while self.take_if(Kind::Mark(',')).is_some() {
            results.push(self.ty()?);
        }
        self.expect(')')?;
        Ok(results)
    }

    fn op_body(&mut self, id: &str, params: &[Typed<'s>]) -> Parse<Program> {
        self.b = Builder::new(id, [1, 1, 1]);
        self.poison = None;
        self.values.clear();
        let types: Vec<Type> = params.iter().map(|p| p.1).collect();
        let values = self.b.parameters(&types);
        let mut defined = Vec::new();
        for ((token, _), value) in params.iter().zip(values) {
            self.define(token, value, &mut defined);
        }
        self.expect('{')?;
        self.statements(1, defined)?;
        let close = self.expect('}')?;
        self.end_region(&close);
        let mut program = std::mem::replace(&mut self.b, Builder::new("", [1, 1, 1])).p;
        program.source = self.source.clone();
        Ok(program)
    }
}

/// The name of a parameter that keeps it; empty for one that is numbered.
fn own_name(token: &Token<'_>) -> String {
    let name = &token.text[1..];
    if name.starts_with(|c: char| c.is_ascii_digit()) { String::new() } else { name.into() }
}

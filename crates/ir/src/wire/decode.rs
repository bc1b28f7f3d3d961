//! Reads wire form from bytes that may be damaged or hostile.

use super::{HEADER, MAGIC, VERSION, encode, flag, tag};
use crate::build::Builder;
use crate::codes;
use crate::diagnostic::{Diagnostic, counted};
use crate::dialect::{self, Call, CallAttribute, DialectRegistry};
use crate::entity::Entity;
use crate::op::Op;
use crate::program::*;
use crate::types::Type;
use crate::verify::{self, Calls, MAX_BUFFERS, MAX_DEPTH, MAX_INSTS};
use std::sync::Arc;

/// Reads a program and verifies it. Calls that were written for an older version of their dialect are rewritten as the
/// dialect's migrations say.
///
/// # Errors
/// The first one found; the codes are `W` and three digits.
pub fn decode(file: &[u8]) -> Result<Program, Diagnostic> {
    let Some(rest) = file.strip_prefix(&MAGIC) else {
        return Err(Diagnostic::new(
            codes::W001,
            "this is not a vyre program in wire form: it does not start with `VYRE`",
        )
        .fix("Give a file that `vyre emit --target wire` wrote."));
    };
    if file.len() < HEADER {
        let message = format!("the file ends after {} bytes, within its header", file.len());
        return Err(Diagnostic::new(codes::W004, message).fix(AGAIN));
    }
    let version = u16::from_le_bytes([rest[0], rest[1]]);
    if version != VERSION {
        let message =
            format!("the file has version {version} of the wire form; this is for version {VERSION}");
        return Err(Diagnostic::new(codes::W002, message).fix("Write it again with this version of vyre."));
    }
    let flags = u16::from_le_bytes([rest[2], rest[3]]);
    if flags != 0 {
        return Err(Diagnostic::new(
            codes::W003,
            format!("the file has the flags {flags:#06x}; none are known"),
        )
        .fix(NEWER));
    }
    let body = &file[HEADER..];
    if blake3::hash(body).as_bytes()[..] != file[8..HEADER] {
        return Err(Diagnostic::new(
            codes::W005,
            "the file is damaged: its body does not have the hash in its header",
        )
        .fix(AGAIN));
    }
    let p = Reader::new(body).program()?;
    let registry = DialectRegistry::global();
    // What the file says is judged before it is rewritten; what its calls mean, after.
    verify::verify_with(&p, Calls::Any).map_err(invalid)?;
    if encode::body(&p).0 != body {
        return Err(
            Diagnostic::new(codes::W009, "the file is not the canonical encoding of its program").fix(AGAIN)
        );
    }
    if !dialect::has_calls(&p) {
        return Ok(p);
    }
    let p = dialect::migrate(&p, &registry);
    verify::verify_with(&p, Calls::Known(&registry)).map_err(invalid)?;
    Ok(p)
}

fn invalid(errors: Vec<Diagnostic>) -> Diagnostic {
    let more = if errors.len() > 1 { format!(" and {} more", errors.len() - 1) } else { String::new() };
    Diagnostic::new(codes::W010, format!("the program in the file is not valid: {}{more}", errors[0]))
}

type Read<T> = Result<T, Diagnostic>;

const NEWER: &str = "Read it with the version of vyre that wrote it.";
const AGAIN: &str = "Write the file again, for example by `vyre emit --target wire`.";

/// A name from the file's table, and all that it can mean.
struct Word {
    name: String,
    op: Option<Op>,
    ty: Option<Type>,
    memory: Option<Memory>,
    access: Option<Access>,
    locality: Option<CacheLocality>,
}

struct Reader<'f> {
    body: &'f [u8],
    at: usize,
    words: Vec<Word>,
    b: Builder,
    /// The value of each number; none while the regions of its instruction are being read.
    values: Vec<Option<Value>>,
}

impl<'f> Reader<'f> {
    fn new(body: &'f [u8]) -> Reader<'f> {
        Reader { body, at: 0, words: Vec::new(), b: Builder::new("", [1, 1, 1]), values: Vec::new() }
    }

    // ---- pieces

    fn malformed<T>(&self, what: impl std::fmt::Display) -> Read<T> {
        let message = format!("the file is malformed at byte {}: {what}", HEADER + self.at);
        Err(Diagnostic::new(codes::W006, message).fix(AGAIN))
    }

    fn left(&self) -> usize {
        self.body.len() - self.at
    }

    fn number(&mut self) -> Read<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.body.get(self.at) else {
                return Err(
                    Diagnostic::new(codes::W004, "the file ends in the middle of its body").fix(AGAIN)
                );
            };
            self.at += 1;
            let bits = (byte & 0x7f) as u64;
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        self.malformed("a number has more than 64 bits")
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Read<T> {
        let number = self.number()?;
        T::try_from(number).or_else(|_| self.malformed(format_args!("the number {number} is too large")))
    }

    /// How many of something follow; each takes at least a byte.
    fn count(&mut self) -> Read<usize> {
        let count = self.number()?;
        if count > self.left() as u64 {
            return self.malformed(format_args!("{count} items in {}", counted(self.left() as u64, "byte")));
        }
        Ok(count as usize)
    }

    fn string(&mut self) -> Read<String> {
        let length = self.count()?;
        let bytes = &self.body[self.at..][..length];
        self.at += length;
        match std::str::from_utf8(bytes) {
            Ok(string) => Ok(string.into()),
            Err(_) => self.malformed("a name is not UTF-8"),
        }
    }

    /// What a word means, by the part of its entry that is wanted.
    fn word<T>(&mut self, what: &str, meaning: impl Fn(&Word) -> Option<T>) -> Read<T> {
        let position = self.number()?;
        let Some(word) = usize::try_from(position).ok().and_then(|at| self.words.get(at)) else {
            return self.malformed(format_args!("the name {position} does not exist"));
        };
        meaning(word).ok_or_else(|| {
            let name: String = word.name.chars().take(40).collect();
            let message = format!("this version of vyre knows no {what} `{name}`");
            Diagnostic::new(codes::W008, message).fix(NEWER)
        })
    }

    fn ty(&mut self) -> Read<Type> {
        self.word("type", |w| w.ty)
    }

    fn types(&mut self) -> Read<Vec<Type>> {
        let count = self.count()?;
        (0..count).map(|_| self.ty()).collect()
    }

    // ---- the program

    fn program(mut self) -> Read<Program> {
        for _ in 0..self.count()? {
            let name = self.string()?;
            self.words.push(Word {
                op: Op::parse(&name),
                ty: Type::parse(&name),
                memory: Memory::ALL.into_iter().find(|m| m.name() == name),
                access: Access::ALL.into_iter().find(|a| a.name() == name),
                locality: CacheLocality::ALL.into_iter().find(|l| l.name() == name),
                name,
            });
        }
        self.b.p.name = self.string()?;
        self.b.p.workgroup_size = [self.small()?, self.small()?, self.small()?];
        let buffers = self.count()?;
        if buffers > MAX_BUFFERS {
            let message = format!("the program has {buffers} buffers; at most {MAX_BUFFERS} are allowed");
            return Err(Diagnostic::new(codes::W007, message));
        }
        for _ in 0..buffers {
            let decl = self.buffer()?;
            self.b.buffer(decl);
        }
        let params = self.types()?;
        if !params.is_empty() {
            return self.malformed("the body has parameters");
        }
        self.insts(1)?;
        if self.left() > 0 {
            return self.malformed(format_args!(
                "the program is followed by {}",
                counted(self.left() as u64, "byte")
            ));
        }
        Ok(self.b.p)
    }

    fn buffer(&mut self) -> Read<BufferDecl> {
        let (name, element) = (self.string()?, self.ty()?);
        let memory = self.word("kind of memory", |w| w.memory)?;
        let access = self.word("access", |w| w.access)?;
        let flags = self.number()?;
        if flags & !flag::ALL != 0 {
            return self.malformed(format_args!("the flags of a buffer are {flags}"));
        }
        let has = |flag| flags & flag != 0;
        Ok(BufferDecl {
            name,
            element,
            memory,
            access,
            output: has(flag::OUTPUT),
            live_out: has(flag::LIVE_OUT),
            count: self.number()?,
            group: self.small()?,
            binding: self.small()?,
            hints: if has(flag::HINTS) { self.hints()? } else { MemoryHints::default() },
        })
    }

    fn hints(&mut self) -> Read<MemoryHints> {
        Ok(MemoryHints {
            coalesce_axis: self.small::<u8>()?.checked_sub(1),
            preferred_alignment: self.small()?,
            cache_locality: self.word("locality", |w| w.locality)?,
        })
    }

    fn region(&mut self, depth: usize) -> Read<Region> {
        if depth > MAX_DEPTH {
            return Err(Diagnostic::new(codes::W007, format!("regions are nested deeper than {MAX_DEPTH}")));
        }
        let params = self.types()?;
        let region = self.b.open(&params);
        self.values.extend(self.b.p.regions[region].params.iter().map(|&v| Some(v)));
        self.b.enter(region);
        self.insts(depth)?;
        self.b.leave();
        Ok(region)
    }

    fn insts(&mut self, depth: usize) -> Read<()> {
        let count = self.count()?;
        if count == 0 {
            // Otherwise a few bytes could ask for many regions.
            return self.malformed("a region has no instructions");
        }
        for _ in 0..count {
            self.inst(depth)?;
        }
        Ok(())
    }

    fn inst(&mut self, depth: usize) -> Read<()> {
        if self.b.p.insts.len() >= MAX_INSTS {
            return Err(Diagnostic::new(
                codes::W007,
                format!("the program has more than {MAX_INSTS} instructions"),
            ));
        }
        let op = self.word("operation", |w| w.op)?;
        let attr = self.attribute()?;
        let results = self.types()?;
        let first = self.values.len();
        self.values.resize(first + results.len(), None);
        let mut args = Vec::new();
        for _ in 0..self.count()? {
            let number = self.number()?;
            match usize::try_from(number).ok().and_then(|at| self.values.get(at)) {
                Some(&Some(value)) => args.push(value),
                _ => return self.malformed(format_args!("%{number} is used before its definition")),
            }
        }
        let mut regions = Vec::new();
        for _ in 0..self.count()? {
            regions.push(self.region(depth + 1)?);
        }
        let inst = self.b.insert(op, attr, &args, &results, regions);
        for (i, &result) in self.b.p.insts[inst].results.iter().enumerate() {
            self.values[first + i] = Some(result);
        }
        Ok(())
    }

    fn attribute(&mut self) -> Read<Attr> {
        Ok(match self.number()? {
            tag::NONE => Attr::None,
            tag::BITS => Attr::Bits([self.number()?, self.number()?, self.number()?, self.number()?]),
            tag::LANE => Attr::Lane(self.small()?),
            tag::AXIS => Attr::Axis(self.small()?),
            tag::BUFFER => {
                let buffer = self.number()?;
                if buffer >= self.b.p.buffers.len() as u64 {
                    return self.malformed(format_args!("the buffer {buffer} does not exist"));
                }
                Attr::Buffer(Buffer::new(buffer as usize))
            }
            tag::CASES => {
                let mut cases = Vec::new();
                for _ in 0..self.count()? {
                    cases.push(Case { value: self.number()?, region: self.small()? });
                }
                Attr::Cases(cases.into())
            }
            tag::CALL => Attr::Call(Arc::new(self.call()?)),
            other => return self.malformed(format_args!("there is no kind {other} of attribute")),
        })
    }

    fn call(&mut self) -> Read<Call> {
        let mut call = self.word("operation of a dialect", |w| Call::parse_versioned(&w.name))?;
        for _ in 0..self.count()? {
            call.attributes.push(CallAttribute {
                name: self.word("attribute", |w| Some(w.name.as_str().into()))?,
                ty: self.word("type", |w| w.ty.filter(|ty| ty.lanes == 1))?.scalar,
                bits: self.number()?,
            });
        }
        Ok(call)
    }
}

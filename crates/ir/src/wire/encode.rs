//! Writes wire form.

use super::{MAGIC, VERSION, flag, tag};
use crate::entity::Entity;
use crate::program::*;
use crate::text::Names;
use crate::types::Type;
use std::collections::HashMap;

/// The wire form of a valid program.
pub fn encode(p: &Program) -> Vec<u8> {
    let (body, _) = body(p);
    let mut file = Vec::with_capacity(super::HEADER + body.len());
    file.extend(MAGIC);
    file.extend(VERSION.to_le_bytes());
    file.extend(0u16.to_le_bytes());
    file.extend(blake3::hash(&body).as_bytes());
    file.extend(body);
    file
}

/// What identifies a valid program: the BLAKE3 hash of its canonical body. Programs with the same text form have
/// the same one, wherever they came from. Where calls are linked, the definitions they are linked to count too.
pub fn fingerprint(p: &Program) -> [u8; 32] {
    let (body, definitions) = body(p);
    let hash = blake3::hash(&body);
    if definitions.is_empty() {
        return hash.into();
    }
    let mut all = blake3::Hasher::new();
    all.update(hash.as_bytes());
    for definition in definitions {
        all.update(&definition);
    }
    all.finalize().into()
}

/// The canonical body, and the fingerprints of the definitions of linked calls.
pub(super) fn body(p: &Program) -> (Vec<u8>, Vec<[u8; 32]>) {
    let mut writer = Writer {
        p,
        names: Names::of(p),
        words: Vec::new(),
        positions: HashMap::new(),
        out: Vec::new(),
        definitions: Vec::new(),
    };
    writer.program();
    let mut body = Vec::with_capacity(writer.out.len() + 16 * writer.words.len());
    put_number(&mut body, writer.words.len() as u64);
    for word in &writer.words {
        put_string(&mut body, word);
    }
    body.extend(writer.out);
    (body, writer.definitions)
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_string(out: &mut Vec<u8>, string: &str) {
    put_number(out, string.len() as u64);
    out.extend(string.as_bytes());
}

struct Writer<'p> {
    p: &'p Program,
    names: Names,
    words: Vec<String>,
    positions: HashMap<String, u64>,
    out: Vec<u8>,
    definitions: Vec<[u8; 32]>,
}

impl Writer<'_> {
    fn number(&mut self, number: u64) {
        put_number(&mut self.out, number);
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn string(&mut self, string: &str) {
        put_string(&mut self.out, string);
    }

    fn word(&mut self, word: &str) {
        let position = match self.positions.get(word) {
            Some(&position) => position,
            None => {
                let position = self.words.len() as u64;
                self.words.push(word.into());
                self.positions.insert(word.into(), position);
                position
            }
        };
        self.number(position);
    }

    fn ty(&mut self, ty: Type) {
        match ty.lanes {
            1 => self.word(ty.scalar.name()),
            _ => self.word(&ty.to_string()),
        }
    }

    fn types(&mut self, values: &[Value]) {
        self.count(values.len());
        for &value in values {
            self.ty(self.p.ty(value));
        }
    }

    fn program(&mut self) {
        let p = self.p;
        self.string(&p.name);
        for size in p.workgroup_size {
            self.number(size as u64);
        }
        self.count(p.buffers.len());
        for decl in p.buffers.values() {
            self.string(&decl.name);
            self.ty(decl.element);
            self.word(decl.memory.name());
            self.word(decl.access.name());
            let flags = [(decl.output, flag::OUTPUT), (decl.live_out, flag::LIVE_OUT)];
            let hinted = (!decl.hints.is_default(), flag::HINTS);
            self.number(flags.into_iter().chain([hinted]).filter(|f| f.0).map(|f| f.1).sum());
            self.number(decl.count);
            self.number(decl.group as u64);
            self.number(decl.binding as u64);
            if hinted.0 {
                let hints = decl.hints;
                self.number(hints.coalesce_axis.map_or(0, |axis| axis as u64 + 1));
                self.number(hints.preferred_alignment as u64);
                self.word(hints.cache_locality.name());
            }
        }
        self.region(p.body);
    }

    fn region(&mut self, region: Region) {
        let p = self.p;
        let data = &p.regions[region];
        self.types(&data.params);
        self.count(data.insts.len());
        for &inst in &data.insts {
            let data = &p.insts[inst];
            self.word(data.op.name());
            self.attribute(&data.attr);
            self.types(&data.results);
            self.count(data.args.len());
            for &arg in &data.args {
                self.number(self.names.number(arg).map_or(u64::MAX, u64::from));
            }
            self.count(data.regions.len());
            for &inner in &data.regions {
                self.region(inner);
            }
        }
    }

    fn attribute(&mut self, attr: &Attr) {
        match attr {
            Attr::None => self.number(tag::NONE),
            Attr::Bits(lanes) => {
                self.number(tag::BITS);
                for &lane in lanes {
                    self.number(lane);
                }
            }
            Attr::Lane(lane) => {
                self.number(tag::LANE);
                self.number(*lane as u64);
            }
            Attr::Axis(axis) => {
                self.number(tag::AXIS);
                self.number(*axis as u64);
            }
            Attr::Buffer(buffer) => {
                self.number(tag::BUFFER);
                self.count(buffer.index());
            }
            Attr::Call(call) => {
                self.number(tag::CALL);
                self.word(&call.versioned());
                self.count(call.attributes.len());
                for attribute in &call.attributes {
                    self.word(&attribute.name);
                    self.word(attribute.ty.name());
                    self.number(attribute.bits);
                }
                self.definitions.extend(call.def.as_ref().map(|def| def.fingerprint()));
            }
            Attr::Cases(cases) => {
                self.number(tag::CASES);
                self.count(cases.len());
                // In the order in which text form shows them.
                let mut cases = cases.to_vec();
                cases.sort_by_key(|c| c.region);
                for case in cases {
                    self.number(case.value);
                    self.number(case.region as u64);
                }
            }
        }
    }
}

//! SPIR-V words before naga reads them: repairs and refusals of what its front end gets wrong.
//!
//! naga 30 puts a switch value that shares its target with the default into the group of the value that follows;
//! without the value the default takes it. And it reads `FindUMsb` and `FindSMsb` as one function whose sign is that of
//! the operand's type.

use crate::codes;
use std::collections::HashMap;
use vyre_ir::Diagnostic;

const MAGIC: u32 = 0x0723_0203;
const OP_EXT_INST_IMPORT: u32 = 11;
const OP_EXT_INST: u32 = 12;
const OP_TYPE_INT: u32 = 21;
const OP_TYPE_VECTOR: u32 = 23;
const OP_TYPE_FIRST: u32 = 19;
const OP_TYPE_LAST: u32 = 39;
const OP_SWITCH: u32 = 251;
const FIND_S_MSB: u32 = 74;
const FIND_U_MSB: u32 = 75;

/// The module as naga understands it rightly. What is no SPIR-V stays as it is, for naga to say so.
pub fn repaired(bytes: &[u8]) -> Result<Vec<u8>, Diagnostic> {
    let words: Vec<u32> =
        bytes.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
    if words.len() < 5 || words[0] != MAGIC || !bytes.len().is_multiple_of(4) {
        return Ok(bytes.to_vec());
    }
    let mut out = words[..5].to_vec();
    let mut ids = Ids::default();
    let mut at = 5;
    while at < words.len() {
        let (length, op) = ((words[at] >> 16) as usize, words[at] & 0xffff);
        let Some(inst) = words.get(at..at + length).filter(|i| !i.is_empty()) else {
            return Ok(bytes.to_vec());
        };
        at += length;
        ids.note(op, inst);
        ids.check(op, inst)?;
        match inst {
            // Selector and default, then pairs of a one-word value and its target.
            &[_, selector, default, ref pairs @ ..] if op == OP_SWITCH && pairs.len() % 2 == 0 => {
                let kept = pairs.chunks_exact(2).filter(|p| p[1] != default);
                let start = out.len();
                out.extend([0, selector, default]);
                kept.for_each(|p| out.extend(p));
                out[start] = ((out.len() - start) as u32) << 16 | OP_SWITCH;
            }
            other => out.extend(other),
        }
    }
    Ok(out.iter().flat_map(|w| w.to_le_bytes()).collect())
}

/// What is known of the module's ids.
#[derive(Default)]
struct Ids {
    /// Types; for integers and vectors of them, whether they have a sign.
    types: HashMap<u32, Option<bool>>,
    /// The type of a value.
    values: HashMap<u32, u32>,
    /// Extended instruction sets.
    sets: Vec<u32>,
}

impl Ids {
    fn note(&mut self, op: u32, inst: &[u32]) {
        match (op, inst) {
            (OP_EXT_INST_IMPORT, &[_, id, ..]) => self.sets.push(id),
            (OP_TYPE_INT, &[_, id, _, sign]) => {
                self.types.insert(id, Some(sign == 1));
            }
            (OP_TYPE_VECTOR, &[_, id, component, _]) => {
                let sign = self.types.get(&component).copied().flatten();
                self.types.insert(id, sign);
            }
            (OP_TYPE_FIRST..=OP_TYPE_LAST, &[_, id, ..]) => {
                self.types.insert(id, None);
            }
            // Instructions with a result have its type first; others have no type there.
            (_, &[_, ty, id, ..]) if self.types.contains_key(&ty) => {
                self.values.insert(id, ty);
            }
            _ => {}
        }
    }

    fn check(&self, op: u32, inst: &[u32]) -> Result<(), Diagnostic> {
        let (OP_EXT_INST, &[_, _, _, set, number, operand]) = (op, inst) else { return Ok(()) };
        if !self.sets.contains(&set) || !matches!(number, FIND_S_MSB | FIND_U_MSB) {
            return Ok(());
        }
        let sign = self.values.get(&operand).and_then(|ty| self.types.get(ty)).copied().flatten();
        if sign.is_some_and(|sign| sign != (number == FIND_S_MSB)) {
            let (name, kind) =
                if number == FIND_S_MSB { ("FindSMsb", "an unsigned") } else { ("FindUMsb", "a signed") };
            return Err(Diagnostic::new(codes::I006, format!("naga misreads `{name}` of {kind} integer"))
                .fix("Convert the operand to the function's own sign."));
        }
        Ok(())
    }
}

//! What tells a changed operation from the one before.

use super::{LoweringCode, OpDef};
use crate::types::Type;

/// The hash of a definition; see [`OpDef::fingerprint`].
pub(super) fn fingerprint(def: &OpDef) -> [u8; 32] {
    let mut hash = Hash(blake3::Hasher::new());
    hash.text(&def.id);
    hash.text(def.category.name());
    hash.types(&def.signature.operands);
    hash.types(&def.signature.results);
    hash.number(def.attributes.len() as u64);
    for attribute in &def.attributes {
        hash.text(&attribute.name);
        hash.text(attribute.ty.name());
        hash.text(&format!("{:?}", attribute.default));
    }
    hash.number(def.body.is_some() as u64);
    if let Some(body) = &def.body {
        // Mixes in the definitions of what it calls.
        hash.0.update(&crate::wire::fingerprint(&body.program));
    }
    hash.number(def.lowerings.len() as u64);
    for lowering in &def.lowerings {
        hash.number(lowering.target.id() as u64);
        match &lowering.code {
            LoweringCode::Text(text) => hash.text(text),
            LoweringCode::Function(function) => hash.number(*function as usize as u64),
        }
    }
    hash.text(&format!("{:?}", def.laws));
    hash.0.finalize().into()
}

/// Every part ends where its length says, so that no two lists of parts have the same bytes.
struct Hash(blake3::Hasher);

impl Hash {
    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn types(&mut self, types: &[Type]) {
        self.number(types.len() as u64);
        types.iter().for_each(|ty| self.text(&ty.to_string()));
    }
}

//! What an operation of a dialect is.

use super::{Function, Law, Target};
use crate::diagnostic::Diagnostic;
use crate::types::{Scalar, Type};
use semver::Version;
use std::fmt;
use std::sync::Arc;

/// How an operation of a dialect comes to run.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Category {
    /// Has a body in terms of other operations, and so runs everywhere.
    Composite,
    /// Has code of its own for some targets, and for the others a reference semantics: a function or a body.
    Intrinsic,
    /// Has code for [`Target::Extension`] only; a backend that does not know it refuses the program.
    Extension,
}

impl Category {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Category::Composite => "composite",
            Category::Intrinsic => "intrinsic",
            Category::Extension => "extension",
        }
    }
}

/// The types of operands and results.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    /// Types of the operands.
    pub operands: Vec<Type>,
    /// Types of the results; at least one.
    pub results: Vec<Type>,
}

/// A number that a call gives when the program is written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AttributeDef {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Scalar,
    /// The bits that a call has that does not give the attribute; without them every call must give it.
    pub default: Option<u64>,
}

/// One lane's value from the bits of the attributes, in the order of their definition, and then of the operands. It
/// must give the same for the same bits, keep the unused high bits zero, and not panic: a panic in it ends the process.
pub type Reference = fn(&[u64]) -> u64;

/// What an operation is lowered to for one target.
#[derive(Clone, Debug)]
pub struct Lowering {
    /// For what.
    pub target: Target,
    /// The code.
    pub code: LoweringCode,
}

/// Code of a lowering.
#[derive(Clone, Debug)]
pub enum LoweringCode {
    /// In the target's own language.
    Text(String),
    /// A function of this process. Operands and the one result are scalars then.
    Function(Reference),
}

impl From<&str> for LoweringCode {
    fn from(text: &str) -> LoweringCode {
        LoweringCode::Text(text.into())
    }
}

impl From<Reference> for LoweringCode {
    fn from(function: Reference) -> LoweringCode {
        LoweringCode::Function(function)
    }
}

/// That an operation should not be used any more. Programs that use it get a notice, and run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpDeprecation {
    /// The version of the dialect from which on.
    pub since: Version,
    /// What to do instead, as a sentence.
    pub instead: String,
}

/// An operation of a dialect: a pure function of its operands and attributes.
#[derive(Clone, Debug)]
pub struct OpDef {
    /// `dialect.op`, both of letters, digits and `_`.
    pub id: String,
    /// The dialect.
    pub dialect: String,
    /// How it comes to run.
    pub category: Category,
    /// Types.
    pub signature: Signature,
    /// Compile-time numbers.
    pub attributes: Vec<AttributeDef>,
    /// What it computes, in terms of other operations.
    pub body: Option<Arc<Function>>,
    /// Code for targets.
    pub lowerings: Vec<Lowering>,
    /// What holds of it for all operands; checked on samples when it is registered.
    pub laws: Vec<Law>,
    /// What it computes, for people.
    pub doc: String,
    /// The largest error of an f32 result in units in the last place, where one is known.
    pub ulp: Option<f32>,
    /// Whether it should not be used any more.
    pub deprecated: Option<OpDeprecation>,
    pub(super) facts: Facts,
}

/// What a registry finds out when it takes an operation in. A copy forgets it, since a copy may be changed.
#[derive(Debug, Default)]
pub(super) struct Facts(pub Option<Known>);

/// See [`Facts`].
#[derive(Debug)]
pub(super) struct Known {
    pub version: Version,
    pub registrant: Arc<str>,
    /// Instructions that a call becomes.
    pub size: u64,
    /// How deep regions are nested where a call is replaced; the body itself is one.
    pub depth: u64,
    pub fingerprint: [u8; 32],
}

impl Clone for Facts {
    fn clone(&self) -> Facts {
        Facts(None)
    }
}

impl OpDef {
    /// Reads a definition: `op demo.double(%x: f32) -> f32 { ... }` is a composite, and without the body an
    /// intrinsic that still lacks its lowerings.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(source: &str) -> Result<OpDef, Vec<Diagnostic>> {
        crate::text::parse_op("op", source)
    }

    /// An operation without body, code and laws.
    pub(crate) fn bare(id: &str, category: Category, signature: Signature) -> OpDef {
        OpDef {
            id: id.into(),
            dialect: id.split('.').next().unwrap_or_default().into(),
            category,
            signature,
            attributes: Vec::new(),
            body: None,
            lowerings: Vec::new(),
            laws: Vec::new(),
            doc: String::new(),
            ulp: None,
            deprecated: None,
            facts: Facts(None),
        }
    }

    /// A composite of this body; its id is the name of the function's program.
    pub fn composite(body: Function) -> OpDef {
        let mut def = OpDef::bare(&body.program.name, Category::Composite, body.signature());
        def.attributes = body.attributes.clone();
        def.body = Some(Arc::new(body));
        def
    }

    /// Adds code for a target. A composite becomes an intrinsic whose reference semantics is its body.
    pub fn lower(mut self, target: Target, code: impl Into<LoweringCode>) -> OpDef {
        if self.category == Category::Composite {
            self.category = Category::Intrinsic;
        }
        self.lowerings.push(Lowering { target, code: code.into() });
        self
    }

    /// Adds the function that says what is right.
    pub fn reference(self, function: Reference) -> OpDef {
        self.lower(Target::ReferenceBackend, function)
    }

    /// Makes it an extension.
    pub fn extension(mut self) -> OpDef {
        self.category = Category::Extension;
        self
    }

    /// Says what holds of it for all operands.
    pub fn laws(mut self, laws: impl IntoIterator<Item = Law>) -> OpDef {
        self.laws.extend(laws);
        self
    }

    /// Says what it computes, for people.
    pub fn doc(mut self, doc: &str) -> OpDef {
        self.doc = doc.into();
        self
    }

    /// States the largest error of an f32 result in units in the last place.
    pub fn ulp(mut self, bound: f32) -> OpDef {
        self.ulp = Some(bound);
        self
    }

    /// Says that it should not be used any more.
    pub fn deprecated(mut self, since: Version, instead: &str) -> OpDef {
        self.deprecated = Some(OpDeprecation { since, instead: instead.into() });
        self
    }

    /// The code for a target.
    pub fn lowering(&self, target: Target) -> Option<&Lowering> {
        self.lowerings.iter().find(|lowering| lowering.target == target)
    }

    /// The function for a target.
    pub fn function(&self, target: Target) -> Option<Reference> {
        match self.lowering(target)?.code {
            LoweringCode::Function(function) => Some(function),
            LoweringCode::Text(_) => None,
        }
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&AttributeDef> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The version of its dialect; `None` before a registry took it in.
    pub fn version(&self) -> Option<&Version> {
        self.facts.0.as_ref().map(|known| &known.version)
    }

    /// Who registered it; empty before a registry took it in.
    pub fn registrant(&self) -> &str {
        self.facts.0.as_ref().map_or("", |known| &known.registrant)
    }

    /// How many instructions a call of it becomes where it is replaced by its body; 1 where it has none.
    pub fn size(&self) -> u64 {
        match &self.facts.0 {
            Some(known) => known.size,
            None => self.body.as_ref().map_or(1, |body| body.size()),
        }
    }

    /// How deep a call of it is nested where it is replaced by its body.
    pub(super) fn depth(&self) -> u64 {
        match &self.facts.0 {
            Some(known) => known.depth,
            None => self.body.as_ref().map_or(1, |body| body.depth()),
        }
    }

    /// What tells the operation from a changed one: the hash of all that decides what programs compute with it, the
    /// operations that its body calls included. The same in every process, except that a function counts with its
    /// address.
    pub fn fingerprint(&self) -> [u8; 32] {
        match &self.facts.0 {
            Some(known) => known.fingerprint,
            None => super::fingerprint::fingerprint(self),
        }
    }
}

/// The header in text form: `op math.lerp(%a: f32, %b: f32, %t: f32) -> f32`.
impl fmt::Display for OpDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.body.as_ref().map_or(&[][..], |body| &body.names);
        crate::text::write_header(f, &self.id, &self.attributes, &self.signature, names)
    }
}

//! What a `call` instruction says beside its operands.

use super::OpDef;
use crate::types::Scalar;
use semver::Version;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The attribute of a `call`: which operation of which dialect, and its compile-time numbers.
///
/// Two are equal if they say the same; [`Call::def`], which [`link`](super::link) finds, is not part of that.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation's id: `dialect.op`.
    pub op: Arc<str>,
    /// The version of the dialect that the call was written for, where that is known.
    pub version: Option<Version>,
    /// The attributes given.
    pub attributes: Vec<CallAttribute>,
    /// What the operation is. Everything after linking reads it here, so a program means one snapshot of the registry.
    pub def: Option<Arc<OpDef>>,
}

/// A number that is given to a call when the program is written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CallAttribute {
    /// The attribute's name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Scalar,
    /// Its bits.
    pub bits: u64,
}

impl Call {
    /// A call of the operation with its attributes' defaults.
    pub fn new(op: impl Into<Arc<str>>) -> Call {
        Call { op: op.into(), version: None, attributes: Vec::new(), def: None }
    }

    /// Gives an attribute.
    pub fn with(mut self, name: impl Into<Arc<str>>, ty: Scalar, bits: u64) -> Call {
        self.attributes.push(CallAttribute { name: name.into(), ty, bits: bits & ty.mask() });
        self
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&CallAttribute> {
        self.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    /// The name with the version, as text and wire form spell it: `math.erf@1.2.0`.
    pub(crate) fn versioned(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.op),
            None => self.op.to_string(),
        }
    }

    /// The reverse of [`Call::versioned`].
    pub(crate) fn parse_versioned(name: &str) -> Option<Call> {
        let (op, version) = match name.rsplit_once('@') {
            Some((op, version)) => (op, Some(Version::parse(version).ok()?)),
            None => (name, None),
        };
        Some(Call { version, ..Call::new(op) })
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        (&self.op, &self.version, &self.attributes) == (&other.op, &other.version, &other.attributes)
    }
}

impl Eq for Call {}

impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.op, &self.version, &self.attributes).hash(state);
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.versioned())
    }
}

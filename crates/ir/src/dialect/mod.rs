//! Operations above the op table, which crates and files add: dialects.
//!
//! An operation of a dialect is a pure function of its operands and attributes, named `dialect.op` and used by the
//! instruction `call`. Most are composites, whose body is in terms of other operations: the optimizer puts the body in
//! the place of the call, so no backend has to know them.
//!
//! The [`DialectRegistry`] holds all that are known. It is replaced as a whole and never changed, so whoever looks at
//! one sees operations that fit together. [`link`] gives each call of a program its definition from one snapshot;
//! everything after that reads the definition from the instruction.

mod builder;
mod call;
mod def;
mod error;
mod evaluate;
mod fingerprint;
mod function;
mod language;
mod law;
mod link;
mod migrate;
mod register;
mod registry;
mod target;
mod validate;

pub use builder::{Dialect, DialectDef, RegistryBuilder};
pub use call::{Call, CallAttribute};
pub use def::{AttributeDef, Category, Lowering, LoweringCode, OpDef, OpDeprecation, Reference, Signature};
pub use error::{DuplicateOpIdError, RegistryError, Subject};
pub use evaluate::{Lanes, evaluate};
pub use function::Function;
pub use language::{BodyLanguage, BodyText, body_language, body_languages};
pub use law::{Law, check_laws};
pub use link::{has_calls, link, linked, notices, unsupported};
pub use migrate::{AttributeChange, OpMigration};
pub use register::{Defined, ExternDialect, ExternOp, InTreeDialect};
pub use registry::{DialectRegistry, OpId, Snapshot};
pub use target::Target;

pub(crate) use link::{check_call, unknown};
pub(crate) use migrate::migrate;
pub use validate::is_word;

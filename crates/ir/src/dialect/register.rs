//! Dialects that are linked into the process.
//!
//! ```
//! use vyre_ir::dialect::{ExternDialect, ExternOp, Law, OpDef};
//! vyre_ir::inventory::submit! { ExternDialect::new("demo", "1.0.0", "https://example.org/demo") }
//! vyre_ir::inventory::submit! {
//!     ExternOp::new("demo", || {
//!         let text = "op demo.join(%a: u32, %b: u32) -> u32 {\n  %0: u32 = or %a, %b\n  yield %0\n}";
//!         Ok(OpDef::parse(text)?.laws([Law::Commutative, Law::Idempotent]))
//!     })
//! }
//! ```

use super::{OpDef, OpMigration};
use crate::diagnostic::Diagnostic;
use std::panic::Location;

/// A definition, or what is wrong with its text.
pub type Defined = Result<OpDef, Vec<Diagnostic>>;

/// A dialect of this repository with all its operations.
pub struct InTreeDialect {
    /// Its name.
    pub name: &'static str,
    /// Its version, as semantic versions are written.
    pub version: &'static str,
    /// Its operations.
    pub ops: fn() -> Vec<Defined>,
    /// How programs written for older versions change.
    pub migrations: fn() -> Vec<OpMigration>,
}

/// A dialect of a crate from elsewhere. Its operations are [`ExternOp`]s.
pub struct ExternDialect {
    /// Its name.
    pub name: &'static str,
    /// Its version, as semantic versions are written.
    pub version: &'static str,
    /// Where it comes from.
    pub repository: &'static str,
    /// How programs written for older versions change.
    pub migrations: fn() -> Vec<OpMigration>,
    /// Where it is registered.
    pub at: &'static Location<'static>,
}

/// An operation under an [`ExternDialect`].
pub struct ExternOp {
    /// The dialect's name.
    pub dialect: &'static str,
    /// Makes the definition.
    pub make: fn() -> Defined,
    /// Where it is registered.
    pub at: &'static Location<'static>,
}

inventory::collect!(InTreeDialect);
inventory::collect!(ExternDialect);
inventory::collect!(ExternOp);

impl ExternDialect {
    /// A dialect that nothing changed in yet.
    #[track_caller]
    pub const fn new(name: &'static str, version: &'static str, repository: &'static str) -> ExternDialect {
        ExternDialect { name, version, repository, migrations: Vec::new, at: Location::caller() }
    }

    /// Says how programs written for older versions change.
    pub const fn migrations(self, migrations: fn() -> Vec<OpMigration>) -> ExternDialect {
        ExternDialect { migrations, ..self }
    }
}

impl ExternOp {
    /// An operation of a dialect.
    #[track_caller]
    pub const fn new(dialect: &'static str, make: fn() -> Defined) -> ExternOp {
        ExternOp { dialect, make, at: Location::caller() }
    }
}

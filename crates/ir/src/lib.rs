//! The vyre program and everything that is true of it without a device: the op table, types, buffers, builder,
//! text form, wire form, verifier, reference semantics. This crate does no IO and knows no device.

pub mod build;
pub mod code;
pub mod codes;
pub mod diagnostic;
pub mod dialect;
pub mod docs;
pub mod entity;
pub mod eval;
pub mod lane;
pub mod math;
pub mod op;
pub mod program;
pub mod text;
pub mod types;
pub mod uniform;
pub mod verify;
pub mod wire;

/// For registrations of dialects: `vyre_ir::inventory::submit!`.
pub use inventory;
/// The versions of dialects.
pub use semver::Version;

pub use build::Builder;
pub use code::Code;
pub use diagnostic::{Diagnostic, Label, Loc, Severity, Source};
pub use entity::{Arena, Entity, SideTable};
pub use op::{Effect, Info, OPS, Op, Rule, Sig};
pub use program::{
    Access, Attr, Buffer, BufferDecl, CacheLocality, Case, Def, Inst, InstData, Memory, MemoryHints, Program,
    Region, RegionData, Value, ValueData,
};
pub use types::{Class, Scalar, Type};

//! An interpreter of PTX text for machines without a GPU: it runs kernels thread by thread under seeded schedules, and
//! reports what a GPU would let pass: races, reads of what was never written, accesses out of bounds.
//!
//! It shares nothing with the emitter whose output it judges.

mod bytes;
mod code;
mod convert;
mod counters;
mod decode;
mod fault;
mod float;
mod integer;
mod lex;
mod machine;
mod memory;
mod module;
pub mod mutants;
mod names;
mod parse;
mod races;
mod run;
mod soft;
mod types;

pub use fault::{Fault, FaultKind, Other};
pub use memory::Memory;
pub use module::{Entry, Module, ParamDecl, ParseError, parse};
pub use names::{Begin, Named};
pub use run::{Counters, Launch, Options, Report, run};

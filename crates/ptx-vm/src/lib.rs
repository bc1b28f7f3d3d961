//! An interpreter of PTX text for machines without a GPU: it runs kernels thread by thread under seeded schedules, and
//! reports what a GPU would let pass: races, reads of what was never written, accesses out of bounds.
//!
//! It shares nothing with the emitter whose output it judges.

mod fault;
mod memory;
mod module;
mod run;

pub use fault::{Fault, FaultKind};
pub use memory::Memory;
pub use module::{Entry, Module, ParamDecl, ParseError, parse};
pub use run::{Counters, Launch, Options, Report, run};

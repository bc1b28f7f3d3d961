//! The optimizer: programs in, programs that give the same results out.
//!
//! [`pipeline::PASSES`] is the whole of it, in order, with reasons. A pass is one file with one function of
//! the same name. Passes that replace one instruction by several copy the program ([`rewrite`]); the others
//! work in place ([`edit`]). A pass that cannot prove that a change is exact does not make it; only
//! [`mod@contract`], which runs when it is asked for, may change roundings. [`analysis`] is what passes and
//! backends ask about values. This crate does no IO and knows no device.

pub mod analysis;
pub mod carry;
pub mod chain;
pub mod codes;
pub mod compact;
pub mod contract;
pub mod cost;
pub mod dce;
pub mod edit;
pub mod expand;
pub mod fission;
pub mod fold;
pub mod gvn;
pub mod if_to_select;
pub mod inline;
pub mod joins;
pub mod licm;
pub mod limit;
pub mod nest;
pub mod pipeline;
pub mod queue;
pub mod rewrite;
pub mod rotate;
pub mod scalarize;
pub mod simplify;
pub mod split;
pub mod stages;
pub mod target;
pub mod unroll;

pub use pipeline::{Options, PASSES, Pass, Purpose, Schedule, Stats, optimize, optimize_with, run};
pub use target::Target;

//! The functions of the driver, by family. Signatures and names are those of NVIDIA's cuda.h, whose documentation is
//! theirs too; what is written here is what differs.
//!
//! Safety, for all of them: pointers are null or of what cuda.h says, as with NVIDIA's driver.

#![allow(non_snake_case)]

mod attributes;
mod context;
mod copy;
mod device;
mod event;
mod general;
mod graph;
mod jit;
mod launch;
mod link;
mod memory;
mod module;
mod occupancy;
mod pinned;
mod pool;
mod stream;
mod symbols;

pub(crate) use jit::Jit;

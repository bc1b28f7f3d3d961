//! The stand-in as a program meets it: the library is opened, and its functions are called.

#![allow(clippy::macro_metavars_in_unsafe)] // of `call`: what it is given are addresses and numbers

mod context;
mod control;
mod cuda;
mod device;
mod event;
mod graph;
mod launch;
mod memory;
mod module;
mod pinned;
mod pool;
mod stream;

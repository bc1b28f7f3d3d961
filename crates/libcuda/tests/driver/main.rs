//! The stand-in as a program meets it: the library is opened, and its functions are called.

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

//! Backend `cuda`: vyre programs on NVIDIA devices, with nothing but the display driver.
//!
//! Each device that the driver has is one here: `cuda`, `cuda:1` and so on. The way of a program: the optimizer makes it
//! legal, [`vyre_ptx::emit`] makes a kernel of PTX of it, `link` has the driver make code of that, `submission` hands over
//! what is asked for on one stream and waits until it is done.
//!
//! - `library` finds the driver, `symbols` is its table, `errors` says what its errors mean;
//! - `device` describes devices, `context` is what everything on one belongs to;
//! - `opened` is an open device and all that is kept for it; `backend` is the driver layer's view of it;
//! - `heap` has the device's memory, `memory` gives it out, `staging` is what goes up and down through;
//! - `executable` is a kernel, `stored` the same as bytes, `launch` one run of it, `merging` in which blocks;
//! - `lane` is what a submission has for itself, `graphs` hands many launches over at once, `stages` programs of which the
//!   device decides what runs next; `timing` has the device measure, `waiting` waits.
//!
//! Invariants: nothing is loaded before a device is asked for. The host waits for all work on memory before it gives the
//! memory back, or leaves it with the run that it cannot stop. No handle of a context that was ended is used.

#[cfg(all(test, target_os = "linux"))]
mod absent;
mod backend;
pub mod codes;
mod context;
mod counters;
mod device;
mod errors;
mod executable;
mod graphs;
mod heap;
mod lane;
mod launch;
mod library;
mod link;
mod memory;
mod merging;
mod opened;
mod stages;
mod staging;
mod stored;
mod submission;
mod symbols;
mod timing;
mod waiting;

/// The backend's id.
pub const ID: &str = "cuda";

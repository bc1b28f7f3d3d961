//! A stand-in for NVIDIA's libcuda, for tests: the functions of the driver that backend `cuda` calls, over the
//! interpreter of PTX.
//!
//! As a library that a program opens it is the file `libvyre_libcuda.so`, which cargo puts next to test programs;
//! [`path`] finds it. As a crate it has [`Control`], by which a test says what the devices are and what goes wrong, and
//! asks what was done.
//!
//! It behaves as the driver does where a caller can notice: work is done by a thread for each device, in the order of
//! streams and events and otherwise in any order; copies from memory that is not pinned are taken when they are asked
//! for, others when their turn comes; a fault of a kernel stays with its context until that is made anew. It is harsher
//! where the driver leaves things to chance: by default nothing is worked on before the host waits or asks for it
//! ([`Pace::Lazy`]), new memory is garbage, and neither addresses nor handles come again.
//!
//! What differs: pinned memory has another address on the device than on the host, and kernels see what the host writes
//! there only from one launch to the next; kernels do not run at the same time; all memory is that of one device.
//!
//! # The variable `VYRE_LIBCUDA_OPTIONS`
//! Sets up the driver of a program that has no [`Control`]: `KEY=VALUE` pairs with commas between them, the keys that
//! [`Configuration`] and [`FaultPlan`] tell of. For example
//! `VYRE_LIBCUDA_OPTIONS=sms=8,capability=7.0,log=true,fail=cuMemAlloc_v2:3:2`.

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("the stand-in for libcuda has the layout of 64-bit little-endian machines");

mod allocations;
mod api;
mod call;
mod codes;
mod configuration;
mod control;
mod device;
mod driver;
mod exports;
mod graph;
mod host;
mod image;
mod journal;
mod operation;
mod queues;
mod random;
mod table;

pub use configuration::{Configuration, Failure, FaultPlan, Pace, Report};
pub use control::{Control, path};

//! The codes of errors in this crate.

vyre_ir::codes! {
    D601 = "A program needs more registers than a workgroup of its size has.", no_example: "depends on the device and its driver";
}

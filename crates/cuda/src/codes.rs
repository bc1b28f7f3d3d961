//! Every error code of this crate, each with its title. A code never changes what it stands for.

vyre_ir::codes! {
    D601 = "A program needs more registers than a workgroup of its size has.";
    D602 = "A program needs more workgroup memory than the device gives a workgroup.";
}

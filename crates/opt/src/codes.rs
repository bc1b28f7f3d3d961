//! The codes of errors in this crate: `S` is about programs that run as stages, `S1` about work queues.

vyre_ir::codes! {
    S001 = "An invocation has to keep more across grid syncs than is possible.";
    S101 = "The items of a work queue that a program takes and pushes have several types.";
    S102 = "A program that handles the items of a work queue has to do with its grid.";
    S103 = "A program that is to handle the items of a work queue has nothing to do with one.";
}

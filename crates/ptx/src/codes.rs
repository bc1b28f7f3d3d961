//! The codes of errors in this crate.

vyre_ir::codes! {
    P001 = "A workgroup has more invocations than a block has threads.";
    P002 = "The program needs more workgroup memory than a block has.";
    P003 = "The program has more buffers than a kernel has room for parameters.";
    P004 = "An invocation needs more private memory than a thread has.";
    P005 = "An operation has no code in PTX.";
}

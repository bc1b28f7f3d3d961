//! The codes of errors in this crate.

vyre_ir::codes! {
    C050 = "There is no benchmark of that name.";
    C051 = "A benchmark's result is wrong.";
    C052 = "A peer of a benchmark failed while it was measured.", no_example: "a fault of the peer";
}

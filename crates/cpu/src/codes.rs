//! The codes of errors in this crate: `D4` is the backend `cpu`.

vyre_ir::codes! {
    D402 = "Control flow is nested deeper than the compiler may go.", no_example: "the verifier refuses such a program first, and no pass nests deeper";
    D403 = "The program is too large for the compiler once it is optimized.", no_example: "it takes a program of a million instructions";
}

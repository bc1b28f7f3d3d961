//! The codes of errors in this crate.

vyre_ir::codes! {
    I001 = "The source is not WGSL: it does not parse, or its types do not fit.";
    I002 = "The module breaks a rule that WGSL and SPIR-V validate beyond syntax and types.";
    I003 = "An override has no value, a value that is not allowed, or does not exist.";
    I004 = "There is no entry point to import, or no telling which one.";
    I005 = "The bytes are not a SPIR-V module that can be read.";
    I006 = "The parser is known to misread this construct, so it is refused.";
    I010 = "The parser failed with a panic.", no_example: "a bug in the parser";
    I011 = "The importer failed.", no_example: "a bug in vyre, or a system without threads";
    I012 = "The source is too long or nested too deeply for the parser.";
    I013 = "The program is too large once functions are inlined, or a variable takes too much memory.";
    I014 = "Calls or control flow nest too deeply.";
    I020 = "Programs have no counterpart of this construct.";
    I021 = "A function is not defined for the type of its operand.";
    I022 = "The text has no function that fits the dialect's operation.";
    I023 = "A function has the name of an operation, such as `vyreGridSync`, but not its signature.";

    E002 = "The output languages cannot declare a buffer that is used like this one.";
    E003 = "The operation has to be expanded into basic ones before it is written.";
    E004 = "Control flow is nested deeper than the writers of the output languages may go.";
    E005 = "One of the output languages cannot say something that the program needs.";
    E006 = "The module made from the program does not validate.", no_example: "a bug in vyre";
    E007 = "The workgroup has too many invocations to be written.", no_example: "the verifier refuses such a program first";
    E008 = "The program waits for its grid or uses a work queue, which the output languages cannot say.";
    E010 = "The device lacks a feature that the program needs.";
}

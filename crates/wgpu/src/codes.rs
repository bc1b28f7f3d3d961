//! The codes of errors in this crate.

vyre_ir::codes! {
    D501 = "The program has more storage buffers, large uniform ones among them, than the device takes.", no_example: "depends on the limits of the device";
    D502 = "The program reads more lengths of buffers than the device takes with a launch.", no_example: "depends on the limits of the device";
    D503 = "The driver ended a loop before the program did.", no_example: "depends on the driver";
}

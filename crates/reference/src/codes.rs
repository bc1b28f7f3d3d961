//! The codes of errors in this crate: `B3` and `D3` are the interpreter's. Most are for callers of [`crate::run`],
//! since the driver has checked what it hands over.

vyre_ir::codes! {
    B301 = "The number of buffers given is not the number that the program has.";
    B302 = "A buffer has no memory.";
    B303 = "A buffer that the program writes is given as read only.";
    B304 = "A buffer is given less memory than the program declares.";
    B305 = "The record of written bytes is shorter than its buffer.";

    D301 = "The interpreter cannot run subgroups of this size.";
    D302 = "The interpreter cannot run a workgroup of this size.";
    D303 = "A workgroup takes more memory than the interpreter allows.";
    D304 = "Not all invocations of a workgroup reach a barrier together.";
    D305 = "A workgroup that should run is not in the grid.";
    D306 = "The workgroups of a grid that wait for each other take more memory than the interpreter allows.";
    D307 = "Not all invocations of a grid pass the same to `grid_uniform`.";
    D308 = "Only some workgroups of a grid should run, of a program in which they wait for each other.";
    D309 = "Not all workgroups of a grid reach a grid sync together.", no_example: "the verifier refuses such a program first";
    D310 = "A program that handles the items of a work queue is run without one.";
}

//! The codes of errors in this crate.

vyre_ir::codes! {
    C001 = "The command line or an environment variable is not understood.";
    C002 = "A file cannot be read or written.";
    C003 = "A file cannot be a program.";
    C005 = "`--entry` or `--override` does not fit the program.";
    C006 = "Two options contradict each other.";
    C011 = "The program has no such input or output.";
    C012 = "A buffer is set twice, or two outputs go to the same place.";
    C013 = "What follows `--set NAME=` is not a source.";
    C014 = "A source does not have the number of elements that the buffer needs.";
    C015 = "The numbers in a `.npy` file are not of the buffer's type.";
    C016 = "A `.npy` file cannot be read.";
    C017 = "A picture cannot be read, or not into this buffer.";
    C018 = "A number on the command line is not of the buffer's type.";
    C019 = "A buffer that the program reads is not set.";
    C020 = "What follows `--out NAME=` is not a place for an output.";
    C021 = "No picture can be made of a buffer of this type.";
    C022 = "The width of a picture is not known, or does not divide its pixels.";
    C023 = "A binary form cannot be shown as text.";
    C024 = "There is no optimizer pass of that name.";
    C025 = "There is no dialect of that name.";
    C026 = "The items of a work queue are given to a program that takes none, or not given to one that does.";
    C027 = "The program does not run as stages, or has no such stage.";
    C028 = "There is no architecture of that name.";
    C029 = "A tool that is not part of vyre is missing, or does not take what it is given.";
    C030 = "A trace cannot be written where `--trace` says.";
    C031 = "`vyre debug` has no such interpreter.";
    C032 = "The interpreter found a fault, such as a race.";
    C040 = "The results differ from those of the reference interpreter.";
    C041 = "The verification took longer than it may and was stopped.";
    C099 = "Something happened that cannot.", no_example: "a bug in vyre";
}

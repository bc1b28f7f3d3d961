//! The codes of errors in this crate.

vyre_ir::codes! {
    O020 = "The file of a dialect cannot be read, or is larger than it may be.";
    O021 = "The file of a dialect is not TOML.";
    O022 = "A field in the file of a dialect is missing, unknown, or of another kind.";
    O023 = "What a field in the file of a dialect says is not understood.";
    O024 = "The body of an operation is in a language that is not linked into the program.";
    O025 = "The file of a dialect cannot be watched.", no_example: "the system's limit of watched files is reached, or it has none";

    B001 = "Two buffers of a binding plan have the same group and binding.";
    B002 = "A buffer's declared size does not fit 64 bits.";
    B003 = "The number of inputs is not the number that the program takes.";
    B004 = "The length of an input is not a multiple of its element's size.";
    B005 = "The length of an input is not the one that the program declares.";
    B006 = "An input has no bytes.";
    B008 = "An output does not exist, or cannot be read as that type.";
    B010 = "The grid has an axis of 0.";
    B011 = "The grid has more threads along an axis than can be counted.";
    B012 = "A buffer prefers an alignment that is no power of two, or more than 2 MiB.";
    B013 = "A buffer holds elements that have no size in memory.";
    B020 = "A device work queue has no entries.";
    B021 = "An entry of a device work queue has no bytes.";
    B022 = "A device work queue starts with more items than it has entries.";
    B023 = "The host would take part while a device work queue runs.";
    B024 = "The bytes of a device work queue do not fit 64 bits.";
    B025 = "A device work queue takes more bytes than it may.";
    B026 = "A launch that drains a device work queue takes no items.";

    D001 = "No backend of that name is linked into the program.";
    D002 = "No device fits, or the device cannot be opened.";
    D006 = "More memory is needed than there is.";
    D007 = "The backend's compiler failed.", no_example: "a bug in vyre or in the compiler. On `cuda`, `VYRE_DUMP=FOLDER` has the program and its code written to that folder";
    D008 = "The dispatch took longer than it may and was stopped.";
    D009 = "Two registrations have the same name.";
    D010 = "The caller cancelled the dispatch.";
    D011 = "Workgroups that wait for each other are more than the device runs at once.";
    D012 = "The device is lost.";
    D013 = "The contents of a resident buffer are lost.";
    D014 = "The cache of compiled programs cannot be used as asked.";
    D015 = "The device was shut down.";
    D020 = "The workgroup is larger than the device takes.";
    D021 = "The program uses more workgroup memory than the device has.";
    D022 = "Persistent memory of the program has no declared size.";
    D023 = "The backend cannot report accesses out of bounds.";
    D024 = "The grid has more workgroups along an axis than the device takes.";
    D025 = "A buffer is larger than the device takes.";
    D026 = "The program has more buffers than the device takes.";
    D027 = "The dispatch asks for what the program was not compiled with.";
    D028 = "A resident buffer does not fit the program's buffer.";
    D029 = "A resident buffer that is written is bound twice.";
    D030 = "Bytes outside of a resident buffer.";
    D031 = "A resident buffer belongs to another device.";
    D032 = "An input or output has another element type than the program's buffer.";
    D033 = "A batch writes memory of the host.";
    D034 = "A program waits for its grid on a device that cannot, and may not run as stages.";
    D035 = "What a program keeps from stage to stage is more than the device has in one buffer.";
    D036 = "A program that handles the items of a work queue is compiled for a grid.";
    D037 = "A work queue is not made for the items of its program.";
    D038 = "A work queue has no room for an item.";
    D040 = "An access of a checked run is out of bounds.";
    D041 = "A program is to be compiled in checked mode, and said to need no checks.";
    D099 = "Something happened that cannot.", no_example: "a bug in vyre";
}

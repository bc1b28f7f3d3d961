//! The codes of errors in this crate.

crate::codes! {
    T001 = "The text does not follow the grammar of the text form.";
    T002 = "There is no operation of that name.";
    T003 = "There is no type of that name.";
    T004 = "A value is used where no definition of it is visible.";
    T005 = "Two buffers, or two values that are visible together, have the same name.";
    T006 = "There is no buffer of that name.";
    T007 = "A constant is not a number of its type.";
    T008 = "Regions are nested deeper than a program may be.";
    T009 = "The text is larger than a program may be.";

    W001 = "The bytes are not a program in wire form.";
    W002 = "The file was written for another version of the wire form.";
    W003 = "The file asks for something by a flag that this version does not know.";
    W004 = "The file is cut short.";
    W005 = "The file was changed after it was written: the hash in its header does not fit its body.";
    W006 = "The body of the file does not follow the layout of the wire form.";
    W007 = "The file holds more than a program may.";
    W008 = "The file uses an operation, type, memory or access that this version does not know.";
    W009 = "The file encodes its program in another way than the only one allowed.";
    W010 = "The file is well formed, but the program in it is not valid.";

    V001 = "The tree of instructions and regions is not built as it must be.";
    V002 = "An operand does not exist, or is not visible where it is used.";
    V003 = "Operands or results do not have the types that the operation takes.";
    V004 = "An instruction lacks its attribute, or has one that does not fit.";
    V005 = "An access needs a right or a kind of memory that its buffer does not have.";
    V006 = "A buffer is declared in a way that no device can provide.";
    V007 = "Two buffers have the same name or the same binding.";
    V008 = "The workgroup size has an axis of 0 or too many invocations.";
    V009 = "The cases of a `switch` contradict each other or its regions.";
    V010 = "The program is larger or nested deeper than it may be.";
    V011 = "A barrier is not reached by all invocations of a workgroup together.";
    V012 = "A call names an operation that no dialect has.";
    V013 = "A call does not give its operation the operands, results or attributes it has.";
    V014 = "A grid sync is not reached by all invocations of the grid together.";

    O001 = "The id of a dialect's operation, or the name of a dialect, is not well formed.";
    O002 = "An operation is registered under a dialect that nobody registered.";
    O003 = "Two operations, or two dialects, have the same name.";
    O004 = "The definition of an operation lacks what its category needs, or has what it may not have.";
    O005 = "The body of an operation is no pure function of the operation's signature.";
    O006 = "An operation calls itself, by itself or by way of others.";
    O007 = "An operation breaks a law that its definition states.";
    O008 = "The migrations of a dialect contradict each other, or lead nowhere.";
    O009 = "A program uses an operation that should not be used any more.";
    O010 = "An operation has no lowering that the backend or language takes.";
}

//! Makes a program that handles the items of a work queue run: its items come from a ring of entries on the device, and
//! what it pushes goes there.
//!
//! The program handles one item an invocation. Its one stage takes a window of items: invocation `i` of the window's `n`
//! handles the entry at [`HEAD`]` + i`, and the other invocations do nothing. A push takes the next place at the
//! [`TAIL`]. An entry is free again when the window that it was in is done, so there is room for a push as long as
//! tail less head is below the [`CAPACITY`]; a push beyond that stores nothing, but counts. Between windows the control
//! program moves the head, counts, and chooses the next window.
//!
//! Two buffers have words: the state of [`crate::stages`], which the stage only reads, and the counts.

use crate::stages::{Staged, args};
use vyre_ir::{Buffer, Diagnostic, Program};

/// The word of the state that is the place of the window's first entry: below the capacity.
pub const HEAD: u32 = args(1);
/// The word of the state that is how many items the window has.
pub const COUNT: u32 = HEAD + 1;
/// The word of the state that is how many entries there are.
pub const CAPACITY: u32 = HEAD + 2;
/// The word of the state that is how many items a window may have.
pub const WINDOW: u32 = HEAD + 3;
/// The word of the state that is how many items an item may push at most, for windows so small that there is room for all
/// of that; 0 when that is not known.
pub const BOUND: u32 = HEAD + 4;
/// Words of the state.
pub const STATE_WORDS: u32 = HEAD + 5;

/// The word of the counts that is the place of the next push: that of entry `TAIL % CAPACITY`, at least [`HEAD`].
pub const TAIL: u32 = 0;
/// The first of two words of the counts, low one first, that are how many items are done.
pub const PROCESSED: u32 = 1;
/// The first of two words of the counts, low one first, that are how many items were pushed, lost ones included, initial
/// ones not.
pub const PUSHED: u32 = 3;
/// The word of the counts that is how many items were in the queue at most, those of the window included; more than the
/// capacity if items were lost.
pub const HIGH_WATER: u32 = 5;
/// The word of the counts that is how many items are left: more than 0 when some were lost, or when there is no room for
/// what a single item may push.
pub const LEFT: u32 = 6;
/// The word of the counts that is how many items found no room.
pub const LOST: u32 = 7;
/// The word of the counts that is how many windows there were.
pub const WINDOWS: u32 = 8;
/// Words of the counts.
pub const COUNT_WORDS: u32 = 9;

/// Where the queue of a program is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// The entries.
    pub items: Buffer,
    /// The counts.
    pub counts: Buffer,
    /// The state.
    pub state: Buffer,
    /// 32-bit words of an entry.
    pub entry_words: u32,
}

/// A program that handles the items of a queue, as one stage and its control program, and where the queue is.
///
/// # Errors
/// When the program takes or pushes no items, items of several types, or needs to know its place in the grid.
pub fn queue(_p: &Program) -> Result<(Staged, Queue), Diagnostic> {
    todo!()
}

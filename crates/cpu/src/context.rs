//! What generated code is told about a launch: a block of words whose layout is here and nowhere else.
//!
//! Word 0: the address of the flag that asks to stop. Words 1 to 3: the number of workgroups along x, y, z. Word 4:
//! the address of the launch's [report](crate::report), for code that makes one. Word 5: that of its
//! [meeting](crate::meeting), for code whose workgroups wait for each other. Then address and size in bytes of each of the
//! program's buffers, 0 and 0 for those that are not bound.

use crate::meeting::Meeting;
use crate::report::Report;
use smallvec::SmallVec;
use vyre_ir::{Buffer, Entity};

/// Status of a workgroup that ran to its end.
pub(crate) const DONE: i64 = 0;
/// Status of a workgroup that was asked to stop.
pub(crate) const STOPPED: i64 = 1;

/// Status of a workgroup that was stopped by an access out of bounds.
pub(crate) const OUTSIDE: i64 = 2;

/// Offset in bytes of the stop flag's address.
pub(crate) const CANCEL: i32 = 0;

/// Offset in bytes of the report's address.
pub(crate) const REPORT: i32 = 32;

/// Offset in bytes of the meeting's address.
pub(crate) const MEETING: i32 = 40;

const FIRST_BUFFER: usize = 6;

/// Offset in bytes of the number of workgroups along an axis.
pub(crate) fn num_workgroups_offset(axis: usize) -> i32 {
    8 * (1 + axis as i32)
}

/// Offset in bytes of a buffer's address; its size follows.
pub(crate) fn buffer_offset(buffer: Buffer) -> i32 {
    // A program of 2^27 buffers does not fit the wire form.
    8 * (FIRST_BUFFER as i32 + 2 * buffer.index() as i32)
}

/// The words of a launch; `buffers` are addresses and sizes.
pub(crate) fn words(
    cancel: *const u32,
    workgroups: [u32; 3],
    report: &Report,
    meeting: &Meeting,
    buffers: impl Iterator<Item = (*const u8, usize)>,
) -> SmallVec<[u64; 36]> {
    let mut words = SmallVec::from_slice(&[cancel as u64]);
    words.extend(workgroups.map(u64::from));
    words.push(std::ptr::from_ref(report) as u64);
    words.push(std::ptr::from_ref(meeting) as u64);
    debug_assert_eq!(words.len(), FIRST_BUFFER);
    words.extend(buffers.flat_map(|(base, bytes)| [base as u64, bytes as u64]));
    words
}

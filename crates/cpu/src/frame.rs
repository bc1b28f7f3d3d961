//! A worker's scratch memory: what a workgroup needs beside the bound buffers, laid out once for a program.
//!
//! From the start: private buffers that live from piece to piece and workgroup buffers that must be zero at first, which
//! the code zeroes; then the other workgroup buffers, private buffers of one piece, which zeroes them, and slots for values
//! that live from piece to piece. Slots whose lifetimes do not touch share memory.

use crate::form::Slot;
use crate::plan::PrivateCopies;
use vyre_driver::BackendError;
use vyre_ir::{Buffer, Memory, Program, SideTable, Value};
use vyre_opt::fission::{Home, Interval, slots};

/// The most that a worker may need: half a GB for two workers is a program's mistake, not its need.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// Everything starts at a multiple of this.
const ALIGN: u64 = 16;

/// Invocations are rounded up to whole gangs of the largest size.
const GANG: u64 = 16;

/// Where things lie in a worker's scratch memory, in bytes from its start.
pub(crate) struct Frame {
    /// Workgroup and private buffers.
    pub buffers: SideTable<Buffer, u64>,
    /// How many bytes from the start are zero when a workgroup starts.
    pub zeroed: u64,
    /// Elements of a slot's array: the invocations of a workgroup, rounded up to whole gangs.
    pub invocations: u64,
    /// All of it.
    pub bytes: u64,
}

impl Frame {
    /// Lays out the memory and puts the offsets of slots into `homes`.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`] beyond [`MAX_BYTES`].
    pub fn new(
        p: &Program,
        homes: &mut SideTable<Value, Home>,
        intervals: Vec<Interval>,
        private: &SideTable<Buffer, PrivateCopies>,
        gang: u32,
        used: &SideTable<Buffer, bool>,
        zero: &SideTable<Buffer, bool>,
    ) -> Result<Frame, BackendError> {
        let invocations = p.workgroup_invocations().next_multiple_of(GANG);
        let mut end = End(0);
        let mut buffers = SideTable::new(0);
        let mut place = |memory: Memory, count: u64, wanted: &dyn Fn(Buffer) -> bool| {
            for (buffer, decl) in p.buffers.iter().filter(|(b, decl)| decl.memory == memory && wanted(*b)) {
                buffers[buffer] = end.take(decl.static_bytes().unwrap_or(u64::MAX), count)?;
            }
            Ok::<u64, BackendError>(end.0)
        };
        place(Memory::Workgroup, 1, &|b| used[b] && zero[b])?;
        let zeroed = place(Memory::Private, invocations, &|b| private[b] == PrivateCopies::All)?;
        place(Memory::Workgroup, 1, &|b| used[b] && !zero[b])?;
        place(Memory::Private, gang as u64, &|b| private[b] == PrivateCopies::One)?;
        let size = |value| p.ty(value).lanes as u32 * Slot::bytes(p.ty(value).scalar);
        for (value, offset) in slots(intervals, size, |bytes| end.take(bytes as u64, invocations))? {
            homes[value] = Home::Slot(offset);
        }
        Ok(Frame { buffers, zeroed, invocations, bytes: end.0 })
    }
}

/// The end of what is laid out so far.
struct End(u64);

impl End {
    fn take(&mut self, bytes: u64, count: u64) -> Result<u64, BackendError> {
        let at = self.0;
        let bytes = bytes.saturating_mul(count);
        let end = at.saturating_add(bytes).saturating_add(ALIGN - 1) / ALIGN * ALIGN;
        if end > MAX_BYTES {
            return Err(BackendError::OutOfMemory {
                requested: end,
                available: Some(MAX_BYTES),
                what: "a workgroup's variables".into(),
            });
        }
        self.0 = end;
        Ok(at)
    }
}

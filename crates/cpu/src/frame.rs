//! A worker's scratch memory: what a workgroup needs beside the bound buffers, laid out once for a program.
//!
//! From the start: workgroup buffers, then private buffers (both zeroed by the code), then slots for values that live
//! from piece to piece. Slots whose lifetimes do not touch share memory.

use crate::fission::{Home, Interval, PrivateCopies};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use vyre_driver::BackendError;
use vyre_ir::{Buffer, Memory, Program, SideTable, Value};

/// The most that a worker may need: half a GB for two workers is a program's mistake, not its need.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// Everything starts at a multiple of this.
const ALIGN: u64 = 16;

/// Bytes at the end for operands of subgroup operations that are the same for all invocations: two words.
const CELLS: u64 = 16;

/// Where things lie in a worker's scratch memory, in bytes from its start.
pub(crate) struct Frame {
    /// Workgroup and private buffers.
    pub buffers: SideTable<Buffer, u64>,
    /// How many bytes from the start are zero when a workgroup starts.
    pub zeroed: u64,
    /// Two words for operands of subgroup operations.
    pub cells: u64,
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
    ) -> Result<Frame, BackendError> {
        let invocations = p.workgroup_invocations();
        let mut end = End(0);
        let mut buffers = SideTable::new(0);
        for (buffer, decl) in p.buffers.iter() {
            let bytes = decl.static_bytes().unwrap_or(u64::MAX);
            if decl.memory == Memory::Workgroup && used[buffer] {
                buffers[buffer] = end.take(bytes, 1)?;
            }
        }
        for copies in [PrivateCopies::All, PrivateCopies::One] {
            for (buffer, decl) in p.buffers.iter() {
                if decl.memory == Memory::Private && private[buffer] == copies {
                    let count = if copies == PrivateCopies::All { invocations } else { gang as u64 };
                    buffers[buffer] = end.take(decl.static_bytes().unwrap_or(u64::MAX), count)?;
                }
            }
        }
        // A private buffer of one copy is cleared by its piece; it lies behind what is cleared for the workgroup.
        let first_single = p.buffers.keys().filter(|&b| private[b] == PrivateCopies::One);
        let zeroed = first_single.map(|b| buffers[b]).min().unwrap_or(end.0);
        slots(p, homes, intervals, &mut end)?;
        let cells = end.take(CELLS, 1)?;
        Ok(Frame { buffers, zeroed, cells, bytes: end.0 })
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

/// Gives each interval's value a slot: in order of their starts, in memory of the same size that is free again.
fn slots(
    p: &Program,
    homes: &mut SideTable<Value, Home>,
    mut intervals: Vec<Interval>,
    end: &mut End,
) -> Result<(), BackendError> {
    intervals.sort_by_key(|i| (i.start, i.value));
    let mut busy: BinaryHeap<Reverse<(u32, u64, u32)>> = BinaryHeap::new();
    let mut free: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for interval in intervals {
        while let Some(&Reverse((last, offset, bytes))) = busy.peek()
            && last < interval.start
        {
            busy.pop();
            free.entry(bytes).or_default().push(offset);
        }
        let bytes = p.ty(interval.value).bytes();
        let offset = match free.get_mut(&bytes).and_then(Vec::pop) {
            Some(offset) => offset,
            None => end.take(bytes as u64, p.workgroup_invocations())?,
        };
        busy.push(Reverse((interval.end, offset, bytes)));
        homes[interval.value] = Home::Slot(offset);
    }
    Ok(())
}

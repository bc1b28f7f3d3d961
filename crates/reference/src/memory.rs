//! The bytes that programs read and write, and the one bounds rule: an access is in bounds iff all its bytes are.

use crate::{Bytes, Watch};
use std::ops::Range;
use vyre_ir::{Buffer, Entity};

/// Where a buffer lives.
#[derive(Copy, Clone)]
pub(crate) enum Home {
    /// In memory that the caller bound, of which the program sees the first `len` bytes.
    Bound { buffer: usize, len: usize },
    /// In the workgroup's memory.
    Workgroup { offset: usize, len: usize },
    /// In each invocation's memory.
    Private { offset: usize, len: usize },
}

/// Where all buffers live.
pub(crate) struct Layout {
    pub homes: Vec<Home>,
    pub workgroup_bytes: usize,
    pub private_bytes: usize,
    pub invocations: usize,
}

/// All memory of a run.
pub(crate) struct Memory<'r, 'b> {
    homes: &'r [Home],
    bound: &'r mut [Bytes<'b>],
    own: Own,
    private_bytes: usize,
    watch: Option<&'r Watch>,
}

/// What a workgroup has for itself.
pub(crate) struct Own {
    /// Its place in the grid.
    pub id: [u32; 3],
    workgroup: Vec<u8>,
    /// The private memory of one invocation after the other.
    private: Vec<u8>,
}

impl Own {
    pub fn new(layout: &Layout) -> Own {
        let private = vec![0; layout.private_bytes * layout.invocations];
        Own { id: [0; 3], workgroup: vec![0; layout.workgroup_bytes], private }
    }
}

/// One access of a program: which buffer, and the shape of the accessed value.
#[derive(Copy, Clone)]
pub(crate) struct Access {
    pub buffer: Buffer,
    /// Bytes of a scalar.
    pub scalar: u8,
    /// Scalars.
    pub lanes: u8,
}

impl<'r, 'b> Memory<'r, 'b> {
    pub fn new(layout: &'r Layout, bound: &'r mut [Bytes<'b>], watch: Option<&'r Watch>) -> Self {
        Memory {
            homes: &layout.homes,
            bound,
            own: Own::new(layout),
            private_bytes: layout.private_bytes,
            watch,
        }
    }

    /// Makes workgroup and private memory zero.
    pub fn start_workgroup(&mut self, id: [u32; 3]) {
        self.own.id = id;
        self.own.workgroup.fill(0);
        self.own.private.fill(0);
    }

    /// What the workgroup has for itself, to be put aside and replaced by what another one has.
    pub fn own(&mut self) -> &mut Own {
        &mut self.own
    }

    /// Bytes that an invocation sees of a buffer.
    pub fn bytes(&self, buffer: Buffer) -> usize {
        match self.homes[buffer.index()] {
            Home::Bound { len, .. } | Home::Workgroup { len, .. } | Home::Private { len, .. } => len,
        }
    }

    /// Whether all bytes of an access are in bounds.
    pub fn holds(&self, access: Access, index: u64) -> bool {
        access.range(self.bytes(access.buffer), index).is_some()
    }

    /// The value at a scalar index, 0 in all lanes when any byte is out of bounds.
    pub fn load(&self, access: Access, invocation: usize, index: u64) -> [u64; 4] {
        let mut lanes = [0; 4];
        let bytes = match self.homes[access.buffer.index()] {
            Home::Bound { buffer, len } => match &self.bound[buffer] {
                Bytes::Read(bytes) => &bytes[..len],
                Bytes::Write(bytes) | Bytes::Tracked { bytes, .. } => &bytes[..len],
                Bytes::Unbound => unreachable!("binding was checked"),
            },
            Home::Workgroup { offset, len } => &self.own.workgroup[offset..offset + len],
            Home::Private { offset, len } => {
                let start = invocation * self.private_bytes + offset;
                &self.own.private[start..start + len]
            }
        };
        if let Some(range) = access.range(bytes.len(), index) {
            for (lane, bytes) in lanes.iter_mut().zip(bytes[range].chunks_exact(access.scalar as usize)) {
                *lane = read(bytes);
            }
        }
        lanes
    }

    /// Writes the value at a scalar index, nothing when any byte is out of bounds.
    pub fn store(&mut self, access: Access, invocation: usize, index: u64, value: [u64; 4]) {
        if let Some(bytes) = self.span(access, invocation, index) {
            for (lane, bytes) in value.into_iter().zip(bytes.chunks_exact_mut(access.scalar as usize)) {
                write(bytes, lane);
            }
        }
    }

    /// Replaces a scalar by what `change` makes of it, as one step, and gives the old one; out of bounds nothing
    /// happens and the result is `None`.
    pub fn update(
        &mut self,
        access: Access,
        invocation: usize,
        index: u64,
        change: impl FnOnce(u64) -> u64,
    ) -> Option<u64> {
        let bytes = self.span(access, invocation, index)?;
        let old = read(bytes);
        write(bytes, change(old));
        Some(old)
    }

    /// The accessed bytes, about to be written.
    fn span(&mut self, access: Access, invocation: usize, index: u64) -> Option<&mut [u8]> {
        let (bytes, offset, len) = match self.homes[access.buffer.index()] {
            Home::Bound { buffer, len } => return self.bound_span(access, buffer, len, invocation, index),
            Home::Workgroup { offset, len } => (&mut self.own.workgroup, offset, len),
            Home::Private { offset, len } => {
                (&mut self.own.private, invocation * self.private_bytes + offset, len)
            }
        };
        let range = access.range(len, index)?;
        Some(&mut bytes[offset..offset + len][range])
    }

    fn bound_span(
        &mut self,
        access: Access,
        buffer: usize,
        len: usize,
        invocation: usize,
        index: u64,
    ) -> Option<&mut [u8]> {
        let range = access.range(len, index)?;
        if let Some(watch) = self.watch
            && watch.buffer == buffer
            && range.contains(&watch.byte)
        {
            watch.writer.set(Some((self.own.id, invocation as u32)));
        }
        match &mut self.bound[buffer] {
            Bytes::Write(bytes) => Some(&mut bytes[range]),
            Bytes::Tracked { bytes, written } => {
                for byte in range.clone() {
                    written[byte / 8] |= 1 << (byte % 8);
                }
                Some(&mut bytes[range])
            }
            _ => unreachable!("the verifier refuses writes to buffers without write access"),
        }
    }
}

impl Access {
    /// The accessed bytes of a buffer of `len` bytes, if all are in bounds. The index is a u32, so nothing wraps.
    fn range(self, len: usize, index: u64) -> Option<Range<usize>> {
        let start = index * self.scalar as u64;
        let end = start + self.scalar as u64 * self.lanes as u64;
        (end <= len as u64).then_some(start as usize..end as usize)
    }
}

fn read(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

fn write(bytes: &mut [u8], value: u64) {
    let n = bytes.len();
    bytes.copy_from_slice(&value.to_le_bytes()[..n]);
}

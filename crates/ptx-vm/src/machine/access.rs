//! Loads and stores: spaces, bounds, alignment, and what was never written.

use super::Machine;
use super::lane::{Halt, halt};
use crate::code::{Access, Instruction, Space};
use crate::counters::Visit;
use crate::fault::FaultKind;
use crate::memory::Memory;
use crate::names::Names;
use crate::parse::{LOCAL_BEGIN, PARAM_BEGIN, SHARED_BEGIN};
use crate::races::{Kind, Touch, Where};

/// Where the spaces lie in generic addresses.
const WINDOWS: [(Space, u64); 3] =
    [(Space::Shared, 1 << 50), (Space::Local, 1 << 51), (Space::Param, 1 << 52)];
const WINDOW_BYTES: u64 = 1 << 32;

/// Memory that an access found.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Allocation and offset.
    Global(usize, usize),
    Shared(usize),
    Local(usize),
    Param(usize),
}

/// An address in the space that it is really in.
pub(super) fn specific(space: Space, address: u64) -> (Space, u64) {
    if space != Space::Generic {
        return (space, address);
    }
    for (space, begin) in WINDOWS {
        if address.wrapping_sub(begin) < WINDOW_BYTES {
            return (space, address - begin);
        }
    }
    (Space::Global, address)
}

/// `cvta`.
pub(super) fn convert(address: u64, space: Space, to_generic: bool) -> u64 {
    let begin = WINDOWS.iter().find(|window| window.0 == space).map_or(0, |window| window.1);
    if to_generic { address.wrapping_add(begin) } else { address.wrapping_sub(begin) }
}

/// The offset in a thread's own memory of one of its addresses.
pub(super) fn own(address: u32) -> usize {
    (u64::from(address) - LOCAL_BEGIN) as usize
}

impl<'a> Machine<'a> {
    fn names(&self) -> Names<'a> {
        Names { named: self.options.names, code: self.code }
    }

    /// The address of an access, in the space that it is really in.
    pub(super) fn address(
        &mut self,
        thread: usize,
        instruction: &Instruction,
        space: Space,
    ) -> Result<(Space, u64), Halt> {
        let base = self.read(thread, instruction.sources[0])?;
        let mut address = base.wrapping_add(instruction.offset as u64);
        if !matches!(space, Space::Generic | Space::Global | Space::Const) {
            address &= 0xffff_ffff;
        }
        Ok(specific(space, address))
    }

    /// Finds memory of so many bytes, aligned to `align`.
    pub(super) fn locate(
        &self,
        thread: usize,
        (space, address): (Space, u64),
        bytes: u64,
        align: u64,
    ) -> Result<Found, Halt> {
        if address % align != 0 {
            let element = self.names().element(self.memory, space, address);
            let element = element.map_or(String::new(), |element| format!(" ({element})"));
            return halt(
                FaultKind::Misaligned,
                format!("{bytes} bytes at {address:#x}{element}, which is no multiple of {align}"),
            );
        }
        let inside = |begin: u64, size: usize| {
            let offset = address.checked_sub(begin)?;
            (offset.checked_add(bytes)? <= size as u64).then_some(offset as usize)
        };
        let found = match space {
            Space::Generic | Space::Global | Space::Const => self
                .memory
                .locate(address, bytes)
                .map(|(allocation, offset)| Found::Global(allocation, offset)),
            Space::Shared => self.locate_shared(thread, address, bytes).map(Found::Shared),
            Space::Local => inside(LOCAL_BEGIN, self.threads[thread].local.len()).map(Found::Local),
            Space::Param => inside(PARAM_BEGIN, self.launch.params.len()).map(Found::Param),
        };
        found.ok_or_else(|| Box::new((FaultKind::Bounds, self.out_of_bounds(space, address, bytes))))
    }

    /// Inside one variable, or inside the dynamic part.
    fn locate_shared(&self, thread: usize, address: u64, bytes: u64) -> Option<usize> {
        let size = self.blocks[self.slot(thread)].shared.len() as u64;
        let end = address.checked_add(bytes)?;
        if address < SHARED_BEGIN || end > size {
            return None;
        }
        if address >= self.code.dynamic_shared {
            return self.code.has_dynamic_shared.then_some(address as usize);
        }
        let inside = self.code.shared.iter().any(|(first, last)| address >= *first && end <= *last);
        inside.then_some(address as usize)
    }

    fn out_of_bounds(&self, space: Space, address: u64, bytes: u64) -> String {
        if let Some((element, size)) = self.names().beyond(self.memory, space, address) {
            return format!("{bytes} bytes at {element} are out of bounds: {size}");
        }
        let around = match space {
            Space::Global | Space::Generic | Space::Const => self.memory.find(address).and_then(|index| {
                let begin = self.memory.begin(index);
                let (_, size) = self.memory.allocation(begin)?;
                Some(format!(": byte {} of an allocation of {size}", address - begin))
            }),
            Space::Shared => {
                let placed = self.code.variables.iter();
                placed
                    .filter(|placed| placed.variable.space == Space::Shared && placed.begin <= address)
                    .max_by_key(|placed| placed.begin)
                    .map(|placed| {
                        let variable = &placed.variable;
                        let size = if variable.dynamic {
                            u64::from(self.launch.dynamic_shared)
                        } else {
                            variable.bytes
                        };
                        format!(": byte {} of `{}`, which has {size}", address - placed.begin, variable.name)
                    })
            }
            _ => None,
        };
        let space = format!("{space:?}").to_lowercase();
        format!(
            "{bytes} bytes of {space} memory at {address:#x} are out of bounds{}",
            around.unwrap_or_default()
        )
    }

    fn bytes(&self, thread: usize, found: Found, count: usize) -> &[u8] {
        match found {
            Found::Global(allocation, at) => &self.memory.data(allocation)[at..at + count],
            Found::Shared(at) => &self.blocks[self.slot(thread)].shared[at..at + count],
            Found::Local(at) => &self.threads[thread].local[at..at + count],
            Found::Param(at) => &self.launch.params[at..at + count],
        }
    }

    /// The number in some bytes.
    pub(super) fn fetch(&self, thread: usize, found: Found, count: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes[..count].copy_from_slice(self.bytes(thread, found, count));
        u64::from_le_bytes(bytes)
    }

    /// Writes the low bytes of a number.
    pub(super) fn put(&mut self, thread: usize, found: Found, count: usize, value: u64) {
        let value = &value.to_le_bytes()[..count];
        let slot = self.slot(thread);
        match found {
            Found::Global(allocation, at) => {
                let allocation = self.memory.at(allocation);
                allocation.data[at..at + count].copy_from_slice(value);
                allocation.written.insert(at, count);
            }
            Found::Shared(at) => {
                self.blocks[slot].shared[at..at + count].copy_from_slice(value);
                self.blocks[slot].shared_written.insert(at, count);
            }
            Found::Local(at) => {
                self.threads[thread].local[at..at + count].copy_from_slice(value);
                self.threads[thread].local_written.insert(at, count);
            }
            Found::Param(_) => {}
        }
    }

    /// Refuses to read what was never written.
    pub(super) fn expect_written(
        &self,
        thread: usize,
        found: Found,
        bytes: usize,
        address: u64,
    ) -> Result<(), Halt> {
        let (written, at, space) = match found {
            Found::Global(allocation, at) => (self.memory.written(allocation), at, Space::Global),
            Found::Shared(at) => (&self.blocks[self.slot(thread)].shared_written, at, Space::Shared),
            Found::Local(at) => (&self.threads[thread].local_written, at, Space::Local),
            Found::Param(_) => return Ok(()),
        };
        if written.contains(at, bytes) || !self.options.uninitialized {
            return Ok(());
        }
        let first = (0..bytes).find(|byte| !written.contains(at + byte, 1)).unwrap_or(0);
        if let Some(element) = self.names().element(self.memory, space, address + first as u64) {
            return halt(FaultKind::Uninitialized, format!("reads {element}, which was never written"));
        }
        let what = format!("{space:?}").to_lowercase();
        halt(
            FaultKind::Uninitialized,
            format!("reads {bytes} bytes of {what} memory at {address:#x} that were never written"),
        )
    }

    pub(super) fn load(
        &mut self,
        thread: usize,
        instruction: &Instruction,
        access: Access,
    ) -> Result<(), Halt> {
        let at = self.address(thread, instruction, access.space)?;
        let (bytes, count) = (usize::from(access.bytes), usize::from(access.count));
        let all = bytes * count;
        let found = self.locate(thread, at, all as u64, all as u64)?;
        self.expect_written(thread, found, all, at.1)?;
        self.note(thread, instruction, found, access, Kind::Read, at.1)?;
        let destinations = std::iter::once(&instruction.destination).chain(&instruction.more_destinations);
        for (element, register) in destinations.enumerate() {
            let value = self.fetch(thread, found.plus(element * bytes), bytes);
            self.lane(thread).write_extended(*register, value, 8 * bytes as u32, access.signed);
        }
        Ok(())
    }

    pub(super) fn store(
        &mut self,
        thread: usize,
        instruction: &Instruction,
        access: Access,
    ) -> Result<(), Halt> {
        let at = self.address(thread, instruction, access.space)?;
        let (bytes, count) = (usize::from(access.bytes), usize::from(access.count));
        let all = bytes * count;
        let found = self.locate(thread, at, all as u64, all as u64)?;
        self.expect_writable(found)?;
        self.note(thread, instruction, found, access, Kind::Write, at.1)?;
        let sources = std::iter::once(&instruction.sources[1]).chain(&instruction.more_sources);
        for (element, source) in sources.enumerate() {
            let value = self.read(thread, *source)?;
            self.put(thread, found.plus(element * bytes), bytes, value);
        }
        Ok(())
    }

    pub(super) fn expect_writable(&self, found: Found) -> Result<(), Halt> {
        match found {
            Found::Param(_) => halt(FaultKind::Bounds, "parameters cannot be written"),
            Found::Global(allocation, _) if self.memory.is_constant(allocation) => {
                halt(FaultKind::Bounds, "constant memory cannot be written")
            }
            _ => Ok(()),
        }
    }

    /// Tells everyone who watches accesses.
    pub(super) fn note(
        &mut self,
        thread: usize,
        instruction: &Instruction,
        found: Found,
        access: Access,
        kind: Kind,
        address: u64,
    ) -> Result<(), Halt> {
        let bytes = usize::from(access.bytes) * usize::from(access.count);
        let slot = self.slot(thread);
        let (place, at, space) = match found {
            Found::Global(allocation, at) => (Where::Global(allocation), at, Space::Global),
            Found::Shared(at) => (Where::Shared(slot), at, Space::Shared),
            Found::Local(_) | Found::Param(_) => return Ok(()),
        };
        let names = self.names();
        let name = |memory: &Memory, byte: usize| {
            let address = address + byte as u64;
            let element = names.element(memory, space, address);
            element.unwrap_or_else(|| format!("memory at {address:#x}"))
        };
        if let Some(tally) = &mut self.tally {
            let linear = self.threads[thread].position.linear;
            let lanes = (self.block_threads as u32 - linear / 32 * 32).min(32);
            let pc = self.threads[thread].pc;
            let visit = Visit { slot: slot as u32, linear, lanes, pc };
            tally.note(visit, matches!(place, Where::Shared(_)), address, bytes as u32);
        }
        if let (Some(coherence), Where::Global(allocation)) = (&mut self.coherence, place) {
            while coherence.len() <= allocation {
                let bytes = self.memory.data(coherence.len()).len();
                coherence.push([crate::bytes::ByteSet::new(bytes), crate::bytes::ByteSet::new(bytes)]);
            }
            let [written, read] = &mut coherence[allocation];
            let stale = if kind == Kind::Read {
                if access.non_coherent {
                    read.insert(at, bytes);
                }
                access.non_coherent && written.touches(at, bytes)
            } else {
                written.insert(at, bytes);
                read.touches(at, bytes)
            };
            if stale {
                return halt(
                    FaultKind::Race,
                    format!("{} is read by .nc and written in the same kernel", name(self.memory, 0)),
                );
            }
        }
        if let Some(races) = &mut self.races {
            let touch = Touch {
                kind,
                order: access.order,
                scope: access.scope,
                bytes: access.bytes,
                line: instruction.line,
            };
            races.touch(thread, place, at, bytes, touch, |byte| name(self.memory, byte))?;
        }
        Ok(())
    }
}

impl Found {
    /// So many bytes further on.
    pub(super) fn plus(self, bytes: usize) -> Found {
        match self {
            Found::Global(allocation, at) => Found::Global(allocation, at + bytes),
            Found::Shared(at) => Found::Shared(at + bytes),
            Found::Local(at) => Found::Local(at + bytes),
            Found::Param(at) => Found::Param(at + bytes),
        }
    }
}

//! Machine code as bytes and back, for the disk cache.
//!
//! Code is stored with the places that hold addresses of [shims](Shim), by number; code that names anything else is not
//! stored. Cranelift would name a library's routine only for what [`crate::clif::scalar`] does not ask it for. Bytes are code for exactly the processor, compiler and settings that their first 32 bytes name;
//! what was made by others is refused, as is everything that this version would not write. The code itself cannot be
//! checked: whoever keeps the bytes guards them by a checksum and by who may write them.

use crate::frame;
use crate::jit::{Code, MAX_STACK, Machine};
use crate::kernel::{Kernel, Work};
use crate::shim::Shim;
use cranelift_codegen::binemit::Reloc;
use cranelift_module::{ModuleReloc, ModuleRelocTarget};
use vyre_driver::BackendError;
use vyre_ir::Program;

/// The most that is read: the code of a program of a million instructions is smaller.
const MAX_CODE: usize = 256 << 20;

/// The largest alignment that is read. Cranelift asks for that of its constants, at most 64 bytes.
const MAX_ALIGN: u32 = 4096;

/// Bytes of a place: offset and shim.
const PLACE: usize = 5;

/// Bytes of an address in code.
const ADDRESS: usize = 8;

impl Kernel {
    /// The code as bytes that [`Kernel::from_bytes`] takes; `None` when it depends on where it lies
    /// or reports accesses out of bounds.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        // What it reports names places in the source, which belong to no file of the cache.
        if self.checked.is_some() {
            return None;
        }
        let Work::Code(code) = &self.work else { return None };
        let machine = &code.machine;
        let mut out = Vec::with_capacity(machine.bytes.len() + 64 + PLACE * machine.relocs.len());
        out.extend(version()?);
        out.extend(self.scratch_bytes.to_le_bytes());
        for number in [machine.stack, machine.align as u32, machine.relocs.len() as u32] {
            out.extend(number.to_le_bytes());
        }
        for reloc in &machine.relocs {
            out.extend(reloc.offset.to_le_bytes());
            out.push(shim(reloc)?);
        }
        out.extend(&machine.bytes);
        Some(out)
    }

    /// The kernel of a program from what [`Kernel::to_bytes`] gave for it; `None` for bytes of another version or
    /// another processor, for bytes that are no code, and where code finds no place in memory.
    ///
    /// # Errors
    /// Those of a program's interface.
    ///
    /// # Safety
    /// The bytes must be what [`Kernel::to_bytes`] gave, for a program with the same buffers: they are executed.
    pub unsafe fn from_bytes(program: &Program, bytes: &[u8]) -> Result<Option<Kernel>, BackendError> {
        let Some((machine, scratch_bytes)) = decode(bytes) else { return Ok(None) };
        let Ok(code) = Code::place(machine) else { return Ok(None) };
        Kernel::new(program, scratch_bytes, Work::Code(Box::new(code)), false).map(Some)
    }
}

/// Names the compiler and the processor.
fn version() -> Option<[u8; 32]> {
    Some(blake3::hash(crate::code_version().ok()?.as_bytes()).into())
}

/// The number of the shim whose address belongs at a place.
fn shim(reloc: &ModuleReloc) -> Option<u8> {
    match reloc.name {
        ModuleRelocTarget::User { namespace: 0, index } if reloc.kind == Reloc::Abs8 && reloc.addend == 0 => {
            u8::try_from(index).ok().filter(|&number| is_storable(number))
        }
        _ => None,
    }
}

/// Whether code that calls the shim of that number is the same in another process. What calls functions of intrinsics
/// holds their addresses, and what reports accesses is checked code.
fn is_storable(number: u8) -> bool {
    Shim::ALL.get(number as usize).is_some_and(|&shim| !matches!(shim, Shim::Intrinsic | Shim::Outside))
}

/// The code, and the bytes of scratch memory that a worker needs for it.
fn decode(bytes: &[u8]) -> Option<(Machine, u64)> {
    let mut rest = bytes.strip_prefix(&version()?)?;
    let scratch_bytes = u64::from_le_bytes(take(&mut rest)?);
    let [stack, align, count] =
        [take(&mut rest)?, take(&mut rest)?, take(&mut rest)?].map(u32::from_le_bytes);
    let sizes = scratch_bytes <= frame::MAX_BYTES && stack <= MAX_STACK;
    if !sizes || !align.is_power_of_two() || align > MAX_ALIGN || count as usize > rest.len() / PLACE {
        return None;
    }
    let mut relocs = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let offset = u32::from_le_bytes(take(&mut rest)?);
        let [number] = take(&mut rest)?;
        if !is_storable(number) {
            return None;
        }
        let name = ModuleRelocTarget::user(0, number.into());
        relocs.push(ModuleReloc { offset, kind: Reloc::Abs8, name, addend: 0 });
    }
    let fits = |reloc: &ModuleReloc| reloc.offset as usize + ADDRESS <= rest.len();
    if rest.is_empty() || rest.len() > MAX_CODE || !relocs.iter().all(fits) {
        return None;
    }
    Some((Machine { bytes: rest.to_vec(), align: align.into(), relocs, stack }, scratch_bytes))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

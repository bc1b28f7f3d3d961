//! A kernel as bytes: the form in which the driver layer keeps it on disk.
//!
//! All numbers are little-endian u32: how many parameters, and for each what it is and which buffer or axis; the block's
//! three sizes; bytes of workgroup memory that a launch asks for; whether blocks wait; how many workgroups can be one; bytes of the entry's name, and the
//! bytes; bytes of the device's code, and the bytes. The driver is never given code that is not whole: it asks for no
//! length.

use crate::executable::Facts;
use std::ffi::CString;
use vyre_ir::{Buffer, Entity, Program};
use vyre_ptx::{MERGED, Param};

/// The bytes.
pub fn encode(facts: &Facts, code: &[u8]) -> Vec<u8> {
    let Facts { entry, params, block, merges, dynamic_shared, waits } = facts;
    let mut bytes = Vec::with_capacity(64 + 8 * params.len() + code.len());
    let mut put = |n: u32| bytes.extend(n.to_le_bytes());
    put(params.len() as u32);
    for param in params {
        let record = match *param {
            Param::Address(buffer) => [0, buffer.index() as u32],
            Param::Bytes(buffer) => [1, buffer.index() as u32],
            Param::Workgroups(axis) => [2, axis.into()],
            Param::FirstWorkgroup(axis) => [3, axis.into()],
            Param::Barrier => [4, 0],
            Param::Gate => [5, 0],
        };
        record.into_iter().for_each(&mut put);
    }
    block.iter().copied().chain([*dynamic_shared, (*waits).into(), *merges]).for_each(&mut put);
    put(entry.as_bytes().len() as u32);
    bytes.extend(entry.as_bytes());
    bytes.extend((code.len() as u32).to_le_bytes());
    bytes.extend(code);
    bytes
}

/// What [`encode`] made bytes of, and the code; `None` if they are not that.
pub fn decode<'a>(program: &Program, bytes: &'a [u8]) -> Option<(Facts, &'a [u8])> {
    let mut rest = bytes;
    let count = number(&mut rest)?;
    let params = (0..count).map(|_| param(program, &mut rest)).collect::<Option<Vec<_>>>()?;
    let mut next = || number(&mut rest);
    let block = [next()?, next()?, next()?];
    let (dynamic_shared, waits, merges) = (next()?, next()?, next()?);
    let threads = program.workgroup_invocations().saturating_mul(merges.into());
    let length = next()? as usize;
    let (name, mut code) = rest.split_at_checked(length)?;
    let whole = number(&mut code)? as usize == code.len();
    if !whole
        || block != program.workgroup_size
        || waits > 1
        || merges == 0
        || merges > 1 && threads > MERGED
        || dynamic_shared > i32::MAX as u32
        || code.is_empty()
    {
        return None;
    }
    let entry = CString::new(name).ok()?;
    Some((Facts { entry, params, block, merges, dynamic_shared, waits: waits == 1 }, code))
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u32::from_le_bytes(*bytes))
}

fn param(program: &Program, rest: &mut &[u8]) -> Option<Param> {
    let [kind, which] = [number(rest)?, number(rest)?];
    let bound = || {
        let mut buffers = program.buffers.iter();
        let (buffer, _) = buffers.find(|(buffer, decl): &(Buffer, _)| {
            buffer.index() == which as usize && decl.memory.is_bound()
        })?;
        Some(buffer)
    };
    let axis = || u8::try_from(which).ok().filter(|axis| *axis < 3);
    match kind {
        0 => bound().map(Param::Address),
        1 => bound().map(Param::Bytes),
        2 => axis().map(Param::Workgroups),
        3 => axis().map(Param::FirstWorkgroup),
        4 if which == 0 => Some(Param::Barrier),
        5 if which == 0 => Some(Param::Gate),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn program() -> Program {
        let text = "program p workgroup(8, 4, 1) {
  buffer a: u32[] storage read_write @group(0) @binding(0)
  buffer own: u32[4] workgroup read_write
  buffer b: u32[4] uniform read @group(0) @binding(1)
}";
        vyre_ir::text::parse("p.vyre", text).unwrap()
    }

    fn facts() -> Facts {
        let (a, b) = (Buffer::new(0), Buffer::new(2));
        Facts {
            entry: c"name".into(),
            params: vec![
                Param::Address(a),
                Param::Bytes(a),
                Param::Address(b),
                Param::Workgroups(2),
                Param::FirstWorkgroup(1),
                Param::Barrier,
                Param::Gate,
            ],
            block: [8, 4, 1],
            merges: 8,
            dynamic_shared: 70_000,
            waits: true,
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let bytes = encode(&facts(), &[7, 8, 9]);
        assert_eq!(decode(&program(), &bytes), Some((facts(), &[7, 8, 9][..])));
        // Cut off anywhere, it is nothing.
        for end in 0..bytes.len() {
            assert_eq!(decode(&program(), &bytes[..end]), None, "{end}");
        }
    }

    proptest! {
        /// What is understood fits the program, and is written as it was.
        #[test]
        fn no_damage_does_harm(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encode(&facts(), &[7, 8, 9]);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
                let Some((facts, code)) = decode(&program(), bytes) else { continue };
                prop_assert_eq!(encode(&facts, code), bytes);
                prop_assert_eq!(facts.block, [8, 4, 1]);
                prop_assert!((1..=8).contains(&facts.merges));
                for param in facts.params {
                    match param {
                        Param::Address(buffer) | Param::Bytes(buffer) => prop_assert!([0, 2].contains(&buffer.index())),
                        Param::Workgroups(axis) | Param::FirstWorkgroup(axis) => prop_assert!(axis < 3),
                        Param::Barrier | Param::Gate => {}
                    }
                }
            }
        }
    }
}

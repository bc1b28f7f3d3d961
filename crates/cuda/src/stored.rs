//! A kernel as bytes: the form in which the driver layer keeps it on disk.
//!
//! All numbers are little-endian u32: how many parameters, and for each what it is, which buffer or axis, and two numbers
//! more; the block's three sizes; bytes of workgroup memory that a launch asks for; whether blocks wait; how many workgroups
//! can be one; the name of the entry; the name of the one for buffers that fit or none, how many fits, and each in six
//! numbers; bytes of the device's code, and the bytes. The driver is never given code that is not whole: it asks for no
//! length.

use crate::executable::Facts;
use std::ffi::CString;
use vyre_ir::{Buffer, BufferDecl, Entity, Program};
use vyre_opt::analysis::{Count, Fit};
use vyre_ptx::{MERGED, Param};

/// The bytes.
pub fn encode(facts: &Facts, code: &[u8]) -> Vec<u8> {
    let Facts { entry, params, block, merges, dynamic_shared, waits, fitted } = facts;
    let mut bytes = Vec::with_capacity(64 + 16 * params.len() + code.len());
    let mut put = |n: u32| bytes.extend(n.to_le_bytes());
    put(params.len() as u32);
    for param in params {
        let record = match *param {
            Param::Address(buffer) => [0, buffer.index() as u32, 0, 0],
            Param::Length { buffer, element } => [1, buffer.index() as u32, element, 0],
            Param::Last { buffer, bytes, lanes } => [2, buffer.index() as u32, bytes.into(), lanes.into()],
            Param::Workgroups(axis) => [3, axis.into(), 0, 0],
            Param::FirstWorkgroup(axis) => [4, axis.into(), 0, 0],
            Param::Barrier => [5, 0, 0, 0],
            Param::Gate => [6, 0, 0, 0],
        };
        record.into_iter().for_each(&mut put);
    }
    block.iter().copied().chain([*dynamic_shared, (*waits).into(), *merges]).for_each(&mut put);
    let (fitted, fits) = fitted.as_ref().map_or((c"", &[][..]), |(entry, fits)| (entry, fits));
    for name in [entry, fitted] {
        bytes.extend((name.to_bytes().len() as u32).to_le_bytes());
        bytes.extend(name.to_bytes());
    }
    let mut put = |n: u32| bytes.extend(n.to_le_bytes());
    put(fits.len() as u32);
    for Fit { buffer, of, times, plus } in fits {
        let of = match *of {
            None => [0, 0, 0],
            Some(Count::Elements(other, element)) => [1, other.index() as u32, element],
            Some(Count::Invocations(axis)) => [2, axis.into(), 0],
        };
        let numbers = [buffer.index() as u32, *times, *plus as u32];
        of.into_iter().chain(numbers).for_each(&mut put);
    }
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
    let entry = name(&mut rest)?;
    let fitted = name(&mut rest)?;
    let count = number(&mut rest)?;
    let fits = (0..count).map(|_| fit(program, &mut rest)).collect::<Option<Vec<_>>>()?;
    let fitted = match (fitted.is_empty(), fits.is_empty()) {
        (true, true) => None,
        (false, false) => Some((fitted, fits)),
        _ => return None,
    };
    let whole = number(&mut rest)? as usize == rest.len();
    if !whole
        || block != program.workgroup_size
        || waits > 1
        || merges == 0
        || merges > 1 && threads > MERGED
        || dynamic_shared > i32::MAX as u32
        || rest.is_empty()
    {
        return None;
    }
    Some((Facts { entry, params, block, merges, dynamic_shared, waits: waits == 1, fitted }, rest))
}

fn name(rest: &mut &[u8]) -> Option<CString> {
    let length = number(rest)? as usize;
    let (name, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    CString::new(name).ok()
}

fn fit(program: &Program, rest: &mut &[u8]) -> Option<Fit> {
    let mut next = || number(rest);
    let (kind, which, element) = (next()?, next()?, next()?);
    let (buffer, times, plus) = (next()?, next()?, next()? as i32);
    let (buffer, _) = bound(program, buffer)?;
    let of = match (kind, which, element) {
        (0, 0, 0) => None,
        (1, ..) => {
            let (other, _) = bound(program, which).filter(|(_, decl)| decl.element.bytes() == element)?;
            Some(Count::Elements(other, element))
        }
        (2, 0..=2, 0) => Some(Count::Invocations(which as u8)),
        _ => return None,
    };
    Some(Fit { buffer, of, times, plus })
}

/// The buffer of that number, if the host binds it.
fn bound(program: &Program, number: u32) -> Option<(Buffer, &BufferDecl)> {
    let is =
        |(buffer, decl): &(Buffer, &BufferDecl)| buffer.index() == number as usize && decl.memory.is_bound();
    program.buffers.iter().find(is)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u32::from_le_bytes(*bytes))
}

fn param(program: &Program, rest: &mut &[u8]) -> Option<Param> {
    let [kind, which, size, lanes] = [number(rest)?, number(rest)?, number(rest)?, number(rest)?];
    let axis = || u8::try_from(which).ok().filter(|axis| *axis < 3);
    match (kind, size, lanes) {
        (0, 0, 0) => bound(program, which).map(|(buffer, _)| Param::Address(buffer)),
        (1, element, 0) => bound(program, which)
            .filter(|(_, decl)| decl.element.bytes() == element)
            .map(|(buffer, _)| Param::Length { buffer, element }),
        (2, 1 | 2 | 4 | 8, 1..=4) => bound(program, which).map(|(buffer, _)| Param::Last {
            buffer,
            bytes: size as u8,
            lanes: lanes as u8,
        }),
        (3, 0, 0) => axis().map(Param::Workgroups),
        (4, 0, 0) => axis().map(Param::FirstWorkgroup),
        (5, 0, 0) if which == 0 => Some(Param::Barrier),
        (6, 0, 0) if which == 0 => Some(Param::Gate),
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
        let fits = vec![
            Fit { buffer: a, of: Some(Count::Elements(b, 4)), times: 8, plus: -4 },
            Fit { buffer: b, of: Some(Count::Invocations(2)), times: 4, plus: 4 },
            Fit { buffer: b, of: None, times: 0, plus: 64 },
        ];
        Facts {
            entry: c"name".into(),
            params: vec![
                Param::Address(a),
                Param::Length { buffer: a, element: 4 },
                Param::Last { buffer: a, bytes: 8, lanes: 3 },
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
            fitted: Some((c"name$fitted".into(), fits)),
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let bytes = encode(&facts(), &[7, 8, 9]);
        assert_eq!(decode(&program(), &bytes), Some((facts(), &[7, 8, 9][..])));
        let without = Facts { fitted: None, ..facts() };
        assert_eq!(decode(&program(), &encode(&without, &[7])), Some((without, &[7][..])));
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
                    if let Param::Workgroups(axis) | Param::FirstWorkgroup(axis) = param {
                        prop_assert!(axis < 3);
                    }
                    prop_assert!(param.buffer().is_none_or(|buffer| [0, 2].contains(&buffer.index())));
                }
            }
        }
    }
}

//! What a pipeline is made from, as bytes: the form in which the driver layer keeps it on disk.
//!
//! All numbers are little-endian u32: number of words of immediate data, and for each of them what it is (0 first
//! workgroup, 1 workgroups, 2 units), axis or buffer, and bytes of a unit; number of bound buffers, and for each whether
//! it is a uniform one; number of words of SPIR-V, and the words; number of bytes of the entry point's name, and the
//! bytes; what the Vulkan driver keeps of the pipeline, up to the end.

use crate::executable::{Made, Shader};
use vyre_ir::{Buffer, Entity, Program};
use vyre_wgsl::export::device::Immediate;

/// The bytes; `None` for what only wgpu can translate. `cached` gives what the driver made of it.
pub fn encode(made: &Made, cached: impl FnOnce() -> Vec<u8>) -> Option<Vec<u8>> {
    let Shader::Spirv(words) = &made.shader else { return None };
    let mut bytes = Vec::with_capacity(64 + 4 * words.len());
    let mut put = |n: u32| bytes.extend(n.to_le_bytes());
    put(made.immediates.len() as u32);
    for immediate in &made.immediates {
        let record = match *immediate {
            Immediate::FirstWorkgroup(axis) => [0, axis.into(), 0],
            Immediate::Workgroups(axis) => [1, axis.into(), 0],
            Immediate::Units { buffer, unit_bytes } => [2, buffer.index() as u32, unit_bytes],
        };
        record.into_iter().for_each(&mut put);
    }
    put(made.uniform.len() as u32);
    made.uniform.iter().for_each(|uniform| put((*uniform).into()));
    put(words.len() as u32);
    words.iter().copied().for_each(&mut put);
    put(made.entry.len() as u32);
    bytes.extend(made.entry.bytes());
    bytes.extend(cached());
    Some(bytes)
}

/// What [`encode`] made bytes of, and the driver's part; `None` if they are not that.
pub fn decode<'a>(program: &Program, bytes: &'a [u8]) -> Option<(Made, &'a [u8])> {
    let mut rest = bytes;
    let immediates = number(&mut rest)?;
    let immediates = (0..immediates).map(|_| immediate(program, &mut rest)).collect::<Option<Vec<_>>>()?;
    let uniform = number(&mut rest)?;
    let uniform = (0..uniform).map(|_| Some(number(&mut rest)? != 0)).collect::<Option<Vec<_>>>()?;
    let bound = program.buffers.values().filter(|decl| decl.memory.is_bound()).count();
    // One more, that is not uniform, for a program that is watched.
    if uniform.len() != bound && uniform.get(bound..) != Some(&[false]) {
        return None;
    }
    let count = number(&mut rest)? as usize;
    let (words, behind) = rest.split_at_checked(count.checked_mul(4)?)?;
    rest = behind;
    let words = words.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect();
    let length = number(&mut rest)? as usize;
    let (entry, cached) = rest.split_at_checked(length)?;
    let entry = std::str::from_utf8(entry).ok()?.to_string();
    Some((Made { entry, uniform, immediates, shader: Shader::Spirv(words) }, cached))
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u32::from_le_bytes(*bytes))
}

fn immediate(program: &Program, rest: &mut &[u8]) -> Option<Immediate> {
    let [kind, which, unit_bytes] = [number(rest)?, number(rest)?, number(rest)?];
    let axis = || u8::try_from(which).ok().filter(|axis| *axis < 3);
    match kind {
        0 => axis().map(Immediate::FirstWorkgroup),
        1 => axis().map(Immediate::Workgroups),
        2 if (which as usize) < program.buffers.len() && unit_bytes > 0 => {
            Some(Immediate::Units { buffer: Buffer::new(which as usize), unit_bytes })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn program() -> Program {
        let text = "program p workgroup(1, 1, 1) {
  buffer a: u32[] storage read_write @group(0) @binding(0)
  buffer own: u32[4] workgroup read_write
  buffer b: u32[4] uniform read @group(0) @binding(1)
}";
        vyre_ir::text::parse("p.vyre", text).unwrap()
    }

    fn made() -> Made {
        Made {
            entry: "name".into(),
            uniform: vec![false, true],
            immediates: vec![
                Immediate::FirstWorkgroup(2),
                Immediate::Workgroups(0),
                Immediate::Units { buffer: Buffer::new(0), unit_bytes: 4 },
            ],
            shader: Shader::Spirv(vec![0x0723_0203, 1, 2, 3]),
        }
    }

    /// What comes of bytes; what is understood is written as it was, and fits the program.
    fn check(program: &Program, bytes: &[u8]) {
        let Some((made, cached)) = decode(program, bytes) else { return };
        assert!(made.uniform.len() == 2 || made.uniform[2..] == [false], "{:?}", made.uniform);
        for immediate in &made.immediates {
            match *immediate {
                Immediate::FirstWorkgroup(axis) | Immediate::Workgroups(axis) => assert!(axis < 3),
                Immediate::Units { buffer, unit_bytes } => assert!(buffer.index() < 3 && unit_bytes > 0),
            }
        }
        let again = encode(&made, || cached.to_vec()).unwrap();
        assert_eq!(decode(program, &again).unwrap().1, cached);
        assert_eq!(again.len(), bytes.len());
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let bytes = encode(&made(), || vec![7, 8, 9]).unwrap();
        let program = program();
        let (again, cached) = decode(&program, &bytes).unwrap();
        assert_eq!(encode(&again, || cached.to_vec()).unwrap(), bytes);
        assert_eq!((cached, &*again.entry), (&[7, 8, 9][..], "name"));
        // Cut off anywhere before the driver's part, it is nothing.
        for end in 0..bytes.len() - 3 {
            assert!(decode(&program, &bytes[..end]).is_none(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            check(&program(), &bytes);
        }

        /// Small numbers get further than any.
        #[test]
        fn no_numbers_do_harm(numbers in prop::collection::vec(prop_oneof![0u32..5, any::<u32>()], 0..40)) {
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            check(&program(), &bytes);
        }

        #[test]
        fn no_damage_does_harm(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encode(&made(), || vec![7, 8, 9]).unwrap();
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            check(&program(), &bytes);
            check(&program(), &bytes[..cut.index(bytes.len())]);
        }
    }
}

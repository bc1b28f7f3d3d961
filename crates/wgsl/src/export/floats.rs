//! What a SPIR-V module says of float arithmetic, which naga's modules cannot: added to the words that naga wrote.
//!
//! Vulkan leaves much of floats open. Two things close it: the decoration `NoContraction`, which every driver knows,
//! and the modes of `SPV_KHR_float_controls`, where the device has them.

/// What a Vulkan device promises about floats of 16, 32 and 64 bits, when it is asked to.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct FloatControls {
    /// Subnormal numbers are kept (`shaderDenormPreserveFloat*`).
    pub preserve_subnormals: [bool; 3],
    /// Signs of zeros, infinities and NaN are what they are (`shaderSignedZeroInfNanPreserveFloat*`).
    pub preserve_specials: [bool; 3],
    /// Results are rounded to the nearest, halves to even (`shaderRoundingModeRTEFloat*`).
    pub round_to_even: [bool; 3],
}

/// Where a module's instructions begin.
const HEADER: usize = 5;

/// Opcodes of the SPIR-V specification, section 3.49.
mod opcode {
    pub const EXTENSION: u32 = 10;
    pub const ENTRY_POINT: u32 = 15;
    pub const EXECUTION_MODE: u32 = 16;
    pub const CAPABILITY: u32 = 17;
    pub const TYPE_FLOAT: u32 = 22;
    pub const DECORATE: u32 = 71;
}

/// The instructions of a module: (operation, place, words).
fn instructions(words: &[u32]) -> impl Iterator<Item = (u32, usize, &[u32])> {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let first = *words.get(at)?;
        let (start, end) = (at, (at + (first >> 16).max(1) as usize).min(words.len()));
        at = end;
        Some((first & 0xffff, start, &words[start..end]))
    })
}

/// An instruction with its operands.
fn instruction(opcode: u32, operands: &[u32]) -> Vec<u32> {
    let first = (operands.len() as u32 + 1) << 16 | opcode;
    [&[first], operands].concat()
}

/// Adds instructions where one ends that has this operation: the last.
fn insert_after(words: &mut Vec<u32>, operation: u32, added: Vec<u32>) {
    let last = instructions(words).filter(|(found, ..)| *found == operation).last();
    let place = last.map_or(HEADER, |(_, at, inst)| at + inst.len());
    words.splice(place..place, added);
}

/// Decorates float arithmetic so that a driver neither fuses nor rearranges it: without that Mesa makes `-b` of
/// `a - (a + b)`, which takes the error terms away that the expanded math functions work with.
pub(super) fn uncontracted(mut words: Vec<u32>) -> Vec<u32> {
    // FNegate, FAdd, FSub, FMul, FDiv, FRem, VectorTimesScalar: (operation, type, result, operands).
    const ARITHMETIC: [u32; 7] = [127, 129, 131, 133, 136, 140, 142];
    const NO_CONTRACTION: u32 = 42;
    let arithmetic = instructions(&words).filter(|(operation, ..)| ARITHMETIC.contains(operation));
    let decorations: Vec<u32> = arithmetic
        .flat_map(|(_, _, inst)| instruction(opcode::DECORATE, &[inst[2], NO_CONTRACTION]))
        .collect();
    let is_type_or_value = |operation| matches!(operation, 19..=39 | 41..=46 | 54 | 59);
    let first = instructions(&words).find(|(operation, ..)| is_type_or_value(*operation));
    let place = first.map_or(words.len(), |(_, at, _)| at);
    words.splice(place..place, decorations);
    words
}

/// Asks for what the device promises, for the widths of float that the module has.
pub(super) fn controlled(mut words: Vec<u32>, controls: &FloatControls) -> Vec<u32> {
    // Capability and execution mode: DenormPreserve, SignedZeroInfNanPreserve, RoundingModeRTE.
    let kinds = [
        (4464, 4459, controls.preserve_subnormals),
        (4466, 4461, controls.preserve_specials),
        (4467, 4462, controls.round_to_even),
    ];
    let mut has = [false; 3];
    let mut entry = None;
    for (operation, _, inst) in instructions(&words) {
        match operation {
            opcode::TYPE_FLOAT => has[inst[2].trailing_zeros() as usize - 4] = true,
            opcode::ENTRY_POINT => entry = Some(inst[2]),
            _ => {}
        }
    }
    let entry = entry.expect("a module has an entry point");
    let (mut capabilities, mut modes) = (Vec::new(), Vec::new());
    for (capability, mode, promised) in kinds {
        let widths = (0..3).filter(|&i| has[i] && promised[i]).map(|i| 16 << i);
        let before = modes.len();
        modes.extend(widths.flat_map(|width| instruction(opcode::EXECUTION_MODE, &[entry, mode, width])));
        if modes.len() > before {
            capabilities.extend(instruction(opcode::CAPABILITY, &[capability]));
        }
    }
    if modes.is_empty() {
        return words;
    }
    let name = b"SPV_KHR_float_controls\0\0";
    let name: Vec<u32> = name.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
    capabilities.extend(instruction(opcode::EXTENSION, &name));
    insert_after(&mut words, opcode::ENTRY_POINT, modes);
    insert_after(&mut words, opcode::CAPABILITY, capabilities);
    words
}

//! What holds for every operation that this crate registers.

use vyre_cpu as _;
use vyre_driver::{Device, DispatchConfig};
use vyre_ir::dialect::{Category, DialectRegistry, OpDef, check_laws};
use vyre_ir::text::parse;
use vyre_ir::{Program, Scalar};
use vyre_ops as _;
use vyre_reference as _;

#[test]
fn all_are_right_and_documented() {
    let registry = DialectRegistry::try_global().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(registry.dialects().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["bits", "hash", "math"]);
    assert!(registry.iter().len() >= 50);
    for def in registry.iter() {
        assert_eq!(def.category, Category::Composite, "`{}`", def.id);
        assert!(def.doc.ends_with('.') && !def.doc.contains("  "), "`{}`: {}", def.id, def.doc);
        // A year or a specification's section says where it comes from.
        let sources = ["DLMF", "IEEE", "OpenGL", "RFC", "specification", "Hacker's Delight"];
        let year =
            def.doc.split(|c: char| !c.is_ascii_digit()).any(|n| n.len() == 4 && n > "1800" && n < "2030");
        let sourced = year || sources.iter().any(|s| def.doc.contains(s));
        assert!(sourced, "`{}` names no source: {}", def.id, def.doc);
    }
}

#[test]
fn laws_hold() {
    let registry = DialectRegistry::try_global().unwrap();
    assert!(registry.iter().filter(|def| !def.laws.is_empty()).count() >= 6);
    for def in registry.iter() {
        assert_eq!(check_laws(def, 20_000, 11), None);
    }
}

/// A program that runs an operation on lists of operands.
fn program(def: &OpDef) -> Program {
    let mut text = String::from("program one workgroup(64, 1, 1) {\n");
    for (i, ty) in def.signature.operands.iter().enumerate() {
        text += &format!("  buffer x{i}: {ty}[] storage read @group(0) @binding({i})\n");
    }
    for (i, ty) in def.signature.results.iter().enumerate() {
        text += &format!("  buffer r{i}: {ty}[] storage write output @group(1) @binding({i})\n");
    }
    text += "  %i: u32 = global_id x\n";
    for (i, ty) in def.signature.operands.iter().enumerate() {
        text += &format!("  %x{i}: {ty} = load x{i}[%i]\n");
    }
    let results: Vec<String> =
        def.signature.results.iter().enumerate().map(|(i, ty)| format!("%r{i}: {ty}")).collect();
    let operands: Vec<String> = (0..def.signature.operands.len()).map(|i| format!("%x{i}")).collect();
    text += &format!("  {} = call {} {}\n", results.join(", "), def.id, operands.join(", "));
    for i in 0..results.len() {
        text += &format!("  store r{i}[%i], %r{i}\n");
    }
    parse("one.vyre", &(text + "}\n")).unwrap_or_else(|e| panic!("`{}`: {}", def.id, e[0]))
}

/// Lists of operands for each.
const COUNT: usize = 1024;

/// Small numbers and any bits in turn.
fn operands(scalar: Scalar, list: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ (list as u64) << 32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let value = |i: usize, bits: u64| match (i / (list + 1) % 2, scalar) {
        (0, Scalar::F32) => u64::from((bits as i32 as f32 / (1u32 << (bits >> 59)) as f32).to_bits()),
        (0, _) => bits % 40,
        _ => bits,
    };
    (0..COUNT).flat_map(|i| value(i, next()).to_le_bytes()[..scalar.bytes() as usize].to_vec()).collect()
}

/// The bits of numbers, all NaNs the same.
fn numbers(scalar: Scalar, bytes: &[u8]) -> Vec<u64> {
    let bits = |chunk: &[u8]| chunk.iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
    let number = |bits: u64| if f32::from_bits(bits as u32).is_nan() { u64::MAX } else { bits };
    let all = bytes.chunks_exact(scalar.bytes() as usize).map(bits);
    if scalar == Scalar::F32 { all.map(number).collect() } else { all.collect() }
}

#[test]
fn inlined_and_called_they_compute_the_same_bits() {
    let registry = DialectRegistry::try_global().unwrap();
    let (cpu, oracle) = (Device::open("cpu").unwrap(), Device::open("cpu-ref").unwrap());
    for def in registry.iter() {
        let p = program(def);
        let inputs: Vec<Vec<u8>> =
            def.signature.operands.iter().enumerate().map(|(i, ty)| operands(ty.scalar, i)).collect();
        let config = DispatchConfig {
            grid: vyre_driver::Grid::Workgroups([COUNT as u32 / 64, 1, 1]),
            ..Default::default()
        };
        let run = |device: &Device| {
            let compiled = device.compile(&p, &config).unwrap_or_else(|e| panic!("`{}`: {e}", def.id));
            // What is written starts as zero.
            let lists: Vec<Vec<u8>> = compiled
                .plan()
                .inputs()
                .map(|b| match b.name.strip_prefix('x').and_then(|i| i.parse::<usize>().ok()) {
                    Some(i) => inputs[i].clone(),
                    None => vec![0; COUNT * 4],
                })
                .collect();
            let lists: Vec<&[u8]> = lists.iter().map(Vec::as_slice).collect();
            let outputs = compiled.dispatch(&lists, &config).unwrap_or_else(|e| panic!("`{}`: {e}", def.id));
            let results = def.signature.results.iter().zip(&outputs.buffers);
            results.map(|(ty, bytes)| numbers(ty.scalar, bytes)).collect::<Vec<_>>()
        };
        let (got, want) = (run(&cpu), run(&oracle));
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            assert_eq!(want.len(), COUNT);
            let at = got.iter().zip(want).position(|(a, b)| a != b);
            let shown = at.map(|at| (at, got[at], want[at]));
            assert_eq!(shown, None, "`{}`: result {i} differs at (list, cpu, oracle)", def.id);
        }
    }
}

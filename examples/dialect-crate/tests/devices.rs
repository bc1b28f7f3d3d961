//! The operations on every device: against values worked out by hand, and against each other.

use dialect_color as _;
use vyre::ir::text::parse;
use vyre::{Device, DialectRegistry, DispatchConfig, check_laws, typed};

fn run(device: &str, a: &[u32], b: &[u32]) -> Vec<u32> {
    let program = parse("gray.vyre", include_str!("../src/gray.vyre")).unwrap();
    let config = DispatchConfig::default();
    let compiled = Device::open(device).unwrap().compile(&program, &config).unwrap();
    compiled.dispatch_typed(&[typed(a), typed(b)], &config).unwrap().get(0).unwrap()
}

#[test]
fn known_pixels() {
    for device in ["cpu-ref", "cpu"] {
        // Red and green: (54 + 183) * 255 / 256. Gray 0x80 under green 0x90: (73 * 128 + 183 * 144) / 256. White.
        let a = [0x00_00_00_ff, 0x00_80_80_80, 0];
        let b = [0x00_00_ff_00, 0x00_10_90_10, 0xff_ff_ff_ff];
        assert_eq!(run(device, &a, &b), [236, 139, 255], "{device}");
    }
}

#[test]
fn the_processor_agrees_with_the_oracle() {
    // Weyl's sequence meets every channel in every combination of high and low.
    let pixels = |step: u32| (0..10_000).map(|i: u32| i.wrapping_mul(step)).collect::<Vec<u32>>();
    let (a, b) = (pixels(0x9e37_79b9), pixels(0x85eb_ca6b));
    assert_eq!(run("cpu", &a, &b), run("cpu-ref", &a, &b));
}

#[test]
fn laws_hold() {
    let registry = DialectRegistry::try_global().unwrap_or_else(|error| panic!("{error}"));
    for def in registry.iter().filter(|def| def.dialect == "color") {
        assert_eq!(check_laws(def, 10_000, 1), None);
    }
}

#[test]
fn old_names_are_rewritten() {
    let old =
        "program p workgroup(1, 1, 1) {\n  %0: u32 = const 1\n  %1: u32 = call color.max@1.0.0 %0, %0\n}";
    let linked = vyre::link(&parse("p.vyre", old).unwrap(), &DialectRegistry::global()).unwrap();
    assert!(linked.to_string().contains("call color.lighter@1.1.0 %0, %0"), "{linked}");
}

//! Fast math: only when it is asked for, only other roundings, and never in the oracle. Also the other things that are
//! asked for when compiling.

use std::path::Path;
use vyre::ir::text::parse;
use vyre::ir::{Op, Program};
use vyre::wgsl::ImportOptions;
use vyre::{Compiled, Device, DispatchConfig, Grid, bytes_of};

fn program(body: &str) -> Program {
    let text = format!(
        "program p workgroup(4, 1, 1) {{
  buffer x: f32[] storage read @group(0) @binding(0)
  buffer y: f32[] storage read @group(0) @binding(1)
  buffer z: f32[] storage read_write @group(0) @binding(2)
  %i: u32 = global_id x
  %x: f32 = load x[%i]
  %y: f32 = load y[%i]
  %z: f32 = load z[%i]
  %three: f32 = const 3
{body}
  store z[%i], %r
}}"
    );
    parse("p.vyre", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]))
}

fn compile(backend: &str, p: &Program, config: &DispatchConfig) -> Compiled {
    Device::open(backend).unwrap().compile(p, config).unwrap()
}

fn fast() -> DispatchConfig {
    DispatchConfig { fast_math: true, ..DispatchConfig::default() }
}

fn run(backend: &str, p: &Program, config: &DispatchConfig, inputs: [&[f32]; 3]) -> Vec<f32> {
    compile(backend, p, config).dispatch(&inputs.map(bytes_of), config).unwrap().get(0).unwrap()
}

/// Whether code for this machine has `fma`.
fn has_fma() -> bool {
    vyre_cpu::native(Op::Fma, vyre::ir::Scalar::F32)
}

#[test]
fn it_is_on_only_when_asked_for() {
    let p = program("  %p: f32 = mul %x, %y\n  %r: f32 = add %p, %z");
    // The square of 1 + 2^-12 is 1 + 2^-11 + 2^-24, of which an f32 keeps the first two.
    let power = |n: i32| 2f32.powi(n);
    let inputs: [&[f32]; 3] = [&[1.0 + power(-12); 4], &[1.0 + power(-12); 4], &[-1.0 - power(-11); 4]];
    let (exact, fused) = ([0.0; 4], [power(-24); 4]);
    for backend in ["cpu", "cpu-ref"] {
        assert_eq!(run(backend, &p, &DispatchConfig::default(), inputs), exact, "{backend}");
    }
    assert_eq!(run("cpu", &p, &fast(), inputs), if has_fma() { fused } else { exact });
    assert_eq!(run("cpu-ref", &p, &fast(), inputs), exact, "the oracle never sees it");
    let checked = DispatchConfig { checked: true, ..fast() };
    assert_eq!(run("cpu", &p, &checked, inputs), exact, "checked code is as it was written");
}

#[test]
fn nothing_is_assumed_to_be_finite() {
    let p = program("  %q: f32 = div %x, %three\n  %p: f32 = mul %q, %y\n  %r: f32 = sub %z, %p");
    let special =
        [0.0, -0.0, 1.0, -2.5, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE];
    let mut all: [Vec<f32>; 3] = Default::default();
    for x in special {
        for y in special {
            for z in special {
                [x, y, z].into_iter().zip(&mut all).for_each(|(v, list)| list.push(v));
            }
        }
    }
    all.iter_mut().for_each(|list| list.resize(list.len().next_multiple_of(4), 1.0));
    let inputs = [&all[0][..], &all[1], &all[2]];
    let exact = run("cpu-ref", &p, &DispatchConfig::default(), inputs);
    let found = run("cpu", &p, &fast(), inputs);
    for (i, (exact, found)) in exact.iter().zip(&found).enumerate() {
        let [x, y, z] = inputs.map(|list| list[i]);
        let what = format!("{z} - {x} / 3 * {y} is {found}, not {exact}");
        // A product that overflows before the sum need not, fused.
        let overflows = (x / 3.0 * y).is_infinite() && x.is_finite() && y.is_finite();
        if !overflows {
            assert_eq!(exact.is_nan(), found.is_nan(), "{what}");
            assert_eq!(exact.is_infinite(), found.is_infinite(), "{what}");
        }
        if exact.is_finite() && found.is_finite() {
            let size = z.abs().max((x / 3.0 * y).abs());
            assert!((exact - found).abs() <= 4.0 * f32::EPSILON * size, "{what}");
        }
    }
}

/// Reproducible numbers from -1 to 1: Marsaglia's xorshift32.
fn reals(seed: u32, n: usize) -> Vec<f32> {
    let mut x = seed;
    let next = |_| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (x >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(next).collect()
}

fn example(name: &str, overrides: &[(&str, f64)], grid: Grid, inputs: &[&[u8]]) -> [Vec<u8>; 2] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let overrides = overrides.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let options = ImportOptions { entry: None, overrides };
    let source = std::fs::read_to_string(path).unwrap();
    let p = vyre::wgsl::import_wgsl(name, &source, &options).unwrap();
    [false, true].map(|fast_math| {
        let config = DispatchConfig { grid, fast_math, ..DispatchConfig::default() };
        let compiled = compile("cpu", &p, &config);
        let fused = compiled.program().insts.values().any(|inst| inst.loc.pass == Some("contract"));
        assert_eq!(fused, fast_math && has_fma(), "{name}");
        compiled.dispatch(inputs, &config).unwrap().buffers.remove(0).to_vec()
    })
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f64> {
    bytes.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap()) as f64)
}

#[test]
fn examples_stay_close_to_exact_runs() {
    let (a, b) = (reals(1, 64 * 64), reals(2, 64 * 64));
    let grid = Grid::Threads([64, 64, 1]);
    let inputs = [bytes_of(&a), bytes_of(&b), &[0; 4 * 64 * 64]];
    let [exact, found] = example("matmul_tiled.wgsl", &[("n", 64.0)], grid, &inputs);
    // 64 products of at most 1, each sum rounded.
    floats(&exact)
        .zip(floats(&found))
        .for_each(|(e, f)| assert!((e - f).abs() < 64.0 * 64.0 * 6e-8, "{e} {f}"));

    let bodies = reals(3, 8 * 256);
    let inputs = [bytes_of(&bodies), &[0; 4 * 8 * 256]];
    let [exact, found] = example("nbody.wgsl", &[], Grid::Threads([256, 1, 1]), &inputs);
    floats(&exact).zip(floats(&found)).for_each(|(e, f)| assert!((e - f).abs() < 1e-4, "{e} {f}"));

    let grid = Grid::Threads([64, 64, 1]);
    let [exact, found] = example("mandelbrot.wgsl", &[], grid, &[&[0; 4 * 64 * 64]]);
    // Orbits are chaotic, so some pixels at the set's edge may be others.
    let same = exact.iter().zip(&found).filter(|(e, f)| e.abs_diff(**f) <= 2).count();
    assert!(same * 10 > exact.len() * 9, "{same} of {}", exact.len());
}

#[test]
fn a_workgroup_size_is_that_of_the_run() {
    let text = "program p workgroup(4, 1, 1) {
  buffer z: u32[16] storage read_write @group(0) @binding(0)
  %i: u32 = global_id x
  %l: u32 = local_index
  store z[%i], %l
}";
    let p = parse("p.vyre", text).unwrap();
    let grid = Grid::Workgroups([2, 1, 1]);
    for backend in ["cpu", "cpu-ref"] {
        let with = |size| DispatchConfig { workgroup_size: size, grid, ..DispatchConfig::default() };
        let data = |compiled: &Compiled, size| -> Result<Vec<u32>, _> {
            compiled.dispatch(&[bytes_of(&[9u32; 16])], &with(size)).map(|outputs| outputs.get(0).unwrap())
        };
        let own = compile(backend, &p, &with(None));
        assert_eq!(data(&own, None).unwrap(), [0, 1, 2, 3, 0, 1, 2, 3, 9, 9, 9, 9, 9, 9, 9, 9], "{backend}");
        let eight = compile(backend, &p, &with(Some([8, 1, 1])));
        for size in [None, Some([8, 1, 1])] {
            let data = data(&eight, size).unwrap();
            assert_eq!(data, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7], "{backend}");
        }
        for (compiled, size) in [(&eight, [4, 1, 1]), (&eight, [8, 2, 1]), (&own, [8, 1, 1])] {
            assert_eq!(data(compiled, Some(size)).err().unwrap().code(), "D027", "{backend} {size:?}");
        }
    }
}

#[test]
fn what_changes_code_cannot_be_asked_for_later() {
    let p = program("  %r: f32 = add %x, %y");
    let inputs: [&[u8]; 3] = [&[0; 16]; 3];
    for config in [fast(), DispatchConfig { checked: true, ..DispatchConfig::default() }] {
        let compiled = compile("cpu", &p, &DispatchConfig::default());
        assert_eq!(compiled.dispatch(&inputs, &config).err().unwrap().code(), "D027");
        // What was compiled with more runs for those who ask for less.
        assert!(compile("cpu", &p, &config).dispatch(&inputs, &DispatchConfig::default()).is_ok());
    }
}

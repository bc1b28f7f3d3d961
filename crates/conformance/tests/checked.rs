//! Checked mode: the first access out of bounds ends the run and says which one it is; without one nothing changes.

use vyre::ir::text::parse;
use vyre::ir::{Program, Scalar, Type};
use vyre::{BackendError, Device, DispatchConfig, Grid, OutOfBounds, bytes_of};
use vyre_conformance::case::Failure;
use vyre_conformance::suite;

const BACKENDS: [&str; 2] = ["cpu-ref", "cpu"];

/// Two workgroups of four; 6 elements of `data` are bound.
fn program(body: &str) -> Program {
    let text = format!(
        "program faulty workgroup(4, 1, 1) {{
  buffer data: u32[] storage read_write @group(0) @binding(0)
  buffer few: u32[3] uniform read @group(0) @binding(1)
  buffer fixed: u32[5] storage read @group(0) @binding(2)
  buffer tile: u32[3] workgroup read_write
  buffer own: u32[2] private read_write
  %i: u32 = global_id x
  %l: u32 = local_index
  %one: u32 = const 1
  %three: u32 = const 3
{body}
}}"
    );
    parse("faulty.vyre", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]))
}

fn checked() -> DispatchConfig {
    DispatchConfig { checked: true, grid: Grid::Workgroups([2, 1, 1]), ..DispatchConfig::default() }
}

fn run(device: &Device, p: &Program, config: &DispatchConfig) -> Result<Vec<u32>, BackendError> {
    let compiled = device.compile(p, config)?;
    let (data, few, fixed) = ([10u32, 11, 12, 13, 14, 15], [0u32; 3], [0u32; 5]);
    compiled.dispatch(&[bytes_of(&data), bytes_of(&few), bytes_of(&fixed)], config)?.get(0)
}

fn fault(backend: &str, p: &Program) -> OutOfBounds {
    let device = Device::open(backend).unwrap();
    match run(&device, p, &checked()) {
        Err(BackendError::OutOfBounds { access }) => *access,
        other => panic!("{backend}: {other:?}\n{p}"),
    }
}

/// Lines of a program of which the last one is out of bounds for these global ids and indices.
struct Fault {
    lines: &'static str,
    buffer: &'static str,
    accessed: Type,
    length: u64,
    /// In the order of invocations.
    who: &'static [(u32, u32)],
}

fn faults() -> Vec<Fault> {
    let u32s = |lanes| Type { scalar: Scalar::U32, lanes };
    let of = |lines, buffer, accessed, length, who| Fault { lines, buffer, accessed, length, who };
    let beyond = |lines| of(lines, "data", u32s(1), 6, &[(6, 6), (7, 7)]);
    let wide = |lines| of(lines, "data", u32s(2), 6, &[(5, 5), (6, 6), (7, 7)]);
    let tile = |lines| of(lines, "tile", u32s(1), 3, &[(3, 3), (7, 3)]);
    let own = |lines| of(lines, "own", u32s(1), 2, &[(2, 2), (3, 3), (6, 2), (7, 3)]);
    vec![
        beyond("%v: u32 = load data[%i]"),
        beyond("store data[%i], %l"),
        beyond("%v: u32 = atomic_add data[%i], %l"),
        beyond("%v: u32, %done: bool = atomic_compare_exchange data[%i], %l, %l"),
        beyond("%v: u32 = atomic_load data[%i]"),
        beyond("atomic_store data[%i], %l"),
        wide("%v: u32x2 = load data[%i]"),
        wide("%x: u32x2 = compose %i, %l\n  store data[%i], %x"),
        of(
            "%k: u32 = add %i, %i\n  %v: f16 = load data[%k]",
            "data",
            Scalar::F16.into(),
            12,
            &[(6, 12), (7, 14)],
        ),
        of(
            "%v: f64 = load data[%i]",
            "data",
            Scalar::F64.into(),
            3,
            &[(3, 3), (4, 4), (5, 5), (6, 6), (7, 7)],
        ),
        of("%v: u32 = load few[%i]", "few", u32s(1), 3, &[(3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]),
        of("%v: u32x3 = load few[%one]", "few", u32s(3), 3, &EVERYONE_AT_1),
        of("%v: u32 = load fixed[%i]", "fixed", u32s(1), 5, &[(5, 5), (6, 6), (7, 7)]),
        tile("%v: u32 = load tile[%l]"),
        tile("store tile[%l], %i"),
        tile("%v: u32 = atomic_max tile[%l], %i"),
        of("%v: u32 = uniform_load tile[%three]", "tile", u32s(1), 3, &EVERYONE_AT_3),
        own("%v: u32 = load own[%l]"),
        own("store own[%l], %i"),
        of("%v: u32x4 = load own[%three]", "own", u32s(4), 2, &EVERYONE_AT_3),
        // In control flow, where only some are.
        of(
            "%c: bool = eq %i, %three\n  if %c {\n    %k: u32 = shl %i, %three\n    %v: u32 = load data[%k]\n  } else {\n  }",
            "data",
            u32s(1),
            6,
            &[(3, 24)],
        ),
        of(
            "%r: u32 = loop (%k: u32 = %i) {\n    %n: u32 = add %k, %one\n    %c: bool = lt %n, %three\n    %v: u32 = load fixed[%n]\n    \
             yield %c, %n\n  }",
            "fixed",
            u32s(1),
            5,
            &[(4, 5), (5, 6), (6, 7), (7, 8)],
        ),
        // At an index that does not wrap.
        of(
            "%big: u32 = const 4294967295\n  %v: u32x2 = load data[%big]",
            "data",
            u32s(2),
            6,
            &[(0, !0), (1, !0), (2, !0), (3, !0), (4, !0), (5, !0), (6, !0), (7, !0)],
        ),
    ]
}

const EVERYONE_AT_1: [(u32, u32); 8] = [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1)];
const EVERYONE_AT_3: [(u32, u32); 8] = [(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (7, 3)];

#[test]
fn accesses_of_every_kind_are_reported() {
    for Fault { lines, buffer, accessed, length, who } in faults() {
        let p = program(&format!("  {lines}"));
        for backend in BACKENDS {
            let f = fault(backend, &p);
            let what = format!("{backend}: {f}");
            assert_eq!((f.program.as_str(), f.buffer.as_str()), ("faulty", buffer), "{what}");
            assert_eq!((f.accessed, f.length), (accessed, length), "{what}");
            let [x, 0, 0] = f.invocation else { panic!("{what}") };
            assert_eq!(f.workgroup, [x / 4, 0, 0], "{what}");
            assert!(who.contains(&(x, f.index)), "{what}");
            if backend == "cpu-ref" {
                assert_eq!((x, f.index), who[0], "the interpreter reports the first one: {what}");
            }
        }
    }
}

#[test]
fn the_message_has_all_parts() {
    let p = program("  %v: f32x2 = load data[%i]\n  store data[%l], %v");
    for backend in BACKENDS {
        let f = fault(backend, &p);
        let d = &f.diagnostic;
        assert_eq!(d.code, "D040");
        let [x, ..] = f.invocation;
        let parts = [
            "program `faulty`",
            "loads f32x2",
            &format!("index {x} "),
            "storage buffer `data`",
            "6 scalars of f32",
            &format!("invocation {x},0,0"),
            "workgroup 1,0,0",
        ];
        for part in parts {
            assert!(d.message.contains(part), "no `{part}` in {d}");
        }
        let (source, label) = (d.source.as_ref().unwrap(), &d.labels[0]);
        assert_eq!(
            &source.text[label.loc.start as usize..label.loc.end as usize],
            "%v: f32x2 = load data[%i]"
        );
        assert_eq!(source.line_column(label.loc.start).0, 11);
        assert!(d.to_string().starts_with("faulty.vyre:11:3: error[D040]"), "{d}");
        assert!(d.fix.is_some());
    }
}

/// Along y and z the id counts in workgroups of that axis' size.
#[test]
fn invocations_are_named_along_all_axes() {
    let text = "program p workgroup(2, 3, 4) {
  buffer data: u32[7] storage read_write @group(0) @binding(0)
  %x: u32 = global_id x
  %y: u32 = global_id y
  %z: u32 = global_id z
  %three: u32 = const 3
  %four: u32 = const 4
  %seven: u32 = const 7
  %a: bool = eq %x, %three
  %b: bool = eq %y, %four
  %c: bool = eq %z, %seven
  %ab: bool = and %a, %b
  %only: bool = and %ab, %c
  if %only {
    store data[%seven], %x
  } else {
  }
}";
    let p = parse("p.vyre", text).unwrap();
    for backend in BACKENDS {
        let config =
            DispatchConfig { grid: Grid::Workgroups([2, 2, 2]), checked: true, ..Default::default() };
        let compiled = Device::open(backend).unwrap().compile(&p, &config).unwrap();
        match compiled.dispatch(&[&[0; 28]], &config) {
            Err(BackendError::OutOfBounds { access }) => {
                assert_eq!((access.invocation, access.workgroup), ([3, 4, 7], [1, 1, 1]), "{backend}");
            }
            other => panic!("{backend}: {:?}", other.err()),
        }
    }
}

/// Of the accesses of an invocation the first one that the program names is reported, also when a later one is the same
/// for all invocations, when nobody needs its value, or when it repeats one.
#[test]
fn accesses_are_reported_in_the_order_of_the_program() {
    let wrong = "  %wrong: u32 = const 40\n";
    let first = |lines: &str| {
        let p = program(&format!("{wrong}{lines}"));
        BACKENDS.map(|backend| fault(backend, &p)).map(|f| (f.buffer, f.index))
    };
    let both = |buffer: &str, index| [(buffer.to_string(), index), (buffer.to_string(), index)];
    assert_eq!(first("  store data[%wrong], %i\n  %v: u32 = load few[%three]"), both("data", 40));
    assert_eq!(first("  %v: u32 = load few[%three]\n  store data[%wrong], %i"), both("few", 3));
    assert_eq!(
        first("  store tile[%three], %i\n  workgroup_barrier\n  %v: u32 = load few[%three]"),
        both("tile", 3)
    );
    // Never stored, never used: still an access.
    assert_eq!(first("  %v: u32 = load data[%wrong]\n  %u: u32 = load fixed[%wrong]"), both("data", 40));
    // Under a condition that is false nothing is accessed.
    assert_eq!(
        first(
            "  %no: bool = const false\n  if %no {\n    %v: u32 = load few[%three]\n  } else {\n  }\n  store own[%wrong], %i"
        ),
        both("own", 40)
    );
}

#[test]
fn a_device_goes_on_after_a_report() {
    let bad = program("  store data[%i], %l");
    let good = program("  %v: u32 = load few[%one]\n  store data[%l], %i");
    for backend in BACKENDS {
        let device = Device::open(backend).unwrap();
        for _ in 0..2 {
            let report = run(&device, &bad, &checked());
            assert!(matches!(report, Err(BackendError::OutOfBounds { .. })), "{backend}: {report:?}");
            let unchecked = DispatchConfig { checked: false, ..checked() };
            assert_eq!(run(&device, &bad, &unchecked).unwrap(), [0, 1, 2, 3, 0, 1], "{backend}: dropped");
            let data = run(&device, &good, &checked()).unwrap();
            assert!(data[..4].iter().zip(0..).all(|(&v, l)| v == l || v == l + 4), "{backend}: {data:?}");
            assert_eq!(data[4..], [14, 15]);
        }
    }
}

/// The same program from another place in another file is another one to the cache.
#[test]
fn reports_name_the_file_that_was_compiled() {
    let p = program("  store data[%i], %l");
    let text = format!("// moved\n// down\n{}", p.source.as_ref().unwrap().text);
    let moved = parse("moved.vyre", &text).unwrap();
    for backend in BACKENDS {
        let device = Device::open(backend).unwrap();
        let place = |p| match run(&device, p, &checked()) {
            Err(error) => error.to_string().split(" error").next().unwrap_or_default().to_string(),
            Ok(data) => panic!("{backend}: {data:?}"),
        };
        assert_eq!(place(&p), "faulty.vyre:11:3:");
        assert_eq!(place(&moved), "moved.vyre:13:3:");
    }
}

/// The programs of `tests/programs` that have accesses out of bounds: those that show what these do unchecked.
const OUT_OF_BOUNDS: [&str; 7] = [
    "oob_atomics.wgsl",
    "oob_function_private.wgsl",
    "oob_inner_array.wgsl",
    "oob_storage.wgsl",
    "oob_vector_matrix.wgsl",
    "oob_workgroup.wgsl",
    "tail_unguarded.wgsl",
];

#[test]
fn programs_without_such_an_access_run_as_ever() {
    let cases = suite::programs();
    assert!(cases.len() >= 150);
    for backend in BACKENDS {
        let device = Device::open(backend).unwrap();
        let (mut failed, mut reported) = (Vec::new(), Vec::new());
        for case in &cases {
            let config = DispatchConfig { checked: true, ..case.config() };
            match case.run(&device, &config) {
                Ok(()) => (),
                Err(Failure::OutOfBounds(_)) => reported.push(case.name.as_str()),
                Err(other) => failed.push(format!("{}: {other:?}", case.name)),
            }
        }
        assert!(failed.is_empty(), "{backend}:\n{}", failed.join("\n"));
        assert_eq!(reported, OUT_OF_BOUNDS, "{backend}");
    }
}

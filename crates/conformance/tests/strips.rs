//! The backend `cpu` without machine code: where none can be made or placed, every program still gives what it means,
//! and says that it is interpreted.

use vyre::ir::text::parse;
use vyre::{BackendError, CacheConfig, Device, DiskCacheConfig, DispatchConfig, Grid, VyreBackend, bytes_of};
use vyre_conformance::fuzz::{Outcome, Subject, check};
use vyre_conformance::random::Options;
use vyre_conformance::suite;
use vyre_conformance::trial::caught;
use vyre_cpu::{Engine, Fault};

fn backend(engine: Engine) -> Box<dyn VyreBackend> {
    vyre_cpu::open(engine).unwrap()
}

#[test]
fn every_program() {
    let report = suite::run(&Device::new(backend(Engine::Strips)), &suite::programs());
    assert!(report.failed.is_empty() && report.unsupported.is_empty(), "{report:#?}");
    assert!(report.passed.len() >= 150, "only {} programs were found", report.passed.len());
}

#[test]
fn random_programs() {
    let backend = backend(Engine::Strips);
    let subject = Subject { backend: &*backend, takes_all: true };
    for seed in 5000..5500 {
        // Some of larger workgroups, some with functions.
        let options = Options { wide: seed % 4 == 1, math: seed % 4 == 2, ..Options::default() };
        match check(seed, &options, &|trial| subject.check(trial)) {
            Ok(outcome) => assert!(outcome != Outcome::Refused, "seed {seed} is refused"),
            Err(failure) => panic!("{failure}"),
        }
    }
}

const SQUARES: &str = "program squares workgroup(3, 1, 1) {
  buffer data: u32[] storage read_write @group(0) @binding(0)
  %i: u32 = global_id x
  %x: u32 = load data[%i]
  %y: u32 = mul %x, %x
  store data[%i], %y
}";

fn config(checked: bool) -> DispatchConfig {
    DispatchConfig { checked, grid: Grid::Workgroups([2, 1, 1]), ..DispatchConfig::default() }
}

#[test]
fn failures_are_made_up_for_and_told() {
    let program = parse("squares.vyre", SQUARES).unwrap();
    let reasons = [
        (
            Fault::Compile,
            "the program is interpreted, which is slow: the code generator failed, as a test wants it",
        ),
        (
            Fault::Panic,
            "the program is interpreted, which is slow: the code generator panicked: as a test wants it",
        ),
        (
            Fault::Memory,
            "the program is interpreted, which is slow: there is no executable memory, as a test wants it",
        ),
    ];
    for (fault, reason) in reasons {
        let device = Device::new(backend(Engine::Failing(fault)));
        let folder = tempfile::tempdir().unwrap();
        let disk = DiskCacheConfig { directory: folder.path().into(), bytes: u64::MAX };
        device.set_cache(CacheConfig { disk: Some(disk), ..CacheConfig::default() });
        for checked in [false, true] {
            // Without the message of the panic.
            let compiled = caught(|| device.compile(&program, &config(checked))).unwrap().unwrap();
            assert_eq!(compiled.notice().as_deref(), Some(reason));
            let data = [1u32, 2, 3, 4, 5, u32::MAX];
            let outputs = compiled.dispatch(&[bytes_of(&data)], &config(checked)).unwrap();
            assert_eq!(outputs.get::<u32>(0).unwrap(), [1, 4, 9, 16, 25, 1], "{fault:?}");
        }
        let disk = device.pipeline_cache_snapshot().disk.unwrap();
        assert_eq!(disk.stored, 0, "what is interpreted is not kept");
    }
}

#[test]
fn accesses_out_of_bounds_are_reported() {
    let program = parse("squares.vyre", SQUARES).unwrap();
    let device = Device::new(backend(Engine::Strips));
    let compiled = device.compile(&program, &config(true)).unwrap();
    match compiled.dispatch(&[bytes_of(&[0u32; 4])], &config(true)) {
        Err(BackendError::OutOfBounds { access }) => {
            let message = access.to_string();
            assert!(message.contains("index 4") && message.contains("workgroup 1,0,0"), "{message}");
        }
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn deeply_nested_programs() {
    let depth = 250;
    let mut text = String::from(
        "program deep workgroup(5, 1, 1) {
  buffer data: u32[] storage read_write @group(0) @binding(0)
  %i: u32 = local_index
  %zero: u32 = const 0
  %x: u32 = load data[%i]
  %c: bool = lt %zero, %x
",
    );
    (0..depth).for_each(|_| text += "if %c {\n");
    text += "%y: u32 = add %x, %i\nstore data[%i], %y\n";
    (0..depth).for_each(|_| text += "}\n");
    let program = parse("deep.vyre", &(text + "}")).unwrap();
    let device = Device::new(backend(Engine::Strips));
    let config = DispatchConfig { grid: Grid::Workgroups([1, 1, 1]), ..DispatchConfig::default() };
    let outputs = device.compile(&program, &config).unwrap();
    let outputs = outputs.dispatch(&[bytes_of(&[7u32, 0, 7, 0, 7])], &config).unwrap();
    assert_eq!(outputs.get::<u32>(0).unwrap(), [7, 0, 9, 0, 11]);
}

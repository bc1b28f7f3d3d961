//! Every program of `tests/programs` on every backend that is linked, and every one of `tests/programs/invalid` refused.

use std::process::Command;
use vyre::Device;
use vyre_conformance::case::Case;
use vyre_conformance::devices::devices;
use vyre_conformance::suite::{self, lacks};

fn check(id: &str) {
    let report = suite::run(&Device::open(id).unwrap(), &suite::programs());
    for (name, why) in &report.unsupported {
        println!("skipped: {id} cannot run {name}: {why}");
    }
    println!("{id}: {} passed, {} unsupported", report.passed.len(), report.unsupported.len());
    let failed: Vec<String> = report.failed.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    assert!(failed.is_empty(), "{} programs fail on {id}:\n{}", failed.len(), failed.join("\n"));
    assert!(report.passed.len() >= 150, "only {} programs were found", report.passed.len());
    assert!(report.unsupported.is_empty(), "{id} runs every program");
}

/// Every device runs every program, or says by name what it lacks.
#[test]
fn wgpu_runs_every_program() {
    for name in devices("wgpu") {
        let report = suite::run(&Device::open(&name).unwrap(), &suite::programs());
        let unnamed: Vec<_> = report.unsupported.iter().filter(|(_, why)| lacks(why).is_none()).collect();
        assert!(report.failed.is_empty() && unnamed.is_empty(), "{name}: {:#?} {unnamed:#?}", report.failed);
        assert!(report.passed.len() >= 100, "{name} runs only {}", report.passed.len());
    }
}

/// On every device, and on the stand-in for NVIDIA's driver, which needs a process of its own.
#[test]
fn cuda_runs_every_program() {
    let library = vyre_libcuda::path().expect("cargo builds the stand-in with this test");
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "devices_of_cuda_run_every_program", "--ignored", "--nocapture"]);
    let ran = process.env("VYRE_LIBCUDA", library).output().unwrap();
    let words = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(ran.status.success() && words[0].contains("1 passed"), "{}", words.join("\n"));
}

#[test]
#[ignore = "for machines with such a device, and for processes that have the stand-in"]
fn devices_of_cuda_run_every_program() {
    devices("cuda").iter().for_each(|name| check(name));
}

#[test]
fn cpu_ref_runs_every_program() {
    check("cpu-ref");
}

#[test]
fn cpu_runs_every_program() {
    check("cpu");
}

/// The message must contain the words, and point at the line, that the file names.
fn refusal(case: &Case) -> Result<(), String> {
    let errors = match case.program() {
        Err(errors) => errors,
        Ok(program) => {
            let device = Device::open("cpu-ref").map_err(|e| e.to_string())?;
            match device.compile(&program, &Default::default()) {
                Ok(_) => return Err("it is accepted".into()),
                Err(error) => error.diagnostics(),
            }
        }
    };
    let want = case.error.as_deref().ok_or("the file has no `error` line")?.to_lowercase();
    let all = vyre_conformance::case::show_all(&errors);
    if !all.to_lowercase().contains(&want) {
        return Err(format!("the message does not contain `{want}`: {all}"));
    }
    let line = |d: &vyre::ir::Diagnostic| Some(d.source.as_ref()?.line_column(d.labels.first()?.loc.start).0);
    let lines: Vec<Option<usize>> = errors.iter().map(line).collect();
    match case.line {
        Some(want) if !lines.contains(&Some(want)) => {
            Err(format!("it points at lines {lines:?}, not at {want}: {all}"))
        }
        _ => Ok(()),
    }
}

#[test]
fn invalid_programs_are_refused_with_their_line() {
    let cases = suite::invalid();
    assert!(cases.len() >= 30, "only {} programs were found", cases.len());
    let failed: Vec<String> =
        cases.iter().filter_map(|c| refusal(c).err().map(|why| format!("{}: {why}", c.name))).collect();
    assert!(failed.is_empty(), "{} invalid programs:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn a_wrong_expectation_is_noticed() {
    let source = "//! Adds one.
//! in data = [1, 2]
//! out data = [2, 4]
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(2) fn main(@builtin(local_invocation_index) i: u32) { data[i] += 1u; }";
    let report = suite::run(&Device::open("cpu-ref").unwrap(), &[Case::parse("adds.wgsl", source).unwrap()]);
    let (_, why) = &report.failed[0];
    assert!(why.contains("`data[1]` is 3") && why.contains("expected 4"), "{why}");
}

//! Every kernel on little data, by whoever runs it here, against what the problem says its result is.

use std::io::Write;
use vyre::Device;
use vyre_bench::{
    BenchError, Case, EMPTY, INVERT, KERNELS, Kernel, Mode, Ours, Peer, Runner, Size, cases, checked, steady,
};

fn open(id: &str) -> Ours {
    Ours { device: Device::open(id).unwrap(), timed: false }
}

fn resident(kernel: &'static Kernel) -> Case {
    Case { kernel, mode: Mode::Resident, size: Size::Small }
}

fn is_right(runner: &dyn Runner, who: &str, case: &Case) {
    if let Err(error) = checked(runner, who, case, &case.kernel.prepare(case.size)) {
        panic!("{}, {}: {:?}", case.kernel.name, case.about(), error.diagnostics());
    }
}

fn all_are_right(runner: &dyn Runner, who: &str) {
    KERNELS.iter().for_each(|kernel| is_right(runner, who, &resident(kernel)));
}

/// Not through `eprintln!`, which is shown for tests that fail only.
fn skipped(what: &str, reason: &str) {
    assert!(!reason.is_empty());
    let mut shown = std::io::stderr();
    writeln!(shown, "skipped: {what}: {reason}").unwrap();
}

#[test]
fn the_processor_is_right() {
    let ours = open("cpu");
    all_are_right(&ours, "cpu");
    for mode in [Mode::Copies, Mode::First] {
        for kernel in KERNELS.iter().chain([&EMPTY, &INVERT]) {
            is_right(&ours, "cpu", &Case { mode, ..resident(kernel) });
        }
    }
}

#[test]
fn the_interpreter_is_right() {
    all_are_right(&open("cpu-ref"), "cpu-ref");
}

/// Those that are not on this machine are skipped, and say why.
#[test]
fn peers_are_right() {
    let device = Device::open("cpu").unwrap();
    for &peer in Peer::of(&device) {
        match peer.open(&device) {
            Ok(runner) => all_are_right(&*runner, peer.name()),
            Err(reason) => skipped(peer.name(), &reason),
        }
    }
    assert!(cfg!(not(feature = "rayon")) || Peer::Rayon.open(&device).is_ok());
}

/// All that `vyre bench wgpu` measures, by the device and by plain wgpu code. Without an adapter that is skipped, except
/// in CI, which has one.
#[test]
fn devices_of_wgpu_and_plain_code_on_them_are_right() {
    let device = match Device::open("wgpu") {
        Ok(device) => device,
        Err(error) => {
            assert!(std::env::var_os("VYRE_CI").is_none(), "{error}");
            return skipped("wgpu", &error.to_string());
        }
    };
    let cases = cases(&device, &[], Size::Small);
    for mode in [Mode::Resident, Mode::Copies, Mode::First] {
        assert!(cases.iter().any(|case| case.mode == mode));
    }
    for case in &cases {
        is_right(&Ours { device: device.clone(), timed: false }, "wgpu", case);
        for &peer in Peer::of(&device) {
            is_right(&*peer.open(&device).unwrap(), peer.name(), case);
        }
    }
    let steady = steady(&device, 200).unwrap();
    assert!(!steady.counters.is_empty());
    for (name, [before, after]) in steady.counters {
        assert_eq!(before, after, "{name}");
    }
}

/// Measuring compares what comes of them.
#[test]
fn programs_as_stages_are_right() {
    let wgpu = Device::open("wgpu").inspect_err(|error| skipped("wgpu", &error.to_string())).ok();
    for device in [Device::open("cpu").unwrap(), Device::open("cpu-ref").unwrap()].into_iter().chain(wgpu) {
        let rows = vyre_bench::stages::measure(&device, Size::Small, 1, &|_| ());
        let rows = rows.unwrap_or_else(|error| panic!("{}: {:?}", device.id(), error.diagnostics()));
        let counted: Vec<(usize, u64)> = rows.iter().map(|row| (row.stages, row.copied[1])).collect();
        // Of the two the loop has the same two stages again and again. Nothing comes back between them.
        assert_eq!(counted, [(16, 0), (2, 0)], "{}", device.id());
    }
}

/// Plain wgpu code on a device that is not one of wgpu's.
#[test]
fn the_processor_is_no_adapter() {
    let device = Device::open("cpu").unwrap();
    let Err(reason) = Peer::Wgpu.open(&device) else { panic!("there is one") };
    assert!(!reason.is_empty());
}

/// Each variant is another program.
#[test]
fn variants_differ() {
    for kernel in KERNELS.iter().chain([&EMPTY, &INVERT]) {
        let (a, b) = (kernel.variant(1), kernel.variant(2));
        assert!(a != b && a.len() > kernel.wgsl.len(), "{}", kernel.name);
    }
}

/// A check that lets damage pass checks nothing. One bit of each float is turned that no rounding reaches.
#[test]
fn checks_see_damage() {
    let ours = open("cpu");
    for kernel in KERNELS.iter().chain([&INVERT]) {
        let work = kernel.prepare(Size::Small);
        let right = checked(&ours, "cpu", &resident(kernel), &work).and_then(|mut loaded| loaded.read());
        let right = right.unwrap_or_else(|error| panic!("{:?}", error.diagnostics()));
        for (i, _) in work.buffers.iter().enumerate().filter(|(_, data)| data.written) {
            let mut wrong = right.clone();
            // A picture of points may have a few that differ.
            let damaged = if kernel.name == "mandelbrot" { wrong[i].len() / 100 } else { 1 };
            wrong[i].iter_mut().rev().take(damaged).for_each(|word| *word ^= 1 << 30);
            assert!((work.check)(&work, &wrong).is_err(), "{}, buffer {i}", kernel.name);
        }
    }
}

#[test]
fn unknown_names() {
    let Err(BenchError::NoKernel(name)) = vyre_bench::kernel("Saxpy") else { panic!("it is known") };
    assert_eq!(name, "Saxpy");
}

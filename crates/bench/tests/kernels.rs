//! Every kernel on little data, by whoever runs it here, against what the problem says its result is.

use std::io::Write;
use vyre::Device;
use vyre_bench::{BenchError, KERNELS, Ours, Peer, Runner, Size, checked};

fn all_are_right(runner: &dyn Runner, who: &str) {
    for kernel in KERNELS {
        if let Err(error) = checked(runner, who, kernel, &kernel.prepare(Size::Small)) {
            panic!("{:?}", error.diagnostics());
        }
    }
}

#[test]
fn the_processor_is_right() {
    all_are_right(&Ours { device: Device::open("cpu").unwrap() }, "cpu");
}

#[test]
fn the_interpreter_is_right() {
    all_are_right(&Ours { device: Device::open("cpu-ref").unwrap() }, "cpu-ref");
}

/// Those that are not on this machine are skipped, and say why.
#[test]
fn peers_are_right() {
    for peer in Peer::ALL {
        match peer.open() {
            Ok(runner) => all_are_right(&*runner, peer.name()),
            Err(reason) => {
                assert!(!reason.is_empty());
                // Not through `eprintln!`, which is shown for tests that fail only.
                writeln!(std::io::stderr(), "skipped: {}: {reason}", peer.name()).unwrap();
            }
        }
    }
    assert!(cfg!(not(feature = "rayon")) || Peer::Rayon.open().is_ok());
}

/// A check that lets damage pass checks nothing. One bit of each float is turned that no rounding reaches.
#[test]
fn checks_see_damage() {
    let ours = Ours { device: Device::open("cpu").unwrap() };
    for kernel in KERNELS {
        let work = kernel.prepare(Size::Small);
        let right = checked(&ours, "cpu", kernel, &work).and_then(|mut loaded| loaded.read());
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

//! The order of what is done.

use crate::call;
use crate::cuda::{Cuda, Handle, INVALID_HANDLE, LEGACY, NOT_READY};
use std::collections::BTreeSet;
use vyre_libcuda::{Configuration, Pace};

#[test]
fn a_stream_keeps_its_order() {
    let cuda = Cuda::new();
    let (address, stream) = (cuda.words(&[0]), cuda.stream());
    for value in 1..10 {
        cuda.set_words(address, value, 1, stream).unwrap();
    }
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.read_words(address, 1), Ok(vec![9]));
}

/// What a word holds to which two streams have written, for some seeds.
fn values(ordered: bool) -> BTreeSet<u32> {
    let value = |seed| {
        let cuda = Cuda::with(Configuration { seed, ..Configuration::default() });
        let (address, first, second) = (cuda.words(&[0]), cuda.stream(), cuda.stream());
        let event = cuda.event();
        cuda.set_words(address, 1, 1, first).unwrap();
        cuda.record(event, first).unwrap();
        if ordered {
            cuda.wait_event(second, event).unwrap();
        }
        cuda.set_words(address, 2, 1, second).unwrap();
        cuda.synchronize().unwrap();
        cuda.read_words(address, 1).unwrap()[0]
    };
    (0..16).map(value).collect()
}

#[test]
fn streams_have_no_order_but_by_events() {
    assert_eq!(values(false), BTreeSet::from([1, 2]));
    assert_eq!(values(true), BTreeSet::from([2]));
}

#[test]
fn the_legacy_stream_waits_for_those_that_let_it() {
    for seed in 0..8 {
        let cuda = Cuda::with(Configuration { seed, ..Configuration::default() });
        let (address, mut blocking) = (cuda.words(&[0]), 0);
        call!(cuda, "cuStreamCreate"(&mut blocking => *mut Handle, 0 => u32)).unwrap();
        cuda.set_words(address, 1, 1, blocking).unwrap();
        cuda.set_words(address, 2, 1, LEGACY).unwrap();
        cuda.set_words(address, 3, 1, blocking).unwrap();
        assert_eq!(cuda.read_words(address, 1), Ok(vec![3]));
    }
}

#[test]
fn a_stream_says_whether_it_is_done() {
    let cuda = Cuda::new();
    let (address, stream) = (cuda.words(&[0]), cuda.stream());
    let query = || call!(cuda, "cuStreamQuery"(stream => Handle));
    query().unwrap();
    cuda.set_words(address, 1, 1, stream).unwrap();
    // Nobody has asked before, so the device has not begun.
    assert_eq!(query(), Err(NOT_READY));
    while query() == Err(NOT_READY) {
        std::thread::yield_now();
    }
    query().unwrap();
}

#[test]
fn a_destroyed_stream_does_what_it_was_given() {
    let cuda = Cuda::new();
    let (address, stream) = (cuda.words(&[0]), cuda.stream());
    cuda.set_words(address, 1, 1, stream).unwrap();
    call!(cuda, "cuStreamDestroy_v2"(stream => Handle)).unwrap();
    assert_eq!(cuda.wait(stream), Err(INVALID_HANDLE));
    assert_eq!(cuda.control.report().live("streams"), 0);
    cuda.synchronize().unwrap();
    assert_eq!(cuda.read_words(address, 1), Ok(vec![1]));
}

#[test]
fn an_eager_device_begins_at_once() {
    let cuda = Cuda::with(Configuration { pace: Pace::Eager, ..Configuration::default() });
    let (address, stream, staging) = (cuda.words(&[7]), cuda.stream(), cuda.pinned(4).unwrap());
    cuda.download(staging, address, stream).unwrap();
    let start = staging.as_ptr();
    // SAFETY: the memory is there; the device writes it while this looks.
    while unsafe { start.read_volatile() } != 7 {
        std::thread::yield_now();
    }
}

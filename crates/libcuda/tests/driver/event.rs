//! Events.

use crate::call;
use crate::cuda::{Cuda, Handle, INVALID_HANDLE, NOT_READY, Result};

fn query(cuda: &Cuda, event: Handle) -> Result<()> {
    call!(cuda, "cuEventQuery"(event => Handle))
}

fn elapsed(cuda: &Cuda, start: Handle, end: Handle) -> Result<f32> {
    let mut milliseconds = -1.0;
    call!(cuda, "cuEventElapsedTime"(&mut milliseconds => *mut f32, start => Handle, end => Handle))?;
    Ok(milliseconds)
}

#[test]
fn an_event_is_what_was_before_it() {
    let cuda = Cuda::new();
    let (stream, event, address) = (cuda.stream(), cuda.event(), cuda.words(&[0]));
    query(&cuda, event).unwrap();
    cuda.set_words(address, 1, 1, stream).unwrap();
    cuda.record(event, stream).unwrap();
    assert_eq!(query(&cuda, event), Err(NOT_READY));
    call!(cuda, "cuEventSynchronize"(event => Handle)).unwrap();
    query(&cuda, event).unwrap();
    assert_eq!(cuda.read_words(address, 1), Ok(vec![1]));
}

#[test]
fn times_are_between_events_that_are_done() {
    let cuda = Cuda::new();
    let (stream, start, end) = (cuda.stream(), cuda.event(), cuda.event());
    assert_eq!(elapsed(&cuda, start, end), Err(INVALID_HANDLE));
    cuda.record(start, stream).unwrap();
    cuda.launch(cuda.kernel("wide"), 1, 64, &[], stream).unwrap();
    cuda.record(end, stream).unwrap();
    assert_eq!(elapsed(&cuda, start, end), Err(NOT_READY));
    cuda.wait(stream).unwrap();
    assert!(elapsed(&cuda, start, end).unwrap() > 0.0);
    assert!(elapsed(&cuda, end, start).unwrap() < 0.0);
}

#[test]
fn an_event_can_be_without_a_time() {
    let cuda = Cuda::new();
    let (stream, mut event) = (cuda.stream(), 0);
    call!(cuda, "cuEventCreate"(&mut event => *mut Handle, 2 => u32)).unwrap();
    cuda.record(event, stream).unwrap();
    cuda.wait(stream).unwrap();
    assert_eq!(elapsed(&cuda, event, event), Err(INVALID_HANDLE));
}

#[test]
fn a_destroyed_event_is_none() {
    let cuda = Cuda::new();
    let (stream, event) = (cuda.stream(), cuda.event());
    call!(cuda, "cuEventDestroy_v2"(event => Handle)).unwrap();
    assert_eq!(query(&cuda, event), Err(INVALID_HANDLE));
    assert_eq!(cuda.record(event, stream), Err(INVALID_HANDLE));
    assert_eq!(cuda.wait_event(stream, event), Err(INVALID_HANDLE));
}

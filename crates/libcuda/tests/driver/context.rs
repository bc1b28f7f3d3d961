//! Contexts: whose they are, and what becomes of what belongs to them.

use crate::call;
use crate::cuda::{Cuda, Handle, ILLEGAL_ADDRESS, INVALID_CONTEXT, INVALID_HANDLE, INVALID_VALUE, LEGACY};
use std::ffi::c_int;
use vyre_libcuda::{Configuration, FaultPlan};

#[test]
fn a_thread_without_a_context_can_do_nothing() {
    let cuda = Cuda::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(cuda.allocate(4), Err(INVALID_CONTEXT));
            cuda.set_current(cuda.context).unwrap();
            cuda.allocate(4).unwrap();
        });
    });
    assert_eq!(cuda.set_current(1), Err(INVALID_CONTEXT));
    cuda.set_current(0).unwrap();
    assert_eq!(cuda.synchronize(), Err(INVALID_CONTEXT));
}

#[test]
fn contexts_are_a_stack() {
    let cuda = Cuda::with(Configuration { devices: 2, ..Configuration::default() });
    let other = cuda.retain(1).unwrap();
    call!(cuda, "cuCtxPushCurrent_v2"(other => Handle)).unwrap();
    let current = || {
        let mut context = 0;
        call!(cuda, "cuCtxGetCurrent"(&mut context => *mut Handle)).unwrap();
        context
    };
    assert_eq!(current(), other);
    let mut popped = 0;
    call!(cuda, "cuCtxPopCurrent_v2"(&mut popped => *mut Handle)).unwrap();
    assert_eq!((popped, current()), (other, cuda.context));
}

#[test]
fn what_belongs_to_a_context_goes_with_it() {
    let cuda = Cuda::new();
    let (address, stream) = (cuda.allocate(64).unwrap(), cuda.stream());
    cuda.release().unwrap();
    assert_eq!(cuda.free(address), Err(709));
    assert_eq!(cuda.release(), Err(INVALID_CONTEXT));
    assert_eq!(cuda.retain(0).unwrap(), cuda.context);
    assert_eq!(cuda.free(address), Err(INVALID_VALUE));
    assert_eq!(cuda.wait(stream), Err(INVALID_HANDLE));
}

#[test]
fn a_fault_stays_until_the_context_is_made_anew() {
    let cuda = Cuda::new();
    let address = cuda.words(&[0]);
    cuda.launch(cuda.kernel("outside"), 1, 1, &[address], LEGACY).unwrap();
    assert_eq!(cuda.synchronize(), Err(ILLEGAL_ADDRESS));
    assert_eq!(cuda.read(address, 4), Err(ILLEGAL_ADDRESS));
    assert_eq!(cuda.allocate(4), Err(ILLEGAL_ADDRESS));
    assert_eq!(cuda.free(address), Err(ILLEGAL_ADDRESS));
    assert_eq!(cuda.retain(0), Err(ILLEGAL_ADDRESS));
    let faults = cuda.control.report().faults;
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("outside: Bounds: PTX line "), "{faults:?}");

    cuda.reset().unwrap();
    assert_eq!(cuda.synchronize(), Err(709));
    cuda.retain(0).unwrap();
    assert_eq!(cuda.free(address), Err(INVALID_VALUE));
    let address = cuda.words(&[1]);
    cuda.launch(cuda.kernel("increment"), 1, 1, &[address], LEGACY).unwrap();
    assert_eq!(cuda.read_words(address, 1), Ok(vec![2]));
}

#[test]
fn other_devices_go_on() {
    let cuda = Cuda::with(Configuration { devices: 2, ..Configuration::default() });
    let address = cuda.words(&[0]);
    cuda.launch(cuda.kernel("outside"), 1, 1, &[address], LEGACY).unwrap();
    assert_eq!(cuda.synchronize(), Err(ILLEGAL_ADDRESS));
    cuda.set_current(cuda.retain(1).unwrap()).unwrap();
    cuda.synchronize().unwrap();
}

#[test]
fn a_lost_device_can_be_away_for_a_while() {
    let cuda = Cuda::new();
    cuda.control.plan(FaultPlan { lose: Some((1, 214)), refused_retains: 2, ..FaultPlan::default() });
    let kernel = cuda.kernel("wide");
    cuda.launch(kernel, 1, 64, &[], LEGACY).unwrap();
    cuda.synchronize().unwrap();
    cuda.launch(kernel, 1, 64, &[], LEGACY).unwrap();
    assert_eq!(cuda.synchronize(), Err(214));
    cuda.reset().unwrap();
    assert_eq!(cuda.retain(0), Err(46));
    assert_eq!(cuda.retain(0), Err(46));
    cuda.retain(0).unwrap();
    cuda.synchronize().unwrap();
}

#[test]
fn a_context_that_ends_too_early_is_told() {
    let cuda = Cuda::new();
    let address = cuda.allocate(4).unwrap();
    cuda.set_words(address, 1, 1, LEGACY).unwrap();
    cuda.reset().unwrap();
    let problems = cuda.control.report().problems;
    assert_eq!(problems, ["a context ends while 1 pieces of work are not done"]);
}

#[test]
fn the_state_is_told() {
    let cuda = Cuda::new();
    let state = || {
        let (mut flags, mut active) = (0, 0);
        call!(cuda, "cuDevicePrimaryCtxGetState"(0 => c_int, &mut flags => *mut u32, &mut active => *mut c_int)).unwrap();
        (flags, active)
    };
    call!(cuda, "cuDevicePrimaryCtxSetFlags_v2"(0 => c_int, 4 => u32)).unwrap();
    assert_eq!(state(), (4, 1));
    cuda.release().unwrap();
    assert_eq!(state(), (4, 0));
}

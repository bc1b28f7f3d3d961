//! Pinned memory.

use crate::call;
use crate::cuda::{Cuda, INVALID_VALUE, LEGACY, bytes};

#[test]
fn what_is_pinned_is_read_when_its_turn_comes() {
    let cuda = Cuda::new();
    let (address, stream, staging) = (cuda.words(&[0]), cuda.stream(), cuda.pinned(4).unwrap());
    staging.copy_from_slice(&bytes(&[1]));
    cuda.upload(address, staging, stream).unwrap();
    // Too early: the copy has not been made.
    staging.copy_from_slice(&bytes(&[2]));
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.read_words(address, 1), Ok(vec![2]));
}

#[test]
fn what_nobody_waited_for_has_not_come() {
    let cuda = Cuda::new();
    let (address, stream, staging) = (cuda.words(&[7]), cuda.stream(), cuda.pinned(4).unwrap());
    assert_eq!(staging, [0xA5; 4]);
    cuda.download(staging, address, stream).unwrap();
    assert_eq!(staging, [0xA5; 4]);
    cuda.wait(stream).unwrap();
    assert_eq!(staging, [7, 0, 0, 0]);
}

#[test]
fn memory_that_is_freed_too_early_is_told() {
    let cuda = Cuda::new();
    let (address, stream, staging) = (cuda.words(&[0]), cuda.stream(), cuda.pinned(4).unwrap());
    staging.copy_from_slice(&bytes(&[3]));
    cuda.upload(address, staging, stream).unwrap();
    let start = staging.as_mut_ptr();
    call!(cuda, "cuMemFreeHost"(start => *mut u8)).unwrap();
    assert_eq!(call!(cuda, "cuMemFreeHost"(start => *mut u8)), Err(INVALID_VALUE));
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.read_words(address, 1), Ok(vec![3]));
    assert_eq!(cuda.control.report().problems.len(), 1);
}

#[test]
fn memory_of_the_caller_can_be_pinned() {
    let cuda = Cuda::new();
    let (address, stream, mut own) = (cuda.words(&[0]), cuda.stream(), bytes(&[1]));
    let start = own.as_mut_ptr();
    let register = || call!(cuda, "cuMemHostRegister_v2"(start => *mut u8, 4 => usize, 0 => u32));
    let unregister = || call!(cuda, "cuMemHostUnregister"(start => *mut u8));
    register().unwrap();
    assert_eq!(register(), Err(712));
    cuda.upload(address, &own, stream).unwrap();
    own.copy_from_slice(&bytes(&[2]));
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.read_words(address, 1), Ok(vec![2]));
    unregister().unwrap();
    assert_eq!(unregister(), Err(713));
}

#[test]
fn kernels_reach_pinned_memory() {
    let cuda = Cuda::new();
    let staging = cuda.pinned(8).unwrap();
    staging.copy_from_slice(&bytes(&[41, 5]));
    let (start, mut address) = (staging.as_mut_ptr(), 0);
    call!(cuda, "cuMemHostGetDevicePointer_v2"(&mut address => *mut u64, start => *mut u8, 0 => u32))
        .unwrap();
    cuda.launch(cuda.kernel("increment"), 1, 1, &[address], LEGACY).unwrap();
    cuda.synchronize().unwrap();
    assert_eq!(staging, bytes(&[42, 5]));
}

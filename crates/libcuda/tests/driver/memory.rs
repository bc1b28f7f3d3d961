//! Memory of the device, copies and fills.

use crate::call;
use crate::cuda::{Cuda, INVALID_VALUE, LEGACY, OUT_OF_MEMORY, bytes};
use vyre_libcuda::{Configuration, FaultPlan};

#[test]
fn bytes_go_there_and_back() {
    let cuda = Cuda::new();
    let address = cuda.allocate(1000).unwrap();
    let data: Vec<u8> = (0..1000u32).map(|index| (index * 7) as u8).collect();
    cuda.write(address, &data).unwrap();
    assert_eq!(cuda.read(address, 1000).unwrap(), data);
    assert_eq!(cuda.read(address + 10, 20).unwrap(), data[10..30]);
}

#[test]
fn new_memory_is_garbage() {
    let cuda = Cuda::new();
    let address = cuda.allocate(16).unwrap();
    assert_eq!(cuda.read(address, 16).unwrap(), [0xA5; 16]);
}

#[test]
fn copies_must_stay_in_one_allocation() {
    let cuda = Cuda::new();
    let address = cuda.allocate(16).unwrap();
    assert_eq!(cuda.write(address, &[0; 17]), Err(INVALID_VALUE));
    assert_eq!(cuda.read(address + 8, 9), Err(INVALID_VALUE));
    assert_eq!(cuda.write(0, &[0; 4]), Err(INVALID_VALUE));
    assert_eq!(cuda.set_words(address, 0, 5, LEGACY), Err(INVALID_VALUE));
    assert_eq!(cuda.set_words(address + 2, 0, 1, LEGACY), Err(INVALID_VALUE));
    cuda.write(address + 16, &[]).unwrap();
}

#[test]
fn memory_is_freed_once() {
    let cuda = Cuda::new();
    let address = cuda.allocate(16).unwrap();
    assert_eq!(cuda.free(address + 8), Err(INVALID_VALUE));
    cuda.free(address).unwrap();
    assert_eq!(cuda.free(address), Err(INVALID_VALUE));
    assert_eq!(cuda.read(address, 4), Err(INVALID_VALUE));
    cuda.free(0).unwrap();
    assert_ne!(cuda.allocate(16).unwrap(), address);
}

#[test]
fn there_is_an_end_of_memory() {
    let cuda = Cuda::with(Configuration { memory_bytes: 1 << 20, ..Configuration::default() });
    assert_eq!(cuda.allocate(0), Err(INVALID_VALUE));
    assert_eq!(cuda.allocate((1 << 20) + 1), Err(OUT_OF_MEMORY));
    let half = cuda.allocate(1 << 19).unwrap();
    assert_eq!(cuda.free_bytes(), 1 << 19);
    cuda.allocate(1 << 18).unwrap();
    assert_eq!(cuda.allocate(1 << 19), Err(OUT_OF_MEMORY));
    cuda.free(half).unwrap();
    cuda.allocate(1 << 19).unwrap();
    assert_eq!(cuda.allocate(usize::MAX), Err(OUT_OF_MEMORY));
}

#[test]
fn memory_ends_when_a_plan_says_so() {
    let cuda = Cuda::new();
    cuda.control.plan(FaultPlan { out_of_memory: Some(1), ..FaultPlan::default() });
    cuda.allocate(4).unwrap();
    assert_eq!(cuda.allocate(4), Err(OUT_OF_MEMORY));
    cuda.allocate(4).unwrap();
}

#[test]
fn fills_and_copies_follow_each_other() {
    let cuda = Cuda::new();
    let (first, second) = (cuda.words(&[1, 2, 3, 4]), cuda.words(&[0; 4]));
    cuda.set_words(first + 4, 0x0102_0304, 2, LEGACY).unwrap();
    call!(cuda, "cuMemcpyDtoDAsync_v2"(second => u64, first => u64, 16 => usize, 0 => usize)).unwrap();
    call!(cuda, "cuMemsetD8Async"(second + 15 => u64, 9 => u8, 1 => usize, 0 => usize)).unwrap();
    assert_eq!(cuda.read_words(second, 4), Ok(vec![1, 0x0102_0304, 0x0102_0304, 0x0900_0004]));
}

#[test]
fn what_is_not_pinned_is_taken_at_once() {
    let cuda = Cuda::new();
    let address = cuda.words(&[0]);
    let mut data = bytes(&[5]);
    cuda.upload(address, &data, LEGACY).unwrap();
    data.fill(0xFF);
    assert_eq!(cuda.read_words(address, 1), Ok(vec![5]));
    let mut back = [0; 4];
    cuda.download(&mut back, address, LEGACY).unwrap();
    assert_eq!(back, [5, 0, 0, 0]);
}

//! Memory in the order of streams.

use crate::call;
use crate::cuda::{Cuda, Handle, ILLEGAL_ADDRESS, INVALID_VALUE, OUT_OF_MEMORY, Result};
use std::ffi::c_int;
use vyre_libcuda::Configuration;

fn allocate(cuda: &Cuda, bytes: usize, stream: Handle) -> Result<u64> {
    let mut address = 0;
    call!(cuda, "cuMemAllocAsync"(&mut address => *mut u64, bytes => usize, stream => Handle))?;
    Ok(address)
}

fn free(cuda: &Cuda, address: u64, stream: Handle) -> Result<()> {
    call!(cuda, "cuMemFreeAsync"(address => u64, stream => Handle))
}

fn default_pool(cuda: &Cuda) -> Handle {
    let mut pool = 0;
    call!(cuda, "cuDeviceGetDefaultMemPool"(&mut pool => *mut Handle, 0 => c_int)).unwrap();
    pool
}

fn get(cuda: &Cuda, pool: Handle, attribute: c_int) -> u64 {
    let mut value = 0;
    call!(cuda, "cuMemPoolGetAttribute"(pool => Handle, attribute => c_int, &mut value => *mut u64)).unwrap();
    value
}

#[test]
fn memory_is_free_when_the_stream_comes_to_it() {
    let cuda = Cuda::new();
    let stream = cuda.stream();
    let address = allocate(&cuda, 4, stream).unwrap();
    cuda.set_words(address, 1, 1, stream).unwrap();
    free(&cuda, address, stream).unwrap();
    assert_eq!(free(&cuda, address, stream), Err(INVALID_VALUE));
    assert_eq!(cuda.control.report().live("allocations"), 1);
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.control.report().live("allocations"), 0);
    assert_eq!(cuda.read(address, 4), Err(INVALID_VALUE));
}

#[test]
fn memory_that_another_stream_frees_first_is_found_by_some_order() {
    let outcomes: Vec<_> = (0..8)
        .map(|seed| {
            let cuda = Cuda::with(Configuration { seed, ..Configuration::default() });
            let (first, second) = (cuda.stream(), cuda.stream());
            let address = allocate(&cuda, 4, first).unwrap();
            cuda.set_words(address, 1, 1, second).unwrap();
            free(&cuda, address, first).unwrap();
            cuda.synchronize()
        })
        .collect();
    assert!(outcomes.contains(&Ok(())) && outcomes.contains(&Err(ILLEGAL_ADDRESS)), "{outcomes:?}");
}

#[test]
fn memory_that_is_to_be_freed_makes_room() {
    let cuda = Cuda::with(Configuration { memory_bytes: 4096, ..Configuration::default() });
    let stream = cuda.stream();
    let address = allocate(&cuda, 4096, stream).unwrap();
    assert_eq!(allocate(&cuda, 512, stream), Err(OUT_OF_MEMORY));
    free(&cuda, address, stream).unwrap();
    allocate(&cuda, 4096, stream).unwrap();
}

#[test]
fn pools_keep_what_they_are_told_to() {
    let cuda = Cuda::with(Configuration { memory_bytes: 1 << 20, ..Configuration::default() });
    let (pool, stream, mut threshold) = (default_pool(&cuda), cuda.stream(), u64::MAX);
    call!(cuda, "cuMemPoolSetAttribute"(pool => Handle, 4 => c_int, &mut threshold => *mut u64)).unwrap();
    let address = allocate(&cuda, 4096, stream).unwrap();
    assert_eq!([5, 7].map(|attribute| get(&cuda, pool, attribute)), [4096, 4096]);
    free(&cuda, address, stream).unwrap();
    cuda.wait(stream).unwrap();
    assert_eq!([5, 7, 8].map(|attribute| get(&cuda, pool, attribute)), [4096, 0, 4096]);
    assert_eq!(cuda.free_bytes(), (1 << 20) - 4096);
    call!(cuda, "cuMemPoolTrimTo"(pool => Handle, 0 => usize)).unwrap();
    assert_eq!(cuda.free_bytes(), 1 << 20);
}

#[test]
fn callers_have_pools_of_their_own() {
    let cuda = Cuda::new();
    let (mut pool, stream, mut address) = (0, cuda.stream(), 0);
    // A CUmemPoolProps: pinned, no handles, on a device, number 0, and nothing more.
    let mut properties = [0u8; 88];
    (properties[0], properties[8]) = (1, 1);
    call!(cuda, "cuMemPoolCreate"(&mut pool => *mut Handle, properties.as_ptr() => *const u8)).unwrap();
    call!(cuda, "cuMemAllocFromPoolAsync"(
        &mut address => *mut u64, 100 => usize, pool => Handle, stream => Handle
    ))
    .unwrap();
    assert_eq!([pool, default_pool(&cuda)].map(|pool| get(&cuda, pool, 7)), [512, 0]);
    assert_eq!(cuda.control.report().live("pools"), 1);
    free(&cuda, address, stream).unwrap();
    cuda.wait(stream).unwrap();
    call!(cuda, "cuMemPoolDestroy"(pool => Handle)).unwrap();
    assert_eq!(call!(cuda, "cuMemPoolDestroy"(pool => Handle)), Err(INVALID_VALUE));
}

#[test]
fn a_device_can_be_without_pools() {
    let cuda = Cuda::with(Configuration { memory_pools: false, ..Configuration::default() });
    assert_eq!(cuda.attribute(115), Ok(0));
    assert_eq!(allocate(&cuda, 4, cuda.stream()), Err(801));
}

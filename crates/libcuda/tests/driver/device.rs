//! What devices there are, and what they say.

use crate::call;
use crate::cuda::{Cuda, Result};
use std::ffi::{CStr, c_char, c_int};
use vyre_libcuda::Configuration;

fn name(cuda: &Cuda, device: c_int, room: usize) -> Result<String> {
    let mut text: Vec<c_char> = vec![1; room];
    let (start, room) = (text.as_mut_ptr(), room as c_int);
    call!(cuda, "cuDeviceGetName"(start => *mut c_char, room => c_int, device => c_int))?;
    // SAFETY: the driver ends it with NUL.
    Ok(unsafe { CStr::from_ptr(text.as_ptr()) }.to_str().unwrap().to_owned())
}

#[test]
fn devices_have_numbers_and_names() {
    let cuda = Cuda::with(Configuration { devices: 2, name: "Card".into(), ..Configuration::default() });
    let mut count = 0;
    call!(cuda, "cuDeviceGetCount"(&mut count => *mut c_int)).unwrap();
    assert_eq!(count, 2);
    let mut device = -1;
    assert_eq!(call!(cuda, "cuDeviceGet"(&mut device => *mut c_int, 2 => c_int)), Err(101));
    call!(cuda, "cuDeviceGet"(&mut device => *mut c_int, 1 => c_int)).unwrap();
    assert_eq!(name(&cuda, device, 100).unwrap(), "Card 1");
    assert_eq!(name(&cuda, device, 5).unwrap(), "Card");
}

#[test]
fn attributes_are_those_of_the_capability() {
    for (capability, expected) in [
        // Threads and blocks of a multiprocessor, shared memory of a block that asks for it.
        ((7, 0), [7, 0, 2048, 32, 98304]),
        ((7, 5), [7, 5, 1024, 16, 65536]),
        ((8, 0), [8, 0, 2048, 32, 166912]),
        ((8, 6), [8, 6, 1536, 16, 101376]),
        ((8, 9), [8, 9, 1536, 24, 101376]),
        ((9, 0), [9, 0, 2048, 32, 232448]),
        ((12, 0), [12, 0, 1536, 24, 101376]),
    ] {
        let cuda = Cuda::with(Configuration { compute_capability: capability, ..Configuration::default() });
        assert_eq!([75, 76, 39, 106, 97].map(|attribute| cuda.attribute(attribute).unwrap()), expected);
        assert_eq!(
            [1, 2, 3, 4, 8, 10, 12].map(|attribute| cuda.attribute(attribute).unwrap()),
            [1024, 1024, 1024, 64, 49152, 32, 65536]
        );
    }
}

#[test]
fn a_driver_without_devices_does_not_begin() {
    let cuda = Cuda::bare(Configuration { devices: 0, ..Configuration::default() });
    assert_eq!(cuda.init(), Err(100));
}

#[test]
fn functions_are_found_by_name() {
    let missing = vec!["cuMemAllocAsync".to_owned()];
    let cuda = Cuda::with(Configuration { missing, ..Configuration::default() });
    let find = |name: &CStr| {
        let (mut address, mut status) = (1, -1);
        let done = call!(cuda, "cuGetProcAddress_v2"(
            name.as_ptr() => *const c_char, &mut address => *mut usize, 12000 => c_int, 0 => u64,
            &mut status => *mut c_int
        ));
        (done, address != 0, status)
    };
    assert_eq!(find(c"cuMemAlloc"), (Ok(()), true, 0));
    assert_eq!(find(c"cuMemAlloc_v2"), (Ok(()), true, 0));
    assert_eq!(find(c"cuMemAllocAsync"), (Err(500), false, 1));
    assert_eq!(find(c"cuNothing"), (Err(500), false, 1));
    let mut address = 0;
    let called = call!(cuda, "cuMemAllocAsync"(&mut address => *mut u64, 4 => usize, 0 => usize));
    assert_eq!(called, Err(801));
}

#[test]
fn errors_have_names() {
    let cuda = Cuda::new();
    for (code, expected) in
        [(0, "CUDA_SUCCESS"), (2, "CUDA_ERROR_OUT_OF_MEMORY"), (700, "CUDA_ERROR_ILLEGAL_ADDRESS")]
    {
        let mut text = std::ptr::null();
        call!(cuda, "cuGetErrorName"(code => c_int, &mut text => *mut *const c_char)).unwrap();
        // SAFETY: the driver's texts end with NUL.
        assert_eq!(unsafe { CStr::from_ptr(text) }.to_str(), Ok(expected));
    }
    let mut text = std::ptr::null();
    assert_eq!(call!(cuda, "cuGetErrorName"(12345 => c_int, &mut text => *mut *const c_char)), Err(1));
    assert!(text.is_null());
}

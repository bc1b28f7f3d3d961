//! Launches, and those that are refused.

use crate::call;
use crate::cuda::{Cuda, Handle, ILLEGAL_ADDRESS, INVALID_VALUE, LEGACY};
use std::ffi::c_int;
use vyre_libcuda::{Configuration, FaultPlan};

const COOPERATIVE: &str = "cuLaunchCooperativeKernel";

#[test]
fn a_kernel_does_its_work() {
    let cuda = Cuda::new();
    let address = cuda.words(&[0; 100]);
    cuda.launch(cuda.kernel("fill"), 4, 32, &[address, 98, 7], LEGACY).unwrap();
    let words = cuda.read_words(address, 100).unwrap();
    assert_eq!(words[..98], [7; 98]);
    assert_eq!(words[98..], [0; 2]);
    assert!(cuda.control.report().faults.is_empty());
}

#[test]
fn parameters_are_taken_when_it_is_launched() {
    let cuda = Cuda::new();
    let (address, fill) = (cuda.words(&[0; 4]), cuda.kernel("fill"));
    let mut params = vec![address, 4, 1];
    cuda.launch(fill, 1, 4, &params, LEGACY).unwrap();
    params.clear();
    assert_eq!(cuda.read_words(address, 4), Ok(vec![1; 4]));
}

#[test]
fn parameters_can_come_as_a_block() {
    let cuda = Cuda::new();
    let (address, fill) = (cuda.words(&[0; 4]), cuda.kernel("fill"));
    let mut block = address.to_le_bytes().to_vec();
    block.extend([4, 0, 0, 0, 9, 0, 0, 0]);
    let launch = |size: usize| {
        let extra = [1, block.as_ptr() as usize, 2, &size as *const usize as usize, 0];
        call!(cuda, "cuLaunchKernel"(
            fill => Handle, 1 => u32, 1 => u32, 1 => u32, 4 => u32, 1 => u32, 1 => u32, 0 => u32, 0 => Handle,
            0 => usize, extra.as_ptr() => *const usize
        ))
    };
    assert_eq!(launch(12), Err(INVALID_VALUE));
    launch(16).unwrap();
    assert_eq!(cuda.read_words(address, 4), Ok(vec![9; 4]));
}

#[test]
fn sizes_have_limits() {
    let cuda = Cuda::new();
    let (wide, fill) = (cuda.kernel("wide"), cuda.kernel("fill"));
    let params = [cuda.words(&[0]), 1, 1];
    assert_eq!(cuda.launch(fill, 0, 1, &params, LEGACY), Err(INVALID_VALUE));
    assert_eq!(cuda.launch(fill, 1, 1025, &params, LEGACY), Err(INVALID_VALUE));
    cuda.launch(fill, 1, 1024, &params, LEGACY).unwrap();
    assert_eq!(cuda.launch(wide, 1, 32, &[], LEGACY), Err(INVALID_VALUE));
    cuda.launch(wide, 1, 64, &[], LEGACY).unwrap();
    cuda.synchronize().unwrap();
}

#[test]
fn shared_memory_has_limits() {
    let cuda = Cuda::new();
    let (wide, large) = (cuda.kernel("wide"), cuda.kernel("large"));
    let launch = |function, block, shared| {
        cuda.launch_with("cuLaunchKernel", function, [1, block, shared], &[], LEGACY)
    };
    let allow =
        |function, bytes| call!(cuda, "cuFuncSetAttribute"(function => Handle, 8 => c_int, bytes => c_int));
    launch(wide, 64, 49152).unwrap();
    assert_eq!(launch(wide, 64, 49153), Err(INVALID_VALUE));
    assert_eq!(launch(large, 1, 8193), Err(INVALID_VALUE));
    allow(wide, 232448).unwrap();
    assert_eq!(allow(wide, 232449), Err(INVALID_VALUE));
    launch(wide, 64, 232448).unwrap();
    assert_eq!(allow(large, 232448), Err(INVALID_VALUE));
    allow(large, 232448 - 40960).unwrap();
    cuda.synchronize().unwrap();
}

#[test]
fn registers_have_limits() {
    let cuda = Cuda::with(Configuration { registers_per_thread: 128, ..Configuration::default() });
    let (fill, params) = (cuda.kernel("fill"), [cuda.words(&[0]), 1, 1]);
    assert_eq!(cuda.launch(fill, 1, 1024, &params, LEGACY), Err(701));
    cuda.launch(fill, 1, 512, &params, LEGACY).unwrap();
    cuda.synchronize().unwrap();
}

#[test]
fn blocks_that_wait_must_be_there_at_once() {
    let cuda = Cuda::with(Configuration { multiprocessors: 2, ..Configuration::default() });
    let wide = cuda.kernel("wide");
    let mut blocks = 0;
    call!(cuda, "cuOccupancyMaxActiveBlocksPerMultiprocessor"(
        &mut blocks => *mut c_int, wide => Handle, 64 => c_int, 0 => usize
    ))
    .unwrap();
    // Threads: 2048 / 64. Registers: 65536 / (64 * 32). Both are 32, and so is the limit of blocks.
    assert_eq!(blocks, 32);
    cuda.launch_with(COOPERATIVE, wide, [64, 64, 0], &[], LEGACY).unwrap();
    assert_eq!(cuda.launch_with(COOPERATIVE, wide, [65, 64, 0], &[], LEGACY), Err(720));
    // Shared memory: 228 KiB / (48 KiB + 1 KiB for the system).
    cuda.launch_with(COOPERATIVE, wide, [8, 64, 49152], &[], LEGACY).unwrap();
    assert_eq!(cuda.launch_with(COOPERATIVE, wide, [9, 64, 49152], &[], LEGACY), Err(720));
    cuda.synchronize().unwrap();
}

#[test]
fn a_device_can_be_without_cooperative_launches() {
    let cuda = Cuda::with(Configuration { cooperative_launch: false, ..Configuration::default() });
    assert_eq!(cuda.attribute(95), Ok(0));
    assert_eq!(cuda.launch_with(COOPERATIVE, cuda.kernel("wide"), [1, 64, 0], &[], LEGACY), Err(801));
}

#[test]
fn the_best_size_of_a_block_is_found() {
    let cuda = Cuda::new();
    let (mut grid, mut block) = (0, 0);
    let fill = cuda.kernel("fill");
    call!(cuda, "cuOccupancyMaxPotentialBlockSize"(
        &mut grid => *mut c_int, &mut block => *mut c_int, fill => Handle, 0 => usize, 0 => usize, 0 => c_int
    ))
    .unwrap();
    assert_eq!((grid, block), (8, 1024));
}

#[test]
fn faults_are_those_of_hardware() {
    for (kernel, expected) in [("outside", ILLEGAL_ADDRESS), ("odd", 716), ("trap", 719)] {
        let cuda = Cuda::new();
        let params = [cuda.words(&[0])];
        cuda.launch(cuda.kernel(kernel), 1, 1, &params, LEGACY).unwrap();
        assert_eq!(cuda.synchronize(), Err(expected), "{kernel}");
        assert_eq!(cuda.control.report().faults.len(), 1);
    }
}

#[test]
fn a_kernel_that_goes_on_too_long_is_ended() {
    let cuda = Cuda::with(Configuration { step_limit: 1000, ..Configuration::default() });
    let text =
        ".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry spin() {\nAGAIN:\n bra AGAIN;\n}";
    let module = cuda.load(text).unwrap();
    let spin = cuda.function_of(module, "spin").unwrap();
    cuda.launch(spin, 1, 1, &[], LEGACY).unwrap();
    assert_eq!(cuda.synchronize(), Err(702));
}

#[test]
fn memory_that_was_never_written_is_found() {
    let cuda = Cuda::new();
    let address = cuda.allocate(4).unwrap();
    cuda.launch(cuda.kernel("increment"), 1, 1, &[address], LEGACY).unwrap();
    assert_eq!(cuda.synchronize(), Err(719));
}

#[test]
fn races_are_found_where_they_are_looked_for() {
    for (races, expected) in [(false, Ok(())), (true, Err(719))] {
        let cuda = Cuda::with(Configuration { races, ..Configuration::default() });
        let address = cuda.words(&[0]);
        cuda.launch(cuda.kernel("increment"), 1, 2, &[address], LEGACY).unwrap();
        assert_eq!(cuda.synchronize(), expected);
    }
}

#[test]
fn a_launch_can_be_held() {
    let cuda = Cuda::new();
    cuda.control.plan(FaultPlan { hold: Some(0), ..FaultPlan::default() });
    let (address, slow, quick) = (cuda.words(&[0, 0]), cuda.stream(), cuda.stream());
    let fill = cuda.kernel("fill");
    cuda.launch(fill, 1, 1, &[address, 1, 5], slow).unwrap();
    cuda.control.wait_held();
    cuda.launch(fill, 1, 1, &[address + 4, 1, 6], quick).unwrap();
    cuda.wait(quick).unwrap();
    assert_eq!(call!(cuda, "cuStreamQuery"(slow => Handle)), Err(600));
    cuda.control.release();
    cuda.wait(slow).unwrap();
    assert_eq!(cuda.read_words(address, 2), Ok(vec![5, 6]));
}

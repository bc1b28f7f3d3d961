//! Dispatching with borrowed inputs into outputs that are reused allocates nothing on the processor.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use vyre::{Device, DispatchConfig, Grid, Outputs};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is the system's; counting touches a thread-local number that has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SOURCE: &str = "
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(2) var<uniform> a: f32;
    @compute @workgroup_size(64)
    fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
        if id.x < arrayLength(&y) { y[id.x] = a * x[id.x] + y[id.x]; }
    }";

/// The fewest allocations of this thread by one of several dispatches over so many elements.
fn allocations(elements: usize) -> u64 {
    let program = vyre::import_wgsl("saxpy.wgsl", SOURCE).unwrap();
    let device = Device::open("cpu").unwrap();
    let config = DispatchConfig { grid: Grid::Infer, ..DispatchConfig::default() };
    let kernel = device.compile(&program, &config).unwrap();
    let (x, y) = (vec![1.0f32; elements], vec![0.5f32; elements]);
    let inputs = [vyre::bytes_of(&x), vyre::bytes_of(&y), vyre::bytes_of(&[2.0f32])];
    let mut outputs = Outputs::default();
    let mut fewest = u64::MAX;
    for _ in 0..20 {
        let before = ALLOCATIONS.get();
        kernel.dispatch_into(&inputs, &config, &mut outputs).unwrap();
        fewest = fewest.min(ALLOCATIONS.get() - before);
    }
    assert_eq!(outputs.get::<f32>(0).unwrap(), vec![2.5; elements]);
    fewest
}

#[test]
fn a_dispatch_of_one_workgroup_allocates_nothing() {
    assert_eq!(allocations(64), 0);
}

#[test]
fn a_dispatch_on_all_threads_allocates_nothing() {
    // Where another thread still looks at the job of the dispatch before, there is a new one.
    assert_eq!(allocations(1 << 16), 0);
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.get();
    std::hint::black_box(vec![1u8; 100]);
    assert_eq!(ALLOCATIONS.get() - before, 1);
}

//! Sizing a plan for a dispatch takes no memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use vyre_driver::BindingPlan;
use vyre_ir::text::parse;

/// Counts the requests of each thread.
struct Counting;

thread_local! {
    static REQUESTS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every request goes to the system's allocator unchanged, and counting it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.with(|requests| requests.set(requests.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn element_counts_allocate_nothing() {
    let text = "program p workgroup(64, 1, 1) {
      buffer xs: f32[] storage read @group(0) @binding(0)
      buffer settings: u32[2] uniform read @group(0) @binding(1)
      buffer ys: f32x4[] storage read_write @group(0) @binding(2)
    }";
    let plan = BindingPlan::build(&parse("p.vyre", text).unwrap()).unwrap();
    let (xs, settings, ys) = ([0; 400], [0; 8], [0; 64]);
    let mut counts = [0; 3];
    let before = REQUESTS.get();
    let result = plan.element_counts(&[&xs, &settings, &ys], &mut counts);
    let after = REQUESTS.get();
    assert!(result.is_ok());
    assert_eq!((counts, after - before), ([100, 2, 4], 0));
    assert!(before > 0, "requests are counted");
}

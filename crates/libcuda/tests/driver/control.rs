//! Plans, counters and what is left.

use crate::call;
use crate::cuda::{Cuda, Handle, KERNELS, LEGACY};
use vyre_libcuda::{Configuration, Failure, FaultPlan};

#[test]
fn calls_are_counted_and_fail_as_planned() {
    let cuda = Cuda::new();
    let failure = |function: &str, call, code| Failure { function: function.into(), call, code };
    let failures = vec![failure("cuMemAlloc_v2", 1, 2), failure("cuMemFree_v2", 0, 999)];
    cuda.control.plan(FaultPlan { failures, ..FaultPlan::default() });
    let address = cuda.allocate(4).unwrap();
    assert_eq!(cuda.allocate(4), Err(2));
    cuda.allocate(4).unwrap();
    assert_eq!(cuda.free(address), Err(999));
    cuda.free(address).unwrap();
    let report = cuda.control.report();
    assert_eq!(
        [report.calls("cuMemAlloc_v2"), report.calls("cuMemFree_v2"), report.calls("cuInit")],
        [3, 2, 0]
    );
    assert_eq!([report.live("allocations"), report.live("bytes")], [1, 4]);
}

#[test]
fn what_is_left_is_told() {
    let cuda = Cuda::new();
    let live = || cuda.control.report().live;
    assert_eq!(live(), [("contexts".to_owned(), 1)]);
    cuda.allocate(100).unwrap();
    cuda.pinned(10).unwrap();
    cuda.stream();
    cuda.event();
    cuda.event();
    cuda.load(KERNELS).unwrap();
    let expected = [
        ("allocations", 1),
        ("bytes", 100),
        ("host allocations", 1),
        ("streams", 1),
        ("events", 2),
        ("modules", 1),
        ("contexts", 1),
    ];
    assert_eq!(live(), expected.map(|(kind, count)| (kind.to_owned(), count)));
    cuda.release().unwrap();
    assert_eq!(live(), []);
}

#[test]
fn what_was_made_before_a_reset_is_gone() {
    let cuda = Cuda::new();
    let (stream, address) = (cuda.stream(), cuda.allocate(4).unwrap());
    cuda.set_words(address, 1, 1, stream).unwrap();
    cuda.control.reset(FaultPlan::default());
    assert_eq!(cuda.synchronize(), Err(201));
    cuda.set_current(cuda.retain(0).unwrap()).unwrap();
    assert_eq!(cuda.wait(stream), Err(400));
    assert_eq!(cuda.free(address), Err(1));
    cuda.wait(LEGACY).unwrap();
}

#[test]
fn a_reset_ends_what_runs() {
    let cuda = Cuda::new();
    let text =
        ".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry spin() {\nAGAIN:\n bra AGAIN;\n}";
    let spin = cuda.function_of(cuda.load(text).unwrap(), "spin").unwrap();
    cuda.launch(spin, 1, 1, &[], LEGACY).unwrap();
    assert_eq!(call!(cuda, "cuStreamQuery"(LEGACY => Handle)), Err(600));
    cuda.control.reset(FaultPlan::default());
    assert_eq!(cuda.control.report().faults, [""; 0]);
}

#[test]
fn a_setup_is_text_and_back() {
    // What was set arrives on the other side of the library's border.
    let configuration = Configuration {
        name: "A name: with = signs".into(),
        memory_bytes: 12345678,
        multiprocessors: 77,
        ..Configuration::default()
    };
    let cuda = Cuda::with(configuration);
    assert_eq!(cuda.attribute(16), Ok(77));
    assert_eq!(cuda.free_bytes(), 12345678);
}

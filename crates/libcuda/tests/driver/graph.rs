//! Graphs.

use crate::call;
use crate::cuda::{Cuda, Handle, INVALID_VALUE, Result};
use std::collections::BTreeSet;
use vyre_libcuda::Configuration;

/// `CUDA_KERNEL_NODE_PARAMS`, its second version.
#[repr(C)]
struct KernelNode {
    function: Handle,
    grid: [u32; 3],
    block: [u32; 3],
    shared: u32,
    params: *const *const u64,
    rest: [usize; 3],
}

/// Calls with a node of one block of one thread.
fn with_node<T>(function: Handle, params: &[u64], action: impl FnOnce(&KernelNode) -> T) -> T {
    let pointers: Vec<*const u64> = params.iter().map(|param| param as *const u64).collect();
    let params = pointers.as_ptr();
    action(&KernelNode { function, grid: [1; 3], block: [1; 3], shared: 0, params, rest: [0; 3] })
}

fn add(cuda: &Cuda, graph: Handle, after: &[Handle], function: Handle, params: &[u64]) -> Result<Handle> {
    let mut node = 0;
    with_node(function, params, |given| {
        call!(cuda, "cuGraphAddKernelNode_v2"(
            &mut node => *mut Handle, graph => Handle, after.as_ptr() => *const Handle, after.len() => usize,
            given => *const KernelNode
        ))
    })?;
    Ok(node)
}

fn create(cuda: &Cuda) -> Handle {
    let mut graph = 0;
    call!(cuda, "cuGraphCreate"(&mut graph => *mut Handle, 0 => u32)).unwrap();
    graph
}

fn instantiate(cuda: &Cuda, graph: Handle) -> Handle {
    let mut executable = 0;
    call!(cuda, "cuGraphInstantiateWithFlags"(&mut executable => *mut Handle, graph => Handle, 0 => u64))
        .unwrap();
    executable
}

fn launch(cuda: &Cuda, executable: Handle, stream: Handle) -> Result<()> {
    call!(cuda, "cuGraphLaunch"(executable => Handle, stream => Handle))
}

#[test]
fn nodes_are_done_in_order_as_often_as_wanted() {
    let cuda = Cuda::new();
    let (address, stream, graph) = (cuda.words(&[0, 0]), cuda.stream(), create(&cuda));
    let module = cuda.load(crate::cuda::KERNELS).unwrap();
    let (fill, increment) =
        (cuda.function_of(module, "fill").unwrap(), cuda.function_of(module, "increment").unwrap());
    let first = add(&cuda, graph, &[], fill, &[address, 1, 10]).unwrap();
    let second = add(&cuda, graph, &[first], increment, &[address]).unwrap();
    add(&cuda, graph, &[second], increment, &[address + 4]).unwrap();
    let executable = instantiate(&cuda, graph);
    call!(cuda, "cuGraphDestroy"(graph => Handle)).unwrap();
    for _ in 0..3 {
        launch(&cuda, executable, stream).unwrap();
    }
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.read_words(address, 2), Ok(vec![11, 3]));

    // Other parameters hold for launches from then on.
    launch(&cuda, executable, stream).unwrap();
    with_node(fill, &[address, 1, 20], |given| {
        call!(cuda, "cuGraphExecKernelNodeSetParams_v2"(
            executable => Handle, first => Handle, given => *const KernelNode
        ))
    })
    .unwrap();
    let event = cuda.event();
    cuda.record(event, stream).unwrap();
    call!(cuda, "cuEventSynchronize"(event => Handle)).unwrap();
    assert_eq!(cuda.read_words(address, 2), Ok(vec![11, 4]));
    launch(&cuda, executable, stream).unwrap();
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.read_words(address, 2), Ok(vec![21, 5]));

    call!(cuda, "cuGraphExecDestroy"(executable => Handle)).unwrap();
    let report = cuda.control.report();
    assert_eq!([report.live("graphs"), report.live("executable graphs")], [0, 0]);
}

#[test]
fn nodes_without_order_come_in_any() {
    let value = |seed| {
        let cuda = Cuda::with(Configuration { seed, ..Configuration::default() });
        let (address, stream, graph) = (cuda.words(&[0]), cuda.stream(), create(&cuda));
        let fill = cuda.kernel("fill");
        add(&cuda, graph, &[], fill, &[address, 1, 1]).unwrap();
        add(&cuda, graph, &[], fill, &[address, 1, 2]).unwrap();
        launch(&cuda, instantiate(&cuda, graph), stream).unwrap();
        cuda.wait(stream).unwrap();
        cuda.read_words(address, 1).unwrap()[0]
    };
    assert_eq!((0..16).map(value).collect::<BTreeSet<u32>>(), BTreeSet::from([1, 2]));
}

#[test]
fn graphs_fill_and_copy() {
    let cuda = Cuda::new();
    let (source, target, stream, graph) =
        (cuda.words(&[0; 4]), cuda.words(&[0; 4]), cuda.stream(), create(&cuda));
    let (mut fill, mut copy) = (0, 0);
    // CUDA_MEMSET_NODE_PARAMS: address, pitch, value and bytes of a unit, width, height.
    let given: [u64; 5] = [source + 4, 0, 3 | 4 << 32, 2, 1];
    call!(cuda, "cuGraphAddMemsetNode"(
        &mut fill => *mut Handle, graph => Handle, 0 => usize, 0 => usize, given.as_ptr() => *const u64, 0 => usize
    ))
    .unwrap();
    // CUDA_MEMCPY3D: for each side four numbers, the kind, host, device, array, nothing, pitch, height; then the size.
    let side = |address| [0, 0, 0, 0, 2, 0, address, 0, 0, 0, 0];
    let mut given = [side(source), side(target)].concat();
    given.extend([16, 1, 1]);
    call!(cuda, "cuGraphAddMemcpyNode"(
        &mut copy => *mut Handle, graph => Handle, &fill => *const Handle, 1 => usize, given.as_ptr() => *const u64,
        0 => usize
    ))
    .unwrap();
    launch(&cuda, instantiate(&cuda, graph), stream).unwrap();
    cuda.wait(stream).unwrap();
    assert_eq!(cuda.read_words(target, 4), Ok(vec![0, 3, 3, 0]));
}

#[test]
fn nodes_are_checked() {
    let cuda = Cuda::new();
    let (graph, other) = (create(&cuda), create(&cuda));
    let wide = cuda.kernel("wide");
    assert_eq!(add(&cuda, graph, &[], wide, &[]), Err(INVALID_VALUE));
    let increment = cuda.kernel("increment");
    let node = add(&cuda, graph, &[], increment, &[0]).unwrap();
    assert_eq!(add(&cuda, other, &[node], increment, &[0]), Err(INVALID_VALUE));
}

#[test]
fn a_device_can_be_without_graphs() {
    let cuda = Cuda::with(Configuration { graphs: false, ..Configuration::default() });
    let mut graph = 0;
    assert_eq!(call!(cuda, "cuGraphCreate"(&mut graph => *mut Handle, 0 => u32)), Err(801));
}

//! The interpreter through the driver: linked, found by id, run by the one dispatch path.

use std::time::Duration;
use vyre_driver::{AcquirePolicy, BackendError, Device, DispatchConfig, Grid, explain_selection};
use vyre_ir::{Access, BufferDecl, Builder, Memory, Op, Program, Scalar};

/// `data[i] += 1` at `data[i] % 4 == 0`, then a loop that never ends if `endless`.
fn program(endless: bool) -> Program {
    let mut b = Builder::new("test", [4, 1, 1]);
    let data = b.buffer(BufferDecl {
        name: "data".into(),
        group: 0,
        binding: 0,
        memory: Memory::Storage,
        access: Access::ReadWrite,
        element: Scalar::U32.into(),
        count: 0,
        ..BufferDecl::default()
    });
    let (i, one) = (b.axis(Op::GlobalId, 0), b.u32(1));
    b.atomic(Op::AtomicAdd, data, i, one);
    b.loop_(&[], |b, _| vec![b.bool(endless)]);
    b.finish()
}

#[test]
fn runs_by_name_and_is_never_chosen() {
    let device = Device::open(vyre_reference::ID).unwrap();
    let compiled = device.compile(&program(false), &DispatchConfig::default()).unwrap();
    let input: Vec<u8> = [5u32, 6, 7, 8, 9].into_iter().flat_map(u32::to_le_bytes).collect();
    let outputs = compiled.dispatch(&[&input], &DispatchConfig::default()).unwrap();
    assert_eq!(outputs.workgroups, [2, 1, 1]);
    assert_eq!(outputs.get::<u32>(0).unwrap(), [6, 7, 8, 9, 10]);
    let candidates = explain_selection(&AcquirePolicy::any()).unwrap();
    let oracle = candidates.iter().find(|c| c.id == vyre_reference::ID).unwrap();
    assert_eq!((oracle.place, oracle.open_ns), (None, None));
    // What the probe says is what the device says.
    assert_eq!(oracle.profile.as_ref(), Some(device.profile()));
}

#[test]
fn a_timeout_ends_an_endless_loop() {
    let device = Device::open(vyre_reference::ID).unwrap();
    let timeout = Some(Duration::from_millis(20));
    let config = DispatchConfig { grid: Grid::Workgroups([1, 1, 1]), timeout, ..DispatchConfig::default() };
    let compiled = device.compile(&program(true), &config).unwrap();
    let error = compiled.dispatch(&[&[0; 16]], &config).err().unwrap();
    assert!(matches!(error, BackendError::Timeout { seconds, stopped: true } if seconds == 0.02), "{error}");
}

//! The promise that no access is out of bounds: it reaches the backend, and nothing else changes.

mod null;

use null::*;
use vyre_driver::*;
use vyre_null::{FaultPlan, NullOptions};

fn unchecked() -> DispatchConfig {
    DispatchConfig { unchecked: true, ..DispatchConfig::default() }
}

#[test]
fn the_backend_is_told() {
    let (device, log) = null(NullOptions::default(), FaultPlan::default());
    let mut mark = 0;
    device.compile(&twice(), &DispatchConfig::default()).unwrap();
    assert_eq!(log.since(&mut mark), ["compile twice"]);
    let compiled = device.compile(&twice(), &unchecked()).unwrap();
    assert_eq!(log.since(&mut mark), ["compile twice unchecked"], "other code than without");
    let outputs = compiled.dispatch(&[&bytes(&[1, 2, 3])], &unchecked()).unwrap();
    assert_eq!(words(&outputs.buffers[0]), [3, 5, 7]);
}

#[test]
fn code_with_checks_is_not_run_without() {
    let (device, _) = null(NullOptions::default(), FaultPlan::default());
    let compiled = device.compile(&twice(), &DispatchConfig::default()).unwrap();
    let error = compiled.dispatch(&[&bytes(&[1])], &unchecked()).err().unwrap();
    assert_eq!(error.code(), "D027", "{error}");
}

#[test]
fn it_contradicts_checked_mode() {
    let (device, log) = null(NullOptions::default(), FaultPlan::default());
    let both = DispatchConfig { checked: true, ..unchecked() };
    for error in [device.compile(&twice(), &both).err(), device.prepare(&twice(), &both).err()] {
        assert_eq!(error.unwrap().code(), "D041");
    }
    assert!(log.calls().is_empty());
}

//! The whole suite, row by row, on the backends whose floats are exact, and on every device of the others.

use vyre::Device;
use vyre_conformance::devices::devices;
use vyre_conformance::rows::Verdict;
use vyre_conformance::suite::lacks;
use vyre_conformance::table::table;

fn check(id: &str) {
    let device = Device::open(id).unwrap();
    let table = table(&device, &mut |_, _| ());
    for row in &table.rows {
        let right = matches!(row.verdict, Verdict::Exact | Verdict::Passed(1..));
        assert!(right, "{} {}: {:?}", row.op.name(), row.types, row.verdict);
    }
    assert!(table.rows.len() > 500, "{} rows", table.rows.len());
}

/// Within the bounds, or refused by the name of what the device lacks.
#[test]
fn every_device_of_wgpu() {
    for name in devices("wgpu") {
        let table = table(&Device::open(&name).unwrap(), &mut |_, _| ());
        for row in &table.rows {
            let right = match &row.verdict {
                Verdict::Exact | Verdict::Near { .. } | Verdict::Passed(1..) => true,
                Verdict::Unsupported(why) => lacks(why).is_some(),
                _ => false,
            };
            assert!(right, "{name}: {} {}: {:?}", row.op.name(), row.types, row.verdict);
        }
    }
}

#[test]
fn the_processor_has_every_row() {
    check("cpu");
}

#[test]
fn the_oracle_has_every_row() {
    check("cpu-ref");
}

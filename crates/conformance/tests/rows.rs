//! The whole suite, row by row, on the backends whose floats are exact.

use vyre::Device;
use vyre_conformance::rows::Verdict;
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

#[test]
fn the_processor_has_every_row() {
    check("cpu");
}

#[test]
fn the_oracle_has_every_row() {
    check("cpu-ref");
}

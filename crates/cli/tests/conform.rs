//! `vyre conform` as a command, far from the source tree.

use serde_json::Value;
use std::process::{Command, Output};

fn conform(args: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    command.arg("conform").args(args.split_whitespace()).current_dir(folder.path());
    command.env_remove("VYRE_THREADS").output().unwrap()
}

#[test]
fn a_table_of_operations_by_devices() {
    let output = conform("--backend cpu --backend cpu-ref --backend cpu");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]), "{text}");
    let words = |name: &str| {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("{name}: {text}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words("operation"), "operation types cpu cpu-ref");
    assert_eq!(words("add"), "add all exact exact");
    assert_eq!(words("convert"), "convert all exact exact");
    assert!(words("workgroup_barrier").ends_with("programs"), "{text}");
    assert!(!text.contains("WRONG") && text.matches("nothing is wrong").count() == 2, "{text}");
}

#[test]
fn everything_as_json() {
    let output = conform("--backend cpu --json");
    assert_eq!(output.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [device] = &document["devices"].as_array().unwrap()[..] else { panic!("{document}") };
    assert_eq!(
        (&device["id"], &device["passed"], &device["exact_floats"]),
        (&"cpu".into(), &true.into(), &true.into())
    );
    let rows = device["rows"].as_array().unwrap();
    let find =
        |op: &str, types: &str| rows.iter().find(|row| row["op"] == op && row["types"] == types).unwrap();
    assert_eq!(find("div", "f32")["verdict"], "exact");
    assert_eq!(find("convert", "f64->i8")["verdict"], "exact");
    assert_eq!(find("loop", "")["verdict"], "passed");
    assert!(device["programs"]["passed"].as_array().unwrap().len() >= 150);
}

#[test]
fn a_device_that_there_is_not() {
    let output = conform("--backend metal");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("D001"));
}

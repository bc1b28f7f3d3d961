//! `vyre bench` as a command: the shape of what it prints. Times are not looked at.

use serde_json::Value;
use std::process::{Command, Output};

fn bench(args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    command.args(["bench", "--size", "small", "--passes", "2"]).args(args.split_whitespace());
    command.env_remove("VYRE_THREADS").output().unwrap()
}

fn json(args: &str) -> Value {
    let output = bench(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const NAMES: [&str; 8] =
    ["saxpy", "sum", "mandelbrot", "matmul", "hash", "gather", "search", "black-scholes"];

#[test]
fn every_kernel_against_a_peer_as_json() {
    let document = json("cpu --peers rayon --json");
    let rows = document["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["kernel"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    for row in rows {
        assert_eq!(row["peer"], "rayon");
        let number = |name: &str| row[name].as_f64().unwrap();
        assert!(number("ours_ms") > 0.0 && number("peer_ms") > 0.0);
        assert!((number("ratio") - number("peer_ms") / number("ours_ms")).abs() <= number("ratio") * 1e-9);
        let [low, high] = [0, 1].map(|i| row["spread"][i].as_f64().unwrap());
        assert!(low <= high);
    }
    assert_eq!(document["backend"], "cpu");
    assert_eq!(document["passes"], 2);
    assert_eq!(document["absent"], Value::Array(vec![]));
    let compiled = document["compile"].as_array().unwrap();
    assert!(compiled.iter().all(|c| c["ms"].as_f64().unwrap() > 0.0));
    assert_eq!(compiled.len(), NAMES.len());
    for name in ["one_workgroup_ns", "two_workgroups_parked_us"] {
        assert!(document["dispatch"][name].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn some_kernels_and_no_peer() {
    let document = json("hash saxpy --backend cpu --peers none --json");
    assert_eq!(document["rows"], Value::Array(vec![]));
    let ours: Vec<&str> =
        document["ours"].as_array().unwrap().iter().map(|row| row["kernel"].as_str().unwrap()).collect();
    assert_eq!(ours, ["hash", "saxpy"]);
}

#[test]
fn programs_as_stages() {
    let document = json("stages --backend cpu --json");
    assert_eq!(document["rows"], Value::Array(vec![]));
    let rows = document["stages"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let number = |name: &str| row[name].as_f64().unwrap();
        assert!((number("ratio") - number("dispatches_ms") / number("ms")).abs() <= number("ratio") * 1e-9);
        assert_eq!(row["bytes_down"], 0);
    }
    let text = String::from_utf8(bench("stages --backend cpu").stdout).unwrap();
    assert!(text.lines().any(|line| line.starts_with("16 steps in a loop over 16 KiB  2 ")), "{text}");
}

#[test]
fn a_table_for_people() {
    let output = bench("hash --peers rayon");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    let row = text.lines().find(|line| line.starts_with("hash ")).unwrap();
    assert_eq!(row.split_whitespace().nth(2), Some("rayon"));
    assert!(String::from_utf8(output.stderr).unwrap().contains("hash"));
}

/// A peer that the machine or the build does not have is in the report, whichever it is here.
#[test]
fn peers_that_are_not_there_are_listed() {
    let document = json("hash --peers pocl --json");
    let (rows, absent) = (document["rows"].as_array().unwrap(), document["absent"].as_array().unwrap());
    assert_eq!(rows.len() + absent.len(), 1);
    assert!(absent.iter().all(|a| a["peer"] == "PoCL" && !a["reason"].as_str().unwrap().is_empty()));
}

#[test]
fn two_backends_contradict() {
    let output = bench("cpu --backend cpu-ref");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("C006"));
}

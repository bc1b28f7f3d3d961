//! `vyre devices` as a table and as JSON, and what `auto` takes for a program.

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

fn vyre(args: &[&str]) -> Output {
    vyre_in(tempfile::tempdir().unwrap().path(), args)
}

/// With a folder in which measured bandwidths are kept.
fn vyre_in(folder: &Path, args: &[&str]) -> Output {
    for (name, workgroup) in [("small.vyre", "64, 1, 1"), ("wide.vyre", "64, 64, 1")] {
        let program = format!(
            "program p workgroup({workgroup}) {{\n  buffer data: f32[64] storage read_write @group(0) @binding(0)\n}}"
        );
        std::fs::write(folder.join(name), program).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    // Without the GPUs of the machine.
    command.env("VK_DRIVER_FILES", folder.join("none.json")).env("VYRE_LIBCUDA", "none");
    command.env("VYRE_CACHE_DIR", folder.join("cache")).env("VYRE_THREADS", "3");
    command.current_dir(folder).args(args).output().unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = vyre(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_table_and_the_details() {
    let text = stdout(&["devices", "--no-measure"]);
    let lines: Vec<&str> = text.lines().collect();
    let starts = |name: &str| lines[0].find(name).unwrap();
    assert!(lines[0].starts_with("rank  id"), "{text}");
    // Each row has its words below the header's.
    for (id, words) in [
        (
            "cpu ",
            [
                ("rank", "1 "),
                ("id", "cpu "),
                ("kind", "CPU "),
                ("score", "56"),
                ("timing", "host only"),
                ("GB/s", "-"),
            ],
        ),
        (
            "cpu-ref ",
            [
                ("rank", "- "),
                ("id", "cpu-ref "),
                ("kind", "oracle "),
                ("score", "56"),
                ("timing", "host"),
                ("GB/s", "-"),
            ],
        ),
    ] {
        let row = lines.iter().position(|line| line.get(starts("id")..).is_some_and(|at| at.starts_with(id)));
        let row = row.unwrap_or_else(|| panic!("{id}: {text}"));
        for (column, word) in words {
            assert!(lines[row][starts(column)..].starts_with(word), "{column}: {text}");
        }
    }
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "{text}");
    // In one line.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "software only where there is nothing else: cpu default",
        "takes the best GPU: none; no device that the policy allows can be used",
        "auto rank 1: first in the order",
        "auto not chosen: an oracle is only used when named",
        "not chosen: the policy does not allow a device of kind CPU",
        "timing host only; memory bandwidth not measured",
        "floats as the oracle's, bit by bit",
        "at most 1024 storage buffers, each of",
        "at most 1024 uniform buffers, each of",
        "compute units: 3, subgroups of 8",
        "storage buffers 16 ",
        "tensor cores - of 4 ",
        "features subgroups, subgroup shuffle, f16, bf16, f64, i64",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn json_says_all() {
    let document: Value = serde_json::from_str(&stdout(&["devices", "--json", "--no-measure"])).unwrap();
    assert_eq!(document["auto"]["picks"], "cpu");
    assert!(!document["auto"]["kinds"].as_array().unwrap().contains(&json!("oracle")));
    assert_eq!(document["default"]["picks"], Value::Null);
    assert!(document["default"]["failure"].as_str().unwrap().contains("no device that the policy allows"));
    let devices = document["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 4);
    let [cpu, oracle, wgpu, cuda] = ["cpu", "cpu-ref", "wgpu", "cuda"]
        .map(|id| devices.iter().find(|device| device["id"] == id).unwrap());
    assert!(wgpu["failure"].to_string().contains("VK_DRIVER_FILES"), "{wgpu}");
    assert!(cuda["failure"].to_string().contains("VYRE_LIBCUDA"), "{cuda}");
    for device in [cpu, oracle] {
        // 16 + 8 + 4 + 8 + 8 + 4 + 4 + 2 + 2 by the table of points.
        assert_eq!(device["score"], 56);
        let items = device["score_items"].as_array().unwrap();
        assert_eq!(items.iter().map(|item| item["points"].as_u64().unwrap()).sum::<u64>(), 56);
        assert_eq!(items.iter().map(|item| item["of"].as_u64().unwrap()).sum::<u64>(), 66);
        assert_eq!(device["timing_quality"], "host only");
        assert_eq!(device["mem_bw_gbps"], Value::Null);
        assert!(device["probe_ns"].as_u64().unwrap() > 0);
        assert_eq!(device["acquire_ns"], device["probe_ns"]);
        assert_eq!(device["features"].as_object().unwrap()["f64"], true);
        assert_eq!(device["limits"].as_object().unwrap().len(), 8);
    }
    assert_eq!(
        (&cpu["id"], &cpu["place"], &cpu["rank"], &cpu["precedence"]),
        (&json!("cpu"), &json!(0), &json!(1), &json!(100))
    );
    assert_eq!(cpu["compute_units"], 3);
    assert_eq!(cpu["default"]["reason"], "the policy does not allow a device of kind CPU");
    assert_eq!((&oracle["rank"], &oracle["open_ns"]), (&Value::Null, &Value::Null));
}

/// The bandwidth of the processor that `vyre devices --json` says.
fn rate(output: Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["devices"][0]["id"], "cpu");
    document["devices"][0]["mem_bw_gbps"].clone()
}

#[test]
fn a_bandwidth_is_measured_once() {
    let folder = tempfile::tempdir().unwrap();
    let devices = |more: &[&str]| vyre_in(folder.path(), &[&["devices", "--json"], more].concat());
    assert_eq!(rate(devices(&["--no-measure"])), Value::Null);
    assert!(!folder.path().join("cache").exists());
    let first = devices(&[]);
    assert_eq!(
        String::from_utf8_lossy(&first.stderr),
        "note: measuring the memory bandwidth of `cpu`; `--no-measure` leaves that out\n"
    );
    let first = rate(first);
    assert!(first.as_f64().unwrap() > 0.0, "{first}");
    for more in [&[][..], &["--no-measure"]] {
        let again = devices(more);
        assert!(again.stderr.is_empty(), "{}", String::from_utf8_lossy(&again.stderr));
        assert_eq!(rate(again), first);
    }
    let table = String::from_utf8(vyre_in(folder.path(), &["devices"]).stdout).unwrap();
    assert!(!table.contains("not measured in") && table.contains(" GB/s\n"), "{table}");
    let cleared = String::from_utf8(vyre_in(folder.path(), &["cache", "clear"]).stdout).unwrap();
    assert!(cleared.ends_with("measured memory bandwidths removed: 1\n"), "{cleared}");
    assert_eq!(rate(devices(&["--no-measure"])), Value::Null);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cache"), "a file").unwrap();
    let output = vyre_in(folder.path(), &["devices", "--json"]);
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(notes.contains("note: measured memory bandwidths cannot be kept in"), "{notes}");
    assert!(rate(output).as_f64().unwrap() > 0.0);
}

#[test]
fn only_the_devices_of_a_backend() {
    let document = |id: &str| -> Value {
        serde_json::from_str(&stdout(&["devices", "--json", "--no-measure", "--backend", id])).unwrap()
    };
    for id in ["cpu", "cpu-ref"] {
        let document = document(id);
        let ids: Vec<&Value> = document["devices"].as_array().unwrap().iter().map(|d| &d["id"]).collect();
        assert_eq!(ids, [id]);
        assert_eq!(document["auto"]["picks"], "cpu");
    }
    let output = vyre(&["devices", "--backend", "cpu:7"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("D001") && text.contains("`cpu:7`"), "{text}");
}

#[test]
fn a_device_that_cannot_be_had_is_listed_with_the_reason() {
    let output = Command::new(env!("CARGO_BIN_EXE_vyre"))
        .args(["devices"])
        .env("VYRE_THREADS", "many")
        .env("VK_DRIVER_FILES", "none.json")
        .env("VYRE_LIBCUDA", "none")
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(text.contains("no device: VYRE_THREADS is `many`"), "{text}");
    assert!(text.contains("where there is nothing else: none\n"), "{text}");
}

#[test]
fn auto_takes_what_can_run_the_program_and_says_so() {
    assert!(stdout(&["run", "small.vyre", "--grid", "1"]).contains("auto, any kind of device"));
    assert!(!stdout(&["run", "small.vyre", "--grid", "1", "--backend", "cpu"]).contains("auto"));
    let output = vyre(&["run", "wide.vyre", "--grid", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "D002",
        "`cpu` (CPU): it lacks what is needed: invocations per workgroup: wanted 4096, has 1024",
        "Fix:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

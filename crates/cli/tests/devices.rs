//! `vyre devices` as a table and as JSON, and what `auto` takes for a program.

use serde_json::{Value, json};
use std::process::{Command, Output};

fn vyre(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for (name, workgroup) in [("small.vyre", "64, 1, 1"), ("wide.vyre", "64, 64, 1")] {
        let program = format!(
            "program p workgroup({workgroup}) {{\n  buffer data: f32[64] storage read_write @group(0) @binding(0)\n}}"
        );
        std::fs::write(folder.path().join(name), program).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    command.current_dir(folder.path()).args(args).env("VYRE_THREADS", "3").output().unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = vyre(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_table_and_the_details() {
    let text = stdout(&["devices"]);
    let lines: Vec<&str> = text.lines().collect();
    let starts = |name: &str| lines[0].find(name).unwrap();
    assert!(lines[0].starts_with("rank  id"), "{text}");
    // Each row has its words below the header's.
    for (row, words) in [
        (
            1,
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
            2,
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
        for (column, word) in words {
            assert!(lines[row][starts(column)..].starts_with(word), "{column}: {text}");
        }
    }
    assert!(lines[1].ends_with("auto picks this one"), "{text}");
    assert!(lines[2].ends_with("an oracle is only used when named"), "{text}");
    for part in [
        "best device of any kind that can run the program: cpu\n",
        "the library's default picks the best GPU: none; there are only processors and oracles",
        "not chosen: the policy does not allow a device of kind CPU",
        "compute units: 3, subgroups of 8",
        "storage buffers                16\n",
        "tensor cores                   - of 4\n",
        "features    subgroups, subgroup shuffle, f16, bf16, f64, i64",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn json_says_all() {
    let document: Value = serde_json::from_str(&stdout(&["devices", "--json"])).unwrap();
    assert_eq!(document["auto"]["picks"], "cpu");
    assert!(!document["auto"]["kinds"].as_array().unwrap().contains(&json!("oracle")));
    assert_eq!(document["default"]["picks"], Value::Null);
    assert!(document["default"]["failure"].as_str().unwrap().contains("there are only"));
    let devices = document["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 2);
    for device in devices {
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
    let (cpu, oracle) = (&devices[0], &devices[1]);
    assert_eq!(
        (&cpu["id"], &cpu["place"], &cpu["rank"], &cpu["precedence"]),
        (&json!("cpu"), &json!(0), &json!(1), &json!(100))
    );
    assert_eq!(cpu["compute_units"], 3);
    assert_eq!(cpu["default"]["reason"], "the policy does not allow a device of kind CPU");
    assert_eq!((&oracle["rank"], &oracle["open_ns"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_device_that_cannot_be_had_is_listed_with_the_reason() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_vyre")).args(["devices"]).env("VYRE_THREADS", "many").output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(text.contains("no device: VYRE_THREADS is `many`"), "{text}");
    assert!(text.contains("can run the program: none\n"), "{text}");
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

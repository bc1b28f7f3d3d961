//! `vyre debug`: races with both their lines, and what accesses to memory cost, worked out by hand.

use serde_json::Value;
use std::process::{Command, Output};

const RACY: &str = "\
@group(0) @binding(0) var<storage, read_write> data: array<u32, 128>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
    data[i] = i;
    storageBarrier();
    data[64u + i] = data[i ^ 1u];
}
";

const STRIDED: &str = "\
@group(0) @binding(0) var<storage, read> src: array<f32>;
@group(0) @binding(1) var<storage, read_write> dst: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let x = src[id.x * 8u];
    dst[id.x] = x;
}
";

const BANKS: &str = "\
@group(0) @binding(0) var<storage, read_write> data: array<u32, 128>;
var<workgroup> own: array<u32, 512>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
    own[i] = data[i];
    workgroupBarrier();
    let x = own[63u - i];
    workgroupBarrier();
    own[i * 8u] = x;
    workgroupBarrier();
    data[i + 64u] = own[i * 8u];
}
";

/// Each item but 0 pushes two that are one less.
const TREE: &str = "\
@group(0) @binding(0) var<storage, read_write> found: array<atomic<u32>, 10>;
fn vyreItem() -> u32 { return 0u; }
fn vyrePush(item: u32) {}
@compute @workgroup_size(64)
fn main() {
    let item = vyreItem();
    atomicAdd(&found[item], 1u);
    if item > 0u {
        vyrePush(item - 1u);
        vyrePush(item - 1u);
    }
}
";

fn vyre(source: &str, args: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.wgsl"), source).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    command.current_dir(folder.path()).args(["debug", "a.wgsl"]).args(args.split_whitespace());
    command.output().unwrap()
}

fn json(source: &str, args: &str) -> Value {
    let output = vyre(source, &format!("{args} --json"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Of the accesses of a line: how they begin, warps, transactions, at least.
fn costs(report: &Value, line: u64) -> Vec<(String, u64, u64, u64)> {
    let accesses = report["accesses"].as_array().unwrap().iter().filter(|access| access["line"] == line);
    let number = |access: &Value, key: &str| access[key].as_u64().unwrap();
    let of = |access: &Value| {
        let words = access["instruction"].as_str().unwrap().split_whitespace();
        let name = words.into_iter().find(|word| !word.starts_with('@')).unwrap();
        let kind = name.split('.').take(2).collect::<Vec<_>>().join(".");
        (kind, number(access, "warps"), number(access, "transactions"), number(access, "least"))
    };
    accesses.map(of).collect()
}

fn cost(kind: &str, warps: u64, transactions: u64, least: u64) -> Vec<(String, u64, u64, u64)> {
    vec![(kind.into(), warps, transactions, least)]
}

#[test]
fn a_race_is_told_with_both_its_lines() {
    let without = RACY.replace("    storageBarrier();\n", "    // nothing\n");
    for seed in 0..4 {
        let args = format!("--grid 1 --seed {seed}");
        let output = vyre(RACY, &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output = vyre(&without, &args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        for part in [
            "error[C032]",
            "4 |     data[i] = i;",
            "6 |     data[64u + i] = data[i ^ 1u];",
            "Fix: Put a barrier",
        ] {
            assert!(told.contains(part), "no `{part}`: {told}");
        }
    }
}

/// Of a fault: what it says, up to the lines of the source.
fn fault(source: &str, args: &str) -> String {
    let output = vyre(source, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    told.lines().next().unwrap().into()
}

/// The number behind a part of a text.
fn number(text: &str, before: &str) -> u32 {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}`: {text}"));
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap()].parse().unwrap()
}

/// An invocation writes the element of its number, which that of the number with the lowest bit flipped reads.
#[test]
fn a_race_is_told_with_its_element() {
    let global = RACY.replace("    storageBarrier();\n", "");
    let own = BANKS.replacen("    workgroupBarrier();\n", "", 1).replace("63u - i", "i ^ 1u");
    for (source, name) in [(global, "data"), (own, "own")] {
        for seed in 0..4 {
            let told = fault(&source, &format!("--grid 1 --seed {seed}"));
            let element = number(&told, &format!("`{name}["));
            let threads = [number(&told, "which thread "), number(&told, "(invocation ")];
            assert!(threads.contains(&element) && threads[0] ^ threads[1] == 1, "seed {seed}: {told}");
        }
    }
}

/// Two workgroups of two warps. Eight f32 apart, each lane reads a sector of its own: 32 where 4 hold 32 x 4 bytes.
#[test]
fn strides_cost_sectors() {
    let report = json(STRIDED, "--grid 2 --set src=iota:1024 --set dst=zeros:128");
    assert_eq!(costs(&report, 5), cost("ld.global", 4, 4 * 32, 4 * 4));
    assert_eq!(costs(&report, 6), cost("st.global", 4, 4 * 4, 4 * 4));
    assert_eq!(report["outputs"][0]["first"], serde_json::json!([0, 8, 16, 24, 32, 40, 48, 56]));
}

/// Two warps. Backwards, each lane has a bank of its own. Eight words apart, 32 lanes meet in the four banks 0, 8, 16 and
/// 24, eight words each.
#[test]
fn banks_are_told_apart() {
    let report = json(BANKS, "--grid 1 --set data=iota:128");
    assert_eq!(costs(&report, 7), cost("ld.shared", 2, 2, 2));
    assert_eq!(costs(&report, 9), cost("st.shared", 2, 2 * 8, 2));
    let last = [cost("ld.shared", 2, 2 * 8, 2), cost("st.global", 2, 2 * 4, 2 * 4)].concat();
    assert_eq!(costs(&report, 11), last);
}

/// Of 9 there is one, and of each number below twice as many; windows of more than 64 items have several workgroups.
#[test]
fn a_queue_is_drained() {
    let args = "--items [9] --set found=zeros:10 --capacity 1023";
    let all: Vec<u32> = (0..10).map(|item| 1 << (9 - item)).collect();
    for seed in 0..4 {
        let report = json(TREE, &format!("{args} --seed {seed}"));
        assert_eq!(report["outputs"][0]["first"], serde_json::json!(all[..8]), "seed {seed}");
        let queue = &report["queue"];
        assert_eq!(queue["items"], 1023);
        // The last window alone has half of all items.
        assert!(
            queue["high_water"].as_u64() >= Some(512) && queue["windows"].as_u64() >= Some(10),
            "{queue}"
        );
        assert_eq!(report["workgroups"], serde_json::json!([4, 1, 1]));
    }
    let racy = TREE.replace("atomic<u32>", "u32").replace("atomicAdd(&found[item], 1u)", "found[item] += 1u");
    let told = fault(&racy, args);
    assert!(told.contains("`found[") && told.contains("nothing orders the two"), "{told}");
    for (args, code) in [
        ("--items [9] --set found=zeros:10 --capacity 100", "D038"),
        ("--items [9,9] --set found=zeros:10 --capacity 1", "B022"),
        ("--items [9] --set found=zeros:10 --capacity 4294967295", "D037"),
        ("--items [9] --set found=zeros:10 --capacity 2147483648", "D037"),
        ("--set found=zeros:10", "C026"),
    ] {
        let output = vyre(TREE, args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(code), "{args}: {told}");
    }
    let output = vyre(STRIDED, "--items [1] --set src=iota:512 --set dst=zeros:64");
    assert!(String::from_utf8_lossy(&output.stderr).contains("C026"));
}

#[test]
fn runs_end_and_write_their_outputs() {
    let output = vyre(STRIDED, "--grid 1 --set src=iota:512 --set dst=zeros:64 --out dst=-");
    let (values, text) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(values.starts_with("0\n8\n16\n") || values.starts_with("0 8 16 "), "{values}");
    assert!(text.contains("no fault") && text.contains("a.wgsl:5:"), "{text}");
    for (args, code) in [
        ("--grid 1 --set src=iota:512 --set dst=zeros:64 --step-limit 100", "C032"),
        ("--grid 1 --backend cuda", "C031"),
        ("--grid 1 --arch sm_10", "C028"),
    ] {
        let output = vyre(STRIDED, args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(code), "{args}: {told}");
    }
}

//! `vyre run --trace FILE`: what is in the file, and when there is one.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Output};
use tempfile::TempDir;
use vyre::spans::SPANS;

const DOUBLE: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(4)
fn double(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&y) { y[id.x] = x[id.x] + x[id.x]; }
}";

const ENDLESS: &str = "
program endless workgroup(1, 1, 1) {
  buffer count: u32[1] storage read_write @group(0) @binding(0)
  %0: u32 = const 0
  %1: u32 = const 1
  %2: bool = const true
  loop () {
    %3: u32 = atomic_add count[%0], %1
    yield %2
  }
}";

/// The spans of the command itself.
const OWN: [&str; 4] = ["run", "inputs", "reference", "write"];

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        std::fs::write(folder.0.path().join("double.wgsl"), DOUBLE).unwrap();
        std::fs::write(folder.0.path().join("endless.vyre"), ENDLESS).unwrap();
        folder
    }

    fn vyre(&self, args: &str, cache: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
        // Without the GPUs of the machine.
        command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
        command.current_dir(self.0.path()).args(args.split_whitespace()).env("VYRE_CACHE_DIR", cache);
        for name in ["VYRE_DEBUG", "VYRE_DUMP"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    }

    fn ok(&self, args: &str, cache: &str) -> Value {
        let output = self.vyre(args, cache);
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Exit status and text of a failure.
    fn fails(&self, args: &str) -> (i32, String) {
        let output = self.vyre(args, "off");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn read(&self, name: &str) -> Trace {
        Trace::read(&std::fs::read(self.0.path().join(name)).unwrap())
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A complete event; times in nanoseconds.
struct Slice {
    name: String,
    title: String,
    args: BTreeMap<String, Value>,
    thread: u64,
    start: u64,
    end: u64,
}

struct Trace {
    slices: Vec<Slice>,
    counters: BTreeMap<String, u64>,
}

impl Trace {
    fn read(bytes: &[u8]) -> Trace {
        let document: Value = serde_json::from_slice(bytes).unwrap();
        let mut trace = Trace { slices: Vec::new(), counters: BTreeMap::new() };
        for event in document["traceEvents"].as_array().unwrap() {
            let text = |field: &str| event[field].as_str().unwrap().to_string();
            let nanos = |field: &str| (event[field].as_f64().unwrap() * 1e3).round() as u64;
            assert!(event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
            match event["ph"].as_str().unwrap() {
                "M" => {}
                "C" => {
                    let value = event["args"]["value"].as_u64().unwrap();
                    assert_eq!(trace.counters.insert(text("name"), value), None);
                    assert!(trace.slices.iter().all(|slice| slice.end <= nanos("ts")));
                }
                "X" => trace.slices.push(Slice {
                    name: text("cat"),
                    title: text("name"),
                    args: event["args"].as_object().unwrap().clone().into_iter().collect(),
                    thread: event["tid"].as_u64().unwrap(),
                    start: nanos("ts"),
                    end: nanos("ts") + nanos("dur"),
                }),
                other => panic!("an event of kind {other}"),
            }
        }
        trace
    }

    /// The slice that a slice is in: the shortest one around it on its thread.
    fn parent(&self, child: usize) -> Option<usize> {
        let inner = &self.slices[child];
        let mut around: Option<usize> = None;
        // An outer one stands before an inner one.
        for (i, outer) in self.slices[..child].iter().enumerate() {
            if outer.thread != inner.thread || outer.end <= inner.start {
                continue;
            }
            assert!(outer.start <= inner.start && inner.end <= outer.end, "{} in part", inner.name);
            if around.is_none_or(|other| {
                outer.end - outer.start <= self.slices[other].end - self.slices[other].start
            }) {
                around = Some(i);
            }
        }
        around
    }

    /// The names around each slice and its own.
    fn paths(&self) -> Vec<String> {
        (0..self.slices.len())
            .map(|mut i| {
                let mut path = self.slices[i].name.clone();
                while let Some(outer) = self.parent(i) {
                    path = format!("{} > {path}", self.slices[outer].name);
                    i = outer;
                }
                path
            })
            .collect()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Slice> {
        self.slices.iter().filter(move |slice| slice.name == name)
    }
}

#[test]
fn a_run_is_seen_from_import_to_output() {
    let folder = Folder::new();
    let json = folder.ok(
        "run double.wgsl --backend cpu --set x=[1,2,3,4,5] --threads 5 --repeat 2 --verify --out y=y.bin --json \
         --trace trace.json",
        "off",
    );
    assert_eq!(folder.files(), ["double.wgsl", "endless.vyre", "trace.json", "y.bin"]);
    let trace = folder.read("trace.json");
    let paths = trace.paths();
    let dispatch = [
        "run > dispatch",
        "run > dispatch > upload",
        "run > dispatch > launch",
        "run > dispatch > launch > kernel",
    ];
    let mut expected =
        vec!["run", "run > import", "run > link", "run > verify", "run > acquire", "run > compile"];
    expected.extend(["run > compile > link", "run > compile > verify", "run > compile > optimize"]);
    let passes = trace.all("pass").count();
    expected.extend(vec!["run > compile > optimize > pass"; passes]);
    expected.extend(["run > compile > codegen", "run > inputs"]);
    expected.extend(dispatch.iter().chain(&dispatch));
    expected.extend(["run > reference", "run > write"]);
    assert_eq!(paths, expected);
    let exact = vyre::opt::PASSES.iter().filter(|pass| pass.purpose != vyre::opt::Purpose::FastMath);
    assert!(passes >= exact.count());

    // What is inside of a span does not take longer than it.
    let mut inside = vec![0; trace.slices.len()];
    for i in 0..trace.slices.len() {
        if let Some(outer) = trace.parent(i) {
            inside[outer] += trace.slices[i].end - trace.slices[i].start;
        }
    }
    for (slice, inside) in trace.slices.iter().zip(inside) {
        assert!(inside <= slice.end - slice.start, "{}", slice.title);
    }

    // Each pass begins with what the one before left.
    let optimize = trace.all("optimize").next().unwrap();
    let mut instructions = optimize.args["before"].clone();
    for pass in trace.all("pass") {
        assert_eq!(pass.args["before"], instructions);
        assert!(pass.args["changed"].is_boolean());
        assert_eq!(pass.title, format!("pass {}", pass.args["name"].as_str().unwrap()));
        instructions = pass.args["after"].clone();
    }
    assert_eq!(optimize.args["after"], instructions);
    assert_eq!(trace.all("import").next().unwrap().args["kind"], "wgsl");
    assert_eq!(trace.all("import").next().unwrap().args["bytes"], DOUBLE.len());
    assert_eq!(trace.all("compile").next().unwrap().args["source"], "compiled");
    assert_eq!(trace.all("acquire").next().unwrap().args["backend"], "cpu");
    // Five elements of `x`, and of `y`, which the program might read too.
    assert_eq!(trace.all("upload").next().unwrap().args["bytes"], 40);
    assert_eq!(trace.all("launch").next().unwrap().args["workgroups"], "[2, 1, 1]");
    for slice in &trace.slices {
        match SPANS.iter().find(|(name, _)| *name == slice.name) {
            Some((_, fields)) => assert!(slice.args.keys().all(|field| fields.contains(&field.as_str()))),
            None => assert!(OWN.contains(&slice.name.as_str()), "{}", slice.name),
        }
    }

    assert_eq!(trace.counters["dispatches"], 2);
    assert_eq!(trace.counters["compiles"], 1);
    let metrics: BTreeMap<String, u64> = serde_json::from_value(json["metrics"].clone()).unwrap();
    assert_eq!(trace.counters, metrics);
}

#[test]
fn what_the_cache_has_is_loaded_and_not_optimized() {
    let folder = Folder::new();
    let run = "run double.wgsl --backend cpu --set x=[1] --threads 1 --json --trace";
    folder.ok(&format!("{run} cold.json"), "cache");
    folder.ok(&format!("{run} warm.json"), "cache");
    let source = |trace: &Trace| trace.all("compile").next().unwrap().args["source"].clone();
    let (cold, warm) = (folder.read("cold.json"), folder.read("warm.json"));
    assert_eq!((source(&cold), source(&warm)), ("compiled".into(), "disk".into()));
    assert_eq!((cold.all("load").count(), warm.all("load").count()), (0, 1));
    assert_eq!((warm.all("pass").count(), warm.all("codegen").count()), (0, 0));
}

#[test]
fn a_run_that_fails_leaves_a_trace() {
    let folder = Folder::new();
    std::fs::write(folder.0.path().join("trace.json"), "old").unwrap();
    let (status, text) = folder.fails("run endless.vyre --grid 1 --timeout 0.05 --trace trace.json");
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("D008") && !text.contains("C030"), "{text}");
    let trace = folder.read("trace.json");
    assert_eq!(trace.all("import").next().unwrap().args["kind"], "text");
    assert_eq!((trace.all("kernel").count(), trace.all("write").count()), (1, 0));
    assert_eq!(trace.counters["timeouts"], 1);

    let (status, text) = folder.fails("run missing.wgsl --trace trace.json");
    assert_eq!((status, text.contains("C002")), (2, true), "{text}");
    let trace = folder.read("trace.json");
    assert_eq!(trace.paths(), ["run"]);
    assert!(trace.counters.is_empty(), "no device was opened");
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_anything_is_done() {
    let folder = Folder::new();
    let before = folder.files();
    for (args, code) in [
        // The program is not even read.
        ("run missing.wgsl --trace missing/trace.json", "C030"),
        ("run endless.vyre --grid 1 --trace .", "C030"),
        ("run endless.vyre --grid 1 --trace -", "C030"),
        ("run endless.vyre --grid 1 --trace ./endless.vyre", "C030"),
        ("run endless.vyre --grid 1 --out count=a.bin --trace a.bin", "C030"),
        ("run endless.vyre --grid 1 --out count=a.png:8 --trace a.png", "C030"),
        ("run endless.vyre --grid 1 --set count=bytes:double.wgsl --trace double.wgsl", "C030"),
    ] {
        let (status, text) = folder.fails(args);
        assert_eq!(status, 2, "{args}: {text}");
        assert!(text.contains(&format!("[{code}]")) && text.contains("Fix: "), "{args}: {text}");
    }
    assert_eq!(folder.files(), before);
    for (name, text) in [("endless.vyre", ENDLESS), ("double.wgsl", DOUBLE)] {
        assert_eq!(std::fs::read_to_string(folder.0.path().join(name)).unwrap(), text);
    }
}

#[test]
fn it_is_in_help_completions_and_manual() {
    let folder = Folder::new();
    for args in ["run --help", "completions bash", "man"] {
        let output = folder.vyre(args, "off");
        assert!(String::from_utf8(output.stdout).unwrap().replace('\\', "").contains("--trace"), "{args}");
    }
}

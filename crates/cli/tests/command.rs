//! The built command: what it prints, what it leaves behind, and how it ends.

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;
use vyre_conformance::tools::{NVDISASM, PTXAS};

const SCALE: &str = "
program scale workgroup(64, 1, 1) {
  buffer data: f32[] storage read_write @group(0) @binding(0)
  %0: u32 = global_id x
  %1: f32 = load data[%0]
  %2: f32 = const 0.5
  %3: f32 = mul %1, %2
  store data[%0], %3
}";

/// `sum[i] = x[i] + factor`.
const SUM: &str = "
program sum workgroup(4, 1, 1) {
  buffer x: u32[4] storage read @group(0) @binding(0)
  buffer factor: u32[1] uniform read @group(0) @binding(1)
  buffer sum: u32[] storage read_write @group(0) @binding(2)
  %0: u32 = global_id x
  %1: u32 = load x[%0]
  %2: u32 = const 0
  %3: u32 = load factor[%2]
  %4: u32 = add %1, %3
  store sum[%0], %4
}";

/// Counts for ever, in memory so that the loop is not dead.
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

/// Each pixel is its number.
const PIXELS: &str = "
program pixels workgroup(8, 8, 1) {
  buffer pixels: u32[] storage read_write @group(0) @binding(0)
  %0: u32 = global_id x
  %1: u32 = global_id y
  %2: u32 = const 12
  %3: u32 = mul %1, %2
  %4: u32 = add %0, %3
  store pixels[%4], %4
}";

/// Counts in memory that keeps its contents from run to run.
const KEPT: &str = "
program kept workgroup(4, 1, 1) {
  buffer kept: u32[4] persistent read_write @group(0) @binding(0)
  buffer out: u32[4] storage read_write @group(0) @binding(1)
  %0: u32 = global_id x
  %1: u32 = load kept[%0]
  %2: u32 = add %1, %0
  store kept[%0], %2
  store out[%0], %2
}";

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        for (name, text) in [
            ("scale.vyre", SCALE),
            ("sum.vyre", SUM),
            ("endless.vyre", ENDLESS),
            ("pixels.vyre", PIXELS),
            ("kept.vyre", KEPT),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn vyre(&self, args: &str) -> Output {
        self.command(args).output().unwrap()
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
        // Without the GPUs of the machine.
        command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
        command.current_dir(self.path()).args(args.split_whitespace());
        for name in ["VYRE_DEBUG", "VYRE_DUMP", "VYRE_CPU"] {
            command.env_remove(name);
        }
        command.env("VYRE_CACHE_DIR", "off");
        command
    }

    /// Standard output of a command that must succeed.
    fn ok(&self, args: &str) -> String {
        let output = self.vyre(args);
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn errors_have_a_status_and_a_code() {
    let folder = Folder::new();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("bad.vyre", b"program p workgroup(1, 1, 1) {\n  %0: u32 = nonsense\n}");
    write("types.vyre", b"program p workgroup(1, 1, 1) {\n  %0: u32 = const 1\n  %1: u32 = sqrt %0\n}");
    write("latin.wgsl", b"// \xe9t\xe9");
    write("odd.bin", b"123");
    write("text.npy", b"no array");
    write("text.png", b"no picture");
    write("cut.vyrw", b"VYRE\x01");
    let header = b"{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }\n";
    write("int.npy", &[&b"\x93NUMPY\x01\x00"[..], &[header.len() as u8, 0], &header[..], &[0; 4]].concat());
    let cases: &[(&str, i32, &str)] = &[
        // usage
        ("", 2, "Usage"),
        ("nonsense", 2, "C001"),
        ("run", 2, "C001"),
        ("run scale.vyre --nonsense", 2, "C001"),
        ("run scale.vyre --set data", 2, "C001"),
        ("run scale.vyre --threads 0", 2, "C001"),
        ("run scale.vyre --grid 1,0", 2, "C001"),
        ("run scale.vyre --threads 4294967296", 2, "C001"),
        ("run scale.vyre --threads 1 --grid 1", 2, "C001"),
        ("run scale.vyre --checked --unchecked", 2, "C001"),
        ("run scale.vyre --repeat 0", 2, "C001"),
        ("run scale.vyre --timeout 0", 2, "C001"),
        ("run scale.vyre --verify=some", 2, "C001"),
        ("run scale.vyre --override a=b", 2, "C001"),
        ("run scale.vyre --fast-math --verify", 2, "C006"),
        ("run scale.vyre --json --set data=[1] --out data=-", 2, "C001"),
        // programs
        ("check missing.wgsl", 2, "C002"),
        ("check .", 2, "C002"),
        ("check latin.wgsl", 2, "C003"),
        ("check bad.vyre", 2, "T0"),
        ("check types.vyre", 2, "V003"),
        ("check cut.vyrw", 2, "W0"),
        ("check scale.vyre --entry other", 2, "C005"),
        ("check scale.vyre --override a=1", 2, "C005"),
        ("opt scale.vyre --passes nonsense", 2, "C024"),
        // contents
        ("run scale.vyre", 2, "C019"),
        ("run sum.vyre --threads 4", 2, "C019"),
        ("run scale.vyre --set nonsense=[1]", 2, "C011"),
        ("run scale.vyre --set data=[1] --set data=[2]", 2, "C012"),
        ("run scale.vyre --set data=nonsense", 2, "C013"),
        ("run scale.vyre --set data=zeros:0", 2, "C013"),
        ("run scale.vyre --set data=[]", 2, "C014"),
        ("run sum.vyre --set x=[1,2,3] --set factor=1 --threads 4", 2, "C014"),
        ("run sum.vyre --set x=[1,2,3,4.5] --set factor=1 --threads 4", 2, "C018"),
        ("run scale.vyre --set data=odd.bin", 2, "C014"),
        ("run scale.vyre --set data=missing.bin", 2, "C002"),
        ("run scale.vyre --set data=int.npy", 2, "C015"),
        ("run scale.vyre --set data=text.npy", 2, "C016"),
        ("run scale.vyre --set data=text.png", 2, "C017"),
        ("run pixels.vyre --set pixels=text.png", 2, "C017"),
        // outputs
        ("run scale.vyre --set data=[1] --out data=a.txt", 2, "C020"),
        ("run scale.vyre --set data=[1] --out nonsense=-", 2, "C011"),
        ("run sum.vyre --set x=zeros:4 --set factor=1 --threads 4 --out x=-", 2, "C011"),
        ("run scale.vyre --set data=[1] --out data=missing/a.bin", 2, "C002"),
        ("run scale.vyre --set data=[1] --out data=-  --out data=a.bin", 2, "C012"),
        ("run pixels.vyre --threads 64 --out pixels=a.png", 2, "C022"),
        ("run pixels.vyre --threads 64 --out pixels=a.png:7", 2, "C022"),
        (
            "run sum.vyre --set x=zeros:4 --set factor=1 --threads 4 --out sum=a.bin --out sum=a.bin",
            2,
            "C012",
        ),
        // machines
        ("run scale.vyre --set data=zeros:999999999999999 --grid 1", 2, "D006"),
        ("run scale.vyre --set data=[1] --backend nonsense", 2, "D001"),
        ("run scale.vyre --set data=[1] --grid 4294967295", 2, "B011"),
        ("run endless.vyre --grid 1 --timeout 0.05", 1, "D008"),
        ("run endless.vyre --grid 1 --backend cpu-ref --timeout 0.05", 1, "D008"),
    ];
    for &(args, status, code) in cases {
        let output = folder.vyre(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args}: {stderr}");
        assert!(stderr.contains(code), "{args}: no {code} in {stderr}");
        assert!(output.stdout.is_empty() || args.contains("--json"), "{args} printed to standard output");
        assert!(!stderr.contains("panicked"), "{args}: {stderr}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(['a', '.'])), "{left:?}");
}

#[test]
fn a_run_reads_files_and_writes_them() {
    let folder = Folder::new();
    let backend = "--backend cpu-ref --verify";
    let text = folder.ok(&format!("run scale.vyre --set data=[1,2,-3] --out data=- {backend}"));
    assert_eq!(text, "0.5\n1\n-1.5\n");
    folder.ok(&format!("run scale.vyre --set data=iota:5 --out data=a.npy {backend}"));
    folder.ok(&format!("run scale.vyre --set data=a.npy --out data=a.bin {backend}"));
    let halves: Vec<u8> = [0.0f32, 0.25, 0.5, 0.75, 1.0].into_iter().flat_map(f32::to_le_bytes).collect();
    assert_eq!(std::fs::read(folder.path().join("a.bin")).unwrap(), halves);
    let text =
        folder.ok(&format!("run sum.vyre --set x=iota:4 --set factor=10 --threads 4 --out sum=- {backend}"));
    assert_eq!(text, "10\n11\n12\n13\n");
    // A picture of 12 x 10 pixels although workgroups of 8 x 8 cover 16 x 16, and the picture as input.
    folder.ok(&format!("run pixels.vyre --threads 12,10 --out pixels=a.png {backend}"));
    folder.ok("run pixels.vyre --set pixels=a.png --grid 1 --out pixels=b.bin --backend cpu-ref");
    let pixels: Vec<u8> = (0..120u32).flat_map(u32::to_le_bytes).collect();
    assert_eq!(std::fs::read(folder.path().join("b.bin")).unwrap(), pixels);
}

#[test]
fn json_is_one_document() {
    let folder = Folder::new();
    let parse = |args: &str| -> serde_json::Value {
        let output = folder.vyre(args);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args}: {e}"))
    };
    let run = parse("run scale.vyre --set data=[1,inf] --backend cpu-ref --verify --repeat 3 --json");
    assert_eq!(run["outputs"][0]["first"], serde_json::json!([0.5, "inf"]));
    assert_eq!(run["verified"]["of"], 1);
    assert_eq!(run["time_ns"]["runs"].as_array().unwrap().len(), 3);
    assert_eq!(parse("check sum.vyre --json")["buffers"][1]["memory"], "uniform");
    assert_eq!(parse("devices --json")["devices"][0]["id"], "cpu");
    assert!(parse("ops --json")["ops"].as_array().unwrap().len() > 50);
    assert_eq!(parse("opt scale.vyre --json")["before"], 6);
    assert_eq!(parse("run scale.vyre --json")["errors"][0]["code"], "C019");
    assert_eq!(parse("nonsense --json")["errors"][0]["code"], "C001");
}

#[test]
fn emitted_programs_are_read_again() {
    let folder = Folder::new();
    let text = folder.ok("emit scale.vyre --target vyre");
    folder.ok("emit scale.vyre --target wire -o scale.vyrw");
    assert_eq!(folder.ok("emit scale.vyrw --target vyre"), text);
    std::fs::write(folder.path().join("opt.vyre"), folder.ok("opt scale.vyre")).unwrap();
    assert!(folder.ok("check opt.vyre").starts_with("scale: ok"));
    assert!(folder.ok("opt scale.vyre --after-each").starts_with("// imported\nprogram scale"));
    assert!(folder.ok("opt scale.vyre --stats").contains("dce"));
    for (target, part) in [("wgsl", "@compute"), ("msl", "kernel"), ("hlsl", "numthreads")] {
        assert!(folder.ok(&format!("emit scale.vyre --target {target}")).contains(part), "{target}");
    }
    for target in ["wgsl", "spirv"] {
        folder.ok(&format!("emit scale.vyre --target {target} -o scale.{target}"));
        let run = format!("run scale.{target} --set data=[1,2,-3] --out data=- --verify");
        assert_eq!(folder.ok(&run), "0.5\n1\n-1.5\n");
    }
    assert!(folder.ok("emit scale.vyre --target gangs").contains(": f32x16 = mul v"));
    assert!(folder.ok("emit scale.vyre --target clif").contains("block0"));
    assert!(folder.ok("emit scale.vyre --target asm").contains("block0"));
    assert!(folder.ok("opt scale.vyre --until fold").starts_with("program scale"));
}

#[test]
fn stages_of_a_program_that_waits_for_its_grid() {
    let folder = Folder::new();
    let waits = "program waits workgroup(4, 1, 1) {
        buffer x: u32[] storage read_write @group(0) @binding(0)
        %id: u32 = global_id x
        %0: u32 = const 0
        %1: u32 = const 1
        %3: u32 = const 3
        %end: u32 = loop (%i: u32 = %0) {
            %old: u32 = load x[%id]
            grid_sync
            %far: u32 = xor %id, %3
            store x[%far], %old
            grid_sync
            %next: u32 = add %i, %1
            %again: bool = lt %next, %3
            yield %again, %next
        }
    }";
    std::fs::write(folder.path().join("waits.vyre"), waits).unwrap();
    let stats = folder.ok("opt waits.vyre --stats");
    let last = stats.lines().last().unwrap();
    let said =
        "stages 2 in 1 block, saved 4 bytes an invocation and 0 a workgroup, 1 kept once, 1 recomputed";
    assert_eq!(last, said);
    let document: serde_json::Value = serde_json::from_str(&folder.ok("opt waits.vyre --json")).unwrap();
    assert_eq!(document["stages"]["saved_bytes"], 4);
    for (stage, name) in [("0", "waits_stage0"), ("1", "waits_stage1"), ("control", "waits_control")] {
        let text = folder.ok(&format!("opt waits.vyre --stage {stage}"));
        assert!(text.starts_with(&format!("program {name} ")), "{text}");
        std::fs::write(folder.path().join("part.vyre"), text).unwrap();
        folder.ok("check part.vyre");
    }
    let output = folder.vyre("opt waits.vyre --stage 2");
    assert!(String::from_utf8_lossy(&output.stderr).contains("has 2 stages, and no `2` among its parts"));
}

#[test]
fn stats_say_how_many_accesses_are_proven_in_bounds() {
    let folder = Folder::new();
    // Nobody checks that the grid fits `data`; of `sum.vyre` only the load from `factor` is at a fixed index.
    assert!(folder.ok("opt scale.vyre --stats").ends_with("\naccesses 2, proven in bounds 0 (0 %)\n"));
    assert!(folder.ok("opt sum.vyre --stats").ends_with("\naccesses 3, proven in bounds 1 (33 %)\n"));
    let document = folder.ok("opt sum.vyre --stats --json");
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!((document["accesses"].as_u64(), document["in_bounds"].as_u64()), (Some(3), Some(1)));
    std::fs::write(folder.path().join("idle.vyre"), "program idle workgroup(1, 1, 1) {\n}").unwrap();
    assert!(folder.ok("opt idle.vyre --stats").ends_with("\naccesses 0, proven in bounds 0\n"));
}

#[test]
fn a_program_that_is_interpreted_says_so() {
    let folder = Folder::new();
    let output = |setting: &str, args: &str| {
        let output = folder.command(args).env("VYRE_CPU", setting).output().unwrap();
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let run = "run scale.vyre --backend cpu --set data=[1,2,-3]";
    let [values, notes] = output("strips", &format!("{run} --out data=-"));
    assert_eq!(values, "0.5\n1\n-1.5\n");
    let note = "programs are interpreted, which is slow, because VYRE_CPU is `strips`";
    assert!(notes.starts_with(&format!("note: {note}\n")), "{notes}");
    let notice = |setting| {
        let [document, _] = output(setting, &format!("{run} --json"));
        serde_json::from_str::<serde_json::Value>(&document).unwrap()["notice"].clone()
    };
    assert_eq!(notice("strips"), note);
    assert_eq!(notice("code"), serde_json::Value::Null);
    let wrong = folder.command(run).env("VYRE_CPU", "asm").output().unwrap();
    let message = "error[D002]: VYRE_CPU is `asm`, which is no way to run programs
  Fix: Set VYRE_CPU to `code` or `strips`, or unset it.
";
    assert_eq!(String::from_utf8(wrong.stderr).unwrap(), message);
}

#[test]
fn a_program_comes_from_standard_input() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    // Without the GPUs of the machine.
    command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
    command.args(["check", "-"]).stdin(std::fs::File::open(folder.path().join("sum.vyre")).unwrap());
    assert!(String::from_utf8(command.output().unwrap().stdout).unwrap().starts_with("sum: ok"));
}

#[test]
fn the_environment_asks_for_details() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    // Without the GPUs of the machine.
    command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
    command.current_dir(folder.path()).env("VYRE_DEBUG", "5").env("VYRE_DUMP", "dump");
    command.env("VYRE_CACHE_DIR", "off");
    command.args(["run", "scale.vyre", "--set", "data=[1]"]);
    let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
    for part in ["vyre: backend cpu", "vyre: 1 workgroups in", "vyre: program scale", "block0"] {
        assert!(stderr.contains(part), "no {part} in {stderr}");
    }
    let dump = |name: &str| std::fs::read_to_string(folder.path().join("dump").join(name)).unwrap();
    assert!(dump("imported.vyre").contains("mul") && dump("optimized.vyre").contains("mul"));
    assert!(dump("code.asm").contains("block0"));
}

#[test]
fn help_completions_and_manual_are_made() {
    let folder = Folder::new();
    assert!(folder.ok("run --help").contains("random:SEED:N"));
    assert!(folder.ok("run --help").contains("--fast-math"));
    assert!(folder.ok("completions bash").contains("vyre"));
    assert!(folder.ok("man").contains(".TH vyre"));
    assert!(folder.ok("ops").contains("atomic_add"));
    assert!(folder.ok("devices").contains("cpu-ref"));
}

#[test]
fn persistent_memory_keeps_its_contents_and_is_verified() {
    let folder = Folder::new();
    for backend in ["cpu", "cpu-ref"] {
        let args = format!("run kept.vyre --grid 1 --repeat 3 --verify --backend {backend} --out out=-");
        let output = folder.vyre(&args);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\n3\n6\n9\n");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("verified: all 1 workgroups agree"), "{said}");
    }
}

#[test]
fn code_for_nvidia() {
    let folder = Folder::new();
    for arch in ["sm_70", "sm_90", "sm_120"] {
        let ptx = folder.ok(&format!("emit scale.vyre --target ptx --arch {arch}"));
        let parts = [format!(".target {arch}\n"), ".visible .entry scale(".into(), "mul.rn.f32".into()];
        assert!(parts.iter().all(|part| ptx.contains(part)), "{ptx}");
    }
    assert!(folder.ok("emit scale.vyre --target ptx").contains(".target sm_90\n"), "it is the default");
    if PTXAS.for_test().is_some() && NVDISASM.for_test().is_some() {
        let sass = folder.ok("emit scale.vyre --target sass --arch sm_80");
        assert!(sass.contains("FMUL") && sass.contains("EXIT"), "{sass}");
        let output = folder.vyre("emit scale.vyre --target sass --arch sm_70");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && told.contains("C029") && told.contains("sm_70"), "{told}");
    }
}

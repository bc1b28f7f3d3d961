//! What is wrong with a command line or with what it names, and what a device refuses.

use crate::{Case, case, made};

const SCALE: &str = "\
program scale workgroup(64, 1, 1) {
  buffer data: f32[] storage read_write @group(0) @binding(0)
  buffer factor: f32[1] uniform read @group(0) @binding(1)
  %0: u32 = global_id x
  %1: f32 = load data[%0]
  %2: u32 = const 0
  %3: f32 = load factor[%2]
  %4: f32 = mul %1, %3
  store data[%0], %4
}
";

const HALVES: &str = "\
program halves workgroup(64, 1, 1) {
  buffer data: f16[] storage read_write @group(0) @binding(0)
}
";

const ENDLESS: &str = "\
program endless workgroup(1, 1, 1) {
  buffer count: u32[1] storage read_write @group(0) @binding(0)
  %0: u32 = const 0
  %1: u32 = const 1
  %2: bool = const true
  loop () {
    %3: u32 = atomic_add count[%0], %1
    yield %2
  }
}
";

/// The first invocation sees what the last one writes only where all run in step, as in the interpreter.
const RACE: &str = "
  buffer data: u32[64] storage read_write @group(0) @binding(0)
  %0: u32 = local_index
  %1: u32 = const 1
  %2: u32 = const 63
  %3: u32 = const 0
  store data[%0], %1
  %4: u32 = load data[%2]
  %5: bool = eq %0, %3
";

/// Each invocation reads what its neighbor writes.
const NEIGHBORS: &str = "\
@group(0) @binding(0) var<storage, read_write> data: array<u32, 128>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
    data[i] = i;
    data[64u + i] = data[i ^ 1u];
}
";

/// Calls an operation of the dialect `color`.
const TINT: &str = "\
program tint workgroup(64, 1, 1) {
  buffer data: f32[] storage read_write @group(0) @binding(0)
  %0: u32 = global_id x
  %1: f32 = load data[%0]
  %2: f32 = call color.dim %1
  store data[%0], %2
}
";

const COLOR: &str = r#"[dialect]
name = "color"
version = "1.0.0"

[[op]]
name = "dim"
operands = ["x: f32"]
results = ["f32"]
language = "wgsl"
body = '''
fn dim(x: f32) -> f32 { return x * 0.5; }
'''
"#;

/// Programs whose dialect is in a file.
fn dialects() -> Vec<Case> {
    let with = |code, from: &str, to: &str| {
        let args = "vyre check tint.vyre --load-dialect color.toml";
        let mut case = made(code, args, "color.toml", COLOR.replace(from, to));
        case.files.push(("tint.vyre", TINT.as_bytes().into()));
        case
    };
    vec![
        case("O020", "vyre check tint.vyre --load-dialect colour.toml", &[("tint.vyre", TINT)]),
        with("O021", "[dialect]", "[dialect"),
        with("O022", "operands", "operand"),
        with("O023", "x: f32\"]", "x: float\"]"),
        with("O024", "wgsl", "glsl"),
        with("I022", "fn dim", "fn dimmed"),
    ]
}

pub fn cases() -> Vec<Case> {
    let mut cases = devices();
    cases.extend(dialects());
    let files = [("scale.vyre", SCALE), ("halves.vyre", HALVES)];
    cases.push(case("C032", "vyre debug neighbors.wgsl --grid 1", &[("neighbors.wgsl", NEIGHBORS)]));
    let npy = |descr: &str| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}\n");
        [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes(), &[0; 4]].concat()
    };
    for (code, args) in [
        ("C001", "vyre run scale.vyre --threads 0"),
        ("C002", "vyre check missing.wgsl"),
        ("C005", "vyre check scale.vyre --entry main"),
        ("C006", "vyre run scale.vyre --fast-math --verify"),
        ("C011", "vyre run scale.vyre --set date=zeros:4 --set factor=2 --set data=zeros:4"),
        ("C012", "vyre run scale.vyre --set factor=2 --set factor=3 --threads 4"),
        ("C013", "vyre run scale.vyre --set factor=two --threads 4"),
        ("C014", "vyre run scale.vyre --set factor=[1,2] --threads 4"),
        ("C018", "vyre run scale.vyre --set factor=[two] --threads 4"),
        ("C019", "vyre run scale.vyre --threads 4"),
        ("C020", "vyre run scale.vyre --set factor=2 --threads 4 --out data=a.txt"),
        ("C021", "vyre run halves.vyre --set data=zeros:4 --out data=a.png:2"),
        ("C022", "vyre run scale.vyre --set factor=2 --set data=zeros:16 --out data=a.png"),
        ("C023", "vyre emit scale.vyre --target wire --json"),
        ("C024", "vyre opt scale.vyre --passes fold,dse"),
        ("C026", "vyre run scale.vyre --set factor=2 --items [1]"),
        ("C027", "vyre opt scale.vyre --stage 0"),
        ("C028", "vyre emit scale.vyre --target ptx --arch sm_91"),
        ("C029", "VYRE_PTXAS=none vyre emit scale.vyre --target sass"),
        ("C031", "vyre debug scale.vyre --backend cpu"),
        ("C050", "vyre bench mandlebrot"),
        ("C030", "vyre run scale.vyre --set factor=2 --threads 4 --trace missing/trace.json"),
        ("D001", "vyre run scale.vyre --set factor=2 --threads 4 --backend tpu"),
        ("D040", "vyre run scale.vyre --checked --set factor=2 --set data=zeros:100 --grid 2"),
        ("D006", "vyre run scale.vyre --set factor=2 --set data=zeros:1000000000000000 --grid 1"),
        ("B011", "vyre run scale.vyre --set factor=2 --set data=zeros:4 --grid 4294967295"),
        ("D002", "VYRE_THREADS=many vyre run scale.vyre --set factor=2 --threads 4 --backend cpu"),
    ] {
        cases.push(case(code, args, &files));
    }
    for (code, args, name, bytes) in [
        ("C003", "vyre check latin.wgsl", "latin.wgsl", b"// \xe9t\xe9".to_vec()),
        ("C015", "vyre run scale.vyre --set factor=int.npy --threads 4", "int.npy", npy("<i4")),
        ("C016", "vyre run scale.vyre --set factor=text.npy --threads 4", "text.npy", b"no array".to_vec()),
        (
            "C017",
            "vyre run scale.vyre --set data=text.png --set factor=2",
            "text.png",
            b"no picture".to_vec(),
        ),
    ] {
        let mut with = made(code, args, name, bytes);
        with.files.push(("scale.vyre", SCALE.as_bytes().into()));
        cases.push(with);
    }
    cases
}

fn devices() -> Vec<Case> {
    let run = |code, args, workgroup: &str, lines: &str| {
        made(code, args, "p.vyre", format!("program p workgroup({workgroup}) {{{lines}}}\n"))
    };
    vec![
        case("C025", "vyre ops --dialect maths", &[]),
        case("D008", "vyre run endless.vyre --grid 1 --timeout 0.1", &[("endless.vyre", ENDLESS)]),
        run("D020", "vyre run p.vyre --grid 1 --backend cpu", "64, 64, 1", "\n"),
        run(
            "D021",
            "vyre run p.vyre --grid 1 --backend cpu",
            "64, 1, 1",
            "\n  buffer tile: f32[1000000] workgroup read_write\n",
        ),
        run(
            "D303",
            "vyre run p.vyre --grid 1 --backend cpu-ref",
            "1024, 1, 1",
            "\n  buffer stack: f32[1000000] private read_write\n",
        ),
        run(
            "C040",
            "vyre run p.vyre --grid 1 --backend cpu --verify",
            "64, 1, 1",
            &format!(
                "{RACE}  if %5 {{\n    %6: u32 = add %4, %1\n    store data[%3], %6\n  }} else {{\n  }}\n"
            ),
        ),
        run(
            "C041",
            "vyre run p.vyre --grid 1 --backend cpu --verify --timeout 0.5",
            "64, 1, 1",
            &format!(
                "{RACE}  %6: bool = eq %4, %1\n  %7: bool = and %5, %6\n  loop () {{\n    %8: u32 = atomic_add data[%3], \
                 %1\n    yield %7\n  }}\n"
            ),
        ),
    ]
}

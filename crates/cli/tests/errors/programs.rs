//! What is wrong with a program: text form, wire form, verifier, importer, exporter.

use crate::{Case, case, made};

pub fn cases() -> Vec<Case> {
    [text(), wire(), verifier(), importer(), exporter()].into_iter().flatten().collect()
}

/// A program in text form around these lines.
fn program(lines: &str) -> String {
    format!(
        "program p workgroup(64, 1, 1) {{\n  buffer data: f32[] storage read_write @group(0) @binding(0)\n{lines}\n}}\n"
    )
}

fn text() -> Vec<Case> {
    let check = |code, lines: &str| made(code, "vyre check p.vyre", "p.vyre", program(lines));
    let condition = "  %0: bool = const true\n";
    let buffers: String = (0..4097).map(|i| format!("buffer b{i}: u32[1] workgroup read_write\n")).collect();
    vec![
        check("T001", "  %0: u32 = global_id x,"),
        check("T002", "  %0: f32 = const 2\n  %1: f32 = squrt %0"),
        check("T003", "  %0: float = const 2"),
        check("T004", "  %0: u32 = const 2\n  %2: u32 = add %0, %1"),
        check("T005", "  %0: u32 = const 2\n  %0: u32 = const 3"),
        check("T006", "  %0: u32 = const 2\n  %1: f32 = load dato[%0]"),
        check("T007", "  %0: u32 = const 1.5"),
        check("T008", &(condition.to_string() + &"if %0 {\n".repeat(300))),
        check("T009", &buffers),
    ]
}

/// A file in wire form with this body and its hash.
fn file(body: &[u8]) -> Vec<u8> {
    [b"VYRE\x01\0\0\0", &blake3::hash(body).as_bytes()[..], body].concat()
}

fn wire() -> Vec<Case> {
    let check = |code, bytes: Vec<u8>| made(code, "vyre check p.vyrw", "p.vyrw", bytes);
    // A table of words, then the program `p` of one instruction, `yield`.
    let rest: &[u8] = &[1, b'p', 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0];
    let body = |words: &[u8], rest: &[u8]| [words, rest].concat();
    let yields = b"\x01\x05yield";
    let good = file(&body(yields, rest));
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let buffers: &[u8] = &[1, b'p', 1, 1, 1, 0xff, 0xff, 1];
    vec![
        check("W001", b"MZ\x90\0".to_vec()),
        check("W002", with(4, 9)),
        check("W003", with(6, 1)),
        check("W004", good[..20].to_vec()),
        check("W005", with(good.len() - 1, 7)),
        check("W006", file(&body(yields, &[rest, &[0]].concat()))),
        check("W007", file(&[body(yields, buffers), vec![0; 40_000]].concat())),
        check("W008", file(&body(b"\x01\x05yeild", rest))),
        check("W009", file(&body(b"\x02\x05yield\x01x", rest))),
        check("W010", file(&body(yields, &[1, b'p', 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0]))),
    ]
}

fn verifier() -> Vec<Case> {
    let check = |code, lines: &str| made(code, "vyre check p.vyre", "p.vyre", program(lines));
    vec![
        check(
            "V001",
            "  %0: bool = const true\n  if %0 {\n    yield\n    %1: u32 = const 2\n  } else {\n  }",
        ),
        check("V003", "  %0: u32 = const 2\n  %1: u32 = sqrt %0"),
        check("V004", "  %0: f32x2 = const 2\n  %1: f32 = extract %0.w"),
        check(
            "V005",
            "  buffer table: f32[4] uniform read @group(0) @binding(1)\n  %0: u32 = const 2\n  %1: f32 = const 1\n  \
             store table[%0], %1",
        ),
        check("V006", "  buffer tile: f32[] workgroup read_write"),
        check("V007", "  buffer other: f32[] storage read @group(0) @binding(0)"),
        case("V008", "vyre check p.vyre", &[("p.vyre", "program p workgroup(64, 64, 64) {\n}\n")]),
        check(
            "V009",
            "  %0: u32 = global_id x\n  switch %0 {\n    case 1, 2 {\n    }\n    case 2 {\n    }\n    default {\n    }\n  }",
        ),
        check(
            "V011",
            "  %0: u32 = local_index\n  %1: u32 = const 7\n  %2: bool = lt %0, %1\n  if %2 {\n    workgroup_barrier\n  } \
             else {\n  }",
        ),
        check(
            "V014",
            "  %0: u32 = workgroup_id x\n  %1: u32 = const 7\n  %2: bool = lt %0, %1\n  if %2 {\n    grid_sync\n  } else {\n  }",
        ),
    ]
}

/// WGSL with a buffer `y` around this body of `main`.
fn wgsl(before: &str, body: &str) -> String {
    format!(
        "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n{before}\n@compute @workgroup_size(1) fn main() \
         {{\n  {body}\n}}\n"
    )
}

fn importer() -> Vec<Case> {
    let check =
        |code, before: &str, body: &str| made(code, "vyre check p.wgsl", "p.wgsl", wgsl(before, body));
    let calls: String = (1..300).map(|i| format!("fn f{i}() {{ f{}(); }}\n", i - 1)).collect();
    let set = made(
        "I003",
        "vyre check p.wgsl --override sise=4",
        "p.wgsl",
        wgsl("override size = 1u;", "y[0] = size;"),
    );
    vec![
        check("I001", "", "y[0] = 1.5;"),
        check("I002", "@group(0) @binding(1) var<uniform> u: array<u32, 4>;", "y[0] = u[0];"),
        set,
        case("I004", "vyre check p.wgsl", &[("p.wgsl", "fn f() {}\n")]),
        case("I005", "vyre check p.spv", &[("p.spv", "no SPIR-V at all")]),
        check(
            "I006",
            "struct In {\n  @align(64) a: u32\n}\nstruct Out { x: u32, i: In }\n@group(0) @binding(1) \
             var<storage, read_write> o: Out;",
            "o.i.a = 1u;",
        ),
        check("I012", "", &format!("y[0] = {}1u;", "-".repeat(10_000))),
        check("I013", "var<workgroup> w: array<u32, 500000000>;", "y[0] = w[y[1]];"),
        check("I014", &format!("fn f0() {{ y[0] += 1u; }}\n{calls}"), "f299();"),
        check("I020", "@group(0) @binding(1) var t: texture_2d<f32>;", "y[0] = textureDimensions(t).x;"),
        check("I023", "fn vyreGridSync(rounds: u32) {}", "vyreGridSync(2u);"),
        check("I021", "", "let a = f64(y[0]);\n  y[0] = u32(sin(a));"),
    ]
}

fn exporter() -> Vec<Case> {
    let emit = |code, args, lines: &str| made(code, args, "p.vyre", program(lines));
    let nested = |depth: usize| {
        let open = |i: usize| format!("%i{i}: u32 = const 1{i}\n%c{i}: bool = lt %g, %i{i}\nif %c{i} {{\n");
        let inside = "%x: f32 = const 1\nstore data[%g], %x\n";
        let opened: String = (0..depth).map(open).collect();
        "%g: u32 = global_id x\n".to_string() + &opened + inside + &"} else {\n}\n".repeat(depth)
    };
    vec![
        emit(
            "E002",
            "vyre emit p.vyre --target wgsl",
            "  buffer table: f32[] uniform read @group(0) @binding(1)\n  %0: u32 = global_id x\n  %1: f32 = load \
             table[%0]\n  store data[%0], %1",
        ),
        emit("E004", "vyre emit p.vyre --target wgsl", &nested(125)),
        emit(
            "E005",
            "vyre emit p.vyre --target msl",
            "  %0: u32 = global_id x\n  %1: f32 = load data[%0]\n  %2: f64 = convert %1\n  %3: f64 = mul %2, %2\n  %4: \
             f32 = convert %3\n  store data[%0], %4",
        ),
        emit("E008", "vyre emit p.vyre --target wgsl", "  grid_sync"),
    ]
}

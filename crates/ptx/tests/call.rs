//! Operations of dialects that have code in PTX: what `$0` and so on are, for each type. The page about dialects says the
//! same; its example runs here.

mod machine;

use vyre_ir::Version;
use vyre_ir::dialect::{DialectDef, OpDef, RegistryBuilder, Target, link};
use vyre_ptx::{Arch, Options, emit};

const PAGE: &str = include_str!("../../../docs/add-a-dialect.md");

/// What becomes of `y` by a program of these lines, with which `x` is read at `%i`.
fn run(op: &str, ptx: &str, types: [&str; 2], lines: &str, x: &[u8], y: usize) -> Vec<u8> {
    let def = OpDef::parse(op).unwrap_or_else(|e| panic!("{}", e[0]));
    // What says what is right is not asked here.
    let def = if def.body.is_some() { def } else { def.reference(|_| 0) };
    let def = def.lower(Target::Ptx, ptx);
    let dialect = DialectDef {
        name: "t".into(),
        version: Version::new(1, 0, 0),
        origin: "a test".into(),
        ops: vec![def],
        migrations: Vec::new(),
    };
    let registry = RegistryBuilder::new().dialect(dialect).build().unwrap_or_else(|e| panic!("{e}"));
    let [from, to] = types;
    let text = format!(
        "program p workgroup(1, 1, 1) {{
  buffer x: {from}[] storage read @group(0) @binding(0)
  buffer y: {to}[] storage read_write @group(0) @binding(1)
  %i: u32 = global_id x
{lines}
}}"
    );
    let program = vyre_ir::text::parse("p.vyre", &text).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    let program = link(&program, &registry).unwrap_or_else(|e| panic!("{}", e[0]));
    let program = vyre_opt::optimize(&program, &vyre_ptx::target());
    let kernel =
        emit(&program, &Options::new(Arch::parse("sm_80").unwrap())).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(kernel.merges, 1, "code of a dialect may look at its workgroup");
    let grid = [(y / bytes_of(to)) as u32, 1, 1];
    let mut after = machine::execute(&program, &kernel, grid, &[x.to_vec(), vec![0; y]], 0, true)
        .unwrap_or_else(|e| panic!("{op}: {e}"));
    after.pop().unwrap()
}

/// Bytes of a type by its name.
fn bytes_of(ty: &str) -> usize {
    ty.trim_start_matches(|c: char| c.is_ascii_alphabetic()).parse::<usize>().unwrap() / 8
}

/// An operation of one operand, applied to elements.
#[track_caller]
fn check(op: &str, ptx: &str, types: [&str; 2], x: &[u8], expected: &[u8]) {
    let [from, to] = types;
    let lines = format!("  %0: {from} = load x[%i]\n  %1: {to} = call t.f %0\n  store y[%i], %1");
    assert_eq!(run(op, ptx, types, &lines, x, expected.len()), expected, "{op}");
}

fn words(words: &[i32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn small_integers_are_extended_as_their_type_says() {
    let two = |n: [i16; 2]| n.map(i16::to_le_bytes).concat();
    check("op t.f(%x: i8) -> i32", "mov.u32 $0, $1;", ["i8", "i32"], &[254, 7, 0, 0], &words(&[-2, 7]));
    check("op t.f(%x: u8) -> u32", "mov.u32 $0, $1;", ["u8", "u32"], &[254, 7, 0, 0], &words(&[254, 7]));
    check("op t.f(%x: i16) -> i32", "mov.u32 $0, $1;", ["i16", "i32"], &two([-2, 7]), &words(&[-2, 7]));
    check("op t.f(%x: u16) -> u32", "mov.u32 $0, $1;", ["u16", "u32"], &two([-2, 7]), &words(&[65534, 7]));
}

/// What comes back is taken to be extended so, which only what follows can show.
#[test]
fn small_results_are_taken_as_they_are() {
    let cases = [
        ("i8", "cvt.s32.s8 $0, $1;", [-128, 1]),
        ("u8", "and.b32 $0, $1, 255;", [128, 1]),
        ("i16", "cvt.s32.s16 $0, $1;", [-32640, 257]),
        ("u16", "and.b32 $0, $1, 65535;", [32896, 257]),
    ];
    for (ty, ptx, expected) in cases {
        let lines = format!(
            "  %0: u32 = load x[%i]\n  %1: {ty} = call t.f %0\n  %2: i32 = convert %1\n  store y[%i], %2"
        );
        let x = words(&[0x8080, 0x10101]);
        let found = run(&format!("op t.f(%x: u32) -> {ty}"), ptx, ["u32", "i32"], &lines, &x, 8);
        assert_eq!(found, words(&expected), "{ty}");
    }
}

#[test]
fn other_types_have_registers_of_their_own() {
    let long = (-3i64).to_le_bytes();
    check("op t.f(%x: i64) -> i64", "add.s64 $0, $1, 2;", ["i64", "i64"], &long, &(-1i64).to_le_bytes());
    // 1.5 becomes -1.5.
    check("op t.f(%x: f16) -> f16", "neg.f16 $0, $1;", ["f16", "f16"], &[0, 0x3E, 0, 0], &[0, 0xBE]);
    check(
        "op t.f(%x: bf16) -> bf16",
        "neg.bf16 $0, $1;",
        ["bf16", "bf16"],
        &[0xC0, 0x3F, 0, 0],
        &[0xC0, 0xBF],
    );
    let (x, y) = (1.5f32.to_le_bytes(), (-1.5f32).to_le_bytes());
    check("op t.f(%x: f32) -> f32", "neg.f32 $0, $1;", ["f32", "f32"], &x, &y);
    let (x, y) = (1.5f64.to_le_bytes(), (-1.5f64).to_le_bytes());
    check("op t.f(%x: f64) -> f64", "neg.f64 $0, $1;", ["f64", "f64"], &x, &y);
}

#[test]
fn bools_are_predicates() {
    let lines = "  %0: u32 = load x[%i]
  %1: u32 = const 5
  %2: bool = lt %0, %1
  %3: bool = call t.f %2
  %4: u32 = const 10
  %5: u32 = const 20
  %6: u32 = select %3, %4, %5
  store y[%i], %6";
    let found =
        run("op t.f(%x: bool) -> bool", "not.pred $0, $1;", ["u32", "u32"], lines, &words(&[4, 5]), 8);
    assert_eq!(found, words(&[20, 10]));
}

#[test]
fn results_come_first_then_attributes_then_operands() {
    let op = "op t.f[%n: u32 = 100, %m: i8](%a: u32, %b: u32) -> (u32, u32) {\n  yield %a, %b\n}";
    let ptx = "mad.lo.u32 $0, $4, $2, $5;
    mad.lo.u32 $1, $5, $2, $3;";
    let lines = |call: &str| {
        format!(
            "  %0: u32 = load x[%i]
  %1: u32 = const 7
  %2: u32, %3: u32 = call t.f[{call}] %0, %1
  %4: u32 = const 1000
  %5: u32 = mul %2, %4
  %6: u32 = add %5, %3
  store y[%i], %6"
        )
    };
    for (call, expected) in [("m: i8 = -5", 307_000 + 695), ("n: u32 = 10, m: i8 = 3", 37_000 + 73)] {
        let found = run(op, ptx, ["u32", "u32"], &lines(call), &words(&[3]), 4);
        assert_eq!(found, words(&[expected]), "{call}");
    }
}

#[test]
fn the_page_is_right() {
    let block = |start: &str| {
        let (_, rest) = PAGE.split_once(start).expect(start);
        rest.split_once("```").unwrap().0
    };
    let (op, ptx) = (block("```text\nop ").trim(), block("```ptx\n"));
    let op = format!("op {}", op.replacen("lane.average", "t.f", 1));
    // Twice, since what the code declares is its own.
    let lines = "  %0: u8 = load x[%i]
  %1: u8 = const 9
  %2: u8 = call t.f %0, %1
  %3: u8 = call t.f[up: bool = true] %0, %1
  %4: u32 = convert %2
  %5: u32 = convert %3
  %6: u32 = const 1000
  %7: u32 = mul %4, %6
  %8: u32 = add %7, %5
  store y[%i], %8";
    let found = run(&op, ptx, ["u8", "u32"], lines, &[9, 10, 254, 255], 16);
    assert_eq!(found, words(&[9009, 9010, 131_132, 132_132]));
}

//! What cannot be imported says so: code, words, line. Nothing panics, hangs or overflows the stack.

use vyre_ir::Diagnostic;
use vyre_wgsl::{ImportOptions, import_spirv, import_wgsl};

/// The errors of a source, as (code, line, text).
fn errors(source: &str, options: &ImportOptions) -> Vec<(String, Option<usize>, String)> {
    let line = |d: &Diagnostic| {
        let (label, source) = (d.labels.first()?, d.source.as_ref()?);
        Some(source.line_column(label.loc.start).0)
    };
    match import_wgsl("test.wgsl", source, options) {
        Ok(_) => Vec::new(),
        Err(list) => list.iter().map(|d| (d.code.to_string(), line(d), d.to_string())).collect(),
    }
}

fn check(source: &str, code: &str, line: Option<usize>, text: &str) {
    check_with(source, &ImportOptions::default(), code, line, text);
}

fn check_with(source: &str, options: &ImportOptions, code: &str, line: Option<usize>, text: &str) {
    let found = errors(source, options);
    let shown: String = source.chars().take(300).collect();
    let [(c, l, t)] = found.as_slice() else { panic!("one error is expected, not {found:?}\n{shown}") };
    assert_eq!(c, code, "{t}\n{shown}");
    assert_eq!(*l, line, "{t}\n{shown}");
    assert!(t.contains(text), "{t} should contain {text:?}\n{shown}");
}

const MAIN: &str = "@compute @workgroup_size(1) fn main() { y[0] = 1u; }";
const Y: &str = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n";

#[test]
fn naga_refuses() {
    check("fn f( {", "I001", Some(1), "expected");
    check(&format!("{Y}{MAIN}\nfn f() -> u32 {{\n  return 1.5;\n}}"), "I001", Some(4), "");
    check(&format!("{Y}\n\n@compute @workgroup_size(1) fn main() {{\n  y[0] = z;\n}}"), "I001", Some(5), "z");
    check(
        "@group(0) @binding(0) var<uniform> u: array<u32, 4>;\n@compute @workgroup_size(1) fn main() { _ = u[0]; }",
        "I002",
        Some(1),
        "",
    );
}

#[test]
fn entry_points() {
    let two = format!("{Y}{MAIN}\n@compute @workgroup_size(1) fn other() {{ y[1] = 1u; }}");
    check("fn f() {}", "I004", None, "no compute entry point");
    check(&two, "I004", None, "`main`, `other`");
    let named = |name: &str| ImportOptions { entry: Some(name.into()), ..ImportOptions::default() };
    check_with(&two, &named("nobody"), "I004", None, "`nobody`");
    assert_eq!(import_wgsl("test.wgsl", &two, &named("other")).expect("it imports").name, "other");
    check("@fragment fn f() {}", "I004", None, "no compute entry point");
}

#[test]
fn overrides() {
    let source = format!("{Y}override a: u32;\n@compute @workgroup_size(a) fn main() {{ y[0] = a; }}");
    check(&source, "I003", None, "`a` has no value");
    let with = |name: &str, value: f64| ImportOptions {
        overrides: vec![(name.into(), value)],
        ..ImportOptions::default()
    };
    check_with(&source, &with("b", 1.0), "I003", None, "no override `b`");
    check_with(&source, &with("a", 0.0), "I003", None, "");
    check_with(&source, &with("a", -1.0), "I003", None, "");
    check_with(&source, &with("a", f64::NAN), "I003", None, "");
}

#[test]
fn constructs() {
    let texture = format!(
        "{Y}@group(0) @binding(1) var t: texture_2d<f32>;
@compute @workgroup_size(1) fn main() {{ y[0] = u32(textureLoad(t, vec2<i32>(0), 0).x); }}"
    );
    check(&texture, "I020", Some(2), "a texture cannot be imported");
    let double = format!(
        "{Y}@compute @workgroup_size(1) fn main() {{\n  let a = f64(y[0]);\n  y[0] = u32(sin(a));\n}}"
    );
    check(&double, "I021", Some(4), "`sin` is not defined for f64");
    let huge = format!(
        "{Y}var<workgroup> w: array<u32, 500000000>;\n@compute @workgroup_size(1) fn main() {{ y[0] = w[y[1]]; }}"
    );
    check(&huge, "I013", Some(2), "`w` takes 2000000000 bytes of workgroup memory");
}

#[test]
fn alignment_that_naga_forgets() {
    let source = |outer: &str| {
        format!(
            "struct In {{\n  @align(64) a: f32\n}}\nstruct Out {{ x: u32, {outer}i: In }}
             @group(0) @binding(0) var<storage, read_write> o: Out;
             @compute @workgroup_size(1) fn main() {{ o.i.a = 1.0; }}"
        )
    };
    check(&source(""), "I006", Some(2), "@align");
    assert_eq!(errors(&source("@align(64) "), &ImportOptions::default()), []);
    // An alignment that the members have anyway is no problem.
    let plain = format!(
        "struct P {{ @align(4) a: u32, b: u32 }} @group(0) @binding(1) var<storage, read> p: array<P>; {Y}{MAIN}"
    );
    assert_eq!(errors(&plain, &ImportOptions::default()), []);
}

#[test]
fn bombs() {
    let expression = |text: String| format!("{Y}@compute @workgroup_size(1) fn main() {{ y[0] = {text}; }}");
    check(&expression("(".repeat(100_000)), "I012", Some(2), "brackets nest");
    check(&expression("-".repeat(100_000) + "1u"), "I012", Some(2), "operators");
    check(&expression("1u + ".repeat(100_000) + "1u"), "I012", Some(2), "operators");
    let elses = "else if y[0] == 2u { y[1] = 3u; } ".repeat(100_000);
    check(
        &format!("{Y}@compute @workgroup_size(1) fn main() {{ if y[0] == 1u {{ }} {elses} }}"),
        "I012",
        Some(2),
        "`else if`",
    );
    check(&" ".repeat(50 << 20), "I012", None, "52428800 bytes");
    check(&"@".repeat(1 << 20), "I001", Some(1), "");
    check(&"/*".repeat(1 << 20), "I001", Some(1), "");
    let exits = "if y[0] == 1u { return; } y[1] += 1u; ".repeat(600);
    check(
        &format!("{Y}@compute @workgroup_size(1) fn main() {{ {exits} }}"),
        "I014",
        Some(2),
        "nests deeper",
    );
    // Each function calls the one before it ten times.
    let mut tree = format!("{Y}fn f0() {{ y[0] += 1u; }}\n");
    for i in 1..12 {
        tree += &format!("fn f{i}() {{ {} }}\n", format!("f{}(); ", i - 1).repeat(10));
    }
    check(&format!("{tree}@compute @workgroup_size(1) fn main() {{ f11(); }}"), "I013", None, "instructions");
    let mut chain = format!("{Y}fn f0() {{ y[0] += 1u; }}\n");
    for i in 1..1000 {
        chain += &format!("fn f{i}() {{ f{}(); }}\n", i - 1);
    }
    check(&format!("{chain}@compute @workgroup_size(1) fn main() {{ f999(); }}"), "I014", None, "calls nest");
}

#[test]
fn many_statements_are_no_problem() {
    // Sequences must not nest: neither blocks nor conditions without exits.
    let body = "{ let a = y[0]; y[1] = a; } if y[0] == 1u { y[1] += 1u; } for (var i = 0u; i < 2u; i++) { y[2] += i; } ";
    let source = format!("{Y}@compute @workgroup_size(1) fn main() {{ {} }}", body.repeat(2000));
    assert_eq!(errors(&source, &ImportOptions::default()), []);
}

#[test]
fn spirv() {
    let refuse =
        |bytes: &[u8]| import_spirv("test.spv", bytes, &ImportOptions::default()).unwrap_err()[0].clone();
    assert_eq!(refuse(b"").code, "I005");
    assert_eq!(refuse(b"\x03\x02#\x07").code, "I005");
    assert_eq!(refuse(b"no SPIR-V at all").code, "I005");
    let program =
        import_wgsl("test.wgsl", &format!("{Y}{MAIN}"), &ImportOptions::default()).expect("it imports");
    let good = vyre_wgsl::export::spirv(&program, &|_| false).expect("it exports");
    // Cut anywhere, or with a word overwritten, it is a program or an error.
    for cut in 0..good.len() {
        let _ = import_spirv("test.spv", &good[..cut], &ImportOptions::default());
    }
    for word in 0..good.len() / 4 {
        for value in [0u32, 1, 7, u32::MAX] {
            let mut bad = good.clone();
            bad[word * 4..word * 4 + 4].copy_from_slice(&value.to_le_bytes());
            let _ = import_spirv("test.spv", &bad, &ImportOptions::default());
        }
    }
}

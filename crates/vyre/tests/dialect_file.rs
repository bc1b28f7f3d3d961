//! Dialects in files on devices: bodies in WGSL, and programs that are compiled again when an operation changes.

use vyre::{CacheSource, Device, DialectRegistry, DispatchConfig, load_dialect_text, typed};
use vyre_ir::text::parse;

/// A file with one operation in WGSL; its text begins in line 10.
fn wgsl(dialect: &str, op: &str, text: &str) -> String {
    format!(
        "[dialect]\nname = \"{dialect}\"\nversion = \"1.0.0\"\n[[op]]\n{op}\n\nlanguage = \"wgsl\"\nbody = '''\n{text}'''\n"
    )
}

/// What a program that calls the operation on each element gives on a device.
fn run(device: &Device, call: &str, ty: &str, x: &[u32]) -> (Vec<u32>, CacheSource) {
    let text = format!(
        "program p workgroup(64, 1, 1) {{\n  buffer data: u32[] storage read_write @group(0) @binding(0)\n  %i: u32 = \
         global_id x\n  %x: u32 = load data[%i]\n  %y: {ty} = bitcast %x\n  %z: {ty} = call {call}\n  %r: u32 = bitcast \
         %z\n  store data[%i], %r\n}}"
    );
    let program = parse(
        "p.vyre",
        &text.replace("%y: u32 = bitcast %x", "%y: u32 = or %x, %x").replace(
            "%r: u32 = bitcast %z\n",
            if ty == "u32" { "%r: u32 = or %z, %z\n" } else { "%r: u32 = bitcast %z\n" },
        ),
    );
    let config = DispatchConfig::default();
    let compiled = device.compile(&program.unwrap(), &config).unwrap_or_else(|error| panic!("{error}"));
    let outputs = compiled.dispatch_typed(&[typed(x)], &config).unwrap();
    (outputs.get(0).unwrap(), compiled.source())
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn problems(text: &str) -> Vec<String> {
    load_dialect_text("w.toml", text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn wgsl_bodies_run_on_every_device() {
    let op =
        "name = \"saw\"\nattributes = [\"steps: u32 = 4\"]\noperands = [\"x: f32\"]\nresults = [\"f32\"]";
    let text = "
        fn part(x: f32) -> f32 { return x - floor(x); }
        fn saw(steps: u32, x: f32) -> f32 {
            if steps == 0u { return 0.0; }
            let n = f32(steps);
            return floor(part(x) * n) / n;
        }
";
    load_dialect_text("wave.toml", &wgsl("wave", op, text)).unwrap();
    for id in ["cpu", "cpu-ref"] {
        let device = Device::open(id).unwrap();
        let x = bits(&[0.0, 0.3, 1.55, -0.2]);
        let expected = bits(&[0.0, 0.25, 0.5, 0.75]);
        assert_eq!(run(&device, "wave.saw %y", "f32", &x).0, expected, "{id}");
        assert_eq!(run(&device, "wave.saw[steps: u32 = 2] %y", "f32", &x).0, bits(&[0.0, 0.0, 0.5, 0.5]));
        assert_eq!(run(&device, "wave.saw[steps: u32 = 0] %y", "f32", &x).0, [0; 4]);
    }
}

#[test]
fn wgsl_bodies_have_loops_vectors_and_several_results() {
    let op = "name = \"gcd\"\noperands = [\"a: u32\", \"b: u32\"]\nresults = [\"u32\"]\nlaws = [\"commutative\", { identity = 0 }]";
    let text = "fn gcd(a: u32, b: u32) -> u32 {\n var x = a; var y = b;\n loop { if y == 0u { break; } let r = x % y; x = y; y = r; }\n return x;\n}\n";
    load_dialect_text("gcd.toml", &wgsl("gcd", op, text)).unwrap();
    let device = Device::open("cpu").unwrap();
    assert_eq!(run(&device, "gcd.gcd %x, %i", "u32", &[7, 12, 6, 9]).0, [7, 1, 2, 3]);
    let op = "name = \"turn\"\noperands = [\"v: f32x2\"]\nresults = [\"f32x2\", \"bool\"]";
    let text = "struct Two { v: vec2<f32>, up: bool }\nfn turn(v: vec2<f32>) -> Two { return Two(vec2(-v.y, v.x), v.y > 0.0); }";
    load_dialect_text("turn.toml", &wgsl("turn", op, text)).unwrap();
    let turn = DialectRegistry::global().find("turn.turn").unwrap().clone();
    let lane = |x: f32| x.to_bits() as u64;
    let results = vyre_ir::dialect::evaluate(&turn, &[], &[[lane(1.0), lane(2.0), 0, 0]]).unwrap();
    assert_eq!(results, [[lane(-2.0), lane(1.0), 0, 0], [1, 0, 0, 0]]);
}

#[test]
fn problems_in_wgsl_are_at_their_place_in_the_file() {
    let op = "name = \"f\"\noperands = [\"x: f32\"]\nresults = [\"f32\"]";
    let one = |text: &str| {
        let found = problems(&wgsl("w", op, text));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    for (text, expected) in [
        (
            "\n  fn f(x: f32) -> f32 { return y; }\n",
            "w.toml:12:32: error[I001]: no definition in scope for identifier: `y`",
        ),
        ("fn f(x: f32) -> f32 { return 1u; }\n", "w.toml:11:"),
        (
            "fn g(x: f32) -> f32 { return x; }\n",
            "w.toml:10:8: error[I022]: there is no function `f` Fix: Begin it with `fn f(x: f32) -> f32 {`.",
        ),
        (
            "\nfn f(y: f32) -> f32 { return y; }\n",
            "w.toml:12:1: error[I022]: the parameters of `f` are not those of the operation",
        ),
        ("\n fn f(x: u32) -> f32 { return 1.0; }\n", "w.toml:12:2: error[I022]: the parameters of `f`"),
        ("fn f(x: f32) -> u32 { return 1u; }\n", "w.toml:11:1: error[I022]: `f` does not give f32"),
        ("fn f(x: f32) { }\n", "w.toml:11:1: error[I022]: `f` does not give f32"),
        (
            "var<private> p: f32;\nfn f(x: f32) -> f32 { p = x; return p; }\n",
            "error[I020]: the variable `p` outside of functions cannot be imported",
        ),
        (
            "fn f(x: f32) -> f32 {\n var a: array<f32, 9>;\n a[u32(x)] = x;\n return a[1]; }\n",
            "error[I020]: `w.f` needs memory",
        ),
        (
            "override k: f32;\nfn f(x: f32) -> f32 { return k; }\n",
            "w.toml:11:1: error[I020]: an operation's body has no `override`",
        ),
        ("fn f(x: f32) -> f32 { return dpdx(x); }\n", "error["),
        ("fn f(x: f32) -> f32 {\n  return subgroupAdd(x);\n}\n", "w.toml:12:"),
    ] {
        let found = one(text);
        assert!(found.contains(expected) && found.contains("w.toml:"), "{expected}\n{found}");
    }
}

#[test]
fn a_changed_operation_is_compiled_anew() {
    let file = |n: u32| {
        wgsl(
            "hot",
            "name = \"f\"\noperands = [\"x: u32\"]\nresults = [\"u32\"]",
            &format!("fn f(x: u32) -> u32 {{ return x + {n}u; }}"),
        )
    };
    for id in ["cpu", "cpu-ref"] {
        let device = Device::open(id).unwrap();
        let run = || run(&device, "hot.f %x", "u32", &[1, 2]);
        load_dialect_text("hot.toml", &file(10)).unwrap();
        assert_eq!(run(), (vec![11, 12], CacheSource::Compiled), "{id}");
        assert_eq!(run(), (vec![11, 12], CacheSource::Memory));
        load_dialect_text("hot.toml", &file(20)).unwrap();
        assert_eq!(run(), (vec![21, 22], CacheSource::Compiled));
        // What comes back has been compiled already.
        load_dialect_text("hot.toml", &file(10)).unwrap();
        assert_eq!(run(), (vec![11, 12], CacheSource::Memory));
        // Another body that is refused changes nothing.
        assert!(load_dialect_text("hot.toml", &file(30).replace("u; }", "i; }")).is_err());
        assert_eq!(run(), (vec![11, 12], CacheSource::Memory));
    }
}

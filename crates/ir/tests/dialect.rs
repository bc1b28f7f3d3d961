//! Operations of dialects: their text form, calls of them, and what may be one.

use std::sync::Arc;
use vyre_ir::dialect::*;
use vyre_ir::text::{parse, parse_function, parse_op, parse_ops};
use vyre_ir::verify::verify;
use vyre_ir::*;

const HORNER: &str = "op demo.horner[%n: u32 = 3, %half: f32](%x: f32, %3: f32) -> (f32, u32) {
  %4: u32 = add %n, %n
  %5: f32 = mul %x, %half
  %6: f32 = call demo.scale[by: f32 = 2.5] %5
  yield %6, %4
}
";

fn dialect(version: &str, ops: &str) -> DialectDef {
    let ops = parse_ops("demo", ops).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let version = Version::parse(version).unwrap();
    DialectDef { name: "demo".into(), version, origin: "a test".into(), ops, migrations: Vec::new() }
}

const SCALE: &str = "op demo.scale[%by: f32 = 2](%x: f32) -> f32 {
  %2: f32 = mul %x, %by
  yield %2
}
";

fn registry(ops: &str) -> Result<DialectRegistry, RegistryError> {
    RegistryBuilder::new().dialect(dialect("1.2.0", ops)).build()
}

fn program(lines: &str) -> Program {
    parse("p.vyre", &format!("program p workgroup(1, 1, 1) {{\n{lines}\n}}\n"))
        .unwrap_or_else(|e| panic!("{}", e[0]))
}

fn problems(ops: &str) -> Vec<String> {
    registry(ops).unwrap_err().problems.iter().map(Diagnostic::to_string).collect()
}

#[test]
fn functions_print_as_they_are_written() {
    assert_eq!(parse_function("f", HORNER).unwrap().to_string(), HORNER);
    let def = parse_op("f", HORNER).unwrap();
    assert_eq!(def.to_string(), HORNER.split(" {").next().unwrap());
    assert_eq!(def.category, Category::Composite);
    assert_eq!(def.signature.operands, [Scalar::F32.into(); 2]);
    assert_eq!(def.attributes[0], AttributeDef { name: "n".into(), ty: Scalar::U32, default: Some(3) });
    assert_eq!(def.attributes[1].default, None);
    let header = "op demo.pi() -> f32";
    let def = parse_op("f", header).unwrap();
    assert_eq!((def.to_string().as_str(), def.category), (header, Category::Intrinsic));
}

#[test]
fn calls_print_as_they_are_written() {
    let lines = "  %0: f32 = const 1.0
  %1: f32 = call demo.scale %0
  %2: f32 = call demo.scale[by: f32 = 3.0] %0
  %3: f32 = call demo.scale@1.0.0 %0
  %4: f32, %5: u32 = call demo.horner@\"1.0.0-beta.2\"[half: f32 = 0.5, n: u32 = 7] %0, %1
  %6: f32 = call demo.pi
  %7: f32 = call \"no name\" %0";
    let text = format!("program p workgroup(1, 1, 1) {{\n{lines}\n}}\n");
    assert_eq!(program(lines).to_string(), text);
}

#[test]
fn builder_calls() {
    let mut b = Builder::new("p", [1, 1, 1]);
    let x = b.number(Scalar::F32, 4.0);
    let call = Call::new("demo.scale").with("by", Scalar::F32, 2f32.to_bits() as u64);
    b.call(call, &[x], &[Scalar::F32.into()]);
    let text = "  %0: f32 = const 4.0\n  %1: f32 = call demo.scale[by: f32 = 2.0] %0";
    assert_eq!(b.finish().to_string(), program(text).to_string());
}

#[test]
fn linking_takes_definitions_and_defaults_from_one_snapshot() {
    let registry = registry(&format!("{HORNER}{SCALE}")).unwrap();
    let p = program("%0: f32 = const 1.0\n%1: f32 = call demo.scale %0");
    let linked = link(&p, &registry).unwrap();
    assert!(linked.to_string().contains("call demo.scale@1.2.0[by: f32 = 2.0] %0"), "{linked}");
    assert_eq!(verify(&linked), Ok(()));
    let (call, def) =
        linked.insts.values().find_map(|data| linked.call(data)).map(|c| (c, c.def.as_ref())).unwrap();
    assert!(Arc::ptr_eq(def.unwrap(), registry.find("demo.scale").unwrap()));
    assert_eq!(call.attributes.len(), 1);
    // The call inside `horner` is linked to the same definition.
    let body = registry.find("demo.horner").unwrap().body.clone().unwrap();
    let inner = body.program.insts.values().find_map(|data| body.program.call(data)).unwrap();
    assert!(Arc::ptr_eq(inner.def.as_ref().unwrap(), def.unwrap()));
}

#[test]
fn calls_that_do_not_fit_are_refused() {
    let registry = registry(&format!("{HORNER}{SCALE}")).unwrap();
    let cases = [
        (
            "%1: f32 = call demo.scael %0",
            "error[V012]: there is no operation `demo.scael` Fix: Did you mean `demo.scale`?",
        ),
        (
            "%1: f32 = call other.scale %0",
            "error[V012]: there is no operation `other.scale` Fix: Link or load the dialect `other`.",
        ),
        ("%1: f32 = call demo.scale", "error[V013]: `call demo.scale` takes f32; here its operands are none"),
        (
            "%1: u32 = call demo.scale %0",
            "error[V013]: `call demo.scale` gives f32; here its results are u32",
        ),
        (
            "%1: f32 = call demo.scale[bye: f32 = 1] %0",
            "error[V013]: `call demo.scale` has no attribute `bye`",
        ),
        (
            "%1: f32 = call demo.scale[by: u32 = 1] %0",
            "error[V013]: `call demo.scale` has the attribute `by` of type f32, not u32",
        ),
        (
            "%1: f32 = call demo.scale[by: f32 = 1, by: f32 = 1] %0",
            "error[V013]: `call demo.scale` gives the attribute `by` twice",
        ),
        (
            "%1: f32, %2: u32 = call demo.horner %0, %0",
            "error[V013]: `call demo.horner` needs the attribute `half`",
        ),
    ];
    for (line, expected) in cases {
        let errors = link(&program(&format!("%0: f32 = const 1.0\n{line}")), &registry).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].to_string().split_once(": ").unwrap().1, expected, "{line}");
    }
}

#[test]
fn every_problem_is_listed_at_once() {
    let found = problems(
        "op demo.nothing(%x: f32) -> f32
         op other.one(%x: f32) -> f32 { yield %x }
         op demo.twice(%x: f32) -> f32 { yield %x }
         op demo.twice(%x: f32) -> f32 { yield %x }
         op \"demo.a b\"(%x: f32) -> f32 { yield %x }
         op demo.wrong(%x: f32) -> u32 { yield %x }
         op demo.id(%x: f32) -> u32 {
           %0: u32 = global_id x
           yield %0
         }",
    );
    let has = |part: &str| assert!(found.iter().any(|p| p.contains(part)), "{part}: {found:#?}");
    has("error[O004]: `demo.nothing` is an intrinsic and has no lowering");
    has("error[O001]: `other.one` is registered under the dialect `demo`");
    has("error[O003]: the operation `demo.twice` is registered twice: by a test and by a test");
    has("error[O001]: `demo.a b` is no id of an operation");
    has("error[O005]: the body of `demo.wrong`: `yield` gives f32, but its region must give u32");
    has("error[O005]: the body of `demo.id` uses `global_id`");
}

#[test]
fn recursion_is_an_error() {
    let op = |name: &str, calls: &str| {
        format!("op demo.{name}(%x: f32) -> f32 {{\n%0: f32 = call demo.{calls} %x\nyield %0\n}}\n")
    };
    assert_eq!(
        problems(&op("a", "a")),
        ["error[O006]: an operation calls itself: `demo.a` calls `demo.a` Fix: Use a loop in the body."]
    );
    let three = [op("a", "b"), op("b", "c"), op("c", "b"), op("d", "a")].concat();
    assert_eq!(
        problems(&three),
        [
            "error[O006]: an operation calls itself: `demo.b` calls `demo.c` calls `demo.b` Fix: Use a loop in the body."
        ]
    );
    let nothing = problems(&op("a", "nothing"));
    assert!(
        nothing[0].contains("error[V012]: the body of `demo.a`: there is no operation `demo.nothing`"),
        "{nothing:?}"
    );
}

#[test]
fn target_ids_are_stable() {
    let ids: Vec<u32> = dialect::Target::ALL.iter().map(|t| t.id()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(dialect::Target::Extension(3).id(), 65539);
    for target in dialect::Target::ALL.into_iter().chain([0, 9, u16::MAX].map(dialect::Target::Extension)) {
        assert_eq!(dialect::Target::from_id(target.id()), Some(target));
    }
    for id in [0, 8, 65535, 131072, u32::MAX] {
        assert_eq!(dialect::Target::from_id(id), None);
    }
}

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

/// Each operation calls the one before twice.
fn doubling(levels: usize) -> String {
    (1..levels).fold("op demo.f0(%x: f32) -> f32 {\nyield %x\n}\n".into(), |text, i| {
        let before = i - 1;
        format!(
            "{text}op demo.f{i}(%x: f32) -> f32 {{\n%0: f32 = call demo.f{before} %x\n%1: f32 = call demo.f{before} %0\nyield %1\n}}\n"
        )
    })
}

#[test]
fn size_and_depth_are_bounded_when_calls_are_linked() {
    let calls = |count: usize| -> Program {
        let lines: String = (0..count).map(|i| format!("%r{i}: f32 = call demo.f19 %0\n")).collect();
        program(&format!("%0: f32 = const 1.0\n{lines}"))
    };
    let registry_20 = registry(&doubling(20)).unwrap();
    // An operation of level n has 2 * size(n - 1) + 1 instructions, so level 19 has 2^20 - 1.
    assert_eq!(registry_20.find("demo.f19").unwrap().size(), (1 << 20) - 1);
    assert!(link(&calls(1), &registry_20).is_ok());
    let errors = link(&calls(2), &registry_20).unwrap_err();
    assert!(
        errors[0]
            .to_string()
            .contains("error[V010]: with the operations it calls, the program has 2097152 instructions"),
        "{}",
        errors[0]
    );
    let large = problems(&doubling(30));
    assert!(
        large[0].contains("error[V010]") && large[0].contains("`demo.f20` has 2097151 instructions"),
        "{}",
        large[0]
    );
    let chain: String =
        (1..300).fold("op demo.f0(%x: f32) -> f32 {\nyield %x\n}\n".into(), |text: String, i| {
            text + &format!(
                "op demo.f{i}(%x: f32) -> f32 {{\n%0: f32 = call demo.f{} %x\nyield %0\n}}\n",
                i - 1
            )
        });
    let deep = problems(&chain);
    assert!(deep[0].contains("nested 257 deep"), "{}", deep[0]);
}

#[test]
fn deprecated_operations_are_noticed_and_run() {
    let mut demo = dialect("1.2.0", SCALE);
    demo.ops[0] = demo.ops[0].clone().deprecated(Version::new(1, 1, 0), "Use `mul`.");
    let registry = RegistryBuilder::new().dialect(demo).build().unwrap();
    let p = program("%0: f32 = const 1.0\n%1: f32 = call demo.scale %0\n%2: f32 = call demo.scale %0");
    let linked = link(&p, &registry).unwrap();
    let notices: Vec<String> = notices(&linked).iter().map(Diagnostic::to_string).collect();
    assert_eq!(
        notices,
        ["p.vyre:3:1: warning[O009]: `demo.scale` is deprecated since version 1.1.0 Fix: Use `mul`."]
    );
}

#[test]
fn programs_without_calls_are_encoded_as_ever() {
    // The bytes as they were before there were calls, word by word.
    let p = parse("p", "program p workgroup(1, 2, 3) {\n%0: u32 = const 7\n}").unwrap();
    let body: &[u8] =
        b"\x03\x05const\x03u32\x05yield\x01p\x01\x02\x03\0\0\x02\0\x01\x07\0\0\0\x01\x01\0\0\x02\0\0\0\0";
    assert_eq!(&wire::encode(&p)[40..], body);
    assert_eq!(wire::fingerprint(&p), *blake3::hash(body).as_bytes());
}

#[test]
fn what_a_definition_lacks() {
    let one = |change: &dyn Fn(OpDef) -> OpDef, text: &str| {
        let mut demo = dialect("1.0.0", text);
        demo.ops[0] = change(demo.ops[0].clone());
        match RegistryBuilder::new().dialect(demo).build() {
            Ok(_) => "fine".into(),
            Err(error) => error.problems[0].message.clone(),
        }
    };
    let (header, vector) = ("op demo.f(%x: f32) -> f32", "op demo.f(%x: f32x2) -> f32x2");
    let wgsl = dialect::Target::Wgsl;
    let extension = dialect::Target::Extension(1);
    let id: Reference = |v| v[0];
    let native = dialect::Target::NativeModule;
    let composite = |mut d: OpDef| {
        d.category = Category::Composite;
        d
    };
    let cases: Vec<(String, &str)> = vec![
        (
            one(&|d| d.lower(wgsl, "x"), header),
            "`demo.f` is an intrinsic and has no reference semantics, neither a body nor a function",
        ),
        (one(&|d| d.lower(wgsl, "x").reference(id), header), "fine"),
        (one(&|d| d.lower(wgsl, "x"), SCALE), "fine"),
        (
            one(&|d| d.lower(wgsl, "x").lower(wgsl, "y").reference(id), header),
            "`demo.f` has two lowerings for WGSL",
        ),
        (
            one(&|d| d.lower(native, "x").reference(id), header),
            "`demo.f` has text for native code, which takes a function",
        ),
        (
            one(&|d| d.lower(wgsl, id).reference(id), header),
            "`demo.f` has a function for WGSL, which takes text",
        ),
        (
            one(&|d| d.reference(id), vector),
            "`demo.f` has a function, but not scalars as operands and one scalar as result",
        ),
        (one(&|d| d.extension(), header), "`demo.f` is an extension and has no lowering"),
        (one(&|d| d.extension().lower(extension, "x"), header), "fine"),
        (
            one(&|d| d.extension().lower(wgsl, "x"), header),
            "`demo.f` is an extension and has more than lowerings for extensions",
        ),
        (one(&composite, header), "`demo.f` is a composite and has no body"),
        (
            one(&|d| composite(d.lower(wgsl, "x")), SCALE),
            "`demo.scale` is a composite and has lowerings, which only intrinsics have",
        ),
    ];
    for (i, (found, expected)) in cases.iter().enumerate() {
        assert_eq!(found, expected, "case {i}");
    }
}

#[test]
fn bodies_are_evaluated() {
    let registry = registry(&format!("{HORNER}{SCALE}")).unwrap();
    let lanes = |x: f32| [x.to_bits() as u64, 0, 0, 0];
    let horner = registry.find("demo.horner").unwrap();
    // n = 5 and half = 0.5: (8 * 0.5) * 2.5, and 5 + 5.
    let results = evaluate(horner, &[5, 0.5f32.to_bits() as u64], &[lanes(8.0), lanes(0.0)]).unwrap();
    assert_eq!(results, [lanes(10.0), [10, 0, 0, 0]]);
    let endless = OpDef::parse(
        "op demo.endless(%x: bool) -> bool {\n%t: bool = const true\n%r: bool = loop (%p: bool = %x) {\nyield %t, %p\n}\nyield %r\n}",
    )
    .unwrap();
    assert_eq!(evaluate(&endless, &[], &[[0; 4]]), None);
}

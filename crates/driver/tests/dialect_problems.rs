//! What is wrong with operations that are linked into the process is an error when the registry is built, all at once;
//! what is right can be used, except to run programs: those with calls are refused.

use vyre_driver::{
    DialectRegistry, DuplicateOpIdError, ExternDialect, ExternOp, InTreeDialect, OpDef, OpMigration, Version,
    link,
};
use vyre_ir::inventory;
use vyre_ir::text::parse;

fn op(id: &str) -> Result<OpDef, Vec<vyre_ir::Diagnostic>> {
    OpDef::parse(&format!("op {id}(%x: u32) -> u32 {{\n  yield %x\n}}"))
}

fn circle() -> Vec<OpMigration> {
    let rename = |from, to, major| OpMigration::rename(from, to, Version::new(major, 0, 0));
    vec![
        rename("circle.a", "circle.b", 1),
        rename("circle.b", "circle.a", 2),
        rename("circle.lost", "circle.gone", 1),
    ]
}

inventory::submit! { ExternDialect::new("good", "1.0.0", "a test") }
inventory::submit! { ExternDialect::new("circle", "2.0.0", "a test").migrations(circle) }
inventory::submit! { ExternDialect::new("old", "one", "a test") }
inventory::submit! { ExternOp::new("good", || op("good.right")) }
inventory::submit! { ExternOp::new("good", || op("good.twice")) }
inventory::submit! { ExternOp::new("good", || op("good.twice")) }
inventory::submit! { ExternOp::new("nowhere", || op("nowhere.op")) }
inventory::submit! { ExternOp::new("good", || op("\"good.so-so\"")) }
inventory::submit! { ExternOp::new("good", || op("circle.stray")) }
inventory::submit! { ExternOp::new("circle", || op("circle.a")) }
inventory::submit! { ExternOp::new("good", || OpDef::parse("op good.text(%x: u32) -> u32 {\n  %0: u32 = ad %x, %x\n}")) }
inventory::submit! { InTreeDialect { name: "tree", version: "1.0.0", ops: || vec![op("tree.fine")], migrations: Vec::new } }

#[test]
fn all_problems_are_listed_at_once() {
    let error = DialectRegistry::try_global().err().expect("there are problems");
    let text = error.to_string();
    for part in [
        "error[O003]: the operation `good.twice` is registered twice: by crates/driver/tests/dialect_problems.rs:",
        "error[O002]: `nowhere.op` is registered under a dialect that is not",
        "error[O001]: `good.so-so` is no id of an operation",
        "error[O001]: `circle.stray` is registered under the dialect `good`",
        "error[O001]: the version `one` of the dialect `old` is none",
        "error[O008]: the migrations go round in a circle: `circle.a` to `circle.b` to `circle.a`",
        "error[O008]: the migration from `circle.lost` leads to `circle.gone`, which does not exist",
        "error[T002]: an operation of `good` from crates/driver/tests/dialect_problems.rs:",
    ] {
        assert!(text.contains(part), "{part}\n\n{text}");
    }
    assert_eq!(error.problems.len(), 8, "{text}");
    let [DuplicateOpIdError { op_id, first, second }] = &error.duplicates[..] else { panic!("{text}") };
    assert_eq!(op_id, "good.twice");
    assert!(first != second, "{first} {second}");
    assert_eq!(DialectRegistry::global().problems(), error.problems);
}

#[test]
fn what_is_right_is_there_and_nothing_else() {
    let names: Vec<String> = DialectRegistry::global().iter().map(|def| def.id.clone()).collect();
    assert_eq!(names, ["good.right", "tree.fine"]);
}

#[test]
fn programs_with_calls_are_refused_until_all_is_right() {
    let p = parse("p", "program p workgroup(1, 1, 1) {\n%0: u32 = const 1\n%1: u32 = call good.right %0\n}")
        .unwrap();
    let errors = link(&p, &DialectRegistry::global()).unwrap_err();
    assert_eq!(errors, DialectRegistry::global().problems());
    let without = parse("p", "program p workgroup(1, 1, 1) {\n%0: u32 = const 1\n}").unwrap();
    assert!(link(&without, &DialectRegistry::global()).is_ok());
}

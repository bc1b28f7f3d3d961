//! Operations of dialects that are linked into the process, and what is asked of them by number and by name.

use std::sync::Arc;
use vyre_driver::{
    AttributeChange, Call, Category, DialectRegistry, ExternDialect, ExternOp, Law, LoweringCode, OpDef,
    OpMigration, Target, Version, check_laws, link,
};
use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_ir::{Attr, Program, inventory, wire};

/// That an attribute of `parity` got another name.
fn renamed(from: &str, to: &str, since: &str) -> OpMigration {
    let change = AttributeChange::Rename { from: from.into(), to: to.into() };
    let since = Version::parse(since).unwrap();
    OpMigration::rename("linked.parity", "linked.parity", since).attributes([change])
}

fn moved() -> Vec<OpMigration> {
    let version = |text| Version::parse(text).unwrap();
    vec![
        OpMigration::rename("linked.difference", "linked.minus", version("1.9.0")),
        OpMigration::rename("linked.minus", "linked.less", version("1.10.0")).operands(&[1, 0]),
        renamed("flop", "flip", "1.5.0"),
        renamed("invert", "flop", "1.3.0"),
    ]
}

inventory::submit! { ExternDialect::new("linked", "1.10.2", "https://example.org/linked").migrations(moved) }
inventory::submit! {
    ExternOp::new("linked", || {
        let text = "op linked.join(%a: u32, %b: u32) -> u32 {\n  %0: u32 = or %a, %b\n  yield %0\n}";
        Ok(OpDef::parse(text)?.laws([Law::Commutative, Law::Associative, Law::Idempotent, Law::Identity(0)]))
    })
}
inventory::submit! {
    // `b - a`
    ExternOp::new("linked", || {
        OpDef::parse("op linked.less(%a: u32, %b: u32) -> u32 {\n  %0: u32 = sub %b, %a\n  yield %0\n}")
    })
}
inventory::submit! {
    ExternOp::new("linked", || {
        Ok(OpDef::parse("op linked.parity[%flip: bool = false](%x: u32) -> bool")?
            .reference(|v| (v[1].count_ones() as u64 & 1) ^ v[0])
            .lower(Target::Ptx, "popc.b32 $0, $1;"))
    })
}

fn program(lines: &str) -> Program {
    parse("p.vyre", &format!("program p workgroup(1, 1, 1) {{\n{lines}\n}}\n")).unwrap()
}

#[test]
fn linked_operations_are_found_by_name_and_number() {
    let registry = DialectRegistry::try_global().unwrap();
    let id = registry.intern_op("linked.join");
    assert_eq!(registry.intern_op("linked.join"), id);
    assert_ne!(registry.intern_op("linked.less"), id);
    let def = registry.lookup(id).unwrap();
    assert_eq!(
        (def.id.as_str(), def.dialect.as_str(), def.category),
        ("linked.join", "linked", Category::Composite)
    );
    assert!(def.registrant().contains("dialect.rs:"), "{}", def.registrant());
    assert_eq!(def.version().unwrap().to_string(), "1.10.2");
    assert!(Arc::ptr_eq(def, registry.find("linked.join").unwrap()));
    let names: Vec<&str> =
        registry.iter().map(|def| def.id.as_str()).filter(|id| id.starts_with("linked.")).collect();
    assert_eq!(names, ["linked.join", "linked.less", "linked.parity"]);
    let dialect = registry.dialect("linked").unwrap();
    assert_eq!(
        (dialect.version.to_string().as_str(), dialect.origin.as_str()),
        ("1.10.2", "https://example.org/linked")
    );
}

#[test]
fn a_name_that_no_operation_has_has_a_number_too() {
    let registry = DialectRegistry::global();
    let id = registry.intern_op("linked.nothing");
    assert_eq!(registry.intern_op("linked.nothing"), id);
    assert!(registry.lookup(id).is_none());
    assert!(registry.find("linked.nothing").is_none());
    assert!(registry.get_lowering(id, Target::Ptx).is_none());
}

#[test]
fn lowerings_are_found_by_target() {
    let registry = DialectRegistry::global();
    let id = registry.intern_op("linked.parity");
    let lowering = registry.get_lowering(id, Target::Ptx).unwrap();
    assert!(matches!(&lowering.code, LoweringCode::Text(text) if text.starts_with("popc")));
    let LoweringCode::Function(reference) = registry.get_lowering(id, Target::ReferenceBackend).unwrap().code
    else {
        panic!("a function was registered");
    };
    assert_eq!([0b111, 0b11].map(|x| reference(&[0, x])), [1, 0]);
    assert!(registry.get_lowering(id, Target::Wgsl).is_none());
}

#[test]
fn laws_of_linked_operations_hold() {
    for def in DialectRegistry::global().iter() {
        assert_eq!(check_laws(def, 1000, 7), None);
    }
    let wrong = OpDef::clone(DialectRegistry::global().find("linked.less").unwrap());
    for law in [Law::Commutative, Law::Associative, Law::Idempotent, Law::Identity(0), Law::Annihilator(0)] {
        assert!(check_laws(&wrong.clone().laws([law]), 64, 7).is_some(), "{law:?}");
    }
    assert!(check_laws(&wrong.laws([Law::Involution]), 64, 7).is_some());
}

/// The call in a program that has one.
fn call(p: &Program) -> (&Call, &[vyre_ir::Value]) {
    let found = p.insts.values().find_map(|data| match &data.attr {
        Attr::Call(call) => Some((&**call, &data.args[..])),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn old_files_are_rewritten_and_new_ones_are_not() {
    let read = |name: &str| {
        let p = program(&format!("%0: u32 = const 1\n%1: u32 = const 2\n%2: u32 = call {name} %0, %1"));
        wire::decode(&wire::encode(&p)).map(|p| {
            let (call, args) = call(&p);
            let constants: Vec<u64> = args.iter().map(|&v| p.constant(v).unwrap()[0]).collect();
            (call.to_string(), constants)
        })
    };
    // Both steps: renamed twice, the operands exchanged once.
    assert_eq!(read("linked.difference@1.2.0").unwrap(), ("linked.less@1.10.0".into(), vec![2, 1]));
    // 1.9.0 is before 1.10.0, and a version in which a change was made has it.
    assert_eq!(read("linked.minus@1.9.0").unwrap(), ("linked.less@1.10.0".into(), vec![2, 1]));
    assert_eq!(read("linked.minus@\"1.10.0-beta.1\"").unwrap().0, "linked.less@1.10.0");
    assert_eq!(read("linked.less@1.2.0").unwrap(), ("linked.less@1.2.0".into(), vec![1, 2]));
    assert_eq!(read("linked.less").unwrap(), ("linked.less".into(), vec![1, 2]));
    let gone = read("linked.minus@1.10.0").unwrap_err().to_string();
    assert!(gone.contains("error[W010]") && gone.contains("It is called `linked.less` now."), "{gone}");
}

/// The earliest change that is due is made first.
#[test]
fn changes_are_made_in_the_order_of_versions() {
    for (before, after) in [
        ("linked.parity@1.0.0[invert: bool = true]", "linked.parity@1.5.0[flip: bool = true]"),
        ("linked.parity@1.4.0[flop: bool = true]", "linked.parity@1.5.0[flip: bool = true]"),
        ("linked.parity@1.5.0[flip: bool = true]", "linked.parity@1.5.0[flip: bool = true]"),
    ] {
        let p = program(&format!("%0: u32 = const 1\n%1: bool = call {before} %0"));
        let read = wire::decode(&wire::encode(&p)).unwrap().to_string();
        assert!(read.contains(&format!("call {after} %0")), "{read}");
    }
}

#[test]
fn linking_migrates_and_says_the_version() {
    let p = program("%0: u32 = const 1\n%1: u32 = const 2\n%2: u32 = call linked.difference@1.0.0 %0, %1");
    assert!(verify(&p).is_err());
    let linked = link(&p, &DialectRegistry::global()).unwrap();
    assert_eq!(verify(&linked), Ok(()));
    assert!(linked.to_string().contains("call linked.less@1.10.2 %1, %0"), "{linked}");
    let again = wire::decode(&wire::encode(&linked)).unwrap();
    assert_eq!(again.to_string(), linked.to_string());
}

#[test]
fn files_with_calls_are_canonical_and_checked() {
    let p = program("%0: u32 = const 1\n%1: bool = call linked.parity[flip: bool = true] %0");
    let file = wire::encode(&p);
    assert_eq!(wire::decode(&file).unwrap().to_string(), p.to_string());
    let unknown = program("%0: u32 = const 1\n%1: bool = call linked.party %0");
    let error = wire::decode(&wire::encode(&unknown)).unwrap_err().to_string();
    assert!(error.contains("there is no operation `linked.party`"), "{error}");
    let unfit = program("%0: u32 = const 1\n%1: u32 = call linked.parity %0");
    let error = wire::decode(&wire::encode(&unfit)).unwrap_err().to_string();
    assert!(error.contains("`call linked.parity` gives bool; here its results are u32"), "{error}");
}

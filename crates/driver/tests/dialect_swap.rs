//! Replacing the registry while others read it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use vyre_driver::{DialectDef, DialectRegistry, Law, OpDef, Version, link};
use vyre_ir::text::{parse, parse_ops};
use vyre_ir::wire::fingerprint;
use vyre_ir::{Attr, Program};

/// The registry is one for the process: tests that count its snapshots take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Each operation of the dialect adds the version's number.
fn dialect(name: &str, major: u64) -> DialectDef {
    let text: String = (0..8)
        .map(|i| {
            format!(
                "op {name}.add{i}(%x: u32) -> u32 {{\n  %n: u32 = const {major}\n  %r: u32 = add %x, %n\n  yield %r\n}}\n"
            )
        })
        .collect();
    let ops = parse_ops(name, &text).unwrap();
    DialectDef {
        name: name.into(),
        version: Version::new(major, 0, 0),
        origin: "a test".into(),
        ops,
        migrations: Vec::new(),
    }
}

fn program(op: &str) -> Program {
    let text = format!("program p workgroup(1, 1, 1) {{\n%0: u32 = const 1\n%1: u32 = call {op} %0\n}}");
    parse("p.vyre", &text).unwrap()
}

#[test]
fn no_reader_sees_a_mix_and_old_snapshots_are_freed() {
    let _turn = TURN.lock().unwrap();
    DialectRegistry::update(|builder| builder.replace(dialect("mix", 1))).unwrap();
    let (stop, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut old: Vec<Weak<DialectRegistry>> = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let ids: Vec<_> =
                    (0..8).map(|i| DialectRegistry::global().intern_op(&format!("mix.add{i}"))).collect();
                let mut newest = 0;
                while !stop.load(Ordering::Relaxed) {
                    let snapshot = DialectRegistry::global();
                    let majors: Vec<u64> =
                        ids.iter().map(|&id| snapshot.lookup(id).unwrap().version().unwrap().major).collect();
                    assert!(majors.iter().all(|&major| major == majors[0]), "{majors:?}");
                    assert_eq!(snapshot.dialect("mix").unwrap().version.major, majors[0]);
                    assert!(majors[0] >= newest, "an older snapshot came back");
                    newest = majors[0];
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for major in 2..200 {
            old.push(Arc::downgrade(&DialectRegistry::global().to_arc()));
            DialectRegistry::update(|builder| builder.replace(dialect("mix", major))).unwrap();
        }
        while reads.load(Ordering::Relaxed) < 1000 {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(old.iter().all(|weak| weak.upgrade().is_none()), "old snapshots are kept");
}

#[test]
fn a_reader_keeps_its_snapshot_whole() {
    let _turn = TURN.lock().unwrap();
    DialectRegistry::update(|builder| builder.replace(dialect("kept", 1))).unwrap();
    let before = DialectRegistry::global();
    let weak = Arc::downgrade(&before.to_arc());
    let old = DialectRegistry::install(
        vyre_driver::RegistryBuilder::from(&before).replace(dialect("kept", 2)).build().unwrap(),
    );
    assert_eq!(before.find("kept.add0").unwrap().version().unwrap().major, 1);
    assert_eq!(old.find("kept.add0").unwrap().version().unwrap().major, 1);
    assert_eq!(DialectRegistry::global().find("kept.add0").unwrap().version().unwrap().major, 2);
    drop((before, old));
    assert!(weak.upgrade().is_none(), "the last reader has left");
}

#[test]
fn a_number_means_the_same_name_in_every_snapshot() {
    let _turn = TURN.lock().unwrap();
    let id = DialectRegistry::global().intern_op("stable.add3");
    DialectRegistry::update(|builder| builder.replace(dialect("stable", 1))).unwrap();
    assert_eq!(DialectRegistry::global().intern_op("stable.add3"), id);
    assert_eq!(DialectRegistry::global().lookup(id).unwrap().id, "stable.add3");
    DialectRegistry::update(|builder| builder.remove("stable")).unwrap();
    assert_eq!(DialectRegistry::global().intern_op("stable.add3"), id);
    assert!(DialectRegistry::global().lookup(id).is_none());
}

#[test]
fn what_is_wrong_changes_nothing() {
    let _turn = TURN.lock().unwrap();
    DialectRegistry::update(|builder| builder.replace(dialect("whole", 1))).unwrap();
    let before = DialectRegistry::global().to_arc();
    let mut wrong = dialect("whole", 2);
    wrong.ops.push(OpDef::parse("op whole.half(%x: u32) -> f32 {\n  yield %x\n}").unwrap());
    wrong.ops[0].laws.push(Law::Idempotent);
    let error = DialectRegistry::update(|builder| builder.replace(wrong)).unwrap_err();
    assert!(error.to_string().contains("O005"), "{error}");
    assert!(Arc::ptr_eq(&before, &DialectRegistry::global().to_arc()));
    let mut unlawful = dialect("whole", 2);
    unlawful.ops[0].laws.push(Law::Idempotent);
    let error = DialectRegistry::update(|builder| builder.replace(unlawful)).unwrap_err();
    assert!(error.to_string().contains("error[O007]: `whole.add0` is not Idempotent"), "{error}");
    assert!(Arc::ptr_eq(&before, &DialectRegistry::global().to_arc()));
    // A second dialect of the name is another mistake than a new version of it.
    let error = DialectRegistry::update(|builder| builder.dialect(dialect("whole", 2))).unwrap_err();
    assert!(error.to_string().contains("the dialect `whole` is registered twice"), "{error}");
}

/// The key of what is compiled holds the fingerprint of the linked program, so only programs that call the changed
/// operation, itself or by way of others, are compiled anew.
#[test]
fn a_changed_operation_changes_the_fingerprint_of_its_callers() {
    let _turn = TURN.lock().unwrap();
    let caller = "op outer.f(%x: u32) -> u32 {\n  %0: u32 = call inner.add0 %x\n  yield %0\n}\n\
                  op outer.g(%x: u32) -> u32 {\n  yield %x\n}";
    let outer = DialectDef { ops: parse_ops("outer", caller).unwrap(), ..dialect("outer", 1) };
    DialectRegistry::update(|builder| builder.replace(dialect("inner", 1)).replace(outer)).unwrap();
    let linked = |op: &str| link(&program(op), &DialectRegistry::global()).unwrap();
    let keys = || ["inner.add0", "inner.add1", "outer.f", "outer.g"].map(|op| fingerprint(&linked(op)));
    let (before, kept) = (keys(), linked("outer.f"));
    assert_eq!(before, keys());
    let mut inner = dialect("inner", 1);
    inner.ops[0] = OpDef::parse(
        "op inner.add0(%x: u32) -> u32 {\n  %n: u32 = const 100\n  %r: u32 = add %x, %n\n  yield %r\n}",
    )
    .unwrap();
    DialectRegistry::update(|builder| builder.replace(inner)).unwrap();
    let after = keys();
    let same: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a == b).collect();
    assert_eq!(same, [false, true, false, true]);
    // A program that was linked before means what it meant; linked again, it means the new operation.
    let value = |p: &Program| {
        let data = p.insts.values().find(|data| matches!(data.attr, Attr::Call(_))).unwrap();
        let def = p.call(data).unwrap().def.clone().unwrap();
        vyre_ir::dialect::evaluate(&def, &[], &[[1, 0, 0, 0]]).unwrap()[0][0]
    };
    assert_eq!(value(&kept), 2);
    assert_eq!(value(&link(&kept, &DialectRegistry::global()).unwrap()), 101);
    assert_eq!(fingerprint(&kept), before[2]);
}

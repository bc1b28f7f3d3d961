//! Operations of dialects give the same on the oracle, which runs their bodies where they are called, and on `cpu`, for
//! which bodies take the place of calls and intrinsics are called.

use std::sync::Mutex;
use vyre::{BackendError, Compiled, Device, DispatchConfig, acquire};
use vyre_conformance::fuzz::{Outcome, Subject, check, passes};
use vyre_conformance::random::{self, Options};
use vyre_conformance::tools::in_parallel;
use vyre_conformance::trial::{STEPS, Trial};
use vyre_driver::{DialectDef, DialectRegistry, Law, OpDef, RegistryBuilder, Version, link};
use vyre_ir::dialect::{Reference, Target as Lowered, has_calls};
use vyre_ir::text::parse;
use vyre_ir::{Op, Program};
use vyre_opt::{PASSES, Target, inline::inlined, optimize};

fn with_calls() -> Options {
    Options { calls: true, math: false, subgroups: false, ..Options::default() }
}

#[test]
fn random_calls_on_the_oracle_and_the_compiler() {
    let backend = acquire("cpu").expect("it is linked");
    let subject = Subject { backend: &*backend, takes_all: false };
    let seeds: Vec<u64> = (0..400).collect();
    in_parallel(&seeds, |&seed| match check(seed, &with_calls(), &|trial| subject.check(trial)) {
        Ok(outcome) => assert_ne!(outcome, Outcome::Refused, "seed {seed}"),
        Err(failure) => panic!("{failure}"),
    });
}

#[test]
fn random_calls_through_every_pass() {
    for seed in 400..600 {
        let target = if seed % 2 == 0 { Target::SCALAR } else { Target::VECTOR };
        let alone = &PASSES[seed as usize % PASSES.len()];
        if let Err(failure) = check(seed, &with_calls(), &|trial| passes(trial, &target, &[alone])) {
            panic!("{failure}");
        }
    }
}

/// Most random programs have calls, also of operations that call others.
#[test]
fn random_programs_have_calls() {
    let (mut calls, mut nested) = (0, 0);
    for seed in 0..100 {
        let p = random::program(seed, &with_calls());
        for call in p.insts.values().filter_map(|data| p.call(data)) {
            calls += 1;
            let body = call.def.as_ref().unwrap().body.as_ref().unwrap();
            nested += body.program.insts.values().any(|data| data.op == Op::Call) as u32;
        }
        let trial = Trial::random(seed, &with_calls());
        let replaced = trial.with(inlined(&p, &Target::VECTOR));
        assert!(!has_calls(&replaced.program));
        let (a, b) = (trial.oracle(STEPS).unwrap(), replaced.oracle(STEPS).unwrap());
        assert_eq!(trial.difference(&a, &b), None, "seed {seed}");
    }
    assert!(calls > 100 && nested > 20, "{calls} calls, {nested} of them of operations with calls");
}

// ---- through the driver

/// A program that stores what an operation gives for each of four numbers.
fn over_four(call: &str, gives: &str) -> Program {
    vyre_conformance::dialect::install();
    let store = match gives {
        "bool" => "%n: u32 = convert %r\nstore data[%i], %n",
        _ => "store data[%i], %r",
    };
    let text = format!(
        "program p workgroup(4, 1, 1) {{\nbuffer data: u32[4] storage read_write @group(0) @binding(0)\n\
         %i: u32 = global_id x\n%x: u32 = load data[%i]\n%r: {gives} = call {call} %x\n{store}\n}}"
    );
    parse("p.vyre", &text).unwrap()
}

fn compile(id: &str, p: &Program) -> Result<Compiled, BackendError> {
    Device::open(id).unwrap().compile(p, &DispatchConfig::default())
}

fn run(compiled: &Compiled, data: [u32; 4]) -> Vec<u32> {
    let bytes: Vec<u8> = data.iter().flat_map(|n| n.to_le_bytes()).collect();
    compiled.dispatch(&[&bytes], &DispatchConfig::default()).unwrap().get(0).unwrap()
}

#[test]
fn intrinsics_run_on_both() {
    for (call, expected) in
        [("conform.parity", [0, 1, 0, 1]), ("conform.parity[flip: bool = true]", [1, 0, 1, 0])]
    {
        for id in ["cpu-ref", "cpu"] {
            let compiled = compile(id, &over_four(call, "bool")).unwrap();
            assert_eq!(run(&compiled, [0, 1, 3, 0x8000_0000]), expected, "{call} on {id}");
        }
    }
}

/// One dialect of this file's tests; they change the one registry of the process in turns.
static TURN: Mutex<()> = Mutex::new(());

fn install(name: &str, ops: Vec<OpDef>) {
    let dialect = DialectDef {
        name: name.into(),
        version: Version::new(1, 0, 0),
        origin: "a test".into(),
        ops,
        migrations: Vec::new(),
    };
    DialectRegistry::update(|builder| builder.replace(dialect)).unwrap();
}

#[test]
fn native_code_calls_the_function_for_it_and_the_oracle_the_reference() {
    let _turn = TURN.lock().unwrap();
    let seven: Reference = |_| 7;
    let which = OpDef::parse("op which.one(%x: u32) -> u32").unwrap().reference(|v| v[0]);
    let mut slow = which.clone();
    slow.id = "which.slow".into();
    let body = "op which.body(%x: u32) -> u32 {\n  yield %x\n}";
    install(
        "which",
        vec![
            which.lower(Lowered::NativeModule, seven),
            slow,
            OpDef::parse(body).unwrap().lower(Lowered::NativeModule, seven),
        ],
    );
    let on = |id: &str, op: &str| run(&compile(id, &over_four(op, "u32")).unwrap(), [1, 2, 3, 4]);
    assert_eq!(on("cpu-ref", "which.one"), [1, 2, 3, 4]);
    assert_eq!(on("cpu", "which.one"), [7; 4]);
    // Without a function for native code it is the reference function that is called.
    assert_eq!(on("cpu", "which.slow"), [1, 2, 3, 4]);
    assert_eq!(on("cpu-ref", "which.body"), [1, 2, 3, 4]);
    assert_eq!(on("cpu", "which.body"), [7; 4]);
}

#[test]
fn intrinsics_with_a_body_are_replaced_where_their_code_is_not_taken() {
    let _turn = TURN.lock().unwrap();
    let p = over_four("conform.twice", "u32");
    assert!(!has_calls(&inlined(&p, &vyre_cpu::target())));
    let text = vyre_wgsl::export::wgsl(&optimize(&p, &Target::VECTOR), &|_| false).unwrap();
    assert!(!text.contains("twice"), "{text}");
    let kept = Target { lowering: Some(Lowered::Ptx), ..Target::VECTOR };
    assert!(has_calls(&inlined(&p, &kept)));
}

#[test]
fn what_a_backend_lacks_is_refused_by_name() {
    let message = |id: &str| compile(id, &over_four("conform.warp", "u32")).err().map(|e| e.to_string());
    let cpu = message("cpu").expect("it cannot run");
    assert!(
        cpu.contains("error[O010]") && cpu.contains("`conform.warp` has no lowering for native code"),
        "{cpu}"
    );
    let on_oracle = match compile("cpu-ref", &over_four("conform.warp", "u32")) {
        Err(error) => error.to_string(),
        Ok(compiled) => compiled.dispatch(&[&[0; 16]], &DispatchConfig::default()).err().unwrap().to_string(),
    };
    assert!(on_oracle.contains("`conform.warp` has no lowering for the interpreter"), "{on_oracle}");
    let linked = link(&over_four("conform.parity", "bool"), &DialectRegistry::global()).unwrap();
    let wgsl =
        vyre_wgsl::export::wgsl(&optimize(&linked, &Target::VECTOR), &|_| false).unwrap_err().to_string();
    assert!(wgsl.contains("`conform.parity` has no lowering for WGSL"), "{wgsl}");
}

#[test]
fn the_next_compile_sees_a_changed_operation_on_every_backend() {
    let _turn = TURN.lock().unwrap();
    let define = |n: u32| {
        let text = format!(
            "op changed.add(%x: u32) -> u32 {{\n%n: u32 = const {n}\n%r: u32 = add %x, %n\nyield %r\n}}"
        );
        install("changed", vec![OpDef::parse(&text).unwrap()]);
    };
    let p = over_four("changed.add", "u32");
    define(1);
    let before = ["cpu", "cpu-ref"].map(|id| compile(id, &p).unwrap());
    define(100);
    let after = ["cpu", "cpu-ref"].map(|id| compile(id, &p).unwrap());
    for compiled in &before {
        assert_eq!(run(compiled, [1, 2, 3, 4]), [2, 3, 4, 5]);
    }
    for compiled in &after {
        assert_eq!(run(compiled, [1, 2, 3, 4]), [101, 102, 103, 104]);
    }
}

#[test]
fn equal_calls_are_one_call() {
    let parse_op = |text: &str| OpDef::parse(text).unwrap();
    let either = parse_op("op pair.either(%a: u32, %b: u32) -> u32").reference(|v| v[0] | v[1]);
    let first = parse_op("op pair.first(%a: u32, %b: u32) -> u32").reference(|v| v[0]);
    let dialect = DialectDef {
        name: "pair".into(),
        version: Version::new(1, 0, 0),
        origin: "a test".into(),
        ops: vec![either.laws([Law::Commutative]), first],
        migrations: Vec::new(),
    };
    let registry = RegistryBuilder::new().dialect(dialect).build().unwrap();
    let left = |op: &str| {
        let text = format!(
            "program p workgroup(1, 1, 1) {{\nbuffer data: u32[4] storage read_write @group(0) @binding(0)\n\
             %0: u32 = const 0\n%1: u32 = const 1\n%a: u32 = load data[%0]\n%b: u32 = load data[%1]\n\
             %x: u32 = call {op} %a, %b\n%y: u32 = call {op} %b, %a\n%z: u32 = call {op} %a, %b\n\
             store data[%0], %x\nstore data[%1], %y\nstore data[%1], %z\n}}"
        );
        let p = link(&parse("p.vyre", &text).unwrap(), &registry).unwrap();
        let p = optimize(&p, &Target::SCALAR);
        let mut count = 0;
        p.walk(p.body, &mut |inst| count += (p.insts[inst].op == Op::Call) as u32);
        count
    };
    assert_eq!(left("pair.either"), 1);
    assert_eq!(left("pair.first"), 2);
}

/// Kernels that hold addresses of this process's functions are not kept in files.
#[test]
fn kernels_with_intrinsics_are_no_bytes() {
    let bytes = |call: &str, gives: &str| {
        let p = link(&over_four(call, gives), &DialectRegistry::global()).unwrap();
        vyre_cpu::compile(&optimize(&p, &vyre_cpu::target())).unwrap().to_bytes()
    };
    assert!(bytes("conform.twice", "u32").is_some());
    assert!(bytes("conform.parity", "bool").is_none());
}

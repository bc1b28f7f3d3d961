//! The list of passes: its order, its schedules, and what it does to a whole program.

mod common;
use common::program;
use std::collections::HashSet;
use vyre_ir::{Builder, Op, Scalar, Value};
use vyre_opt::pipeline::{ORDER, pass};
use vyre_opt::{Options, PASSES, Schedule, Stats, Target, optimize, optimize_with, run};

#[test]
fn order_constraints_hold() {
    let place = |name: &str| {
        PASSES.iter().position(|p| p.name == name).unwrap_or_else(|| panic!("no pass is called `{name}`"))
    };
    for (before, after, reason) in ORDER {
        assert!(place(before) < place(after), "`{before}` must come before `{after}`: {reason}");
    }
    let names: HashSet<_> = PASSES.iter().map(|p| p.name).collect();
    assert_eq!(names.len(), PASSES.len(), "two passes have one name");
    assert!(PASSES.iter().all(|p| !p.why.is_empty()));
    let groups = PASSES.chunk_by(|a, b| a.repeats == b.repeats).filter(|part| part[0].repeats);
    assert_eq!(groups.count(), 1, "the passes that repeat stand together");
}

const LOOP: &str = "
    %i: u32 = global_id x
    %zero: u32 = const 0
    %sum: u32, %n: u32, %flag: bool = loop (%s: u32 = %zero, %k: u32 = %zero, %f: bool = %p) {
      %eight: u32 = const 8
      %scaled: u32 = mul %i, %eight
      %v: u32 = load r[%scaled]
      %w: u32 = add %s, %v
      %one: u32 = const 1
      %next: u32 = add %k, %one
      %limit: u32 = const 10
      %again: bool = lt %next, %limit
      yield %again, %w, %next, %f
    }
    %out: u32 = if %flag {
      yield %sum
    } else {
      yield %n
    }
    store w[%i], %out";

fn sample() -> vyre_ir::Program {
    program(&LOOP.replace("%zero: u32 = const 0", "%zero: u32 = const 0\n%p: bool = eq %zero, %zero"))
}

#[test]
fn passes_work_together() {
    // The flag is known, its loop parameter is not needed, and the load does not depend on the iteration.
    let expected = program(
        "%i: u32 = global_id x
         %zero: u32 = const 0
         %three: u32 = const 3
         %scaled: u32 = shl %i, %three
         %v: u32 = load r[%scaled]
         %one: u32 = const 1
         %limit: u32 = const 10
         %sum: u32, %n: u32 = loop (%s: u32 = %zero, %k: u32 = %zero) {
           %w: u32 = add %s, %v
           %next: u32 = add %k, %one
           %again: bool = lt %next, %limit
           yield %again, %w, %next
         }
         store w[%i], %sum",
    );
    assert_eq!(optimize(&sample(), &Target::SCALAR).to_string(), expected.to_string());
}

#[test]
fn schedules_run_what_they_say() {
    let p = sample();
    let with = |schedule: Schedule<'_>, fast_math: bool| {
        let mut stats = Stats::default();
        let options = Options { schedule, fast_math, stats: Some(&mut stats), ..Options::default() };
        run(&p, &Target::SCALAR, options);
        stats.passes.iter().map(|p| (p.name, p.runs)).collect::<Vec<_>>()
    };
    let names = |schedule: Schedule<'_>| with(schedule, false);
    let fold = pass("fold").expect("a pass");
    assert_eq!(names(Schedule::Until(fold)), [("inline", 1), ("scalarize", 1), ("expand", 1), ("fold", 1)]);
    let dce = pass("dce").expect("a pass");
    assert_eq!(names(Schedule::Only(&[dce, fold, dce])), [("dce", 2), ("fold", 1)]);
    assert_eq!(names(Schedule::Legal), [("inline", 1), ("scalarize", 1), ("expand", 1)]);
    // What changes results runs when it is asked for or named, and not else.
    let all = |fast_math| with(Schedule::All, fast_math).into_iter().map(|p| p.0).collect::<Vec<_>>();
    let every: Vec<_> = PASSES.iter().map(|p| p.name).collect();
    assert_eq!(all(true), every);
    assert_eq!(all(false), every.iter().copied().filter(|&name| name != "contract").collect::<Vec<_>>());
    let until = |name| names(Schedule::Until(pass(name).expect("a pass"))).pop().map(|(name, _)| name);
    assert_eq!(until("contract"), Some("contract"));
    assert!(!names(Schedule::Until(dce)).iter().any(|(name, _)| *name == "contract"));
    assert_eq!(names(Schedule::Only(&[pass("contract").expect("a pass")])), [("contract", 1)]);
    assert!(pass("no such pass").is_none());
}

#[test]
fn observers_see_each_pass_that_changed_something() {
    let (mut seen, mut last) = (Vec::new(), sample().to_string());
    optimize_with(&sample(), &Target::SCALAR, &mut |pass, p| {
        let text = p.to_string();
        assert!(text != last, "`{}` changed nothing", pass.name);
        (seen, last) = ([std::mem::take(&mut seen), vec![pass.name]].concat(), text);
    });
    assert_eq!(seen[0], "fold");
    assert!(seen.contains(&"licm") && seen.contains(&"dce"), "{seen:?}");
}

#[test]
fn statistics_add_up() {
    let mut stats = Stats::default();
    let p = sample();
    let after = run(&p, &Target::SCALAR, Options { stats: Some(&mut stats), ..Options::default() });
    assert_eq!((stats.before, stats.after), (p.size(), after.size()));
    let growth: i64 = stats.passes.iter().map(|p| p.growth).sum();
    assert_eq!(stats.before as i64 + growth, stats.after as i64);
    assert!(stats.to_string().ends_with("18 instructions before, 14 after"), "{stats}");
}

/// Locations survive, and what a pass makes says which pass and from where.
#[test]
fn locations_are_kept() {
    let p = sample();
    let q = optimize(&p, &Target::SCALAR);
    let source = q.source.as_ref().expect("text has a source");
    let text = |op: Op| {
        let (_, inst) = q.insts.iter().find(|(_, inst)| inst.op == op).expect("it is there");
        (&source.text[inst.loc.start as usize..inst.loc.end as usize], inst.loc.pass)
    };
    assert!(text(Op::Load).0.contains("load r[%scaled]"));
    assert_eq!(text(Op::Load).1, None);
    assert!(text(Op::Shl).0.contains("mul %i, %eight"));
    let three = q.producer(q.insts.values().find(|i| i.op == Op::Shl).expect("it is there").args[1]);
    assert_eq!(three.expect("a constant").loc.pass, Some("simplify"));
}

/// Nested as deep as the verifier allows, in a test's small stack.
#[test]
fn deep_programs() {
    fn nest(b: &mut Builder, value: Value, depth: u32) -> Value {
        if depth == 0 {
            return b.op(Op::Add, &[value, value]);
        }
        let index = b.axis(Op::GlobalId, 0);
        let condition = b.op(Op::Lt, &[index, value]);
        match depth % 2 {
            0 => b.if_(condition, |b| vec![nest(b, value, depth - 1)], |_| vec![value])[0],
            _ => b.loop_(&[value], |b, p| vec![condition, nest(b, p[0], depth - 1)])[0],
        }
    }
    let like = program("");
    let mut b = Builder::like(&like);
    let index = b.axis(Op::GlobalId, 0);
    let w = like.buffer_named("w").expect("declared");
    let value = b.load(Op::Load, w, index, Scalar::U32.into());
    let result = nest(&mut b, value, vyre_ir::verify::MAX_DEPTH as u32 - 2);
    b.store(Op::Store, w, index, result);
    let p = b.finish();
    vyre_ir::verify::verify(&p).expect("it verifies");
    assert!(optimize(&p, &Target::SCALAR).size() < p.size());
}

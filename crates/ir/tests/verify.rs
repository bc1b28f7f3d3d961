//! What the verifier rejects, and where it says so.

use vyre_ir::text::parse;
use vyre_ir::verify::{MAX_DEPTH, verify};
use vyre_ir::*;

fn read(text: &str) -> Program {
    parse("test.vyre", text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]))
}

/// Declarations that the bodies below use; its last line is line 9.
const HEAD: &str = "program p workgroup(4, 2, 1) {
  buffer in: u32[] storage read @group(0) @binding(0)
  buffer out: u32[] storage read_write @group(0) @binding(1)
  buffer result: f32[] storage write @group(0) @binding(2)
  buffer tile: u32[8] workgroup read_write
  buffer own: u32[8] private read_write
  %b: bool = const true
  %f: f32 = const 1.0
  %u: u32 = const 1
";

fn body(text: &str) -> Program {
    read(&format!("{HEAD}{text}\n}}"))
}

/// The verifier's only complaint is about `line` of the body, has the code and contains the words.
fn rejects(text: &str, code: &str, line: usize, words: &str) {
    let errors = verify(&body(text)).expect_err(text);
    let [error] = &errors[..] else { panic!("{text}: {errors:?}") };
    let place = error.source.as_ref().unwrap().line_column(error.labels[0].loc.start).0;
    assert_eq!((error.code.name(), place), (code, line + 9), "{text}: {error}");
    assert!(error.message.contains(words), "{text}: {error}");
}

fn accepts(text: &str) {
    assert_eq!(verify(&body(text)), Ok(()), "{text}");
}

#[test]
fn types() {
    let rejects = |text: &str, words: &str| rejects(text, "V003", 1, words);
    rejects("%x: u32 = add %u, %f", "`add` takes 2 operands of one type of");
    rejects("%x: u32 = add %u", "not u32");
    rejects("%x: u32 = add", "not none");
    rejects("%x: i32 = add %u, %u", "`add` gives u32, not i32");
    rejects("add %u, %u", "`add` gives u32, not none");
    rejects("%x: u32, %y: u32 = add %u, %u", "`add` gives u32, not u32, u32");
    rejects("%x: bool = add %b, %b", "not bool, bool");
    rejects("%x: u32 = neg %u", "not u32");
    rejects("%x: u32 = sqrt %u", "not u32");
    rejects("%x: f32 = and %f, %f", "not f32, f32");
    rejects("%x: u32 = lt %u, %u", "`lt` gives bool, not u32");
    rejects("%x: bool = lt %b, %b", "not bool, bool");
    rejects("%x: u32 = shl %u, %f", "`shl` takes an operand of");
    rejects("%x: f32 = shl %f, %u", "not f32, u32");
    rejects("%x: u32 = select %u, %u, %u", "`select` takes bool, T, T");
    rejects("%x: u32 = select %b, %u, %f", "not bool, u32, f32");
    rejects("%x: f32 = convert %f", "`convert` takes one operand of another scalar type");
    rejects("%x: u32x2 = convert %f", "its results u32x2");
    rejects("%x: f16 = bitcast %u", "same width");
    rejects("%x: u32 = bitcast %u", "another number type");
    rejects("%x: u8 = bitcast %b", "number type");
    rejects("%x: u32x2 = compose %u, %f", "2 to 4 scalars of one type");
    rejects("%x: u32x3 = compose %u, %u", "`compose` gives u32x2, not u32x3");
    rejects("%x: u32 = extract %u.x", "`extract` takes one vector");
    rejects("%x: i32 = global_id x", "`global_id` gives u32, not i32");
    rejects("%x: bool = load in[%u]", "its results bool");
    rejects("%x: u32 = load in[%f]", "its operands are f32");
    rejects("%x: u32 = load in[%u], %u", "its operands are u32, u32");
    rejects("load in[%u]", "its results none");
    rejects("store out[%u], %b", "its operands are u32, bool");
    rejects("store out[%f], %u", "its operands are f32, u32");
    rejects("%x: u32 = store out[%u], %u", "its results u32");
    rejects("%x: u32x2 = atomic_load out[%u]", "its results u32x2");
    rejects("%x: u8 = atomic_load out[%u]", "its results u8");
    rejects("%x: f32 = atomic_and out[%u], %f", "a scalar of");
    rejects("%x: f32 = atomic_add out[%u], %u", "its results f32");
    rejects("%x: u32 = atomic_compare_exchange out[%u], %u, %u", "its results u32");
    rejects("%x: u32, %y: bool = atomic_compare_exchange out[%u], %u, %f", "its operands are u32, u32, f32");
    rejects("%x: u32 = workgroup_barrier", "its results u32");
    rejects("%x: u32 = subgroup_ballot %b", "`subgroup_ballot` gives u32x4, not u32");
    rejects("%x: u32 = subgroup_shuffle %u, %f", "not u32, f32");
    rejects("if %u { }", "`if` takes one bool, not u32");
    rejects("if { }", "`if` takes one bool, not none");
    rejects("switch %f { default { } }", "`switch` takes one i32 or u32, not f32");
    rejects("%x: u32 = loop (%p: f32 = %f) { yield %b, %u }", "initial values of f32 and results of u32");
    rejects("loop (%p: u32 = %f) { yield %b }", "`loop` has initial values of f32 and results of none");
}

#[test]
fn yields() {
    rejects(
        "%x: u32 = if %b {\nyield %u } else {\nyield %f }",
        "V003",
        3,
        "`yield` gives f32, but its region must give u32",
    );
    rejects("%x: u32 = if %b {\nyield %u }", "V003", 2, "`yield` gives none, but its region must give u32");
    rejects("if %b {\nyield %u\n}", "V003", 2, "gives u32, but its region must give none");
    rejects("loop () {\n}", "V003", 2, "gives none, but its region must give bool");
    rejects(
        "%x: u32 = loop (%p: u32 = %u) {\nyield %b }",
        "V003",
        2,
        "gives bool, but its region must give bool, u32",
    );
    rejects("switch %u { case 1 {\nyield %b } default { } }", "V003", 2, "gives bool");
    rejects("yield\n%x: u32 = add %u, %u", "V001", 1, "`yield` is followed by");
    rejects("yield %u", "V003", 1, "gives u32, but its region must give none");
}

#[test]
fn attributes_and_cases() {
    rejects("%v: u32x2 = const 1\n%x: u32 = extract %v.z", "V004", 2, "takes lane 2 of u32x2");
    rejects("switch %u { case 1, 2 { } case 1 { } default { } }", "V009", 1, "the case 1 twice");
    accepts("switch %u { case 1, 2 { } case { } case 3, default { } }");
    accepts("%x: u32 = switch %u { default { yield %u } }");
}

#[test]
fn access_rights() {
    let rejects = |text: &str, words: &str| rejects(text, "V005", 1, words);
    rejects("store in[%u], %u", "`store` on `in`: the buffer is declared `read`");
    rejects("%x: f32 = load result[%u]", "`load` on `result`: the buffer is declared `write`");
    rejects("%x: u32 = atomic_load in[%u]", "need `read_write`, but the buffer is declared `read`");
    rejects("atomic_store result[%u], %u", "need `read_write`, but the buffer is declared `write`");
    rejects("%x: u32 = atomic_add own[%u], %u", "not on private memory");
    rejects("%x: u32, %y: bool = atomic_compare_exchange own[%u], %u, %u", "not on private memory");
    rejects("%x: u32 = uniform_load in[%u]", "from workgroup memory, not from storage memory");
    rejects("%x: u32 = uniform_load own[%u]", "not from private memory");
    accepts("%x: u32 = atomic_add tile[%u], %u\n%y: u32 = atomic_load out[%u]\nstore result[%u], %f");
    accepts("%x: f16x4 = load in[%u]\nstore out[%u], %x\n%y: u32 = length result");
}

#[test]
fn declarations() {
    let check = |lines: &str, code: &str, words: &str| {
        let errors = verify(&read(lines)).expect_err(lines);
        assert_eq!((errors.len(), errors[0].code.name()), (1, code), "{lines}: {errors:?}");
        assert!(errors[0].message.contains(words), "{lines}: {}", errors[0]);
    };
    let buffer = |decl: &str, words: &str| {
        check(&format!("program p workgroup(1, 1, 1) {{ buffer b: {decl} }}"), "V006", words);
    };
    buffer("bool[] storage read @group(0) @binding(0)", "bool");
    buffer("u32[] workgroup read_write", "has no size");
    buffer("u32[] private read_write", "has no size");
    buffer("u32[4] private read_write output", "cannot be an output");
    buffer("u32[4] workgroup read_write @group(0) @binding(1)", "has a binding");
    buffer("u32[4] private read_write live_out", "cannot live on");
    buffer("u32[4] workgroup read_write hints(align 64)", "has hints");
    buffer("u32[4] persistent read_write output @group(0) @binding(1)", "no output of one run");
    buffer("u32[] storage read output @group(0) @binding(1)", "only reads");
    buffer("u32[4] uniform read output @group(0) @binding(1)", "only reads");
    buffer("u32[] storage read @group(0) @binding(1) hints(axis 3)", "axis 3");
    buffer("u32[4] uniform read_write @group(0) @binding(1)", "says `read_write`");
    buffer("u32[4294967296] storage read @group(0) @binding(1)", "4294967296 elements");
    buffer("f64x4[18446744073709551615] private read", "elements");
    let size = |size: &str| check(&format!("program p workgroup({size}) {{ }}"), "V008", size);
    size("0, 1, 1");
    size("1, 0, 1");
    size("256, 256, 1");
    size("65536, 65536, 1");
    size("4294967295, 4294967295, 4294967295");
    verify(&read("program p workgroup(65535, 1, 1) { }")).unwrap();
    let two = |a: &str, b: &str| format!("program p workgroup(1, 1, 1) {{ buffer {a}\nbuffer {b} }}");
    check(
        &two("a: u32[] storage read @group(1) @binding(2)", "b: u32[] uniform read @group(1) @binding(2)"),
        "V007",
        "`a` and `b` are both at @group(1) @binding(2)",
    );
    verify(&read(&two("a: u32[4] workgroup read_write", "b: u32[4] private read_write"))).unwrap();
}

/// What neither the parser nor the builder makes.
#[test]
fn structure() {
    let check = |break_it: &dyn Fn(&mut Program), code: &str, words: &str| {
        let mut p = body("%x: u32 = add %u, %u\nif %b {\n%y: u32 = add %x, %x\n}\n%z: u32 = load in[%u]");
        verify(&p).unwrap();
        break_it(&mut p);
        let errors = verify(&p).expect_err(words);
        assert!(errors.iter().any(|e| e.code == code && e.message.contains(words)), "{words}: {errors:?}");
        // A dump of a broken program is what one looks at first.
        assert!(p.to_string().contains("program p"));
    };
    let nth = |p: &Program, op: Op, n: usize| {
        let found = p.insts.iter().filter(|(_, d)| d.op == op).nth(n);
        found.expect("the program has it").0
    };
    let result = |p: &Program, op: Op, n: usize| p.insts[nth(p, op, n)].results[0];
    let branch = |p: &Program| p.insts[nth(p, Op::If, 0)].regions[0];
    check(&|p| p.regions[p.body].insts.reverse(), "V002", "which is not defined before this use");
    check(
        &|p| {
            let (load, inner) = (nth(p, Op::Load, 0), result(p, Op::Add, 1));
            p.insts[load].args[0] = inner;
        },
        "V002",
        "is defined in a region that has ended",
    );
    check(
        &|p| {
            let load = nth(p, Op::Load, 0);
            p.insts[load].args[0] = Value::new(4_000_000_000);
        },
        "V002",
        "does not exist",
    );
    check(
        &|p| {
            let load = nth(p, Op::Load, 0);
            p.insts[load].results[0] = Value::new(4_000_000_000);
        },
        "V001",
        "does not exist",
    );
    check(&|p| p.regions[p.body].insts.truncate(3), "V001", "does not end in a `yield`");
    check(
        &|p| {
            let inner = branch(p);
            p.regions[inner].insts.clear();
        },
        "V001",
        "does not end in a `yield`",
    );
    check(&|p| p.regions[p.body].insts.insert(0, Inst::new(4_000_000_000)), "V001", "does not exist");
    check(
        &|p| {
            let add = nth(p, Op::Add, 0);
            p.regions[p.body].insts.insert(4, add);
        },
        "V001",
        "in the program twice",
    );
    check(
        &|p| {
            let (branch, body) = (nth(p, Op::If, 0), p.body);
            p.insts[branch].regions[1] = body;
        },
        "V001",
        "is used twice",
    );
    check(
        &|p| {
            let branch = nth(p, Op::If, 0);
            p.insts[branch].regions[1] = Region::new(4_000_000_000);
        },
        "V001",
        "names what does not exist",
    );
    check(
        &|p| {
            let branch = nth(p, Op::If, 0);
            p.insts[branch].regions.pop();
        },
        "V001",
        "`if` has 1 regions",
    );
    check(
        &|p| {
            let (add, inner) = (nth(p, Op::Add, 0), branch(p));
            p.insts[add].regions.push(inner);
        },
        "V001",
        "`add` has regions",
    );
    check(
        &|p| {
            let (a, b) = (result(p, Op::Add, 0), nth(p, Op::Load, 0));
            p.insts[b].results[0] = a;
        },
        "V001",
        "is defined by",
    );
    check(
        &|p| {
            let (inner, value) = (branch(p), result(p, Op::Load, 0));
            p.regions[inner].params.push(value);
        },
        "V001",
        "is defined by",
    );
    check(
        &|p| {
            let value = result(p, Op::Load, 0);
            p.values[value].ty.lanes = 9;
        },
        "V003",
        "has 9 lanes",
    );
    check(
        &|p| {
            let add = nth(p, Op::Add, 0);
            p.insts[add].attr = Attr::Lane(1);
        },
        "V004",
        "has an attribute",
    );
    check(
        &|p| {
            let load = nth(p, Op::Load, 0);
            p.insts[load].attr = Attr::None;
        },
        "V004",
        "lacks its attribute",
    );
    check(
        &|p| {
            let load = nth(p, Op::Load, 0);
            p.insts[load].attr = Attr::Buffer(Buffer::new(99));
        },
        "V004",
        "does not exist",
    );
    check(
        &|p| {
            let constant = nth(p, Op::Const, 0);
            p.insts[constant].attr = Attr::Bits([2, 0, 0, 0]);
        },
        "V004",
        "bits that bool does not have",
    );
    check(
        &|p| {
            let constant = nth(p, Op::Const, 1);
            p.insts[constant].attr = Attr::Bits([1, 1, 0, 0]);
        },
        "V004",
        "bits that f32 does not have",
    );
    check(&|p| p.body = Region::new(4_000_000_000), "V001", "no body");
}

#[test]
fn depth() {
    let nested = |depth: usize| {
        let mut b = Builder::new("deep", [1, 1, 1]);
        let c = b.bool(true);
        let regions: Vec<Region> = (0..depth)
            .map(|_| {
                let region = b.open(&[]);
                b.enter(region);
                region
            })
            .collect();
        for region in regions.into_iter().rev() {
            b.end(&[]);
            let otherwise = b.region(&[], |_, _| vec![]);
            b.branch(c, region, otherwise);
        }
        b.finish()
    };
    verify(&nested(MAX_DEPTH - 1)).unwrap();
    let errors = verify(&nested(MAX_DEPTH)).unwrap_err();
    assert_eq!(errors[0].code, "V010");
    assert_eq!(verify(&nested(100_000)).unwrap_err().len(), 2);
    // The printer does not overflow either.
    assert!(nested(100_000).to_string().contains("nested too deeply"));
}

/// A barrier in diverging control flow: the error points at it, at the branch, and at what differs.
fn diverges(text: &str, barrier: usize, branch: usize, origin: usize, words: &str) {
    let errors = verify(&body(text)).expect_err(text);
    let [error] = &errors[..] else { panic!("{text}: {errors:?}") };
    let line = |label: &Label| error.source.as_ref().unwrap().line_column(label.loc.start).0 - 9;
    let lines: Vec<usize> = error.labels.iter().map(line).collect();
    assert_eq!((error.code.name(), &lines[..]), ("V011", &[barrier, branch, origin][..]), "{text}: {error}");
    assert!(error.message.contains(words), "{text}: {error}");
}

#[test]
fn barriers() {
    let id = "%i: u32 = local_index\n%c: bool = lt %i, %u\n";
    let check = |text: &str, barrier: usize, branch: usize, words: &str| {
        diverges(&format!("{id}{text}"), barrier + 2, branch + 2, 1, words);
        accepts(&format!("%i: u32 = num_workgroups x\n%c: bool = lt %i, %u\n{text}"));
    };
    check("if %c {\nworkgroup_barrier\n}", 2, 1, "the `if` around it");
    check("if %c {\n} else {\nstorage_barrier\n}", 3, 1, "because of %3, a result of `local_index`");
    check("if %c {\n%x: u32 = uniform_load tile[%u]\n}", 2, 1, "`uniform_load`");
    check("loop () {\nworkgroup_barrier\nyield %c\n}", 2, 1, "the `loop` around it");
    check("switch %i { case 1 { \nworkgroup_barrier\n} default { } }", 2, 1, "the `switch` around it");
    check("if %c {\nif %b {\nloop () {\nworkgroup_barrier\n yield %b }\n}\n}", 4, 1, "the `if` around it");
    // Results of what diverges differ although what is yielded does not.
    let check2 = |text: &str| check(&format!("{text}\nif %d {{\nworkgroup_barrier\n}}"), 3, 2, "");
    check2("%d: bool = if %c { yield %b } else { yield %b }");
    check2("%d: bool = switch %i { default { yield %b } }");
    check2("%d: bool = loop (%p: bool = %b) { yield %c, %b }");
    // Into a parameter from outside, from one iteration to the next, and through another parameter.
    check2("%d: bool = loop (%p: bool = %c) { yield %b, %p }");
    check2("%d: bool = loop (%p: bool = %b) { yield %b, %c }");
    check2("%e: bool, %d: bool = loop (%p: bool = %b, %q: bool = %b) { yield %b, %c, %p }");
}

#[test]
fn what_differs() {
    let check = |lines: &str, differs: bool| {
        let text = format!("{lines}\n%d: bool = lt %x, %u\nif %d {{\nworkgroup_barrier\n}}");
        match verify(&body(&text)) {
            Ok(()) => assert!(!differs, "{lines}"),
            Err(errors) => assert!(differs && errors[0].code == "V011", "{lines}: {errors:?}"),
        }
    };
    // The workgroup is (4, 2, 1).
    check("%x: u32 = local_id x", true);
    check("%x: u32 = local_id y", true);
    check("%x: u32 = local_id z", false);
    check("%x: u32 = global_id y", true);
    check("%x: u32 = global_id z", false);
    check("%x: u32 = workgroup_id x", false);
    check("%x: u32 = num_workgroups x", false);
    check("%x: u32 = local_index", true);
    check("%x: u32 = subgroup_size", false);
    check("%x: u32 = num_subgroups", false);
    check("%x: u32 = subgroup_lane", true);
    check("%x: u32 = subgroup_id", true);
    check("%x: u32 = subgroup_add %u", true);
    check("%x: u32 = length out", false);
    check("%x: u32 = load in[%u]", false);
    check("%i: u32 = local_index\n%x: u32 = load in[%i]", true);
    check("%x: u32 = load out[%u]", true);
    check("%x: u32 = load tile[%u]", true);
    check("%x: u32 = uniform_load tile[%u]", false);
    check("%x: u32 = atomic_load out[%u]", true);
    check("%x: u32 = atomic_add tile[%u], %u", true);
    check("%x: u32 = load own[%u]", false);
    check("%i: u32 = local_index\n%x: u32 = load own[%i]", true);
    check("store own[%u], %u\n%x: u32 = load own[%u]", false);
    check("%i: u32 = local_index\nstore own[%u], %i\n%x: u32 = load own[%u]", true);
    check("%i: u32 = local_index\nstore own[%i], %u\n%x: u32 = load own[%u]", true);
    let stored = |branch: &str| {
        format!("%i: u32 = local_index\n%c: bool = lt %i, %u\n{branch}\n%x: u32 = load own[%u]")
    };
    check(&stored("if %c {\nstore own[%u], %u\n}"), true);
    check(&stored("if %b {\nstore own[%u], %u\n}"), false);
    check(&stored("loop () {\nstore own[%u], %u\nyield %c\n}"), true);
    check(&stored("loop () {\nif %b {\nstore own[%u], %u\n}\nyield %c\n}"), true);
    // A later store reaches an earlier load in a loop.
    check(
        "%i: u32 = local_index\n%x: u32 = loop (%p: u32 = %u) {\n%l: u32 = load own[%u]\nstore own[%u], %i\nyield %b, %l\n}",
        true,
    );
    // A uniform count in a uniform loop stays uniform.
    check(
        "%x: u32 = loop (%p: u32 = %u) {\n%n: u32 = add %p, %u\n%g: bool = lt %n, %u\nyield %g, %n\n}",
        false,
    );
}

#[test]
fn uniform_load_needs_one_place() {
    rejects(
        "%i: u32 = local_index\n%x: u32 = uniform_load tile[%i]",
        "V011",
        2,
        "the index %3 of `uniform_load`",
    );
    accepts("%i: u32 = local_id z\n%x: u32 = uniform_load tile[%i]");
}

/// One invocation never diverges; subgroup operations may be anywhere.
#[test]
fn where_barriers_may_be() {
    let text = "%i: u32 = local_index\n%c: bool = lt %i, %u\nif %c {\nworkgroup_barrier\n}";
    let mut p = body(text);
    p.workgroup_size = [1, 1, 1];
    verify(&p).unwrap();
    accepts(
        "%i: u32 = local_index\n%c: bool = lt %i, %u\nif %c {\nsubgroup_barrier\n%x: u32 = subgroup_add %u\n}",
    );
}

#[test]
fn uniformity_inside() {
    let p = body(
        "%i: u32 = local_index\n%c: bool = lt %i, %u\nif %c {\n%x: u32 = add %u, %u\nstore own[%u], %x\n}\n%r: u32 = loop (%n: u32 = %u) {\nyield %c, %n }",
    );
    let uniform = uniform::analyze(&p, uniform::Scope::Workgroup);
    let find = |op: Op| p.insts.iter().find(|(_, d)| d.op == op).unwrap().1;
    let (branch, repeat) = (find(Op::If), find(Op::Loop));
    assert!(!uniform.value(branch.args[0]));
    assert!(
        uniform.region(p.body) && !uniform.region(branch.regions[0]) && !uniform.region(repeat.regions[0])
    );
    // Whoever gets there agrees on the value.
    assert!(uniform.value(find(Op::Add).results[0]));
    assert!(uniform.value(p.regions[repeat.regions[0]].params[0]));
    assert!(!uniform.buffer(p.buffer_named("own").unwrap()));
}

/// Linear: a program of the largest size is checked in no time even without optimization.
#[test]
fn large() {
    let mut b = Builder::new("large", [64, 1, 1]);
    let mut x = b.index(Op::LocalIndex);
    for i in 0..200_000 {
        x = if i % 100 == 0 {
            let c = b.op(Op::Eq, &[x, x]);
            b.if_(c, |b| vec![b.op(Op::Mul, &[x, x])], |_| vec![x])[0]
        } else {
            b.op(Op::Add, &[x, x])
        };
    }
    b.sync(Op::WorkgroupBarrier);
    let p = b.finish();
    verify(&p).unwrap();
    let q = read(&p.to_string());
    assert_eq!(wire::fingerprint(&p), wire::fingerprint(&q));
}

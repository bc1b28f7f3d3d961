//! The text form: what is printed, that it reads back, and what is said about text that does not.

use vyre_ir::text::{parse, relocate};
use vyre_ir::verify::{MAX_DEPTH, verify};
use vyre_ir::*;

const ALL: &str = include_str!("all.vyre");

fn read(text: &str) -> Program {
    parse("test.vyre", text).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

#[test]
fn prints_what_it_reads() {
    let p = read(ALL);
    assert_eq!(p.to_string(), ALL);
    assert_eq!(verify(&p), Ok(()));
}

/// The printer against programs from the builder rather than from the parser.
#[test]
fn prints_what_is_built() {
    let mut b = Builder::new("a b\"\n", [8, 8, 1]);
    let tile = b.buffer(BufferDecl {
        name: "tile".into(),
        group: 0,
        binding: 0,
        memory: Memory::Workgroup,
        access: Access::ReadWrite,
        element: Type::new(Scalar::F32, 2),
        count: 64,
        ..BufferDecl::default()
    });
    let four = b.u32(4);
    let r = b.loop_(&[four], |b, p| {
        let one = b.u32(1);
        let next = b.op(Op::Sub, &[p[0], one]);
        vec![b.op(Op::Lt, &[four, next]), next]
    });
    let cases: Vec<Region> = (0..2).map(|i| b.region(&[], |b, _| vec![b.u32(i)])).collect();
    let case = |value, region| Case { value, region };
    b.switch(r[0], vec![case(1, 0), case(7, 1), case(2, 0)], &cases);
    let two = b.number(Type::new(Scalar::F32, 2), 2.0);
    b.store(Op::Store, tile, four, two);
    b.sync(Op::WorkgroupBarrier);
    let p = b.finish();
    let expected = r#"program "a b\"\u{a}" workgroup(8, 8, 1) {
  buffer tile: f32x2[64] workgroup read_write
  %0: u32 = const 4
  %1: u32 = loop (%2: u32 = %0) {
    %3: u32 = const 1
    %4: u32 = sub %2, %3
    %5: bool = lt %0, %4
    yield %5, %4
  }
  %6: u32 = switch %1 {
    case 1, 2 {
      %7: u32 = const 0
      yield %7
    }
    case 7, default {
      %8: u32 = const 1
      yield %8
    }
  }
  %9: f32x2 = const 2.0
  store tile[%0], %9
  workgroup_barrier
}
"#;
    assert_eq!(p.to_string(), expected);
    assert_eq!(read(expected).to_string(), expected);
    assert_eq!(relocate(&p).source.unwrap().text, expected);
}

/// What a buffer is marked with: each mark alone, and all of them.
#[test]
fn marks_of_buffers() {
    let decl = |p: &Program| p.buffers.values().next().unwrap().clone();
    let text = |marks: &str, hints: &str| {
        format!(
            "program p workgroup(1, 1, 1) {{\n  buffer b: u32[] storage read_write{marks} @group(0) @binding(0){hints}\n}}\n"
        )
    };
    let check = |marks: &str, hints: &str, want: (bool, bool, MemoryHints)| {
        let p = read(&text(marks, hints));
        let b = decl(&p);
        assert_eq!((b.output, b.live_out, b.hints), want, "{marks} {hints}");
        assert_eq!(p.to_string(), text(marks, hints));
        assert_eq!(verify(&p), Ok(()));
    };
    let (none, locality) =
        (MemoryHints::default(), |cache_locality| MemoryHints { cache_locality, ..MemoryHints::default() });
    check("", "", (false, false, none));
    check(" output", "", (true, false, none));
    check(" live_out", "", (false, true, none));
    for axis in 0..3 {
        let hints = MemoryHints { coalesce_axis: Some(axis), ..none };
        check("", &format!(" hints(axis {axis})"), (false, false, hints));
    }
    check("", " hints(align 64)", (false, false, MemoryHints { preferred_alignment: 64, ..none }));
    check("", " hints(streaming)", (false, false, locality(CacheLocality::Streaming)));
    check("", " hints(random)", (false, false, locality(CacheLocality::Random)));
    let all = MemoryHints {
        coalesce_axis: Some(2),
        preferred_alignment: 4096,
        cache_locality: CacheLocality::Streaming,
    };
    check(" output live_out", " hints(axis 2, align 4096, streaming)", (true, true, all));
    // Any order, and what is not worth saying.
    assert_eq!(decl(&read(&text("", " hints(random, align 8,axis 0)"))).hints.preferred_alignment, 8);
    assert_eq!(read(&text("", " hints(temporal, align 0)")).to_string(), text("", ""));
    for hints in [
        " hints()",
        " hints(align)",
        " hints(align 4 axis 1)",
        " hints(align 4, align 4)",
        " hints(random, streaming)",
        " hints(axis 256)",
        " hints(align 4294967296)",
        " hints(fast)",
    ] {
        let errors = parse("test.vyre", &text("", hints)).unwrap_err();
        assert_eq!((errors.len(), errors[0].code.name()), (1, "T001"), "{hints}: {}", errors[0]);
    }
}

#[test]
fn free_layout_and_names() {
    let p = read(
        "// a comment\nprogram p workgroup(1,1,1){ // another\n buffer b:u32[]storage read_write@group(0)@binding(0)\n\
         %i : u32=const 0x10\n %c: bool = const true\n if %c { \n %x: u32 = add %i,\n %i\n store b[%i], %x }\n\
         if %c { %x: u32 = add %i, %i }\n %x: u32x2 = const (1, 2) }",
    );
    let expected = "program p workgroup(1, 1, 1) {
  buffer b: u32[] storage read_write @group(0) @binding(0)
  %0: u32 = const 16
  %1: bool = const true
  if %1 {
    %2: u32 = add %0, %0
    store b[%0], %2
  }
  if %1 {
    %3: u32 = add %0, %0
  }
  %4: u32x2 = const (1, 2)
}
";
    assert_eq!(p.to_string(), expected);
}

/// Every instruction's location is its own text, up to its regions.
#[test]
fn locations() {
    for p in [read(ALL), relocate(&read(ALL))] {
        let source = p.source.as_ref().unwrap();
        let mut lines = 0;
        p.walk(p.body, &mut |inst| {
            let data = &p.insts[inst];
            let text = &source.text[data.loc.start as usize..data.loc.end as usize];
            if data.op == Op::Yield && data.args.is_empty() {
                assert_eq!(text.trim(), if text == " " { "" } else { "}" });
                return;
            }
            assert!(text.contains(data.op.name()) && !text.contains(['{', '\n']), "{text}");
            let line = source.text[..data.loc.start as usize].matches('\n').count();
            assert!(line > lines, "{text} is in line {line}");
            lines = line;
        });
    }
}

#[test]
fn constants() {
    let check = |ty: &str, text: &str, printed: &str| {
        let p = read(&format!("program p workgroup(1, 1, 1) {{ %0: {ty} = const {text} }}"));
        let line = p.to_string().lines().nth(1).unwrap().trim().to_string();
        assert_eq!(line, format!("%0: {ty} = const {printed}"));
        assert_eq!(verify(&p), Ok(()));
    };
    check("f32", "1", "1.0");
    check("f32", "16777217", "16777216.0");
    check("f32", "0.1000000001", "0.1");
    check("f32", "0x80000000", "-0.0");
    check("f32", "0x7f800000", "inf");
    check("f32", "0xffc00000", "0xffc00000");
    check("f32", "1e-46", "0.0");
    // Halfway between two f32 plus a little that rounding through f64 would lose.
    check("f32", "1.000000059604644775390625000000000001", "1.0000001");
    check("f64", "1e308", "1e308");
    check("f16", "65504", "65504.0");
    check("f16", "0x0001", "6e-8");
    check("f16", "0.333", "0.333");
    check("f16", "0x7e01", "0x7e01");
    check("bf16", "0x3f81", "1.01");
    check("i8", "0xff", "-1");
    check("i32", "-2147483648", "-2147483648");
    check("u32x3", "(1, 1, 1)", "1");
    check("bool", "0x1", "true");
    let refuse = |ty: &str, text: &str| {
        let errors = parse("", &format!("program p workgroup(1, 1, 1) {{\n %0: {ty} = const {text}\n }}"));
        assert_eq!(errors.unwrap_err()[0].code, "T007", "{ty} {text}");
    };
    refuse("u8", "256");
    refuse("u8", "-1");
    refuse("i8", "128");
    refuse("i8", "0x100");
    refuse("f16", "65520");
    refuse("f32", "1e39");
    refuse("f32", "1e");
    refuse("f32", "nan");
    refuse("f32", "-infinity");
    refuse("bool", "1");
    refuse("u32", "1.0");
    refuse("u64", "18446744073709551616");
}

/// Errors as `line:column code message`, for text in the body of a program with a buffer `b` and a value `%v`.
fn errors(body: &str) -> Vec<String> {
    let text = format!(
        "program p workgroup(1, 1, 1) {{ buffer b: u32[] storage read @group(0) @binding(0)\n%v: u32 = const 1\n{body}\n}}"
    );
    describe(parse("", &text))
}

fn describe(read: Result<Program, Vec<Diagnostic>>) -> Vec<String> {
    let describe = |e: &Diagnostic| {
        let (line, column) = e.source.as_ref().unwrap().line_column(e.labels[0].loc.start);
        let fix = e.fix.as_ref().map_or(String::new(), |fix| format!(" {fix}"));
        format!("{line}:{column} {} {}{fix}", e.code, e.message)
    };
    read.unwrap_err().iter().map(describe).collect()
}

#[test]
fn several_errors() {
    assert_eq!(
        errors(
            "%a: u32 = ad %v, %w\n%b: f33 = sqrt %a\n%c: u32 = add %a, %w\nstore c[%c], %c\nif %v { mul\n ? }\n%v: u32 = const 5"
        ),
        [
            "3:11 T002 there is no operation `ad` Did you mean `add`?",
            "4:5 T003 there is no type `f33` Use one of bool, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64, or a vector such as f32x4.",
            "5:19 T004 `%w` is not defined here",
            "6:7 T006 there is no buffer `c` Did you mean `b`?",
            "8:2 T001 expected an instruction, found `?`",
            "9:1 T005 `%v` is defined already",
        ]
    );
}

#[test]
fn one_error() {
    let check = |body: &str, expected: &str| assert_eq!(errors(body), [expected], "{body}");
    check("%a: u32 = const", "4:1 T001 expected a constant, found `}`");
    check("%a u32 = const 1", "3:4 T001 expected `:`, found `u32`");
    check("%: u32 = const 1", "3:1 T001 `%` must be followed by a name");
    check("%a: u32x2 = const (1, 2, 3)", "3:24 T001 expected `)`, found `,`");
    check("%a: u32 = global_id w", "3:21 T001 expected an axis: x, y or z, found `w`");
    check("%a: u32 = extract %v.q", "3:22 T001 expected a lane: x, y, z or w, found `q`");
    check("%a: u32 = load b %v", "3:18 T001 expected `[`, found `%v`");
    check(
        "%a: u32 = load \"b",
        "3:16 T001 expected a buffer's name, found a name whose quotes are not closed",
    );
    check(
        "%a: u32 = load \"\\n\"[%v]",
        "3:16 T001 a name in quotes has escapes other than `\\\"`, `\\\\` and `\\u{...}`",
    );
    check("const 1", "3:1 T001 `const` defines one value: `%1: f32 = const 0.5`");
    check(
        "if %v { if %v { %x: u32 = const 1 }\n %y: u32 = add %x, %v }",
        "4:16 T004 `%x` is not defined here",
    );
    check("%a: u32 = add %a, %v", "3:15 T004 `%a` is not defined here");
    check("loop (%a = %v) { }", "3:10 T001 expected `:`, found `=`");
    check("switch %v { case 1 { } }", "3:24 T001 expected `case`, found `}`");
    check("switch %v { case x { } default { } }", "3:18 T007 `x` is not a number of type u32");
    check("%a: u32 = add %v, %v %b: u32 = add %v, %v", "3:22 T001 expected the end of the line, found `%b`");
    check("yield\n}\n", "6:1 T001 expected the end of the text, found `}`");
    check("if %v {", "4:2 T001 expected `}`, found the end of the text");
    check("%é: u32 = const 1", "3:1 T001 `%` must be followed by a name");
}

#[test]
fn errors_outside_the_body() {
    let check = |text: &str, expected: &str| assert_eq!(describe(parse("", text))[0], expected, "{text}");
    check("", "1:1 T001 expected `program`, found the end of the text");
    check("\0", "1:1 T001 expected `program`, found `\0`");
    check("program", "1:8 T001 expected the program's name, found the end of the text");
    check("program p workgroup(1, -1, 1) {}", "1:24 T001 expected a size, found `-1`");
    check("program p workgroup(1, 1, 4294967296) {}", "1:27 T001 expected a size, found `4294967296`");
    check("program p workgroup(1, 1, 1) {} {}", "1:33 T001 expected the end of the text, found `{`");
    let buffer = |decl: &str, expected: &str| {
        check(&format!("program p workgroup(1, 1, 1) {{\nbuffer {decl}\n}}"), expected);
    };
    buffer("b: u32 storage read", "2:15 T001 expected `[`, found `storage`");
    buffer("b: u32[] storage read", "3:1 T001 expected `@`, found `}`");
    buffer("b: u32[-1] private read", "2:15 T001 expected a count or `]`, found `-1`");
    buffer(
        "b: u32[] shared read",
        "2:17 T001 memory is one of storage, uniform, persistent, workgroup, private, not `shared`",
    );
    buffer("b: u32[] private rw", "2:25 T001 access is one of read, write, read_write, not `rw`");
    buffer("b: u32[1] private read\nbuffer b: u32[1] private read", "3:8 T005 there are two buffers `b`");
}

#[test]
fn too_much() {
    let nested = |depth: usize| {
        let (open, close) = ("if %c {\n".repeat(depth), "}\n".repeat(depth));
        format!("program p workgroup(1, 1, 1) {{\n%c: bool = const true\n{open}{close}}}")
    };
    let deepest = read(&nested(MAX_DEPTH - 1));
    assert_eq!(verify(&deepest), Ok(()));
    assert_eq!(read(&deepest.to_string()).to_string(), deepest.to_string());
    for depth in [MAX_DEPTH, 1_000_000] {
        assert_eq!(describe(parse("", &nested(depth))), ["258:7 T008 regions are nested deeper than 256"]);
    }
    let garbage = "%".repeat(1_000_000) + &"\"".repeat(1_000_000) + &"{(".repeat(1_000_000);
    assert_eq!(describe(parse("", &garbage)).len(), 1);
    assert!(errors(&garbage).len() <= 20);
    assert_eq!(errors(&"?\n".repeat(1_000_000)).len(), 20);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        rng_seed: proptest::test_runner::RngSeed::Fixed(1), failure_persistence: None, ..Default::default()
    })]

    /// Damaged text is read or refused, never more.
    #[test]
    fn damaged(cuts in proptest::collection::vec((0..ALL.len(), 0usize..12, 0..ALL.len(), 0usize..12), 1..4)) {
        let mut text = ALL.to_string();
        for (at, removed, from, inserted) in cuts {
            let at = at.min(text.len());
            let end = (at + removed).min(text.len());
            text.replace_range(at..end, &ALL[from..(from + inserted).min(ALL.len())]);
        }
        match parse("", &text) {
            Ok(p) => {
                let printed = p.to_string();
                proptest::prop_assert_eq!(read(&printed).to_string(), printed);
                if let Err(errors) = verify(&p) {
                    proptest::prop_assert!(!errors.is_empty());
                }
            }
            Err(errors) => proptest::prop_assert!(!errors.is_empty()),
        }
    }

    #[test]
    fn garbage(text in "(\\PC|[\n%{}\"]){0,200}") {
        if let Ok(p) = parse("", &text) {
            proptest::prop_assert!(!p.to_string().is_empty());
        }
    }
}

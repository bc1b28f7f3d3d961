//! What is no module, and that hostile text is only that.

mod device;

use device::{ptxas, refused};
use proptest::prelude::*;
use vyre_ptx_vm::{Launch, Memory, Options, parse, run};

/// A kernel around some lines.
fn kernel(body: &str) -> String {
    format!(
        ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry k(.param .u64 p) {{\n.reg .pred %p<4>; .reg .b16 %h<4>; .reg .f16 %hf<4>; .reg .b32 %r<4>; .reg .u32 %u<4>; .reg .f32 %f<4>; .reg .u64 %rd<4>; .reg .f64 %d<4>;\n.shared .align 16 .b32 s[64];\n{body}\nret;\n}}\n"
    )
}

/// Lines that PTX's rules refuse, and what is said.
const WRONG: [(&str, &str); 56] = [
    ("frobnicate.u32 %u1, %u2;", "frobnicate.u32: no instruction known here"),
    ("add.u32 %u1, %u2, %f1;", "a register of type .f32 where .u32 is wanted"),
    ("add.u32 %f1, %u2, %u3;", "a destination of type .f32 where .u32 is wanted"),
    ("add.u32 %u1, %u2;", "2 operands, not 3"),
    ("add.u32 %u1, %u2, %u3, %u4;", "`%u4` is not declared"),
    ("add.u32 %u1, %u2, %nothing;", "`%nothing` is not declared"),
    ("add.u32 %u1, %u2, 1.0;", "no operand of type .u32"),
    ("add.rn.f32 %f1, %f2, 1;", "no operand of type .f32"),
    ("add.rn.f16 %hf1, %hf2, 1.0;", "no operand of type .f16"),
    ("add.rn.bf16 %hf1, %hf2, %hf3;", "a destination of type .f16 where .bf16 is wanted"),
    ("add.u32.f %u1, %u2, %u3;", "it has no `.f`"),
    ("add.u32 %u1, %tid.x, 1;", "special registers are read by mov and cvt only"),
    ("add %u1, %u2, %u3;", "a type is missing"),
    ("mul.u32 %u1, %u2, %u3;", "one of .lo, .hi, .wide is missing"),
    ("mul.wide.u32 %u1, %u2, %u3;", "a destination of type .u32 where .u64 is wanted"),
    ("and.u32 %u1, %u2, %u3;", "it has no type .u32"),
    ("neg.u32 %u1, %u2;", "it has no type .u32"),
    ("shl.b64 %rd1, %rd2, %rd3;", "a register of type .u64 where .u32 is wanted"),
    ("fma.f32 %f1, %f2, %f3, %f1;", "a rounding is missing"),
    ("fma.rz.f16 %hf1, %hf1, %hf1, %hf1;", "a .f16 is rounded to the nearest"),
    ("add.rn.ftz.f64 %d1, %d2, %d3;", "a .f64 has no .ftz or .sat"),
    ("div.rn.f16 %hf1, %hf2, %hf3;", "it has no type .f16"),
    ("setp.lt.b32 %p1, %r1, %r2;", "there is no such comparison of .b32"),
    ("setp.lo.s32 %p1, %u1, %u2;", "there is no such comparison of .s32"),
    ("setp.ltu.u32 %p1, %u1, %u2;", "there is no such comparison of .u32"),
    ("setp.lt.and.u32 %p1, %u1, %u2;", "3 operands, not 4"),
    ("selp.u32 %u1, %u2, %u3, %u1;", "a register of type .u32 where .pred is wanted"),
    ("cvt.f32.u32 %f1, %u1;", "no such rounding from .u32 to .f32"),
    ("cvt.rn.f64.f32 %d1, %f1;", "no such rounding from .f32 to .f64"),
    ("cvt.rn.s32.f32 %r1, %f1;", "no such rounding from .f32 to .s32"),
    ("cvt.u32.u16 %h1, %h2;", "a destination of type .b16 where .u32 is wanted"),
    ("mov.u32 %u1, %f1;", "a register of type .f32 where .u32 is wanted"),
    ("mov.b32 %r1, {%r1, %r2};", "a register of type .b32 where .b16 is wanted"),
    ("mov.u32 %u1, %clock64;", "that special register has 64 bits"),
    ("ld.global.u32 %f1, [%rd1];", "a destination of type .f32 where .u32 is wanted"),
    ("ld.global.u32 %u1, [%u2];", "a register of type .u32 is no address"),
    ("ld.global.u32 %u1, [s];", "`s` is not in that space"),
    ("ld.global.u32 %u1, %rd1;", "an address in brackets is missing"),
    ("ld.global.v2.u32 {%u1, %u2, %u3}, [%rd1];", "3 elements, not 2"),
    ("ld.shared.v8.b32 {%u1, %u2, %u3, %u1, %u1, %u1, %u1, %u1}, [s];", "a vector of too many bytes"),
    ("ld.acquire.global.u32 %u1, [%rd1];", "a scope is missing"),
    ("ld.shared.nc.u32 %u1, [s];", ".nc is for weak loads of global memory"),
    ("st.param.u32 [p], %u1;", "that space cannot be stored to"),
    ("atom.global.add.s64 %rd1, [%rd1], %rd2;", "there is no such atomic of .s64"),
    ("atom.global.min.f32 %f1, [%rd1], %f2;", "there is no such atomic of .f32"),
    ("atom.global.add.f16 %hf1, [%rd1], %hf2;", "have .noftz"),
    ("red.global.exch.b32 [%rd1], %r1;", "there is no such atomic of .b32"),
    ("fence.acq_rel;", "a scope is missing"),
    ("bar.sync 16;", "barriers are numbered 0 to 15"),
    ("bar.sync 0, 33;", "as many threads as some warps have"),
    ("shfl.bfly.b32 %r1, %r2, 1, 31;", "it has .sync"),
    ("shfl.sync.bfly.u32 %u1, %u2, 1, 31, -1;", "it has no type .u32"),
    ("bra nowhere;", "there is no label `nowhere`"),
    ("again: again: bra again;", "`again` is there twice"),
    (".reg .u32 %r<4>;", "`%r` is declared twice"),
    ("@%u1 bra nowhere;", "`%u1` is no predicate"),
];

#[test]
fn wrong_lines_are_refused_with_their_line() {
    let ptxas = ptxas();
    for (line, message) in WRONG {
        let text = kernel(line);
        let error = parse(&text).map(|_| ()).expect_err(line);
        assert!(error.message.contains(message), "`{line}`: {error}");
        assert!((7..=7).contains(&error.line), "`{line}`: {error}");
        if let Some(ptxas) = &ptxas {
            assert!(refused(ptxas, &text, "wrong").is_some(), "ptxas takes `{line}`");
        }
    }
}

#[test]
fn wrong_modules_are_refused() {
    let wrong = [
        ("", "a module begins with .version"),
        (".version 7.0\n", "a module says its .target"),
        (".version 7.0\n.target sm_70\n.address_size 32\n", "addresses have 64 bits"),
        (".version 7.0\n.target sm_70\n/* never ends", "a comment without its end"),
        (".version 7.0\n.target sm_70\n.file 1 \"x\n", "a string without its end"),
        (".version 7.0\n.target sm_70\n.shared .b8 big[232449];", "too large"),
        (".version 7.0\n.target sm_70\n.global .b8 big[4000000000][4000000000][4000000000];", "too large"),
        (".version 7.0\n.target sm_70\n.entry k() { .reg .u32 %r<4000000000>; }", "too many registers"),
        (
            ".version 7.0\n.target sm_70\n.entry k() { .reg .u32 %r<1000000>, %s<1000000>; }",
            "too many registers",
        ),
        (".version 7.0\n.target sm_70\n.entry k() { ret; ", "an instruction is missing"),
        (".version 7.0\n.target sm_70\n.entry k() { ret; }\n.entry k() { ret; }", "`k` is there twice"),
        (
            ".version 7.0\n.target sm_70\n.entry k(.param .b8 p[40000]) { ret; }",
            "too many bytes of parameters",
        ),
        (
            ".version 7.0\n.target sm_70\n.func f() { call f; ret; }\n.entry k() { call f; ret; }",
            "calls itself",
        ),
        (".version 7.0\n.target sm_70\n.entry k() { call f; ret; }", "there is no function `f`"),
        ("\u{7f}", "has no meaning here"),
        ("\u{1f600}", "has no meaning here"),
    ];
    for (text, message) in wrong {
        let error = parse(text).map(|_| ()).expect_err(text);
        assert!(error.message.contains(message), "{text:?}: {error}");
    }
}

#[test]
fn many_braces_are_no_stack_overflow() {
    let open = "{".repeat(100_000);
    for text in [
        kernel(&open),
        kernel(&format!("mov.u32 %u1, {open}")),
        kernel(&format!("ld.global.u32 %u1, {}", "[".repeat(100_000))),
        kernel(&format!("mov.u32 %u1, {}", "!".repeat(100_000))),
        kernel(&format!("setp.eq.u32 {}", "%p1|".repeat(100_000))),
        format!(".version 7.0\n.target sm_70\n.global .b32 x[] = {open}"),
    ] {
        assert!(parse(&text).is_err());
    }
}

/// Text of pieces that PTX is made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "add",
        "mad.lo",
        "ld",
        "st",
        ".global",
        ".shared",
        ".u32",
        ".f16x2",
        ".v4",
        ".param",
        ".reg",
        " %r1",
        " %p1",
        " [s]",
        " {",
        "}",
        "[",
        "]",
        ";",
        ",",
        ":",
        "@",
        "!",
        "|",
        "(",
        ")",
        "<",
        ">",
        "+",
        "-",
        " 0x7fffffffffffffff",
        " 1e9",
        " 0f3f800000",
        " 4294967295",
        " s",
        " x",
        ".entry",
        ".func",
        "call",
        "bra",
        "brx.idx",
        "bar.sync",
        "shfl.sync.idx.b32",
        "mma.sync",
        "cvt",
        ".rn",
        "setp.eq",
        "mov",
        ".b64",
        "\n",
        "//",
        "/*",
        "*/",
        "\"",
        ".align",
        ".loc 1 1 1",
        ".branchtargets",
        "=",
        "%tid.x",
        "_",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: proptest::test_runner::RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_module_or_an_error(text in "\\PC{0,200}") {
        let _ = parse(&text);
        let _ = parse(&kernel(&text));
    }

    #[test]
    fn pieces_are_a_module_or_an_error(text in pieces()) {
        let _ = parse(&text);
        let _ = parse(&kernel(&text));
        let _ = parse(&format!(".version 7.0\n.target sm_70\n{text}"));
    }

    /// A kernel with some bytes changed is refused, or runs to an end or a fault.
    #[test]
    fn changed_kernels_run_or_do_not(changes in prop::collection::vec((0usize..4000, 0x20u8..0x7f), 1..4), which in 0usize..5) {
        let text = [
            include_str!("kernels/reduce.ptx"),
            include_str!("kernels/grid_barrier.ptx"),
            include_str!("kernels/paths.ptx"),
            include_str!("kernels/atomics.ptx"),
            include_str!("kernels/matrix.ptx"),
        ][which];
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(module) = parse(&String::from_utf8(bytes).expect("ASCII")) {
            for entry in &module.entries {
                let mut memory = Memory::default();
                let buffer = memory.allocate(4096);
                memory.write(buffer, &[1; 4096]).expect("an allocation");
                let mut params = buffer.to_le_bytes().repeat(entry.param_bytes.div_ceil(8));
                params.truncate(entry.param_bytes);
                let block = entry.required_threads.unwrap_or([32, 1, 1]);
                let launch = Launch { grid: [2, 1, 1], block, dynamic_shared: 64, params: &params, cooperative: true };
                let options = Options { step_limit: 50_000, ..Options::default() };
                let _ = run(entry, &mut memory, &launch, &options);
            }
        }
    }
}

/// Every kernel has the functions that it calls; text that makes that a square is refused, or small.
#[test]
fn many_kernels_of_many_functions() {
    let mut text = ".version 7.0\n.target sm_70\n".to_string();
    for number in 0..3000 {
        text.push_str(&format!(".global .u32 g{number};\n.func f{number}() {{ ret; }}\n"));
    }
    text.push_str(".func all() {\n");
    (0..3000).for_each(|number| text.push_str(&format!("call f{number};\n")));
    text.push_str("ret;\n}\n");
    (0..2000).for_each(|number| text.push_str(&format!(".entry k{number}() {{ call all; ret; }}\n")));
    let error = parse(&text).map(|_| ()).expect_err("too many");
    assert!(error.message.contains("too many instructions"), "{error}");
}

//! Modules for devices: what is bound where, what comes as immediate data, and what SPIR-V says about floats.

mod common;
mod out;

use naga::valid::{Capabilities, ModuleInfo};
use out::EVERYTHING;
use vyre_ir::{Op, Program, text};
use vyre_wgsl::export::{
    self,
    device::{self, DeviceModule, Features, FloatControls, Immediate},
};
use vyre_wgsl::{ImportOptions, import_spirv};

fn parse(source: &str) -> Program {
    let p = text::parse("test", source).unwrap_or_else(|e| panic!("{}", e[0]));
    vyre_ir::verify::verify(&p).unwrap_or_else(|e| panic!("{}", e[0]));
    p
}

fn module(p: &Program) -> (DeviceModule, ModuleInfo) {
    let m = device::module(p, &EVERYTHING, &|_| false).unwrap_or_else(|e| panic!("{e}\n{p}"));
    let info = export::validate(&m.module, Capabilities::all()).unwrap_or_else(|e| panic!("{e}\n{p}"));
    (m, info)
}

/// The body of the module as WGSL.
fn body(m: &DeviceModule, info: &ModuleInfo) -> String {
    let flags = naga::back::wgsl::WriterFlags::empty();
    let wgsl = naga::back::wgsl::write_string(&m.module, info, flags).expect("it is written");
    let (_, body) =
        wgsl.split_once("fn p(").and_then(|(_, rest)| rest.split_once("{\n")).expect("a function");
    let body = body.trim_end().strip_suffix("return;\n}").expect("the end of the function");
    let lines = body.lines().map(|l| l.strip_prefix("    ").unwrap_or(l));
    lines.filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
}

fn check(source: &str, immediates: &str, expect: &str) {
    let p = parse(&format!(
        "program p workgroup(64, 2, 1) {{
           buffer a: f32[] storage read_write @group(1) @binding(0)
           buffer v: f32x4[] storage read @group(0) @binding(7)
           buffer words: u32[5] storage read_write @group(0) @binding(2)
           buffer halves: u16[] storage read_write @group(0) @binding(3)
           buffer tile: f32[64] workgroup read_write
           {source}
         }}"
    ));
    let (m, info) = module(&p);
    let listed: Vec<String> = m.immediates.iter().map(|i| immediate(&p, i)).collect();
    assert_eq!(listed.join(", "), immediates);
    let expect: Vec<&str> = expect.lines().map(|l| l.strip_prefix("        ").unwrap_or(l)).collect();
    let body = body(&m, &info);
    assert_eq!(body, expect.join("\n").trim(), "\n{body}");
}

fn immediate(p: &Program, word: &Immediate) -> String {
    match word {
        Immediate::Units { buffer, unit_bytes } => format!("{}/{unit_bytes}", p.buffers[*buffer].name),
        Immediate::FirstWorkgroup(axis) => format!("first {axis}"),
        Immediate::Workgroups(axis) => format!("workgroups {axis}"),
    }
}

#[test]
fn buffers_are_numbered_by_group_and_binding() {
    let p = parse(
        "program p workgroup(1, 1, 1) {
           buffer late: u32[] storage read_write @group(2) @binding(0)
           buffer tile: u32[4] workgroup read_write
           buffer large: u32[4097] uniform read @group(1) @binding(1)
           buffer small: u32[4096] uniform read @group(1) @binding(0)
           buffer first: u32[] storage read @group(0) @binding(9)
           buffer runtime: f32x4[] uniform read @group(1) @binding(4)
           %0: u32 = const 0
           %1: u32 = load large[%0]
           %2: u32 = load small[%1]
           %3: u32 = load first[%2]
           %4: u32 = load runtime[%3]
           store late[%4], %3
         }",
    );
    let (m, _) = module(&p);
    assert_eq!(m.entry, "p");
    let bound: Vec<(&str, bool, bool)> =
        m.bindings.iter().map(|b| (p.buffers[b.buffer].name.as_str(), b.uniform, b.read_only)).collect();
    let expect = [
        ("first", false, true),
        ("small", true, true),
        ("large", false, true),
        ("runtime", false, true),
        ("late", false, false),
    ];
    assert_eq!(bound, expect);
    for (_, variable) in m.module.global_variables.iter() {
        let place = variable.binding.map(|b| (b.group, b.binding));
        let name = variable.name.as_deref().expect("it has a name");
        assert_eq!(place, expect.iter().position(|(n, ..)| *n == name).map(|i| (0, i as u32)), "{name}");
    }
}

#[test]
fn a_buffer_may_be_empty() {
    check(
        "%0: u32 = local_index
         %1: f32 = load a[%0]
         store a[%0], %1
         %2: u32 = const 0
         %3: f32 = load a[%2]
         store tile[%2], %3",
        "a/4",
        "
        let a_length = immediates.a_length;
        let _e9 = (local_index < a_length);
        let a_value = a[select(0u, local_index, _e9)];
        let a_value_1 = select(0f, a_value, _e9);
        if (local_index < a_length) {
            a[local_index] = a_value_1;
        }
        let a_value_2 = a[0];
        let a_value_3 = select(0f, a_value_2, (0u < a_length));
        tile[0] = a_value_3;",
    );
}

#[test]
fn a_declared_count_needs_no_immediate() {
    check(
        "%0: u32 = local_index
         %1: u32 = load words[%0]
         %2: u32 = length words
         store words[%2], %1
         %3: u32 = const 4
         store words[%3], %1",
        "",
        "
        let words_value = words[min(local_index, 4u)];
        let words_value_1 = select(0u, words_value, (local_index <= 4u));
        words[4] = words_value_1;",
    );
}

#[test]
fn lengths_are_counted_in_what_all_accesses_are_multiples_of() {
    check(
        "%0: u32 = local_index
         %1: f32x4 = load v[%0]
         %2: f32 = extract %1.x
         %3: u32 = length v
         %4: u16 = load halves[%3]
         store halves[%0], %4
         %5: u32 = load halves[%0]
         store words[%5], %5
         store tile[%0], %2",
        "v/4, halves/2",
        "
        let v_length = immediates.v_length;
        let v_limit = (max(v_length, 3u) - 3u);
        let length_ = (v_length >> 2u);
        let halves_length = immediates.halves_length;
        let halves_limit = (halves_length >> 1u);
        let _e12 = (local_index < v_limit);
        let _e14 = select(0u, local_index, _e12);
        let v_value = v[_e14];
        let v_value_1 = v[(_e14 + 1u)];
        let v_value_2 = v[(_e14 + 2u)];
        let v_value_3 = v[(_e14 + 3u)];
        let v_value_4 = select(vec4(0f), vec4<f32>(v_value, v_value_1, v_value_2, v_value_3), _e12);
        let _e35 = (length_ < halves_length);
        let _e36 = select(0u, length_, _e35);
        let halves_value = atomicLoad((&halves[(_e36 >> 1u)]));
        let halves_value_1 = select(u16(0), u16((halves_value >> ((_e36 & 1u) << 4u))), _e35);
        if (local_index < halves_length) {
            let _e51 = ((local_index & 1u) << 4u);
            atomicAnd((&halves[(local_index >> 1u)]), ~((65535u << _e51)));
            atomicOr((&halves[(local_index >> 1u)]), (u32(halves_value_1) << _e51));
        }
        let _e58 = (local_index < halves_limit);
        let halves_value_2 = atomicLoad((&halves[select(0u, local_index, _e58)]));
        let halves_value_3 = select(0u, halves_value_2, _e58);
        if (halves_value_3 <= 4u) {
            words[halves_value_3] = halves_value_3;
        }
        if (local_index <= 63u) {
            tile[local_index] = v_value_4.x;
        }",
    );
}

#[test]
fn bytes_are_counted_one_by_one() {
    check(
        "%0: u32 = length halves
         %1: u8 = load halves[%0]
         store halves[%0], %1",
        "halves/1",
        "
        let halves_length = immediates.halves_length;
        let length_ = (halves_length >> 1u);
        let _e10 = (length_ < halves_length);
        let _e12 = select(0u, length_, _e10);
        let halves_value = atomicLoad((&halves[(_e12 >> 2u)]));
        let halves_value_1 = select(0u, ((halves_value >> ((_e12 & 3u) << 3u)) & 255u), _e10);
        if (length_ < halves_length) {
            let _e27 = ((length_ & 3u) << 3u);
            atomicAnd((&halves[(length_ >> 2u)]), ~((255u << _e27)));
            atomicOr((&halves[(length_ >> 2u)]), (halves_value_1 << _e27));
        }",
    );
}

#[test]
fn what_is_carried_in_a_wider_type_needs_no_feature() {
    let p = parse(
        "program p workgroup(64, 1, 1) {
           buffer a: u8[] storage read_write @group(0) @binding(0)
           buffer b: bf16[] storage read_write @group(0) @binding(1)
           %0: u32 = global_id x
           %1: i8 = load a[%0]
           %2: bf16 = load b[%0]
           %3: i8 = mul_hi %1, %1
           %4: i8 = reverse_bits %3
           %5: bf16 = convert %4
           %6: bf16 = fma %2, %5, %2
           %7: bf16 = min %6, %2
           %8: bf16 = round %7
           %9: u8 = convert %8
           %10: i8 = bitcast %9
           store a[%0], %10
           store b[%0], %8
         }",
    );
    device::module(&p, &device::Features::default(), &|_| false).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn positions_are_those_of_the_whole_grid() {
    check(
        "%0: u32 = global_id y
         %1: u32 = workgroup_id x
         %2: u32 = num_workgroups z
         %3: u32 = add %0, %1
         %4: u32 = add %3, %2
         %5: u32 = const 1
         store words[%5], %4",
        "first 1, first 0, workgroups 2",
        "
        let first_workgroup_y = immediates.first_workgroup_y;
        let global_id_y = (global_id.y + (first_workgroup_y * 2u));
        let first_workgroup_x = immediates.first_workgroup_x;
        let workgroup_id_x = (workgroup_id.x + first_workgroup_x);
        let num_workgroups_z = immediates.num_workgroups_z;
        let add = (global_id_y + workgroup_id_x);
        let add_1 = (add + num_workgroups_z);
        words[1] = add_1;",
    );
}

#[test]
fn what_is_proven_is_not_checked() {
    let p = parse(
        "program p workgroup(64, 1, 1) {
           buffer a: f32[] storage read_write @group(0) @binding(0)
           %0: u32 = global_id x
           %1: f32 = load a[%0]
           store a[%0], %1
         }",
    );
    let m = device::module(&p, &EVERYTHING, &|inst| p.insts[inst].op == Op::Load).expect("it exports");
    let info = export::validate(&m.module, Capabilities::all()).expect("it validates");
    let expect = "let first_workgroup_x = immediates.first_workgroup_x;
let global_id_x = (global_id.x + (first_workgroup_x * 64u));
let a_length = immediates.a_length;
let a_value = a[global_id_x];
if (global_id_x < a_length) {
    a[global_id_x] = a_value;
}";
    let body = body(&m, &info);
    assert_eq!(body, expect, "\n{body}");
}

fn refusal(source: &str, has: Features) -> String {
    let p = parse(&format!(
        "program p workgroup(64, 1, 1) {{
           buffer a: u32[] storage read_write @group(0) @binding(0)
           buffer wide: u64[] storage read_write @group(0) @binding(1)
           buffer signed: i64[4] workgroup read_write
           %0: u32 = const 0
           {source}
         }}"
    ));
    match device::module(&p, &has, &|_| false) {
        Ok(_) => "none".into(),
        Err(error) => format!("{} {error}", error.code.name()),
    }
}

fn no(change: fn(&mut Features)) -> Features {
    let mut has = EVERYTHING;
    change(&mut has);
    has
}

#[test]
fn what_a_device_lacks_is_named_where_it_is_needed() {
    // The source begins in line 6.
    let check = |source: &str, without: fn(&mut Features), line: u32, needs: &str| {
        assert_eq!(refusal(source, EVERYTHING), "none", "{source}");
        let text = refusal(source, no(without));
        assert!(text.starts_with(&format!("E010 test:{line}:")), "{text}");
        assert!(text.contains(&format!("error[E010]: {needs}, which this device does not have")), "{text}");
    };
    let f16 = "%1: u32 = add %0, %0\n%2: f16 = const 1\n%3: f16 = add %2, %2";
    check(f16, |has| has.f16 = false, 7, "`const` needs 16-bit floats (f16)");
    check("%1: f64x2 = load a[%0]", |has| has.f64 = false, 6, "`load` needs 64-bit floats (f64)");
    check("%1: u16 = load a[%0]", |has| has.i16 = false, 6, "`load` needs 16-bit integers (i16, u16)");
    check("%1: i64 = load a[%0]", |has| has.i64 = false, 6, "`load` needs 64-bit integers (i64, u64)");
    let any = "%1: bool = lt %0, %0\n%2: bool = subgroup_any %1";
    check(any, |has| has.subgroups = false, 7, "`subgroup_any` needs subgroup operations (subgroups)");
    let size = "%1: u32 = subgroup_size";
    check(size, |has| has.subgroups = false, 6, "`subgroup_size` needs subgroup operations (subgroups)");
    let barrier = "`subgroup_barrier` needs barriers of subgroups (subgroup barrier)";
    check("subgroup_barrier", |has| has.subgroup_barrier = false, 6, barrier);

    let min = "%1: u64 = const 1\n%2: u64 = atomic_min wide[%0], %1";
    let extrema = "`atomic_min` needs atomic minimum and maximum of 64-bit integers (i64 atomic min/max)";
    check(min, |has| (has.i64_atomics, has.i64_atomic_min_max) = (false, false), 7, extrema);
    assert_eq!(refusal(min, no(|has| has.i64_atomics = false)), "none");
    let all = "`atomic_min` needs atomic operations on 64-bit integers (i64 atomics)";
    for (more, line) in [
        ("%3: u64 = add %2, %2", 7),
        ("%3: u64 = load wide[%0]", 7),
        ("%3: i64 = const 1\n%4: i64 = atomic_min signed[%0], %3", 9),
    ] {
        check(&format!("{min}\n{more}"), |has| has.i64_atomics = false, line, all);
    }
}

#[test]
fn what_only_a_step_needs_is_refused_too() {
    // The bits of an f64 in a buffer of words pass through a u64.
    let source = "%1: f64 = load a[%0]\nstore a[%0], %0";
    assert_eq!(refusal(source, EVERYTHING), "none");
    let text = refusal(source, no(|has| has.i64 = false));
    assert!(text.starts_with("E010") && text.contains("`p` needs 64-bit integers (i64, u64)"), "{text}");
}

#[test]
fn sums_of_floats_are_native_where_they_can_be() {
    let native = |source: &str, has: Features| {
        let p = parse(&format!(
            "program p workgroup(64, 1, 1) {{
               buffer a: f32[] storage read_write @group(0) @binding(0)
               buffer tile: f32[4] workgroup read_write
               %0: u32 = const 0
               %1: f32 = const 1
               {source}
             }}"
        ));
        let m = device::module(&p, &has, &|_| false).expect("it exports");
        export::validate(&m.module, Capabilities::all()).expect("it validates");
        let words = device::spirv(&p, &m, &FloatControls::default()).expect("it is written");
        // OpAtomicFAddEXT takes 7 words.
        words.contains(&(7 << 16 | 6035))
    };
    let sum = "%2: f32 = atomic_add a[%0], %1";
    assert!(native(sum, EVERYTHING));
    assert!(native(&format!("{sum}\n%3: f32 = atomic_exchange a[%0], %1\nstore a[%0], %2"), EVERYTHING));
    assert!(!native(sum, Features { f32_atomics: false, ..EVERYTHING }));
    assert!(!native(&format!("{sum}\n%3: f32 = atomic_max a[%0], %1"), EVERYTHING));
    assert!(!native(&format!("{sum}\n%3: i32 = load a[%0]"), EVERYTHING));
    assert!(!native("%2: f32 = atomic_add tile[%0], %1", EVERYTHING));
}

/// Whether the module has this instruction.
fn has(words: &[u32], instruction: &[u32]) -> bool {
    words.windows(instruction.len()).any(|w| w == instruction)
}

#[test]
fn spirv_asks_for_the_floats_that_a_device_promises() {
    let p = parse(
        "program p workgroup(64, 1, 1) {
           buffer a: f32[] storage read_write @group(0) @binding(0)
           buffer b: f64[] storage read_write @group(0) @binding(1)
           %0: u32 = global_id x
           %1: f32 = load a[%0]
           %2: f32 = mul %1, %1
           %3: f32 = add %2, %1
           store a[%0], %3
           %4: f64 = load b[%0]
           store b[%0], %4
         }",
    );
    let (m, _) = module(&p);
    let controls = FloatControls {
        preserve_subnormals: [true, true, false],
        preserve_specials: [false, false, false],
        round_to_even: [true, true, true],
    };
    let words = device::spirv(&p, &m, &controls).expect("it is written");
    // Version 1.3 (section 2.3).
    assert_eq!(words[..2], [0x0723_0203, 0x0001_0300]);
    // Two operands behind a word of length and operation: `OpCapability`, then `OpExecutionMode` of the entry point.
    let entry = words
        .windows(4)
        .find(|w| w[0] & 0xffff == 15 && w[1] == 5 && w[3] == u32::from_le_bytes(*b"p\0\0\0"));
    let entry = entry.expect("an entry point for compute, named p")[2];
    let mode = |mode, width| has(&words, &[4 << 16 | 16, entry, mode, width]);
    let capability = |which| has(&words, &[2 << 16 | 17, which]);
    assert!(capability(4464) && mode(4459, 32) && !mode(4459, 16) && !mode(4459, 64), "subnormals");
    assert!(!capability(4466) && !mode(4461, 32), "signs of zero, infinities and NaN");
    assert!(capability(4467) && mode(4462, 32) && mode(4462, 64) && !mode(4462, 16), "rounding");
    let extension: Vec<u32> = b"SPV_KHR_float_controls\0\0"
        .chunks(4)
        .map(|c| u32::from_le_bytes(c.try_into().expect("four bytes")))
        .collect();
    assert!(has(&words, &[&[7 << 16 | 10], &extension[..]].concat()));
    // Neither the sum nor the product may be contracted: `OpDecorate` with `NoContraction`.
    assert_eq!(words.windows(3).filter(|w| w[0] == 3 << 16 | 71 && w[2] == 42).count(), 2);

    let plain = device::spirv(&p, &m, &FloatControls::default()).expect("it is written");
    assert!(!has(&plain, &extension) && plain.len() < words.len());
}

/// Runs the SPIR-V of a program with a buffer `x` that is read and `y` that is written, of words of such counts.
fn words_of(program: &str, x: &[u32], y: usize) -> Vec<u32> {
    let p = parse(program);
    let (m, _) = module(&p);
    let function = &m.module.entry_points[0].function;
    for (_, expression) in function.expressions.iter() {
        use naga::MathFunction::{Max, Min};
        let open = matches!(expression, naga::Expression::Math { fun: Min | Max, .. });
        assert!(!open, "{expression:?}");
    }
    assert!(m.immediates.is_empty(), "the importer knows none");
    let words = device::spirv(&p, &m, &FloatControls::default()).expect("it is written");
    let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    let again = import_spirv("test.spv", &bytes, &ImportOptions::default()).expect("it imports");
    common::words(&again, &[("x", x.to_vec()), ("y", vec![0; y])])["y"].clone()
}

#[test]
fn extrema_are_what_the_rows_say() {
    const ONE: u32 = 0x3f80_0000;
    const NAN: u32 = 0x7fc0_0000;
    const MINUS: u32 = 0x8000_0000;
    const INFINITY: u32 = 0x7f80_0000;
    let x = [
        [0, MINUS],
        [MINUS, 0],
        [MINUS, MINUS],
        [NAN, ONE],
        [ONE, NAN | MINUS],
        [ONE | MINUS, 0x4000_0000],
        [INFINITY, INFINITY | MINUS],
        [1, 1 | MINUS],
    ];
    let expect = [
        [MINUS, 0],
        [MINUS, 0],
        [MINUS, MINUS],
        [ONE, ONE],
        [ONE, ONE],
        [ONE | MINUS, 0x4000_0000],
        [INFINITY | MINUS, INFINITY],
        [1 | MINUS, 1],
    ];
    let got = words_of(
        "program p workgroup(8, 1, 1) {
           buffer x: f32[16] storage read @group(0) @binding(0)
           buffer y: f32[16] storage read_write @group(0) @binding(1)
           %0: u32 = local_index
           %1: u32 = add %0, %0
           %2: f32x2 = load x[%1]
           %3: f32 = extract %2.x
           %4: f32 = extract %2.y
           %5: f32 = min %3, %4
           %6: f32 = max %3, %4
           %7: f32x2 = compose %5, %6
           store y[%1], %7
         }",
        &x.concat(),
        16,
    );
    assert_eq!(got, expect.concat());

    // With a constant that may be a zero, and one that is not: max(x, 0) and min(1, x).
    let got = words_of(
        "program p workgroup(4, 1, 1) {
           buffer x: f32[4] storage read @group(0) @binding(0)
           buffer y: f32[8] storage read_write @group(0) @binding(1)
           %0: u32 = local_index
           %1: u32 = add %0, %0
           %2: f32 = load x[%0]
           %3: f32 = const 0
           %4: f32 = const 1
           %5: f32 = max %2, %3
           %6: f32 = min %4, %2
           %7: f32x2 = compose %5, %6
           store y[%1], %7
         }",
        &[MINUS, NAN, 0x4000_0000, ONE | MINUS],
        8,
    );
    assert_eq!(got, [0, MINUS, 0, ONE, 0x4000_0000, ONE, 0, ONE | MINUS]);

    for (x, expect) in [
        ([NAN, 0, MINUS, ONE], [MINUS, ONE]),
        ([NAN | MINUS, MINUS, 0, ONE | MINUS], [ONE | MINUS, 0]),
        ([INFINITY, 1, 1 | MINUS, INFINITY | MINUS], [INFINITY | MINUS, INFINITY]),
    ] {
        let got = words_of(
            "program p workgroup(4, 1, 1) {
               buffer x: f32[4] storage read @group(0) @binding(0)
               buffer y: f32[2] storage read_write @group(0) @binding(1)
               %0: u32 = local_index
               %1: f32 = load x[%0]
               %2: f32 = subgroup_min %1
               %3: f32 = subgroup_max %1
               %4: f32x2 = compose %2, %3
               %5: u32 = const 0
               store y[%5], %4
             }",
            &x,
            2,
        );
        assert_eq!(got, expect);
    }
}

#[test]
fn rounding_keeps_the_sign_of_a_zero() {
    check(
        "%0: u32 = local_index
         %1: f32 = load tile[%0]
         %2: f32 = ceil %1
         store tile[%0], %2",
        "",
        "
        let tile_value = tile[min(local_index, 63u)];
        let tile_value_1 = select(0f, tile_value, (local_index <= 63u));
        let ceil_ = bitcast<f32>((bitcast<u32>(ceil(tile_value_1)) | (bitcast<u32>(tile_value_1) & 2147483648u)));
        if (local_index <= 63u) {
            tile[local_index] = ceil_;
        }",
    );
}

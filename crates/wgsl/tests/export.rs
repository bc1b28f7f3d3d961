//! Programs go out to all four languages: every operation on every type it takes, and the code is what it should be.

use std::collections::BTreeSet;
use vyre_ir::{
    Access, Attr, Buffer, BufferDecl, Builder, Memory, OPS, Op, Program, Rule, Scalar, Type, Value, text,
};
use vyre_wgsl::export;

/// Rows that no output language gets, and why.
fn why_not(op: Op) -> Option<&'static str> {
    op.info().expand.map(|_| "the optimizer expands it: the languages leave its precision open")
}

/// What an output language has no words for: part of naga's message.
const MISSING: &[(&str, &str, &str)] = &[
    ("MSL", "FLOAT64", "Metal has no double precision"),
    ("MSL", "SHADER_INT64_ATOMIC_ALL_OPS", "Metal has minimum and maximum only, and no result of them"),
    ("HLSL", "SUBGROUP_BARRIER", "HLSL has no barrier of a wave"),
    ("HLSL", "takes the bits of an f64", "naga writes them as a conversion"),
];

fn outputs(p: &Program) -> [(&'static str, Result<String, vyre_ir::Diagnostic>); 4] {
    [
        ("WGSL", export::wgsl(p)),
        ("SPIR-V", export::spirv(p).map(|bytes| format!("{} bytes", bytes.len()))),
        ("MSL", export::msl(p)),
        ("HLSL", export::hlsl(p)),
    ]
}

fn buffer(b: &mut Builder, name: &str, memory: Memory, element: Type, count: u64) -> Buffer {
    let binding = b.p.buffers.len() as u32;
    let (name, access) = (name.into(), Access::ReadWrite);
    b.buffer(BufferDecl { name, group: 0, binding, memory, access, element, count, output: false })
}

/// A value of any type that is not a constant.
fn unknown(b: &mut Builder, ty: Type) -> Value {
    if ty.scalar == Scalar::Bool {
        let words = unknown(b, ty.with(Scalar::U32));
        let zero = b.bits(ty.with(Scalar::U32), 0);
        return b.op(Op::Lt, &[zero, words]);
    }
    let from = buffer(b, &format!("input_{}", b.p.buffers.len()), Memory::Storage, ty, 0);
    let index = b.axis(Op::GlobalId, 0);
    b.load(Op::Load, from, index, ty)
}

/// Stores a value of any type.
fn keep(b: &mut Builder, value: Value) {
    let ty = b.ty(value);
    let value = if ty.scalar == Scalar::Bool { b.convert(value, Scalar::U32) } else { value };
    let ty = b.ty(value);
    let to = buffer(b, &format!("output_{}", b.p.buffers.len()), Memory::Storage, ty, 0);
    let index = own(b, ty);
    b.store(Op::Store, to, index, value);
}

/// Where this invocation's value of the type is, apart from all others.
fn own(b: &mut Builder, ty: Type) -> Value {
    let (invocation, lanes) = (b.axis(Op::GlobalId, 0), b.u32(ty.lanes as u32));
    b.op(Op::Mul, &[invocation, lanes])
}

/// The row used on a type, in every form it has.
pub fn using(op: Op, ty: Type, fill: &mut dyn FnMut(Program)) {
    let mut each = |workgroup: [u32; 3], body: &mut dyn FnMut(&mut Builder)| {
        let mut b = Builder::new(op.name(), workgroup);
        body(&mut b);
        fill(b.finish());
    };
    let scalar = Type::from(ty.scalar);
    let u32 = Type::from(Scalar::U32);
    let is_first = ty == Scalar::I32.into();
    match op.info().rule {
        Rule::Same(class, n) if class.has(ty.scalar) => each([64, 1, 1], &mut |b| {
            let args: Vec<Value> = (0..n).map(|_| unknown(b, ty)).collect();
            let result = b.op(op, &args);
            keep(b, result);
        }),
        Rule::Compare(class) if class.has(ty.scalar) => each([64, 1, 1], &mut |b| {
            let args = [unknown(b, ty), unknown(b, ty)];
            let result = b.op(op, &args);
            keep(b, result);
        }),
        Rule::Shift(class) if class.has(ty.scalar) => each([64, 1, 1], &mut |b| {
            let args = [unknown(b, ty), unknown(b, ty.with(Scalar::U32))];
            let result = b.op(op, &args);
            keep(b, result);
        }),
        Rule::Select => each([64, 1, 1], &mut |b| {
            let args = [unknown(b, ty.with(Scalar::Bool)), unknown(b, ty), unknown(b, ty)];
            let result = b.op(op, &args);
            keep(b, result);
        }),
        Rule::Convert | Rule::Bitcast => {
            for to in Scalar::ALL {
                let numbers = to != Scalar::Bool && ty.scalar != Scalar::Bool;
                let fits = op == Op::Convert || numbers && to.bits() == ty.scalar.bits();
                if to != ty.scalar && fits {
                    each([64, 1, 1], &mut |b| {
                        let x = unknown(b, ty);
                        let result = b.value(op, Attr::None, &[x], ty.with(to));
                        keep(b, result);
                    });
                }
            }
        }
        Rule::Const => {
            let all = [0, 1, 0x7f80_0000, 0x7fc0_0000, 0x7c00, 0x7ff0_0000_0000_0000, 0x8000_0000, u64::MAX];
            each([64, 1, 1], &mut |b| {
                for start in 0..all.len() {
                    let lane = |i: usize| if i < ty.lanes as usize { all[(start + i) % 8] } else { 0 };
                    let value = b.lanes(ty, [0, 1, 2, 3].map(lane).map(|x| x & ty.scalar.mask()));
                    keep(b, value);
                }
            });
        }
        Rule::Compose if ty.lanes > 1 => each([64, 1, 1], &mut |b| {
            let scalars: Vec<Value> = (0..ty.lanes).map(|_| unknown(b, scalar)).collect();
            let result = b.compose(&scalars);
            keep(b, result);
        }),
        Rule::Extract if ty.lanes > 1 => each([64, 1, 1], &mut |b| {
            let vector = unknown(b, ty);
            let result = b.extract(vector, ty.lanes - 1);
            keep(b, result);
        }),
        Rule::Axis if is_first => {
            for workgroup in [[64, 1, 1], [4, 4, 2]] {
                each(workgroup, &mut |b| {
                    for axis in 0..3 {
                        let value = b.axis(op, axis);
                        keep(b, value);
                    }
                    let lane = b.index(Op::SubgroupLane);
                    keep(b, lane);
                });
            }
        }
        Rule::Index if is_first => {
            for workgroup in [[64, 1, 1], [4, 4, 2]] {
                each(workgroup, &mut |b| {
                    let value = b.index(op);
                    keep(b, value);
                });
            }
        }
        Rule::Length if ty.scalar != Scalar::Bool => {
            for count in [0, 7] {
                each([64, 1, 1], &mut |b| {
                    let of = buffer(b, "measured", Memory::Storage, ty, count);
                    let value = b.length(of);
                    keep(b, value);
                });
            }
        }
        Rule::Load | Rule::Store if ty.scalar != Scalar::Bool => {
            let atomic = matches!(op, Op::AtomicLoad | Op::AtomicStore);
            if atomic && (ty.lanes > 1 || !vyre_ir::types::ATOMIC.has(ty.scalar)) {
                return;
            }
            for memory in Memory::ALL {
                let writes = op.info().rule == Rule::Store;
                let fits = match op {
                    Op::UniformLoad => memory == Memory::Workgroup,
                    _ if atomic => matches!(memory, Memory::Storage | Memory::Workgroup),
                    _ => !(writes && memory == Memory::Uniform),
                };
                // Alone, and with others that make the buffer one of words.
                for others in
                    [&[][..], &[Scalar::U32], &[Scalar::U32, Scalar::U64], &[Scalar::F16, Scalar::F32]]
                {
                    if fits && (others.is_empty() || !atomic) {
                        each([64, 1, 1], &mut |b| {
                            let element = if others.is_empty() { ty } else { Scalar::U32.into() };
                            let count = if memory.is_bound() && memory != Memory::Uniform { 0 } else { 24 };
                            let at = buffer(b, "memory", memory, element, count);
                            if memory == Memory::Uniform {
                                b.p.buffers[at].access = Access::Read;
                            }
                            for &other in others {
                                let index = b.u32(5);
                                if writes {
                                    let value = b.bits(other, 1);
                                    b.store(Op::Store, at, index, value);
                                } else {
                                    let value = b.load(Op::Load, at, index, other.into());
                                    keep(b, value);
                                }
                            }
                            let somewhere =
                                if op == Op::UniformLoad { b.index(Op::NumSubgroups) } else { own(b, ty) };
                            for index in [somewhere, b.u32(1)] {
                                if writes {
                                    let value = unknown(b, ty);
                                    b.store(op, at, index, value);
                                } else {
                                    let value = b.load(op, at, index, ty);
                                    keep(b, value);
                                }
                            }
                        });
                    }
                }
            }
        }
        Rule::Atomic(class) | Rule::CompareExchange(class) if class.has(ty.scalar) && ty.lanes == 1 => {
            let partners: &[Scalar] = match ty.scalar.bytes() {
                4 => &[Scalar::I32, Scalar::U32, Scalar::F32],
                _ => &[Scalar::I64, Scalar::U64],
            };
            for memory in [Memory::Storage, Memory::Workgroup] {
                for &partner in partners {
                    each([64, 1, 1], &mut |b| {
                        let count = if memory == Memory::Storage { 0 } else { 8 };
                        let at = buffer(b, "memory", memory, partner.into(), count);
                        let index = unknown(b, u32);
                        let value = unknown(b, ty);
                        if let Rule::Atomic(_) = op.info().rule {
                            let old = b.value(op, Attr::Buffer(at), &[index, value], ty);
                            keep(b, old);
                            let zero = b.u32(0);
                            b.value(op, Attr::Buffer(at), &[zero, value], ty);
                        } else {
                            let expected = unknown(b, ty);
                            let args = [index, expected, value];
                            let types = [ty, Scalar::Bool.into()];
                            let inst = b.insert(op, Attr::Buffer(at), &args, &types, []);
                            for result in b.p.insts[inst].results.clone() {
                                keep(b, result);
                            }
                        }
                        let other = unknown(b, partner.into());
                        b.value(Op::AtomicExchange, Attr::Buffer(at), &[index, other], partner.into());
                    });
                }
            }
        }
        Rule::Lane(class) if class.has(ty.scalar) => {
            for constant in [false, true] {
                each([64, 1, 1], &mut |b| {
                    let value = unknown(b, ty);
                    let lane = if constant { b.u32(1) } else { unknown(b, u32) };
                    let result = b.op(op, &[value, lane]);
                    keep(b, result);
                });
            }
        }
        Rule::Ballot if is_first => each([8, 8, 1], &mut |b| {
            let vote = unknown(b, Scalar::Bool.into());
            let result = b.op(op, &[vote]);
            keep(b, result);
        }),
        Rule::Nothing if is_first => each([64, 1, 1], &mut |b| b.sync(op)),
        Rule::Structure => each([64, 1, 1], &mut |b| {
            let [x, y] = [unknown(b, ty), unknown(b, ty)];
            let results = match op {
                Op::If | Op::Yield => {
                    let condition = unknown(b, Scalar::Bool.into());
                    b.if_(condition, |_| vec![x], |_| vec![y])
                }
                Op::Loop => b.loop_(&[x, y], |b, params| {
                    let again = unknown(b, Scalar::Bool.into());
                    vec![again, params[1], params[0]]
                }),
                Op::Switch => {
                    let selector = unknown(b, Scalar::I32.into());
                    let regions = [b.region(&[], |_, _| vec![x]), b.region(&[], |_, _| vec![y])];
                    let case = |value: i32, region| vyre_ir::Case { value: value as u32 as u64, region };
                    let cases = [case(-1, 0), case(7, 0), case(i32::MIN, 1)];
                    b.switch(selector, cases, &regions)
                }
                _ => panic!("`{}` is control flow without a test", op.name()),
            };
            keep(b, results[0]);
        }),
        _ => {}
    }
}

/// A new row makes this fail, and the failure names it.
#[test]
fn every_operation_goes_out() {
    let mut failures = BTreeSet::new();
    let mut programs = 0;
    for info in OPS {
        let mut uses = 0;
        for scalar in Scalar::ALL {
            for lanes in [1, 2, 3, 4] {
                using(info.op, Type::new(scalar, lanes), &mut |p| {
                    uses += 1;
                    let types = p.values.values().map(|v| v.ty).chain(p.buffers.values().map(|b| b.element));
                    let expressible = types.into_iter().all(|ty| export::native(Op::Add, ty.scalar));
                    if let Err(errors) = vyre_ir::verify::verify(&p) {
                        panic!("{}\n{p}", errors[0]);
                    }
                    if let (Some(_), Err(error)) = (why_not(info.op), export::module(&p)) {
                        assert!(["E001", "E003"].contains(&error.code), "{error}");
                        return;
                    }
                    if let (false, Err(error)) = (expressible, export::module(&p)) {
                        assert!(["E001", "E002"].contains(&error.code), "{error}");
                        return;
                    }
                    programs += 1;
                    for (target, output) in outputs(&p) {
                        let error = match output {
                            Ok(_) => continue,
                            Err(error) => error.to_string(),
                        };
                        if !MISSING.iter().any(|(t, part, _)| *t == target && error.contains(part)) {
                            failures.insert(format!("{target}: {} on {scalar}: {error}", info.name));
                        }
                    }
                });
            }
        }
        assert!(uses > 0, "`{}` has a rule that `using` does not know: add how it is used", info.name);
    }
    let failures: Vec<String> = failures.into_iter().collect();
    assert!(failures.is_empty(), "{} of {programs}:\n{}", failures.len(), failures.join("\n"));
}

fn parse(source: &str) -> Program {
    text::parse("test", source).unwrap_or_else(|e| panic!("{}", e[0]))
}

/// The body of the WGSL of a program with some buffers, without the parts that are always the same.
fn body(source: &str) -> String {
    let p = parse(&format!(
        "program p workgroup(64, 1, 1) {{
           buffer a: f32[] storage read_write @group(0) @binding(0)
           buffer v: f32x4[] storage read @group(0) @binding(1)
           buffer mixed: u32[] storage read_write @group(0) @binding(2)
           buffer rows: u32[6] uniform read @group(0) @binding(3)
           buffer tile: f32[64] workgroup read_write
           buffer own: i32[4] private read_write
           {source}
         }}"
    ));
    vyre_ir::verify::verify(&p).unwrap_or_else(|e| panic!("{}", e[0]));
    for (target, output) in outputs(&p) {
        output.unwrap_or_else(|e| panic!("{target}: {e}"));
    }
    let wgsl = export::wgsl(&p).unwrap();
    let (_, body) =
        wgsl.split_once("fn p(").and_then(|(_, rest)| rest.split_once("{\n")).expect("a function");
    let body = body.trim_end().strip_suffix("return;\n}").expect("the end of the function");
    let lines = body.lines().map(|l| l.strip_prefix("    ").unwrap_or(l));
    lines.filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
}

fn check(source: &str, expect: &str) {
    let expect: Vec<&str> = expect.lines().map(|l| l.strip_prefix("        ").unwrap_or(l)).collect();
    let expect = expect.join("\n");
    let body = body(source);
    assert_eq!(body, expect.trim(), "\n{body}");
}

#[test]
fn indices_are_compared_where_nothing_is_known() {
    check(
        "%0: u32 = global_id x
         %1: f32 = load a[%0]
         store a[%0], %1",
        "
        let a_length = arrayLength((&a));
        let a_last = (a_length - 1u);
        let a_value = a[min(global_id.x, a_last)];
        let a_value_1 = select(0f, a_value, (global_id.x <= a_last));
        if (global_id.x <= a_last) {
            a[global_id.x] = a_value_1;
        }",
    );
}

#[test]
fn indices_that_are_known_to_be_inside_are_not_compared() {
    check(
        "%0: u32 = local_index
         %1: f32 = load tile[%0]
         %2: u32 = const 3
         %3: i32 = load own[%2]
         %4: u32 = and %0, %2
         store own[%4], %3
         store tile[%0], %1",
        "
        let tile_value = tile[local_index];
        let own_value = own[3];
        let and = (local_index & 3u);
        own[and] = own_value;
        tile[local_index] = tile_value;",
    );
}

#[test]
fn what_an_if_has_compared_is_not_compared_again() {
    check(
        "%0: u32 = global_id x
         %1: u32 = length a
         %2: bool = le %1, %0
         if %2 {
         } else {
           %3: f32 = load a[%0]
           %4: f32 = neg %3
           store a[%0], %4
         }",
        "
        let a_length = arrayLength((&a));
        let le = (a_length <= global_id.x);
        if !(le) {
            let a_value = a[global_id.x];
            let neg = -(a_value);
            a[global_id.x] = neg;
        }",
    );
}

#[test]
fn constant_indices_outside_leave_nothing() {
    check(
        "%0: u32 = const 4
         %1: i32 = load own[%0]
         store own[%0], %1",
        "",
    );
}

#[test]
fn vectors_are_all_or_nothing() {
    check(
        "%0: u32 = global_id x
         %1: f32x4 = load v[%0]
         store a[%0], %1",
        "
        let v_length = arrayLength((&v));
        let v_last = (v_length - 4u);
        let a_length = arrayLength((&a));
        let a_limit = (max(a_length, 3u) - 3u);
        let _e12 = min(global_id.x, v_last);
        let v_value = v[_e12];
        let v_value_1 = v[(_e12 + 1u)];
        let v_value_2 = v[(_e12 + 2u)];
        let v_value_3 = v[(_e12 + 3u)];
        let v_value_4 = select(vec4(0f), vec4<f32>(v_value, v_value_1, v_value_2, v_value_3), (global_id.x <= v_last));
        if (global_id.x < a_limit) {
            a[global_id.x] = v_value_4.x;
            a[(global_id.x + 1u)] = v_value_4.y;
            a[(global_id.x + 2u)] = v_value_4.z;
            a[(global_id.x + 3u)] = v_value_4.w;
        }",
    );
}

#[test]
fn buffers_of_several_types_are_words() {
    check(
        "%0: u32 = const 0
         %1: u64 = load mixed[%0]
         %2: u32 = const 4
         store mixed[%2], %1
         %3: f32 = load mixed[%2]
         store a[%0], %3",
        "
        var loaded: u64;
        let mixed_length = arrayLength((&mixed));
        let mixed_limit = (mixed_length >> 1u);
        let mixed_last = (mixed_length - 1u);
        if (0u < mixed_limit) {
            let mixed_value = mixed[0];
            let mixed_value_1 = mixed[1];
            loaded = (u64(mixed_value) | (u64(mixed_value_1) << 32u));
        } else {
            loaded = 0lu;
        }
        let mixed_value_2 = loaded;
        if (4u < mixed_limit) {
            mixed[8] = u32(mixed_value_2);
            mixed[9] = u32((mixed_value_2 >> 32u));
        }
        let mixed_value_3 = mixed[min(4u, mixed_last)];
        let mixed_value_4 = select(0f, bitcast<f32>(mixed_value_3), (4u <= mixed_last));
        a[0] = mixed_value_4;",
    );
}

#[test]
fn uniform_memory_comes_in_rows() {
    check(
        "%0: u32 = const 5
         %1: u32 = load rows[%0]
         %2: u32 = load rows[%1]
         store mixed[%0], %2",
        "
        let mixed_length = arrayLength((&mixed));
        let mixed_last = (mixed_length - 1u);
        let rows_value = rows[1].y;
        let _e11 = min(rows_value, 5u);
        let rows_value_1 = rows[(_e11 >> 2u)][(_e11 & 3u)];
        let rows_value_2 = select(0u, rows_value_1, (rows_value <= 5u));
        if (5u <= mixed_last) {
            mixed[5] = rows_value_2;
        }",
    );
}

#[test]
fn loops_carry_what_changes() {
    check(
        "%0: u32 = const 0
         %1: u32 = global_id x
         %2: u32, %3: u32 = loop (%4: u32 = %0, %5: u32 = %1) {
           %6: u32 = const 1
           %7: u32 = add %4, %6
           %8: bool = lt %7, %5
           yield %8, %7, %5
         }
         %9: u32 = add %2, %3
         store mixed[%0], %9",
        "
        var carried: u32;
        carried = 0u;
        loop {
            let current = carried;
            let add = (current + 1u);
            let lt = (add < global_id.x);
            carried = add;
            if !(lt) {
                break;
            }
        }
        let last = carried;
        let add_1 = (last + global_id.x);
        mixed[0] = add_1;",
    );
}

#[test]
fn constants_are_folded_and_never_literally_infinite() {
    check(
        "%0: f32 = const 1
         %1: f32 = const 0
         %2: f32 = div %0, %1
         %3: u32 = const 0
         store a[%3], %2",
        "
        var infinity_bits: u32 = 2139095040u;
        let _e9 = infinity_bits;
        let infinity = bitcast<f32>(_e9);
        a[0] = infinity;",
    );
}

#[test]
fn control_flow_may_nest_as_deep_as_promised() {
    for (depth, fits) in [(export::MAX_DEPTH, true), (export::MAX_DEPTH + 1, false)] {
        let mut b = Builder::new("deep", [1, 1, 1]);
        let to = buffer(&mut b, "out", Memory::Storage, Scalar::U32.into(), 0);
        let condition = unknown(&mut b, Scalar::Bool.into());
        let zero = b.u32(0);
        let mut regions = Vec::new();
        for level in 0..depth {
            regions.push(b.open(if level % 2 == 0 {
                &[]
            } else {
                &[Type { scalar: Scalar::U32, lanes: 1 }]
            }));
            b.enter(regions[level]);
        }
        b.store(Op::Store, to, zero, zero);
        for level in (0..depth).rev() {
            if level % 2 == 0 {
                b.end(&[]);
                let otherwise = b.region(&[], |_, _| Vec::new());
                b.branch(condition, regions[level], otherwise);
            } else {
                b.end(&[condition, zero]);
                b.repeat(&[zero], regions[level]);
            }
        }
        let p = b.finish();
        for (target, output) in outputs(&p) {
            match output {
                Ok(_) => assert!(fits, "{target} at {depth}"),
                Err(error) => assert!(!fits && error.code == "E004", "{target} at {depth}: {error}"),
            }
        }
    }
}

#[test]
fn names_become_identifiers() {
    let p = parse(
        "program \"2nd / try\" workgroup(1, 1, 1) {
           buffer \"in--put é\": u32[] storage read_write @group(0) @binding(0)
           buffer \"loop\": u32[] storage read_write @group(0) @binding(1)
           %0: u32 = const 0
           %1: u32 = load \"in--put é\"[%0]
           store \"loop\"[%0], %1
         }",
    );
    let wgsl = export::wgsl(&p).unwrap();
    for part in ["fn n_2nd_try(", "in_put: array<u32>", "loop_: array<u32>"] {
        assert!(wgsl.contains(part), "{part} in:\n{wgsl}");
    }
}

#[test]
fn what_cannot_go_out_is_refused_with_its_place() {
    let refuse = |source: &str, code: &str, part: &str| {
        let p = parse(source);
        let error = export::module(&p).expect_err(part);
        let text = error.to_string();
        assert!(error.code == code && text.contains(part), "{text}");
        assert!(text.starts_with("test:"), "{text}");
    };
    refuse(
        "program p workgroup(1, 1, 1) {
           buffer a: i8[] storage read_write @group(0) @binding(0)
           %0: u32 = const 0
           %1: i8 = load a[%0]
           store a[%0], %1
         }",
        "E001",
        "`load` works on i8",
    );
    refuse(
        "program p workgroup(1, 1, 1) {
           buffer a: f32[] storage read_write @group(0) @binding(0)
           %0: u32 = const 0
           %1: f32 = load a[%0]
           %2: f32 = sin %1
           store a[%0], %2
         }",
        "E003",
        "`sin`",
    );
    refuse(
        "program p workgroup(1, 1, 1) {
           buffer a: u32[] storage read_write @group(0) @binding(0)
           %0: u32 = const 0
           %1: u64 = const 1
           %2: u64 = atomic_add a[%0], %1
           %3: u32 = load a[%0]
           store a[%0], %3
         }",
        "E002",
        "buffer `a`",
    );
}

#[test]
fn show() {
    let Ok(path) = std::env::var("SHOW") else { return };
    let p = text::parse("test", &std::fs::read_to_string(path).unwrap()).unwrap();
    for (_, out) in outputs(&p) {
        println!("{}", out.unwrap_or_else(|e| e.to_string()));
    }
}

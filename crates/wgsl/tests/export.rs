//! Every operation goes out to all four languages, on every type it takes.

mod out;

use out::{buffer, outputs, unknown};
use std::collections::BTreeSet;
use vyre_ir::{Access, Attr, Builder, Memory, OPS, Op, Program, Rule, Scalar, Type, Value};
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
fn using(op: Op, ty: Type, fill: &mut dyn FnMut(Program)) {
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
    // A call that is not replaced by a body is refused by the name of its operation.
    // What waits for the grid, or has to do with a work queue, is refused with E008; that is tested with the importer.
    let elsewhere = |op: Op| op == Op::Call || op.syncs_grid() || matches!(op, Op::QueueItem | Op::QueuePush);
    for info in OPS.iter().filter(|info| !elsewhere(info.op)) {
        let mut uses = 0;
        for scalar in Scalar::ALL {
            for lanes in [1, 2, 3, 4] {
                using(info.op, Type::new(scalar, lanes), &mut |p| {
                    uses += 1;
                    if let Err(errors) = vyre_ir::verify::verify(&p) {
                        panic!("{}\n{p}", errors[0]);
                    }
                    if let (Some(_), Err(error)) = (why_not(info.op), export::module(&p, &|_| false)) {
                        assert!(error.code == "E003", "{error}");
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

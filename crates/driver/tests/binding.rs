//! The binding plan: roles, order, sizes, and each way an input can fail to fit.

use vyre_driver::{BackendError, BindingPlan, BindingRole, Grid, MAX_ALIGNMENT};
use vyre_ir::{Access, BufferDecl, Builder, Memory, MemoryHints, Program, Scalar, Type};

fn decl(name: &str, at: (u32, u32), memory: Memory, access: Access, element: Type, count: u64) -> BufferDecl {
    let (group, binding) = at;
    BufferDecl { name: name.into(), group, binding, memory, access, element, count, ..BufferDecl::default() }
}

fn program(buffers: Vec<BufferDecl>) -> Program {
    let mut b = Builder::new("test", [64, 1, 1]);
    for buffer in buffers {
        b.buffer(buffer);
    }
    b.finish()
}

/// A program with one buffer of each role, declared out of order.
fn sample() -> Program {
    let f32 = Type::from(Scalar::F32);
    let mut declared = decl("declared", (1, 1), Memory::Storage, Access::ReadWrite, f32, 4);
    declared.output = true;
    program(vec![
        declared,
        decl("tile", (0, 0), Memory::Workgroup, Access::ReadWrite, f32, 16),
        decl("both", (1, 0), Memory::Storage, Access::ReadWrite, Type::new(Scalar::F32, 4), 0),
        decl("only_written", (0, 2), Memory::Storage, Access::Write, Scalar::U32.into(), 0),
        decl("settings", (0, 1), Memory::Uniform, Access::Read, Scalar::U32.into(), 3),
        decl("data", (0, 0), Memory::Storage, Access::Read, Scalar::F16.into(), 0),
    ])
}

fn code(error: BackendError) -> &'static str {
    error.code().name()
}

#[test]
fn bindings_are_sorted_and_have_roles() {
    let plan = BindingPlan::build(&sample()).unwrap();
    let seen: Vec<_> = plan
        .bindings
        .iter()
        .map(|b| (b.name.as_str(), b.role, b.input_index, b.output_index, b.element_size))
        .collect();
    let expected = [
        ("data", BindingRole::Input, Some(0), None, 2),
        ("settings", BindingRole::Uniform, Some(1), None, 4),
        ("only_written", BindingRole::Output, None, Some(0), 4),
        ("both", BindingRole::InputOutput, Some(2), Some(1), 16),
        ("declared", BindingRole::Output, None, Some(2), 4),
        ("tile", BindingRole::Shared, None, None, 4),
    ];
    assert_eq!(seen, expected);
}

/// Which role a lone buffer gets, whether it is an input, and whether it is an output.
#[test]
fn roles_follow_from_memory_then_output_then_access() {
    let u32 = Type::from(Scalar::U32);
    let check = |memory, access, output, role, is_input: bool, is_output: bool| {
        for live_out in [false, true] {
            let bound = decl("b", (0, 0), memory, access, u32, 4);
            let p = program(vec![BufferDecl { output, live_out, ..bound }]);
            let b = BindingPlan::build(&p).unwrap().bindings.remove(0);
            let want = (role, is_input, is_output || (live_out && memory.is_bound()));
            assert_eq!((b.role, b.input_index.is_some(), b.output_index.is_some()), want);
        }
    };
    use Access::{Read, ReadWrite, Write};
    for access in [Read, Write, ReadWrite] {
        for output in [false, true] {
            check(Memory::Workgroup, access, output, BindingRole::Shared, false, false);
            check(Memory::Private, access, output, BindingRole::Shared, false, false);
            check(Memory::Persistent, access, output, BindingRole::Persistent, false, false);
        }
        check(Memory::Storage, access, true, BindingRole::Output, false, true);
    }
    check(Memory::Uniform, Read, true, BindingRole::Output, false, true);
    check(Memory::Uniform, Read, false, BindingRole::Uniform, true, false);
    check(Memory::Storage, Read, false, BindingRole::Input, true, false);
    check(Memory::Storage, ReadWrite, false, BindingRole::InputOutput, true, true);
    check(Memory::Storage, Write, false, BindingRole::Output, false, true);
}

/// Buffers marked as live after the run are outputs in the order of the plan, among the others.
#[test]
fn live_buffers_are_read_back() {
    let mut p = sample();
    for name in ["data", "settings"] {
        let buffer = p.buffer_named(name).unwrap();
        p.buffers[buffer].live_out = true;
    }
    let plan = BindingPlan::build(&p).unwrap();
    let outputs: Vec<&str> = plan.outputs().map(|b| b.name.as_str()).collect();
    assert_eq!(outputs, ["data", "settings", "only_written", "both", "declared"]);
    assert!(plan.outputs().map(|b| b.output_index).eq((0..5).map(Some)));
    let inputs: Vec<&str> = plan.inputs().map(|b| b.name.as_str()).collect();
    assert_eq!(inputs, ["data", "settings", "both"]);
}

#[test]
fn alignment_is_the_hint_but_at_least_the_element() {
    let with = |element, hint| {
        let hints = MemoryHints { preferred_alignment: hint, ..MemoryHints::default() };
        let b = decl("b", (0, 0), Memory::Storage, Access::Read, element, 0);
        let plan = BindingPlan::build(&program(vec![BufferDecl { hints, ..b }]));
        plan.map(|plan| plan.bindings[0].preferred_alignment).map_err(code)
    };
    let (u8, f32x3, f64x4) = (Scalar::U8.into(), Type::new(Scalar::F32, 3), Type::new(Scalar::F64, 4));
    assert_eq!(with(u8, 0), Ok(1));
    assert_eq!(with(u8, 1), Ok(1));
    assert_eq!(with(u8, 64), Ok(64));
    assert_eq!(with(f32x3, 0), Ok(12));
    assert_eq!(with(f32x3, 4), Ok(12));
    assert_eq!(with(f64x4, 16), Ok(32));
    assert_eq!(with(f64x4, MAX_ALIGNMENT), Ok(2_097_152));
    for hint in [3, 12, 63, 65, MAX_ALIGNMENT * 2, u32::MAX] {
        assert_eq!(with(u8, hint), Err("B012"), "{hint}");
    }
}

/// No verified program has such a buffer; a plan can be asked for before.
#[test]
fn elements_need_a_size() {
    for (element, count) in [
        (Type::from(Scalar::Bool), 4),
        (Type::from(Scalar::Bool), 0),
        (Type { scalar: Scalar::U32, lanes: 0 }, 4),
        (Type { scalar: Scalar::U32, lanes: 5 }, 4),
    ] {
        let p = program(vec![decl("flags", (0, 0), Memory::Storage, Access::Read, element, count)]);
        let error = BindingPlan::build(&p).unwrap_err();
        assert!(error.to_string().contains("`flags`"), "{error}");
        assert_eq!(code(error), "B013", "{element}[{count}]");
    }
}

/// What the messages must say.
#[test]
fn messages_carry_the_numbers() {
    let plan = BindingPlan::build(&sample()).unwrap();
    let says = |inputs: &[&[u8]], words: &[&str]| {
        let text = plan.validate_borrowed_inputs(inputs).unwrap_err().to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(text.contains("Fix: "), "{text}");
    };
    says(&[&[0; 2]], &["takes 3 inputs", "1 were given", "data, settings, both"]);
    says(&[&[0; 3], &[0; 12], &[0; 16]], &["`data`", "3 bytes", "element size 2"]);
    says(&[&[0; 2], &[0; 16], &[0; 16]], &["`settings`", "16 bytes", "declares 12"]);
    says(&[&[0; 2], &[0; 12], &[]], &["`both`", "empty"]);
}

#[test]
fn sizes_come_from_declarations_or_inputs() {
    let plan = BindingPlan::from_program(&sample(), &[vec![0; 10], vec![0; 12], vec![0; 32]]).unwrap();
    let counts: Vec<u64> = plan.bindings.iter().map(|b| b.element_count).collect();
    assert_eq!(counts, [5, 3, 0, 2, 4, 16]);
    let lengths: Vec<Option<u64>> = plan.bindings.iter().map(|b| b.static_byte_len).collect();
    assert_eq!(lengths, [None, Some(12), None, None, Some(16), Some(64)]);
}

#[test]
fn one_plan_counts_the_elements_of_any_inputs() {
    let plan = BindingPlan::build(&sample()).unwrap();
    let mut counts = [99; 6];
    plan.element_counts(&[&[0; 10], &[0; 12], &[0; 32]], &mut counts).unwrap();
    assert_eq!(counts, [5, 3, 0, 2, 4, 16]);
    plan.element_counts(&[&[0; 2], &[0; 12], &[0; 48]], &mut counts).unwrap();
    assert_eq!(counts, [1, 3, 0, 3, 4, 16]);
    let short = plan.element_counts(&[&[0; 2], &[0; 12], &[0; 48]], &mut counts[..5]);
    assert!(matches!(short, Err(BackendError::Internal { .. })), "{short:?}");
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let program = sample();
    let plan = BindingPlan::build(&program).unwrap();
    let check = |inputs: &[&[u8]], want: &str| {
        assert_eq!(code(BindingPlan::from_borrowed_inputs(&program, inputs).unwrap_err()), want);
        let owned: Vec<Vec<u8>> = inputs.iter().map(|bytes| bytes.to_vec()).collect();
        assert_eq!(code(BindingPlan::from_program(&program, &owned).unwrap_err()), want);
        assert_eq!(code(plan.validate_inputs(&owned).unwrap_err()), want);
        assert_eq!(code(plan.validate_borrowed_inputs(inputs).unwrap_err()), want);
        assert_eq!(code(plan.element_counts(inputs, &mut [0; 6]).unwrap_err()), want);
    };
    check(&[&[0; 2], &[0; 12]], "B003");
    check(&[&[0; 3], &[0; 12], &[0; 16]], "B004");
    check(&[&[0; 2], &[0; 16], &[0; 16]], "B005");
    check(&[&[0; 0], &[0; 12], &[0; 16]], "B006");
}

#[test]
fn declarations_that_cannot_be_bound_are_refused() {
    let u32 = Type::from(Scalar::U32);
    let twice = program(vec![
        decl("a", (2, 3), Memory::Storage, Access::Read, u32, 0),
        decl("b", (2, 3), Memory::Storage, Access::Read, u32, 0),
    ]);
    let error = BindingPlan::build(&twice).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`a`") && text.contains("`b`") && text.contains("@group(2) @binding(3)"), "{text}");
    assert_eq!(code(error), "B001");
    let huge = program(vec![decl("a", (0, 0), Memory::Storage, Access::Read, u32, u64::MAX / 2)]);
    assert_eq!(code(BindingPlan::build(&huge).unwrap_err()), "B002");
}

#[test]
fn workgroup_memory_may_share_a_binding_number() {
    let u32 = Type::from(Scalar::U32);
    let p = program(vec![
        decl("a", (0, 0), Memory::Workgroup, Access::ReadWrite, u32, 1),
        decl("b", (0, 0), Memory::Workgroup, Access::ReadWrite, u32, 1),
        decl("c", (0, 0), Memory::Storage, Access::Read, u32, 1),
    ]);
    assert_eq!(BindingPlan::build(&p).unwrap().inputs().count(), 1);
}

#[test]
fn grids() {
    let p = sample();
    let plan = BindingPlan::from_program(&p, &[vec![0; 400], vec![0; 12], vec![0; 32]]).unwrap();
    let check = |grid: Grid, want: Result<[u32; 3], &str>| {
        assert_eq!(grid.workgroups(&p, &plan).map_err(code), want);
    };
    check(Grid::Infer, Ok([4, 1, 1])); // 200 elements of f16 in groups of 64
    check(Grid::Threads([65, 2, 3]), Ok([2, 2, 3]));
    check(Grid::Workgroups([7, 8, 9]), Ok([7, 8, 9]));
    check(Grid::Workgroups([7, 0, 9]), Err("B010"));
    check(Grid::Threads([0, 1, 1]), Err("B010"));
    check(Grid::Workgroups([1 << 26, 1, 1]), Err("B011"));
}

//! Fingerprints of layouts: what they depend on, what not, and that they are what is published.

use vyre_driver::{BindingPlan, LayoutClass, LayoutSlot, binding_plans_share_layout};
use vyre_ir::text::parse;

/// A program whose buffers are declared by these lines, in text form.
fn plan(buffers: &str) -> BindingPlan {
    let text = format!("program p workgroup(64, 1, 1) {{\n{buffers}\n}}");
    BindingPlan::build(&parse("p.vyre", &text).unwrap_or_else(|errors| panic!("{}", errors[0]))).unwrap()
}

const SAMPLE: &str = "
    buffer state: u32[4] persistent read_write @group(2) @binding(0)
    buffer tile: f32[16] workgroup read_write
    buffer both: f32x4[] storage read_write @group(1) @binding(0)
    buffer only_written: u32[] storage write @group(0) @binding(2)
    buffer settings: u32[3] uniform read @group(0) @binding(1)
    buffer data: f16[] storage read @group(0) @binding(0)";

#[test]
fn slots_are_those_of_bound_buffers_in_order() {
    let slot = |group, binding, class, read_only, element_size| LayoutSlot {
        group,
        binding,
        class,
        read_only,
        element_size,
    };
    let expected = [
        slot(0, 0, LayoutClass::Storage, true, 2),
        slot(0, 1, LayoutClass::Uniform, true, 4),
        slot(0, 2, LayoutClass::Storage, false, 4),
        slot(1, 0, LayoutClass::Storage, false, 16),
        slot(2, 0, LayoutClass::Storage, false, 4),
    ];
    assert!(plan(SAMPLE).layout_slots().eq(expected));
}

/// Worked out from the documented encoding by another implementation of BLAKE3. They are kept in files: never change
/// them without changing the word at the start of the encoding.
#[test]
fn published_fingerprints() {
    let plan = plan(SAMPLE);
    let whole = "4f1b7f60a62a2ffaf6899cfd25d985607349d2919d24b04e815b9a7a4e0ad650";
    assert_eq!(plan.layout_fingerprint().to_string(), whole);
    let first_group = "d271956b81a060284ed785bd1e0d66f34aabe4c76e127600f67dc8102bb4e04c";
    assert_eq!(plan.binding_set_fingerprint(0).to_string(), first_group);
}

fn same(a: &str, b: &str, want: bool) {
    let (a, b) = (plan(a), plan(b));
    assert_eq!(binding_plans_share_layout(&a, &b), want);
    assert_eq!(a.layout_fingerprint() == b.layout_fingerprint(), want);
    assert_eq!(a.binding_sets() == b.binding_sets(), want);
}

#[test]
fn counts_names_order_and_marks_do_not_matter() {
    same(
        SAMPLE,
        "
        buffer a: f16[100] storage read live_out @group(0) @binding(0) hints(axis 1, align 4096, random)
        buffer b: u32[1] uniform read @group(0) @binding(1)
        buffer c: i32[7] storage read_write output @group(0) @binding(2)
        buffer d: u32x4[2] storage read_write @group(1) @binding(0)
        buffer e: u32[] persistent read_write @group(2) @binding(0)",
        true,
    );
    same("", "buffer tile: f32[16] workgroup read_write", true);
}

#[test]
fn each_part_of_a_slot_matters() {
    let one = "buffer a: u32[4] storage read @group(0) @binding(0)";
    for other in [
        "",
        "buffer a: u32[4] storage read @group(1) @binding(0)",
        "buffer a: u32[4] storage read @group(0) @binding(1)",
        "buffer a: u32[4] uniform read @group(0) @binding(0)",
        "buffer a: u32[4] storage read_write @group(0) @binding(0)",
        "buffer a: u32x2[4] storage read @group(0) @binding(0)",
        "buffer a: u32[4] storage read @group(0) @binding(0)\nbuffer b: u32[4] storage read @group(0) @binding(1)",
    ] {
        same(one, other, false);
    }
}

#[test]
fn a_group_has_a_fingerprint_of_its_own() {
    let (sample, plan) =
        (plan(SAMPLE), plan("buffer both: f32x4[8] storage read_write @group(1) @binding(0)"));
    assert_eq!(sample.binding_set_fingerprint(1), plan.binding_set_fingerprint(1));
    assert_ne!(sample.layout_fingerprint(), plan.layout_fingerprint());
    let groups: Vec<u32> = sample.binding_sets().iter().map(|(group, _)| *group).collect();
    assert_eq!(groups, [0, 1, 2]);
    // One group of the program is not the program.
    assert_ne!(plan.binding_set_fingerprint(1).0, plan.layout_fingerprint().0);
}

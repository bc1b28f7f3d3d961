//! Which workgroup buffers must be zero at first, case by case.

mod common;

use common::program;
use vyre_ir::Op;
use vyre_opt::analysis::zeroing::needed;
use vyre_opt::fission::mark_cuts;

/// Expects the buffer `s`, a scalar for each of the workgroup's four invocations, to need zeros or not.
#[track_caller]
fn check(lines: &str, expected: bool) {
    let body = format!(
        "buffer s: u32[4] workgroup read_write
         %x: u32 = local_id x
         %zero: u32 = const 0
         %two: u32 = const 2
         %small: bool = lt %x, %two
         {}
         yield",
        lines.replace("; ", "\n")
    );
    let p = program(&body);
    let needs = needed(&p, &mark_cuts(&p, Op::syncs_workgroup));
    assert_eq!(needs[p.buffer_named("s").expect("it is declared")], expected, "{p}");
}

#[test]
fn what_all_invocations_write_first_needs_no_zeros() {
    check("store s[%x], %x; workgroup_barrier; %v: u32 = load s[%zero]; store w[%x], %v", false);
    check("store s[%x], %x; %v: u32 = uniform_load s[%zero]; store w[%x], %v", false);
    check("store s[%x], %x", false);
}

#[test]
fn what_may_be_read_first_does() {
    check("%v: u32 = load s[%x]; store w[%x], %v", true);
    check("store s[%x], %x; %v: u32 = load s[%zero]; store w[%x], %v", true);
    check("%v: u32 = atomic_add s[%zero], %x; store w[%x], %v", true);
}

#[test]
fn what_some_invocations_write_does() {
    check("if %small { store s[%x], %x }; workgroup_barrier; %v: u32 = load s[%x]; store w[%x], %v", true);
    check("store s[%zero], %x; workgroup_barrier; %v: u32 = load s[%x]; store w[%x], %v", true);
}

#[test]
fn a_subgroup_barrier_is_no_reason() {
    check("store s[%x], %x; subgroup_barrier; %v: u32 = load s[%zero]; store w[%x], %v", true);
}

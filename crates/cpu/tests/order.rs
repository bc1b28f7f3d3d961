//! Programs that hint along which axis neighbors access neighboring elements: results stay, accesses become vectors.

mod common;

use common::run_u32;
use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_ir::{Builder, Program};

const SIZES: [[u32; 3]; 8] =
    [[1, 1, 1], [8, 1, 1], [3, 5, 1], [8, 8, 1], [2, 16, 1], [5, 3, 4], [1, 2, 16], [4, 4, 4]];

const GROUPS: [u32; 3] = [2, 1, 2];

fn read(size: [u32; 3], hints: &str, body: &str) -> Program {
    let [x, y, z] = size;
    let text = format!("program p workgroup({x}, {y}, {z}) {{\n{}\n}}", body.replace("HINTS", hints));
    let p = parse("test.vyre", &text).unwrap_or_else(|errors| panic!("{}", errors[0]));
    verify(&p).unwrap_or_else(|errors| panic!("{}", errors[0]));
    p
}

/// All that tells one invocation from another, before and after a barrier: ids wait in slots, private memory is kept,
/// and each invocation reads what another one left in workgroup memory.
const IDS: &str = "
    buffer out: u32[] storage read_write @group(0) @binding(0) HINTS
    buffer tile: u32[64] workgroup read_write
    buffer own: u32[2] private read_write
    %zero: u32 = const 0
    %one: u32 = const 1
    %six: u32 = const 6
    %n: u32 = const COUNT
    %last: u32 = const LAST
    %l: u32 = local_index
    %x: u32 = local_id x
    %y: u32 = local_id y
    %z: u32 = local_id z
    %wx: u32 = workgroup_id x
    %wz: u32 = workgroup_id z
    %two: u32 = const 2
    %w2: u32 = mul %wz, %two
    %w: u32 = add %w2, %wx
    %gz: u32 = global_id z
    %mixed: u32 = mul %l, %l
    store own[%one], %mixed
    %other: u32 = sub %last, %l
    store tile[%l], %y
    workgroup_barrier
    %first: u32 = mul %w, %n
    %at: u32 = add %first, %l
    %base: u32 = mul %at, %six
    store out[%base], %l
    %b1: u32 = add %base, %one
    store out[%b1], %x
    %b2: u32 = add %b1, %one
    %theirs: u32 = load tile[%other]
    store out[%b2], %theirs
    %b3: u32 = add %b2, %one
    store out[%b3], %z
    %b4: u32 = add %b3, %one
    store out[%b4], %gz
    %b5: u32 = add %b4, %one
    %kept: u32 = load own[%one]
    store out[%b5], %kept";

#[test]
fn every_order_gives_the_same() {
    for size in SIZES {
        let [sx, sy, sz] = size;
        let n = sx * sy * sz;
        let body = IDS.replace("COUNT", &n.to_string()).replace("LAST", &(n - 1).to_string());
        let mut expected = Vec::new();
        for w in 0..4 {
            for l in 0..n {
                let (x, z) = (l % sx, l / sx / sy);
                let their_y = (n - 1 - l) / sx % sy;
                expected.extend([l, x, their_y, z, w / 2 * sz + z, l * l]);
            }
        }
        for hints in ["", "hints(axis 0)", "hints(axis 1)", "hints(axis 2)"] {
            let out = run_u32(&read(size, hints, &body), GROUPS, &[vec![7; expected.len()]]);
            assert_eq!(out[0], expected, "{size:?} {hints}");
        }
    }
}

/// Subgroups are made of consecutive local indices, whatever a buffer hints.
#[test]
fn subgroups_stay_what_they_are() {
    let body = "
        buffer out: u32[] storage read_write @group(0) @binding(0) HINTS
        %l: u32 = local_index
        %y: u32 = local_id y
        %lane: u32 = subgroup_lane
        %sum: u32 = subgroup_add %y
        %s: u32 = add %sum, %lane
        store out[%l], %s";
    let run = |hints| run_u32(&read([4, 16, 1], hints, body), [1, 1, 1], &[vec![0; 64]]);
    assert_eq!(run("hints(axis 1)"), run(""));
}

/// A matrix of 64 columns whose rows are along y: where gangs run along x each access is one element after another.
fn columns(hints: &str) -> Program {
    let body = "
        buffer from: f32[] storage read @group(0) @binding(0) HINTS
        buffer to: f32[] storage read_write @group(0) @binding(1)
        %x: u32 = local_id x
        %y: u32 = local_id y
        %width: u32 = const 64
        %row: u32 = mul %x, %width
        %at: u32 = add %row, %y
        %v: f32 = load from[%at]
        %w: f32 = add %v, %v
        store to[%at], %w";
    read([8, 64, 1], hints, body)
}

/// How many loads of one element there are in the code of a gang.
fn single_loads(p: &Program) -> usize {
    let text = vyre_cpu::clif(p).unwrap();
    text.lines().filter(|line| line.contains("= load.f32 ")).count()
}

#[test]
fn accesses_along_the_axis_are_vectors() {
    if std::env::var_os("VYRE_GANG").is_some() {
        return;
    }
    // A gang has 8 or 16 invocations; the rare way, lane by lane, has a load or two.
    assert!(single_loads(&columns("")) >= 8);
    assert!(single_loads(&columns("hints(axis 0)")) >= 8);
    assert!(single_loads(&columns("hints(axis 1)")) <= 2);
    // A hint on a buffer that is not used says nothing.
    let mut p = columns("");
    let mut b = Builder::new("p", [8, 64, 1]);
    let unused = common::storage(&mut b, "unused", vyre_ir::Scalar::F32, vyre_ir::Access::Read);
    let mut decl = b.p.buffers[unused].clone();
    (decl.binding, decl.hints.coalesce_axis) = (9, Some(1));
    p.buffers.push(decl);
    assert!(single_loads(&p) >= 8);
}

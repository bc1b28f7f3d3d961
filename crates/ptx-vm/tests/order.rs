//! Messages from one thread to another: which ways of handing them over order what was written before, by the PTX memory
//! consistency model.

mod device;

use device::{Given, Shape, as_words, launch, ptxas, refused, seeded, shape, words};
use vyre_ptx_vm::FaultKind;

/// One thread writes the message and raises the flag; another waits for the flag and reads the message.
fn kernel(raise: &str, look: &str, then: &str) -> String {
    format!(
        ".version 8.6
.target sm_90
.address_size 64
.visible .entry message(.param .u64 flag, .param .u64 place, .param .u64 out, .param .u32 reader)
{{
  .reg .pred %p<4>;
  .reg .u32 %r<8>;
  .reg .u64 %rd<4>;
  ld.param.u64 %rd1, [flag];
  ld.param.u64 %rd2, [place];
  ld.param.u64 %rd3, [out];
  ld.param.u32 %r1, [reader];
  mov.u32 %r2, %tid.x;
  mov.u32 %r3, %ctaid.x;
  mov.u32 %r4, %ntid.x;
  mad.lo.u32 %r2, %r3, %r4, %r2;
  setp.eq.u32 %p1, %r2, 0;
  setp.eq.u32 %p2, %r2, %r1;
  @%p2 bra wait;
  @!%p1 bra end;
  st.global.u32 [%rd2], 77;
  {raise}
  bra.uni end;
wait:
  {look}
  and.b32 %r6, %r5, 1;
  setp.eq.u32 %p3, %r6, 0;
  @%p3 bra wait;
  {then}
  ld.global.u32 %r7, [%rd2];
  st.global.u32 [%rd3], %r7;
end:
  ret;
}}
"
    )
}

const RELEASE: &str = "st.release.gpu.global.u32 [%rd1], 1;";
const ACQUIRE: &str = "ld.acquire.gpu.global.u32 %r5, [%rd1];";
const RELAXED_STORE: &str = "st.relaxed.gpu.global.u32 [%rd1], 1;";
const RELAXED_LOAD: &str = "ld.relaxed.gpu.global.u32 %r5, [%rd1];";
const FENCED_STORE: &str = "fence.acq_rel.gpu; st.relaxed.gpu.global.u32 [%rd1], 1;";
const FENCE: &str = "fence.acq_rel.gpu;";

/// How the flag is raised and looked at, what comes then, and whether that orders a thread of the same block and one of
/// another.
const CASES: [(&str, &str, &str, bool, bool); 21] = [
    (RELEASE, ACQUIRE, "", true, true),
    ("st.release.sys.global.u32 [%rd1], 1;", "ld.acquire.sys.global.u32 %r5, [%rd1];", "", true, true),
    ("st.release.cta.global.u32 [%rd1], 1;", "ld.acquire.cta.global.u32 %r5, [%rd1];", "", true, false),
    ("st.release.cta.global.u32 [%rd1], 1;", ACQUIRE, "", true, false),
    (RELEASE, "ld.acquire.cta.global.u32 %r5, [%rd1];", "", true, false),
    (RELAXED_STORE, ACQUIRE, "", false, false),
    (RELEASE, RELAXED_LOAD, "", false, false),
    (RELAXED_STORE, RELAXED_LOAD, "", false, false),
    (FENCED_STORE, RELAXED_LOAD, FENCE, true, true),
    (FENCED_STORE, ACQUIRE, "", true, true),
    (RELEASE, RELAXED_LOAD, FENCE, true, true),
    (FENCED_STORE, RELAXED_LOAD, "fence.acq_rel.cta;", true, false),
    ("fence.acq_rel.cta; st.relaxed.gpu.global.u32 [%rd1], 1;", RELAXED_LOAD, FENCE, true, false),
    ("st.relaxed.gpu.global.u32 [%rd1], 1; fence.acq_rel.gpu;", RELAXED_LOAD, FENCE, false, false),
    (
        "membar.gl; st.volatile.global.u32 [%rd1], 1;",
        "ld.volatile.global.u32 %r5, [%rd1];",
        "membar.gl;",
        true,
        true,
    ),
    ("fence.sc.gpu; red.relaxed.gpu.global.or.b32 [%rd1], 1;", RELAXED_LOAD, "fence.sc.gpu;", true, true),
    (
        "red.release.gpu.global.or.b32 [%rd1], 1;",
        "atom.acquire.gpu.global.or.b32 %r5, [%rd1], 0;",
        "",
        true,
        true,
    ),
    (
        "atom.acq_rel.gpu.global.exch.b32 %r5, [%rd1], 1;",
        "atom.acq_rel.gpu.global.add.u32 %r5, [%rd1], 0;",
        "",
        true,
        true,
    ),
    ("red.global.or.b32 [%rd1], 1;", "atom.acquire.gpu.global.or.b32 %r5, [%rd1], 0;", "", false, false),
    // What is updated keeps what was handed over before; what is written anew does not.
    (
        "st.release.gpu.global.u32 [%rd1], 2; red.relaxed.gpu.global.add.u32 [%rd1], 1;",
        ACQUIRE,
        "",
        true,
        true,
    ),
    ("st.release.gpu.global.u32 [%rd1], 2; st.relaxed.gpu.global.u32 [%rd1], 1;", ACQUIRE, "", false, false),
];

#[test]
fn messages() {
    let assembler = ptxas();
    for (raise, look, then, same_block, other_block) in CASES {
        let text = kernel(raise, look, then);
        if let Some(assembler) = &assembler {
            assert_eq!(refused(assembler, &text, "message"), None);
        }
        for (reader, ordered) in [(5, same_block), (40, same_block), (70, other_block)] {
            let mut raced = false;
            for seed in 0..6 {
                let given = [
                    Given::Buffer(words(&[0])),
                    Given::Buffer(words(&[0])),
                    Given::Unwritten(4),
                    Given::U32(reader),
                ];
                let shape = Shape { cooperative: true, ..shape(2, 64) };
                match launch(&text, &shape, &given, &seeded(seed)) {
                    Ok((buffers, _)) => assert_eq!(as_words(&buffers[2]), [77]),
                    Err(fault) => {
                        assert_eq!(fault.kind, FaultKind::Race, "{fault}");
                        raced = true;
                    }
                }
            }
            assert_eq!(raced, !ordered, "{raise} | {look} | {then} | thread {reader}");
        }
    }
}

/// Two accesses of one place without any order, by two threads; whether they race in one block and across blocks.
#[test]
fn strong_accesses_do_not_race() {
    let weak_store = "st.global.u32 [%rd1], 1;";
    let weak_load = "ld.global.u32 %r3, [%rd1];";
    let device = "st.relaxed.gpu.global.u32 [%rd1], 1;";
    let block = "st.relaxed.cta.global.u32 [%rd1], 1;";
    let atomic = "red.global.add.u32 [%rd1], 1;";
    let cases = [
        (weak_load, weak_load, false, false),
        (weak_store, weak_load, true, true),
        (weak_store, weak_store, true, true),
        (weak_store, atomic, true, true),
        (weak_load, atomic, true, true),
        (device, device, false, false),
        (device, atomic, false, false),
        (block, block, false, true),
        (block, atomic, false, true),
        (device, weak_load, true, true),
        ("ld.volatile.global.u32 %r3, [%rd1];", atomic, false, false),
        // Strong, but of another size: not for each other.
        (atomic, "red.global.add.u64 [%rd1], 1;", true, true),
        // Neighbors in one word.
        ("st.global.u8 [%rd1], 1;", "st.global.u8 [%rd1+1], 1;", false, false),
        ("st.global.u8 [%rd1+1], 1;", "ld.global.u16 %r3, [%rd1];", true, true),
    ];
    for (first, second, in_block, across) in cases {
        let text = format!(
            ".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry k(.param .u64 p) {{\n.reg .pred %p; .reg .u32 %r<4>; .reg .u64 %rd<2>;\nld.param.u64 %rd1, [p]; mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; add.u32 %r1, %r1, %r2; setp.eq.u32 %p, %r1, 0;\n@%p bra first;\n{second}\nret;\nfirst:\n{first}\nret;\n}}\n"
        );
        for (grid, block, races) in [(1, 2, in_block), (2, 1, across)] {
            for cooperative in [false, true] {
                let raced = (0..6).any(|seed| {
                    let shape = Shape { cooperative, ..shape(grid, block) };
                    let outcome = launch(&text, &shape, &[Given::Buffer(vec![0; 8])], &seeded(seed));
                    outcome.is_err_and(|fault| fault.kind == FaultKind::Race)
                });
                assert_eq!(raced, races, "{first} | {second} | {grid} blocks, cooperative {cooperative}");
            }
        }
    }
}

/// Producers that go on past a barrier hand over what they wrote to those who wait; nobody hands anything back.
#[test]
fn barriers_of_some_warps() {
    let kernel = |before: &str, barrier: &str| {
        format!(
            ".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry k(.param .u64 p) {{\n.reg .pred %p<3>; .reg .u32 %r<6>; .reg .u64 %rd<2>; .shared .b32 s[32];\nld.param.u64 %rd1, [p]; mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 32; and.b32 %r2, %r1, 31; shl.b32 %r2, %r2, 2; mov.u32 %r3, s; add.u32 %r3, %r3, %r2;\n@%p1 bra produce;\n{barrier}\nld.shared.u32 %r4, [%r3]; cvt.u64.u32 %rd0, %r2; add.u64 %rd1, %rd1, %rd0; st.global.u32 [%rd1], %r4;\nret;\nproduce:\n{before}\nbar.arrive 1, 64;\nret;\n}}\n"
        )
    };
    let cases = [
        (kernel("st.shared.u32 [%r3], %r1;", "bar.sync 1, 64;"), None),
        (kernel("", "bar.sync 1, 64;"), Some(FaultKind::Uninitialized)),
        (kernel("st.shared.u32 [%r3], %r1;", "bar.sync 1, 32;"), Some(FaultKind::Barrier)),
        (kernel("st.shared.u32 [%r3], %r1;", "bar.sync 2, 64;"), Some(FaultKind::Deadlock)),
    ];
    for (text, kind) in cases {
        for seed in 0..6 {
            match launch(&text, &shape(1, 64), &[Given::Unwritten(128)], &seeded(seed)) {
                Ok((buffers, _)) => {
                    assert_eq!(kind, None, "{text}");
                    assert_eq!(as_words(&buffers[0]), (0..32).collect::<Vec<_>>());
                }
                // Where a barrier of fewer threads is full at once, they read too early; where producers never come, they
                // may have ended before or after.
                Err(fault) => {
                    let also: &[FaultKind] = match kind {
                        Some(FaultKind::Barrier) => &[FaultKind::Uninitialized, FaultKind::Race],
                        Some(FaultKind::Deadlock) => &[FaultKind::Barrier],
                        _ => &[],
                    };
                    assert!(kind == Some(fault.kind) || also.contains(&fault.kind), "{fault}: {text}");
                }
            }
        }
    }
}

//! Every kind of fault, provoked by a kernel that differs in one line from a right one; and the right one is right.

mod device;

use device::{Given, Shape, launch, seeded, shape, words};
use vyre_ptx_vm::{Fault, FaultKind, Launch, Memory, Options, parse, run};

const REDUCE: &str = include_str!("kernels/reduce.ptx");
const GRID_BARRIER: &str = include_str!("kernels/grid_barrier.ptx");
const EXCHANGE: &str = include_str!("kernels/exchange.ptx");

/// The text with one line of it changed.
fn with(text: &str, line: &str, other: &str) -> String {
    assert_eq!(text.matches(line).count(), 1, "`{line}` is there once");
    text.replace(line, other)
}

fn reduce(text: &str, seed: u64) -> Result<(), Fault> {
    let given = [Given::Buffer(words(&[3; 500])), Given::Buffer(words(&[0])), Given::U32(500)];
    launch(text, &shape(2, 128), &given, &seeded(seed)).map(|_| ())
}

fn grid_barrier(text: &str, seed: u64) -> Result<(), Fault> {
    let given =
        [Given::Buffer(words(&[0])), Given::Unwritten(4 * 96), Given::Unwritten(4 * 96), Given::U32(2)];
    let options = Options { step_limit: 200_000, ..seeded(seed) };
    launch(text, &Shape { cooperative: true, ..shape(3, 32) }, &given, &options).map(|_| ())
}

fn exchange(text: &str, seed: u64) -> Result<(), Fault> {
    let given = [Given::Buffer(words(&[5; 64])), Given::Unwritten(4 * 64)];
    launch(text, &shape(1, 64), &given, &seeded(seed)).map(|_| ())
}

type Case =
    (fn(&str, u64) -> Result<(), Fault>, &'static str, &'static str, &'static str, FaultKind, &'static str);

/// A kernel, its line, the line instead, and what is then wrong.
const CASES: [Case; 33] = [
    (reduce, REDUCE, "mov.u32 %r7, 0;", "", FaultKind::Uninitialized, "register %r7"),
    (
        reduce,
        REDUCE,
        "setp.ge.u32 %p1, %r5, %r1;",
        "setp.gt.u32 %p1, %r5, %r1;",
        FaultKind::Bounds,
        "byte 2000 of an allocation of 2000",
    ),
    (
        reduce,
        REDUCE,
        "ld.global.nc.u32 %r8, [%rd4];",
        "ld.global.nc.u32 %r8, [%rd4+2];",
        FaultKind::Misaligned,
        "multiple of 4",
    ),
    (reduce, REDUCE, "bar.sync 0;", "", FaultKind::Uninitialized, "shared memory"),
    (
        reduce,
        REDUCE,
        "red.relaxed.gpu.global.add.u32 [%rd2], %r13;",
        "st.global.u32 [%rd2], %r13;",
        FaultKind::Race,
        "nothing orders the two",
    ),
    (
        reduce,
        REDUCE,
        "red.relaxed.gpu.global.add.u32 [%rd2], %r13;",
        "red.relaxed.cta.global.add.u32 [%rd2], %r13;",
        FaultKind::Race,
        "of block",
    ),
    (
        reduce,
        REDUCE,
        "red.relaxed.gpu.global.add.u32 [%rd2], %r13;",
        "red.relaxed.gpu.global.add.u32 [%rd1], %r13;",
        FaultKind::Race,
        ".nc",
    ),
    (
        reduce,
        REDUCE,
        "ld.shared.v4.u32 {%r13, %r14, %r15, %r16}, [partial];",
        "ld.shared.v4.u32 {%r13, %r14, %r15, %r16}, [partial+16];",
        FaultKind::Bounds,
        "byte 16 of `partial`, which has 16",
    ),
    (
        reduce,
        REDUCE,
        "ld.shared.v4.u32 {%r13, %r14, %r15, %r16}, [partial];",
        "ld.shared.v4.u32 {%r13, %r14, %r15, %r16}, [partial+4];",
        FaultKind::Misaligned,
        "multiple of 16",
    ),
    (
        reduce,
        REDUCE,
        "shfl.sync.down.b32 %r9, %r7, 4, 31, -1;",
        "shfl.sync.down.b32 %r9, %r7, 4, 31, 0xfffffffe;",
        FaultKind::Collective,
        "lane 0 is not in the mask",
    ),
    (reduce, REDUCE, "@!%p2 st.shared.u32 [%r12], %r7;", "@%p2 exit;", FaultKind::Barrier, ""),
    (reduce, REDUCE, "bar.sync 0;", "@!%p2 bar.sync 0;", FaultKind::Barrier, ""),
    (reduce, REDUCE, "add.u32 %r5, %r5, %r6;", "", FaultKind::StepLimit, "more than 3000000"),
    (reduce, REDUCE, "and.b32 %r10, %r2, 31;", "trap;", FaultKind::Trap, "trap"),
    (
        grid_barrier,
        GRID_BARRIER,
        "ld.acquire.gpu.global.u32 %r13, [%rd1];\n  xor.b32 %r13, %r13, %r12;\n  and.b32 %r13, %r13, 0x80000000;\n  setp.eq.u32 %p4, %r13, 0;\n  @%p4 bra spin;",
        "ld.relaxed.gpu.global.u32 %r13, [%rd1];\n  xor.b32 %r13, %r13, %r12;\n  and.b32 %r13, %r13, 0x80000000;\n  setp.eq.u32 %p4, %r13, 0;\n  @%p4 bra spin;",
        FaultKind::Race,
        "weakly",
    ),
    (
        grid_barrier,
        GRID_BARRIER,
        "atom.release.gpu.global.add.u32 %r12, [%rd1], %r6;\nspin:",
        "atom.relaxed.gpu.global.add.u32 %r12, [%rd1], %r6;\nspin:",
        FaultKind::Race,
        "weakly",
    ),
    (
        grid_barrier,
        GRID_BARRIER,
        "atom.release.gpu.global.add.u32 %r12, [%rd1], %r6;\nspin:",
        "atom.release.cta.global.add.u32 %r12, [%rd1], %r6;\nspin:",
        FaultKind::Race,
        "",
    ),
    (grid_barrier, GRID_BARRIER, "met:\n  barrier.sync 0;", "met:", FaultKind::Race, ""),
    (
        grid_barrier,
        GRID_BARRIER,
        "sub.u32 %r6, 0x80000001, %r4;",
        "sub.u32 %r6, 0x80000000, %r4;",
        FaultKind::StepLimit,
        "",
    ),
    (exchange, EXCHANGE, "bar.warp.sync 0xffffffff;", "", FaultKind::Uninitialized, "shared memory"),
    (
        exchange,
        EXCHANGE,
        "add.u32 %r8, %r8, %r9;",
        "st.shared.u32 [%r4], %r8;",
        FaultKind::Race,
        "of the same block read in line",
    ),
    (
        exchange,
        EXCHANGE,
        "bar.warp.sync 0xffffffff;",
        "bar.warp.sync 0x7fffffff;",
        FaultKind::Collective,
        "lane 31",
    ),
    (
        exchange,
        EXCHANGE,
        "vote.sync.ballot.b32 %r9, %p1, -1;",
        "@%p1 vote.sync.ballot.b32 %r9, %p1, -1; @!%p1 vote.sync.ballot.b32 %r9, %p1, -1;",
        FaultKind::Collective,
        "waits for lanes",
    ),
    (
        exchange,
        EXCHANGE,
        "vote.sync.ballot.b32 %r9, %p1, -1;",
        "@%p1 vote.sync.ballot.b32 %r9, %p1, -1; @!%p1 bar.sync 1; @!%p1 mov.u32 %r9, 0;",
        FaultKind::Deadlock,
        "waits for lanes 0xffffffff",
    ),
    (
        exchange,
        EXCHANGE,
        "vote.sync.ballot.b32 %r9, %p1, -1;",
        "@%p1 vote.sync.ballot.b32 %r9, %p1, -1; @!%p1 exit;",
        FaultKind::Collective,
        "",
    ),
    (
        exchange,
        EXCHANGE,
        "shfl.sync.idx.b32 %r8, %r7, %r6, 31, -1;",
        "and.b32 %r11, %r1, 1; setp.eq.u32 %p2, %r11, 0; @%p2 shfl.sync.idx.b32 %r8, %r7, %r6, 31, 0x55555555; @!%p2 shfl.sync.idx.b32 %r8, %r7, %r6, 31, 0xaaaaaaaa;",
        FaultKind::Collective,
        "does not take part",
    ),
    (
        exchange,
        EXCHANGE,
        "bar.sync 0;",
        "setp.lt.u32 %p2, %r1, 40; @%p2 bar.sync 0; @!%p2 bar.sync 0;",
        FaultKind::Barrier,
        "not all threads come the same way",
    ),
    (
        exchange,
        EXCHANGE,
        "bar.sync 0;",
        "setp.lt.u32 %p2, %r1, 32; @%p2 bar.sync 0, 32; @!%p2 bar.sync 0;",
        FaultKind::Barrier,
        "barrier 0",
    ),
    (
        exchange,
        EXCHANGE,
        "bar.sync 0;",
        "setp.lt.u32 %p2, %r1, 32; @%p2 bar.sync 0; @!%p2 bar.sync 1;",
        FaultKind::Deadlock,
        "a barrier",
    ),
    (
        exchange,
        EXCHANGE,
        "add.u32 %r8, %r8, %r9;",
        "activemask.b32 %r8;",
        FaultKind::Unsupported,
        "activemask",
    ),
    (
        exchange,
        EXCHANGE,
        "add.u32 %r8, %r8, %r9;",
        "mov.b32 %f1, %r8; mul.f32 %f1, %f1, %f1;",
        FaultKind::Unsupported,
        "`mul` without `.rn` may be fused",
    ),
    (exchange, EXCHANGE, "st.global.u32 [%rd4], %r8;", "st.shared.u32 [cells], %r8;", FaultKind::Race, ""),
    (
        exchange,
        EXCHANGE,
        "st.global.u32 [%rd4], %r8;",
        "atom.global.add.u32 %r8, [%rd4], %r8;",
        FaultKind::Uninitialized,
        "global memory",
    ),
];

#[test]
fn right_kernels_have_none() {
    for seed in 0..5 {
        reduce(REDUCE, seed).unwrap_or_else(|e| panic!("{e}"));
        grid_barrier(GRID_BARRIER, seed).unwrap_or_else(|e| panic!("{e}"));
        exchange(EXCHANGE, seed).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn each_kind_by_one_line() {
    let mut wrong = Vec::new();
    for (run, text, line, other, kind, message) in CASES {
        let changed = with(text, line, other);
        // Several schedules: one of them may end before it comes to the fault, or come to another first.
        let found: Vec<Fault> = (0..8).filter_map(|seed| run(&changed, seed).err()).collect();
        if !found.iter().any(|fault| fault.kind == kind && fault.message.contains(message)) {
            let found: Vec<_> = found.iter().map(|fault| format!("{:?}: {fault}", fault.kind)).collect();
            wrong.push(format!("`{other}` instead of `{line}`:\n{}", found.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fault_has_its_place() {
    let text = with(REDUCE, "ld.global.nc.u32 %r8, [%rd4];", "ld.global.nc.u32 %r8, [%rd4+4];");
    let fault = reduce(&text, 1).expect_err("a read out of bounds");
    let line = 1 + text.lines().position(|line| line.contains("[%rd4+4]")).expect("the line");
    assert_eq!(fault.line, line);
    assert_eq!(fault.source, Some(("reduce.wgsl".to_string(), 7, 3)));
    // Word 499 is the last one's: 499 = 1 * 256 + 1 * 128 + 115.
    assert_eq!(fault.place, Some(([1, 0, 0], [115, 0, 0])));
}

#[test]
fn launches_that_the_kernel_does_not_take() {
    let module = parse(REDUCE).expect("a module");
    let entry = module.entry("reduce").expect("its kernel");
    assert_eq!((entry.param_bytes, entry.static_shared, entry.required_threads), (20, 16, Some([128, 1, 1])));
    let params = [0; 20];
    let right = Launch {
        grid: [1, 1, 1],
        block: [128, 1, 1],
        dynamic_shared: 0,
        params: &params,
        cooperative: false,
    };
    let wrong = [
        (Launch { block: [64, 1, 1], ..right.clone() }, "requires [128, 1, 1]"),
        (Launch { params: &params[..16], ..right.clone() }, "16 bytes of parameters"),
        (Launch { grid: [0, 1, 1], ..right.clone() }, "a grid of [0, 1, 1]"),
        (Launch { grid: [1, 65_536, 1], ..right.clone() }, "a grid of"),
        (Launch { grid: [u32::MAX, 65_535, 65_535], ..right.clone() }, "a grid of"),
        (Launch { dynamic_shared: 232_448, ..right.clone() }, "bytes of shared memory"),
        (
            Launch { grid: [i32::MAX as u32, 65_535, 65_535], cooperative: true, ..right.clone() },
            "too much memory",
        ),
    ];
    for (launch, message) in wrong {
        let fault = run(entry, &mut Memory::default(), &launch, &Options::default()).expect_err(message);
        assert_eq!(fault.kind, FaultKind::Launch, "{fault}");
        assert!(fault.message.contains(message), "{fault}");
    }
}

#[test]
fn memory_that_was_freed_or_never_was() {
    let mut memory = Memory::default();
    let (first, second) = (memory.allocate(100), memory.allocate(3 << 20));
    assert!(first % 256 == 0 && second % 256 == 0 && first != second);
    assert_eq!(memory.allocation(second + (3 << 20) - 1), Some((second, 3 << 20)));
    assert_eq!(memory.allocation(second + (3 << 20)), None);
    assert_eq!(memory.write(first + 90, &[1; 11]), None);
    assert_eq!(memory.write(first + 90, &[1; 10]), Some(()));
    let mut bytes = [9; 4];
    assert_eq!(memory.read(first + 88, &mut bytes), Some(()));
    assert_eq!(bytes, [0, 0, 1, 1]);
    assert!(!memory.free(first + 4) && memory.free(first) && !memory.free(first));
    assert_eq!(memory.read(first, &mut bytes), None);
    assert!(memory.allocate(100) > second);
    assert_eq!((memory.allocate(u64::MAX), memory.allocate(1 << 46)), (0, 0));
}

#[test]
fn a_run_that_is_stopped() {
    let stop = std::sync::atomic::AtomicBool::new(true);
    let text = with(REDUCE, "add.u32 %r5, %r5, %r6;", "");
    let given = [Given::Buffer(words(&[3; 500])), Given::Buffer(words(&[0])), Given::U32(500)];
    let options = Options { stop: Some(&stop), ..Options::default() };
    let fault = launch(&text, &shape(2, 128), &given, &options).map(|_| ()).expect_err("it never ends");
    assert_eq!(fault.kind, FaultKind::Stopped);
}

//! Kernels by hand give what plain Rust gives, under several schedules.

mod device;

use device::{Given, as_words, launch, seeded, shape, words};

const REDUCE: &str = include_str!("kernels/reduce.ptx");
const GRID_BARRIER: &str = include_str!("kernels/grid_barrier.ptx");
const EXCHANGE: &str = include_str!("kernels/exchange.ptx");
const PATHS: &str = include_str!("kernels/paths.ptx");
const ATOMICS: &str = include_str!("kernels/atomics.ptx");
const MATRIX: &str = include_str!("kernels/matrix.ptx");

/// Numbers without a pattern.
fn noise(count: usize) -> Vec<u32> {
    let mut state = 0x1234_5678u32;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    (0..count).map(next).collect()
}

#[test]
fn a_reduction() {
    let input = noise(1000);
    let expected = input.iter().fold(7u32, |sum, value| sum.wrapping_add(*value));
    for seed in 0..6 {
        let given = [Given::Buffer(words(&input)), Given::Buffer(words(&[7])), Given::U32(1000)];
        let (buffers, _) =
            launch(REDUCE, &shape(3, 128), &given, &seeded(seed)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(as_words(&buffers[1]), [expected], "seed {seed}");
    }
}

#[test]
fn a_barrier_of_the_grid() {
    let (blocks, threads, rounds) = (5u32, 40u32, 4u32);
    let expected: Vec<u32> = (0..blocks * threads)
        .map(|thread| {
            let neighbor = (thread / threads + 1) % blocks * threads + thread % threads;
            (1..=rounds).map(|round| round * 1000 + neighbor).sum()
        })
        .collect();
    for seed in 0..6 {
        let words_of_grid = 4 * (blocks * threads) as usize;
        let given = [
            Given::Buffer(words(&[0])),
            Given::Unwritten(words_of_grid),
            Given::Unwritten(words_of_grid),
            Given::U32(rounds),
        ];
        let shape = device::Shape { cooperative: true, ..shape(blocks, threads) };
        let (buffers, _) =
            launch(GRID_BARRIER, &shape, &given, &seeded(seed)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(as_words(&buffers[2]), expected, "seed {seed}");
    }
}

#[test]
fn lanes_that_exchange() {
    let input = noise(64);
    let cell = |thread: usize| input[thread].wrapping_add(thread as u32);
    // Lanes 0 to 11 have more than 19 lanes above them.
    let expected: Vec<u32> = (0..64)
        .map(|thread| cell((thread ^ 31) ^ 1).wrapping_add(0xfff).wrapping_add(cell(thread ^ 32)))
        .collect();
    for seed in 0..6 {
        let given = [Given::Buffer(words(&input)), Given::Unwritten(256)];
        let (buffers, _) =
            launch(EXCHANGE, &shape(1, 64), &given, &seeded(seed)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(as_words(&buffers[1]), expected, "seed {seed}");
    }
}

#[test]
fn jumps_calls_and_variables() {
    let module = vyre_ptx_vm::parse(PATHS).unwrap_or_else(|e| panic!("{e}"));
    let primes = [2, 3, 5, 7];
    for seed in 0..4 {
        let given = [Given::Unwritten(4 * 40 + 8)];
        let (buffers, _) = device::launch_module(&module, &shape(1, 40), &given, &seeded(seed))
            .unwrap_or_else(|e| panic!("{e}"));
        let out = as_words(&buffers[0]);
        for thread in 0..40u32 {
            let at = thread as usize % 4;
            let mut own = [thread; 4];
            own[at] = primes[at];
            let sum = own[2] + own[3] + [1000, 2000, 3000, 3000][at];
            assert_eq!(out[thread as usize], 2 * sum + primes[at]);
        }
        assert_eq!(out[40..], [140, 0]);
    }
}

/// A variable of a module lives as long as the memory that the module's kernels run on.
#[test]
fn variables_keep_what_was_written() {
    let module = vyre_ptx_vm::parse(PATHS).unwrap_or_else(|e| panic!("{e}"));
    let (entry, mut memory) = (&module.entries[0], vyre_ptx_vm::Memory::default());
    for count in [104u64, 108] {
        let output = memory.allocate(24);
        let launch = vyre_ptx_vm::Launch {
            grid: [1; 3],
            block: [4, 1, 1],
            dynamic_shared: 0,
            params: &output.to_le_bytes(),
            cooperative: false,
        };
        vyre_ptx_vm::run(entry, &mut memory, &launch, &seeded(1)).unwrap_or_else(|e| panic!("{e}"));
        let mut visits = [0; 8];
        memory.read(output + 16, &mut visits).expect("the output");
        assert_eq!(u64::from_le_bytes(visits), count);
    }
}

#[test]
fn atomics() {
    for seed in 0..6 {
        let start = [5, 0, 0, 0, 9, 1, 1000, 0, 0, 0, 0, 0];
        let given = [
            Given::Buffer(words(&start)),
            Given::Buffer(words(&[0, 0, 0, 0, 0])),
            Given::Buffer(words(&[0; 64])),
        ];
        let shape = device::Shape { dynamic_shared: 64, ..shape(1, 64) };
        let (buffers, _) = launch(ATOMICS, &shape, &given, &seeded(seed)).unwrap_or_else(|e| panic!("{e}"));
        let out = as_words(&buffers[0]);
        assert_eq!(out[0], 63 + 7);
        assert_eq!(out[1], (7..71).fold(0, |bits, value| bits ^ value));
        assert_eq!(out[2], (7..71).sum::<u32>());
        // From 9 down once to 5, then around 5, 4, 3, 2, 1, 0.
        assert_eq!(out[4], 5 - 63 % 6);
        assert_eq!(out[5], 1 + 64 * 3);
        // Each thread adds what was there before; only what is there now is missing.
        assert_eq!(out[7] + out[6], 1000 + (0..64).sum::<u32>());
        assert_eq!(out[8..12], [64, 0, 63, 64 % 10]);
        let floats = as_words(&buffers[1]);
        // In global memory the sum flushes subnormal numbers, in shared memory it does not.
        assert_eq!(floats[0], 0);
        assert_eq!(floats[1], 64f32.to_bits());
        assert_eq!(floats[2], 0x5400, "64 as f16");
        assert_eq!(floats[3], 0x4280_4300, "64 and 128 as bf16");
        assert_eq!(floats[4], 2);
        assert_eq!(as_words(&buffers[2]), [1; 64], "every thread saw another count");
    }
}

#[test]
fn a_product_of_matrices() {
    let small = |value: u32| (value % 17) as f32 - 8.0;
    let half = |value: f32| ((value.to_bits() >> 16) as u16).to_le_bytes();
    let numbers = noise(16 * 16 + 16 * 8);
    let (left, right) = numbers.split_at(256);
    let bytes = |values: &[u32]| values.iter().flat_map(|value| half(small(*value))).collect();
    let given = [Given::Buffer(bytes(left)), Given::Buffer(bytes(right)), Given::Unwritten(512)];
    let (buffers, _) = launch(MATRIX, &shape(1, 32), &given, &seeded(3)).unwrap_or_else(|e| panic!("{e}"));
    let found: Vec<f32> = as_words(&buffers[2]).into_iter().map(f32::from_bits).collect();
    for row in 0..16 {
        for column in 0..8 {
            let sum: f32 = (0..16).map(|k| small(left[row * 16 + k]) * small(right[k * 8 + column])).sum();
            assert_eq!(found[row * 8 + column], 0.5 + sum, "row {row}, column {column}");
        }
    }
}

/// Sectors and passes of accesses whose patterns are known.
#[test]
fn what_accesses_cost() {
    let kernel = |address: &str, access: &str| {
        format!(
            ".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry k(.param .u64 p) {{\n.reg .u32 %r<6>; .reg .u64 %rd<6>; .shared .align 8 .b32 s[2048];\nld.param.u64 %rd1, [p]; mov.u32 %r1, %tid.x;\n{address}\n{access}\nret;\n}}\n"
        )
    };
    let wide = |stride: u32| format!("mul.wide.u32 %rd2, %r1, {stride}; add.u64 %rd2, %rd1, %rd2;");
    let shared = |stride: u32| format!("mov.u32 %r2, s; mad.lo.u32 %r2, %r1, {stride}, %r2;");
    // Sectors or passes, and the fewest, of both warps together.
    let cases = [
        (wide(4), "ld.global.u32 %r3, [%rd2];", 2 * 4, 2 * 4),
        (wide(16), "ld.global.v4.u32 {%r2,%r3,%r4,%r5}, [%rd2];", 2 * 16, 2 * 16),
        (wide(32), "ld.global.u32 %r3, [%rd2];", 2 * 32, 2 * 4),
        (wide(0), "ld.global.u32 %r3, [%rd2];", 2, 2),
        (shared(4), "st.shared.u32 [%r2], 1;", 2, 2),
        (shared(8), "st.shared.u32 [%r2], 1;", 2 * 2, 2),
        (shared(64), "st.shared.u32 [%r2], 1;", 2 * 16, 2),
        (shared(68), "st.shared.u32 [%r2], 1;", 2, 2),
    ];
    for (address, access, transactions, least) in cases {
        let access = access.replace("u32 [%r2], 1", "u32 [%r2], %r1");
        let text = kernel(&address, &access);
        let options =
            vyre_ptx_vm::Options { counters: true, uninitialized: false, races: false, ..seeded(2) };
        let given = [Given::Buffer(vec![0; 64 * 128])];
        let (_, report) = launch(&text, &shape(1, 64), &given, &options).unwrap_or_else(|e| panic!("{e}"));
        let counters = &report.accesses[0];
        assert_eq!(
            (counters.warps, counters.transactions, counters.least),
            (2, transactions, least),
            "{address} {access}"
        );
        assert_eq!((counters.line, counters.instruction.as_str()), (8, access.as_str()));
    }
}

#[test]
fn all_kernels_assemble() {
    let Some(ptxas) = device::ptxas() else { return };
    let all = [
        ("reduce", REDUCE),
        ("grid", GRID_BARRIER),
        ("exchange", EXCHANGE),
        ("paths", PATHS),
        ("atomics", ATOMICS),
        ("matrix", MATRIX),
    ];
    for (name, text) in all {
        assert_eq!(device::refused(&ptxas, text, name), None, "{name}");
    }
}

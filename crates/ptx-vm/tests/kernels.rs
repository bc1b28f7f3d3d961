//! Kernels by hand give what plain Rust gives, under several schedules.

mod device;

use device::{Given, as_words, launch, seeded, shape, words};

const REDUCE: &str = include_str!("kernels/reduce.ptx");
const GRID_BARRIER: &str = include_str!("kernels/grid_barrier.ptx");
const EXCHANGE: &str = include_str!("kernels/exchange.ptx");

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

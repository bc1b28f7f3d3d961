//! In which order a device is given blocks of stages: orders worked out by hand.

mod common;
use common::program;
use vyre_opt::stages::{Control, Turn};

/// Two blocks in a loop between two others, a stage each.
fn control() -> Control {
    let program = program("");
    let turns = vec![Turn::Block(0), Turn::Loop(vec![Turn::Block(1), Turn::Block(2)]), Turn::Block(3)];
    let state = program.buffers.keys().next().unwrap();
    Control { program, state, words: 20, blocks: vec![0..1, 1..2, 2..3, 3..4], turns }
}

/// The order where each block takes two launches.
fn order(next: u32, most: u32) -> Vec<usize> {
    control().order(next, most, &|_| 2)
}

#[test]
fn a_run_is_expected_to_take_half_as_much_again() {
    // Four blocks, each with a decision: 8 launches a turn.
    assert_eq!(control().launches(10), 120);
    assert_eq!(control().launches(0), 0);
    // However often it decided.
    assert_eq!(control().launches(u32::MAX), u32::MAX);
}

#[test]
fn loops_are_gone_through_as_often_as_fits() {
    // 2 + 3 * 4 + 2 launches; a fourth turn would be 20.
    assert_eq!(order(4, 16), [0, 1, 2, 1, 2, 1, 2, 3]);
    assert_eq!(order(4, 19), [0, 1, 2, 1, 2, 1, 2, 3]);
    assert_eq!(order(4, 20), [0, 1, 2, 1, 2, 1, 2, 1, 2, 3]);
    // One turn is more than that already.
    assert_eq!(order(4, 1), [0, 1, 2, 3]);
}

#[test]
fn what_comes_before_the_next_block_is_left_out() {
    assert_eq!(order(2, 16), [2, 1, 2, 1, 2, 3]);
    assert_eq!(order(3, 16), [3]);
}

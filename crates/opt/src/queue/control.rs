//! What happens between windows: counting, and the choice of the next one.

use super::{
    BEFORE, BOUND, COUNT, FEW, HEAD, HIGH_WATER, LEFT, LOST, PROCESSED, PUSHED, Queue, TAIL, WINDOW, WINDOWS,
    Window, set, window, word, wrap,
};
use crate::stages::{DONE, NEXT, TURNS, args};
use vyre_ir::{Access, Buffer, Builder, Op, Program, Scalar, Value};

/// Counts what the window did, frees its entries, and gives head and count of the next one.
pub(super) fn advance(
    b: &mut Builder,
    queue: &Queue,
    Window { head, count, capacity }: Window,
) -> [Value; 2] {
    let counts = queue.counts;
    let [limit, bound] = [WINDOW, BOUND].map(|of| word(b, queue.state, of));
    let zero = b.u32(0);
    let tail = word(b, counts, TAIL);
    let used = b.op(Op::Sub, &[tail, head]);
    let high = word(b, counts, HIGH_WATER);
    let high = b.op(Op::Max, &[high, used]);
    set(b, counts, HIGH_WATER, high);
    let windows = word(b, counts, WINDOWS);
    let is_window = b.op(Op::Lt, &[zero, count]);
    let more = b.convert(is_window, Scalar::U32);
    let windows = b.op(Op::Add, &[windows, more]);
    set(b, counts, WINDOWS, windows);
    add_long(b, counts, PROCESSED, count);
    let before = word(b, counts, BEFORE);
    let pushed = b.op(Op::Sub, &[tail, before]);
    add_long(b, counts, PUSHED, pushed);
    let room = b.op(Op::Min, &[used, capacity]);
    let lost = b.op(Op::Sub, &[used, room]);
    set(b, counts, LOST, lost);
    let left = b.op(Op::Sub, &[room, count]);
    set(b, counts, LEFT, left);
    let head = b.op(Op::Add, &[head, count]);
    let head = wrap(b, head, capacity);
    let tail = b.op(Op::Add, &[head, left]);
    set(b, counts, TAIL, tail);
    set(b, counts, BEFORE, tail);
    // Nothing goes on once items are lost.
    let whole = b.op(Op::Eq, &[lost, zero]);
    let count = b.op(Op::Min, &[left, limit]);
    let unknown = b.op(Op::Eq, &[bound, zero]);
    let free = b.op(Op::Sub, &[capacity, left]);
    let fit = b.op(Op::Div, &[free, bound]);
    let fit = b.op(Op::Select, &[unknown, count, fit]);
    let count = b.op(Op::Min, &[count, fit]);
    [head, b.op(Op::Select, &[whole, count, zero])]
}

/// The control program of the queue of a program with these buffers. `few` is how many items the second stage takes, if
/// there is one.
pub(super) fn control(p: &Program, queue: &Queue, few: Option<u32>) -> Program {
    let invocations = p.workgroup_invocations() as u32;
    let mut b = Builder::like(p);
    b.p.name = format!("{}.control", p.name);
    b.p.workgroup_size = [1; 3];
    b.p.buffers[queue.state].access = Access::ReadWrite;
    let state = queue.state;
    let next = word(&mut b, state, NEXT);
    let after = b.axis(Op::WorkgroupId, 0);
    let is_next = b.op(Op::Eq, &[next, after]);
    let decide = |b: &mut Builder| {
        let (zero, one) = (b.u32(0), b.u32(1));
        let now = window(b, queue);
        let [head, count] = match few {
            None => advance(b, queue, now),
            Some(_) => {
                let was_few = b.op(Op::Eq, &[after, one]);
                let chosen = b.if_(
                    was_few,
                    |b| vec![word(b, queue.counts, FEW), word(b, queue.counts, FEW + 1)],
                    |b| advance(b, queue, now).to_vec(),
                );
                [chosen[0], chosen[1]]
            }
        };
        set(b, state, HEAD, head);
        set(b, state, COUNT, count);
        let turns = word(b, state, TURNS);
        let turns = b.op(Op::Add, &[turns, one]);
        set(b, state, TURNS, turns);
        let goes_on = b.op(Op::Lt, &[zero, count]);
        let are_few = few.map(|few| {
            let few = b.u32(few);
            b.op(Op::Le, &[count, few])
        });
        let block = are_few.map_or(zero, |are_few| b.convert(are_few, Scalar::U32));
        let done = b.u32(DONE);
        let next = b.op(Op::Select, &[goes_on, block, done]);
        set(b, state, NEXT, next);
        let size = b.u32(invocations);
        let last = b.op(Op::Sub, &[count, one]);
        let workgroups = b.op(Op::Div, &[last, size]);
        let workgroups = b.op(Op::Add, &[workgroups, one]);
        for (block, x) in [workgroups, one].into_iter().enumerate().take(1 + few.iter().len()) {
            let number = b.u32(block as u32);
            let runs = b.op(Op::Eq, &[next, number]);
            for (axis, n) in [x, one, one].into_iter().enumerate() {
                let n = b.op(Op::Select, &[runs, n, zero]);
                set(b, state, args(block) + axis as u32, n);
            }
        }
        Vec::new()
    };
    b.if_(is_next, decide, |_| Vec::new());
    b.finish()
}

/// Adds to a number of two words.
fn add_long(b: &mut Builder, buffer: Buffer, at: u32, more: Value) {
    let [low, high] = [at, at + 1].map(|of| word(b, buffer, of));
    let sum = b.op(Op::Add, &[low, more]);
    let carries = b.op(Op::Lt, &[sum, more]);
    let carry = b.convert(carries, Scalar::U32);
    let high = b.op(Op::Add, &[high, carry]);
    set(b, buffer, at, sum);
    set(b, buffer, at + 1, high);
}

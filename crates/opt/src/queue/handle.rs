//! A program around items of a window: one, or all that an invocation comes to.

use super::{Queue, TAIL, Window, set, word, wrap};
use crate::rewrite::{Copier, Values};
use std::collections::HashSet;
use vyre_ir::{Buffer, Builder, Inst, Memory, Op, Program, Scalar, Type, Value};

/// The program for the item at a place of the window, which counts the turns of its loops if `turns` says where. `b` has
/// its buffers.
pub(super) fn item(
    p: &Program,
    mut b: Builder,
    queue: &Queue,
    window: Window,
    at: Value,
    turns: Option<Buffer>,
) -> Builder {
    let ends = turns.map_or_else(HashSet::new, |_| loop_ends(p));
    let Window { head, capacity, .. } = window;
    let words = b.u32(queue.entry_words);
    let place = b.op(Op::Add, &[head, at]);
    let place = wrap(&mut b, place, capacity);
    let entry = b.op(Op::Mul, &[place, words]);
    let mut copy = Copier::new(p, b);
    let (body, _) = copy.split(p.body);
    let body = body.to_vec();
    copy.insts(&body, &mut |copy: &mut Copier<'_>, inst: Inst, args: &[Value]| {
        let b = &mut copy.b;
        match copy.from.insts[inst].op {
            Op::Yield if ends.contains(&inst) => {
                let (turns, one) = (turns.expect("turns are counted"), b.u32(1));
                let before = word(b, turns, 0);
                let after = b.op(Op::Add, &[before, one]);
                set(b, turns, 0, after);
                None
            }
            Op::QueueItem => {
                let ty = copy.from.ty(copy.from.insts[inst].results[0]);
                Some(Values::from_slice(&[b.load(Op::Load, queue.items, entry, ty)]))
            }
            Op::QueuePush => {
                let (one, tail) = (b.u32(1), b.u32(TAIL));
                let at = b.atomic(Op::AtomicAdd, queue.counts, tail, one);
                let ahead = b.op(Op::Sub, &[at, head]);
                let room = b.op(Op::Lt, &[ahead, capacity]);
                b.if_(
                    room,
                    |b| {
                        let place = wrap(b, at, capacity);
                        let entry = b.op(Op::Mul, &[place, words]);
                        b.store(Op::Store, queue.items, entry, args[0]);
                        Vec::new()
                    },
                    |_| Vec::new(),
                );
                Some(Values::new())
            }
            _ => None,
        }
    });
    copy.b
}

/// The instructions that end a turn of a loop.
fn loop_ends(p: &Program) -> HashSet<Inst> {
    let mut ends = HashSet::new();
    p.walk(p.body, &mut |inst| {
        if p.insts[inst].op == Op::Loop {
            ends.extend(p.regions[p.insts[inst].regions[0]].insts.last());
        }
    });
    ends
}

/// The program for items of a window, several an invocation: the workgroup handles those at the place `first` and behind
/// it, then those `step` further on, to the window's end. Both, and how many items the window has, are the same for the
/// workgroup, and the step is at least as large as that.
///
/// Memory that is not bound is made zero again for each item, that of the workgroup for all items that it handles at once.
pub(super) fn places(
    p: &Program,
    mut b: Builder,
    queue: &Queue,
    window: Window,
    [first, step]: [Value; 2],
    turns: Option<Buffer>,
) -> Builder {
    let own = |memory| {
        let own = p.buffers.iter().filter(move |(_, decl)| decl.memory == memory);
        own.map(|(buffer, _)| buffer).collect::<Vec<_>>()
    };
    let (shared, private) = (own(Memory::Workgroup), own(Memory::Private));
    let local = b.index(Op::LocalIndex);
    let [zero, one, size] = [0, 1, b.p.workgroup_invocations() as u32].map(|n| b.u32(n));
    let each = b.open(&[Type::from(Scalar::U32)]);
    b.enter(each);
    let from = b.p.regions[each].params[0];
    let wait = |b: &mut Builder| {
        if !shared.is_empty() {
            b.sync(Op::WorkgroupBarrier);
        }
    };
    for &buffer in &shared {
        clear(&mut b, buffer, local, size);
    }
    wait(&mut b);
    let at = b.op(Op::Add, &[from, local]);
    let handles = b.op(Op::Lt, &[at, window.count]);
    let handled = b.open(&[]);
    b.enter(handled);
    for &buffer in &private {
        clear(&mut b, buffer, zero, one);
    }
    let mut b = item(p, b, queue, window, at, turns);
    b.end(&[]);
    let otherwise = b.region(&[], |_, _| Vec::new());
    b.branch(handles, handled, otherwise);
    wait(&mut b);
    let further = b.op(Op::Add, &[from, step]);
    let more = b.op(Op::Lt, &[further, window.count]);
    b.end(&[more, further]);
    b.repeat(&[first], each);
    b
}

/// Makes scalars of a buffer zero: from the one of a number on, each so many behind the one before.
fn clear(b: &mut Builder, buffer: Buffer, from: Value, step: Value) {
    let decl = &b.p.buffers[buffer];
    let scalar = decl.element.scalar;
    let scalars = decl.static_bytes().map_or(0, |bytes| bytes / u64::from(scalar.bytes()));
    let (zero, end) = (b.bits(scalar, 0), b.u32(u32::try_from(scalars).unwrap_or(u32::MAX)));
    let any = b.op(Op::Lt, &[from, end]);
    b.if_(
        any,
        |b| {
            b.loop_(&[from], |b, at| {
                b.store(Op::Store, buffer, at[0], zero);
                let next = b.op(Op::Add, &[at[0], step]);
                vec![b.op(Op::Lt, &[next, end]), next]
            });
            Vec::new()
        },
        |_| Vec::new(),
    );
}

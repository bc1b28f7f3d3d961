//! Windows of few items, one after the other, in a single workgroup: barriers between them in place of launches or grid
//! syncs.

use super::control::advance;
use super::handle::places;
use super::{FEW, Queue, Window, set, window, word, wrap};
use vyre_ir::{Access, Buffer, BufferDecl, Builder, Memory, Op, Program, Scalar, Type, Value};

/// Invocations of the stage for few items, if the program's workgroup has no more.
pub(super) const FEW_INVOCATIONS: u64 = 128;
/// Items that are few, for each of those invocations.
const FEW_ITEMS: u64 = 8;
/// Windows of few items that are handled without asking the control program, or the rest of the grid.
pub const FEW_WINDOWS: u32 = 64;
/// Turns of the program's loops in an invocation after which it is asked all the same: some drivers allow all loops of
/// an invocation 65,535 together, and what takes long should not be one launch.
const FEW_TURNS: u32 = 8192;

/// Memory of whoever handles few items.
#[derive(Copy, Clone)]
pub(super) struct Few {
    /// Of the workgroup: how many items the next window has, or 0 to stop.
    next: Buffer,
    /// What limits turns of loops.
    limit: Option<Limit>,
}

/// Memory that limits turns of loops.
#[derive(Copy, Clone)]
struct Limit {
    /// Of the workgroup: the most turns that an invocation made.
    longest: Buffer,
    /// Of an invocation: its turns.
    turns: Buffer,
}

impl Few {
    /// For windows whose invocations may do as many turns of loops as they like.
    pub fn without_limit(b: &mut Builder) -> Few {
        Few { next: declare(b, "next", Memory::Workgroup), limit: None }
    }

    /// For windows until the turns of loops are many.
    pub fn with_limit(b: &mut Builder) -> Few {
        let few = Few::without_limit(b);
        let longest = declare(b, "longest", Memory::Workgroup);
        let turns = declare(b, "turns", Memory::Private);
        Few { limit: Some(Limit { longest, turns }), ..few }
    }
}

/// Declares a u32 that is not bound.
fn declare(b: &mut Builder, name: &str, memory: Memory) -> Buffer {
    let mut name = format!("vyre_queue_{name}");
    while b.p.buffer_named(&name).is_some() {
        name.push('_');
    }
    b.buffer(BufferDecl { name, memory, access: Access::ReadWrite, count: 1, ..BufferDecl::default() })
}

/// Invocations of the stage for few items, and how many are few; `None` where the program has memory of its own, which is
/// zero when a workgroup or an invocation starts.
pub(super) fn few(p: &Program) -> Option<(u64, u32)> {
    let own = |decl: &BufferDecl| !decl.memory.is_bound();
    let invocations = p.workgroup_invocations().max(FEW_INVOCATIONS);
    (!p.buffers.values().any(own)).then_some((invocations, (FEW_ITEMS * invocations) as u32))
}

/// The program around windows of at most so many items, for one workgroup. `b` is empty and has its buffers.
pub(super) fn few_stage(p: &Program, mut b: Builder, queue: &Queue, few: Few, most: u32) -> Program {
    let first = window(&mut b, queue);
    let (b, _) = rounds(p, b, queue, few, most, first);
    b.finish()
}

/// Windows from this one on, as long as they have at most so many items, handled by all invocations of a workgroup. Gives
/// head and count of the window after them, which are in the counts too.
pub(super) fn rounds(
    p: &Program,
    mut b: Builder,
    queue: &Queue,
    few: Few,
    most: u32,
    first: Window,
) -> (Builder, [Value; 2]) {
    let u32s = Type::from(Scalar::U32);
    let local = b.index(Op::LocalIndex);
    let size = b.u32(b.p.workgroup_invocations() as u32);
    let (zero, one, most) = (b.u32(0), b.u32(1), b.u32(most));
    let rounds = b.open(&[u32s; 3]);
    b.enter(rounds);
    let [head, count, round] = [0, 1, 2].map(|i| b.p.regions[rounds].params[i]);
    let now = Window { head, count, ..first };
    let mut b = places(p, b, queue, now, [zero, size], few.limit.map(|limit| limit.turns));
    if let Some(Limit { longest, turns }) = few.limit {
        let turns = word(&mut b, turns, 0);
        b.atomic(Op::AtomicMax, longest, zero, turns);
        b.sync(Op::WorkgroupBarrier);
    }
    b.sync(Op::StorageBarrier);
    let decides = b.op(Op::Eq, &[local, zero]);
    b.if_(
        decides,
        |b| {
            let after = advance(b, queue, now);
            for (i, value) in after.into_iter().enumerate() {
                set(b, queue.counts, FEW + i as u32, value);
            }
            let count = match few.limit {
                Some(Limit { longest, .. }) => {
                    let longest = b.load(Op::AtomicLoad, longest, zero, u32s);
                    let limit = b.u32(FEW_TURNS);
                    let is_short = b.op(Op::Lt, &[longest, limit]);
                    b.op(Op::Select, &[is_short, after[1], zero])
                }
                None => after[1],
            };
            set(b, few.next, 0, count);
            Vec::new()
        },
        |_| Vec::new(),
    );
    b.sync(Op::StorageBarrier);
    let head = b.op(Op::Add, &[head, count]);
    let head = wrap(&mut b, head, first.capacity);
    let count = b.load(Op::UniformLoad, few.next, zero, u32s);
    let round = b.op(Op::Add, &[round, one]);
    let last = b.u32(FEW_WINDOWS);
    let conditions =
        [b.op(Op::Lt, &[zero, count]), b.op(Op::Le, &[count, most]), b.op(Op::Lt, &[round, last])];
    let again = conditions.into_iter().reduce(|a, c| b.op(Op::And, &[a, c])).expect("there are three");
    b.end(&[again, head, count, round]);
    let after = b.repeat(&[first.head, first.count, zero], rounds);
    (b, [after[0], after[1]])
}

//! One program that drains a queue by itself, for a grid whose invocations wait for each other.
//!
//! The grid goes from window to window. A window of many items is handled by all invocations; then they wait, the grid's
//! first invocation does what the control program does between stages ([`advance`]), and tells the others how many items
//! the next window has. Windows of few items are handled by the first workgroup alone, while the others wait to be told
//! ([`rounds`]). It ends when a window has no items.
//!
//! No access races: where a window begins is a word of the state, which the first invocation writes, and the others read
//! only at the start of a window of many items, with a grid sync between that and the next time that it is written. The
//! counts are only touched by pushes within windows and by the first invocation between them.

use super::control::advance;
use super::few::{Few, rounds};
use super::handle::places;
use super::{CAPACITY, COUNT, HEAD, Queue, Window, item_type, scratch_buffers, set, word};
use crate::stages::{DONE, NEXT};
use vyre_ir::{Access, Builder, Diagnostic, Op, Program, Scalar, Type, Value};

/// A program that handles the items of a queue until none are left, or there is no room for what they push, and where the
/// queue is: in buffers behind those of the program, state, counts and entries. It runs in any number of workgroups along
/// x that wait for each other, of as many invocations as the program's, and leaves the words as the stages do.
///
/// # Errors
/// As [`super::queue`].
pub fn persistent(p: &Program) -> Result<(Program, Queue), Diagnostic> {
    let item = item_type(p)?;
    let mut b = Builder::like(p);
    b.p.name = format!("{}.queue", p.name);
    let [state, counts, items] = scratch_buffers(&mut b);
    b.p.buffers[state].access = Access::ReadWrite;
    let few = Few::without_limit(&mut b);
    let queue = Queue { items, counts, state, entry_words: item.lanes.into(), buffers: b.p.buffers.len() };
    let grid = Grid::new(&mut b, p, queue, few);
    let zero = b.u32(0);

    let windows = b.open(&[Type::from(Scalar::U32)]);
    b.enter(windows);
    let count = b.p.regions[windows].params[0];
    let most = b.u32(grid.few_items());
    let are_few = b.op(Op::Le, &[count, most]);
    let [apart, together] = [b.open(&[]), b.open(&[])];
    b.enter(apart);
    let (mut b, next) = grid.few(b, count);
    b.end(&[next]);
    b.enter(together);
    let (mut b, next) = grid.many(b, count);
    b.end(&[next]);
    let next = b.branch(are_few, apart, together)[0];
    // Only the first invocation knows it.
    let next = b.op(Op::GridUniform, &[next, grid.is_first]);
    let again = b.op(Op::Lt, &[zero, next]);
    b.end(&[again, next]);
    b.repeat(&[zero], windows);

    let finish = |b: &mut Builder| {
        let done = b.u32(DONE);
        set(b, state, NEXT, done);
        set(b, state, COUNT, zero);
        Vec::new()
    };
    b.if_(grid.is_first, finish, |_| Vec::new());
    Ok((b.finish(), queue))
}

/// Who handles windows.
struct Grid<'p> {
    p: &'p Program,
    queue: Queue,
    few: Few,
    /// The number of the workgroup.
    workgroup: Value,
    /// Whether it is the grid's first invocation.
    is_first: Value,
    capacity: Value,
}

impl<'p> Grid<'p> {
    fn new(b: &mut Builder, p: &'p Program, queue: Queue, few: Few) -> Grid<'p> {
        let workgroup = b.axis(Op::WorkgroupId, 0);
        let local = b.index(Op::LocalIndex);
        let zero = b.u32(0);
        let is_first = [workgroup, local].map(|number| b.op(Op::Eq, &[number, zero]));
        let is_first = b.op(Op::And, &is_first);
        let capacity = word(b, queue.state, CAPACITY);
        Grid { p, queue, few, workgroup, is_first, capacity }
    }

    /// Items that the first workgroup handles alone: one an invocation.
    fn few_items(&self) -> u32 {
        self.p.workgroup_invocations() as u32
    }

    /// The window of so many items that the state says where it begins.
    fn window(&self, b: &mut Builder, count: Value) -> Window {
        Window { head: word(b, self.queue.state, HEAD), count, capacity: self.capacity }
    }

    /// Windows of few items. Gives how many items the next window has, to the first workgroup.
    fn few(&self, mut b: Builder, count: Value) -> (Builder, Value) {
        let zero = b.u32(0);
        let is_first = b.op(Op::Eq, &[self.workgroup, zero]);
        let alone = b.open(&[]);
        b.enter(alone);
        let window = self.window(&mut b, count);
        let (mut b, [head, next]) = rounds(self.p, b, &self.queue, self.few, self.few_items(), window);
        b.if_(
            self.is_first,
            |b| {
                set(b, self.queue.state, HEAD, head);
                vec![]
            },
            |_| vec![],
        );
        b.end(&[next]);
        let others = b.region(&[], |_, _| vec![zero]);
        let next = b.branch(is_first, alone, others)[0];
        (b, next)
    }

    /// A window of many items. Gives how many items the next window has, to the first invocation.
    fn many(&self, mut b: Builder, count: Value) -> (Builder, Value) {
        let window = self.window(&mut b, count);
        let size = b.u32(self.p.workgroup_invocations() as u32);
        let workgroups = b.axis(Op::NumWorkgroups, 0);
        let places_of = [self.workgroup, workgroups].map(|n| b.op(Op::Mul, &[n, size]));
        let mut b = places(self.p, b, &self.queue, window, places_of, None);
        b.sync(Op::GridSync);
        let zero = b.u32(0);
        let decide = |b: &mut Builder| {
            let [head, next] = advance(b, &self.queue, window);
            set(b, self.queue.state, HEAD, head);
            vec![next]
        };
        let next = b.if_(self.is_first, decide, |_| vec![zero])[0];
        (b, next)
    }
}

//! Races: two accesses of one place, one of them a write, of which neither happens before the other; but for two that
//! are strong for each other. By the PTX memory consistency model, with its scopes.

mod clock;
mod shadow;

use crate::code::{Order, Scope};
use crate::fault::FaultKind;
use crate::machine::{Halt, halt};
pub(crate) use clock::Clock;
use clock::{Id, join};
use rustc_hash::FxHashMap;
use shadow::{Access, Lists, Shadow};
use std::rc::Rc;

/// Memory that threads share.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Where {
    /// An allocation.
    Global(usize),
    /// The shared memory of the block in a slot.
    Shared(usize),
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Read,
    Write,
    Atomic,
}

/// What an access is like.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Touch {
    pub(crate) kind: Kind,
    pub(crate) order: Order,
    pub(crate) scope: Scope,
    /// Of an element.
    pub(crate) bytes: u8,
    pub(crate) line: u32,
}

/// A thread's view.
struct View {
    id: Id,
    /// Its accesses carry this.
    count: u32,
    /// Accesses of its own block with lower counts happened before: the clock's entry.
    known: u32,
    clock: Rc<Clock>,
    /// The last fence: what was known there, the count there, and whom it is for.
    fence: Option<(Rc<Clock>, u32, Scope)>,
    /// Read by relaxed loads, learned at the next fence; and whether it came from the own block.
    pending: Vec<(Rc<Clock>, bool)>,
    /// What the last acquire learned.
    seen: Rc<Clock>,
}

/// What releases at a place handed over.
#[derive(Default)]
struct Handed {
    /// To everyone.
    wide: Rc<Clock>,
    /// To threads of the same block.
    blocks: Vec<(u32, Rc<Clock>)>,
}

/// The most blocks of a grid.
const BLOCKS: u64 = u32::MAX as u64;

/// The search for races of a launch.
pub(crate) struct Races {
    block_threads: usize,
    views: Vec<View>,
    global: Vec<Shadow>,
    shared: Vec<Shadow>,
    lists: Lists,
    handed: FxHashMap<(Where, usize), Handed>,
    /// The line of the access that raced with the one that ended the run.
    pub(crate) raced_with: Option<u32>,
}

impl Races {
    pub(crate) fn new(slots: usize, block_threads: usize, blocks: u64) -> Result<Races, Halt> {
        if blocks > BLOCKS {
            return halt(FaultKind::Launch, format!("{blocks} blocks are too many to look for races"));
        }
        let empty = Rc::new(Clock::default());
        let views = (0..slots * block_threads).map(|thread| View {
            id: Id { block: 0, linear: (thread % block_threads) as u32 },
            count: 1,
            known: 0,
            clock: Rc::clone(&empty),
            fence: None,
            pending: Vec::new(),
            seen: Rc::clone(&empty),
        });
        Ok(Races {
            block_threads,
            views: views.collect(),
            global: Vec::new(),
            shared: (0..slots).map(|_| Shadow::default()).collect(),
            lists: Lists::default(),
            handed: FxHashMap::default(),
            raced_with: None,
        })
    }

    /// A block begins in a slot.
    pub(crate) fn begin(&mut self, slot: usize, block: u64) {
        let empty = Rc::new(Clock::default());
        for view in &mut self.views[slot * self.block_threads..(slot + 1) * self.block_threads] {
            view.id.block = block as u32;
            view.count = 1;
            view.known = 0;
            view.clock = Rc::clone(&empty);
            view.fence = None;
            view.pending.clear();
            view.seen = Rc::clone(&empty);
        }
        self.shared[slot].clear(&mut self.lists);
        if !self.handed.is_empty() {
            self.handed.retain(|(place, _), _| *place != Where::Shared(slot));
        }
    }

    /// An access of some bytes. `name` says what the byte so many behind the first is called.
    pub(crate) fn touch(
        &mut self,
        thread: usize,
        place: Where,
        at: usize,
        bytes: usize,
        touch: Touch,
        name: impl Fn(usize) -> String,
    ) -> Result<(), Halt> {
        let view = &self.views[thread];
        let strength = match (touch.order, touch.scope) {
            (Order::Weak, _) => 0,
            (_, scope) => (if scope == Scope::Block { 1 } else { 2 }) | touch.bytes << 2,
        };
        let mut access = Access {
            block: view.id.block,
            count: view.count,
            lanes: 1 << (view.id.linear % 32),
            line: touch.line,
            warp: (view.id.linear / 32) as u8,
            bytes: 0,
            strength,
            writes: touch.kind != Kind::Read,
        };
        let shadow = match place {
            Where::Shared(slot) => &mut self.shared[slot],
            Where::Global(allocation) => {
                if self.global.len() <= allocation {
                    self.global.resize_with(allocation + 1, Shadow::default);
                }
                &mut self.global[allocation]
            }
        };
        let shared = matches!(place, Where::Shared(_));
        for word in at / 4..(at + bytes).div_ceil(4) {
            let (begin, end) = (at.max(word * 4) - word * 4, (at + bytes).min(word * 4 + 4) - word * 4);
            access.bytes = (0xf >> (4 - (end - begin)) << begin) as u8;
            if let Some(other) = visit(shadow.cell(word), &mut self.lists, view, access, shared) {
                self.raced_with = Some(other.line);
                let first = (access.bytes & other.bytes).trailing_zeros() as usize;
                return Err(race(view, access, other, touch.kind, &name(word * 4 + first - at)));
            }
        }
        if touch.order != Order::Weak {
            self.synchronize(thread, (place, at), touch);
        }
        Ok(())
    }

    /// Hands over what is known, and learns what was handed over.
    fn synchronize(&mut self, thread: usize, place: (Where, usize), touch: Touch) {
        let view = &mut self.views[thread];
        let own = view.id.block;
        if touch.kind != Kind::Write
            && !self.handed.is_empty()
            && let Some(handed) = self.handed.get(&place)
        {
            let from_block =
                handed.blocks.iter().find(|(block, _)| *block == own).map(|(_, clock)| (clock, true));
            let from_all = (touch.scope != Scope::Block).then_some((&handed.wide, false));
            for (clock, of_block) in from_block.into_iter().chain(from_all) {
                if touch.order.acquires() {
                    if !Rc::ptr_eq(clock, &view.seen) {
                        view.learn(clock);
                        view.seen = Rc::clone(clock);
                    }
                } else if !clock.is_empty() && !view.pending.iter().any(|(known, _)| Rc::ptr_eq(known, clock))
                {
                    view.pending.push((Rc::clone(clock), of_block));
                }
            }
        }
        if touch.kind == Kind::Read {
            return;
        }
        let mut released = None;
        if let Some((clock, count, scope)) = &view.fence {
            let mut clock = Rc::clone(clock);
            Rc::make_mut(&mut clock).learn_thread(view.id, *count);
            released = Some((clock, (*scope).min(touch.scope)));
        }
        if touch.order.releases() {
            released = Some((view.snapshot(), touch.scope));
        }
        if touch.kind == Kind::Write && !self.handed.is_empty() {
            self.handed.remove(&place);
        }
        let Some((clock, scope)) = released else { return };
        let handed = self.handed.entry(place).or_default();
        if scope != Scope::Block {
            join(&mut handed.wide, &clock);
        }
        match handed.blocks.iter_mut().find(|(block, _)| *block == own) {
            Some((_, known)) => join(known, &clock),
            None => handed.blocks.push((own, clock)),
        }
    }

    pub(crate) fn fence(&mut self, thread: usize, scope: Scope, order: Order) {
        let view = &mut self.views[thread];
        if order.acquires() {
            for (clock, of_block) in std::mem::take(&mut view.pending) {
                if of_block || scope != Scope::Block {
                    view.learn(&clock);
                } else {
                    view.pending.push((clock, of_block));
                }
            }
        }
        if !order.releases() {
            return;
        }
        if view.fence.as_ref().is_none_or(|fence| fence.2 <= scope) {
            view.fence = Some((Rc::clone(&view.clock), view.count, scope));
        }
        view.count += 1;
    }

    /// A thread goes on past a barrier that others wait at; what it hands them.
    pub(crate) fn arrive(&mut self, thread: usize) -> Rc<Clock> {
        self.views[thread].snapshot()
    }

    /// All threads of a block meet.
    pub(crate) fn block_barrier(&mut self, slot: usize) {
        let views = &mut self.views[slot * self.block_threads..(slot + 1) * self.block_threads];
        let mut clock = Rc::clone(&views[0].clock);
        let mut joined = Rc::clone(&clock);
        let mut count = 0;
        for view in views.iter() {
            // Most threads know what the last barrier told all of them, and nothing more.
            if !Rc::ptr_eq(&view.clock, &clock) && !Rc::ptr_eq(&view.clock, &joined) {
                join(&mut joined, &view.clock);
            }
            count = count.max(view.count);
        }
        std::mem::swap(&mut clock, &mut joined);
        drop(joined);
        count += 1;
        let block = views[0].id.block;
        Rc::make_mut(&mut clock).learn_block(block, count);
        for view in views {
            view.count = count;
            view.known = count;
            view.clock = Rc::clone(&clock);
        }
    }

    /// Some threads meet, with what those handed over who went on.
    pub(crate) fn meet(&mut self, members: &[usize], handed: &[Rc<Clock>]) {
        let mut clock = Rc::clone(&self.views[members[0]].clock);
        for member in members {
            join(&mut clock, &self.views[*member].clock);
        }
        handed.iter().for_each(|other| join(&mut clock, other));
        let known = Rc::make_mut(&mut clock);
        for member in members {
            known.learn_thread(self.views[*member].id, self.views[*member].count);
        }
        for member in members {
            let view = &mut self.views[*member];
            view.clock = Rc::clone(&clock);
            view.count += 1;
            view.known = view.clock.block(view.id.block);
        }
    }
}

impl View {
    fn learn(&mut self, clock: &Rc<Clock>) {
        join(&mut self.clock, clock);
        self.known = self.clock.block(self.id.block);
    }

    /// All that it knows, its own accesses until now among them.
    fn snapshot(&mut self) -> Rc<Clock> {
        let mut clock = Rc::clone(&self.clock);
        Rc::make_mut(&mut clock).learn_thread(self.id, self.count);
        self.count += 1;
        clock
    }

    /// Whether all of an access happened before.
    #[inline]
    fn after(&self, access: &Access) -> bool {
        if access.block == self.id.block && access.count < self.known {
            return true;
        }
        self.after_lanes(access)
    }

    fn after_lanes(&self, access: &Access) -> bool {
        if access.block != self.id.block && self.clock.block(access.block) > access.count {
            return true;
        }
        let mut lanes = access.lanes;
        while lanes != 0 {
            let linear = u32::from(access.warp) * 32 + lanes.trailing_zeros();
            lanes &= lanes - 1;
            let id = Id { block: access.block, linear };
            if id != self.id && !self.clock.thread(id, access.count) {
                return false;
            }
        }
        true
    }
}

/// Looks at what touched four bytes before, and writes down an access; what it races with, if it does.
#[inline]
fn visit(
    cell: &mut shadow::Cell,
    lists: &mut Lists,
    view: &View,
    access: Access,
    shared: bool,
) -> Option<Access> {
    let races = |other: &Access| {
        other.there()
            && (other.writes || access.writes)
            && other.bytes & access.bytes != 0
            && !other.strong_with(&access)
            && !view.after(other)
    };
    if races(&cell.write) {
        return Some(cell.write);
    }
    if access.writes && races(&cell.read) {
        return Some(cell.read);
    }
    if cell.more != 0
        && let Some(other) = lists.get(cell.more).iter().find(|other| races(other))
    {
        return Some(*other);
    }
    // An access that happened before this one says no more than this one does, if this one covers its bytes and is no
    // stronger; or if nobody else can ever race with it.
    let said = |other: &Access| {
        !other.there()
            || view.after(other)
                && (shared && other.count < view.known
                    || other.bytes & !access.bytes == 0
                        && (access.strength == 0 || access.strength == other.strength))
    };
    if access.writes {
        if cell.read.there() && !said(&cell.read) {
            lists.add(&mut cell.more, cell.read);
        }
        cell.read = Access::default();
        lists.retain(&mut cell.more, |other| !said(other));
    }
    let slot = if access.writes { &mut cell.write } else { &mut cell.read };
    if slot.alike(&access) {
        slot.lanes |= access.lanes;
        slot.line = access.line;
    } else {
        if !said(slot) {
            lists.add(&mut cell.more, *slot);
        }
        *slot = access;
    }
    None
}

#[cold]
fn race(view: &View, access: Access, other: Access, kind: Kind, name: &str) -> Halt {
    let what = match kind {
        Kind::Read => "reads",
        Kind::Write => "writes",
        Kind::Atomic => "updates",
    };
    let (how, before) =
        (if access.strength == 0 { "weakly " } else { "" }, if other.writes { "wrote" } else { "read" });
    let linear = u32::from(other.warp) * 32 + other.lanes.trailing_zeros();
    let who = if other.block == view.id.block {
        format!("thread {linear} of the same block")
    } else {
        format!("thread {linear} of block {}", other.block)
    };
    Box::new((
        FaultKind::Race,
        format!(
            "{how}{what} {name}, which {who} {before} in line {}, and nothing orders the two",
            other.line
        ),
    ))
}

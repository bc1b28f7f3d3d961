//! Makes a program that handles the items of a work queue run: its items come from a ring of entries on the device, and
//! what it pushes goes there.
//!
//! The program handles one item an invocation. Its first stage takes a window of items: invocation `i` of the window's `n`
//! handles the entry at [`HEAD`]` + i`, and the other invocations do nothing. A push takes the next place at the
//! [`TAIL`]. An entry is free again when the window that it was in is done, so there is room for a push as long as
//! tail less head is below the [`CAPACITY`]; a push beyond that stores nothing, but counts. Between windows the control
//! program moves the head, counts, and chooses the next window.
//!
//! A window of few items is not worth a launch. Where the program has no memory of its own, a second stage handles such
//! windows: one workgroup, several windows one after the other, with barriers between them, until there are many items
//! or it has done [`FEW_WINDOWS`] or many turns of loops.
//!
//! Two buffers have words: the state of [`crate::stages`], which the stage only reads, and the counts.
//!
//! Where the invocations of a grid can wait for each other, [`persistent`] makes one program that does all of this, with
//! the same words in the same buffers.

mod control;
mod few;
mod handle;
mod persistent;

pub use few::FEW_WINDOWS;
pub use persistent::persistent;

use crate::codes;
use crate::stages::{Control, Costs, Scratch, Staged, Turn, args};
use control::control;
use few::{Few, few, few_stage};
use handle::item;
use std::ops::Range;
use vyre_ir::{
    Access, Buffer, BufferDecl, Builder, Diagnostic, Effect, Memory, Op, Program, Rule, Scalar, Type, Value,
};

/// The word of the state that is the place of the window's first entry: below the capacity.
pub const HEAD: u32 = args(2);
/// The word of the state that is how many items the window has.
pub const COUNT: u32 = HEAD + 1;
/// The word of the state that is how many entries there are.
pub const CAPACITY: u32 = HEAD + 2;
/// The word of the state that is how many items a window may have.
pub const WINDOW: u32 = HEAD + 3;
/// The word of the state that is how many items an item may push at most, for windows so small that there is room for all
/// of that; 0 when that is not known.
pub const BOUND: u32 = HEAD + 4;
/// Words of the state.
pub const STATE_WORDS: u32 = HEAD + 5;

/// The word of the counts that is the place of the next push: that of entry `TAIL % CAPACITY`, at least [`HEAD`].
pub const TAIL: u32 = 0;
/// The first of two words of the counts, low one first, that are how many items are done.
pub const PROCESSED: u32 = 1;
/// The first of two words of the counts, low one first, that are how many items were pushed, lost ones included, initial
/// ones not.
pub const PUSHED: u32 = 3;
/// The word of the counts that is how many items were in the queue at most, those of the window included; more than the
/// capacity if items were lost.
pub const HIGH_WATER: u32 = 5;
/// The word of the counts that is how many items are left: more than 0 when some were lost, or when there is no room for
/// what a single item may push.
pub const LEFT: u32 = 6;
/// The word of the counts that is how many items found no room.
pub const LOST: u32 = 7;
/// The word of the counts that is how many windows there were.
pub const WINDOWS: u32 = 8;
/// The word of the counts that is where the tail was when the window began.
pub const BEFORE: u32 = 9;
/// The words of the counts that are head and count of the next window after the stage for few items.
const FEW: u32 = 10;
/// Words of the counts.
pub const COUNT_WORDS: u32 = 12;

/// What a queue begins with.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// How many entries there are.
    pub capacity: u32,
    /// How many items a window may have.
    pub window: u32,
    /// How many items an item may push at most; 0 when that is not known.
    pub bound: u32,
    /// How many of the entries, from the first on, are items.
    pub items: u32,
}

impl Start {
    /// The words of the state and of the counts. Which stage is first is for the driver to say.
    pub fn words(self) -> ([u32; STATE_WORDS as usize], [u32; COUNT_WORDS as usize]) {
        let (mut state, mut counts) = ([0; STATE_WORDS as usize], [0; COUNT_WORDS as usize]);
        state[CAPACITY as usize] = self.capacity;
        state[WINDOW as usize] = self.window;
        state[BOUND as usize] = self.bound;
        counts[TAIL as usize] = self.items;
        counts[BEFORE as usize] = self.items;
        (state, counts)
    }
}

/// Where the queue of a program is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// The entries.
    pub items: Buffer,
    /// The counts.
    pub counts: Buffer,
    /// The state.
    pub state: Buffer,
    /// 32-bit words of an entry.
    pub entry_words: u32,
    /// Buffers of the stages.
    pub buffers: usize,
}

/// A program that handles the items of a queue, as stages and their control program, and where the queue is.
///
/// # Errors
/// When the program has nothing to do with a queue, takes and pushes items of several types, or needs to know of a
/// grid.
pub fn queue(p: &Program) -> Result<(Staged, Queue), Diagnostic> {
    let item = item_type(p)?;
    let mut b = Builder::like(p);
    let [state, counts, items] = scratch_buffers(&mut b);
    let few = few(p);
    let memory = few.map(|_| Few::with_limit(&mut b));
    let queue = Queue { items, counts, state, entry_words: item.lanes.into(), buffers: b.p.buffers.len() };
    let fixed =
        |buffer, words: u32| Scratch { buffer, bytes: 4 * words as u64, per_workgroup: 0, per_invocation: 0 };
    let control = control(&b.p, &queue, few.map(|(_, items)| items));
    let mut stages = vec![];
    if let Some(((invocations, items), memory)) = few.zip(memory) {
        let mut b = Builder::like(&b.p);
        b.p.name = format!("{}.few", p.name);
        b.p.workgroup_size = [invocations as u32, 1, 1];
        stages.push(few_stage(p, b, &queue, memory, items));
    }
    stages.insert(0, stage(p, b, &queue));
    let blocks: Vec<Range<usize>> = (0..stages.len()).map(|stage| stage..stage + 1).collect();
    let staged = Staged {
        costs: Costs { stages: stages.len(), ..Costs::default() },
        control: Some(Control {
            program: control,
            state,
            words: STATE_WORDS,
            turns: vec![Turn::Loop((0..blocks.len()).map(Turn::Block).collect())],
            blocks,
        }),
        stages,
        // How large the ring is, is not for the program to say.
        scratch: vec![fixed(state, STATE_WORDS), fixed(counts, COUNT_WORDS), fixed(items, 0)],
    };
    Ok((staged, queue))
}

/// The stage of [`queue`] for a device whose threads go from item to item, and where the queue is. A loop around the
/// invocations of a workgroup would only be in the way there: where they have nothing to do with each other, the stage
/// has one.
///
/// # Errors
/// As [`queue`].
pub fn threads(p: &Program) -> Result<(Program, Queue), Diagnostic> {
    let mut p = p.clone();
    if is_alone(&p) {
        p.workgroup_size = [1; 3];
    }
    let (mut staged, queue) = queue(&p)?;
    Ok((staged.stages.swap_remove(0), queue))
}

/// Whether the invocations of a workgroup have nothing to do with each other.
fn is_alone(p: &Program) -> bool {
    let mut alone = p.buffers.values().all(|decl| decl.memory != Memory::Workgroup);
    p.walk(p.body, &mut |inst| {
        let info = p.insts[inst].op.info();
        let placed = matches!(info.rule, Rule::Axis | Rule::Index);
        alone &= !placed && !matches!(info.effect, Effect::Converges | Effect::Syncs);
    });
    alone
}

/// Whether a program handles items of a work queue.
pub fn has_queue(p: &Program) -> bool {
    p.find(Op::uses_queue).is_some()
}

/// The type of the items that a program handles: an i32, u32 or f32, or a vector of such.
///
/// # Errors
/// As [`queue`].
pub fn item_type(p: &Program) -> Result<Type, Diagnostic> {
    let mut found: Option<Type> = None;
    let mut problem = None;
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        let at = |code, message: String, fix| {
            Diagnostic::new(code, message).at(data.loc, "").in_source(p.source.as_ref()).fix(fix)
        };
        let name = data.op.name();
        let this = match data.op {
            Op::QueueItem => p.ty(data.results[0]),
            Op::QueuePush => p.ty(data.args[0]),
            Op::NumWorkgroups => {
                let message =
                    format!("`{name}` in a program that handles items of a work queue, which has no grid");
                let fix = "Leave it out: which invocation handles an item says nothing.";
                problem.get_or_insert_with(|| at(codes::S102, message, fix));
                return;
            }
            op if op.syncs_grid() => {
                let message =
                    format!("`{name}` in a program that handles items of a work queue, which has no grid");
                let fix = "Push an item for what is to be done later, or use a grid sync without a queue.";
                problem.get_or_insert_with(|| at(codes::S102, message, fix));
                return;
            }
            _ => return,
        };
        let item = *found.get_or_insert(this);
        if item != this {
            let message = format!("`{name}` is about an item of {this}; other items are {item}");
            problem.get_or_insert_with(|| at(codes::S101, message, "Give all items of the queue one type."));
        }
    });
    match (problem, found) {
        (Some(problem), _) => Err(problem),
        (None, Some(item)) => Ok(item),
        (None, None) => {
            let message =
                format!("program `{}` neither takes items from a work queue nor pushes any", p.name);
            let fix = "Take the item with `queue_item` (WGSL: `vyreItem()`).";
            Err(Diagnostic::new(codes::S103, message).fix(fix))
        }
    }
}

/// Declares state, counts and entries.
fn scratch_buffers(b: &mut Builder) -> [Buffer; 3] {
    let declare = |(name, access)| scratch(b, name, access);
    [("queue_state", Access::Read), ("queue_counts", Access::ReadWrite), ("queue_items", Access::ReadWrite)]
        .map(declare)
}

/// Declares a buffer beside those of the program.
fn scratch(b: &mut Builder, name: &str, access: Access) -> Buffer {
    let bound = b.p.buffers.values().filter(|decl| decl.memory.is_bound());
    let (group, binding) = bound.map(|decl| (decl.group, decl.binding)).max().unwrap_or((0, 0));
    let mut name = format!("vyre_{name}");
    while b.p.buffer_named(&name).is_some() {
        name.push('_');
    }
    b.buffer(BufferDecl { name, group: group + 1, binding, access, ..BufferDecl::default() })
}

fn word(b: &mut Builder, buffer: Buffer, word: u32) -> Value {
    let index = b.u32(word);
    b.load(Op::Load, buffer, index, Scalar::U32.into())
}

fn set(b: &mut Builder, buffer: Buffer, word: u32, value: Value) {
    let index = b.u32(word);
    b.store(Op::Store, buffer, index, value);
}

/// The place in the ring of an entry that is less than two rounds on.
fn wrap(b: &mut Builder, place: Value, capacity: Value) -> Value {
    let inside = b.op(Op::Lt, &[place, capacity]);
    let wrapped = b.op(Op::Sub, &[place, capacity]);
    b.op(Op::Select, &[inside, place, wrapped])
}

/// Values of the window that is being handled.
#[derive(Copy, Clone)]
struct Window {
    head: Value,
    count: Value,
    capacity: Value,
}

/// The window that the state says.
fn window(b: &mut Builder, queue: &Queue) -> Window {
    let [head, count, capacity] = [HEAD, COUNT, CAPACITY].map(|of| word(b, queue.state, of));
    Window { head, count, capacity }
}

/// The program around each item of a window. `b` is empty and has its buffers.
fn stage(p: &Program, mut b: Builder, queue: &Queue) -> Program {
    let invocations = b.u32(p.workgroup_invocations() as u32);
    let workgroup = b.axis(Op::WorkgroupId, 0);
    let first = b.op(Op::Mul, &[workgroup, invocations]);
    let local = b.index(Op::LocalIndex);
    let at = b.op(Op::Add, &[first, local]);
    let window = window(&mut b, queue);
    let handles = b.op(Op::Lt, &[at, window.count]);
    let region = b.open(&[]);
    b.enter(region);
    let mut b = item(p, b, queue, window, at, None);
    b.end(&[]);
    let otherwise = b.region(&[], |_, _| Vec::new());
    b.branch(handles, region, otherwise);
    b.finish()
}

//! What a thread knows to have happened before.
//!
//! Every thread counts, and its accesses carry its count. A barrier of a whole block lifts all its threads to one count,
//! so that knowing a block up to a count says the same as knowing all its threads; only what threads do alone needs
//! entries of threads.

use std::cmp::Ordering;
use std::rc::Rc;

/// A thread of the grid: its block's number and its number in the block.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Id {
    pub(super) block: u32,
    pub(super) linear: u32,
}

/// What is known, sorted by block and thread.
#[derive(Clone, Default, Debug)]
pub(crate) struct Clock {
    /// Of a block: all accesses with counts below this.
    blocks: Vec<(u32, u32)>,
    /// Of a thread: all accesses with counts up to this.
    threads: Vec<(Id, u32)>,
}

impl Clock {
    /// Accesses of a block with counts below this are known.
    pub(super) fn block(&self, block: u32) -> u32 {
        self.blocks.binary_search_by_key(&block, |entry| entry.0).map_or(0, |at| self.blocks[at].1)
    }

    /// Whether a thread's accesses up to a count are known, block entries aside.
    pub(super) fn thread(&self, id: Id, count: u32) -> bool {
        self.threads.binary_search_by_key(&id, |entry| entry.0).is_ok_and(|at| self.threads[at].1 >= count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.threads.is_empty()
    }

    pub(super) fn learn_thread(&mut self, id: Id, count: u32) {
        match self.threads.binary_search_by_key(&id, |entry| entry.0) {
            Ok(at) => self.threads[at].1 = self.threads[at].1.max(count),
            Err(at) => self.threads.insert(at, (id, count)),
        }
    }

    /// Knows all of a block below a count, which makes entries of its threads needless.
    pub(super) fn learn_block(&mut self, block: u32, count: u32) {
        match self.blocks.binary_search_by_key(&block, |entry| entry.0) {
            Ok(at) => self.blocks[at].1 = self.blocks[at].1.max(count),
            Err(at) => self.blocks.insert(at, (block, count)),
        }
        self.threads.retain(|(id, known)| id.block != block || *known >= count);
    }

    pub(super) fn join(&mut self, other: &Clock) {
        self.blocks = merged(&self.blocks, &other.blocks);
        let blocks = &self.blocks;
        let mut threads = merged(&self.threads, &other.threads);
        threads.retain(|(id, count)| {
            blocks.binary_search_by_key(&id.block, |entry| entry.0).map_or(true, |at| *count >= blocks[at].1)
        });
        self.threads = threads;
    }
}

/// Both lists, with the greater count where both have one.
fn merged<K: Copy + Ord>(a: &[(K, u32)], b: &[(K, u32)]) -> Vec<(K, u32)> {
    let mut out = Vec::with_capacity(a.len().max(b.len()));
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        match a[i].0.cmp(&b[j].0) {
            Ordering::Less => {
                out.push(a[i]);
                i += 1;
            }
            Ordering::Greater => {
                out.push(b[j]);
                j += 1;
            }
            Ordering::Equal => {
                out.push((a[i].0, a[i].1.max(b[j].1)));
                i += 1;
                j += 1;
            }
        }
    }
    out.extend_from_slice(&a[i..]);
    out.extend_from_slice(&b[j..]);
    out
}

/// Joins what is shared into what is shared, without a copy where one has nothing.
pub(super) fn join(into: &mut Rc<Clock>, other: &Rc<Clock>) {
    if Rc::ptr_eq(into, other) || other.is_empty() {
        return;
    }
    if into.is_empty() {
        *into = Rc::clone(other);
    } else {
        Rc::make_mut(into).join(other);
    }
}

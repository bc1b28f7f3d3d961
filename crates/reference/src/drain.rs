//! Work queues: windows of items one after the other, in every order that a seed gives.
//!
//! The program of [`vyre_opt::queue`] takes the first items of the ring. So between windows the pending items are put
//! there anew, from the start of the ring: those of the next window first. Without a seed a window is all that is
//! pending, first in, first out; with one its size and its items are drawn. What gives other results with another seed
//! depends on the order, and is wrong on devices.

use vyre_driver::{BackendError, Drained, HostBytes, HostDrain, HostLaunch, set_word, word, writable};
use vyre_opt::queue::{CAPACITY, COUNT, HEAD, TAIL};

/// Handles all items, `run` a window.
pub(crate) fn drain(
    drain: &HostDrain<'_>,
    invocations: u64,
    seed: Option<u64>,
    launch: &mut HostLaunch<'_>,
    run: &dyn Fn(&mut HostLaunch<'_>) -> Result<(), BackendError>,
) -> Result<(), BackendError> {
    let (queue, capacity, size) = (drain.queue, u64::from(drain.capacity), drain.entry_bytes());
    let begin = drain.begin(&mut launch.memory)?;
    let ring = writable(&mut launch.memory, queue.items)?;
    let place = |at: u64| (at % capacity.max(1)) as usize * size;
    let mut pending: Vec<Vec<u8>> =
        (begin.head..begin.head + begin.items).map(|at| ring[place(at)..][..size].to_vec()).collect();
    let mut random = seed.map(Random);
    let mut all = Drained { high_water: begin.items, ..Drained::default() };
    while all.lost == 0 {
        let mut count = pending.len() as u64;
        if let Some(pushes) = (capacity - count).checked_div(begin.bound) {
            count = count.min(pushes);
        }
        if count == 0 {
            break;
        }
        if let Some(random) = &mut random {
            count = 1 + random.below(count);
            for k in 0..count {
                let other = k + random.below(pending.len() as u64 - k);
                pending.swap(k as usize, other as usize);
            }
        }
        put(&mut launch.memory, drain, &pending)?;
        let state = writable(&mut launch.memory, queue.state)?;
        for (of, to) in [(HEAD, 0), (COUNT, count as u32), (CAPACITY, drain.capacity)] {
            set_word(state, of, to);
        }
        set_word(writable(&mut launch.memory, queue.counts)?, TAIL, pending.len() as u32);
        launch.workgroups = [count.div_ceil(invocations) as u32, 1, 1];
        run(launch)?;
        let tail = u64::from(word(writable(&mut launch.memory, queue.counts)?, TAIL));
        let stored = tail.min(capacity);
        all.processed += count;
        all.pushed += tail - pending.len() as u64;
        all.lost = tail - stored;
        all.high_water = all.high_water.max(tail);
        all.windows += 1;
        let ring = writable(&mut launch.memory, queue.items)?;
        let pushed = (pending.len() as u64..stored).map(|at| ring[place(at)..][..size].to_vec());
        pending.extend(pushed.collect::<Vec<_>>());
        pending.drain(..count as usize);
    }
    put(&mut launch.memory, drain, &pending)?;
    all.left = pending.len() as u64;
    drain.finish(&mut launch.memory, &all)
}

/// Puts items into the first entries of the ring.
fn put(memory: &mut [HostBytes<'_>], drain: &HostDrain<'_>, pending: &[Vec<u8>]) -> Result<(), BackendError> {
    let ring = writable(memory, drain.queue.items)?;
    for (entry, item) in ring.chunks_exact_mut(drain.entry_bytes()).zip(pending) {
        entry.copy_from_slice(item);
    }
    Ok(())
}

/// Numbers from a seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
struct Random(u64);

impl Random {
    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

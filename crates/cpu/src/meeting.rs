//! Where the workgroups of a launch wait for each other: grid syncs of programs that run as a whole.
//!
//! All of a launch's workgroups are at work at once, each on a thread of its own ([`together`]), so that each arrives.
//! One that ends is not waited for any more, and one that stops, or panics, ends the meeting for all. So as long as somebody
//! waits, somebody else is at work; who waits need not look at the request to stop, because those at work do.

use crate::pool::{Panicked, Pool, SPINS, lock};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, TryLockError};
use vyre_driver::BackendError;

/// What [`meet`] gives beside a value when the run is to stop.
pub(crate) const STOP: u64 = 1 << 32;

/// One workgroup, in the state's count of those that take part.
const MEMBER: u64 = 1 << 32;

/// The workgroups of a launch as they wait for each other.
pub(crate) struct Meeting {
    /// How many take part (upper half), and how many of them have arrived.
    state: AtomicU64,
    /// Goes up when all have arrived.
    round: AtomicU32,
    over: AtomicBool,
    /// What the first workgroup gave, in rounds of even and odd numbers: it gives the next but one when all have been
    /// to the next, after they took this one.
    values: [AtomicU32; 2],
    sleepers: Mutex<()>,
    woken: Condvar,
}

impl Meeting {
    /// Of so many workgroups.
    pub fn new(workgroups: u32) -> Meeting {
        Meeting {
            state: AtomicU64::new(u64::from(workgroups) * MEMBER),
            round: AtomicU32::new(0),
            over: AtomicBool::new(false),
            values: Default::default(),
            sleepers: Mutex::default(),
            woken: Condvar::new(),
        }
    }

    /// Waits for the others; gives what the first workgroup gave, `None` when it is over.
    fn arrive(&self, given: Option<u32>) -> Option<u32> {
        // It does not change before this workgroup has arrived.
        let round = self.round.load(Ordering::Acquire);
        let value = &self.values[round as usize % 2];
        if let Some(given) = given {
            value.store(given, Ordering::Relaxed);
        }
        let state = self.state.fetch_add(1, Ordering::AcqRel) + 1;
        if state % MEMBER == state / MEMBER {
            self.release(state / MEMBER);
        } else {
            self.wait(round);
        }
        (!self.over.load(Ordering::Acquire)).then(|| value.load(Ordering::Relaxed))
    }

    /// All `members` that are left have arrived, so that nobody else changes the state.
    fn release(&self, members: u64) {
        self.state.store(members * MEMBER, Ordering::Relaxed);
        self.round.fetch_add(1, Ordering::Release);
        self.wake();
    }

    fn wait(&self, round: u32) {
        let waits = || self.round.load(Ordering::Acquire) == round && !self.over.load(Ordering::Acquire);
        for _ in 0..SPINS {
            if !waits() {
                return;
            }
            std::hint::spin_loop();
        }
        let mut asleep = lock(&self.sleepers);
        while waits() {
            asleep = self.woken.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wake(&self) {
        // Who has looked and is not yet asleep holds it.
        drop(lock(&self.sleepers));
        self.woken.notify_all();
    }

    /// A workgroup has ended.
    pub fn leave(&self) {
        let state = self.state.fetch_sub(MEMBER, Ordering::AcqRel) - MEMBER;
        let (members, arrived) = (state / MEMBER, state % MEMBER);
        if members > 0 && members == arrived {
            self.release(members);
        }
    }

    /// A workgroup has stopped: nobody waits any more.
    pub fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.wake();
    }
}

/// Waits for the launch's other workgroups. Gives what the workgroup at 0, 0, 0 gave, or [`STOP`].
///
/// # Safety
/// `meeting` must be the address of a [`Meeting`].
pub(crate) unsafe extern "C" fn meet(meeting: *const Meeting, value: u64, x: u64, y: u64, z: u64) -> u64 {
    // SAFETY: the caller's promise; generated code passes the word of its context, which the launch fills in.
    let meeting = unsafe { &*meeting };
    let first = x | y | z == 0;
    meeting.arrive(first.then_some(value as u32)).map_or(STOP, u64::from)
}

/// Calls `work(worker, workgroup)` for so many workgroups that meet, all at once.
///
/// They have threads that nothing else has, since whoever waits in a worker of the pool could wait for a job behind
/// its own, and for one that waits for it: a team that is kept, for one launch at a time, and new threads for those that
/// find it taken or need a stack of more than that. So no launch waits for another.
///
/// # Errors
/// Out of memory when there are no threads; internal when a thread panics.
pub(crate) fn together(
    workgroups: u64,
    stack: Option<usize>,
    meeting: &Meeting,
    work: &(dyn Fn(usize, u64) + Sync),
) -> Result<(), BackendError> {
    static TEAM: Mutex<Option<Pool>> = Mutex::new(None);
    let panicked = || BackendError::Internal { what: "a worker thread panicked".into() };
    if stack.is_none() {
        let team = match TEAM.try_lock() {
            Ok(team) => Some(team),
            Err(TryLockError::Poisoned(team)) => Some(team.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut team) = team {
            if team.as_ref().is_none_or(|team| (team.threads as u64) < workgroups) {
                *team = Some(Pool::new(workgroups.max(Pool::get()?.threads as u64) as usize));
            }
            if let Some(team) = &*team
                && team.threads as u64 >= workgroups
            {
                return team.run(workgroups, work).map_err(|Panicked| panicked());
            }
        }
    }
    std::thread::scope(|scope| {
        let mut started = Vec::new();
        for workgroup in 0..workgroups {
            let thread = std::thread::Builder::new().name(format!("vyre-workgroup-{workgroup}"));
            let thread = stack.into_iter().fold(thread, |thread, stack| thread.stack_size(stack));
            match thread.spawn_scoped(scope, move || work(workgroup as usize, workgroup)) {
                Ok(thread) => started.push(thread),
                Err(_) => {
                    meeting.end();
                    let what = "the threads of workgroups that wait for each other".into();
                    let requested = stack.unwrap_or(0) as u64;
                    return Err(BackendError::OutOfMemory { requested, available: None, what });
                }
            }
        }
        let ended: Vec<_> = started.into_iter().map(|thread| thread.join()).collect();
        if ended.iter().any(Result::is_err) { Err(panicked()) } else { Ok(()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In each round, every workgroup sees what all others did before it.
    fn rounds(workgroups: u32, stack: Option<usize>) {
        let meeting = Meeting::new(workgroups);
        let counts: Vec<AtomicU32> = (0..workgroups).map(|_| AtomicU32::new(0)).collect();
        let done = together(workgroups.into(), stack, &meeting, &|_, me| {
            for round in 0..200 {
                counts[me as usize].store(round, Ordering::Relaxed);
                let given = (me == 0).then_some(7 * round);
                assert_eq!(meeting.arrive(given), Some(7 * round));
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) >= round));
                // The workgroups end one after the other.
                if me > 0 && u64::from(round) + me == 199 {
                    break;
                }
            }
            // Those that are left see their rounds through.
            counts[me as usize].store(u32::MAX, Ordering::Relaxed);
            meeting.leave();
        });
        assert!(done.is_ok());
    }

    #[test]
    fn all_see_what_all_did_before() {
        rounds(2, None);
        rounds(7, None);
        rounds(7, Some(256 << 10));
        rounds(1, None);
    }

    #[test]
    fn several_at_a_time() {
        std::thread::scope(|scope| (1..6).for_each(|n| _ = scope.spawn(move || rounds(n, None))));
    }

    #[test]
    fn one_that_stops_ends_it() {
        let meeting = Meeting::new(4);
        let done = together(4, None, &meeting, &|_, me| {
            if me == 3 {
                assert_eq!(meeting.arrive(None), Some(1));
                meeting.end();
            }
            while meeting.arrive((me == 0).then_some(1)).is_some() {}
        });
        assert!(done.is_ok());
    }

    #[test]
    fn one_that_panics_ends_it() {
        struct Ends<'a>(&'a Meeting);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.end();
            }
        }
        for stack in [None, Some(256 << 10)] {
            let meeting = Meeting::new(3);
            let done = together(3, stack, &meeting, &|_, me| {
                let _ends = Ends(&meeting);
                if me == 1 {
                    std::panic::resume_unwind(Box::new(()));
                }
                assert_eq!(meeting.arrive(None), None);
            });
            assert!(matches!(done, Err(BackendError::Internal { .. })));
        }
    }
}

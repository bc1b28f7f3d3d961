//! Waiting for the device, in a way that a request to stop ends.
//!
//! The driver is asked again and again: at first without a pause, since most work takes microseconds, then whenever no
//! other thread wants the processor, then with pauses of a sixteenth of the time that has passed, so that a wait lasts
//! little longer than it has to and a long one leaves the processor alone.

use crate::library::Failure;
use std::time::{Duration, Instant};
use vyre_driver::Cancel;

/// How long nothing else is done.
const SPIN: Duration = Duration::from_micros(50);

/// How long there is no pause: systems make one 50 us longer than it is asked for.
const YIELD: Duration = Duration::from_millis(2);

/// The longest pause; a request to stop is seen after it.
const LONGEST: Duration = Duration::from_millis(1);

/// How long work has to end after the request to stop, so that the run is stopped and the device kept.
const PATIENCE: Duration = Duration::from_millis(50);

/// How a wait ended.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Waited {
    /// It is done.
    Done,
    /// It is not done, and who waits was asked to stop.
    Left,
}

/// Waits until something is done, or somebody asks to stop and it is not done soon.
pub fn wait(cancel: &Cancel, done: impl Fn() -> Result<bool, Failure>) -> Result<Waited, Failure> {
    let start = Instant::now();
    let mut asked: Option<Instant> = None;
    loop {
        if done()? {
            return Ok(Waited::Done);
        }
        let passed = start.elapsed();
        if cancel.requested() && asked.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return Ok(Waited::Left);
        }
        if passed < SPIN {
            std::hint::spin_loop();
        } else if passed < YIELD {
            std::thread::yield_now();
        } else {
            std::thread::sleep((passed / 16).min(LONGEST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn it_ends_when_done_or_asked() {
        let left = Cell::new(5);
        let count = || {
            left.set(left.get() - 1);
            Ok(left.get() == 0)
        };
        assert_eq!(wait(&Cancel::default(), count).unwrap(), Waited::Done);
        let cancel = Cancel::default();
        cancel.request();
        assert_eq!(wait(&cancel, || Ok(false)).unwrap(), Waited::Left);
        // What is done is done, also when it was asked to stop.
        assert_eq!(wait(&cancel, || Ok(true)).unwrap(), Waited::Done);
    }
}

//! How long launches take, measured by the device: an event before and one after each stretch of launches.

use crate::lane::{Lane, event};
use crate::library::{Failure, call};
use crate::opened::Opened;

/// Stretches that are timed between two waits; what is beyond has no time.
const STRETCHES: usize = 64;

/// The times of a submission.
#[derive(Default)]
pub struct Timing {
    /// Stretches since the last wait.
    used: usize,
    nanoseconds: u64,
    timed: bool,
    /// Whether some launch is not timed, so that no sum means anything.
    untimed: bool,
}

impl Timing {
    /// A stretch of launches begins; gives its number, if it is timed.
    pub fn begin(&mut self, opened: &Opened, lane: &mut Lane, timed: bool) -> Result<Option<usize>, Failure> {
        if !timed || self.used >= STRETCHES {
            self.untimed = true;
            return Ok(None);
        }
        let driver = opened.driver();
        if lane.timers.len() == self.used {
            lane.timers.push([event(driver, 0)?, event(driver, 0)?]);
        }
        let stretch = self.used;
        self.used += 1;
        self.timed = true;
        // SAFETY: event and stream are the lane's.
        unsafe { call!(driver, cuEventRecord(lane.timers[stretch][0], lane.stream)) }?;
        Ok(Some(stretch))
    }

    /// The stretch ends.
    pub fn end(&self, opened: &Opened, lane: &Lane, stretch: Option<usize>) -> Result<(), Failure> {
        let Some(stretch) = stretch else { return Ok(()) };
        // SAFETY: event and stream are the lane's.
        unsafe { call!(opened.driver(), cuEventRecord(lane.timers[stretch][1], lane.stream)) }
    }

    /// The device is done: adds up what it took.
    pub fn collect(&mut self, opened: &Opened, lane: &Lane) -> Result<(), Failure> {
        for [before, after] in &lane.timers[..self.used] {
            let mut milliseconds = 0.0f32;
            // SAFETY: the events are the lane's; the driver writes the number to where it is to go.
            unsafe { call!(opened.driver(), cuEventElapsedTime(&mut milliseconds, *before, *after)) }?;
            self.nanoseconds += (f64::from(milliseconds) * 1e6) as u64;
        }
        self.used = 0;
        Ok(())
    }

    /// Nanoseconds of all launches, if all of them were timed.
    pub fn total(&self) -> Option<u64> {
        (self.timed && !self.untimed).then_some(self.nanoseconds)
    }
}

//! Rounds by turns, medians, and how far they spread.

use crate::error::BenchError;
use crate::runner::Loaded;
use std::time::{Duration, Instant};

/// Milliseconds of each pass.
pub type Passes = Vec<f64>;

/// A pass takes this long, if not longer: what is short is repeated.
const PASS: Duration = Duration::from_millis(20);

/// How often at most.
const REPEATED: u32 = 100;

/// Times runs of each, by turns, so that a slow phase of the machine hits all; who is first changes from round to round.
/// One round before is not counted. There are `passes` rounds, and up to 100 times as many where they are short.
///
/// # Errors
/// What a run gives.
pub fn by_turns(runners: &mut [Box<dyn Loaded>], passes: usize) -> Result<Vec<Passes>, BenchError> {
    let start = Instant::now();
    runners.iter_mut().try_for_each(|runner| runner.run())?;
    let repeated = PASS.as_nanos() / start.elapsed().as_nanos().max(1);
    let rounds = passes * repeated.clamp(1, REPEATED.into()) as usize;
    let mut times = vec![Passes::new(); runners.len()];
    for round in 0..rounds {
        for turn in 0..runners.len() {
            let who = (round + turn) % runners.len();
            let start = Instant::now();
            runners[who].run()?;
            times[who].push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(times)
}

/// The middle of numbers; of an even count the upper one.
pub fn median(values: &[f64]) -> f64 {
    sorted(values)[values.len() / 2]
}

/// The lower and the upper quartile of numbers: a quarter of them is outside on each side, rounded down.
pub fn quartiles(values: &[f64]) -> [f64; 2] {
    let (sorted, quarter) = (sorted(values), values.len() / 4);
    [sorted[quarter], sorted[values.len() - 1 - quarter]]
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_and_quarters() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0]), 4.0);
        assert_eq!(quartiles(&[4.0]), [4.0, 4.0]);
        assert_eq!(quartiles(&[7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]), [2.0, 6.0]);
        assert_eq!(quartiles(&[8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), [3.0, 6.0]);
    }
}

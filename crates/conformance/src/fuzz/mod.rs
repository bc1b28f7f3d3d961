//! Looks for programs that something is wrong with: random ones and damaged ones, checked in several ways. What is
//! found is made small ([`crate::reduce`]).
//!
//! A check takes a [`Trial`] and says what is wrong with it. The tests run the checks over fixed seeds;
//! [`Campaign`] runs them over whatever there is time for.

mod campaign;
mod checks;
mod export;
mod mutate;
mod spread;

pub use campaign::{Campaign, Counts, Plan};
pub use checks::{
    Outcome, Subject, damaged_source, damaged_text, damaged_wire, forms, pass_of, passes, stages, survives,
    target_of,
};
pub use export::exports;
pub use spread::spread;

use crate::random;
use crate::reduce::reduce;
use crate::trial::{Trial, caught};
use std::fmt;

/// How often the reducer may ask whether a smaller program still shows the problem.
const ATTEMPTS: usize = 3000;

/// What sort of problem it is; a reduction keeps that.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Another result.
    Differs,
    /// An error where none belongs.
    Fails,
    /// A panic.
    Panics,
}

/// What is wrong with a trial.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What sort of problem it is.
    pub kind: Kind,
    /// The problem in a sentence.
    pub what: String,
}

impl Problem {
    /// A problem.
    pub fn new(kind: Kind, what: impl Into<String>) -> Problem {
        Problem { kind, what: what.into() }
    }
}

/// What is wrong with the program of a seed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is wrong with the program of the seed.
    pub found: Problem,
    /// What is wrong with the reduced program.
    pub problem: Problem,
    /// The reduced program.
    pub trial: Trial,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.found.what)?;
        writeln!(f, "reduced to {} instructions: {}", self.trial.program.size(), self.problem.what)?;
        writeln!(f, "grid {:?}", self.trial.grid)?;
        for (decl, bytes) in self.trial.program.buffers.values().zip(&self.trial.contents) {
            if bytes.iter().any(|&b| b != 0) {
                let words = bytes.chunks(4).map(|w| format!("{:#x}", crate::list::from_bytes(w)));
                let words: Vec<String> = words.take(64).collect();
                writeln!(f, "{} starts as {}", decl.name, words.join(" "))?;
            }
        }
        write!(f, "{}", self.trial.program)
    }
}

/// Checks the random program of a seed.
///
/// # Errors
/// The reduced program with what is wrong with it.
pub fn check(
    seed: u64,
    options: &random::Options,
    check: &dyn Fn(&Trial) -> Result<Outcome, Problem>,
) -> Result<Outcome, Box<Failure>> {
    let trial = match caught(|| Trial::random(seed, options)) {
        Ok(trial) => trial,
        Err(panic) => panic!("seed {seed}, {options:?}: the generator panics: {panic}"),
    };
    check_trial(seed, &trial, check)
}

/// Checks a trial that was made from a seed.
///
/// # Errors
/// The reduced program with what is wrong with it.
pub fn check_trial(
    seed: u64,
    trial: &Trial,
    check: &dyn Fn(&Trial) -> Result<Outcome, Problem>,
) -> Result<Outcome, Box<Failure>> {
    let check = |trial: &Trial| match caught(|| check(trial)) {
        Ok(result) => result,
        Err(panic) => Err(Problem::new(Kind::Panics, format!("a panic: {panic}"))),
    };
    let found = match check(trial) {
        Ok(outcome) => return Ok(outcome),
        Err(found) => found,
    };
    let fails = &mut |trial: &Trial| check(trial).is_err_and(|p| p.kind == found.kind);
    // A smaller program may never end, which is not to be waited for again and again.
    let brief = Trial { patience: trial.patience / 100, ..trial.clone() };
    let trial = Trial { patience: trial.patience, ..reduce(&brief, ATTEMPTS, fails) };
    let problem = check(&trial).err().unwrap_or_else(|| found.clone());
    Err(Box::new(Failure { seed, found, problem, trial }))
}

//! Fuzzing for as long as there is time: every kind of check on seed after seed.

use super::checks::{self, Outcome, Subject, pass_of, whole};
use super::{Failure, Problem, check, check_trial, exports, spread};
use crate::random::{Options, Random};
use crate::trial::{PATIENCE, Trial};
use std::fmt;
use std::time::{Duration, Instant};
use vyre_ir::{Program, Scalar};

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Backends against the oracle.
    pub backends: bool,
    /// The program before and after every pass.
    pub passes: bool,
    /// Out to WGSL and in again.
    pub exports: bool,
    /// Text form, and damaged text.
    pub text: bool,
    /// Wire form, and damaged wire form.
    pub wire: bool,
    /// Damaged copies of these source files.
    pub sources: Vec<(String, String)>,
}

/// How often each kind of check was made.
#[derive(Copy, Clone, Default, Debug)]
pub struct Counts {
    /// Programs compared on a backend.
    pub compared: u64,
    /// Programs that the backend refused.
    pub refused: u64,
    /// Programs compared after every pass.
    pub passes: u64,
    /// Programs compared with what comes back from their export.
    pub exports: u64,
    /// Programs through text and wire form.
    pub forms: u64,
    /// Damaged texts, wire forms and sources.
    pub damaged: u64,
    /// Those of them that still were programs.
    pub survived: u64,
    /// Those of them that were compared as many invocations side by side.
    pub spread: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { compared, refused, passes, exports, forms, damaged, survived, spread } = self;
        write!(
            f,
            "{compared} compared ({refused} refused), {passes} through the passes, {exports} out and in, {forms} through text and wire form, \
             {damaged} damaged ({survived} of them still programs, {spread} compared side by side)"
        )
    }
}

/// A run over seeds.
pub struct Campaign<'a> {
    /// What is looked at.
    pub plan: Plan,
    /// The backend that is compared.
    pub subject: Subject<'a>,
    /// The next seed.
    pub seed: u64,
    /// The seed before which it ends.
    pub end: u64,
    /// What was done so far.
    pub counts: Counts,
}

impl Campaign<'_> {
    /// Checks seed after seed until the time is over; `progress` is told now and then.
    ///
    /// # Errors
    /// The first failure; the campaign can go on with the seed after it.
    pub fn run(
        &mut self,
        time: Duration,
        progress: &mut dyn FnMut(u64, &Counts),
    ) -> Result<(), Box<Failure>> {
        let start = Instant::now();
        let mut told = start;
        while start.elapsed() < time && self.seed < self.end {
            let seed = self.seed;
            self.seed += 1;
            self.one(seed)?;
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                progress(seed, &self.counts);
            }
        }
        progress(self.seed.saturating_sub(1), &self.counts);
        Ok(())
    }

    fn one(&mut self, seed: u64) -> Result<(), Box<Failure>> {
        let options = options(seed);
        if self.plan.backends {
            self.compare(seed, &options)?;
        }
        if self.plan.passes {
            check(seed, &options, &|trial| {
                checks::passes(trial, &checks::target_of(seed), &[pass_of(seed)])
            })?;
            self.counts.passes += 1;
        }
        if self.plan.exports {
            let mut scalars = options.scalars.clone();
            scalars.retain(|s| seed.is_multiple_of(4) || s.bytes() < 8 || s.is_float());
            let outcome = check(seed, &Options { scalars, ..options.clone() }, &exports)?;
            self.counts.exports += (outcome != Outcome::Refused) as u64;
        }
        if self.plan.text || self.plan.wire {
            check(seed, &options, &checks::forms)?;
            self.counts.forms += 1;
        }
        // Of whole numbers, so that what remains can be compared.
        let base = || {
            let statements = 1 + seed as usize % 12;
            Trial::random(seed, &Options { scalars: whole(), math: false, statements, ..options.clone() })
                .program
        };
        if self.plan.text {
            let p = base();
            self.damaged(seed, &|trial| checks::damaged_text(seed, &p, trial), &p)?;
        }
        if self.plan.wire {
            let p = base();
            self.damaged(seed, &|trial| checks::damaged_wire(seed, &p, trial), &p)?;
        }
        if let Some(at) = (seed as usize).checked_rem(self.plan.sources.len()) {
            let source = self.plan.sources[at].1.clone();
            let empty = vyre_ir::Builder::new("source", [1, 1, 1]).finish();
            self.damaged(seed, &|trial| checks::damaged_source(seed, &source, trial), &empty)?;
        }
        Ok(())
    }

    fn compare(&mut self, seed: u64, options: &Options) -> Result<(), Box<Failure>> {
        let compare = |trial: &Trial| self.subject.check(trial);
        let options = self.subject.comparable(options);
        let mut outcome = check(seed, &options, &compare)?;
        if outcome == Outcome::Refused {
            self.counts.refused += 1;
            outcome = check(seed, &Options { subgroups: false, ..options }, &compare)?;
        }
        self.counts.compared += (outcome != Outcome::Refused) as u64;
        Ok(())
    }

    /// Damages something and lets what is still a program run.
    fn damaged(
        &mut self,
        seed: u64,
        damage: &dyn Fn(&mut Option<Trial>) -> Result<Outcome, Problem>,
        of: &Program,
    ) -> Result<(), Box<Failure>> {
        self.counts.damaged += 1;
        let mut trial = None;
        if let Err(found) = damage(&mut trial) {
            // The problem holds the damaged text; the program is what was damaged.
            let trial =
                Trial { program: of.clone(), grid: [1, 1, 1], contents: Vec::new(), patience: PATIENCE };
            return Err(Box::new(Failure { seed, problem: found.clone(), found, trial }));
        }
        let Some(trial) = trial else { return Ok(()) };
        check_trial(seed, &trial, &|trial| checks::survives(trial, &self.subject))?;
        self.counts.survived += 1;
        // Side by side, where invocations go different ways.
        let (invocations, workgroups) = [(37, 1), (8, 2), (5, 2), (16, 2), (13, 1)][seed as usize % 5];
        if let Some(many) = spread(seed, &trial.program, invocations, workgroups) {
            let side_by_side = |trial: &Trial| checks::side_by_side(trial, &self.subject);
            let outcome = check_trial(seed, &many, &side_by_side)?;
            self.counts.spread += (outcome == Outcome::Agrees(2)) as u64;
        }
        Ok(())
    }
}

/// The options of a seed: all combinations come up.
pub fn options(seed: u64) -> Options {
    // Mixed, so that a short run sees them all.
    let mut at = Random::new(seed ^ 0x0971).next() >> 1;
    let mut pick = |n: u64| {
        let which = at % n;
        at /= n;
        which
    };
    use Scalar::*;
    let scalars = match pick(8) {
        0 | 1 => Scalar::ALL.to_vec(),
        2 | 3 => vec![I32, U32, F32],
        4 => vec![F32],
        5 => vec![I8, U8, I16, U16, F16, BF16],
        6 => vec![I64, U64, F64],
        _ => whole(),
    };
    Options {
        scalars,
        vectors: pick(3) > 0,
        subgroups: pick(3) == 0,
        math: pick(4) == 0,
        depth: [3, 2, 4, 1, 0][pick(5) as usize],
        statements: [16, 6, 30, 10, 3][pick(5) as usize],
        wide: pick(2) == 1,
        grid_syncs: false,
        calls: false,
    }
}

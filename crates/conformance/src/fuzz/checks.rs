//! The checks.

use super::mutate::Mutator;
use super::{Kind, Problem};
use crate::random::Options;
use crate::staged::run_stages;
use crate::trial::{PATIENCE, STEPS, Trial, caught};
use vyre_driver::{BackendError, VyreBackend};
use vyre_ir::text::{parse, relocate};
use vyre_ir::verify::verify;
use vyre_ir::wire::{decode, encode, fingerprint};
use vyre_ir::{Op, Program, Scalar};
use vyre_opt::pipeline::{self, PASSES, Purpose, Schedule};
use vyre_opt::split::split;
use vyre_opt::{Target, optimize, optimize_with};

/// How a check without a problem ended.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All is as it must be; how much there was to compare.
    Agrees(usize),
    /// The program was refused by name.
    Refused,
}

fn oracle(trial: &Trial) -> Result<Vec<Vec<u8>>, Problem> {
    let problem = |what| Problem::new(Kind::Fails, what);
    verify(&trial.program).map_err(|errors| problem(format!("it does not verify: {}", errors[0])))?;
    trial.oracle(STEPS).map_err(|e| problem(format!("the oracle does not run it: {e}")))
}

/// A backend that is compared with the oracle.
pub struct Subject<'b> {
    /// The backend.
    pub backend: &'b dyn VyreBackend,
    /// Whether it also takes programs that were not made legal for it.
    pub takes_all: bool,
}

impl Subject<'_> {
    /// The options, without what the backend does not have or does not compute bit by bit as the oracle does: types,
    /// floats that are not exact, subgroups of another size.
    pub fn comparable(&self, options: &Options) -> Options {
        let profile = self.backend.profile();
        let has = |scalar: &Scalar| match scalar {
            s if s.is_float() && !profile.exact_floats => false,
            Scalar::I64 | Scalar::U64 => profile.supports_i64,
            Scalar::F16 => profile.supports_f16,
            Scalar::BF16 => profile.supports_bf16,
            Scalar::F64 => profile.supports_f64,
            _ => true,
        };
        let subgroup = vyre_reference::Options::default().subgroup_size;
        Options {
            scalars: options.scalars.iter().copied().filter(has).collect(),
            math: options.math && profile.exact_floats,
            subgroups: options.subgroups
                && profile.supports_subgroup_ops
                && profile.subgroup_size == subgroup,
            ..options.clone()
        }
    }

    /// The program as it is and optimized for the backend gives what it gives on the oracle.
    pub fn check(&self, trial: &Trial) -> Result<Outcome, Problem> {
        let expected = oracle(trial)?;
        let as_it_is =
            (self.takes_all || self.backend.target().is_none()).then(|| ("as it is", trial.clone()));
        let legal =
            self.backend.target().map(|target| ("optimized", trial.with(optimize(&trial.program, &target))));
        // A run that does not end may take the device with it.
        let reopened = match self.backend.device_lost() {
            None => None,
            Some(why) => Some(self.backend.reopen().map_err(|e| {
                Problem::new(Kind::Fails, format!("{} is lost ({why}): {e}", self.backend.id()))
            })?),
        };
        let backend = reopened.as_deref().unwrap_or(self.backend);
        let mut compared = 0;
        for (what, trial) in as_it_is.into_iter().chain(legal) {
            let found = match trial.backend(backend) {
                Ok(found) => found,
                Err(BackendError::Unsupported { .. }) => return Ok(Outcome::Refused),
                Err(e) => {
                    return Err(Problem::new(Kind::Fails, format!("{} {what}: {e}", self.backend.id())));
                }
            };
            if let Some(difference) = trial.difference(&expected, &found) {
                let what = format!("{} {what}: {difference}", self.backend.id());
                return Err(Problem::new(Kind::Differs, what));
            }
            compared += 1;
        }
        Ok(Outcome::Agrees(compared))
    }
}

/// What the passes are run for with a seed: scalars or vectors, with loops unrolled or left, with branches or without.
pub fn target_of(seed: u64) -> Target {
    let base = if seed.is_multiple_of(2) { Target::SCALAR } else { Target::VECTOR };
    Target { unroll: if seed % 4 < 2 { 4_000 } else { 0 }, branches: seed % 8 < 4, ..base }
}

/// The program gives the same before and after every pass, and after each of `alone` run alone; counts the changes.
pub fn passes(trial: &Trial, target: &Target, alone: &[&'static vyre_opt::Pass]) -> Result<Outcome, Problem> {
    let expected = oracle(trial)?;
    let judge = |pass: &str, after: &Program| {
        let after = trial.with(after.clone());
        let problem = |kind, what: String| {
            Err(Problem::new(kind, format!("`{pass}` {what}\n--- after\n{}", after.program)))
        };
        if let Err(errors) = verify(&after.program)
            && errors.iter().any(|e| e.code != "V010")
        {
            return problem(Kind::Fails, format!("makes a program that does not verify: {}", errors[0]));
        }
        match after.oracle(STEPS) {
            Ok(found) => match trial.difference(&expected, &found) {
                Some(difference) => problem(Kind::Differs, format!("changes the result: {difference}")),
                None => Ok(()),
            },
            Err(e) => problem(Kind::Fails, format!("makes a program that does not run: {e}")),
        }
    };
    let (mut changes, mut result) = (0, Ok(()));
    let optimized = optimize_with(&trial.program, target, &mut |pass, after| {
        changes += 1;
        if result.is_ok() {
            result = judge(pass.name, after);
        }
    });
    result?;
    judge("compact", &optimized)?;
    // What the passes before it would have tidied up.
    for pass in alone {
        let schedule = Schedule::Only(&[pass]);
        let options = pipeline::Options { schedule, ..Default::default() };
        judge(pass.name, &pipeline::run(&trial.program, target, options))?;
    }
    Ok(Outcome::Agrees(changes))
}

/// The stages of the program, optimized before or not, and optimized themselves or not, give on the oracle what the program
/// gives; counts the stages.
pub fn stages(trial: &Trial, before: bool, after: bool) -> Result<Outcome, Problem> {
    let expected = oracle(trial)?;
    let fail = |what: String| Err(Problem::new(Kind::Fails, what));
    let p = match before {
        true => optimize(&trial.program, &Target::SCALAR),
        false => trial.program.clone(),
    };
    let mut staged = match split(&p) {
        Ok(staged) => staged,
        Err(error) => return fail(format!("it cannot be split: {error}")),
    };
    let control = staged.control.as_mut().map(|control| &mut control.program);
    for part in staged.stages.iter_mut().chain(control) {
        if let Err(errors) = verify(part) {
            return fail(format!("a part does not verify: {}\n{part}", errors[0]));
        }
        if after {
            *part = optimize(part, &Target::SCALAR);
        }
    }
    let mut found = trial.contents.clone();
    let options = vyre_reference::Options { step_limit: 4 * STEPS, ..Default::default() };
    if let Err(error) = run_stages(&p, &staged, trial.grid, &mut found, &options) {
        return fail(format!("the oracle does not run its stages: {error}"));
    }
    match trial.difference(&expected, &found) {
        Some(difference) => Err(Problem::new(Kind::Differs, format!("in stages: {difference}"))),
        None => Ok(Outcome::Agrees(staged.stages.len())),
    }
}

/// The program comes back from text and wire form as it was.
pub fn forms(trial: &Trial) -> Result<Outcome, Problem> {
    let fail = |what: String| Problem::new(Kind::Fails, what);
    let same = |is: bool, what: &str| if is { Ok(()) } else { Err(Problem::new(Kind::Differs, what)) };
    let p = &trial.program;
    let text = p.to_string();
    let read = parse("random.vyre", &text).map_err(|e| fail(format!("its text is not read: {}", e[0])))?;
    same(read.to_string() == text, "read from its text it prints otherwise")?;
    verify(&read).map_err(|e| fail(format!("read from its text it does not verify: {}", e[0])))?;
    verify(&relocate(p)).map_err(|e| fail(format!("relocated it does not verify: {}", e[0])))?;
    let bytes = encode(p);
    let decoded = decode(&bytes).map_err(|e| fail(format!("its wire form is not read: {e}")))?;
    same(decoded.to_string() == text, "read from its wire form it prints otherwise")?;
    same(encode(&read) == bytes, "read from its text it has another wire form")?;
    same(fingerprint(&decoded) == fingerprint(p), "read from its wire form it has another fingerprint")?;
    Ok(Outcome::Agrees(1))
}

/// Whatever verifies, whoever wrote it, goes through the optimizer and a backend without a panic, and as a single
/// invocation gives on the backend what it gives on the oracle.
pub fn survives(trial: &Trial, subject: &Subject<'_>) -> Result<Outcome, Problem> {
    if verify(&trial.program).is_err() {
        return Ok(Outcome::Refused);
    }
    for target in [Target::SCALAR, Target::VECTOR] {
        optimize(&trial.program, &target);
    }
    for export in [vyre_wgsl::export::wgsl, vyre_wgsl::export::msl, vyre_wgsl::export::hlsl] {
        // It may refuse, but not panic.
        let _ = export(&trial.program, &|_| false);
    }
    let inexact = !subject.backend.profile().exact_floats && has_floats(&trial.program);
    if trial.oracle(STEPS / 20).is_err() || shows_nans(&trial.program) || inexact {
        // It takes too long, or the result may depend on the bits of a NaN, or on roundings.
        let legal = subject.backend.target().map(|t| optimize(&trial.program, &t));
        let legal = std::sync::Arc::new(legal.unwrap_or_else(|| trial.program.clone()));
        let _ = subject.backend.compile(&legal, &Default::default());
        return Ok(Outcome::Agrees(0));
    }
    subject.check(trial)
}

/// A program of [`super::spread`] gives on the backend what it gives on the oracle.
pub fn side_by_side(trial: &Trial, subject: &Subject<'_>) -> Result<Outcome, Problem> {
    if verify(&trial.program).is_err() || trial.oracle(STEPS / 10).is_err() {
        Ok(Outcome::Refused)
    } else {
        subject.check(trial)
    }
}

/// Whether the program computes with floats.
fn has_floats(p: &Program) -> bool {
    p.values.values().any(|value| value.ty.scalar.is_float())
}

/// Whether the bits of a NaN can get where any other bits matter.
pub(super) fn shows_nans(p: &Program) -> bool {
    let mut shows = false;
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        let values = || data.args.iter().chain(&data.results).map(|&v| p.ty(v).scalar);
        shows |= match (p.buffer_of(data), data.op) {
            (Some(buffer), _) => {
                let element = p.buffers[buffer].element.scalar;
                // The accessed value, which is never a condition and comes after the index.
                let accessed = values().skip(1).find(|s| *s != Scalar::Bool);
                accessed.is_some_and(|s| s != element && (s.is_float() || element.is_float()))
            }
            (None, Op::Bitcast) => values().any(Scalar::is_float),
            _ => false,
        };
    });
    shows
}

/// A damaged copy of the program's text is read or refused; what is read can be printed, and read again.
pub fn damaged_text(seed: u64, p: &Program, trial: &mut Option<Trial>) -> Result<Outcome, Problem> {
    let text = Mutator::new(seed).text(&p.to_string());
    let read = match caught(|| parse("damaged.vyre", &text)) {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => return Ok(Outcome::Refused),
        Err(panic) => return Err(Problem::new(Kind::Panics, format!("the reader panics: {panic}\n{text}"))),
    };
    let again = |what: &str| Err(Problem::new(Kind::Fails, format!("{what}\n{text}")));
    let printed = match caught(|| read.to_string()) {
        Ok(printed) => printed,
        Err(panic) => return again(&format!("what was read does not print: {panic}")),
    };
    match parse("printed.vyre", &printed) {
        Ok(p) if p.to_string() == printed => (),
        Ok(_) => return again("what was read prints otherwise when read again"),
        Err(e) => return again(&format!("what was read and printed is not read: {}", e[0])),
    }
    match caught(|| verify(&read).is_ok()) {
        Ok(true) => (),
        Ok(false) => return Ok(Outcome::Refused),
        Err(panic) => return again(&format!("the verifier panics: {panic}")),
    }
    *trial = Some(alone(seed, read));
    Ok(Outcome::Agrees(1))
}

/// A damaged copy of the program's wire form is read or refused; what is read has that wire form.
pub fn damaged_wire(seed: u64, p: &Program, trial: &mut Option<Trial>) -> Result<Outcome, Problem> {
    let file = Mutator::new(seed).wire(&encode(p));
    let fails = |kind, what: String| Err(Problem::new(kind, format!("{what}\n{file:02x?}")));
    let read = match caught(|| decode(&file)) {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => return Ok(Outcome::Refused),
        Err(panic) => return fails(Kind::Panics, format!("the reader panics: {panic}")),
    };
    match caught(|| (encode(&read) == file, read.to_string())) {
        Ok((true, _)) => (),
        Ok(_) => return fails(Kind::Differs, "what was read has another wire form".into()),
        Err(panic) => return fails(Kind::Panics, format!("what was read does not print: {panic}")),
    }
    *trial = Some(alone(seed, read));
    Ok(Outcome::Agrees(1))
}

/// A damaged copy of a source file is imported or refused; what is imported verifies.
pub fn damaged_source(seed: u64, source: &str, trial: &mut Option<Trial>) -> Result<Outcome, Problem> {
    let source = Mutator::new(seed).text(source);
    let fails = |kind, what: String| Err(Problem::new(kind, format!("{what}\n{source}")));
    let p = match caught(|| vyre_wgsl::import_wgsl("damaged.wgsl", &source, &Default::default())) {
        Ok(Ok(p)) => p,
        Ok(Err(_)) => return Ok(Outcome::Refused),
        Err(panic) => return fails(Kind::Panics, format!("the importer panics: {panic}")),
    };
    if let Err(errors) = verify(&p) {
        // A refusal that the verifier makes is one that a user can act on.
        return match errors[0].code.name() {
            "V006" | "V007" | "V008" | "V010" | "V011" | "V014" => Ok(Outcome::Refused),
            _ => fails(Kind::Fails, format!("what was imported does not verify: {}", errors[0])),
        };
    }
    *trial = Some(alone(seed, p));
    Ok(Outcome::Agrees(1))
}

/// A single invocation of a program, on memory of a reasonable size.
fn alone(seed: u64, mut program: Program) -> Trial {
    program.workgroup_size = [1, 1, 1];
    let mut mutator = Mutator::new(seed);
    let contents = program.buffers.values().map(|decl| {
        let elements = if decl.count == 0 { 1 + seed % 17 } else { decl.count.min(1 << 16) };
        let bytes = if decl.memory.is_bound() { elements * decl.element.bytes() as u64 } else { 0 };
        mutator.contents(bytes as usize, decl.element.scalar)
    });
    let contents = contents.collect();
    Trial { program, grid: [1, 1, 1], contents, patience: PATIENCE }
}

/// The passes that the seeds try alone, in turn: those that keep every bit.
pub fn pass_of(seed: u64) -> &'static vyre_opt::Pass {
    let exact: Vec<_> = PASSES.iter().filter(|pass| pass.purpose != Purpose::FastMath).collect();
    exact[seed as usize % exact.len()]
}

/// Types of which no value can be NaN.
pub(super) fn whole() -> Vec<Scalar> {
    Scalar::ALL.into_iter().filter(|s| !s.is_float()).collect()
}

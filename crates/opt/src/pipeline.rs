//! The optimizer as one list, in order, each pass with the reason for its place.

use crate::Target;
use crate::carry::carry;
use crate::chain::chain;
use crate::compact::compact;
use crate::contract::contract;
use crate::dce::dce;
use crate::expand::expand;
use crate::fold::fold;
use crate::gvn::gvn;
use crate::if_to_select::if_to_select;
use crate::inline::inline;
use crate::joins::joins;
use crate::licm::licm;
use crate::limit::limit;
use crate::nest::nest;
use crate::rotate::rotate;
use crate::scalarize::scalarize;
use crate::simplify::simplify;
use crate::unroll::unroll;
use std::fmt;
use std::time::{Duration, Instant};
use tracing::field::Empty;
use vyre_ir::Program;

/// A pass.
#[derive(Copy, Clone)]
pub struct Pass {
    /// Its name: that of its file and function, of dumps and of times.
    pub name: &'static str,
    /// Changes the program; whether anything was changed.
    pub run: fn(&mut Program, &Target) -> bool,
    /// Whether it belongs to the group that is run again until nothing changes.
    pub repeats: bool,
    /// For what it runs.
    pub purpose: Purpose,
    /// Why it stands where it stands.
    pub why: &'static str,
}

/// What a pass is for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To make a program one that the target takes; what it does stays the same, instruction by instruction.
    Legal,
    /// To make it better, with the same results.
    Better,
    /// To make it faster, with other roundings: only where that is asked for.
    FastMath,
}

/// Every pass in order.
pub const PASSES: &[Pass] = &[
    legal("inline", inline, "first: every other pass then sees what operations of dialects compute"),
    legal(
        "scalarize",
        scalarize,
        "early: later passes see scalars, whose rules find more than those of vectors",
    ),
    legal(
        "expand",
        expand,
        "before what simplifies: expansions are written without looking at their operands",
    ),
    group("fold", fold, "first of the group: constants decide branches and let the rules of simplify apply"),
    group("simplify", simplify, "before gvn: it leaves one form, in which equal instructions look equal"),
    group("gvn", gvn, "before joins, which compares values by identity"),
    group("joins", joins, "before if_to_select, which would make selects of what is no choice"),
    group("rotate", rotate, "before if_to_select, which would leave no branch to take the condition from"),
    group("if_to_select", if_to_select, "before licm: what was in a branch now stands in the loop itself"),
    group("nest", nest, "after if_to_select: what is left of conditions has effects"),
    group("carry", carry, "after if_to_select: what a branch gave can be followed through a select"),
    group("licm", licm, "after gvn, so that equal instructions move once"),
    group("unroll", unroll, "after licm: what does not change in a loop is not copied with it"),
    Pass {
        name: "contract",
        run: contract,
        repeats: true,
        purpose: Purpose::FastMath,
        why: "after licm, which moves products out of loops whole; before dce, which removes the products it took",
    },
    group("dce", dce, "last of the group: everything above leaves dead instructions behind"),
    once("limit", limit, "after the group: the copies differ in one comparison, and stay as they are"),
    once(
        "chain",
        chain,
        "after the group: what leaves a loop is no longer a choice that other passes look for",
    ),
    once("compact", compact, "last: ids in program order and dense tables, without what was removed"),
];

const fn legal(name: &'static str, run: fn(&mut Program, &Target) -> bool, why: &'static str) -> Pass {
    Pass { name, run, repeats: false, purpose: Purpose::Legal, why }
}

const fn once(name: &'static str, run: fn(&mut Program, &Target) -> bool, why: &'static str) -> Pass {
    Pass { name, run, repeats: false, purpose: Purpose::Better, why }
}

const fn group(name: &'static str, run: fn(&mut Program, &Target) -> bool, why: &'static str) -> Pass {
    Pass { name, run, repeats: true, purpose: Purpose::Better, why }
}

/// What must hold of the order, as (earlier, later, reason).
pub const ORDER: &[(&str, &str, &str)] = &[
    ("inline", "scalarize", "bodies of operations hold vectors"),
    ("inline", "expand", "bodies of operations hold mathematical functions"),
    ("scalarize", "expand", "an expansion of each lane is written for scalars"),
    ("expand", "fold", "expansions hold constants that meet constant operands"),
    ("expand", "gvn", "expansions of equal operands are equal"),
    ("simplify", "gvn", "gvn recognizes what is written in one form"),
    ("gvn", "joins", "joins compares values by identity"),
    ("joins", "if_to_select", "a result that is no choice needs no select"),
    ("joins", "rotate", "a result that is the condition itself says that nothing else ends the loop"),
    ("rotate", "if_to_select", "a branch that became selects cannot be moved to the end"),
    ("rotate", "licm", "what stood in a branch stands in the loop itself"),
    ("rotate", "unroll", "turns with the condition at their end need no turn after the loop"),
    ("if_to_select", "nest", "a condition without effects is computed, not branched on"),
    ("if_to_select", "carry", "both sides of a select are at hand, what is in a branch is not"),
    ("carry", "unroll", "a counter that a leaving turn no longer holds back counts"),
    ("carry", "dce", "selects that only a parameter needed are dead"),
    ("if_to_select", "licm", "an instruction in a branch is moved only if it is cheap"),
    ("simplify", "contract", "a product by a power of two that simplify makes of a quotient is exact"),
    ("gvn", "contract", "a product that is used twice is not taken"),
    ("licm", "contract", "a product that does not change in a loop is computed once before it"),
    ("contract", "dce", "products that were taken are dead"),
    ("licm", "unroll", "what moved out of a loop is not copied, and what is left tells its size"),
    ("licm", "dce", "a loop whose values all moved out is dead"),
    ("unroll", "chain", "a loop with a fixed number of turns is better unrolled"),
    ("unroll", "limit", "a loop of several turns has no access at its counter alone"),
    ("dce", "compact", "what dce removed must not be copied"),
];

/// How often the repeated group runs at most.
pub const ROUNDS: usize = 4;

/// The pass of that name.
pub fn pass(name: &str) -> Option<&'static Pass> {
    PASSES.iter().find(|pass| pass.name == name)
}

/// Which passes run.
#[derive(Copy, Clone, Default)]
pub enum Schedule<'a> {
    /// The whole list; the repeated group until nothing changes.
    #[default]
    All,
    /// Only what makes the program one that the target takes: nothing is moved, merged or left out.
    Legal,
    /// The list up to and with the first run of this pass.
    Until(&'static Pass),
    /// These, each once, in this order.
    Only(&'a [&'static Pass]),
}

/// Is shown programs between passes.
pub type Observer<'a> = &'a mut dyn FnMut(&Pass, &Program);

/// What a run of the optimizer does beside optimizing.
#[derive(Default)]
pub struct Options<'a> {
    /// Which passes run.
    pub schedule: Schedule<'a>,
    /// Whether passes of [`Purpose::FastMath`] run with the others. A schedule that names one runs it anyway.
    pub fast_math: bool,
    /// Sees the program after each run of a pass that changed it.
    pub after: Option<Observer<'a>>,
    /// Filled in with what each pass did.
    pub stats: Option<&'a mut Stats>,
}

/// The optimized program.
pub fn optimize(p: &Program, target: &Target) -> Program {
    run(p, target, Options::default())
}

/// The optimized program; `after` sees it after each run of a pass that changed it.
pub fn optimize_with(p: &Program, target: &Target, after: Observer<'_>) -> Program {
    run(p, target, Options { after: Some(after), ..Options::default() })
}

/// The program after the passes of a schedule.
///
/// # Panics
/// In debug builds, when a pass gives a program that does not verify: a bug of that pass.
pub fn run(p: &Program, target: &Target, mut options: Options<'_>) -> Program {
    let all_passes =
        tracing::debug_span!(target: "vyre", "optimize", before = p.size(), after = Empty).entered();
    let mut p = p.clone();
    if let Some(stats) = &mut options.stats {
        **stats = Stats { before: p.size(), after: p.size(), passes: Vec::new() };
    }
    let mut apply = |pass: &'static Pass| -> bool {
        let start = options.stats.is_some().then(Instant::now);
        let span = tracing::debug_span!(target: "vyre", "pass", name = pass.name, before = p.size(), after = Empty, changed = Empty);
        let changed = span.in_scope(|| (pass.run)(&mut p, target));
        if !span.is_disabled() {
            span.record("after", p.size()).record("changed", changed);
        }
        if let (Some(stats), Some(start)) = (&mut options.stats, start) {
            stats.add(pass, start.elapsed(), p.size());
        }
        if changed {
            if cfg!(debug_assertions) {
                check(&p, pass);
            }
            if let Some(after) = &mut options.after {
                after(pass, &p);
            }
        }
        changed
    };
    let fast_math = options.fast_math;
    let wanted = |pass: &Pass| fast_math || pass.purpose != Purpose::FastMath;
    match options.schedule {
        Schedule::All => {
            let passes: Vec<&Pass> = PASSES.iter().filter(|pass| wanted(pass)).collect();
            all(&passes, &mut apply);
        }
        Schedule::Legal => {
            let legal = PASSES.iter().filter(|pass| pass.purpose == Purpose::Legal);
            legal.for_each(|pass| _ = apply(pass));
        }
        Schedule::Until(last) => {
            let end = PASSES.iter().position(|pass| pass.name == last.name).map_or(0, |i| i + 1);
            let passes = PASSES[..end].iter().filter(|pass| wanted(pass) || pass.name == last.name);
            passes.for_each(|pass| _ = apply(pass));
        }
        Schedule::Only(passes) => passes.iter().for_each(|pass| _ = apply(pass)),
    }
    if !all_passes.is_disabled() {
        all_passes.record("after", p.size());
    }
    p
}

fn all(passes: &[&'static Pass], apply: &mut impl FnMut(&'static Pass) -> bool) {
    for part in passes.chunk_by(|a, b| a.repeats == b.repeats) {
        if !part[0].repeats {
            part.iter().for_each(|pass| _ = apply(pass));
            continue;
        }
        // How many passes in a row changed nothing. When that is all of them, none will.
        let mut quiet = 0;
        for pass in (0..ROUNDS).flat_map(|_| part) {
            quiet = if apply(pass) { 0 } else { quiet + 1 };
            if quiet == part.len() {
                break;
            }
        }
    }
}

fn check(p: &Program, pass: &Pass) {
    // Expansions may pass the limit (V010) that is set for what a user hands in.
    if let Err(problems) = vyre_ir::verify::verify(p)
        && problems.iter().any(|problem| problem.code != "V010")
    {
        let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        panic!("pass `{}` made a program that does not verify:{}\n{p}", pass.name, list.concat());
    }
}

/// What a run of the optimizer did.
#[derive(Clone, Default, Debug)]
pub struct Stats {
    /// Instructions of the program given.
    pub before: usize,
    /// Instructions of the result.
    pub after: usize,
    /// In the order in which the passes first ran.
    pub passes: Vec<PassStats>,
}

/// What all runs of a pass did together.
#[derive(Clone, Debug)]
pub struct PassStats {
    /// The pass.
    pub name: &'static str,
    /// How often it ran.
    pub runs: usize,
    /// Instructions added, less those removed.
    pub growth: i64,
    /// Time spent.
    pub time: Duration,
}

impl Stats {
    fn add(&mut self, pass: &Pass, time: Duration, size: usize) {
        let growth = size as i64 - self.after as i64;
        self.after = size;
        let stats = match self.passes.iter_mut().find(|stats| stats.name == pass.name) {
            Some(stats) => stats,
            None => {
                self.passes.push(PassStats { name: pass.name, runs: 0, growth: 0, time: Duration::ZERO });
                self.passes.last_mut().expect("just pushed")
            }
        };
        stats.runs += 1;
        stats.growth += growth;
        stats.time += time;
    }
}

/// One line for each pass.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for PassStats { name, runs, growth, time } in &self.passes {
            writeln!(
                f,
                "{name:<14}{runs:>3} runs{growth:>+9} instructions{:>10.3} ms",
                time.as_secs_f64() * 1e3
            )?;
        }
        write!(f, "{} instructions before, {} after", self.before, self.after)
    }
}

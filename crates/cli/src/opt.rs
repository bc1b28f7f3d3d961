//! `vyre opt`: a program as the optimizer leaves it.
//!
//! The target is that of the device that `auto` picks, so this is what would run; without one it is a machine of
//! scalars.

use crate::args::OptArgs;
use crate::codes;
use crate::devices::{auto, auto_policy};
use crate::failure::Failure;
use crate::load::load;
use serde_json::json;
use vyre::opt::analysis::ranges;
use vyre::opt::pipeline::{PASSES, Pass, pass};
use vyre::opt::split::{split, waits};
use vyre::opt::stages::{Costs, Staged};
use vyre::opt::{Options, Schedule, Stats, Target, run};
use vyre_ir::diagnostic::counted;
use vyre_ir::{Diagnostic, Program};

/// Optimizes a program; gives what to print on standard output.
pub fn opt(args: &OptArgs, as_json: bool) -> Result<String, Failure> {
    let only = args.passes.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    let schedule = match &args.until {
        Some(name) => Schedule::Until(find(name)?),
        None if !only.is_empty() => Schedule::Only(&only),
        None => Schedule::All,
    };
    let program = load(&args.program)?;
    let device = auto(&auto_policy(&program)).ok();
    let target = device.and_then(|device| device.target()).unwrap_or(Target::SCALAR);
    let (mut stats, mut steps) = (Stats::default(), Vec::new());
    let mut keep = |pass: &Pass, p: &_| steps.push((pass.name, format!("{p}")));
    let options = Options {
        schedule,
        after: if args.after_each { Some(&mut keep) } else { None },
        fast_math: false,
        stats: Some(&mut stats),
    };
    let mut result = run(&program, &target, options);
    if let Some(wanted) = &args.stage {
        result = run(&part(&result, wanted)?, &target, Options { schedule, ..Options::default() });
    }
    let staged = waits(&result).then(|| split(&result)).transpose()?;
    let (accesses, proven) = in_bounds(&result);
    if as_json {
        let passes = stats.passes.iter().map(|p| {
            json!({ "name": p.name, "runs": p.runs, "growth": p.growth, "time_ns": p.time.as_nanos() as u64 })
        });
        let after = steps.iter().map(|(name, text)| json!({ "pass": name, "program": text }));
        let document = json!({
            "target": target.name,
            "before": stats.before,
            "after": stats.after,
            "accesses": accesses,
            "in_bounds": proven,
            "passes": passes.collect::<Vec<_>>(),
            "stages": staged.as_ref().map(|staged| json!({
                "count": staged.costs.stages,
                "blocks": blocks(staged),
                "saved_bytes": staged.costs.saved_bytes,
                "workgroup_bytes": staged.costs.workgroup_bytes,
                "uniform_values": staged.costs.uniform_values,
                "recomputed": staged.costs.recomputed,
            })),
            "steps": after.collect::<Vec<_>>(),
            "program": result.to_string(),
        });
        return Ok(format!("{document:#}\n"));
    }
    if args.stats {
        let share =
            (100 * proven).checked_div(accesses).map_or(String::new(), |share| format!(" ({share} %)"));
        let stages = staged.map_or(String::new(), |staged| as_stages(&staged));
        return Ok(format!("{stats}\naccesses {accesses}, proven in bounds {proven}{share}\n{stages}"));
    }
    if args.after_each {
        let imported = format!("// imported\n{program}");
        return Ok(steps.iter().fold(imported, |text, (name, p)| text + "\n// after " + name + "\n" + p));
    }
    Ok(result.to_string())
}

/// How many loads, stores and atomics a program has, and of how many it is proven that they are in bounds.
fn in_bounds(p: &Program) -> (usize, usize) {
    let ranges = ranges(p);
    let (mut accesses, mut proven) = (0, 0);
    p.walk(p.body, &mut |inst| {
        accesses += p.accessed(&p.insts[inst]).is_some() as usize;
        proven += ranges.in_bounds(inst) as usize;
    });
    (accesses, proven)
}

fn blocks(staged: &Staged) -> usize {
    staged.control.as_ref().map_or(1, |control| control.blocks.len())
}

/// What a program costs as stages, in words.
fn as_stages(staged: &Staged) -> String {
    let Costs { stages, saved_bytes, workgroup_bytes, recomputed, uniform_values } = staged.costs;
    let blocks = counted(blocks(staged) as u64, "block");
    format!(
        "stages {stages} in {blocks}, saved {saved_bytes} bytes an invocation and {workgroup_bytes} a workgroup, \
         {uniform_values} kept once, {recomputed} recomputed\n"
    )
}

/// A stage of a program, or what decides between its stages.
fn part(p: &Program, wanted: &str) -> Result<Program, Diagnostic> {
    let none = |why: String, fix: &str| Diagnostic::new(codes::C027, why).fix(fix);
    if !waits(p) {
        return Err(none(format!("program `{}` does not wait for its grid", p.name), "Leave `--stage` out."));
    }
    let staged = split(p)?;
    let count = staged.stages.len();
    let part = match wanted.parse::<usize>() {
        Ok(number) => staged.stages.into_iter().nth(number),
        Err(_) if wanted == "control" => staged.control.map(|control| control.program),
        Err(_) => None,
    };
    part.ok_or_else(|| {
        let stages = counted(count as u64, "stage");
        let fix = "Name a stage by its number, from 0 on; `control` is for programs that wait in branches or loops.";
        none(format!("program `{}` has {stages}, and no `{wanted}` among its parts", p.name), fix)
    })
}

fn find(name: &str) -> Result<&'static Pass, Diagnostic> {
    pass(name).ok_or_else(|| {
        let names: Vec<&str> = PASSES.iter().map(|pass| pass.name).collect();
        Diagnostic::new(codes::C024, format!("there is no pass `{name}`"))
            .fix(format!("Name some of: {}.", names.join(", ")))
    })
}

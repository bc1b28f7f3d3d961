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
use vyre::opt::{Options, Schedule, Stats, Target, run};
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
    let result = run(&program, &target, options);
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
            "steps": after.collect::<Vec<_>>(),
            "program": result.to_string(),
        });
        return Ok(format!("{document:#}\n"));
    }
    if args.stats {
        let share =
            (100 * proven).checked_div(accesses).map_or(String::new(), |share| format!(" ({share} %)"));
        return Ok(format!("{stats}\naccesses {accesses}, proven in bounds {proven}{share}\n"));
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

fn find(name: &str) -> Result<&'static Pass, Diagnostic> {
    pass(name).ok_or_else(|| {
        let names: Vec<&str> = PASSES.iter().map(|pass| pass.name).collect();
        Diagnostic::new(codes::C024, format!("there is no pass `{name}`"))
            .fix(format!("Name some of: {}.", names.join(", ")))
    })
}

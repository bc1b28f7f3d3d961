//! `vyre run`: everything is checked before anything runs, and outputs appear only when all went well.

use crate::args::{RunArgs, Verify, Waiting};
use crate::codes;
use crate::debug::{CODE, DEVICE, Debug, LAUNCHES, PASSES, PROGRAM};
use crate::devices::{self, auto_policy_for_run};
use crate::failure::{FAILED, Failure};
use crate::inputs::Inputs;
use crate::items::{Items, Ran, Ready};
use crate::outputs::{Results, sinks, views};
use crate::show::{bytes, nanoseconds, shape};
use crate::trace::Trace;
use crate::verify::{Memory, Subject, Verified, verify, verify_items};
use crate::watch::watch;
use crate::{load, progress};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};
use tracing::info_span;
use vyre::spans::TARGET;
use vyre::{
    AlignedBytes, BackendError, Binding, BindingPlan, BindingRole, CacheConfig, CacheSource, Compiled,
    Device, DispatchConfig, GridSync,
};
use vyre_ir::{Diagnostic, Program};

/// What a run did: everything that is printed about it.
struct Report<'a> {
    program: &'a Program,
    device: &'a Device,
    /// Whether `auto` chose the device.
    auto: bool,
    plan: &'a BindingPlan,
    ran: &'a Ran,
    outputs: Results<'a>,
    import_ns: u64,
    compiled: &'a Compiled,
    config: &'a DispatchConfig,
    runs: Vec<u64>,
    verified: Option<Verified>,
}

/// Runs a program; gives what to print on standard output.
pub fn run(args: &RunArgs, as_json: bool, debug: &Debug) -> Result<String, Failure> {
    refuse_contradiction(args)?;
    let mut device = None;
    let mut all = || {
        if args.watch {
            return watch(&mut device, args, as_json, debug);
        }
        load::load_dialects(&args.work.program.dialects)?;
        round(&mut device, args, as_json, debug)
    };
    let Some(path) = &args.trace else { return all() };
    let trace = Trace::begin(path, args)?;
    let result = info_span!(target: TARGET, "run").in_scope(all);
    trace.end(&device.as_ref().map(Device::metrics).unwrap_or_default(), result)
}

/// Runs a program whose dialects are there; gives what to print on standard output. The device is the one that is open,
/// or it is opened.
pub fn round(
    opened: &mut Option<Device>,
    args: &RunArgs,
    as_json: bool,
    debug: &Debug,
) -> Result<String, Failure> {
    let start = Instant::now();
    let program = load::program(&args.work.program)?;
    let import_ns = start.elapsed().as_nanos() as u64;
    debug.dump("imported.vyre", || program.to_string())?;

    let grid = args.work.grid();
    let items = Items::plan(&program, &args.queue, args.spill)?;
    let inputs = Inputs::plan(&program, &args.work.sets, grid)?;
    let plan = &inputs.plan;
    let workgroups = grid.workgroups(&program, plan)?;
    let sinks = sinks(&args.work, &program, &inputs, as_json)?;
    inputs.check_memory(args.verify.is_some())?;

    let device = match opened {
        Some(open) => &*open,
        None => {
            let device = match args.backend.as_str() {
                "auto" => devices::auto(&auto_policy_for_run(&program, plan, workgroups))?,
                id => Device::open(id)?,
            };
            device.set_cache(CacheConfig::with_disk());
            opened.insert(device)
        }
    };
    debug.say(DEVICE, || format!("backend {}, {}", device.id(), device.profile().name));
    let timeout = args.timeout.map(Duration::from_secs_f64);
    let (checked, unchecked, fast_math) = (args.checked, args.unchecked, args.fast_math);
    let grid_sync = match args.grid_sync {
        Waiting::Fit => GridSync::Fit,
        Waiting::Native => GridSync::Native,
        Waiting::Stages => GridSync::Stages,
    };
    let config = DispatchConfig {
        grid,
        timeout,
        checked,
        unchecked,
        fast_math,
        grid_sync,
        timed: true,
        ..DispatchConfig::default()
    };
    let ready = Ready::new(device, &program, items.as_ref(), &config)?;
    let compiled = ready.compiled();
    show_passes(debug, device, &program, &config)?;
    debug.say(PROGRAM, || compiled.program().to_string());
    debug.dump("optimized.vyre", || compiled.program().to_string())?;
    if device.id() == vyre_cpu::ID && items.is_none() && (debug.shows(CODE) || debug.dumps()) {
        // What has a notice has no code.
        let (name, code) = match compiled.notice() {
            None => ("code.asm", vyre_cpu::assembly(compiled.program(), checked)?),
            Some(_) => ("code.gangs", vyre_cpu::gangs(compiled.program())?),
        };
        debug.say(CODE, || code.clone());
        debug.dump(name, || code)?;
    }
    for notice in inputs.notices.iter().chain(&compiled.notice()) {
        eprintln!("note: {notice}");
    }

    let contents = info_span!(target: TARGET, "inputs").in_scope(|| inputs.read(&program))?;
    let slices: Vec<&[u8]> = contents.iter().map(|bytes| &bytes[..]).collect();
    let mut runs = Vec::new();
    let mut last = None;
    let repeat = if args.watch { 1 } else { args.repeat.unwrap_or(1) };
    let mut kept = Vec::new();
    for round in 1..=repeat {
        if args.verify.is_some() && round == repeat {
            kept = persistent(compiled)?;
        }
        // The outputs of one run are enough; two would double the memory.
        drop(last.take());
        let ran = progress::during("running", || ready.run(&slices, &config))?;
        let outputs = &ran.outputs;
        debug.say(LAUNCHES, || {
            format!("{} workgroups in {}", shape(outputs.workgroups), nanoseconds(outputs.timing.best_ns()))
        });
        runs.push(outputs.timing.best_ns());
        last = Some(ran);
    }
    let ran = last.expect("it runs at least once");
    let outputs = &ran.outputs;

    let verified = match args.verify {
        None => None,
        Some(much) => {
            let left = persistent(compiled)?;
            let held = kept.iter().zip(&left).map(|((binding, before), (_, after))| Memory {
                binding,
                before: Some(before),
                after,
            });
            let given =
                plan.outputs().zip(&outputs.buffers).filter(|(b, _)| b.role != BindingRole::Persistent);
            let given = given.map(|(binding, after)| Memory {
                binding,
                before: binding.input_index.map(|i| &contents[i][..]),
                after,
            });
            let subject = Subject {
                program: &program,
                plan,
                inputs: &contents,
                memories: given.chain(held).collect(),
                workgroups: outputs.workgroups,
                subgroup_size: device.profile().subgroup_size.max(1),
                all: much == Verify::All,
                deadline: timeout.map(|timeout| Instant::now() + timeout),
            };
            let oracle = match &items {
                Some(items) => {
                    Some(Ready::new(&Device::open(vyre_reference::ID)?, &program, Some(items), &config)?)
                }
                None => None,
            };
            let reference = || match &oracle {
                None => verify(&subject),
                Some(oracle) => {
                    let start = Instant::now();
                    let want = oracle.run(&slices, &config)?;
                    Ok(verify_items(&subject, &want.outputs, start.elapsed()))
                }
            };
            let span = info_span!(target: TARGET, "reference");
            let result = span.in_scope(|| progress::during("verifying", reference));
            Some(result.map_err(|error: BackendError| match (error, args.timeout) {
                (BackendError::Timeout { .. }, Some(seconds)) => verification_timeout(seconds),
                (error, _) => error.into(),
            })?)
        }
    };
    let report = Report {
        program: &program,
        device,
        auto: args.backend == "auto",
        plan,
        ran: &ran,
        outputs: Results { program: &program, plan, buffers: views(&outputs.buffers), sinks: &sinks },
        import_ns,
        compiled,
        config: &config,
        runs,
        verified,
    };
    if let Some(failure) = report.verified.as_ref().and_then(mismatch) {
        return Err(failure);
    }
    info_span!(target: TARGET, "write").in_scope(|| report.outputs.write())?;
    if as_json {
        return Ok(format!("{:#}\n", report.json()));
    }
    let text = report.text();
    if report.outputs.on_standard_output() {
        // Standard output belongs to the values.
        eprint!("{text}");
        return Ok(String::new());
    }
    Ok(text)
}

/// What the persistent memory of a program holds.
fn persistent(compiled: &Compiled) -> Result<Vec<(&Binding, AlignedBytes)>, BackendError> {
    let bindings = &compiled.plan().bindings;
    let memory = bindings.iter().filter_map(|b| Some((b, compiled.persistent(&b.name)?)));
    memory.map(|(b, memory)| Ok((b, memory.download()?))).collect()
}

/// Optimizes once more to show each pass that changes something, if that is asked for.
fn show_passes(
    debug: &Debug,
    device: &Device,
    program: &Program,
    config: &DispatchConfig,
) -> Result<(), Failure> {
    let Some(target) = device.target().filter(|_| debug.shows(PASSES) || debug.dumps()) else {
        return Ok(());
    };
    let (mut number, mut result) = (0, Ok(()));
    let mut show = |pass: &vyre::opt::Pass, program: &Program| {
        number += 1;
        debug.say(PASSES, || format!("after {}\n{program}", pass.name));
        if result.is_ok() {
            result = debug.dump(&format!("pass-{number:02}-{}.vyre", pass.name), || program.to_string());
        }
    };
    vyre::opt::run(
        program,
        &target,
        vyre::opt::Options { after: Some(&mut show), ..config.compile_options().passes() },
    );
    result
}

fn refuse_contradiction(args: &RunArgs) -> Result<(), Diagnostic> {
    if !args.fast_math || args.verify.is_none() {
        return Ok(());
    }
    let message = "`--verify` compares every bit with exact results, and `--fast-math` allows others";
    Err(Diagnostic::new(codes::C006, message).fix("Leave one of them out."))
}

fn verification_timeout(seconds: f64) -> Failure {
    let message =
        format!("the verification did not end within {seconds} s and was stopped; nothing was written");
    let fix = "Allow more time, or leave `--verify` out.";
    Failure { exit: FAILED, diagnostics: vec![Diagnostic::new(codes::C041, message).fix(fix)] }
}

/// The failure of a run whose results are wrong.
fn mismatch(verified: &Verified) -> Option<Failure> {
    if verified.differing == 0 {
        return None;
    }
    let mut message = format!(
        "elements that differ from the reference interpreter's: {} ({} of {} workgroups compared); nothing was written",
        verified.differing, verified.workgroups, verified.of
    );
    for d in &verified.shown {
        message += &format!("\n  {}[{}] is {}, should be {}", d.buffer, d.index, d.got, d.want);
        if let Some(([x, y, z], local)) = d.writer {
            message += &format!(", written by invocation {local} of workgroup {x},{y},{z}");
        }
    }
    let fix = "Put a barrier between writes and reads of the same memory by different invocations; if there is nothing \
               of the kind, report a bug of vyre.";
    let diagnostic = Diagnostic::new(codes::C040, message).fix(verified.caveat.unwrap_or(fix));
    Some(Failure { exit: FAILED, diagnostics: vec![diagnostic] })
}

impl Report<'_> {
    fn bytes(&self) -> (u64, u64) {
        let sum = |n: u64, b: &vyre::Binding| n + b.byte_len();
        (self.plan.inputs().fold(0, sum), self.plan.outputs().fold(0, sum))
    }

    /// Billions of bytes a second, had every bound buffer been moved once by the median run.
    fn rate(&self) -> f64 {
        let once: u64 = self.plan.bindings.iter().filter(|b| b.is_bound()).map(|b| b.byte_len()).sum();
        once as f64 / median(&self.runs).max(1) as f64
    }

    /// How long compiling took, and whether it was compiled.
    fn compile_times(&self) -> String {
        let times = self.compiled.times();
        let all = nanoseconds(times.optimize_ns + times.codegen_ns + times.cache_ns);
        match self.compiled.source() {
            CacheSource::Compiled => {
                let (optimize, code) = (nanoseconds(times.optimize_ns), nanoseconds(times.codegen_ns));
                format!("{all} (optimize {optimize}, code {code})")
            }
            CacheSource::Memory | CacheSource::Disk => format!("{all} (from the cache)"),
        }
    }

    fn text(&self) -> String {
        let profile = self.device.profile();
        let (input, output) = self.bytes();
        let timing = self.ran.outputs.timing;
        let mut text = format!(
            "{} on {} ({}{}): {}\n",
            self.program.name,
            self.device.id(),
            profile.name,
            if self.auto { "; auto, any kind of device" } else { "" },
            self.ran.about(self.program.workgroup_size)
        );
        text += &format!(
            "  import {}, compile {}, upload {}, run {}\n",
            nanoseconds(self.import_ns),
            self.compile_times(),
            timing.upload_ns.map_or("in the run".into(), nanoseconds),
            nanoseconds(median(&self.runs)),
        );
        if self.runs.len() > 1 {
            let (min, max) = (self.runs.iter().min(), self.runs.iter().max());
            text += &format!(
                "  {} runs: median {}, from {} to {}\n",
                self.runs.len(),
                nanoseconds(median(&self.runs)),
                nanoseconds(min.copied().unwrap_or(0)),
                nanoseconds(max.copied().unwrap_or(0))
            );
        }
        text += &format!("  {} in, {} out, {:.2} GB/s\n", bytes(input), bytes(output), self.rate());
        if let Some(v) = &self.verified {
            let part = if self.ran.queue.is_some() {
                "all outputs".into()
            } else if v.workgroups == v.of {
                format!("all {} workgroups", v.of)
            } else {
                format!("a sample of {} of {} workgroups", v.workgroups, v.of)
            };
            text += &format!("  verified: {part} agree with the reference interpreter ({:.2?})\n", v.time);
        }
        text += &self.outputs.text();
        text
    }

    fn json(&self) -> Value {
        let profile = self.device.profile();
        let (input, output) = self.bytes();
        let metrics: Map<String, Value> =
            self.device.metrics().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        json!({
            "program": self.program.name,
            "backend": self.device.id(),
            "device": profile.name,
            "auto": self.auto,
            "compiled": self.compiled.source().name(),
            "notice": self.compiled.notice(),
            "checked": self.config.checked,
            "unchecked": self.config.unchecked,
            "fast_math": self.config.fast_math,
            "workgroups": self.ran.outputs.workgroups,
            "queue": self.ran.queue_json(),
            "workgroup_size": self.program.workgroup_size,
            "time_ns": {
                "import": self.import_ns,
                "optimize": self.compiled.times().optimize_ns,
                "codegen": self.compiled.times().codegen_ns,
                "cache": self.compiled.times().cache_ns,
                "upload": self.ran.outputs.timing.upload_ns,
                "run": median(&self.runs),
                "runs": self.runs,
            },
            "bytes_in": input,
            "bytes_out": output,
            "gb_per_s": self.rate(),
            "verified": self.verified.as_ref().map(|v| json!({
                "workgroups": v.workgroups,
                "of": v.of,
                "time_ns": v.time.as_nanos() as u64,
            })),
            "outputs": self.outputs.json(),
            "metrics": metrics,
        })
    }
}

fn median(runs: &[u64]) -> u64 {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

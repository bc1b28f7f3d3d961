//! What the stand-in is and what goes wrong with it, as values and as text: `KEY=VALUE` pairs with commas between them.
//!
//! The text is how both cross the border of the library, and how a command line sets them:
//! see the crate's documentation.

use std::fmt::{self, Write};
use std::str::FromStr;

/// When the device works on what it was given.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Pace {
    /// Only when the host waits for it, or asks how far it is: what a program forgets to wait for has never happened.
    Lazy,
    /// At once.
    Eager,
}

/// What the driver and its devices are. All devices are the same, but for a number at the end of their names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// `devices`: how many devices there are.
    pub devices: u32,
    /// `name`: the name of a device, without commas.
    pub name: String,
    /// `capability`: the compute capability, such as `9.0`.
    pub compute_capability: (u32, u32),
    /// `driver`: what `cuDriverGetVersion` says, such as 12080. It decides which versions of PTX are taken.
    pub driver_version: u32,
    /// `sms`: multiprocessors of a device.
    pub multiprocessors: u32,
    /// `memory`: bytes of memory of a device.
    pub memory_bytes: u64,
    /// `pools`: whether there is stream-ordered memory.
    pub memory_pools: bool,
    /// `cooperative`: whether blocks of a launch can wait for each other.
    pub cooperative_launch: bool,
    /// `graphs`: whether there are graphs.
    pub graphs: bool,
    /// `missing`, once a name: functions that `cuGetProcAddress_v2` does not find, and that fail when they are called.
    pub missing: Vec<String>,
    /// `registers`: how many registers each kernel takes a thread.
    pub registers_per_thread: u32,
    /// `pace`: `lazy` or `eager`.
    pub pace: Pace,
    /// `seed`: of the order of streams, and of the schedules of kernels.
    pub seed: u64,
    /// `races`: whether a race in a kernel is a fault.
    pub races: bool,
    /// `uninitialized`: whether a read of what was never written is a fault of a kernel.
    pub uninitialized: bool,
    /// `steps`: how many instructions all threads of a launch may run together.
    pub step_limit: u64,
    /// `log`: whether faults and problems are written to standard error too.
    pub log: bool,
}

impl Default for Configuration {
    fn default() -> Configuration {
        Configuration {
            devices: 1,
            name: "Stand-in GPU".into(),
            compute_capability: (9, 0),
            driver_version: 12080,
            multiprocessors: 4,
            memory_bytes: 256 << 20,
            memory_pools: true,
            cooperative_launch: true,
            graphs: true,
            missing: Vec::new(),
            registers_per_thread: 32,
            pace: Pace::Lazy,
            seed: 0,
            races: false,
            uninitialized: true,
            step_limit: 1 << 32,
            log: false,
        }
    }
}

/// A call that fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The function, by its full name, such as `cuMemAlloc_v2`.
    pub function: String,
    /// Which of its calls, counted from 0.
    pub call: u64,
    /// What it returns.
    pub code: i32,
}

/// What goes wrong, and when. Calls are counted from when the plan was made.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FaultPlan {
    /// `fail=FUNCTION:CALL:CODE`, once each: calls that fail, and do nothing else.
    pub failures: Vec<Failure>,
    /// `lose=LAUNCH:CODE`: the launch, counted from 0, at which the device is lost, and what every call says from then
    /// on until the context is made anew.
    pub lose: Option<(u64, i32)>,
    /// `refuse=COUNT`: how many attempts to retain a context fail after a loss.
    pub refused_retains: u64,
    /// `oom=ALLOCATION`: the allocation, counted from 0 over device and pinned memory, for which there is no memory.
    pub out_of_memory: Option<u64>,
    /// `hold=LAUNCH`: the launch, counted from 0, that does not end until `Control::release` is called.
    pub hold: Option<u64>,
}

/// Both, as one text holds them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Setup {
    pub configuration: Configuration,
    pub plan: FaultPlan,
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Configuration { compute_capability: (major, minor), .. } = self.configuration;
        let c = &self.configuration;
        write!(f, "devices={},name={},capability={major}.{minor}", c.devices, c.name)?;
        write!(f, ",driver={},sms={},memory={}", c.driver_version, c.multiprocessors, c.memory_bytes)?;
        write!(f, ",pools={},cooperative={}", c.memory_pools, c.cooperative_launch)?;
        write!(f, ",graphs={},registers={}", c.graphs, c.registers_per_thread)?;
        write!(f, ",pace={}", if c.pace == Pace::Lazy { "lazy" } else { "eager" })?;
        write!(f, ",seed={},races={},uninitialized={}", c.seed, c.races, c.uninitialized)?;
        write!(f, ",steps={},log={}", c.step_limit, c.log)?;
        for name in &c.missing {
            write!(f, ",missing={name}")?;
        }
        for Failure { function, call, code } in &self.plan.failures {
            write!(f, ",fail={function}:{call}:{code}")?;
        }
        if let Some((launch, code)) = self.plan.lose {
            write!(f, ",lose={launch}:{code}")?;
        }
        if let Some(allocation) = self.plan.out_of_memory {
            write!(f, ",oom={allocation}")?;
        }
        if let Some(launch) = self.plan.hold {
            write!(f, ",hold={launch}")?;
        }
        write!(f, ",refuse={}", self.plan.refused_retains)
    }
}

impl FromStr for Setup {
    type Err = String;

    fn from_str(text: &str) -> Result<Setup, String> {
        let mut setup = Setup::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let taken = pair.split_once('=').and_then(|(key, value)| setup.set(key.trim(), value.trim()));
            taken.ok_or_else(|| format!("`{pair}` is no option of the stand-in for libcuda"))?;
        }
        Ok(setup)
    }
}

impl Setup {
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        let (c, plan) = (&mut self.configuration, &mut self.plan);
        match key {
            "devices" => c.devices = value.parse().ok()?,
            "name" => c.name = value.into(),
            "capability" => c.compute_capability = pair(value, '.')?,
            "driver" => c.driver_version = value.parse().ok()?,
            "sms" => c.multiprocessors = value.parse().ok()?,
            "memory" => c.memory_bytes = value.parse().ok()?,
            "pools" => c.memory_pools = value.parse().ok()?,
            "cooperative" => c.cooperative_launch = value.parse().ok()?,
            "graphs" => c.graphs = value.parse().ok()?,
            "missing" => c.missing.push(value.into()),
            "registers" => c.registers_per_thread = value.parse().ok()?,
            "pace" if value == "lazy" => c.pace = Pace::Lazy,
            "pace" if value == "eager" => c.pace = Pace::Eager,
            "seed" => c.seed = value.parse().ok()?,
            "races" => c.races = value.parse().ok()?,
            "uninitialized" => c.uninitialized = value.parse().ok()?,
            "steps" => c.step_limit = value.parse().ok()?,
            "log" => c.log = value.parse().ok()?,
            "fail" => {
                let (function, rest) = value.split_once(':')?;
                let (call, code) = pair(rest, ':')?;
                plan.failures.push(Failure { function: function.into(), call, code });
            }
            "lose" => plan.lose = Some(pair(value, ':')?),
            "refuse" => plan.refused_retains = value.parse().ok()?,
            "oom" => plan.out_of_memory = Some(value.parse().ok()?),
            "hold" => plan.hold = Some(value.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}

fn pair<A: FromStr, B: FromStr>(text: &str, between: char) -> Option<(A, B)> {
    let (first, second) = text.split_once(between)?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

/// What the stand-in has seen so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// How often each function was called since the last plan, by name.
    pub calls: Vec<(String, u64)>,
    /// How often each kernel was launched, or became a step of a graph, since the last plan, by name.
    pub kernels: Vec<(String, u64)>,
    /// How many blocks were launched since the last plan.
    pub blocks: u64,
    /// What was made and not yet freed, by kind: `allocations`, `bytes`, `host allocations`, `registrations`,
    /// `streams`, `events`, `modules`, `links`, `graphs`, `executable graphs`, `pools`, `contexts`. Kinds of which there
    /// is nothing are left out.
    pub live: Vec<(String, u64)>,
    /// Faults of kernels and copies, in words.
    pub faults: Vec<String>,
    /// What a program must not do although a real driver may let it pass, in words.
    pub problems: Vec<String>,
}

impl Report {
    /// How often a function was called since the last plan.
    pub fn calls(&self, function: &str) -> u64 {
        count(&self.calls, function)
    }

    /// How much there is of a kind.
    pub fn live(&self, kind: &str) -> u64 {
        count(&self.live, kind)
    }

    /// The report as text, a line each.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("blocks {}\n", self.blocks);
        for (word, counts) in [("calls", &self.calls), ("kernels", &self.kernels), ("live", &self.live)] {
            for (name, count) in counts {
                let _ = writeln!(text, "{word} {count} {name}");
            }
        }
        for (word, lines) in [("fault", &self.faults), ("problem", &self.problems)] {
            for line in lines {
                let _ = writeln!(text, "{word} {}", line.replace('\n', "; "));
            }
        }
        text
    }

    /// What [`Report::to_text`] gave.
    pub(crate) fn from_text(text: &str) -> Report {
        let mut report = Report::default();
        for line in text.lines() {
            let Some((word, rest)) = line.split_once(' ') else { continue };
            let counted = || {
                let (count, name) = rest.split_once(' ')?;
                Some((name.to_owned(), count.parse().ok()?))
            };
            match word {
                "blocks" => report.blocks = rest.parse().unwrap_or(0),
                "calls" => report.calls.extend(counted()),
                "kernels" => report.kernels.extend(counted()),
                "live" => report.live.extend(counted()),
                "fault" => report.faults.push(rest.into()),
                _ => report.problems.push(rest.into()),
            }
        }
        report
    }
}

fn count(counts: &[(String, u64)], name: &str) -> u64 {
    counts.iter().find(|(other, _)| other == name).map_or(0, |(_, count)| *count)
}

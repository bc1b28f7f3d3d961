//! `vyre debug`: a program's PTX on the interpreter, which finds races, and what its accesses to memory cost.
//!
//! What runs is the kernel that the driver would be given, so what is said of it is true of the program as optimized.

use crate::args::DebugArgs;
use crate::codes;
use crate::failure::{Failure, failed};
use crate::inputs::Inputs;
use crate::items::{Items, QueueMemory};
use crate::outputs::{Results, sinks, views};
use crate::show::{shape, table};
use crate::{load, nvidia, progress};
use serde_json::json;
use vyre::opt::queue::{Queue, persistent};
use vyre::{AlignedBytes, BackendError, Binding, BindingPlan, QueueCounts, available_host_bytes};
use vyre_ir::diagnostic::counted;
use vyre_ir::{Buffer, Diagnostic, Loc, Memory as Space, Program, Source};
use vyre_ptx::{Arch, Kernel, Param};
use vyre_ptx_vm::{Begin, Counters, Fault, FaultKind, Launch, Memory, Named, Options, Report, parse, run};

/// The interpreter's name.
const BACKEND: &str = "ptx-vm";

/// Bytes behind the address of the barrier: a line of a device's cache, as the backend gives it.
const BARRIER: u64 = 128;

/// Workgroups that drain a queue at most: enough for some to meet, and few enough to wait for each other.
const DRAINING: u64 = 4;

/// The variables of a kernel in which memory of workgroups and of invocations lies.
const VARIABLES: [(Space, &str); 2] =
    [(Space::Workgroup, "workgroup_memory"), (Space::Private, "private_memory")];

/// Debugs a program; gives what to print on standard output.
pub fn debug(args: &DebugArgs, as_json: bool) -> Result<String, Failure> {
    if args.backend != BACKEND {
        let message = format!("`vyre debug` has no interpreter `{}`", args.backend);
        return Err(Diagnostic::new(codes::C031, message).fix(format!("Name one of: {BACKEND}.")).into());
    }
    let arch = nvidia::arch(args.arch.as_deref())?;
    let work = &args.work;
    load::load_dialects(&work.program.dialects)?;
    let program = load::program(&work.program)?;
    let items = Items::plan(&program, &args.queue, false)?;
    let grid = work.grid();
    let inputs = Inputs::plan(&program, &work.sets, grid)?;
    let plan = &inputs.plan;
    let workgroups = grid.workgroups(&program, plan)?;
    let sinks = sinks(work, &program, &inputs, as_json)?;
    inputs.check_memory(false)?;
    let queue = items.map(|items| Drained::new(&program, items)).transpose()?;
    let launched = queue.as_ref().map_or(&program, |queue| &queue.program);
    let kernel = nvidia::kernel(launched, arch)?;
    for notice in &inputs.notices {
        eprintln!("note: {notice}");
    }
    let contents = inputs.read(&program)?;
    let mut device = Allocated::new(plan, &contents)?;
    let workgroups = match &queue {
        Some(queue) => device.add_queue(queue)?,
        None => workgroups,
    };
    let names = device.names(launched);
    let options = Options {
        seed: args.seed,
        counters: true,
        step_limit: args.step_limit,
        names: &names,
        ..Options::default()
    };
    let report =
        progress::during("interpreting", || launch(&kernel, launched, &mut device, workgroups, &options))?;
    let counts = queue.as_ref().map(|queue| device.counts(queue)).transpose()?;
    let buffers = device.outputs(plan)?;
    let results = Results { program: &program, plan, buffers: views(&buffers), sinks: &sinks };
    results.write()?;
    let ran = Ran {
        program: &program,
        arch,
        workgroups,
        seed: args.seed,
        report: &report,
        counts,
        results: &results,
    };
    if as_json {
        return Ok(format!("{:#}\n", ran.json()));
    }
    let text = ran.text();
    if results.on_standard_output() {
        // Standard output belongs to the values.
        eprint!("{text}");
        return Ok(String::new());
    }
    Ok(text)
}

/// A program that drains a queue by itself, as the driver launches it on devices with memory of their own.
struct Drained {
    program: Program,
    queue: Queue,
    memory: QueueMemory,
}

impl Drained {
    fn new(program: &Program, items: Items) -> Result<Drained, Failure> {
        let (program, queue) = persistent(program)?;
        Ok(Drained { program, queue, memory: items.memory()? })
    }

    fn name(&self, buffer: Buffer) -> &str {
        &self.program.buffers[buffer].name
    }
}

/// A buffer in the interpreter's memory.
struct Placed {
    name: String,
    address: u64,
    bytes: u64,
    element_bytes: u64,
}

/// The kernel's buffers in the interpreter's memory.
#[derive(Default)]
struct Allocated {
    memory: Memory,
    buffers: Vec<Placed>,
}

impl Allocated {
    fn new(plan: &BindingPlan, contents: &[AlignedBytes]) -> Result<Allocated, Failure> {
        let mut allocated = Allocated::default();
        for binding in plan.bindings.iter().filter(|binding| has_memory(binding)) {
            let zeros;
            let bytes = match binding.input_index {
                Some(input) => &contents[input][..],
                None => {
                    zeros = vec![0; binding.byte_len() as usize];
                    &zeros[..]
                }
            };
            allocated.add(&binding.name, bytes, bytes.len() as u64, binding.element_size.into())?;
        }
        Ok(allocated)
    }

    /// Memory of a buffer, of which the first bytes are written.
    fn add(&mut self, name: &str, first: &[u8], bytes: u64, element_bytes: u64) -> Result<(), Failure> {
        let address = self.filled(first, bytes)?;
        self.buffers.push(Placed { name: name.into(), address, bytes, element_bytes });
        Ok(())
    }

    /// The memory of a queue; gives the workgroups that drain it.
    fn add_queue(&mut self, drained: &Drained) -> Result<[u32; 3], Failure> {
        let Drained { queue, memory, .. } = drained;
        for (buffer, bytes) in [(queue.state, &memory.state), (queue.counts, &memory.counts)] {
            self.add(drained.name(buffer), bytes, bytes.len() as u64, 4)?;
        }
        let bytes = u64::from(memory.start.capacity) * memory.entry_bytes;
        self.add(drained.name(queue.items), &memory.items, bytes, memory.entry_bytes)?;
        let invocations = drained.program.workgroup_invocations();
        let workgroups = u64::from(memory.start.window).div_ceil(invocations).clamp(1, DRAINING);
        Ok([workgroups as u32, 1, 1])
    }

    /// What a queue counted.
    fn counts(&self, drained: &Drained) -> Result<QueueCounts, Failure> {
        let counts = QueueCounts::of(&self.contents(self.buffer(drained.name(drained.queue.counts))?));
        counts.check(drained.memory.start.items.into(), drained.memory.start.capacity.into())?;
        Ok(counts)
    }

    fn filled(&mut self, first: &[u8], bytes: u64) -> Result<u64, Failure> {
        let available = available_host_bytes();
        let address = match available {
            Some(available) if bytes > available => 0,
            _ => self.memory.allocate(bytes),
        };
        if address == 0 {
            let what = "the interpreter".into();
            return Err(BackendError::OutOfMemory { requested: bytes, available, what }.into());
        }
        match self.memory.write(address, first) {
            Some(()) => Ok(address),
            None => Err(nvidia::bug("new memory cannot be written")),
        }
    }

    /// How many bytes of a buffer there are.
    fn bytes(&self, program: &Program, buffer: vyre::ir::Buffer) -> u64 {
        self.buffer(&program.buffers[buffer].name).map_or(0, |placed| placed.bytes)
    }

    /// What a kernel is given, each at the next multiple of its size.
    fn params(
        &mut self,
        kernel: &Kernel,
        program: &Program,
        workgroups: [u32; 3],
    ) -> Result<Vec<u8>, Failure> {
        let mut block = Vec::new();
        for param in &kernel.params {
            block.resize(block.len().next_multiple_of(param.bytes()), 0);
            let value = match *param {
                Param::Address(buffer) => self.buffer(&program.buffers[buffer].name)?.address,
                Param::Length { buffer, .. } | Param::Last { buffer, .. } => {
                    let bound = self.buffer(&program.buffers[buffer].name)?.bytes;
                    param.extent(bound).unwrap_or(0).into()
                }
                Param::Workgroups(axis) => workgroups[axis as usize].into(),
                Param::FirstWorkgroup(_) => 0,
                Param::Barrier => self.filled(&[0; BARRIER as usize], BARRIER)?,
                Param::Gate => return Err(nvidia::bug("the kernel has a gate")),
            };
            block.extend(&value.to_le_bytes()[..param.bytes()]);
        }
        Ok(block)
    }

    fn buffer(&self, name: &str) -> Result<&Placed, Failure> {
        let found = self.buffers.iter().find(|placed| placed.name == name);
        found.ok_or_else(|| nvidia::bug(&format!("the kernel takes a buffer `{name}` that nobody binds")))
    }

    /// What faults call the program's memory. Of several buffers that share a variable, it is not known which is where.
    fn names(&self, program: &Program) -> Vec<Named> {
        let bound = self.buffers.iter().map(|placed| Named {
            name: placed.name.clone(),
            begin: Begin::Address(placed.address),
            bytes: placed.bytes,
            element_bytes: placed.element_bytes,
        });
        let alone = VARIABLES.into_iter().filter_map(|(space, variable)| {
            let mut within = program.buffers.values().filter(|decl| decl.memory == space);
            let (only, None) = (within.next()?, within.next()) else { return None };
            Some(Named {
                name: only.name.clone(),
                begin: Begin::Variable(variable.into(), 0),
                bytes: only.static_bytes()?,
                element_bytes: only.element.bytes().into(),
            })
        });
        bound.chain(alone).collect()
    }

    fn contents(&self, placed: &Placed) -> Vec<u8> {
        let mut bytes = vec![0; placed.bytes as usize];
        self.memory.read(placed.address, &mut bytes);
        bytes
    }

    fn outputs(&self, plan: &BindingPlan) -> Result<Vec<Vec<u8>>, Failure> {
        plan.outputs().map(|output| Ok(self.contents(self.buffer(&output.name)?))).collect()
    }
}

/// Whether a buffer lies in the device's memory.
fn has_memory(binding: &Binding) -> bool {
    binding.is_bound() || binding.role == vyre::BindingRole::Persistent
}

fn launch(
    kernel: &Kernel,
    program: &Program,
    device: &mut Allocated,
    workgroups: [u32; 3],
    options: &Options<'_>,
) -> Result<Report, Failure> {
    let module =
        parse(&kernel.ptx).map_err(|error| nvidia::bug(&format!("the interpreter reads no PTX: {error}")))?;
    // The one that a device would run.
    let entry = module.entry(kernel.entry_for(|buffer| device.bytes(program, buffer), workgroups));
    let entry = entry.ok_or_else(|| nvidia::bug("the kernel has no entry"))?;
    let params = device.params(kernel, program, workgroups)?;
    let launch = Launch {
        grid: workgroups,
        block: kernel.workgroup_size,
        dynamic_shared: kernel.dynamic_shared,
        params: &params,
        cooperative: kernel.waits,
    };
    run(entry, &mut device.memory, &launch, options).map_err(|fault| told(&fault, kernel, program))
}

/// A fault with its lines of the source and of the PTX.
fn told(fault: &Fault, kernel: &Kernel, program: &Program) -> Failure {
    let mut message = fault.message.clone();
    if let Some((block, thread)) = fault.place {
        let three = |at: [u32; 3]| at.map(|n| n.to_string()).join(",");
        message += &format!(" (invocation {} of workgroup {})", three(thread), three(block));
    }
    let lines = [Some(fault.line), fault.other.as_ref().map(|other| other.line)];
    for line in lines.into_iter().flatten() {
        if let Some(text) = line.checked_sub(1).and_then(|i| kernel.ptx.lines().nth(i)) {
            message += &format!("\n  PTX line {line}: {}", text.trim());
        }
    }
    let mut diagnostic = Diagnostic::new(codes::C032, message).in_source(program.source.as_ref());
    let other = fault.other.as_ref().and_then(|other| other.source.as_ref());
    let labels = match other {
        Some(_) => ["one access", "the other"],
        None => ["", ""],
    };
    for (at, label) in [fault.source.as_ref(), other].into_iter().zip(labels) {
        if let (Some((_, line, column)), Some(source)) = (at, &program.source) {
            diagnostic = diagnostic.at(place(source, *line, *column), label);
        }
    }
    failed(match fix(fault.kind) {
        Some(fix) => diagnostic.fix(fix),
        None => diagnostic,
    })
}

fn fix(kind: FaultKind) -> Option<&'static str> {
    match kind {
        FaultKind::Race => Some("Put a barrier between the two accesses, or make both atomic."),
        FaultKind::Barrier => Some("Put the barrier where all invocations of the workgroup come."),
        FaultKind::Deadlock => Some("Wait only for what other invocations do whatever happens."),
        FaultKind::StepLimit => Some("Allow more with `--step-limit`, or run fewer threads."),
        FaultKind::Uninitialized => Some("Write the memory before it is read."),
        _ => None,
    }
}

/// The place of a line and a column, both from 1, the column in bytes.
fn place(source: &Source, line: usize, column: usize) -> Loc {
    let start = source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (start + column.saturating_sub(1)).min(source.text.len()) as u32;
    Loc::span(at, at + 1)
}

/// A run without a fault.
struct Ran<'a> {
    program: &'a Program,
    arch: Arch,
    workgroups: [u32; 3],
    seed: u64,
    report: &'a Report,
    /// Of a queue.
    counts: Option<QueueCounts>,
    results: &'a Results<'a>,
}

impl Ran<'_> {
    fn text(&self) -> String {
        let queue = self.counts.as_ref().map_or(String::new(), |counts| {
            let QueueCounts { processed, windows, high_water, .. } = counts;
            format!("{processed} items in {windows} windows, {high_water} in the queue at most, ")
        });
        let mut text = format!(
            "{} on {BACKEND} ({}, seed {}): {queue}grid of {} workgroups, {} invocations each, {}, no fault\n",
            self.program.name,
            self.arch,
            self.seed,
            shape(self.workgroups),
            shape(self.program.workgroup_size),
            counted(self.report.steps, "step"),
        );
        text += &self.results.text();
        let header = ["source", "instruction", "PTX line", "warps", "transactions", "a warp", "at least"];
        let mut rows = vec![header.map(String::from)];
        rows.extend(self.report.accesses.iter().filter(|access| access.warps > 0).map(row));
        if rows.len() > 1 {
            text += "\nwhat accesses to memory cost: sectors of 32 bytes, or passes over the banks of workgroup memory\n";
            text += &table(&rows);
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let access = |access: &Counters| {
            let source = access.source.as_ref();
            json!({
                "file": source.map(|(file, _, _)| file),
                "line": source.map(|(_, line, _)| line),
                "column": source.map(|(_, _, column)| column),
                "instruction": access.instruction,
                "ptx_line": access.line,
                "warps": access.warps,
                "transactions": access.transactions,
                "least": access.least,
            })
        };
        json!({
            "program": self.program.name,
            "backend": BACKEND,
            "arch": self.arch.to_string(),
            "seed": self.seed,
            "workgroups": self.workgroups,
            "workgroup_size": self.program.workgroup_size,
            "queue": self.counts.as_ref().map(|counts| {
                json!({ "items": counts.processed, "high_water": counts.high_water, "windows": counts.windows })
            }),
            "steps": self.report.steps,
            "accesses": self.report.accesses.iter().map(access).collect::<Vec<_>>(),
            "outputs": self.results.json(),
        })
    }
}

fn row(access: &Counters) -> [String; 7] {
    let each = |n: u64| format!("{:.1}", n as f64 / access.warps as f64);
    let source = access.source.as_ref();
    [
        source.map(|(file, line, column)| format!("{file}:{line}:{column}")).unwrap_or_default(),
        access.instruction.clone(),
        access.line.to_string(),
        access.warps.to_string(),
        access.transactions.to_string(),
        each(access.transactions),
        each(access.least),
    ]
}

//! The command line's definition: help, completions and the man page come from here.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;
use vyre::Grid;

/// Compute programs in WGSL, SPIR-V or vyre's own form: run, check, translate, inspect.
#[derive(Parser, Debug)]
#[command(
    name = "vyre",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "\
Examples:
  vyre run mandelbrot.wgsl --threads 1024,1024 --out pixels=mandelbrot.png --verify
  vyre check kernel.wgsl
  vyre emit kernel.wgsl --target msl

Exit status: 0 done, 1 the work failed (a wrong result, a device error), 2 bad usage or bad input.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print one JSON document on standard output and nothing else there.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Compile a program, run it, and show what came out.
    Run(Box<RunArgs>),
    /// Run a program on an interpreter that finds races, and count what its accesses to memory cost.
    Debug(DebugArgs),
    /// Parse and verify a program; report every problem.
    Check(ProgramArgs),
    /// Print a program in another form.
    Emit(EmitArgs),
    /// Print a program as the optimizer leaves it.
    Opt(OptArgs),
    /// List the devices, and say which one `auto` picks and why.
    Devices(DevicesArgs),
    /// List the operations of the intermediate representation and of dialects.
    Ops {
        /// Only those of this dialect.
        #[arg(long, value_name = "NAME")]
        dialect: Option<String>,
        /// Load a dialect from a file before.
        #[arg(long, value_name = "FILE.toml")]
        load: Vec<PathBuf>,
    },
    /// Measure kernels on a device and on what else could run them: rayon, lavapipe, PoCL, plain wgpu code.
    Bench(BenchArgs),
    /// Run the conformance suite: every operation on every type it takes, and the suite's programs, on devices.
    Conform(ConformArgs),
    /// Show or clear what the disk holds of programs that were compiled.
    #[command(after_help = "\
`vyre run` keeps compiled programs in the directory VYRE_CACHE_DIR, by default `vyre` in the directory that the system
has for caches. When that variable is empty or `off`, nothing is kept.")]
    Cache {
        /// What to do.
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Print a shell's completions.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    #[command(hide = true)]
    Man,
}

/// Which devices to list.
#[derive(Args, Debug)]
#[command(after_help = "\
The memory bandwidth of a device is measured once, which takes up to a second, and kept in the directory VYRE_CACHE_DIR,
by default `vyre` in the directory that the system has for caches. `vyre run` uses it and measures nothing.

Examples:
  vyre devices
  vyre devices --backend cpu --json")]
pub struct DevicesArgs {
    /// Only this device, or the devices of this backend. What `auto` picks is said of all the same.
    #[arg(long, value_name = "ID")]
    pub backend: Option<String>,
    /// Do not measure the memory bandwidth of devices of which it is not known.
    #[arg(long)]
    pub no_measure: bool,
}

/// What to do with the disk cache.
#[derive(Subcommand, Copy, Clone, PartialEq, Eq, Debug)]
pub enum CacheCommand {
    /// Where it is, and how much is in it.
    Stats,
    /// Remove everything in it.
    Clear,
}

/// Which program.
#[derive(Args, Debug, Clone)]
pub struct ProgramArgs {
    /// A WGSL, SPIR-V or vyre program; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The entry point, when there are several.
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,
    /// Set an `override` declaration.
    #[arg(long = "override", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub overrides: Vec<Override>,
    /// Load a dialect from a file before, so that the program can call its operations.
    #[arg(long = "load-dialect", value_name = "FILE.toml")]
    pub dialects: Vec<PathBuf>,
}

/// A program over its grid, with its buffers.
#[derive(Args, Debug)]
pub struct WorkArgs {
    /// The program.
    #[command(flatten)]
    pub program: ProgramArgs,
    /// Workgroups to run along each axis.
    #[arg(long, value_name = "X,Y,Z", conflicts_with = "threads")]
    pub grid: Option<Extent>,
    /// Threads to run at least along each axis; rounded up to whole workgroups.
    #[arg(long, value_name = "N[,M,K]")]
    pub threads: Option<Extent>,
    /// Give a buffer its contents.
    #[arg(long = "set", value_name = "NAME=SOURCE")]
    pub sets: Vec<Assignment>,
    /// Write a buffer's contents after the run.
    #[arg(long = "out", value_name = "NAME=SINK")]
    pub outs: Vec<Assignment>,
}

impl WorkArgs {
    /// Over which grid.
    pub fn grid(&self) -> Grid {
        match (self.grid, self.threads) {
            (Some(groups), _) => Grid::Workgroups(groups.0),
            (_, Some(threads)) => Grid::Threads(threads.0),
            _ => Grid::Infer,
        }
    }
}

/// The items of a work queue, and the queue.
#[derive(Args, Debug)]
pub struct QueueArgs {
    /// The items that a work queue starts with, for a program that handles items.
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["grid", "threads"], allow_hyphen_values = true)]
    pub items: Option<String>,
    /// How many items the work queue has room for.
    #[arg(long, value_name = "N", default_value_t = 1 << 20)]
    pub capacity: u64,
    /// How many items of the work queue are handled at once at most.
    #[arg(long, value_name = "N", requires = "items")]
    pub window: Option<u64>,
    /// How many items an item pushes at most, if that is known: then none is lost for want of room.
    #[arg(long, value_name = "N", requires = "items")]
    pub pushes: Option<u32>,
}

/// How to run.
#[derive(Args, Debug)]
#[command(after_help = "\
SOURCE is FILE.npy, FILE.bin, FILE.png (a u32 a pixel, red lowest), bytes:FILE (any file, padded with zeros), zeros:N,
iota:N (0, 1, 2, ...), random:SEED:N, a number, or numbers as [1,2,3]; N counts elements. Where a buffer of 32-bit
integers stands for a structure of mixed types, 1.5f is the bits of that f32 and -3i those of that i32. A buffer that the
program writes and that is not set starts as zeros; without a declared size it has an element for each thread.

SINK is FILE.npy, FILE.bin, FILE.png or FILE.png:WIDTH (from u32 as RGBA, or f32 from 0 to 1), or - for text on standard
output, -:hex for the bits of each number.

Examples:
  vyre run mandelbrot.wgsl --threads 1024,1024 --out pixels=mandelbrot.png --verify
  vyre run byte_histogram.wgsl --set data=bytes:Cargo.lock --out counts=-
  vyre run saxpy.wgsl --set x=iota:1000 --set y=random:1:1000 --set a=0.5 --repeat 10
  vyre run blend.vyre --threads 64 --load-dialect color.toml --watch")]
pub struct RunArgs {
    /// What to run.
    #[command(flatten)]
    pub work: WorkArgs,
    /// The queue of a program that handles items.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// Have items for which there is no room wait in the host's memory.
    #[arg(long, requires = "pushes")]
    pub spill: bool,
    /// Where to run: a device's id, as `vyre devices` lists them, or `auto` for the best one of any kind that can run the
    /// program.
    #[arg(long, value_name = "ID", default_value = "auto")]
    pub backend: String,
    /// Run the reference interpreter too and compare. It checks a sample of workgroups when all would take more than
    /// about two seconds, unless workgroups can see each other's writes; `=all` leaves nothing out.
    #[arg(long, value_name = "all", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    pub verify: Option<Verify>,
    /// Run so many times and report the spread; with `--watch`, end after so many runs.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: Option<u32>,
    /// Run again each time that a file of `--load-dialect` changes, until interrupted. What is wrong with a changed file
    /// is reported, and the dialect stays as it was.
    #[arg(long, requires = "dialects")]
    pub watch: bool,
    /// Stop a run, or its verification, after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Write what took how long to a file that Perfetto (ui.perfetto.dev) and Chrome show.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Stop at the first access out of bounds, and say which one it is, instead of reading 0. Slower: the program is not
    /// optimized.
    #[arg(long)]
    pub checked: bool,
    /// Promise that no access is out of bounds, so that a device may do without looking. If one is, the device may be lost.
    #[arg(long, conflicts_with = "checked")]
    pub unchecked: bool,
    /// Allow floats that are rounded otherwise where that is faster.
    #[arg(long)]
    pub fast_math: bool,
    /// How a program runs that waits for its grid: `native` as one launch, which is an error where the grid is too large
    /// for that, `stages` as stages, `fit` as one launch where it fits.
    #[arg(long, value_name = "HOW", default_value = "fit")]
    pub grid_sync: Waiting,
}

/// What to look at.
#[derive(Args, Debug)]
#[command(after_help = "\
The program runs as the kernel that NVIDIA's driver would take, thread by thread, in an order that the seed decides. It
ends at the first race (two accesses of the same memory without an order between them, one of which writes and not both of
which are atomic), read of what was never written, access out of bounds, barrier that not all reach, or wait without an end.

The table says for each access to memory how often warps of 32 threads ran it, how many transactions that took, and how few
it could have taken: for global memory sectors of 32 bytes, for workgroup memory passes over its 32 banks.

SOURCE and SINK are those of `vyre run`.

Examples:
  vyre debug sum.wgsl --set data=random:1:4096 --set total=0
  vyre debug transpose.wgsl --threads 64,64 --set src=iota:4096 --seed 7 --json
  vyre debug tree.wgsl --items [9] --set found=zeros:10")]
pub struct DebugArgs {
    /// What to run.
    #[command(flatten)]
    pub work: WorkArgs,
    /// The queue of a program that handles items.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// What runs it: `ptx-vm`, an interpreter of NVIDIA's PTX.
    #[arg(long, value_name = "ID", default_value = "ptx-vm")]
    pub backend: String,
    /// For which NVIDIA architecture the code is; sm_90 when this is not given.
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,
    /// Decides in which order threads run.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Stop after so many instructions of all threads together.
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000)]
    pub step_limit: u64,
}

/// How a program runs that waits for its grid.
#[derive(ValueEnum, Copy, Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the option says it
pub enum Waiting {
    Fit,
    Native,
    Stages,
}

/// What to emit.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vyre emit kernel.wgsl --target vyre
  vyre emit kernel.wgsl --target spirv -o kernel.spv
  vyre emit kernel.wgsl --target ptx --arch sm_80")]
pub struct EmitArgs {
    /// The program.
    #[command(flatten)]
    pub program: ProgramArgs,
    /// The form.
    #[arg(long, value_name = "FORM")]
    pub target: Target,
    /// For which NVIDIA architecture `ptx` and `sass` are, such as sm_80; sm_90 when this is not given. Later
    /// architectures take the PTX of earlier ones.
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,
    /// Where to write it instead of standard output.
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
}

/// What to optimize and how much.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vyre opt kernel.wgsl
  vyre opt kernel.wgsl --after-each
  vyre opt kernel.wgsl --passes fold,dce
  vyre opt waits.wgsl --stage control")]
pub struct OptArgs {
    /// The program.
    #[command(flatten)]
    pub program: ProgramArgs,
    /// Stop after the first run of this pass.
    #[arg(long, value_name = "PASS", conflicts_with = "passes")]
    pub until: Option<String>,
    /// Run only these passes, in this order.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub passes: Vec<String>,
    /// Print the program after each pass that changed it.
    #[arg(long)]
    pub after_each: bool,
    /// Print what each pass did instead of the program, and what a program that waits for its grid costs as stages.
    #[arg(long, conflicts_with = "after_each")]
    pub stats: bool,
    /// Print this part of a program that waits for its grid, as it runs where devices cannot wait: the number of a stage,
    /// from 0 on, or `control` for what decides between stages.
    #[arg(long, value_name = "N", conflicts_with_all = ["stats", "after_each"])]
    pub stage: Option<String>,
}

/// What to measure.
#[derive(Args, Debug)]
#[command(after_help = "\
Kernels: saxpy, sum, mandelbrot, matmul, hash, gather, search, black-scholes.

The device and its peers work on the same data, each with its own copy in place before its time begins, in one process,
by turns, on all threads of the machine. Before that, the results of all are checked; a wrong one ends the command. The
ratio is the peer's median time by the device's: more is better. The spread is the two quartiles of the ratios of single
rounds.

Peers: rayon is Rust compiled for the processor at hand; lavapipe runs the same WGSL through wgpu on Vulkan in software
(Debian: mesa-vulkan-drivers); PoCL runs OpenCL (cargo feature `opencl`; Debian: pocl-opencl-icd). A device of backend
`wgpu` is measured against plain wgpu code on its own adapter, with wgpu's checks and without, and against itself when
it times each run; besides kernels on 64 MiB that is on 1 MiB, from source text to the first result, and with copies from
and to the host. A peer that is not there is listed with the reason.

With --json: {\"rows\": [{\"kernel\", \"case\", \"peer\", \"ours_ms\", \"peer_ms\", \"ratio\", \"spread\": [low, high]}], ...},
and beside the rows the machine, the times to compile, the cost of a dispatch, and the peers that are absent.

Examples:
  vyre bench cpu
  vyre bench wgpu:1
  vyre bench saxpy matmul --backend cpu --passes 21
  vyre bench hash --peers rayon,lavapipe --json")]
pub struct BenchArgs {
    /// Kernels to measure, or the id of a backend for all kernels on it; without any, all of them.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Where to run: a device's id, as `vyre devices` lists them, or `auto` for the best one of any kind.
    #[arg(long, value_name = "ID")]
    pub backend: Option<String>,
    /// Timed runs of each kernel on each; short ones are repeated up to 100 times as often.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub passes: u32,
    /// Only these peers; all when this is not given.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub peers: Option<Vec<BenchPeer>>,
    /// How much data: `full` is up to 64 MiB in a buffer, `mebibyte` about 1 MiB; of `small` the times mean nothing.
    #[arg(long, value_name = "SIZE", default_value = "full")]
    pub size: BenchSize,
}

/// How much data kernels work on.
#[derive(ValueEnum, Copy, Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the option says it
pub enum BenchSize {
    Full,
    Mebibyte,
    Small,
}

/// What to try.
#[derive(Args, Debug)]
#[command(after_help = "\
Each operation is applied to special and random numbers and compared with what it means. `exact` is bit by bit. A device
whose floats are not exact may be off: `2 ULP of 3` is the worst error and the bound, in units in the last place, and
`subnormals 0` says that numbers next to zero are zero there. `no f64` is what the device lacks, WRONG a failure, told below
the table with its input. Operations that compute nothing by themselves count by the programs that use them.

With --json: {\"devices\": [{\"id\", \"passed\", \"rows\": [{\"op\", \"types\", \"verdict\", ...}], \"programs\"}], \"absent\"}; a
verdict is exact, near, passed, unsupported or wrong.

Examples:
  vyre conform
  vyre conform --backend cpu --backend wgpu:1
  vyre conform --backend wgpu --json

Exit status: 0 nothing is wrong, 1 something is, 2 there is no such device.")]
pub struct ConformArgs {
    /// A device's id, as `vyre devices` lists them; repeated. Without it all devices there are.
    #[arg(long, value_name = "ID")]
    pub backend: Vec<String>,
}

/// Who runs kernels besides the device.
#[derive(ValueEnum, Copy, Clone, PartialEq, Eq, Debug)]
pub enum BenchPeer {
    /// Nobody.
    None,
    /// Rust on all processors.
    Rayon,
    /// The same WGSL through wgpu on Vulkan in software.
    Lavapipe,
    /// OpenCL on the processor.
    Pocl,
    /// The same WGSL through wgpu on the device's own adapter, with its checks as by default.
    Wgpu,
    /// The same without checks.
    WgpuUnchecked,
    /// The device itself, each run timed by it.
    VyreTimed,
}

/// Forms that a program can be printed in.
#[derive(ValueEnum, Copy, Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// vyre's text form, as imported.
    Vyre,
    /// vyre's binary form, as imported.
    Wire,
    /// WGSL.
    Wgsl,
    /// SPIR-V.
    Spirv,
    /// Metal Shading Language.
    Msl,
    /// HLSL.
    Hlsl,
    /// What a workgroup does on vectors, as the backend `cpu` makes code of it.
    Gangs,
    /// Cranelift's intermediate language, as the backend `cpu` makes it.
    Clif,
    /// Machine code of this processor as text, as the backend `cpu` makes it.
    Asm,
    /// What NVIDIA's driver takes, as the backend `cuda` makes it.
    Ptx,
    /// Machine code of an NVIDIA device as text, as NVIDIA's ptxas and nvdisasm make it of the PTX.
    Sass,
}

/// How much to verify.
#[derive(ValueEnum, Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verify {
    /// As much as takes about two seconds.
    #[value(hide = true)]
    Auto,
    /// All workgroups.
    All,
}

/// Up to three numbers separated by commas; missing ones are 1.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Extent(pub [u32; 3]);

impl FromStr for Extent {
    type Err = String;
    fn from_str(text: &str) -> Result<Extent, String> {
        let mut axes = [1; 3];
        let parts: Vec<&str> = text.split(',').collect();
        if parts.len() > 3 {
            return Err("there are at most three axes".into());
        }
        for (axis, part) in axes.iter_mut().zip(parts) {
            *axis = match part.trim().parse::<u64>() {
                Ok(0) => return Err("an axis is at least 1".into()),
                Ok(n) => u32::try_from(n).map_err(|_| "an axis is less than 4294967296".to_string())?,
                Err(_) => return Err(format!("`{part}` is not a number from 1 to 4294967295")),
            };
        }
        Ok(Extent(axes))
    }
}

/// `NAME=TEXT`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// The buffer.
    pub name: String,
    /// What follows.
    pub value: String,
}

impl FromStr for Assignment {
    type Err = String;
    fn from_str(text: &str) -> Result<Assignment, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Assignment { name: name.into(), value: value.into() })
            }
            _ => Err("write NAME=...".into()),
        }
    }
}

/// `NAME=VALUE` of an override; `true` and `false` are 1 and 0.
#[derive(Clone, PartialEq, Debug)]
pub struct Override(pub String, pub f64);

impl FromStr for Override {
    type Err = String;
    fn from_str(text: &str) -> Result<Override, String> {
        let Assignment { name, value } = text.parse()?;
        let number = match value.as_str() {
            "true" => 1.0,
            "false" => 0.0,
            value => value
                .parse::<f64>()
                .ok()
                .filter(|x| x.is_finite())
                .ok_or(format!("`{value}` is not a number"))?,
        };
        Ok(Override(name, number))
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x <= 1e9 => Ok(x),
        _ => Err("write a number of seconds above 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn extents() {
        assert_eq!("4".parse(), Ok(Extent([4, 1, 1])));
        assert_eq!("4,5,6".parse(), Ok(Extent([4, 5, 6])));
        for text in ["", "0", "4,", "1,2,3,4", "4294967296", "-1", "x"] {
            assert!(text.parse::<Extent>().is_err(), "{text}");
        }
    }
}

//! What the driver layer costs: lookups, what a dispatch adds to the backend's own launch, and what a start with compiled
//! programs on disk saves.

use crate::bench::{Outcome, middle};
use std::ffi::OsStr;
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vyre::ir::dialect::{DialectRegistry, RegistryBuilder};
use vyre::{AlignedBytes, Cancel, Device, DispatchConfig, Grid, HostBytes, HostLaunch, Outputs};

/// Calls that are timed together.
const CALLS: u32 = 2_000;

/// How often they are.
const ROUNDS: usize = 41;

/// Threads that look operations up at once.
const READERS: u64 = 8;

/// The least that a program can be: one workgroup, one buffer in, one out.
const PROGRAM: &str = "
    @group(0) @binding(0) var<storage, read> x: array<u32>;
    @group(0) @binding(1) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(64)
    fn add(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] += x[id.x]; }";

/// Runs of the command whose whole time is measured, with and without compiled programs on disk.
const STARTS: [(&str, &[&str]); 4] = [
    ("mandelbrot", &["--threads", "64,64"]),
    ("sha256", &["--set", "messages=[6513249]", "--set", "lengths=[3]", "--set", "digests=zeros:8"]),
    ("nbody", &["--set", "bodies=random:1:2048", "--set", "next=zeros:2048"]),
    (
        "matmul_tiled",
        &[
            "--override",
            "n=32",
            "--set",
            "a=random:1:1024",
            "--set",
            "b=random:2:1024",
            "--set",
            "c=zeros:1024",
        ],
    ),
];

/// Prints the figures as tables.
pub fn bench() -> Outcome<()> {
    println!("\n## The driver layer\n");
    println!("| what | ns | from | to |\n|---|---|---|---|");
    let rows = [lookups(), dispatches()?].concat();
    for (name, mut rounds) in rows {
        rounds.sort_by(f64::total_cmp);
        let (least, most) = (rounds[0], rounds[rounds.len() - 1]);
        println!("| {name} | {:.1} | {least:.1} | {most:.1} |", middle(rounds));
    }
    starts()
}

/// Prints how long `vyre run` takes from start to end, with and without compiled programs on disk, run by turns.
fn starts() -> Outcome<()> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let build = ["build", "--release", "--quiet", "--package", "vyre-cli"];
    if !Command::new(env!("CARGO")).args(build).current_dir(root).status()?.success() {
        return Err("the command was not built".into());
    }
    let vyre = std::env::current_exe()?.with_file_name("vyre");
    let folder = std::env::temp_dir().join(format!("vyre-bench-{}", std::process::id()));
    println!("\n`vyre run` from start to end, medians of {ROUNDS} runs by turns:\n");
    println!("| example | nothing on disk, ms | compiled program on disk, ms | ratio |\n|---|---|---|---|");
    for (name, arguments) in STARTS {
        let run = |cache: &OsStr| -> Outcome<f64> {
            let start = Instant::now();
            let mut command = Command::new(&vyre);
            command.arg("run").arg(format!("{root}/examples/{name}.wgsl")).args(arguments);
            let output = command.env("VYRE_CACHE_DIR", cache).output()?;
            match output.status.success() {
                true => Ok(start.elapsed().as_secs_f64() * 1e3),
                false => Err(String::from_utf8_lossy(&output.stderr).into()),
            }
        };
        run(folder.as_os_str())?;
        let (mut cold, mut warm) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            cold.push(run(OsStr::new("off"))?);
            warm.push(run(folder.as_os_str())?);
        }
        let (cold, warm) = (middle(cold), middle(warm));
        println!("| {name} | {cold:.2} | {warm:.2} | {:.2} |", cold / warm);
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

type Row = (String, Vec<f64>);

/// Nanoseconds a call takes, round by round.
fn time(mut call: impl FnMut()) -> Vec<f64> {
    let round = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / CALLS as f64
    };
    (0..ROUNDS).map(round).collect()
}

fn lookups() -> Vec<Row> {
    let backend = time(|| {
        black_box(vyre::backend_precedence(black_box("cpu")));
    });
    let id = DialectRegistry::global().iter().next().map(|def| DialectRegistry::global().intern_op(&def.id));
    let mut rows = vec![("`backend_precedence(id)`".into(), backend)];
    if let Some(id) = id {
        let alone = time(|| {
            black_box(DialectRegistry::global().lookup(black_box(id)).is_some());
        });
        rows.push(("`DialectRegistry::global()` and `lookup(id)`, one thread".into(), alone));
        let (rounds, rate) = while_installing(id);
        let name = format!(
            "the same by {READERS} threads at once while another installs {rate:.0} snapshots a second, processor time"
        );
        rows.push((name, rounds));
    }
    rows
}

/// Processor time of a lookup while snapshots are installed, and how many of those a second.
fn while_installing(id: vyre::OpId) -> (Vec<f64>, f64) {
    let (stop, lookups, installed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64).min(READERS + 1);
    let mut rounds = Vec::new();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..1000 {
                        black_box(DialectRegistry::global().lookup(black_box(id)).is_some());
                    }
                    lookups.fetch_add(1000, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let again = RegistryBuilder::from(&DialectRegistry::global()).build();
                DialectRegistry::install(again.expect("it is that of before"));
                installed.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(700));
            }
        });
        for _ in 0..ROUNDS {
            let (start, before) = (Instant::now(), lookups.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(50));
            let done = lookups.load(Ordering::Relaxed) - before;
            rounds.push(start.elapsed().as_nanos() as f64 * cores as f64 / done.max(1) as f64);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let rate = installed.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64();
    (rounds, rate)
}

fn dispatches() -> Outcome<Vec<Row>> {
    let program = vyre::import_wgsl("add.wgsl", PROGRAM)?;
    let device = Device::open("cpu")?;
    let config = DispatchConfig { grid: Grid::Workgroups([1, 1, 1]), ..DispatchConfig::default() };
    let compiled = device.compile(&program, &config)?;
    let kernel = vyre_cpu::compile(compiled.program())?;
    let (x, y) = ([1u32; 64], [2u32; 64]);
    let inputs = [vyre::bytes_of(&x), vyre::bytes_of(&y)];
    let mut memory = AlignedBytes::copy_of(inputs[1], "a measurement")?;
    let cancel = Cancel::default();
    let mut outputs = Outputs::default();
    let (mut own, mut whole, mut added) = (Vec::new(), Vec::new(), Vec::new());
    // One after the other in each round, so that a slow phase of the machine hits both.
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            memory.copy_from_slice(inputs[1]);
            let bytes = [HostBytes::Read(inputs[0]), HostBytes::Write(&mut memory)];
            let mut launch = HostLaunch {
                workgroups: [1; 3],
                only: None,
                drain: None,
                memory: bytes.into_iter().collect(),
                cancel: &cancel,
            };
            kernel.launch(&mut launch)?;
        }
        own.push(start.elapsed().as_nanos() as f64 / CALLS as f64);
        let start = Instant::now();
        for _ in 0..CALLS {
            compiled.dispatch_into(&inputs, &config, &mut outputs)?;
        }
        whole.push(start.elapsed().as_nanos() as f64 / CALLS as f64);
        added.push(whole[whole.len() - 1] - own[own.len() - 1]);
    }
    Ok(vec![
        ("the launch of one workgroup by the backend `cpu` itself".into(), own),
        ("`Compiled::dispatch_into` of the same".into(), whole),
        ("what the driver adds".into(), added),
    ])
}

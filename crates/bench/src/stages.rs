//! Programs that wait for their grid, as stages, against their stages as dispatches of their own in one submission.
//!
//! 16 steps over 4 MiB: each makes every element of one half a mix of three elements of the other. A step is one text,
//! whoever runs it; the program waits for its grid after each.

use crate::error::BenchError;
use crate::kernels::Size;
use crate::measure::{by_turns, median, quartiles};
use crate::runner::Loaded;
use vyre::{Compiled, Device, DispatchConfig, Grid, GridSync, Resident, ResidentOptions, Resource, bytes_of};

/// What `vyre bench` calls them.
pub const NAME: &str = "stages";

/// Steps of each program.
const STEPS: u32 = 16;

/// Invocations of a workgroup.
const WORKGROUP: u32 = 256;

/// `last` has all bits below the number of elements, which is a power of two.
const HEAD: &str = "
    @group(0) @binding(0) var<storage, read_write> a: array<u32>;
    @group(0) @binding(1) var<storage, read_write> b: array<u32>;
    fn vyreGridSync() {}
    @compute @workgroup_size(256)
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        let i = id.x;
        let last = arrayLength(&a) - 1u;";

/// The text of a step.
fn step(from: &str, to: &str) -> String {
    let at = |by: u32| format!("{from}[(i + {by}u) & last]");
    format!("{to}[i] = {} * 3u + ({} ^ {});", at(0), at(1), at(1000))
}

fn in_turn(sync: &str) -> String {
    format!("{} {sync} {} {sync}", step("a", "b"), step("b", "a"))
}

/// The program with its steps one after the other, and in a loop.
fn programs() -> [(&'static str, String); 2] {
    let pair = in_turn("vyreGridSync();");
    let pairs = STEPS / 2;
    [
        ("in a row", format!("{HEAD} {} }}", pair.repeat(pairs as usize))),
        ("in a loop", format!("{HEAD} for (var round = 0u; round < {pairs}u; round++) {{ {pair} }} }}")),
    ]
}

/// What is in both halves after all steps.
fn expected(mut a: Vec<u32>) -> [Vec<u32>; 2] {
    let mix = |from: &[u32]| -> Vec<u32> {
        let at = |i: usize| from[i % from.len()];
        (0..from.len()).map(|i| at(i).wrapping_mul(3).wrapping_add(at(i + 1) ^ at(i + 1000))).collect()
    };
    let mut b = vec![];
    for _ in 0..STEPS / 2 {
        b = mix(&a);
        a = mix(&b);
    }
    [a, b]
}

/// Programs that run one after the other on two halves, so often.
struct Sequence {
    device: Device,
    programs: Vec<Compiled>,
    rounds: u32,
    halves: [Resident; 2],
    first: Vec<u32>,
    config: DispatchConfig,
}

impl Sequence {
    fn new(device: &Device, sources: &[String], rounds: u32, first: &[u32]) -> Result<Sequence, BenchError> {
        let grid = Grid::Workgroups([first.len() as u32 / WORKGROUP, 1, 1]);
        let config = DispatchConfig { grid, grid_sync: GridSync::Stages, ..DispatchConfig::default() };
        let compile = |source: &String| device.compile(&vyre::import_wgsl("stages.wgsl", source)?, &config);
        let half = |name: &str| {
            let bytes = 4 * first.len() as u64;
            device.allocate(ResidentOptions { name: name.into(), bytes, ..ResidentOptions::default() })
        };
        Ok(Sequence {
            device: device.clone(),
            programs: sources.iter().map(compile).collect::<Result<_, _>>()?,
            rounds,
            halves: [half("a")?, half("b")?],
            first: first.to_vec(),
            config,
        })
    }

    /// Runs it on the first data and compares.
    fn check(&mut self, who: &str) -> Result<(), BenchError> {
        self.halves[0].upload(bytes_of(&self.first))?;
        self.run()?;
        let wrong = |what| BenchError::Wrong { who: who.into(), kernel: NAME, what };
        for (half, (found, wanted)) in self.read()?.iter().zip(expected(self.first.clone())).enumerate() {
            if let Some(i) = found.iter().zip(&wanted).position(|(found, wanted)| found != wanted) {
                return Err(wrong(format!("element {i} of half {half} is {}, not {}", found[i], wanted[i])));
            }
        }
        Ok(())
    }
}

impl Loaded for Sequence {
    fn run(&mut self) -> Result<(), BenchError> {
        let resources = self.halves.each_ref().map(Resource::Resident);
        let mut batch = self.device.batch();
        batch.repeat(self.rounds, |batch| {
            self.programs.iter().try_for_each(|program| batch.dispatch(program, &resources, &self.config))
        })?;
        batch.run(&[])?;
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        let bytes = self.device.download(&self.halves.each_ref().map(Resident::whole))?;
        Ok(bytes.iter().map(|bytes| bytemuck::cast_slice(bytes).to_vec()).collect())
    }
}

/// A program against its stages.
pub struct StagesRow {
    /// How its steps are.
    pub about: String,
    /// Stages that it has.
    pub stages: usize,
    /// Bytes that a run copied to the device and from it.
    pub copied: [u64; 2],
    /// Median milliseconds as stages.
    pub ms: f64,
    /// Median milliseconds of the dispatches.
    pub peer_ms: f64,
    /// The dispatches' median by ours.
    pub ratio: f64,
    /// The quartiles of the ratios of single rounds.
    pub spread: [f64; 2],
}

/// Measures programs on a device, by turns with their stages as dispatches.
///
/// # Errors
/// What the device refuses, and a wrong result of anybody.
pub fn measure(
    device: &Device,
    size: Size,
    passes: usize,
    progress: &dyn Fn(&str),
) -> Result<Vec<StagesRow>, BenchError> {
    // Two halves of 4 MiB.
    let n: u32 = if size == Size::Small { 2048 } else { 512 << 10 };
    let first: Vec<u32> = (0..n).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
    let steps = [("a", "b"), ("b", "a")].map(|(from, to)| format!("{HEAD} {} }}", step(from, to)));
    let rows = programs().into_iter().map(|(how, source)| {
        progress(&format!("{NAME}, {STEPS} steps {how}"));
        let mut ours = Sequence::new(device, &[source], 1, &first)?;
        let mut peer = Sequence::new(device, &steps, STEPS / 2, &first)?;
        ours.check(device.id())?;
        peer.check("dispatches")?;
        let counted = || -> [u64; 2] {
            let all = device.metrics();
            let of = |name| all.iter().find(|(counter, _)| *counter == name).map_or(0, |(_, n)| *n);
            ["bytes_uploaded", "bytes_downloaded"].map(of)
        };
        let before = counted();
        ours.run()?;
        let after = counted();
        let stages = ours.programs[0].stages().map_or(1, |costs| costs.stages);
        let times = by_turns(&mut [Box::new(ours), Box::new(peer)], passes)?;
        let (ms, peer_ms) = (median(&times[0]), median(&times[1]));
        let ratios: Vec<f64> = times[1].iter().zip(&times[0]).map(|(peer, ours)| peer / ours).collect();
        Ok(StagesRow {
            about: format!("{STEPS} steps {how} over {} KiB", n / 128),
            stages,
            copied: [0, 1].map(|i| after[i] - before[i]),
            ms,
            peer_ms,
            ratio: peer_ms / ms,
            spread: quartiles(&ratios),
        })
    });
    rows.collect()
}

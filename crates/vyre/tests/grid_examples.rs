//! The examples that wait for their grid, against independent computations: on every device, as stages and, where it has
//! that, as one launch, on grids of one workgroup and of several; and stage by stage on the oracle with the last
//! workgroup first, which finds what only works because workgroups happen to run in order. All data stay on the device; only
//! outputs come back.

mod expected;

use expected::grid::{self, Incoming};
use std::path::Path;
use vyre::ir::{BufferDecl, Program};
use vyre::opt::split::split;
use vyre::wgsl::ImportOptions;
use vyre::{
    BackendError, Device, DispatchConfig, Grid, GridSync, Resident, ResidentOptions, Resource, bytes_of,
};
use vyre_conformance::staged::run_stages;
use vyre_reference::Options;

/// A run of an example.
struct Case<'a> {
    name: &'a str,
    overrides: &'a [(&'a str, f64)],
    grid: Grid,
    /// The words of each buffer, in the order of bindings.
    buffers: Vec<Vec<u32>>,
}

/// How a device runs it.
struct Runs<'a> {
    device: &'a Device,
    grid_sync: GridSync,
    /// Not the device, but the oracle, stage by stage, with the last workgroup first.
    reversed: bool,
}

impl Case<'_> {
    fn program(&self) -> Program {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(self.name);
        let source = std::fs::read_to_string(path).unwrap();
        let overrides = self.overrides.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        let options = ImportOptions { entry: None, overrides };
        vyre::wgsl::import_wgsl(self.name, &source, &options).unwrap_or_else(|e| panic!("{e:#?}"))
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

/// Runs the stages of a program on the oracle with the last workgroup first.
fn run_reversed(case: &Case<'_>) -> Vec<Vec<u32>> {
    let p = case.program();
    let workgroups = match case.grid {
        Grid::Workgroups(workgroups) => workgroups,
        Grid::Threads(threads) => [0, 1, 2].map(|axis| threads[axis].div_ceil(p.workgroup_size[axis])),
        Grid::Infer => unreachable!("all cases say their grid"),
    };
    // The examples declare their buffers in the order of bindings.
    let mut bound = case.buffers.iter();
    let of = |decl: &BufferDecl| match decl.memory.is_bound() {
        true => bytes_of(bound.next().unwrap()).to_vec(),
        false => vec![],
    };
    let mut memory: Vec<Vec<u8>> = p.buffers.values().map(of).collect();
    let order: Vec<u64> = (0..workgroups.iter().map(|&n| u64::from(n)).product()).rev().collect();
    let options = Options { workgroups: Some(&order), ..Options::default() };
    run_stages(&p, &split(&p).unwrap(), workgroups, &mut memory, &options).unwrap();
    let written = |decl: &BufferDecl| decl.memory.is_bound() && decl.access.writes();
    p.buffers.values().zip(memory).filter(|(decl, _)| written(decl)).map(|(_, bytes)| words(&bytes)).collect()
}

impl Runs<'_> {
    fn counted(&self, name: &str) -> u64 {
        let all = self.device.metrics();
        all.iter().find(|(counter, _)| *counter == name).unwrap().1
    }

    /// What is in the buffers that it writes afterwards; None where the grid has more workgroups than can wait.
    fn run(&self, case: &Case<'_>) -> Option<Vec<Vec<u32>>> {
        if self.reversed {
            return Some(run_reversed(case));
        }
        let config =
            DispatchConfig { grid: case.grid, grid_sync: self.grid_sync, ..DispatchConfig::default() };
        let compiled = self.device.compile(&case.program(), &config);
        let compiled = compiled.unwrap_or_else(|e| panic!("{self}, {}: {e}", case.name));
        let resident = |words: &Vec<u32>| {
            let bytes = 4 * words.len() as u64;
            let buffer = self.device.allocate(ResidentOptions { bytes, ..Default::default() }).unwrap();
            buffer.upload(bytes_of(words)).unwrap();
            buffer
        };
        let buffers: Vec<Resident> = case.buffers.iter().map(resident).collect();
        let resources: Vec<Resource<'_>> = buffers.iter().map(Resource::Resident).collect();
        let written: Vec<bool> = compiled.plan().bound().map(|b| b.output_index.is_some()).collect();
        let back = || buffers.iter().zip(&written).filter(|(_, written)| **written).map(|(b, _)| b.whole());
        let before = ["submissions", "bytes_downloaded"].map(|name| self.counted(name));
        let mut batch = self.device.batch();
        batch.dispatch(&compiled, &resources, &config).unwrap();
        let outputs = match batch.run(&back().collect::<Vec<_>>()) {
            Err(BackendError::CooperativeLaunchTooLarge { .. }) if self.grid_sync == GridSync::Native => {
                return None;
            }
            outputs => outputs.unwrap_or_else(|e| panic!("{self}, {}: {e}", case.name)).regions,
        };
        let after = ["submissions", "bytes_downloaded"].map(|name| self.counted(name));
        let bytes: usize = outputs.iter().map(|bytes| bytes.len()).sum();
        assert_eq!([after[0] - before[0], after[1] - before[1]], [1, bytes as u64], "{self}, {}", case.name);
        Some(outputs.iter().map(|bytes| words(bytes)).collect())
    }
}

impl std::fmt::Display for Runs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.reversed { ", last workgroup first" } else { "" };
        write!(f, "{} {:?}{how}", self.device.profile().name, self.grid_sync)
    }
}

/// Runs a check on each device in each way. It is told whether to do a large one, too; gives whether it ran at all.
fn on_each(check: impl Fn(&Runs<'_>, bool) -> bool) {
    let mut names = vec!["cpu".to_string(), "cpu-ref".to_string()];
    names.extend(vyre_conformance::devices::devices("wgpu"));
    for name in names {
        let device = Device::open(&name).unwrap();
        let native = device.profile().supports_grid_sync.then_some(GridSync::Native);
        for grid_sync in [GridSync::Stages].into_iter().chain(native) {
            let runs = Runs { device: &device, grid_sync, reversed: false };
            assert!(check(&runs, name == "cpu"), "{runs}: no grid was small enough");
        }
        if name == "cpu-ref" {
            check(&Runs { device: &device, grid_sync: GridSync::Stages, reversed: true }, false);
        }
    }
}

/// Reproducible numbers: Marsaglia's xorshift32.
fn numbers(seed: u32, n: usize) -> Vec<u32> {
    let mut x = seed | 1;
    let next = |_| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x
    };
    (0..n).map(next).collect()
}

fn floats(words: &[u32]) -> Vec<f32> {
    words.iter().map(|&word| f32::from_bits(word)).collect()
}

fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|x| x.to_bits()).collect()
}

fn workgroups(n: u32) -> Grid {
    Grid::Workgroups([n, 1, 1])
}

#[test]
fn prefix_sum() {
    on_each(|runs, large| {
        let small = [(1, 1), (1000, 1), (3000, 1), (3, 2), (2048, 2), (5001, 3), (9000, 4)];
        let sizes = small.into_iter().chain(large.then_some((300_001, 37)));
        let mut ran = false;
        for (n, groups) in sizes {
            let values = numbers(n, n as usize);
            let (sums, _) = expected::inclusive_scan(&values, values.len());
            let buffers = vec![values, vec![7; n as usize], vec![7; groups]];
            let grid = workgroups(groups as u32);
            let case = Case { name: "prefix_sum_grid.wgsl", overrides: &[], grid, buffers };
            let Some(got) = runs.run(&case) else { continue };
            assert_eq!(got[0], sums, "{runs}: {n} values, {groups} workgroups");
            ran = true;
        }
        ran
    });
}

#[test]
fn merge_sort() {
    on_each(|runs, large| {
        let small = [(1, 1), (2, 1), (3, 1), (256, 1), (700, 1), (511, 2), (1025, 4)];
        let sizes = small.into_iter().chain(large.then_some((50_000, 40)));
        let mut ran = false;
        for (n, groups) in sizes {
            // Many of them twice.
            let keys: Vec<u32> = numbers(n, n as usize).into_iter().map(|x| x >> (x & 31)).collect();
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            let grid = workgroups(groups);
            let case = Case { name: "merge_sort.wgsl", overrides: &[], grid, buffers: vec![keys] };
            let Some(got) = runs.run(&case) else { continue };
            assert_eq!(got[0], sorted, "{runs}: {n} keys, {groups} workgroups");
            ran = true;
        }
        ran
    });
}

#[test]
fn jacobi() {
    on_each(|runs, large| {
        let small = [(2, 2, 9), (3, 3, 9), (16, 16, 1000), (16, 9, 4), (20, 33, 1000)];
        let sizes = small.into_iter().chain(large.then_some((100, 61, 1000)));
        let mut ran = false;
        for (width, height, max_rounds) in sizes {
            let n = width * height;
            let mut cells: Vec<f32> =
                numbers(n as u32, n).into_iter().map(|x| (x >> 8) as f32 / 16_777_216.0).collect();
            let case = Case {
                name: "jacobi.wgsl",
                overrides: &[
                    ("width", width as f64),
                    ("tolerance", 0.0009765625),
                    ("max_rounds", max_rounds.into()),
                ],
                grid: Grid::Threads([width as u32, height as u32, 1]),
                buffers: vec![bits(&cells), vec![7; n], vec![0; 2]],
            };
            let Some(got) = runs.run(&case) else { continue };
            let rounds = grid::jacobi(&mut cells, width, 0.0009765625, max_rounds);
            assert_eq!(got[2][1], rounds, "{runs}: {width} x {height}");
            assert_eq!(floats(&got[0]), cells, "{runs}: {width} x {height}");
            ran = true;
        }
        ran
    });
}

/// Edges between random vertices, most of them from a few.
fn graph(vertices: u32, edges: usize) -> Incoming {
    let mut incoming = vec![vec![]; vertices as usize];
    for pair in numbers(vertices, 2 * edges).chunks_exact(2) {
        let source = (pair[0] >> (pair[0] & 7)) % vertices;
        incoming[(pair[1] % vertices) as usize].push(source);
    }
    incoming
}

#[test]
fn pagerank() {
    on_each(|runs, large| {
        let small = [(1, 1, 1), (50, 400, 1), (130, 300, 2), (200, 1000, 3)];
        let sizes = small.into_iter().chain(large.then_some((5000, 40_000, 60)));
        let mut ran = false;
        for (vertices, edges, groups) in sizes {
            let graph = graph(vertices, edges);
            let mut offsets = vec![0];
            offsets.extend(graph.iter().scan(0, |sum, sources| {
                *sum += sources.len() as u32;
                Some(*sum)
            }));
            let zeros = vec![0; graph.len()];
            let case = Case {
                name: "pagerank.wgsl",
                overrides: &[],
                grid: workgroups(groups),
                buffers: vec![
                    offsets,
                    graph.concat(),
                    grid::degrees(&graph),
                    zeros.clone(),
                    zeros,
                    vec![0; 2],
                ],
            };
            let Some(got) = runs.run(&case) else { continue };
            let (ranks, rounds) = grid::page_rank(&graph, 1e-6, 200);
            let (found, made, what) = (floats(&got[0]), got[2][1], format!("{runs}: {vertices} vertices"));
            assert!(grid::page_rank_error(&graph, &found) < 2e-6, "{what}");
            if runs.device.profile().exact_floats {
                assert_eq!((found, made), (ranks, rounds), "{what}");
            } else {
                // Shares and first ranks are quotients, which are up to 3 ULP off, and a round passes on 0.85 of what is
                // off: all in all 3 / (1 - 0.85) ULP. So one round more or less may be needed, which makes 1e-6.
                assert!(made.abs_diff(rounds) <= 1, "{what}: {made} rounds, not {rounds}");
                let slack = |rank: f32| 1e-6 + 20.0 * f32::EPSILON * rank;
                let off = found.iter().zip(&ranks).position(|(a, &b)| (a - b).abs() > slack(b));
                assert_eq!(off, None, "{what}");
            }
            ran = true;
        }
        ran
    });
}

#[test]
fn four_pages() {
    // By solving the four equations by hand: r3 = 0.0375, r1 = 0.0375 + 0.425 r0, r0 = 0.0375 + 0.85 r2,
    // r2 = 0.0375 + 0.425 r0 + 0.85 r1 + 0.85 r3.
    let r0 =
        (0.0375 + 0.85 * (0.0375 + 0.85 * 0.0375 + 0.85 * 0.0375)) / (1.0 - 0.85 * (0.425 + 0.85 * 0.425));
    let r1 = 0.0375 + 0.425 * r0;
    let r2 = (r0 - 0.0375) / 0.85;
    let want = [r0, r1, r2, 0.0375];
    on_each(|runs, _| {
        let buffers = vec![
            vec![0, 1, 2, 5, 5],
            vec![2, 0, 0, 1, 3],
            vec![2, 1, 1, 1],
            vec![0; 4],
            vec![0; 4],
            vec![0; 2],
        ];
        let case = Case { name: "pagerank.wgsl", overrides: &[], grid: workgroups(1), buffers };
        let got = floats(&runs.run(&case).unwrap()[0]);
        for (got, want) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-5, "{runs}: {got} {want}");
        }
        true
    });
}

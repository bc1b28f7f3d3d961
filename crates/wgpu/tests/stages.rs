//! Programs in stages that are written by hand, on every device of `wgpu` and on the processor. What is expected is
//! computed here, in loops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vyre_conformance::devices::devices;
use vyre_driver::{
    BackendError, Cancel, Command, CompileOptions, Control, DeviceMemory, Executable, LaunchMemory,
    MemoryRequest, Placement, Stages, Submitted, VyreBackend,
};
use vyre_ir::{Buffer, Entity, Program};
use vyre_opt::stages::{self, Costs, Staged, Turn};
use vyre_wgpu::{Shaders, WgpuBackend};

/// Words of the state: up to eight blocks, and eight values.
const WORDS: u32 = 4 + 4 * 8 + 8;

/// The first value.
const VALUES: u32 = 4 + 4 * 8;

/// Runs a test on every device.
fn on_each(test: impl Fn(&dyn VyreBackend)) {
    let processor = vyre_cpu::open(vyre_cpu::Engine::Code).unwrap();
    test(&*processor);
    for number in 0..devices("wgpu").len() {
        let backend = WgpuBackend::open(number, Shaders::Best).unwrap();
        println!("on {}", backend.profile().name);
        test(&backend);
    }
}

/// A program of buffers `data` and `state`.
fn program(state: &str, body: &str, workgroup: u32) -> Program {
    let source = format!(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @group(0) @binding(1) var<storage, {state}> state: array<u32, {WORDS}>;
        @compute @workgroup_size({workgroup})
        fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>,
                @builtin(num_workgroups) groups: vec3<u32>) {{
            if groups.z == 99u {{ data[0] = state[0]; }} // It has both buffers.
            {body}
        }}"
    );
    let p = vyre_wgsl::import_wgsl("test.wgsl", &source, &Default::default());
    p.unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// Stages of workgroups of 64.
fn stage(body: &str) -> Program {
    program("read", &format!("let i = id.x; {body}"), 64)
}

/// The control program of so many blocks: `decide` sets `next`, the block after block `after`. The state's values are
/// words 36 and so on.
fn control(blocks: u32, decide: &str) -> Program {
    let body = format!(
        "let after = group.x;
        if state[0] != after {{ return; }}
        var next = 0xffffffffu;
        {decide}
        state[0] = next;
        for (var b = 0u; b < {blocks}u; b++) {{
            for (var axis = 0u; axis < 3u; axis++) {{
                state[4u + 4u * b + axis] = select(0u, state[1u + axis], b == next);
            }}
        }}
        if groups.x != {blocks}u + 1u {{ data[0] = 77777u; }}"
    );
    program("read_write", &body, 1)
}

/// Stages and how they follow each other; each block has one stage.
fn staged(stages: &[&str], decide: &str, turns: Vec<Turn>) -> Staged {
    let blocks = (0..stages.len()).map(|i| i..i + 1).collect();
    let program = control(stages.len() as u32, decide);
    assert_eq!(program.buffers.len(), 2);
    let control = stages::Control { program, state: Buffer::new(1), words: WORDS, blocks, turns };
    let stages = stages.iter().map(|body| stage(body)).collect();
    Staged { stages, control: Some(control), scratch: Vec::new(), costs: Costs::default() }
}

/// What a run gives: the data, the state, and how it went.
struct Ran {
    data: Vec<u32>,
    result: Result<Submitted, BackendError>,
}

/// A backend with a program that is compiled for it.
struct Run<'a> {
    backend: &'a dyn VyreBackend,
    staged: &'a Staged,
    stages: Vec<Arc<dyn Executable>>,
    control: Option<Arc<dyn Executable>>,
}

impl<'a> Run<'a> {
    fn new(backend: &'a dyn VyreBackend, staged: &'a Staged) -> Run<'a> {
        let compile = |p: &Program| {
            let p = vyre_opt::optimize(p, &backend.target().unwrap());
            backend.compile(&Arc::new(p), &CompileOptions::default()).unwrap_or_else(|e| panic!("{e}"))
        };
        let stages = staged.stages.iter().map(compile).collect();
        Run { backend, staged, stages, control: staged.control.as_ref().map(|c| compile(&c.program)) }
    }

    fn allocate(&self, bytes: u64) -> Arc<dyn DeviceMemory> {
        let request = MemoryRequest { bytes, placement: Placement::default(), what: "a test" };
        self.backend.allocate(&request).unwrap()
    }

    fn command<'c>(&'c self, memory: [&'c dyn DeviceMemory; 2], workgroups: [u32; 3]) -> Command<'c> {
        Command::Stages(Stages {
            stages: self.stages.iter().map(|stage| &**stage).collect(),
            control: (self.control.as_deref().zip(self.staged.control.as_ref()))
                .map(|(executable, plan)| Control { executable, plan }),
            workgroups,
            memory: memory.map(|memory| LaunchMemory::Device { memory, writes: true }).into_iter().collect(),
            timed: true,
        })
    }

    /// Runs it several times in one submission, on `data`, with `values` in the state each time.
    fn times(
        &self,
        times: usize,
        data: &[u32],
        values: &[u32],
        workgroups: [u32; 3],
        cancel: &Cancel,
    ) -> Ran {
        let memory = self.allocate(4 * data.len() as u64);
        let state = self.allocate(4 * u64::from(WORDS));
        let mut start = match &self.staged.control {
            Some(control) => control.start(workgroups),
            None => vec![0; 4 * WORDS as usize],
        };
        let place = &mut start[4 * VALUES as usize..][..4 * values.len()];
        place.copy_from_slice(&bytes(values));
        let input = bytes(data);
        let mut out = vec![0; input.len()];
        let mut commands = vec![Command::Upload { to: &*memory, offset: 0, bytes: &input }];
        for _ in 0..times {
            commands.push(Command::Upload { to: &*state, offset: 0, bytes: &start });
            commands.push(self.command([&*memory, &*state], workgroups));
        }
        // In two parts, one of them not at a word, so that they are recorded again rightly.
        let (head, tail) = out.split_at_mut(5);
        commands.push(Command::Download { from: &*memory, offset: 0, into: head });
        commands.push(Command::Download { from: &*memory, offset: 5, into: tail });
        let result = self.backend.submit(&mut commands, cancel);
        drop(commands);
        Ran { data: words(&out), result }
    }

    fn once(&self, data: &[u32], values: &[u32], workgroups: [u32; 3]) -> (Vec<u32>, Submitted) {
        let Ran { data, result } = self.times(1, data, values, workgroups, &Cancel::default());
        (data, result.unwrap_or_else(|e| panic!("{e}")))
    }
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()
}

#[test]
fn without_a_control_program_stages_run_once_each_in_order() {
    let first = stage("if i < 1000u { data[i] = data[i] * 3u; }");
    let second = stage("if i < 1000u { data[1000u + i] = data[999u - i] + groups.x; }");
    let staged =
        Staged { stages: vec![first, second], control: None, scratch: vec![], costs: Costs::default() };
    on_each(|backend| {
        let input: Vec<u32> = (0..2000).map(|i| i * 7 + 1).collect();
        let (data, submitted) = Run::new(backend, &staged).once(&input, &[], [16, 1, 1]);
        let expected = (0..2000).map(|i| if i < 1000 { input[i] * 3 } else { input[1999 - i] * 3 + 16 });
        assert_eq!(data, expected.collect::<Vec<_>>());
        assert_eq!(submitted.further_waits, 0);
    });
}

/// `data[i]` is added to, `state[36]` times, then doubled.
fn counting() -> Staged {
    staged(
        &["data[i] += i;", "data[i] = 2u * data[i] + groups.x;"],
        "if after == 0u { state[37] += 1u; }
         next = select(1u, 0u, state[37] < state[36]);
         if after == 1u { next = 0xffffffffu; }",
        vec![Turn::Loop(vec![Turn::Block(0)]), Turn::Block(1)],
    )
}

#[test]
fn the_device_decides_how_often_a_stage_runs() {
    let staged = counting();
    on_each(|backend| {
        let run = Run::new(backend, &staged);
        for times in [0, 1, 2, 100, 10_000] {
            let (data, submitted) = run.once(&[5; 192], &[times, 0], [3, 1, 1]);
            let expected: Vec<u32> = (0..192).map(|i| 2 * (5 + i * times) + 3).collect();
            assert_eq!(data, expected, "{times}");
            // Few turns are one submission; of many there are several, but not one each.
            let waits = submitted.further_waits;
            let most = if times < 120 { 0 } else { 100 };
            assert!(waits <= most, "{times} turns: {waits} further waits");
            if backend.id() == "wgpu" {
                assert_eq!(waits > 0, times > 5000);
            }
        }
    });
}

/// More workgroups along x than any device takes at once, and two of them along y.
#[test]
fn large_grids_run_in_parts() {
    let staged = staged(
        &[
            "if i % 64u == 0u && group.y == 1u { data[group.x] += group.x + groups.x; }",
            "if i % 64u == 0u && group.y == 0u { data[group.x] *= 3u; }",
        ],
        "if after == 0u { state[37] += 1u; }
         next = select(1u, 0u, state[37] < state[36]);
         if after == 1u { next = 0xffffffffu; }",
        vec![Turn::Loop(vec![Turn::Block(0)]), Turn::Block(1)],
    );
    let [x, y, z] = [65_537, 2, 1];
    on_each(|backend| {
        let (data, _) = Run::new(backend, &staged).once(&vec![1; x as usize], &[2, 0], [x, y, z]);
        let expected: Vec<u32> = (0..x).map(|i| 3 * (1 + 2 * (i + x))).collect();
        assert!(data == expected);
    });
}

#[test]
fn stages_that_go_on_are_over_before_what_follows() {
    let staged = counting();
    on_each(|backend| {
        let run = Run::new(backend, &staged);
        let ran = run.times(3, &[5; 64], &[700, 0], [1, 1, 1], &Cancel::default());
        let expected = (0..64).map(|i| (0..3).fold(5, |x, _| 2 * (x + i * 700) + 1));
        assert_eq!(ran.data, expected.collect::<Vec<u32>>());
        ran.result.unwrap();
    });
}

#[test]
fn loops_in_loops_and_blocks_around_them() {
    // For `a` in 0..state[36]: x += 1; for `b` in 0..state[37] (at least one): x = x * 5 + 1; then x ^= i.
    let staged = staged(
        &[
            "data[i] += 1u;",
            "data[i] = data[i] * 5u + 1u;",
            "data[i] ^= i;",
            "data[i] += state[38] + state[39];",
        ],
        "switch after {
            case 0u: { state[38] = 0u; next = 1u; }
            case 1u: { state[38] += 1u; next = select(2u, 1u, state[38] < state[37]); }
            case 2u: { state[39] += 1u; next = select(3u, 0u, state[39] < state[36]); }
            case 4u: { next = 0u; }
            default: {}
         }",
        vec![
            Turn::Loop(vec![Turn::Block(0), Turn::Loop(vec![Turn::Block(1)]), Turn::Block(2)]),
            Turn::Block(3),
        ],
    );
    on_each(|backend| {
        let run = Run::new(backend, &staged);
        for (outer, inner) in [(1, 1), (3, 40), (40, 3), (70, 70)] {
            let (data, _) = run.once(&[9; 128], &[outer, inner, 0, 0], [2, 1, 1]);
            let expected = (0..128u32).map(|i| {
                let turn = |x: u32, _| {
                    (0..inner).fold(x.wrapping_add(1), |x, _| x.wrapping_mul(5).wrapping_add(1)) ^ i
                };
                (0..outer).fold(9u32, turn).wrapping_add(inner + outer)
            });
            assert_eq!(data, expected.collect::<Vec<_>>(), "{outer} {inner}");
        }
    });
}

#[test]
fn a_program_that_never_ends_is_stopped() {
    let staged = staged(&["data[i] += 1u;"], "next = 0u;", vec![Turn::Loop(vec![Turn::Block(0)])]);
    on_each(|backend| {
        let run = Run::new(backend, &staged);
        let (cancel, running) = (Cancel::default(), AtomicBool::new(false));
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !running.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                cancel.request();
            });
            running.store(true, Ordering::Relaxed);
            run.times(1, &[0; 64], &[], [1, 1, 1], &cancel).result
        });
        let stopped = matches!(result, Err(BackendError::Timeout { stopped: true, .. }));
        assert!(stopped, "{result:?}");
        // The device is as good as before.
        let counting = counting();
        let (data, _) = Run::new(backend, &counting).once(&[1; 64], &[2, 0], [1, 1, 1]);
        assert_eq!(data, (0..64).map(|i| 2 * (1 + 2 * i) + 1).collect::<Vec<u32>>());
    });
}

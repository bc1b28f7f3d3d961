//! Workgroups that wait for each other, as code and interpreted. Expected values are computed here, in loops.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use vyre_cpu::Engine;
use vyre_driver::{AlignedBytes, BackendError, Cancel, HostBytes, HostLaunch};
use vyre_ir::Program;

const ENGINES: [Engine; 2] = [Engine::Code, Engine::Strips];

/// Runs the ignored tests of this file, each with that many threads.
#[test]
fn with_other_numbers_of_threads() {
    let mut all: Vec<_> = ["1", "2", "3", "8"]
        .map(|threads| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--ignored", "--nocapture"]).env("VYRE_THREADS", threads).spawn().unwrap()
        })
        .into();
    assert!(all.iter_mut().all(|child| child.wait().unwrap().success()));
}

/// As many workgroups as can wait for each other, up to 8.
fn most() -> u32 {
    let threads = std::env::var("VYRE_THREADS").ok().and_then(|threads| threads.parse().ok());
    threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get() as u32)).min(8)
}

fn text(source: &str) -> Program {
    vyre_ir::text::parse("test.vyre", source).unwrap_or_else(|e| panic!("{e:#?}"))
}

/// Runs a program whose buffers are words, the first ones written, the others read.
fn run(
    (engine, checked): (Engine, bool),
    p: &Program,
    workgroups: [u32; 3],
    buffers: &[&[u32]],
    cancel: &Cancel,
) -> Result<Vec<Vec<u32>>, BackendError> {
    let kernel = vyre_cpu::compile_for(engine, p, checked)?;
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut copies: Vec<AlignedBytes> =
        buffers.iter().map(|words| AlignedBytes::copy_of(&bytes(words), "a test").unwrap()).collect();
    let bound = copies.iter_mut().zip(p.buffers.values());
    let memory = bound.map(|(bytes, decl)| match decl.access.writes() {
        true => HostBytes::Write(bytes),
        false => HostBytes::Read(bytes),
    });
    let memory = memory.collect();
    kernel.launch(&mut HostLaunch { workgroups, only: None, drain: None, memory, cancel })?;
    let words = |bytes: &[u8]| bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect();
    Ok(copies.iter().map(|copy| words(copy)).collect())
}

/// `turns` times, all at once: `data[i] = 3 * data[i] + data[i + 20]`, around the end.
const EXCHANGE: &str = "program exchange workgroup(20, 1, 1) {
  buffer data: u32[] storage read_write @group(0) @binding(0)
  buffer turns: u32[1] storage read @group(0) @binding(1)
  %zero: u32 = const 0
  %one: u32 = const 1
  %three: u32 = const 3
  %twenty: u32 = const 20
  %true: bool = const true
  %i: u32 = global_id x
  %n: u32 = length data
  %t: u32 = loop (%turn: u32 = %zero) {
    %x: u32 = load data[%i]
    %further: u32 = add %i, %twenty
    %other: u32 = rem %further, %n
    %y: u32 = load data[%other]
    grid_sync
    %threefold: u32 = mul %x, %three
    %z: u32 = add %threefold, %y
    store data[%i], %z
    %next: u32 = add %turn, %one
    %limit: u32 = load turns[%zero]
    %more: bool = lt %next, %limit
    %again: bool = grid_uniform %more, %true
    yield %again, %next
  }
}";

fn exchanged(mut data: Vec<u32>, turns: u32) -> Vec<u32> {
    for _ in 0..turns {
        let n = data.len();
        data = (0..n).map(|i| data[i].wrapping_mul(3).wrapping_add(data[(i + 20) % n])).collect();
    }
    data
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn workgroups_see_what_others_did() {
    let p = text(EXCHANGE);
    for engine in ENGINES {
        for workgroups in 1..=most() {
            let data: Vec<u32> = (0..20 * workgroups).map(|i| i * i + 1).collect();
            let buffers = run((engine, false), &p, [workgroups, 1, 1], &[&data, &[77]], &Cancel::default());
            assert_eq!(buffers.unwrap()[0], exchanged(data, 77), "{workgroups} workgroups");
        }
    }
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn more_workgroups_than_threads_are_refused() {
    let error = run(
        (Engine::Code, false),
        &text(EXCHANGE),
        [most() + 1, 1, 1],
        &[&[0; 200], &[1]],
        &Cancel::default(),
    );
    assert!(matches!(error, Err(BackendError::Internal { .. })), "{error:?}");
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn several_launches_at_a_time_do_not_wait_for_each_other() {
    let p = text(EXCHANGE);
    let launch = |seed: u32| {
        let workgroups = 1 + seed % most();
        for round in 0..8 {
            let data: Vec<u32> = (0..20 * workgroups).map(|i| i * seed + round).collect();
            let engine = ENGINES[round as usize % 2];
            let buffers = run((engine, false), &p, [workgroups, 1, 1], &[&data, &[30]], &Cancel::default());
            assert_eq!(buffers.unwrap()[0], exchanged(data, 30));
        }
    };
    std::thread::scope(|scope| (0..7).for_each(|seed| _ = scope.spawn(move || launch(seed))));
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn everyone_gets_what_the_first_invocation_passed() {
    // What the others pass is of no matter, since they do not take part.
    let source = |ty: &str, of: &str| {
        format!(
            "program first workgroup(3, 1, 2) {{
  buffer out: {ty}[] storage read_write @group(0) @binding(0)
  %x: u32 = global_id x
  %y: u32 = global_id y
  %z: u32 = global_id z
  %width: u32 = num_workgroups x
  %three: u32 = const 3
  %four: u32 = const 4
  %wide: u32 = mul %width, %three
  %zy: u32 = mul %z, %four
  %plane: u32 = add %zy, %y
  %before: u32 = mul %plane, %wide
  %i: u32 = add %before, %x
  %zero: u32 = const 0
  %first: bool = eq %i, %zero
  {of}
  %a: {ty} = grid_uniform %own, %first
  %b: {ty} = grid_uniform %other, %first
  store out[%i], %a
  %rows: u32 = const 16
  %size: u32 = mul %wide, %rows
  %j: u32 = add %i, %size
  store out[%j], %b
}}"
        )
    };
    let shift = "%seven: u32 = const 7\n  %sum: u32 = add %i, %seven\n  %big: u32 = const 3000000000\n  %more: u32 = add %i, %big";
    let cases = [
        (
            "u32",
            format!("{shift}\n  %own: u32 = bitcast %sum\n  %other: u32 = bitcast %more"),
            [7, 3_000_000_000],
        ),
        (
            "i32",
            format!("{shift}\n  %own: i32 = bitcast %sum\n  %other: i32 = bitcast %more"),
            [7, 3_000_000_000],
        ),
        (
            "f32",
            format!("{shift}\n  %own: f32 = convert %sum\n  %other: f32 = convert %more"),
            [7f32.to_bits(), 3e9f32.to_bits()],
        ),
    ];
    for engine in ENGINES {
        for (ty, of, [a, b]) in &cases {
            let p = text(&source(ty, of));
            let wide = 3 * most() as usize;
            let out = run((engine, false), &p, [most(), 1, 1], &[&vec![1; 32 * wide]], &Cancel::default());
            let out = out.unwrap().remove(0);
            for plane in 0..2 {
                for x in 0..wide {
                    let i = plane * 4 * wide + x;
                    assert_eq!([out[i], out[16 * wide + i]], [*a, *b], "{ty} {i}");
                }
            }
        }
    }
}

/// Never ends: by grid syncs only, or because the last workgroup does not arrive.
fn endless(alone: bool) -> Program {
    let body = match alone {
        false => "grid_sync\n    yield %true",
        true => {
            "%after: u32 = add %me, %one
    %last: bool = eq %after, %all
    if %last {
      loop () {
        %x: u32 = load flag[%zero]
        %goes: bool = ne %x, %zero
        store flag[%one], %one
        yield %goes
      }
    }
    grid_sync
    yield %true"
        }
    };
    text(&format!(
        "program endless workgroup(5, 1, 1) {{
  buffer flag: u32[] storage read_write @group(0) @binding(0)
  %zero: u32 = const 0
  %one: u32 = const 1
  %true: bool = const true
  %me: u32 = workgroup_id x
  %all: u32 = num_workgroups x
  store flag[%one], %one
  loop () {{
    {body}
  }}
}}"
    ))
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn a_request_to_stop_reaches_those_that_wait() {
    for engine in ENGINES {
        for alone in [false, true] {
            let (cancel, running) = (Cancel::default(), AtomicBool::new(false));
            let result = std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !running.load(Ordering::Relaxed) {
                        std::thread::yield_now();
                    }
                    cancel.request();
                });
                running.store(true, Ordering::Relaxed);
                run((engine, false), &endless(alone), [most(), 1, 1], &[&[1, 0]], &cancel)
            });
            assert!(matches!(result, Err(BackendError::Timeout { stopped: true, .. })), "{result:?}");
        }
    }
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn an_access_out_of_bounds_ends_it_for_all() {
    let p = text(
        "program outside workgroup(4, 1, 1) {
  buffer data: u32[] storage read_write @group(0) @binding(0)
  %one: u32 = const 1
  %me: u32 = workgroup_id x
  %all: u32 = num_workgroups x
  grid_sync
  %after: u32 = add %me, %one
  %last: bool = eq %after, %all
  if %last {
    %far: u32 = const 1000
    store data[%far], %one
  }
  grid_sync
  store data[%me], %one
}",
    );
    for engine in ENGINES {
        let result = run((engine, true), &p, [most(), 1, 1], &[&[0; 8]], &Cancel::default());
        let Err(BackendError::OutOfBounds { access }) = result else { panic!("{result:?}") };
        assert!(format!("{access:?}").contains("1000"), "{access:?}");
    }
}

#[test]
fn a_work_queue_that_nobody_made_memory_of_is_an_error() {
    for operation in ["%item: u32 = queue_item", "%n: u32 = const 1\n  queue_push %n"] {
        for engine in ENGINES {
            let program = text(&format!("program p workgroup(1, 1, 1) {{\n  {operation}\n}}"));
            let error = vyre_cpu::compile_for(engine, &program, false).err().unwrap();
            assert!(matches!(error, BackendError::Internal { .. }), "{error}");
        }
    }
}

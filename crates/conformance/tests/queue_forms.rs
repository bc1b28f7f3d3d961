//! Work queues that programs drain by themselves: on the processor and the oracle, told to have memory of their own.
//! Expected values are computed here, in loops.

use vyre_conformance::apart::apart;
use vyre_conformance::queues::check;
use vyre_conformance::rows::Verdict;
use vyre_cpu::Engine;
use vyre_driver::{
    BackendError, Device, DispatchConfig, Resource, WorkQueue, WorkQueueOptions, WorkQueueRun,
};
use vyre_ir::verify::verify;
use vyre_ir::{Program, text};
use vyre_opt::queue::persistent;

fn devices() -> Vec<Device> {
    let cpu = |engine| vyre_cpu::open(engine).unwrap();
    let all = [cpu(Engine::Code), cpu(Engine::Strips), vyre_driver::acquire("cpu-ref").unwrap()];
    all.into_iter().map(|backend| Device::new(apart(backend))).collect()
}

fn parse(source: &str) -> Program {
    let program = text::parse("test.vyre", source).unwrap_or_else(|errors| panic!("{errors:#?}"));
    // What drains the queue is a program like any other.
    let (made, _) = persistent(&program).unwrap();
    verify(&made).unwrap_or_else(|errors| panic!("{}\n{made}", errors[0]));
    let printed = made.to_string();
    assert_eq!(text::parse("made.vyre", &printed).unwrap().to_string(), printed);
    program
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn run(
    device: &Device,
    program: &Program,
    capacity: u64,
    options: WorkQueueOptions,
    items: &[u32],
    words: usize,
) -> Result<WorkQueueRun, BackendError> {
    let config = DispatchConfig::default();
    let profile = WorkQueue::profile(program, capacity, 1 << 26).unwrap();
    let queue = WorkQueue::new(device, program, profile, options, &config).unwrap();
    queue.run(&bytes(items), &[Resource::Bytes(&vec![0; 4 * words])], &config)
}

#[test]
fn items_of_every_type() {
    for device in devices() {
        assert!(matches!(check(&device), Verdict::Passed(_)), "{}", device.id());
    }
}

/// How a random program goes on: an item of more than 0 pushes some, each smaller than itself.
#[derive(Copy, Clone, Debug)]
struct Rule {
    workgroup: u32,
    multiplier: u32,
    /// Items push less than so many.
    most: u32,
    cells: u32,
}

impl Rule {
    fn random(random: &mut impl FnMut(u32) -> u32) -> Rule {
        let workgroup = [1, 3, 32, 64, 130][random(5) as usize];
        Rule { workgroup, multiplier: 2 * random(1 << 20) + 1, most: 2 + random(3), cells: 1 + random(97) }
    }

    fn program(self) -> Program {
        let Rule { workgroup, multiplier, most, cells } = self;
        parse(&format!(
            "program random workgroup({workgroup}, 1, 1) {{
  buffer seen: u32[] storage read_write @group(0) @binding(0)
  %zero: u32 = const 0
  %one: u32 = const 1
  %three: u32 = const 3
  %cells: u32 = const {cells}
  %most: u32 = const {most}
  %multiplier: u32 = const {multiplier}
  %item: u32 = queue_item
  %cell: u32 = rem %item, %cells
  %0: u32 = atomic_add seen[%cell], %one
  %mixed: u32 = mul %item, %multiplier
  %shift: u32 = const 16
  %high: u32 = shr %mixed, %shift
  %n: u32 = rem %high, %most
  %some: bool = lt %zero, %n
  %live: bool = lt %three, %item
  %goes: bool = and %some, %live
  if %goes {{
    %after: u32 = loop (%i: u32 = %zero) {{
      %next: u32 = add %i, %one
      %down: u32 = sub %item, %next
      %half: u32 = div %down, %next
      queue_push %half
      %more: bool = lt %next, %n
      yield %more, %next
    }}
  }}
}}"
        ))
    }

    /// What an item pushes.
    fn pushes(self, item: u32) -> impl Iterator<Item = u32> {
        let n = if item > 3 { (item.wrapping_mul(self.multiplier) >> 16) % self.most } else { 0 };
        (1..=n).map(move |next| (item - next) / next)
    }

    /// How often each cell is seen, and how many items there are; `None` for too many.
    fn expected(self, items: &[u32]) -> Option<(Vec<u32>, u64)> {
        let mut seen = vec![0; self.cells as usize];
        let (mut all, mut count) = (items.to_vec(), 0);
        while let Some(item) = all.pop() {
            count += 1;
            seen[(item % self.cells) as usize] += 1;
            all.extend(self.pushes(item));
            if count > 20_000 {
                return None;
            }
        }
        Some((seen, count))
    }
}

/// Numbers that look random and are always the same.
fn random(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |end| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) % u64::from(end)) as u32
    }
}

#[test]
fn random_programs() {
    let devices = devices();
    for seed in 0..40 {
        let mut random = random(seed);
        let rule = Rule::random(&mut random);
        let n = random(300);
        let items: Vec<u32> = (0..n).map(|_| random(200)).collect();
        let Some((seen, count)) = rule.expected(&items) else { continue };
        let program = rule.program();
        let window = [None, Some(1 + u64::from(random(50))), Some(200)][random(3) as usize];
        // The oracle is slow, and takes as many workgroups as a window may have.
        for device in devices.iter().filter(|device| device.id() == "cpu" || count < 2000) {
            for pushes_per_item in [None, Some(rule.most - 1)] {
                let options = WorkQueueOptions { window, pushes_per_item, spill: false };
                let run = run(device, &program, 1500, options, &items, rule.cells as usize);
                let run = match run {
                    // Where many items push, there may be no room: all are counted all the same.
                    Err(BackendError::QueueFull { lost, .. }) if pushes_per_item.is_none() || lost == 0 => {
                        continue;
                    }
                    run => run.unwrap_or_else(|error| panic!("{} {rule:?}: {error}", device.id())),
                };
                assert_eq!(run.outputs.buffers[0].to_vec(), bytes(&seen), "{} {rule:?}", device.id());
                assert_eq!((run.processed, run.host_syncs), (count, 1));
                assert!(run.high_water >= u64::from(n) && run.high_water <= 1500);
            }
            let spills = WorkQueueOptions { window, pushes_per_item: Some(rule.most - 1), spill: true };
            let run = run(device, &program, 40, spills, &items, rule.cells as usize).unwrap();
            assert_eq!(run.outputs.buffers[0].to_vec(), bytes(&seen), "{} {rule:?}", device.id());
            assert_eq!(run.processed, count);
        }
    }
}

/// Each item of more than 0 pushes two that are one less. Cell 0 counts items; the others count those that find memory of
/// their own that is not zero.
const OWN: &str = "program own workgroup(16, 1, 1) {
  buffer totals: u32[3] storage read_write @group(0) @binding(0)
  buffer mine: u32x2[3] private read_write
  buffer ours: u32[40] workgroup read_write
  %zero: u32 = const 0
  %one: u32 = const 1
  %two: u32 = const 2
  %five: u32 = const 5
  %last: u32 = const 39
  %item: u32 = queue_item
  %local: u32 = local_index
  %0: u32 = atomic_add totals[%zero], %one
  %was: u32 = load mine[%five]
  store mine[%five], %one
  %is: bool = ne %was, %zero
  if %is {
    %1: u32 = atomic_add totals[%one], %one
  }
  %other: u32 = sub %last, %local
  %before: u32 = atomic_add ours[%other], %one
  %seen: bool = ne %before, %zero
  if %seen {
    %2: u32 = atomic_add totals[%two], %one
  }
  %more: bool = lt %zero, %item
  if %more {
    %less: u32 = sub %item, %one
    queue_push %less
    queue_push %less
  }
}";

#[test]
fn memory_of_the_program_is_zero_for_each_item() {
    let program = parse(OWN);
    for device in devices() {
        for items in [&[7][..], &[0; 100], &[5, 3, 8, 0]] {
            let count = items.iter().map(|n| (2 << n) - 1).sum::<u32>();
            let run = run(&device, &program, 1024, WorkQueueOptions::default(), items, 3).unwrap();
            assert_eq!(run.outputs.buffers[0].to_vec(), bytes(&[count, 0, 0]), "{}", device.id());
        }
    }
}

#[test]
fn a_queue_that_never_empties_is_stopped() {
    let forever = parse(
        "program forever workgroup(2, 1, 1) {
  buffer seen: u32[] storage read_write @group(0) @binding(0)
  %zero: u32 = const 0
  %n: u32 = queue_item
  %old: u32 = atomic_exchange seen[%zero], %n
  queue_push %n
}",
    );
    for device in devices() {
        let profile = WorkQueue::profile(&forever, 64, 1 << 20).unwrap();
        let limit = std::time::Duration::from_millis(50);
        let config = DispatchConfig { timeout: Some(limit), ..DispatchConfig::default() };
        let queue = WorkQueue::new(&device, &forever, profile, WorkQueueOptions::default(), &config).unwrap();
        let error = queue.run(&bytes(&[1, 2, 3]), &[Resource::Bytes(&[0; 4])], &config).err().unwrap();
        assert!(matches!(error, BackendError::Timeout { stopped: true, .. }), "{error}");
    }
}

//! What is written computes what programs mean: the programs of the suite give what their files say, and random programs
//! what the oracle gives, on an interpreter of PTX under seeded schedules.

mod machine;

use vyre_conformance::case::{Floats, show_all};
use vyre_conformance::trial::{PATIENCE, Trial, caught};
use vyre_conformance::{random, rows, suite};
use vyre_driver::{BindingPlan, Grid};
use vyre_ir::types::BOOL;
use vyre_ir::{Access, Attr, BufferDecl, Builder, Effect, Memory, OPS, Op, Program, Rule, Scalar};
use vyre_ptx::{Arch, Options, emit, target};
use vyre_reference::Bytes;

/// Programs in which several invocations write the same to the same place.
const RACES: [&str; 1] = ["workgroup_zero.wgsl"];

/// What each program of the suite gives, on an architecture.
fn check_suite(arch: Arch, seed: u64) {
    let (mut problems, mut compared) = (Vec::new(), 0);
    for case in suite::programs() {
        let one = || -> Result<(), String> {
            let program = case.program().map_err(|e| show_all(&e))?;
            let plan = BindingPlan::build(&program).map_err(|e| e.to_string())?;
            let inputs = case.inputs(&program, &plan)?;
            let Grid::Workgroups(grid) = case.config().grid else { unreachable!("cases count workgroups") };
            let invocations =
                program.workgroup_invocations() * grid.iter().map(|&n| n as u64).product::<u64>();
            let contents: Vec<Vec<u8>> = program
                .buffers
                .values()
                .map(|decl| match plan.inputs().zip(&inputs).find(|(b, _)| b.name == decl.name) {
                    _ if !decl.memory.is_bound() => Vec::new(),
                    Some((_, bytes)) => bytes.clone(),
                    None => vec![
                        0;
                        decl.static_bytes().unwrap_or(invocations * decl.element.bytes() as u64)
                            as usize
                    ],
                })
                .collect();
            let optimized = vyre_opt::optimize(&program, &target());
            let kernel = emit(&optimized, &Options::new(arch)).map_err(|e| e.to_string())?;
            let after =
                machine::execute(&optimized, &kernel, grid, &contents, seed, !RACES.contains(&&*case.name))?;
            for b in plan.outputs() {
                case.compare(&program, &b.name, &after[b.buffer_index], Floats::Exact)
                    .map_err(|e| format!("{e}\n{}", kernel.ptx))?;
            }
            Ok(())
        };
        match caught(one).unwrap_or_else(Err) {
            Ok(()) => compared += 1,
            Err(why) => problems.push(format!("{}: {why}", case.name)),
        }
    }
    assert!(
        problems.is_empty(),
        "{} of {}:\n{}",
        problems.len(),
        compared + problems.len(),
        problems.join("\n")
    );
    assert!(compared > 200, "{compared} compared");
}

#[test]
fn the_suite_on_sm_70() {
    check_suite(Arch::ALL[0], 1);
}

#[test]
fn the_suite_on_sm_90() {
    check_suite(Arch::ALL[3], 2);
}

/// What the oracle makes of a trial, in subgroups of 32.
fn oracle(trial: &Trial) -> Result<Vec<Vec<u8>>, String> {
    let mut contents = trial.contents.clone();
    let buffers = trial.program.buffers.values().zip(&mut contents);
    let mut buffers: Vec<Bytes<'_>> = buffers
        .map(|(decl, bytes)| match decl.memory {
            Memory::Workgroup | Memory::Private => Bytes::Unbound,
            _ if decl.access.writes() => Bytes::Write(bytes),
            _ => Bytes::Read(bytes),
        })
        .collect();
    let options = vyre_reference::Options { subgroup_size: 32, ..Default::default() };
    vyre_reference::run(&trial.program, trial.grid, &mut buffers, &options).map_err(|e| e.to_string())?;
    Ok(contents)
}

fn check_random(trial: &Trial, program: &Program, options: &Options, seed: u64) -> Result<(), String> {
    let expected = oracle(trial)?;
    let kernel = emit(program, options).map_err(|e| e.to_string())?;
    let found = machine::execute(program, &kernel, trial.grid, &trial.contents, seed, true)?;
    match trial.difference(&expected, &found) {
        None => Ok(()),
        Some(difference) => Err(format!("{difference}\n{program}\n{}", kernel.ptx)),
    }
}

/// An operation on buffers of special and random numbers.
fn row(signature: &rows::Signature, seed: u64) -> Trial {
    const COUNT: u64 = 256;
    let mut b = Builder::new("row", [64, 1, 1]);
    let (mut random, mut contents) = (random::Random::new(seed), Vec::new());
    let mut buffer = |b: &mut Builder, scalar: Scalar, out: bool| {
        // Memory holds no bools.
        let element = if scalar == Scalar::Bool { Scalar::U32 } else { scalar };
        let numbers = (0..COUNT).map(|_| if out { 0 } else { random.constant(scalar) });
        let size = element.bytes() as usize;
        let bytes: Vec<u8> = numbers.flat_map(|n| n.to_le_bytes().into_iter().take(size)).collect();
        contents.push(bytes);
        b.buffer(BufferDecl {
            name: format!("b{}", contents.len()),
            binding: contents.len() as u32,
            access: if out { Access::Write } else { Access::Read },
            element: element.into(),
            count: COUNT,
            ..BufferDecl::default()
        })
    };
    let at = b.axis(Op::GlobalId, 0);
    let mut operands = Vec::new();
    for &scalar in &signature.operands {
        let from = buffer(&mut b, scalar, false);
        let element = b.p.buffers[from].element;
        let x = b.load(Op::Load, from, at, element);
        operands.push(if scalar == Scalar::Bool { b.convert(x, scalar) } else { x });
    }
    let to = buffer(&mut b, signature.result, true);
    let result = b.value(signature.op, Attr::None, &operands, signature.result.into());
    let result = if signature.result == Scalar::Bool { b.convert(result, Scalar::U32) } else { result };
    b.store(Op::Store, to, at, result);
    b.end(&[]);
    Trial { program: b.p, grid: [4, 1, 1], contents, patience: PATIENCE }
}

#[test]
fn rows_give_what_they_say() {
    let mut problems = Vec::new();
    let basic = rows::signatures().into_iter().filter(|signature| signature.op.info().expand.is_none());
    for (seed, signature) in basic.enumerate() {
        for arch in [Arch::ALL[0], Arch::ALL[3]] {
            let trial = row(&signature, seed as u64);
            let one = || check_random(&trial, &trial.program, &Options::new(arch), seed as u64);
            if let Err(why) = caught(one).unwrap_or_else(Err) {
                problems.push(format!("{} {signature} {arch}: {why}", signature.op.name()));
            }
        }
    }
    assert!(problems.is_empty(), "{} failed\n{}", problems.len(), problems.join("\n"));
}

/// An operation of a subgroup where all are active, in both sides of a branch, and in a loop that lanes leave one by one.
fn exchange(op: Op, scalar: Scalar, invocations: u32, seed: u64) -> Trial {
    let shuffles = matches!(op.info().rule, Rule::Lane(_));
    let is_bool = scalar == Scalar::Bool;
    let (element, size) = if is_bool { (Scalar::U32, 4) } else { (scalar, scalar.bytes() as usize) };
    let x = if is_bool { "convert %in".into() } else { "select %yes, %in, %in".to_string() };
    let x = format!("%x: {scalar} = {x}");
    let result = if op == Op::SubgroupBallot { "u32x4".into() } else { scalar.to_string() };
    let apply = |name: &str| {
        let by = if shuffles { ", %by" } else { "" };
        format!("{name}: {result} = {} %x{by}", op.name())
    };
    let store = |name: &str, place: &str| match (is_bool, op) {
        (_, Op::SubgroupBallot) => {
            format!("%e{place}: u32 = extract {name}.x\n store out[%p{place}], %e{place}")
        }
        (true, _) => format!("%e{place}: u32 = convert {name}\n store out[%p{place}], %e{place}"),
        _ => format!("store out[%p{place}], {name}"),
    };
    let count = invocations as usize * 2;
    let text = format!(
        "program exchange workgroup({invocations}, 1, 1) {{
          buffer data: {element}[{count}] storage read @group(0) @binding(0)
          buffer lanes: u32[{count}] storage read @group(0) @binding(1)
          buffer out: {element}[{}] storage read_write @group(0) @binding(2)
          %yes: bool = const true
          %one: u32 = const 1
          %three: u32 = const 3
          %ten: u32 = const 10
          %zero: u32 = const 0
          %i: u32 = global_id x
          %in: {element} = load data[%i]
          {x}
          %by: u32 = load lanes[%i]
          %p1: u32 = mul %i, %ten
          {}
          {}
          %p2: u32 = add %p1, %one
          %bit: u32 = and %by, %one
          %c: bool = eq %bit, %zero
          if %c {{
            {}
            {}
            yield
          }} else {{
            {}
            {}
            yield
          }}
          %most: u32 = and %by, %three
          %base: u32 = add %p1, %three
          %r: u32 = loop (%n: u32 = %zero) {{
            %p4: u32 = add %base, %n
            {}
            {}
            %m: u32 = add %n, %one
            %go: bool = lt %n, %most
            yield %go, %m
          }}
        }}",
        count * 10,
        apply("%a"),
        store("%a", "1"),
        apply("%b"),
        store("%b", "2"),
        apply("%d"),
        store("%d", "2").replace("%e2", "%f2"),
        apply("%f"),
        store("%f", "4"),
    );
    let program = vyre_ir::text::parse("exchange.vyre", &text).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    let mut random = random::Random::new(seed);
    let numbers = (0..count).flat_map(|_| random.constant(scalar).to_le_bytes().into_iter().take(size));
    let data: Vec<u8> = numbers.collect();
    let lanes = (0..count).flat_map(|_| {
        match random.below(8) {
            0 => random.constant(Scalar::U32) as u32,
            _ => random.below(34) as u32,
        }
        .to_le_bytes()
    });
    let contents = vec![data, lanes.collect(), vec![0; count * 10 * size]];
    Trial { program, grid: [2, 1, 1], contents, patience: PATIENCE }
}

#[test]
fn subgroups_exchange_what_they_should() {
    let (mut problems, mut seed) = (Vec::new(), 0);
    for info in OPS.iter().filter(|info| info.effect == Effect::Converges) {
        let class = match info.rule {
            Rule::Same(class, _) | Rule::Lane(class) => class,
            _ => BOOL,
        };
        for scalar in class.scalars() {
            for (invocations, arch) in [(64, 0), (48, 0), (7, 0), (32, 3), (40, 3)] {
                seed += 1;
                let arch = Arch::ALL[arch];
                let trial = exchange(info.op, scalar, invocations, seed);
                let program = vyre_opt::optimize(&trial.program, &target());
                let one = || check_random(&trial, &program, &Options::new(arch), seed);
                if let Err(why) = caught(one).unwrap_or_else(Err) {
                    problems.push(format!("{} {scalar} {invocations} {arch}: {why}", info.name));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} failed\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn random_programs() {
    let mut problems = Vec::new();
    let first = std::env::var("VYRE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    for seed in first..first + 120u64 {
        let options = random::Options {
            wide: seed % 3 == 0,
            grid_syncs: seed % 4 == 0,
            calls: seed % 5 == 0,
            ..random::Options::default()
        };
        let trial = Trial { patience: PATIENCE, ..Trial::random(seed, &options) };
        // Also as it was written: what the optimizer would have simplified is written too.
        let schedule = if seed % 2 == 0 { vyre_opt::Schedule::All } else { vyre_opt::Schedule::Legal };
        let how = vyre_opt::Options { schedule, ..vyre_opt::Options::default() };
        let program = vyre_opt::run(&trial.program, &target(), how);
        let arch = Arch::ALL[[0, 1, 3][seed as usize % 3]];
        let options = Options { gated: seed % 8 < 2, ..Options::new(arch) };
        let one = || check_random(&trial, &program, &options, seed);
        if let Err(why) = caught(one).unwrap_or_else(Err) {
            problems.push(format!("seed {seed} {arch}: {why}"));
        }
    }
    assert!(problems.is_empty(), "{} failed\n{}", problems.len(), problems.join("\n"));
}

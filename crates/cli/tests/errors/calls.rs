//! Errors of the library that no command line leads to, because the command or the verifier prevents them.

use vyre::{
    BackendError, BindingPlan, Device, DeviceWorkQueueProfile, DispatchConfig, Grid, GridSync, Resident,
    ResidentOptions, Resource, WorkQueue, WorkQueueHostSync, WorkQueueOptions, plan_device_work_queue,
    plan_device_work_queue_backpressure, typed,
};
use vyre_ir::build::Builder;
use vyre_ir::dialect::{DialectDef, Law, OpMigration, RegistryBuilder, Target, link, notices};
use vyre_ir::{
    Access, BufferDecl, Diagnostic, Memory, MemoryHints, Program, Scalar, Version, text, verify::verify,
};
use vyre_null::{Fault, FaultPlan, Latch, NullBackend, NullOptions};
use vyre_reference::{Bytes, Error, Options};
use vyre_wgsl::export::device;

/// Code, the call, what it says.
type Call = (&'static str, &'static str, String);

pub fn calls() -> Vec<Call> {
    [
        program(),
        dialects(),
        binding(),
        ptx(),
        devices(),
        faults(),
        queue(),
        work_queues(),
        interpreter(),
        benchmarks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn first(result: Result<(), Vec<Diagnostic>>) -> String {
    result.unwrap_err()[0].to_string()
}

fn parse(lines: &str) -> Program {
    text::parse("p.vyre", &format!("program p workgroup(4, 1, 1) {{\n{lines}\n}}")).unwrap()
}

fn storage(name: &str, binding: u32, count: u64) -> BufferDecl {
    BufferDecl {
        name: name.into(),
        group: 0,
        binding,
        memory: Memory::Storage,
        access: Access::ReadWrite,
        element: Scalar::F32.into(),
        count,
        ..BufferDecl::default()
    }
}

fn with_buffers(buffers: impl IntoIterator<Item = BufferDecl>) -> Program {
    let mut b = Builder::new("p", [4, 1, 1]);
    for decl in buffers {
        b.buffer(decl);
    }
    b.finish()
}

fn program() -> Vec<Call> {
    let mut forward = parse("%0: u32 = const 1\n%1: u32 = add %0, %0");
    forward.regions[forward.body].insts.swap(0, 1);
    let many = with_buffers((0..5000).map(|i| storage(&format!("b{i}"), i, 1)));
    let double = parse("%0: f64 = const 1\n%1: f64 = add %0, %0");
    let sine = parse("%0: f32 = const 1\n%1: f32 = sin %0");
    vec![
        ("V002", "verify(&program), with a definition after its use", first(verify(&forward))),
        ("V010", "verify(&program), with 5000 buffers", first(verify(&many))),
        (
            "E003",
            "export::wgsl(&program, &|_| false), not optimized before",
            vyre_wgsl::export::wgsl(&sine, &|_| false).unwrap_err().to_string(),
        ),
        (
            "E010",
            "export::device::module(&program, &Features::default(), &|_| false)",
            device::module(&double, &device::Features::default(), &|_| false).unwrap_err().to_string(),
        ),
    ]
}

/// What has no code in PTX.
fn ptx() -> Vec<Call> {
    let call = "emit(&program, &Options::new(Arch::ALL[3]))";
    let error = |code, program: Program| {
        let error = vyre_ptx::emit(&program, &vyre_ptx::Options::new(vyre_ptx::Arch::ALL[3])).unwrap_err();
        (code, call, error.to_string())
    };
    let own = |memory, bytes: u64| {
        let decl = BufferDecl { memory, count: bytes / 4, ..storage("own", 0, 0) };
        with_buffers([decl])
    };
    let mut wide = parse("");
    wide.workgroup_size = [2048, 1, 1];
    let lines = (0..300).map(|i| {
        format!(
            "buffer b{i}: f32[1] storage read_write @group(0) @binding({i})\n\
             %{}: u32 = const 0\n%{}: f32 = const 1\nstore b{i}[%{}], %{}",
            2 * i,
            2 * i + 1,
            2 * i,
            2 * i + 1
        )
    });
    let (buffers, stores): (Vec<String>, Vec<String>) =
        lines.map(|line| line.split_once('\n').map(|(a, b)| (a.to_string(), b.to_string())).unwrap()).unzip();
    vec![
        error("P001", wide),
        error("P002", own(Memory::Workgroup, 1 << 20)),
        error("P003", parse(&[buffers, stores].concat().join("\n"))),
        error("P004", own(Memory::Private, 1 << 20)),
        error("P005", parse("%0: f32 = const 1\n%1: f32 = sin %0")),
    ]
}

/// Definitions of the dialect `demo` in version 1.0.0.
fn demo(ops: &str) -> DialectDef {
    DialectDef {
        name: "demo".into(),
        version: Version::new(1, 0, 0),
        origin: "demo.toml".into(),
        ops: text::parse_ops("demo", ops).unwrap(),
        migrations: Vec::new(),
    }
}

fn dialects() -> Vec<Call> {
    const BUILD: &str = "RegistryBuilder::new().dialect(demo).build()";
    let refused =
        |demo: DialectDef| RegistryBuilder::new().dialect(demo).build().unwrap_err().problems[0].to_string();
    let half = "op demo.half(%x: f32) -> f32 {\n%0: f32 = const 0.5\n%1: f32 = mul %x, %0\nyield %1\n}\n";
    let recursive = "op demo.again(%x: f32) -> f32 {\n%0: f32 = call demo.again %x\nyield %0\n}";
    let subtract = "op demo.less(%a: u32, %b: u32) -> u32 {\n%0: u32 = sub %a, %b\nyield %0\n}";
    let placed = "op demo.id(%x: u32) -> u32 {\n%0: u32 = global_id x\nyield %0\n}";
    let mut unlawful = demo(subtract);
    unlawful.ops[0].laws.push(Law::Commutative);
    let mut lost = demo(half);
    lost.migrations.push(OpMigration::rename("demo.halve", "demo.hafl", Version::new(1, 0, 0)));
    let elsewhere = RegistryBuilder::new().op("demo", demo(half).ops.remove(0), "lib.rs:3").build();
    let mut old = demo(half);
    old.ops[0] = old.ops[0].clone().deprecated(Version::new(0, 9, 0), "Multiply by 0.5.");
    old.ops.extend(
        text::parse_ops("demo", "op demo.warp(%x: f32) -> f32")
            .unwrap()
            .into_iter()
            .map(|def| def.extension().lower(Target::Extension(7), "warp.f32")),
    );
    let registry = RegistryBuilder::new().dialect(old).build().unwrap();
    let call = |line: &str| link(&parse(&format!("%0: f32 = const 1\n{line}")), &registry);
    let unfit = |line: &str| call(line).unwrap_err()[0].to_string();
    let warp = call("%1: f32 = call demo.warp %0").unwrap();
    let half_call = call("%1: f32 = call demo.half %0").unwrap();
    vec![
        ("V012", "link(&program, &registry)", unfit("%1: f32 = call demo.haft %0")),
        ("V013", "link(&program, &registry)", unfit("%1: f32 = call demo.half %0, %0")),
        ("O001", BUILD, refused(demo("op \"half\"(%x: f32) -> f32 {\nyield %x\n}"))),
        (
            "O002",
            "RegistryBuilder::new().op(\"demo\", half, \"lib.rs:3\").build()",
            elsewhere.unwrap_err().to_string(),
        ),
        ("O003", BUILD, refused(demo(&half.repeat(2)))),
        ("O004", BUILD, refused(demo("op demo.half(%x: f32) -> f32"))),
        ("O005", BUILD, refused(demo(placed))),
        ("O006", BUILD, refused(demo(recursive))),
        ("O007", "DialectRegistry::update(|builder| builder.dialect(demo))", refused(unlawful)),
        ("O008", BUILD, refused(lost)),
        ("O009", "notices(&program)", notices(&half_call)[0].to_string()),
        (
            "O010",
            "export::wgsl(&program, &|_| false)",
            vyre_wgsl::export::wgsl(&warp, &|_| false).unwrap_err().to_string(),
        ),
    ]
}

fn binding() -> Vec<Call> {
    let error = |result: Result<BindingPlan, BackendError>| result.unwrap_err().to_string();
    let plan = |buffers: Vec<BufferDecl>| error(BindingPlan::build(&with_buffers(buffers)));
    let one = BindingPlan::build(&with_buffers([storage("data", 0, 4)])).unwrap();
    let sized = |inputs: &[&[u8]]| one.validate_borrowed_inputs(inputs).unwrap_err().to_string();
    let open = BindingPlan::build(&with_buffers([storage("data", 0, 0)])).unwrap();
    let program = parse("buffer data: f32[4] storage read_write @group(0) @binding(0)");
    let device = Device::open("cpu-ref").unwrap();
    let compiled = device.compile(&program, &DispatchConfig::default()).unwrap();
    let grid = DispatchConfig { grid: Grid::Workgroups([0, 1, 1]), ..Default::default() };
    let input = [0u8; 16];
    let outputs = compiled.dispatch(&[&input], &DispatchConfig::default()).unwrap();
    let duplicate = BackendError::DuplicateId {
        id: "cpu",
        what: "backend",
        registrations: vec![
            "CPU \"AMD EPYC 9554\", driver \"vyre-cpu 0.1.0, Cranelift\"".into(),
            "CPU \"AMD EPYC 9554\", driver \"vyre-cpu 0.2.0, Cranelift\"".into(),
        ],
    };
    vec![
        ("B001", "BindingPlan::build(&program)", plan(vec![storage("a", 0, 1), storage("b", 0, 1)])),
        ("B002", "BindingPlan::build(&program)", plan(vec![storage("a", 0, u64::MAX)])),
        (
            "B012",
            "BindingPlan::build(&program), with a hint of 48",
            plan(vec![BufferDecl {
                hints: MemoryHints { preferred_alignment: 48, ..MemoryHints::default() },
                ..storage("a", 0, 1)
            }]),
        ),
        (
            "B013",
            "BindingPlan::build(&program)",
            plan(vec![BufferDecl { element: Scalar::Bool.into(), ..storage("a", 0, 4) }]),
        ),
        ("B003", "compiled.dispatch(&[], &config)", sized(&[])),
        ("B004", "compiled.dispatch(&[&[0; 3]], &config)", sized(&[&[0; 3]])),
        ("B005", "compiled.dispatch(&[&[0; 8]], &config)", sized(&[&[0; 8]])),
        (
            "B006",
            "compiled.dispatch(&[&[]], &config)",
            open.validate_borrowed_inputs(&[&[]]).unwrap_err().to_string(),
        ),
        ("B008", "outputs.get::<f32>(1)", outputs.get::<f32>(1).unwrap_err().to_string()),
        (
            "B010",
            "compiled.dispatch(&[&input], &config), with Grid::Workgroups([0, 1, 1])",
            compiled.dispatch(&[&input], &grid).err().unwrap().to_string(),
        ),
        ("D009", "acquire(\"cpu\")", duplicate.to_string()),
    ]
}

fn devices() -> Vec<Call> {
    let program = parse(
        "buffer data: f32[4] storage read_write @group(0) @binding(0)\n\
         buffer kept: f32[] persistent read_write @group(0) @binding(1)",
    );
    let device = Device::open("cpu-ref").unwrap();
    let config = DispatchConfig::default();
    let error = |error: BackendError| error.to_string();
    let unsized_memory = device.compile(&program, &config).err().unwrap();
    let program = parse(
        "buffer data: f32[4] storage read_write @group(0) @binding(0)\n\
         buffer more: f32[4] storage read @group(0) @binding(1)",
    );
    let compiled = device.compile(&program, &config).unwrap();
    let checked = DispatchConfig { checked: true, ..DispatchConfig::default() };
    let both = DispatchConfig { unchecked: true, ..checked.clone() };
    let allocate = |device: &Device, bytes| {
        device.allocate(ResidentOptions { name: "weights".into(), bytes, ..Default::default() }).unwrap()
    };
    let (large, small) = (allocate(&device, 16), allocate(&device, 8));
    let foreign = allocate(&Device::open("cpu-ref").unwrap(), 16);
    let bound = |a: &Resident, b: &Resident| {
        let resources = [Resource::Resident(a), Resource::Resident(b)];
        compiled.dispatch_resources(&resources, &config).err().unwrap().to_string()
    };
    let mut batch = device.batch();
    let bytes = [Resource::Bytes(&[0; 16]), Resource::Resident(&large)];
    let from_host = batch.dispatch(&compiled, &bytes, &config).err().unwrap();
    drop(batch);
    let calls = vec![
        (
            "D014",
            "device.compile(&program, &config)",
            error(BackendError::Cache { what: "the cache's folder is not there".into() }),
        ),
        ("D022", "device.compile(&program, &config)", error(unsized_memory)),
        (
            "D027",
            "compiled.dispatch(&inputs, &DispatchConfig { checked: true, ..Default::default() })",
            error(compiled.dispatch(&[&[0; 16], &[0; 16]], &checked).err().unwrap()),
        ),
        (
            "D041",
            "device.compile(&program, &DispatchConfig { checked: true, unchecked: true, ..Default::default() })",
            error(device.compile(compiled.program(), &both).err().unwrap()),
        ),
        ("D028", "compiled.dispatch_resources(&resources, &config)", bound(&large, &small)),
        ("D029", "compiled.dispatch_resources(&resources, &config)", bound(&large, &large)),
        ("D030", "small.upload(&[0; 16])", error(small.upload(&[0; 16]).err().unwrap())),
        ("D031", "compiled.dispatch_resources(&resources, &config)", bound(&large, &foreign)),
        (
            "D032",
            "compiled.dispatch_typed(&[typed(&[0u32; 4]), typed(&[0f32; 4])], &config)",
            error(compiled.dispatch_typed(&[typed(&[0u32; 4]), typed(&[0f32; 4])], &config).err().unwrap()),
        ),
        ("D033", "batch.dispatch(&compiled, &resources, &config)", error(from_host)),
    ];
    device.shutdown();
    let after = compiled.dispatch(&[&[0; 16], &[0; 16]], &config).err().unwrap();
    calls
        .into_iter()
        .chain([("D015", "compiled.dispatch(&inputs, &config), after device.shutdown()", error(after))])
        .collect()
}

/// Errors of a device that is small and fails when it is told to.
fn faults() -> Vec<Call> {
    let mut options = NullOptions::default();
    options.limits.workgroups_per_dimension = 4;
    options.limits.storage_binding_bytes = 64;
    options.limits.buffers_per_stage = 1;
    let backend = NullBackend::new(options, FaultPlan::default());
    let log = backend.log();
    let device = Device::new(Box::new(backend));
    let config = DispatchConfig::default();
    let compiled = device
        .compile(&parse("buffer data: f32[] storage read_write @group(0) @binding(0)"), &config)
        .unwrap();
    let dispatch = |bytes: &[u8], grid| {
        let config = DispatchConfig { grid, ..DispatchConfig::default() };
        compiled.dispatch(&[bytes], &config).err().unwrap().to_string()
    };
    let two = with_buffers([storage("a", 0, 1), storage("b", 1, 1)]);
    let mut calls = vec![
        ("D024", "compiled.dispatch(&inputs, &config)", dispatch(&[0; 64], Grid::Threads([20, 1, 1]))),
        ("D025", "compiled.dispatch(&inputs, &config)", dispatch(&[0; 80], Grid::Threads([4, 1, 1]))),
        (
            "D026",
            "device.compile(&program, &config)",
            device.compile(&two, &config).err().unwrap().to_string(),
        ),
    ];
    let checked = DispatchConfig { checked: true, ..DispatchConfig::default() };
    calls.push((
        "D023",
        "device.compile(&program, &DispatchConfig { checked: true, ..Default::default() })",
        device.compile(compiled.program(), &checked).err().unwrap().to_string(),
    ));
    // The memory, then the run, which goes on until it is to stop.
    let latch = Latch::default();
    log.plan(1, Fault::Slow(latch.clone()));
    let pending = compiled.dispatch_async(vec![vec![0; 16]], &config);
    latch.wait_reached();
    assert!(pending.cancel());
    let cancelled = pending.wait().err().unwrap().to_string();
    calls.push(("D010", "pending.wait(), after pending.cancel()", cancelled));
    let options = ResidentOptions { name: "weights".into(), bytes: 16, ..Default::default() };
    let weights = device.allocate(options).unwrap();
    log.plan(0, Fault::DeviceLost);
    let lost = weights.upload(&[0; 16]).err().unwrap().to_string();
    calls.push(("D012", "weights.upload(&bytes)", lost));
    device.try_recover().unwrap();
    let poisoned = weights.download().err().unwrap().to_string();
    calls.push(("D013", "weights.download(), after device.try_recover()", poisoned));
    calls
}

fn queue() -> Vec<Call> {
    const PLAN: &str = "plan_device_work_queue(profile)";
    let good = DeviceWorkQueueProfile {
        initial_items: 256,
        queue_capacity: 1024,
        entry_bytes: 16,
        control_bytes: 128,
        budget_bytes: 32768,
        host_sync: WorkQueueHostSync::FinalOnly,
    };
    let plan = |change: &dyn Fn(&mut DeviceWorkQueueProfile)| {
        let mut profile = good;
        change(&mut profile);
        plan_device_work_queue(profile).unwrap_err().to_string()
    };
    vec![
        ("B020", PLAN, plan(&|p| p.queue_capacity = 0)),
        ("B021", PLAN, plan(&|p| p.entry_bytes = 0)),
        ("B022", PLAN, plan(&|p| p.initial_items = 1025)),
        ("B023", PLAN, plan(&|p| p.host_sync = WorkQueueHostSync::HostParticipates)),
        ("B024", PLAN, plan(&|p| p.control_bytes = u64::MAX)),
        ("B025", PLAN, plan(&|p| p.budget_bytes = 16511)),
        (
            "B026",
            "plan_device_work_queue_backpressure(profile, 0)",
            plan_device_work_queue_backpressure(good, 0).unwrap_err().to_string(),
        ),
    ]
}

/// Errors of work queues and of programs that wait for their grid.
fn work_queues() -> Vec<Call> {
    let backend = NullBackend::new(NullOptions::default(), FaultPlan::default());
    let device = Device::new(Box::new(backend));
    let error = |error: BackendError| error.to_string();
    let config = DispatchConfig::default();
    let handler =
        |lines: &str| parse(&format!("buffer y: u32[4] storage read_write @group(0) @binding(0)\n{lines}"));
    let program = handler("%0: u32 = queue_item\nqueue_push %0\nqueue_push %0");
    let profile = |program: &Program| WorkQueue::profile(program, 4, 1 << 10);
    let new = |profile| WorkQueue::new(&device, &program, profile, WorkQueueOptions::default(), &config);
    let four = profile(&program).unwrap();
    let other = DeviceWorkQueueProfile { entry_bytes: 8, ..four };
    let run = new(four).unwrap().run(&[0; 4], &[Resource::Bytes(&[0; 16])], &config);
    let made = |lines: &str| error(profile(&handler(lines)).err().unwrap());
    let native = DispatchConfig { grid_sync: GridSync::Native, ..DispatchConfig::default() };
    // More workgroups than any processor has threads.
    let large = DispatchConfig { grid: Grid::Workgroups([1 << 20, 1, 1]), ..native.clone() };
    let waits = handler("%0: u32 = global_id x\n%1: u32 = atomic_add y[%0], %0\ngrid_sync\nstore y[%0], %1");
    let alone = Device::open("cpu").unwrap().compile(&waits, &native).unwrap();
    let mut options = NullOptions::default();
    options.limits.storage_binding_bytes = 4096;
    let small = Device::new(Box::new(NullBackend::new(options, FaultPlan::default())));
    let kept = small.compile(&waits, &config).unwrap();
    let many = DispatchConfig { grid: Grid::Workgroups([1 << 10, 1, 1]), ..DispatchConfig::default() };
    let profile = "WorkQueue::profile(&program, 4, 1024)";
    let keeps = handler(
        "buffer q: u32[5000] private read_write
         %0: u32 = const 0
         store q[%0], %0
         grid_sync
         %1: u32 = load q[%0]
         store y[%0], %1",
    );
    vec![
        ("S001", "split(&program)", vyre::opt::split::split(&keeps).err().unwrap().to_string()),
        ("S101", profile, made("%0: u32 = queue_item\n%1: f32 = bitcast %0\nqueue_push %1")),
        ("S102", profile, made("%0: u32 = queue_item\n%1: u32 = num_workgroups x")),
        ("S103", profile, made("%0: u32 = const 1")),
        (
            "D034",
            "device.compile(&program, &DispatchConfig { grid_sync: GridSync::Native, ..Default::default() })",
            error(device.compile(&handler("grid_sync"), &native).err().unwrap()),
        ),
        (
            "D011",
            "device.compile(&program, &native)?.dispatch(&inputs, &native)",
            error(alone.dispatch(&[&[0; 16]], &large).err().unwrap()),
        ),
        (
            "D035",
            "compiled.dispatch(&inputs, &config)",
            error(kept.dispatch(&[&[0; 16]], &many).err().unwrap()),
        ),
        (
            "D036",
            "device.compile(&program, &config)",
            error(device.compile(&program, &config).err().unwrap()),
        ),
        (
            "D037",
            "WorkQueue::new(&device, &program, profile, options, &config)",
            error(new(other).err().unwrap()),
        ),
        ("D038", "queue.run(&items, &resources, &config)", error(run.err().unwrap())),
    ]
}

fn interpreter() -> Vec<Call> {
    const RUN: &str = "vyre_reference::run(&program, [1, 1, 1], &mut buffers, &options)";
    let run = |program: &Program, buffers: &mut [Bytes<'_>], options: &Options<'_>| match vyre_reference::run(
        program,
        [1, 1, 1],
        buffers,
        options,
    ) {
        Err(Error::Invalid(diagnostic)) => diagnostic.to_string(),
        other => panic!("{other:?}"),
    };
    let options = Options::default();
    let program = with_buffers([storage("data", 0, 4)]);
    let with = |bytes: Bytes<'_>| run(&program, &mut [bytes], &options);
    let wide = Builder::new("p", [65536, 65536, 1]).finish();
    let waits = parse("grid_sync");
    let disagrees = parse("%0: u32 = local_index\n%1: bool = const true\n%2: u32 = grid_uniform %0, %1");
    let handler = parse("%0: u32 = queue_item\nqueue_push %0");
    let waiting = |program: &Program, workgroups, chosen| {
        let options = Options { workgroups: chosen, ..Options::default() };
        match vyre_reference::run(program, workgroups, &mut [], &options) {
            Err(Error::Invalid(diagnostic)) => diagnostic.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let diverging = parse(
        "%0: u32 = local_index\n%1: u32 = const 2\n%2: bool = lt %0, %1\nif %2 {\n  workgroup_barrier\n} else {\n}",
    );
    vec![
        ("B301", RUN, run(&program, &mut [], &options)),
        ("B302", RUN, with(Bytes::Unbound)),
        ("B303", RUN, with(Bytes::Read(&[0; 16]))),
        ("B304", RUN, with(Bytes::Write(&mut [0; 8]))),
        ("B305", RUN, with(Bytes::Tracked { bytes: &mut [0; 16], written: &mut [0; 1] })),
        (
            "D301",
            RUN,
            run(
                &program,
                &mut [Bytes::Write(&mut [0; 16])],
                &Options { subgroup_size: 0, ..Options::default() },
            ),
        ),
        ("D302", RUN, run(&wide, &mut [], &options)),
        ("D304", RUN, run(&diverging, &mut [], &options)),
        (
            "D305",
            RUN,
            run(
                &program,
                &mut [Bytes::Write(&mut [0; 16])],
                &Options { workgroups: Some(&[1]), ..Options::default() },
            ),
        ),
        (
            "D306",
            "vyre_reference::run(&program, [u32::MAX; 3], &mut [], &options)",
            waiting(&waits, [u32::MAX; 3], None),
        ),
        ("D307", RUN, waiting(&disagrees, [1; 3], None)),
        ("D308", RUN, waiting(&waits, [1; 3], Some(&[0]))),
        ("D310", RUN, run(&handler, &mut [], &options)),
    ]
}

/// Computes nothing.
struct Idle;

impl vyre_bench::Runner for Idle {
    fn about(&self) -> String {
        "idle".into()
    }

    fn load(
        &self,
        _: &vyre_bench::Case,
        _: &vyre_bench::Work,
    ) -> Result<Box<dyn vyre_bench::Loaded>, vyre_bench::BenchError> {
        Ok(Box::new(Idle))
    }
}

impl vyre_bench::Loaded for Idle {
    fn run(&mut self) -> Result<(), vyre_bench::BenchError> {
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, vyre_bench::BenchError> {
        Ok(vec![vec![0; 1000]; 2])
    }
}

fn benchmarks() -> Vec<Call> {
    let kernel = vyre_bench::kernel("hash").unwrap();
    let case = vyre_bench::Case { kernel, mode: vyre_bench::Mode::Resident, size: vyre_bench::Size::Small };
    let work = kernel.prepare(case.size);
    let error = vyre_bench::checked(&Idle, "idle", &case, &work).err().unwrap();
    vec![(
        "C051",
        "vyre_bench::checked(&idle, ...), with a runner that computes nothing",
        error.diagnostics()[0].to_string(),
    )]
}

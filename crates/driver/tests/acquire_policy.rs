//! What a policy asks for: kinds, preferences, requirements one by one, and what programs require.

mod common;

use common::{fake, places, plain};
use vyre_driver::*;
use vyre_ir::{Program, text};

fake!(SMALL, "small", probed || Ok(vec![plain("small", DeviceKind::IntegratedGpu); 2]));
fake!(LARGE, "large", probed || Ok(vec![large()]));
fake!(CPU, "cpu", probed || Ok(vec![plain("cpu", DeviceKind::Cpu)]));

fn large() -> DeviceProfile {
    DeviceProfile { supports_f16: true, ..plain("large", DeviceKind::DiscreteGpu) }
}

fn chosen(policy: &AcquirePolicy) -> Vec<String> {
    let _turn = common::turn();
    places(&explain_selection(policy).unwrap()).into_iter().map(Into::into).collect()
}

#[test]
fn kinds() {
    assert_eq!(chosen(&AcquirePolicy::default()), ["large", "small", "small:1"]);
    let cpu = AcquirePolicy { kinds: vec![DeviceKind::Cpu], ..Default::default() };
    assert_eq!(chosen(&cpu), ["cpu"]);
    assert_eq!(chosen(&AcquirePolicy::any()).len(), 4);
}

#[test]
fn preferences_come_before_the_score_and_only_order() {
    let prefer = |prefer: Vec<Preference>| chosen(&AcquirePolicy { prefer, ..AcquirePolicy::any() });
    let device = |name: &str| Preference::Device(name.into());
    assert_eq!(prefer(vec![device("small:1")])[..2], ["small:1", "large"]);
    assert_eq!(
        prefer(vec![Preference::Kind(DeviceKind::Cpu), device("small:1")])[..3],
        ["cpu", "small:1", "large"]
    );
    assert_eq!(prefer(vec![device("absent"), device("small")])[..2], ["small", "large"]);
    let policy = AcquirePolicy { prefer: vec![device("cpu"), device("small:1")], ..AcquirePolicy::gpu() };
    let _turn = common::turn();
    let all = explain_selection(&policy).unwrap();
    assert_eq!(places(&all)[..2], ["small:1", "large"]);
    assert_eq!(all[1].reason, "`small:1` is preferred by the policy, by its name");
}

#[test]
fn what_is_not_met_is_said_by_name() {
    let _turn = common::turn();
    let limits = Limits { invocations_per_workgroup: 512, storage_binding_bytes: 8192, ..Default::default() };
    let require = DeviceRequirements { supports_bf16: true, limits, ..Default::default() };
    let policy = AcquirePolicy { require, ..AcquirePolicy::gpu() };
    let all = explain_selection(&policy).unwrap();
    let reason = "it lacks what is needed: bf16: wanted, and it has none, invocations per workgroup: wanted 512, has 64, \
                  bytes of a storage binding: wanted 8192, has 4096";
    assert_eq!(all.iter().find(|c| c.id == "large").unwrap().reason, reason);
    let text = acquire_by_policy(&policy).err().unwrap().to_string();
    assert!(text.contains(reason) && text.contains("`small:1`") && text.contains("Fix: "), "{text}");
}

#[test]
fn each_requirement_counts() {
    type Change<P> = fn(&mut P);
    // What to require, what a device needs for it, and the words.
    let cases: [(Change<DeviceRequirements>, Change<DeviceProfile>, &str); 30] = [
        (|r| r.supports_subgroup_ops = true, |p| p.supports_subgroup_ops = true, "subgroups"),
        (|r| r.supports_subgroup_shuffle = true, |p| p.supports_subgroup_shuffle = true, "subgroup shuffle"),
        (|r| r.supports_f16 = true, |p| p.supports_f16 = true, "f16"),
        (|r| r.supports_bf16 = true, |p| p.supports_bf16 = true, "bf16"),
        (|r| r.supports_f64 = true, |p| p.supports_f64 = true, "f64"),
        (|r| r.supports_i64 = true, |p| p.supports_i64 = true, "i64"),
        (|r| r.supports_tensor_cores = true, |p| p.supports_tensor_cores = true, "tensor cores"),
        (|r| r.supports_async_compute = true, |p| p.supports_async_compute = true, "asynchronous compute"),
        (
            |r| r.supports_indirect_dispatch = true,
            |p| p.supports_indirect_dispatch = true,
            "indirect dispatch",
        ),
        (
            |r| r.supports_persistent_threads = true,
            |p| p.supports_persistent_threads = true,
            "persistent threads",
        ),
        (|r| r.supports_grid_sync = true, |p| p.supports_grid_sync = true, "grid sync"),
        (
            |r| r.supports_device_timestamps = true,
            |p| p.supports_device_timestamps = true,
            "device timestamps",
        ),
        (
            |r| r.supports_hardware_counters = true,
            |p| p.supports_hardware_counters = true,
            "hardware counters",
        ),
        (|r| r.supports_distributed = true, |p| p.supports_distributed = true, "distributed"),
        (|r| r.supports_cancel = true, |p| p.supports_cancel = true, "cancel"),
        (
            |r| r.limits.workgroup_size[0] = 65,
            |p| p.limits.workgroup_size[0] = 65,
            "size along x: wanted 65, has 64",
        ),
        (
            |r| r.limits.workgroup_size[1] = 33,
            |p| p.limits.workgroup_size[1] = 33,
            "size along y: wanted 33, has 32",
        ),
        (
            |r| r.limits.workgroup_size[2] = 17,
            |p| p.limits.workgroup_size[2] = 17,
            "size along z: wanted 17, has 16",
        ),
        (
            |r| r.limits.invocations_per_workgroup = 65,
            |p| p.limits.invocations_per_workgroup = 65,
            "invocations per workgroup: wanted 65, has 64",
        ),
        (
            |r| r.limits.workgroups_per_dimension = 1001,
            |p| p.limits.workgroups_per_dimension = 1001,
            "workgroups per dimension: wanted 1001, has 1000",
        ),
        (
            |r| r.limits.storage_binding_bytes = 4097,
            |p| p.limits.storage_binding_bytes = 4097,
            "bytes of a storage binding: wanted 4097, has 4096",
        ),
        (
            |r| r.limits.workgroup_memory_bytes = 1,
            |p| p.limits.workgroup_memory_bytes = 1,
            "bytes of workgroup memory: wanted 1, has 0",
        ),
        (
            |r| r.limits.buffers_per_stage = 9,
            |p| p.limits.buffers_per_stage = 9,
            "storage buffers: wanted 9, has 8",
        ),
        (
            |r| r.limits.uniform_binding_bytes = 1025,
            |p| p.limits.uniform_binding_bytes = 1025,
            "bytes of a uniform binding: wanted 1025, has 1024",
        ),
        (
            |r| r.limits.uniform_buffers_per_stage = 5,
            |p| p.limits.uniform_buffers_per_stage = 5,
            "uniform buffers: wanted 5, has 4",
        ),
        (|r| r.subgroup_size = 32, |p| p.subgroup_size = 32, "invocations per subgroup: wanted 32, has 0"),
        (|r| r.compute_units = 2, |p| p.compute_units = 2, "compute units: wanted 2, has 1"),
        (
            |r| r.timing_quality = TimingQuality::DeviceTimestamps,
            |p| p.timing_quality = TimingQuality::HardwareCounters,
            "timing quality: wanted device timestamps, has host only",
        ),
        (|r| r.mem_bw_gbps = Some(5.5), |p| p.mem_bw_gbps = Some(5.5), "wanted 5.5 GB/s, has none measured"),
        (|r| r.mem_bw_gbps = Some(0.0), |p| p.mem_bw_gbps = Some(0.0), "wanted 0 GB/s, has none measured"),
    ];
    let base = plain("base", DeviceKind::Cpu);
    assert_eq!(DeviceRequirements::default().unmet(&base), [""; 0]);
    for (require, provide, words) in cases {
        let (mut requirements, mut profile) = (DeviceRequirements::default(), base.clone());
        require(&mut requirements);
        let unmet = requirements.unmet(&base);
        assert!(unmet.len() == 1 && unmet[0].contains(words), "{words}: {unmet:?}");
        provide(&mut profile);
        assert_eq!(requirements.unmet(&profile), [""; 0], "{words}");
    }
    let require = DeviceRequirements { mem_bw_gbps: Some(6.0), ..Default::default() };
    let slow = DeviceProfile { mem_bw_gbps: Some(5.5), ..base };
    assert_eq!(require.unmet(&slow), ["memory bandwidth: wanted 6 GB/s, has 5.5 GB/s"]);
}

fn program(workgroup: &str, lines: &str) -> Program {
    text::parse("p.vyre", &format!("program p workgroup({workgroup}) {{\n{lines}\n}}")).unwrap()
}

#[test]
fn what_a_program_requires() {
    let needs = |workgroup: &str, lines: &str| DeviceRequirements::of(&program(workgroup, lines));
    let bare = |size: [u32; 3]| DeviceRequirements {
        limits: Limits {
            workgroup_size: size,
            invocations_per_workgroup: size.iter().product(),
            ..Default::default()
        },
        ..Default::default()
    };
    assert_eq!(needs("4, 3, 2", "%0: u32 = const 1\n%1: f32 = const 1"), bare([4, 3, 2]));
    assert_eq!(needs("65536, 65536, 1", "").limits.invocations_per_workgroup, u32::MAX);

    // Types of values, also inside of control flow, and of buffers.
    let one = bare([1; 3]);
    let f16 = DeviceRequirements { supports_f16: true, ..one.clone() };
    assert_eq!(needs("1, 1, 1", "%0: bool = const true\nif %0 {\n%1: f16 = const 1\n}"), f16);
    assert_eq!(
        needs("1, 1, 1", "%0: bf16 = const 1"),
        DeviceRequirements { supports_bf16: true, ..one.clone() }
    );
    assert_eq!(
        needs("1, 1, 1", "%0: f64 = const 1"),
        DeviceRequirements { supports_f64: true, ..one.clone() }
    );
    assert_eq!(
        needs("1, 1, 1", "%0: u64 = const 1"),
        DeviceRequirements { supports_i64: true, ..one.clone() }
    );
    let uniform = needs("1, 1, 1", "buffer a: i64[4] uniform read @group(0) @binding(0)");
    let limits = Limits { uniform_buffers_per_stage: 1, uniform_binding_bytes: 32, ..one.limits };
    assert_eq!(uniform, DeviceRequirements { supports_i64: true, limits, ..one.clone() });

    // Storage and workgroup memory.
    let memory = needs(
        "1, 1, 1",
        "buffer a: f32[100] storage read @group(0) @binding(0)\nbuffer b: u8[200] storage read_write @group(0) @binding(1)\n\
         buffer c: u32[] storage read @group(1) @binding(0)\nbuffer t: u32[16] workgroup read_write\n\
         buffer s: u8[3] workgroup read_write\nbuffer p: u32[1000] private read_write",
    );
    let limits =
        Limits { buffers_per_stage: 3, storage_binding_bytes: 400, workgroup_memory_bytes: 67, ..one.limits };
    assert_eq!(memory, DeviceRequirements { limits, ..one.clone() });

    // Subgroups: that there are some, and what they do.
    let subgroups = DeviceRequirements { supports_subgroup_ops: true, subgroup_size: 1, ..one.clone() };
    assert_eq!(needs("1, 1, 1", "%0: u32 = subgroup_lane"), subgroups);
    assert_eq!(needs("1, 1, 1", "subgroup_barrier"), subgroups);
    assert_eq!(needs("1, 1, 1", "%0: u32 = const 1\n%1: u32 = subgroup_add %0"), subgroups);
    let shuffle = DeviceRequirements { supports_subgroup_shuffle: true, ..subgroups };
    assert_eq!(needs("1, 1, 1", "%0: u32 = const 1\n%1: u32 = subgroup_shuffle_xor %0, %0"), shuffle);
}

#[test]
fn what_a_program_calls_is_required_too() {
    let inner = OpDef::parse(
        "op needs.wide(%x: f32) -> f32 {\n%w: f64 = convert %x\n%s: f64 = add %w, %w\n%r: f32 = convert %s\nyield %r\n}",
    );
    let outer = OpDef::parse("op needs.deep(%x: f32) -> f32 {\n%r: f32 = call needs.wide %x\nyield %r\n}");
    let dialect = DialectDef {
        name: "needs".into(),
        version: Version::new(1, 0, 0),
        origin: "a test".into(),
        ops: vec![inner.unwrap(), outer.unwrap()],
        migrations: Vec::new(),
    };
    let registry = RegistryBuilder::new().dialect(dialect).build().unwrap();
    let calls = program("1, 1, 1", "%0: f32 = const 1\n%1: f32 = call needs.deep %0");
    let linked = link(&calls, &registry).unwrap();
    let need = DeviceRequirements::of(&linked);
    assert!(need.supports_f64 && !need.supports_f16);
    assert!(!DeviceRequirements::of(&calls).supports_f64, "what is not linked is not known");
}

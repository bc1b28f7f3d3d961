//! Registration, the automatic choice, dispatch and its timeout, with backends made for the test.

use std::sync::Arc;
use std::time::Duration;
use vyre_driver::*;
use vyre_ir::{Access, BufferDecl, Builder, Memory, Program, Scalar};

struct Fake {
    profile: DeviceProfile,
}

impl Fake {
    fn open(
        backend: &'static str,
        kind: DeviceKind,
        subgroup_size: u32,
    ) -> Result<Box<dyn VyreBackend>, BackendError> {
        let limits = Limits {
            workgroup_size: [128, 128, 8],
            invocations_per_workgroup: 128,
            workgroups_per_dimension: 65535,
            storage_binding_bytes: 1 << 20,
            workgroup_memory_bytes: 256,
            buffers_per_stage: 8,
            uniform_binding_bytes: 1 << 10,
            uniform_buffers_per_stage: 4,
        };
        let base = DeviceProfile::new(backend, kind, "fake".into(), "1".into(), limits);
        Ok(Box::new(Fake { profile: DeviceProfile { subgroup_size, host_memory: true, ..base } }))
    }
}

impl VyreBackend for Fake {
    fn id(&self) -> &'static str {
        self.profile.backend
    }
    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }
    fn target(&self) -> Option<vyre_opt::Target> {
        None
    }
    fn compile(&self, p: &Arc<Program>, _: &CompileOptions) -> Result<Arc<dyn Executable>, BackendError> {
        Ok(Arc::new(Run { name: p.name.clone() }))
    }
    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        HostMemory::allocate(request)
    }
    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        submit_on_host(commands, cancel, &mut Run::launch)
    }
    fn device_lost(&self) -> Option<String> {
        None
    }
    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        Fake::open(self.profile.backend, self.profile.kind, self.profile.subgroup_size)
    }
}

/// Adds 1 to each byte of what may be written, or waits for the end of time.
struct Run {
    name: String,
}

impl Executable for Run {}

impl Run {
    fn launch(&self, launch: &mut HostLaunch<'_>) -> Result<(), BackendError> {
        while self.name == "endless" && !launch.cancel.requested() {
            std::thread::yield_now();
        }
        for memory in &mut launch.memory {
            if let HostBytes::Write(bytes) = memory {
                bytes.iter_mut().for_each(|b| *b += 1);
            }
        }
        Ok(())
    }
}

inventory::submit! { BackendRegistration { id: "oracle", acquire: || Fake::open("oracle", DeviceKind::Oracle, 64) } }
inventory::submit! { BackendCapability { id: "oracle", dispatches: true } }
inventory::submit! { BackendRegistration { id: "small", acquire: || Fake::open("small", DeviceKind::Cpu, 0) } }
inventory::submit! { BackendCapability { id: "small", dispatches: true } }
inventory::submit! { BackendPrecedence { id: "small", rank: 1 } }
inventory::submit! { BackendRegistration { id: "large", acquire: || Fake::open("large", DeviceKind::Cpu, 8) } }
inventory::submit! { BackendCapability { id: "large", dispatches: true } }
inventory::submit! { BackendPrecedence { id: "large", rank: 2 } }
inventory::submit! { BackendRegistration { id: "mute", acquire: || Fake::open("mute", DeviceKind::Cpu, 64) } }
inventory::submit! { BackendRegistration { id: "broken", acquire: || Err(BackendError::Unavailable {
reason: "no such chip".into(), fix: "buy one.".into() }) } }
inventory::submit! { BackendCapability { id: "broken", dispatches: true } }

#[test]
fn registrations_are_ordered_by_rank_then_id() {
    let ids: Vec<&str> = registered_backends().unwrap().iter().map(|b| b.id).collect();
    assert_eq!(ids, ["small", "large", "broken", "mute", "oracle"]);
    assert!(backend_dispatches("small") && !backend_dispatches("mute") && !backend_dispatches("unknown"));
    assert_eq!((backend_precedence("large"), backend_precedence("mute")), (2, u32::MAX));
    assert_eq!(backend_precedence("unknown"), u32::MAX);
}

#[test]
fn an_unknown_id_lists_what_is_linked() {
    let error = acquire("metal").err().unwrap();
    let text = error.to_string();
    assert_eq!(error.code(), "D001");
    assert!(text.contains("`metal`") && text.contains("small, large") && text.contains("Fix:"), "{text}");
    assert_eq!(acquire("broken").err().unwrap().code(), "D002");
}

#[test]
fn the_choice_follows_capability_and_never_takes_an_oracle() {
    assert_eq!(acquire_by_policy(&AcquirePolicy::any()).unwrap().id(), "large");
    let candidates = explain_selection(&AcquirePolicy::any()).unwrap();
    let why: Vec<(&str, Option<usize>)> = candidates.iter().map(|c| (&*c.id, c.place)).collect();
    assert_eq!(why[..2], [("large", Some(0)), ("small", Some(1))]);
    assert!(why[2..].iter().all(|(_, place)| place.is_none()));
}

#[test]
fn without_a_gpu_the_default_policy_says_why() {
    let text = acquire_preferred_dispatch_backend().err().unwrap().to_string();
    for part in ["`broken`", "no such chip", "`oracle`", "`small`", "kind CPU", "Fix:"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn counting(name: &str, workgroup: u32, shared: u64) -> Program {
    let mut b = Builder::new(name, [workgroup, 1, 1]);
    let decl = |name: &str, memory, count| BufferDecl {
        name: name.into(),
        group: 0,
        binding: 0,
        memory,
        access: Access::ReadWrite,
        element: Scalar::U8.into(),
        count,
        ..BufferDecl::default()
    };
    b.buffer(decl("bytes", Memory::Storage, 0));
    if shared > 0 {
        b.buffer(decl("tile", Memory::Workgroup, shared));
    }
    b.finish()
}

fn run(program: &Program, config: &DispatchConfig) -> Result<Outputs, BackendError> {
    Device::open("small")?.compile(program, config)?.dispatch(&[&[1, 2, 3]], config)
}

#[test]
fn a_dispatch_copies_in_and_out() {
    let outputs = run(&counting("count", 2, 0), &DispatchConfig::default()).unwrap();
    assert_eq!(outputs.workgroups, [2, 1, 1]);
    assert_eq!(outputs.get::<u8>(0).unwrap(), [2, 3, 4]);
    assert_eq!(outputs.get::<u16>(0).unwrap_err().code(), "D032");
    assert_eq!(outputs.get::<u8>(1).unwrap_err().code(), "B008");
}

#[test]
fn a_run_without_end_is_stopped() {
    let config = DispatchConfig { timeout: Some(Duration::from_millis(20)), ..Default::default() };
    assert_eq!(run(&counting("endless", 1, 0), &config).err().unwrap().code(), "D008");
    assert!(run(&counting("count", 1, 0), &config).is_ok());
}

#[test]
fn limits_are_checked_before_compiling() {
    let check = |program: &Program, code: &str, part: &str| {
        let error = run(program, &DispatchConfig::default()).err().unwrap();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(part), "{error}");
    };
    check(&counting("wide", 129, 0), "D020", "129 invocations");
    check(&counting("hungry", 1, 257), "D021", "257 bytes of workgroup memory");
}

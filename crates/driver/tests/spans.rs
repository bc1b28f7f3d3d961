//! Which spans whoever listens sees of compiling, dispatches, batches, asynchronous work and recovery.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use vyre_driver::*;
use vyre_ir::{Program, text};

/// Each span as a line, in the order in which they begin: those around it, its name, its fields.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local!(static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) });

struct Listener;

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        assert_eq!(metadata.target(), spans::TARGET);
        let (name, fields) = (metadata.name(), metadata.fields().iter().map(|field| field.name()));
        let (_, documented) = spans::SPANS.iter().find(|(span, _)| *span == name).unwrap();
        assert!(fields.eq(documented.iter().copied()), "fields of {name}");
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut seen = SEEN.lock().unwrap();
        let around = INSIDE.with_borrow(|inside| inside.last().copied());
        let around = around.map(|i| seen[i].split('|').next().unwrap().to_string() + " > ");
        let mut line = around.unwrap_or_default() + attributes.metadata().name() + "|";
        attributes.record(&mut Line(&mut line));
        seen.push(line);
        Id::from_u64(seen.len() as u64)
    }
    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut SEEN.lock().unwrap()[id.into_u64() as usize - 1]));
    }
    fn enter(&self, id: &Id) {
        INSIDE.with_borrow_mut(|inside| inside.push(id.into_u64() as usize - 1));
    }
    fn exit(&self, id: &Id) {
        assert_eq!(INSIDE.with_borrow_mut(Vec::pop), Some(id.into_u64() as usize - 1));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
}

/// What `work` does, as lines.
fn seen(work: impl FnOnce()) -> Vec<String> {
    SEEN.lock().unwrap().clear();
    work();
    std::mem::take(&mut *SEEN.lock().unwrap())
}

/// Adds 1 to each byte that may be written; a program called `lost` loses the device.
struct Adder {
    profile: DeviceProfile,
    lost: Arc<AtomicBool>,
}

struct Code(String);

impl Executable for Code {}

impl Adder {
    fn device(host_memory: bool) -> Device {
        let limits = Limits {
            workgroup_size: [64; 3],
            invocations_per_workgroup: 64,
            workgroups_per_dimension: 64,
            storage_binding_bytes: 1 << 10,
            workgroup_memory_bytes: 0,
            buffers_per_stage: 8,
            uniform_binding_bytes: 1 << 10,
            uniform_buffers_per_stage: 4,
        };
        let kind = DeviceKind::VirtualGpu;
        let profile = DeviceProfile::new("adder", kind, "adder".into(), "1".into(), limits);
        let profile = DeviceProfile { host_memory, ..profile };
        Device::new(Box::new(Adder { profile, lost: Arc::default() }))
    }
}

impl VyreBackend for Adder {
    fn id(&self) -> &'static str {
        "adder"
    }
    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }
    fn target(&self) -> Option<vyre_opt::Target> {
        None
    }
    fn compile(&self, p: &Arc<Program>, _: &CompileOptions) -> Result<Arc<dyn Executable>, BackendError> {
        Ok(Arc::new(Code(p.name.clone())))
    }
    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        HostMemory::allocate(request)
    }
    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        submit_on_host(commands, cancel, &mut |code: &Code, launch: &mut HostLaunch<'_>| {
            if code.0 == "lost" {
                self.lost.store(true, Ordering::SeqCst);
                return Err(BackendError::DeviceLost { backend: "adder", reason: "asked for".into() });
            }
            for memory in &mut launch.memory {
                if let HostBytes::Write(bytes) = memory {
                    bytes.iter_mut().for_each(|byte| *byte += 1);
                }
            }
            Ok(())
        })
    }
    fn device_lost(&self) -> Option<String> {
        self.lost.load(Ordering::SeqCst).then(|| "asked for".into())
    }
    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        Ok(Box::new(Adder { profile: self.profile.clone(), lost: Arc::default() }))
    }
}

fn program(name: &str) -> Program {
    let text = format!(
        "program {name} workgroup(4, 1, 1) {{
           buffer data: u32[4] storage read_write @group(0) @binding(0)
           %0: u32 = global_id x
           store data[%0], %0
         }}"
    );
    text::parse(name, &text).unwrap()
}

/// One test, because who listens is a global.
#[test]
fn each_step_has_its_span() {
    tracing::subscriber::set_global_default(Listener).unwrap();
    let config = DispatchConfig::default();
    let named = DispatchConfig { label: Some("first".into()), iterations: 2, ..config.clone() };
    let data = [0u8; 16];

    let device = Adder::device(true);
    let compile = |name: &str| device.compile(&program(name), &config).unwrap();
    let steps =
        ["compile > link|", "compile > verify| instructions=3", "compile > codegen| backend=\"adder\""];
    let compiled = |source| format!("compile| program=\"add\" backend=\"adder\" source=\"{source}\"");
    assert_eq!(seen(|| _ = compile("add")), [&[&*compiled("compiled")], &steps[..]].concat());
    // From the cache: no code is made.
    assert_eq!(seen(|| _ = compile("add")), [&[&*compiled("memory")], &steps[..2]].concat());

    // In the host's memory nothing is read back.
    let add = compile("add");
    assert_eq!(
        seen(|| _ = add.dispatch(&[&data], &config).unwrap()),
        [
            "dispatch| program=\"add\" workgroups=[1, 1, 1] iterations=1",
            "dispatch > upload| bytes=16",
            "dispatch > launch| workgroups=[1, 1, 1] iterations=1",
            "dispatch > launch > kernel| workgroups=[1, 1, 1]",
        ]
    );
    let far = Adder::device(false);
    let add_far = far.compile(&program("add"), &config).unwrap();
    assert_eq!(
        seen(|| _ = add_far.dispatch(&[&data], &named).unwrap()),
        [
            "dispatch| program=\"add\" label=\"first\" workgroups=[1, 1, 1] iterations=2",
            "dispatch > launch| label=\"first\" workgroups=[1, 1, 1] iterations=2",
            "dispatch > launch > upload| bytes=16",
            "dispatch > launch > kernel| workgroups=[1, 1, 1]",
            "dispatch > launch > kernel| workgroups=[1, 1, 1]",
            "dispatch > launch > readback| bytes=16",
        ]
    );

    let resident = |journaled| {
        device
            .allocate(ResidentOptions { name: "data".into(), bytes: 16, journaled, ..Default::default() })
            .unwrap()
    };
    let (kept, forgotten) = (resident(true), resident(false));
    assert_eq!(
        seen(|| {
            let mut batch = device.batch();
            batch.upload(Upload { to: &forgotten, offset: 0, bytes: &data }).unwrap();
            batch.dispatch(&add, &[Resource::Resident(&forgotten)], &config).unwrap();
            let outputs = batch.run(&[Region { from: &forgotten, range: 0..8 }]).unwrap();
            assert_eq!(outputs.regions[0][..], [1; 8]);
        }),
        [
            "batch| steps=2 regions=1",
            "batch > upload| bytes=16",
            "batch > kernel| workgroups=[1, 1, 1]",
            "batch > readback| bytes=8",
        ]
    );

    let mut lines = seen(|| _ = add.dispatch_async(vec![data.to_vec()], &config).wait().unwrap());
    // Two threads.
    lines.sort();
    assert_eq!(
        lines,
        [
            "dispatch > launch > kernel| workgroups=[1, 1, 1]",
            "dispatch > launch| workgroups=[1, 1, 1] iterations=1",
            "dispatch > upload| bytes=16",
            "dispatch| program=\"add\" workgroups=[1, 1, 1] iterations=1",
            "queue| program=\"add\"",
            "wait|",
        ]
    );
    assert_eq!(seen(|| device.flush()), ["wait|"]);

    let lost = compile("lost");
    assert!(lost.dispatch(&[&data], &config).is_err());
    assert_eq!(
        seen(|| _ = device.try_recover().unwrap()),
        [
            "recover| backend=\"adder\" compiled=2 restored=1 lost=1",
            "recover > compile| program=\"add\" backend=\"adder\" source=\"compiled\"",
            "recover > compile > codegen| backend=\"adder\"",
            "recover > compile| program=\"lost\" backend=\"adder\" source=\"compiled\"",
            "recover > compile > codegen| backend=\"adder\"",
            "recover > upload| bytes=16",
        ]
    );
    assert_eq!(seen(|| _ = device.try_recover().unwrap()), [""; 0], "nothing to recover");
    drop((kept, forgotten));

    let missing = seen(|| assert!(Device::open("missing").is_err()));
    assert_eq!(missing, ["acquire|"]);
}

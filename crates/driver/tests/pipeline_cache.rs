//! Compiling through the cache: what makes a device compile again, and what it takes from memory and disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::TempDir;
use vyre_driver::{
    BackendError, CacheConfig, CacheSource, Cancel, Command, CompileOptions, Device, DeviceKind,
    DeviceMemory, DeviceProfile, DialectDef, DialectRegistry, DiskCacheConfig, DispatchConfig, Executable,
    HostMemory, Limits, MemoryRequest, Submitted, Version, VyreBackend,
};
use vyre_ir::Program;

/// What happened to the backends of a test.
#[derive(Default)]
struct Log {
    compiled: AtomicUsize,
    loaded: AtomicUsize,
    lost: AtomicBool,
}

/// A backend whose code is the program's name.
#[derive(Clone)]
struct Names {
    log: Arc<Log>,
    version: &'static str,
    /// Whether code can be stored.
    stores: bool,
    profile: Arc<DeviceProfile>,
}

struct Code {
    name: Vec<u8>,
    stores: bool,
}

impl Executable for Code {
    fn code(&self) -> Option<Vec<u8>> {
        self.stores.then(|| self.name.clone())
    }
}

impl Names {
    fn new() -> Names {
        let limits = Limits {
            workgroup_size: [1024; 3],
            invocations_per_workgroup: 1024,
            workgroups_per_dimension: 1024,
            storage_binding_bytes: 1 << 20,
            workgroup_memory_bytes: 1 << 10,
            buffers_per_stage: 8,
            uniform_binding_bytes: 1 << 10,
            uniform_buffers_per_stage: 4,
        };
        let profile =
            DeviceProfile::new("names", DeviceKind::VirtualGpu, "names".into(), "driver 1".into(), limits);
        Names { log: Arc::default(), version: "1", stores: true, profile: Arc::new(profile) }
    }

    fn device(&self, directory: Option<&Path>) -> Device {
        let device = Device::new(Box::new(self.clone()));
        if let Some(directory) = directory {
            let disk = DiskCacheConfig { directory: directory.into(), bytes: 1 << 20 };
            device.set_cache(CacheConfig { disk: Some(disk), ..CacheConfig::default() });
        }
        device
    }

    /// How often backends compiled and loaded.
    fn counts(&self) -> (usize, usize) {
        (self.log.compiled.load(Ordering::SeqCst), self.log.loaded.load(Ordering::SeqCst))
    }
}

impl VyreBackend for Names {
    fn id(&self) -> &'static str {
        "names"
    }
    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }
    fn target(&self) -> Option<vyre_opt::Target> {
        Some(vyre_opt::Target::SCALAR)
    }
    fn compile(&self, p: &Arc<Program>, _: &CompileOptions) -> Result<Arc<dyn Executable>, BackendError> {
        self.log.compiled.fetch_add(1, Ordering::SeqCst);
        if p.name == "bad" {
            return Err(BackendError::CompileFailed { backend: "names", log: "bad name".into() });
        }
        Ok(Arc::new(Code { name: p.name.clone().into_bytes(), stores: self.stores }))
    }
    fn code_version(&self) -> String {
        self.version.into()
    }
    unsafe fn load(
        &self,
        p: &Arc<Program>,
        code: &[u8],
        _: &CompileOptions,
    ) -> Result<Option<Arc<dyn Executable>>, BackendError> {
        assert_eq!(p.name.as_bytes(), code, "program and code belong together");
        self.log.loaded.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Arc::new(Code { name: code.into(), stores: true })))
    }
    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        HostMemory::allocate(request)
    }
    fn submit(&self, _: &mut [Command<'_>], _: &Cancel) -> Result<Submitted, BackendError> {
        self.log.lost.store(true, Ordering::SeqCst);
        Err(BackendError::DeviceLost { backend: "names", reason: "it runs nothing".into() })
    }
    fn device_lost(&self) -> Option<String> {
        self.log.lost.load(Ordering::SeqCst).then(|| "it runs nothing".into())
    }
    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        self.log.lost.store(false, Ordering::SeqCst);
        Ok(Box::new(self.clone()))
    }
}

/// A program whose optimized form is another one.
fn program(name: &str) -> Program {
    let text = format!(
        "program {name} workgroup(64, 1, 1) {{
  buffer data: u32[] storage read_write @group(0) @binding(0)
  %i: u32 = global_id x
  %a: u32 = const 2
  %b: u32 = add %a, %a
  store data[%i], %b
}}"
    );
    vyre_ir::text::parse("test", &text).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn source(device: &Device, name: &str) -> CacheSource {
    device.compile(&program(name), &DispatchConfig::default()).unwrap().source()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_device_compiles_a_program_once() {
    let backend = Names::new();
    let device = backend.device(None);
    assert_eq!(source(&device, "a"), CacheSource::Compiled);
    assert_eq!(source(&device, "a"), CacheSource::Memory);
    assert_eq!(source(&device.clone(), "a"), CacheSource::Memory);
    assert_eq!(source(&device, "b"), CacheSource::Compiled);
    assert_eq!(backend.counts(), (2, 0));
    let s = device.pipeline_cache_snapshot();
    assert_eq!((s.hits, s.misses, s.entries), (2, 2, 2));
    assert!(s.bytes > 0 && s.disk.is_none(), "the library writes no files unless it is asked to");
    // Another device has its own.
    assert_eq!(source(&backend.device(None), "a"), CacheSource::Compiled);
}

#[test]
fn what_changes_code_makes_it_compile_again() {
    let device = Names::new().device(None);
    let compile = |change: &dyn Fn(&mut DispatchConfig)| {
        let mut config = DispatchConfig::default();
        change(&mut config);
        device.compile(&program("a"), &config).unwrap().source()
    };
    for _ in 0..2 {
        compile(&|_| {});
        compile(&|c| c.checked = true);
        compile(&|c| c.unchecked = true);
        compile(&|c| c.fast_math = true);
        compile(&|c| c.workgroup_size = Some([32, 1, 1]));
    }
    let s = device.pipeline_cache_snapshot();
    assert_eq!((s.hits, s.misses), (5, 5));
    assert_eq!(s.miss_reasons, [("never seen", 2), ("configuration differs", 3)]);
    // What only changes a run does not.
    let timeout = Some(std::time::Duration::from_secs(1));
    assert_eq!(compile(&|c| c.timeout = timeout), CacheSource::Memory);
}

#[test]
fn a_program_that_fails_to_compile_is_not_kept() {
    let backend = Names::new();
    let device = backend.device(None);
    for turn in 1..3 {
        let result = device.compile(&program("bad"), &DispatchConfig::default());
        assert!(matches!(result.err(), Some(BackendError::CompileFailed { .. })));
        assert_eq!(backend.counts().0, turn);
    }
    assert_eq!(device.pipeline_cache_snapshot().entries, 0);
}

#[test]
fn the_next_device_takes_program_and_code_from_disk() {
    let (folder, backend) = (folder(), Names::new());
    let first = backend.device(Some(folder.path()));
    let config = DispatchConfig::default();
    let compiled = first.compile(&program("a"), &config).unwrap();
    assert_eq!(compiled.source(), CacheSource::Compiled);
    let loaded = backend.device(Some(folder.path())).compile(&program("a"), &config).unwrap();
    assert_eq!((loaded.source(), backend.counts()), (CacheSource::Disk, (1, 1)));
    assert_eq!(loaded.program().to_string(), compiled.program().to_string());
    assert_ne!(loaded.program().to_string(), program("a").to_string(), "it is the optimized one");
    assert_eq!((loaded.times().optimize_ns, loaded.times().codegen_ns), (0, 0));
}

#[test]
fn another_version_or_device_does_not_take_it() {
    let (folder, backend) = (folder(), Names::new());
    source(&backend.device(Some(folder.path())), "a");
    let missed = |backend: Names| {
        let device = backend.device(Some(folder.path()));
        assert_eq!(source(&device, "a"), CacheSource::Compiled);
        device.pipeline_cache_snapshot().miss_reasons
    };
    assert_eq!(missed(Names { version: "2", ..backend.clone() }), [("other version", 1)]);
    let with = |change: &dyn Fn(&mut DeviceProfile)| {
        let mut profile = (*backend.profile).clone();
        change(&mut profile);
        Names { profile: Arc::new(profile), ..backend.clone() }
    };
    assert_eq!(missed(with(&|p| p.subgroup_size = 32)), [("configuration differs", 1)]);
    assert_eq!(missed(with(&|p| p.driver = "driver 2".into())), [("configuration differs", 1)]);
    assert_eq!(missed(with(&|p| p.supports_f16 = true)), [("configuration differs", 1)]);
    // How much there is of something changes no code.
    let same = with(&|p| (p.limits.storage_binding_bytes, p.compute_units) = (1 << 30, 77));
    assert_eq!(source(&same.device(Some(folder.path())), "a"), CacheSource::Disk);
}

#[test]
fn code_that_cannot_be_stored_is_not() {
    let (folder, backend) = (folder(), Names { stores: false, ..Names::new() });
    for _ in 0..2 {
        assert_eq!(source(&backend.device(Some(folder.path())), "a"), CacheSource::Compiled);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn recovery_takes_nothing_from_the_memory_of_the_lost_device() {
    let folder = folder();
    for (directory, counts) in [(None, (2, 0)), (Some(folder.path()), (1, 1))] {
        let backend = Names::new();
        let device = backend.device(directory);
        let compiled = device.compile(&program("a"), &DispatchConfig::default()).unwrap();
        assert!(compiled.dispatch(&[&[0; 256]], &DispatchConfig::default()).is_err(), "the device is lost");
        assert!(device.compile(&program("a"), &DispatchConfig::default()).is_err());
        assert_eq!(device.try_recover().unwrap().compiled, 1);
        assert_eq!(backend.counts(), counts);
        assert_eq!(source(&device, "a"), CacheSource::Memory, "what recovery made is kept");
    }
}

#[test]
fn a_changed_operation_makes_its_callers_compile_again() {
    let folder = folder();
    let install = |number: u32| {
        let text = format!(
            "op swapped.add(%x: u32) -> u32 {{\n %n: u32 = const {number}\n %r: u32 = add %x, %n\n yield %r\n}}\n"
        );
        let ops = vyre_ir::text::parse_ops("swapped", &text).unwrap();
        let dialect = DialectDef {
            name: "swapped".into(),
            version: Version::new(1, 0, 0),
            origin: "a test".into(),
            ops,
            migrations: Vec::new(),
        };
        DialectRegistry::update(|builder| builder.replace(dialect)).unwrap();
    };
    let text = "program calls workgroup(1, 1, 1) {
  buffer data: u32[] storage read_write @group(0) @binding(0)
  %i: u32 = global_id x
  %r: u32 = call swapped.add %i
  store data[%i], %r
}";
    let program = vyre_ir::text::parse("test", text).unwrap();
    let device = Names::new().device(Some(folder.path()));
    let compile = || device.compile(&program, &DispatchConfig::default()).unwrap();
    install(5);
    assert_eq!(compile().source(), CacheSource::Compiled);
    assert_eq!(compile().source(), CacheSource::Memory);
    install(6);
    let changed = compile();
    assert_eq!(changed.source(), CacheSource::Compiled);
    assert!(changed.program().to_string().contains("const 6"), "{}", changed.program());
    install(5);
    let back = compile();
    assert_eq!(back.source(), CacheSource::Memory);
    assert!(back.program().to_string().contains("const 5"), "{}", back.program());
}

//! What decides the code that is made, as a key.
//!
//! Invariant: two keys are equal only when all their fields are. Every field goes into the hash with its length or in a
//! fixed size, so that no two sets of fields make the same bytes.

use crate::backend::CompileOptions;
use crate::profile::DeviceProfile;
use std::fmt::Write;

/// The version of all that is between a program and the backend: this crate's version and a hash of the sources.
pub const COMPILER: &str = concat!("vyre ", env!("CARGO_PKG_VERSION"), " ", env!("VYRE_SOURCES"));

/// What decides the code that a backend makes of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheKey {
    /// The fingerprint of the program with its calls linked: it covers the definitions of the operations called.
    pub program: [u8; 32],
    /// The backend's id.
    pub backend: String,
    /// The device's features, as [`device_features`] writes them.
    pub device: String,
    /// What changes code beside the program.
    pub options: CompileOptions,
    /// A hash of the program's source, for code that reports places in it.
    pub source: Option<[u8; 32]>,
    /// [`VyreBackend::code_version`](crate::VyreBackend::code_version).
    pub code_version: String,
    /// [`COMPILER`].
    pub compiler: String,
}

/// A key as a hash, and hashes of its parts, to say in what two keys differ.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Name {
    /// All fields.
    pub key: [u8; 32],
    /// The program.
    pub program: [u8; 16],
    /// Backend, device and options.
    pub configuration: [u8; 8],
    /// The versions.
    pub version: [u8; 8],
}

impl CacheKey {
    /// The hash of all fields.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.name().key
    }

    pub(crate) fn name(&self) -> Name {
        let CacheKey { program, backend, device, options, source, code_version, compiler } = self;
        let CompileOptions { checked, unchecked, gated, keep_workgroups, fast_math } = options;
        let mut configuration = Fields::default();
        configuration.bytes(backend.as_bytes());
        configuration.bytes(device.as_bytes());
        configuration.bytes(&[*checked, *unchecked, *gated, *keep_workgroups, *fast_math].map(u8::from));
        configuration.bytes(source.as_ref().map_or(&[], |hash| hash.as_slice()));
        let mut version = Fields::default();
        version.bytes(code_version.as_bytes());
        version.bytes(compiler.as_bytes());
        let mut all = Fields::default();
        let [configuration, version] = [configuration, version].map(|part| part.hash());
        [program, &configuration, &version].into_iter().for_each(|part| all.bytes(part));
        Name {
            key: all.hash(),
            program: first(program),
            configuration: first(&configuration),
            version: first(&version),
        }
    }
}

/// Fields, each after its length.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn bytes(&mut self, field: &[u8]) {
        self.0.extend((field.len() as u64).to_le_bytes());
        self.0.extend(field);
    }

    fn hash(&self) -> [u8; 32] {
        blake3::hash(&self.0).into()
    }
}

fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|i| hash[i])
}

/// The features of a device that code may depend on. What says how much or how fast is left out: it changes from one
/// start of a process to the next, and no code depends on it.
pub fn device_features(profile: &DeviceProfile) -> String {
    let mut text =
        format!("{} {} subgroups of {}", profile.kind.name(), profile.driver, profile.subgroup_size);
    let features = [
        ("subgroup ops", profile.supports_subgroup_ops),
        ("subgroup shuffle", profile.supports_subgroup_shuffle),
        ("f16", profile.supports_f16),
        ("bf16", profile.supports_bf16),
        ("f64", profile.supports_f64),
        ("i64", profile.supports_i64),
        ("tensor cores", profile.supports_tensor_cores),
        ("async compute", profile.supports_async_compute),
        ("indirect dispatch", profile.supports_indirect_dispatch),
        ("persistent threads", profile.supports_persistent_threads),
        ("grid sync", profile.supports_grid_sync),
        ("distributed", profile.supports_distributed),
    ];
    for (name, _) in features.iter().filter(|(_, has)| *has) {
        let _ = write!(text, ", {name}");
    }
    text
}

//! What a device keeps of a program: its legal form, and the code that was made of it.
//!
//! On disk an entry is the legal program in wire form and the code; a backend whose code cannot be stored has no
//! entries. Measured with the examples on an AMD EPYC, in a process that runs for a while: reading and checking the
//! program takes 20 to 160 us where optimizing takes 25 to 560 us, which alone would not be worth a file; placing code
//! takes 14 to 23 us where making it takes 380 to 8,800 us. A whole `vyre run` takes 1.2 (a histogram) to 2.9 times
//! (Mandelbrot) as much processor time without the cache as with it.

use super::{CacheSource, PipelineCache, Recipe};
use crate::backend::{CompileOptions, Executable, VyreBackend};
use crate::cache::key::{COMPILER, CacheKey, device_features};
use crate::compiled::{CompileTimes, elapsed};
use crate::device::caught;
use crate::error::BackendError;
use crate::spans::TARGET;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;
use vyre_ir::{Program, dialect, wire};

/// A program as it runs.
#[derive(Clone)]
pub(crate) struct Pipeline {
    /// The legal program.
    pub program: Arc<Program>,
    pub executable: Arc<dyn Executable>,
    /// Bytes of memory that both take, about.
    bytes: u64,
}

/// Bytes of memory for each instruction of a program, about: its record, and its part of the tables of values.
const BYTES_PER_INSTRUCTION: u64 = 160;

/// One compilation.
pub(crate) struct Compilation<'a> {
    backend: &'a dyn VyreBackend,
    program: &'a Program,
    options: &'a CompileOptions,
    times: Cell<CompileTimes>,
}

/// The key under which a backend's code for a program is kept.
pub(crate) fn key(backend: &dyn VyreBackend, program: &Program, options: &CompileOptions) -> CacheKey {
    CacheKey {
        program: wire::fingerprint(program),
        backend: backend.id().into(),
        device: device_features(backend.profile()),
        options: options.clone(),
        source: options.checked.then(|| source(program)).flatten(),
        code_version: backend.code_version(),
        compiler: COMPILER.into(),
    }
}

/// A hash of the program's source and of the places in it that instructions come from.
fn source(program: &Program) -> Option<[u8; 32]> {
    let source = program.source.as_ref()?;
    let mut bytes = Vec::with_capacity(source.text.len() + 8 * program.insts.len());
    for data in program.insts.values() {
        bytes.extend(data.loc.start.to_le_bytes());
        bytes.extend(data.loc.end.to_le_bytes());
    }
    for text in [&source.name, &source.text] {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    Some(blake3::hash(&bytes).into())
}

/// The pipeline of a verified program, from the cache or made by the backend, and how long that took.
pub(crate) fn pipeline(
    cache: &PipelineCache<Pipeline>,
    backend: &dyn VyreBackend,
    program: &Program,
    options: &CompileOptions,
) -> Result<(Pipeline, CompileTimes, CacheSource), BackendError> {
    let start = Instant::now();
    let key = key(backend, program, options);
    let compilation = Compilation { backend, program, options, times: Cell::default() };
    let (pipeline, source) = cache.get_or_make(&key, &compilation)?;
    let mut times = compilation.times.get();
    times.cache_ns = elapsed(start).saturating_sub(times.optimize_ns + times.codegen_ns);
    Ok((pipeline, times, source))
}

impl Recipe<Pipeline> for Compilation<'_> {
    type Error = BackendError;

    fn load(&self, stored: &[u8]) -> Option<Pipeline> {
        let _span = tracing::debug_span!(target: TARGET, "load", bytes = stored.len()).entered();
        let (length, rest) = stored.split_first_chunk()?;
        let (program, code) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let program = Arc::new(wire::decode(program).ok()?);
        // SAFETY: the cache gives back what was stored under a key that names program, options and code version.
        let executable = caught(|| unsafe { self.backend.load(&program, code, self.options) }).ok()??;
        let bytes = program.size() as u64 * BYTES_PER_INSTRUCTION + code.len() as u64;
        Some(Pipeline { program, executable, bytes })
    }

    fn compile(&self) -> Result<Pipeline, BackendError> {
        let start = Instant::now();
        let program = match self.backend.target() {
            Some(target) => vyre_opt::run(self.program, &target, self.options.passes()),
            None => self.program.clone(),
        };
        let program = Arc::new(program);
        let optimize_ns = elapsed(start);
        let start = Instant::now();
        let codegen = tracing::debug_span!(target: TARGET, "codegen", backend = self.backend.id()).entered();
        let executable = caught(|| self.backend.compile(&program, self.options))?;
        drop(codegen);
        self.times.set(CompileTimes { optimize_ns, codegen_ns: elapsed(start), cache_ns: 0 });
        let code = executable.code().map_or(0, |code| code.len() as u64);
        let bytes = program.size() as u64 * BYTES_PER_INSTRUCTION + code;
        Ok(Pipeline { program, executable, bytes })
    }

    fn store(&self, pipeline: &Pipeline) -> Option<Vec<u8>> {
        // What a call is linked to is not part of the wire form.
        if dialect::has_calls(&pipeline.program) {
            return None;
        }
        let code = pipeline.executable.code()?;
        let program = wire::encode(&pipeline.program);
        let mut stored = Vec::with_capacity(8 + program.len() + code.len());
        stored.extend((program.len() as u64).to_le_bytes());
        stored.extend(program);
        stored.extend(code);
        Some(stored)
    }

    fn bytes(&self, pipeline: &Pipeline) -> u64 {
        pipeline.bytes
    }
}

//! A cache of texts: what is compiled is the program's name, doubled.
#![allow(dead_code)] // each test file uses a part

use std::cell::Cell;
use std::path::Path;
use vyre_driver::{
    CacheConfig, CacheKey, CacheSource, CompileOptions, DiskCacheConfig, PipelineCache, Recipe,
};

/// How the value of a program is made: any text, of so many bytes.
pub struct Text {
    pub program: String,
    pub bytes: u64,
    /// Whether a stored value is taken.
    pub takes: bool,
    pub compiled: Cell<bool>,
}

impl Text {
    pub fn new(program: &str) -> Text {
        Text { program: program.into(), bytes: 10, takes: true, compiled: Cell::new(false) }
    }
}

impl Recipe<String> for Text {
    type Error = String;
    fn load(&self, stored: &[u8]) -> Option<String> {
        self.takes.then(|| String::from_utf8(stored.to_vec()).unwrap())
    }
    fn compile(&self) -> Result<String, String> {
        self.compiled.set(true);
        Ok(self.program.repeat(2))
    }
    fn store(&self, value: &String) -> Option<Vec<u8>> {
        Some(value.clone().into_bytes())
    }
    fn bytes(&self, _: &String) -> u64 {
        self.bytes
    }
}

/// The key of a program.
pub fn key(program: &str) -> CacheKey {
    CacheKey {
        program: blake3::hash(program.as_bytes()).into(),
        backend: "text".into(),
        device: "any".into(),
        options: CompileOptions::default(),
        source: None,
        code_version: "1".into(),
        compiler: "1".into(),
    }
}

/// A cache in memory only.
pub fn memory(bytes: u64) -> PipelineCache<String> {
    PipelineCache::new(CacheConfig { memory_bytes: bytes, disk: None })
}

/// A cache of a new process that uses a directory.
pub fn disk(directory: &Path, bytes: u64) -> PipelineCache<String> {
    let disk = DiskCacheConfig { directory: directory.into(), bytes };
    PipelineCache::new(CacheConfig { memory_bytes: 1 << 20, disk: Some(disk) })
}

/// Asks for a program of so many bytes; its value must be right wherever it comes from.
pub fn source(cache: &PipelineCache<String>, program: &str, bytes: u64) -> CacheSource {
    let text = Text { bytes, ..Text::new(program) };
    let (value, source) = cache.get_or_make(&key(program), &text).unwrap();
    assert_eq!(value, program.repeat(2));
    assert_eq!(text.compiled.get(), source == CacheSource::Compiled);
    source
}

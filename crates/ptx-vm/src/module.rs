//! A module: text taken apart.

use crate::code::Code;

use std::fmt;
use std::sync::Arc;

/// A module.
#[derive(Clone, Debug)]
pub struct Module {
    /// `.target`, such as `sm_90`.
    pub target: String,
    /// `.version`.
    pub version: (u32, u32),
    /// Its kernels.
    pub entries: Vec<Entry>,
}

impl Module {
    /// The kernel of that name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// A kernel.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is given.
    pub params: Vec<ParamDecl>,
    /// Bytes of its parameters together.
    pub param_bytes: usize,
    /// Bytes of shared memory that it declares.
    pub static_shared: u32,
    /// `.reqntid`, if it has one.
    pub required_threads: Option<[u32; 3]>,
    /// Threads of a block at most, by `.maxntid`, if it has one.
    pub max_threads: Option<u32>,
    pub(crate) code: Arc<Code>,
}

/// A parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamDecl {
    /// Its name.
    pub name: String,
    /// From which byte of the block on.
    pub offset: usize,
    /// Its size.
    pub bytes: usize,
}

/// Text that is no module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Takes a module apart.
///
/// # Errors
/// The first line that is no PTX, that breaks PTX's rules of types, or that has an instruction the interpreter lacks.
pub fn parse(text: &str) -> Result<Module, ParseError> {
    crate::parse::module(text)
}

//! What ends a run.

use std::fmt;

/// What went wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// In words, with values.
    pub message: String,
    /// Line of the PTX text, from 1.
    pub line: usize,
    /// File, line and column of the source, where `.loc` says it.
    pub source: Option<(String, usize, usize)>,
    /// Of a race, the other access.
    pub other: Option<Box<Other>>,
    /// Block and thread.
    pub place: Option<([u32; 3], [u32; 3])>,
}

/// An access that raced with the one that ended the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Other {
    /// Line of the PTX text, from 1.
    pub line: usize,
    /// File, line and column of the source, where `.loc` says it.
    pub source: Option<(String, usize, usize)>,
}

/// What can go wrong.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // the names are the documentation
pub enum FaultKind {
    Bounds,
    Misaligned,
    Uninitialized,
    Race,
    Barrier,
    Collective,
    Deadlock,
    StepLimit,
    Stopped,
    Trap,
    Launch,
    Unsupported,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PTX line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for Fault {}

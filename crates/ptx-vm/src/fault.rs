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
    /// Of a race, the line of the other access in the PTX text, and where in the source that is.
    pub other: Option<(usize, Option<(String, usize, usize)>)>,
    /// Block and thread.
    pub place: Option<([u32; 3], [u32; 3])>,
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

//! Every way a backend or the driver can fail, as variants a caller can match, each with a stable code.

use std::fmt;
use vyre_ir::Diagnostic;

/// A failure of the driver or of a backend.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BackendError {
    /// No backend of that id is linked into the program.
    NotLinked {
        /// The id asked for.
        id: String,
        /// The ids that are linked.
        linked: Vec<&'static str>,
    },
    /// Two backends registered the same id.
    DuplicateId {
        /// The id.
        id: &'static str,
    },
    /// No backend fits, or the device cannot be opened.
    Unavailable {
        /// What was tried and why it failed.
        reason: String,
        /// What the reader can do.
        fix: String,
    },
    /// The device cannot do something the program needs.
    Unsupported {
        /// The backend.
        backend: &'static str,
        /// What is missing, and where the program needs it.
        what: Box<Diagnostic>,
    },
    /// The program breaks a rule that every backend relies on.
    InvalidProgram {
        /// All that is wrong.
        errors: Vec<Diagnostic>,
    },
    /// What the caller gave does not fit the program.
    InvalidInput {
        /// What and why.
        what: Box<Diagnostic>,
    },
    /// More memory is needed than there is.
    OutOfMemory {
        /// Bytes needed.
        requested: u64,
        /// Bytes there are, if known.
        available: Option<u64>,
        /// For what.
        what: String,
    },
    /// The target's compiler refused or failed.
    CompileFailed {
        /// The backend.
        backend: &'static str,
        /// Its own words.
        log: String,
    },
    /// The dispatch ran longer than it may.
    Timeout {
        /// The limit in seconds.
        seconds: f64,
    },
    /// A bug in vyre.
    Internal {
        /// What happened.
        what: String,
    },
}

impl BackendError {
    /// The stable code: `D` and three digits, or that of the wrapped diagnostic.
    pub fn code(&self) -> &'static str {
        match self {
            BackendError::NotLinked { .. } => "D001",
            BackendError::Unavailable { .. } => "D002",
            BackendError::Unsupported { .. } => "D003",
            BackendError::InvalidProgram { .. } => "D004",
            BackendError::InvalidInput { what } => what.code,
            BackendError::OutOfMemory { .. } => "D006",
            BackendError::CompileFailed { .. } => "D007",
            BackendError::Timeout { .. } => "D008",
            BackendError::DuplicateId { .. } => "D009",
            BackendError::Internal { .. } => "D099",
        }
    }

    /// The error as diagnostics: one, or all of an invalid program's.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            BackendError::InvalidProgram { errors } => errors.clone(),
            BackendError::InvalidInput { what } => vec![(**what).clone()],
            BackendError::Unsupported { what, .. } => vec![(**what).clone()],
            _ => {
                let mut d = Diagnostic::new(self.code(), self.message());
                d.fix = self.fix();
                vec![d]
            }
        }
    }

    fn message(&self) -> String {
        match self {
            BackendError::NotLinked { id, linked } => {
                format!("no backend `{id}` is linked; linked are: {}", linked.join(", "))
            }
            BackendError::DuplicateId { id } => format!("two backends are registered as `{id}`"),
            BackendError::Unavailable { reason, .. } => reason.clone(),
            BackendError::Unsupported { backend, what } => {
                format!("backend `{backend}` cannot run this program: {}", what.message)
            }
            BackendError::InvalidProgram { errors } => {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                format!("the program is not valid: {}", lines.join("; "))
            }
            BackendError::InvalidInput { what } => what.message.clone(),
            BackendError::OutOfMemory { requested, available, what } => match available {
                Some(available) => {
                    format!("{what} needs {requested} bytes of memory and {available} are available")
                }
                None => format!("{what} needs {requested} bytes of memory, which could not be had"),
            },
            BackendError::CompileFailed { backend, log } => {
                format!("backend `{backend}` could not compile the program: {log}")
            }
            BackendError::Timeout { seconds } => {
                format!("the dispatch did not end within {seconds} s and was stopped")
            }
            BackendError::Internal { what } => format!("internal error, a bug in vyre: {what}"),
        }
    }

    fn fix(&self) -> Option<String> {
        Some(match self {
            BackendError::NotLinked { linked, .. } => format!(
                "add the crate or cargo feature of that backend, or choose one of: {}.",
                linked.join(", ")
            ),
            BackendError::DuplicateId { .. } => "link only one crate that registers this id.".into(),
            BackendError::Unavailable { fix, .. } => fix.clone(),
            BackendError::Unsupported { what, .. } | BackendError::InvalidInput { what } => {
                return what.fix.clone();
            }
            BackendError::OutOfMemory { .. } => "use smaller buffers or a smaller grid.".into(),
            BackendError::Timeout { .. } => "look for a loop that does not end, or allow more time.".into(),
            _ => return None,
        })
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code(), self.message())?;
        match self.fix() {
            Some(fix) => write!(f, " Fix: {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BackendError {}

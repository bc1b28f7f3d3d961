//! Every way a backend or the driver can fail, as variants a caller can match, each with a stable code.

use crate::bounds::OutOfBounds;
use crate::codes;
use std::fmt;
use vyre_ir::diagnostic::counted;
use vyre_ir::{Code, Diagnostic};

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
    /// Something is registered twice under one id.
    DuplicateId {
        /// The id.
        id: &'static str,
        /// What is registered: a backend, a probe, a capability, a precedence.
        what: &'static str,
        /// What is known of each of the registrations.
        registrations: Vec<String>,
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
    /// A checked run came to an access out of bounds and was stopped there. Memory that it writes holds anything.
    OutOfBounds {
        /// Which access, and whose.
        access: Box<OutOfBounds>,
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
        /// Whether the device was stopped; if not, it may still be at work.
        stopped: bool,
    },
    /// The caller cancelled the dispatch.
    Cancelled,
    /// A launch in which all workgroups wait for each other has more of them than the device runs at once.
    CooperativeLaunchTooLarge {
        /// Workgroups of the launch.
        workgroups: u64,
        /// Workgroups that the device runs at once.
        limit: u64,
    },
    /// An item of a work queue found no room. What was handled until then is in the resident buffers of the run.
    QueueFull {
        /// Entries of the queue.
        capacity: u64,
        /// The most items that were in the queue at a time, or should have been.
        high_water: u64,
        /// Items that were handled.
        processed: u64,
        /// Items that are in the queue and were not handled.
        left: u64,
        /// Items that found no room.
        lost: u64,
    },
    /// The device is gone: reset, removed, or out of order.
    DeviceLost {
        /// The backend.
        backend: &'static str,
        /// What is known of why.
        reason: String,
    },
    /// The contents of a resident buffer are lost, or may be half written.
    Poisoned {
        /// The buffer's name.
        name: String,
        /// How that came about.
        reason: String,
    },
    /// The cache of compiled programs could not be used as asked.
    Cache {
        /// What happened.
        what: String,
    },
    /// The device was shut down.
    ShutDown,
    /// A bug in vyre.
    Internal {
        /// What happened.
        what: String,
    },
}

impl BackendError {
    /// The stable code: that of the diagnostic, of an invalid program that of the first one.
    pub fn code(&self) -> Code {
        match self {
            BackendError::NotLinked { .. } => codes::D001,
            BackendError::Unavailable { .. } => codes::D002,
            BackendError::Unsupported { what, .. } | BackendError::InvalidInput { what } => what.code,
            BackendError::OutOfBounds { access } => access.diagnostic.code,
            BackendError::InvalidProgram { errors } => errors.first().map_or(codes::D099, |e| e.code),
            BackendError::OutOfMemory { .. } => codes::D006,
            BackendError::CompileFailed { .. } => codes::D007,
            BackendError::Timeout { .. } => codes::D008,
            BackendError::Cancelled => codes::D010,
            BackendError::CooperativeLaunchTooLarge { .. } => codes::D011,
            BackendError::QueueFull { .. } => codes::D038,
            BackendError::DeviceLost { .. } => codes::D012,
            BackendError::Poisoned { .. } => codes::D013,
            BackendError::Cache { .. } => codes::D014,
            BackendError::ShutDown => codes::D015,
            BackendError::DuplicateId { .. } => codes::D009,
            BackendError::Internal { .. } => codes::D099,
        }
    }

    /// That a run was stopped because it was asked to. The driver knows why, and says it.
    pub fn stopped() -> BackendError {
        BackendError::Timeout { seconds: 0.0, stopped: true }
    }

    /// That the backend cannot tell where a program goes out of bounds, for a program that is to be checked for it.
    pub fn no_checked_mode(backend: &'static str) -> BackendError {
        let message = "it does not report accesses out of bounds";
        let what = Diagnostic::new(codes::D023, message).fix("Compile without `checked`.");
        BackendError::Unsupported { backend, what: Box::new(what) }
    }

    /// The stable code as a number: the digits, and 1000 for each place of the letter in the alphabet (`D006` is 4006).
    pub fn number(&self) -> u32 {
        self.code().number()
    }

    /// The error as diagnostics: one, or all of an invalid program's.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            BackendError::InvalidProgram { errors } if !errors.is_empty() => errors.clone(),
            BackendError::InvalidInput { what } => vec![(**what).clone()],
            BackendError::OutOfBounds { access } => vec![access.diagnostic.clone()],
            BackendError::Unsupported { what, .. } => {
                vec![Diagnostic { message: self.message(), ..(**what).clone() }]
            }
            _ => {
                let mut d = Diagnostic::new(self.code(), self.message());
                d.fix = self.fix();
                vec![d]
            }
        }
    }

    /// What happened, without code and advice.
    pub(crate) fn message(&self) -> String {
        match self {
            BackendError::NotLinked { id, linked } if linked.is_empty() => {
                format!("no backend `{id}` is linked; none is")
            }
            BackendError::NotLinked { id, linked } => {
                format!("no backend `{id}` is linked; linked are: {}", linked.join(", "))
            }
            BackendError::DuplicateId { id, what, registrations } => format!(
                "{} registrations of a {what} have the id `{id}`: {}",
                registrations.len(),
                registrations.join("; ")
            ),
            BackendError::Unavailable { reason, .. } => reason.clone(),
            BackendError::Unsupported { backend, what } => {
                format!("backend `{backend}` cannot run this program: {}", what.message)
            }
            BackendError::InvalidProgram { .. } => "the program is not valid".into(),
            BackendError::InvalidInput { what } => what.message.clone(),
            BackendError::OutOfBounds { access } => access.diagnostic.message.clone(),
            BackendError::OutOfMemory { requested, available, what } => match available {
                Some(available) => {
                    format!("{what} needs {requested} bytes of memory and {available} are available")
                }
                None => format!("{what} needs {requested} bytes of memory, which could not be had"),
            },
            BackendError::CompileFailed { backend, log } => {
                format!("backend `{backend}` could not compile the program: {log}")
            }
            BackendError::Timeout { seconds, stopped: true } => {
                format!("the dispatch did not end within {seconds} s and was stopped")
            }
            BackendError::Timeout { seconds, stopped: false } => {
                format!(
                    "the dispatch did not end within {seconds} s; the device cannot be stopped and may still be at work"
                )
            }
            BackendError::Cancelled => "the dispatch was cancelled".into(),
            BackendError::CooperativeLaunchTooLarge { workgroups, limit } => format!(
                "{workgroups} workgroups that wait for each other must run at once; the device runs {limit}"
            ),
            BackendError::QueueFull { capacity, high_water, processed, left, lost } => format!(
                "the work queue has room for {} and needed it for {high_water}: {processed} were handled, {left} are left, \
                 {lost} found no room",
                counted(*capacity, "item")
            ),
            BackendError::DeviceLost { backend, reason } => {
                format!("the device of backend `{backend}` is lost: {reason}")
            }
            BackendError::Poisoned { name, reason } => {
                format!("the contents of resident buffer `{name}` are lost: {reason}")
            }
            BackendError::Cache { what } => what.clone(),
            BackendError::ShutDown => "the device was shut down".into(),
            BackendError::Internal { what } => format!("internal error, a bug in vyre: {what}"),
        }
    }

    fn fix(&self) -> Option<String> {
        Some(match self {
            BackendError::NotLinked { linked, .. } if linked.is_empty() => {
                "Link the crate of that backend, or turn on its cargo feature.".into()
            }
            BackendError::NotLinked { linked, .. } => format!(
                "Add the crate or cargo feature of that backend, or choose one of: {}.",
                linked.join(", ")
            ),
            BackendError::DuplicateId { .. } => "Link only one crate that registers this id.".into(),
            BackendError::Unavailable { fix, .. } => fix.clone(),
            BackendError::OutOfMemory { .. } => "Use smaller buffers or a smaller grid.".into(),
            BackendError::Timeout { .. } => "Look for a loop that does not end, or allow more time.".into(),
            BackendError::Cancelled => "Dispatch again if the result is wanted after all.".into(),
            BackendError::CooperativeLaunchTooLarge { .. } => {
                "Use a smaller grid, or allow the program to be split.".into()
            }
            BackendError::QueueFull { .. } => {
                "Give the queue a larger capacity, or say how many items an item pushes at most.".into()
            }
            BackendError::DeviceLost { .. } => "Call `Device::try_recover`, or open the device again.".into(),
            BackendError::Poisoned { .. } => {
                "Upload the whole buffer again; create it as journaled to have it restored.".into()
            }
            BackendError::Cache { .. } => "Set VYRE_CACHE_DIR to a folder that can be written.".into(),
            BackendError::ShutDown => "Open the device again.".into(),
            BackendError::CompileFailed { .. } | BackendError::Internal { .. } => {
                "Report it with the program that causes it.".into()
            }
            _ => return None,
        })
    }
}

/// A line for each diagnostic.
impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.diagnostics().iter().map(Diagnostic::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for BackendError {}

//! Why a measurement failed.

use crate::codes;
use vyre::BackendError;
use vyre_ir::Diagnostic;

/// Why a measurement failed.
#[derive(Debug)]
pub enum BenchError {
    /// There is no kernel of that name.
    NoKernel(String),
    /// Somebody's result is wrong.
    Wrong {
        /// Whose.
        who: String,
        /// Of which kernel.
        kernel: &'static str,
        /// What about it.
        what: String,
    },
    /// vyre's device refused or failed.
    Device(BackendError),
    /// A peer refused or failed.
    Peer(String),
}

impl BenchError {
    /// What to tell.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        vec![match self {
            BenchError::NoKernel(name) => {
                let kernels = crate::KERNELS.iter().map(|kernel| kernel.name);
                let names: Vec<&str> =
                    kernels.chain(crate::queues::NAMES).chain([crate::stages::NAME]).collect();
                Diagnostic::new(codes::C050, format!("there is no benchmark `{name}`")).fix(format!(
                    "Choose some of: {}; or the id of a backend for all of them.",
                    names.join(", ")
                ))
            }
            BenchError::Wrong { who, kernel, what } => {
                Diagnostic::new(codes::C051, format!("what {who} computes for `{kernel}` is wrong: {what}"))
                    .fix("Do not believe its times.")
            }
            BenchError::Device(error) => return error.diagnostics(),
            BenchError::Peer(what) => Diagnostic::new(codes::C052, format!("a peer failed: {what}"))
                .fix("Leave it out with `--peers`."),
        }]
    }
}

impl From<BackendError> for BenchError {
    fn from(error: BackendError) -> BenchError {
        BenchError::Device(error)
    }
}

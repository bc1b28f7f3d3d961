//! What is wrong with a set of operations.

use crate::codes;
use crate::diagnostic::Diagnostic;
use std::fmt;

/// Two registrations of one id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DuplicateOpIdError {
    /// The id.
    pub op_id: String,
    /// Who registered it first.
    pub first: String,
    /// Who registered it again.
    pub second: String,
}

impl DuplicateOpIdError {
    /// As it is shown.
    pub fn diagnostic(&self) -> Diagnostic {
        let DuplicateOpIdError { op_id, first, second } = self;
        let message = format!("the operation `{op_id}` is registered twice: by {first} and by {second}");
        Diagnostic::new(codes::O003, message).fix("Give one of them another name.")
    }
}

impl fmt::Display for DuplicateOpIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic().fmt(f)
    }
}

impl std::error::Error for DuplicateOpIdError {}

/// All that keeps a registry from being built.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RegistryError {
    /// Every problem, those of `duplicates` included.
    pub problems: Vec<Diagnostic>,
    /// The ids that were registered twice.
    pub duplicates: Vec<DuplicateOpIdError>,
}

/// A line for each problem.
impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(Diagnostic::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for RegistryError {}

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
    /// For each problem, what it is about.
    pub subjects: Vec<Subject>,
}

/// What a problem is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Subject {
    /// Nothing that has a name.
    #[default]
    Unnamed,
    /// The dialect of that name.
    Dialect(String),
    /// The migration of a dialect, by its place in the list.
    Migration(String, usize),
    /// The operation of that id.
    Op(String),
    /// The law of an operation, by its place in the list.
    Law(String, usize),
}

impl Subject {
    /// The operation's id, if it is about one.
    pub fn op(&self) -> Option<&str> {
        match self {
            Subject::Op(id) | Subject::Law(id, _) => Some(id),
            _ => None,
        }
    }

    /// The dialect's name, if it is about a dialect as a whole.
    pub fn dialect(&self) -> Option<&str> {
        match self {
            Subject::Dialect(name) | Subject::Migration(name, _) => Some(name),
            _ => None,
        }
    }
}

/// A line for each problem.
impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(Diagnostic::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for RegistryError {}

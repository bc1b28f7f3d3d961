//! One shape for everything a user is told: code, message, where, and what to do.
//!
//! Importer, verifier, binding, driver and command line all report with it. Codes come from the tables of the crates
//! ([`crate::code`]). The message is a sentence without its period, and names the values that matter; the fix is a
//! sentence with it, and says one thing to do.

use crate::code::Code;
use std::fmt;
use std::sync::Arc;

/// Source text that locations point into.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name as the user gave it.
    pub name: String,
    /// The whole text. Empty when the program came from a binary form.
    pub text: String,
}

impl Source {
    /// 1-based line and column (in characters) of a byte offset.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// Where an instruction came from: bytes `start..end` of the program's source, and the pass that made it, if one did.
#[derive(Copy, Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Loc {
    /// First byte.
    pub start: u32,
    /// One past the last byte; 0 when there is no source location.
    pub end: u32,
    /// The pass that derived the instruction from one at this place.
    pub pass: Option<&'static str>,
}

impl Loc {
    /// A place in the source.
    pub fn span(start: u32, end: u32) -> Loc {
        Loc { start, end, pass: None }
    }
    /// Whether this points into the source.
    pub fn is_known(self) -> bool {
        self.end > 0
    }
    /// The same place, derived by a pass.
    pub fn derived(self, pass: &'static str) -> Loc {
        Loc { pass: Some(pass), ..self }
    }
}

/// A message about a place in the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Where.
    pub loc: Loc,
    /// What is there; may be empty.
    pub text: String,
}

/// How much a diagnostic matters.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// All is done as asked; it is good to know.
    Note,
    /// All is done as asked, and probably something else was meant.
    Warning,
    /// What was asked is not done.
    Error,
}

impl Severity {
    /// The severity as a word.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What a user is told: an error, unless it says otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Stable code, such as `V004`.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What happened, with the values that matter.
    pub message: String,
    /// Where it happened; the first label is the main one.
    pub labels: Vec<Label>,
    /// One thing to do about it, when there is one.
    pub fix: Option<String>,
    /// The text that the labels point into.
    pub source: Option<Arc<Source>>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Diagnostic {
        let severity = Severity::Error;
        Diagnostic { code, severity, message: message.into(), labels: Vec::new(), fix: None, source: None }
    }
    /// Sets how much it matters.
    pub fn severity(mut self, severity: Severity) -> Diagnostic {
        self.severity = severity;
        self
    }
    /// Adds a place; unknown locations are left out.
    pub fn at(mut self, loc: Loc, text: impl Into<String>) -> Diagnostic {
        if loc.is_known() {
            self.labels.push(Label { loc, text: text.into() });
        }
        self
    }
    /// Sets what to do about it.
    pub fn fix(mut self, fix: impl Into<String>) -> Diagnostic {
        self.fix = Some(fix.into());
        self
    }
    /// Sets the text that labels point into.
    pub fn in_source(mut self, source: Option<&Arc<Source>>) -> Diagnostic {
        self.source = source.cloned();
        self
    }

    /// The diagnostic as a JSON object: `code`, `severity`, `message`, `fix` (or null), `file`, `line` and `column` of
    /// the main place (or null), and `labels`, each with `text` and where it starts and ends: `line`, `column`,
    /// `end_line`, `end_column`. Lines and columns count from 1, columns in characters; an end is one past the last.
    pub fn json(&self) -> serde_json::Value {
        let label = |source: &Source, label: &Label| {
            let (line, column) = source.line_column(label.loc.start);
            let (end_line, end_column) = source.line_column(label.loc.end);
            serde_json::json!({
                "text": label.text,
                "line": line, "column": column, "end_line": end_line, "end_column": end_column,
            })
        };
        let source = self.source.as_deref().filter(|_| !self.labels.is_empty());
        let labels: Vec<serde_json::Value> =
            source.map_or(Vec::new(), |source| self.labels.iter().map(|l| label(source, l)).collect());
        let place = |key: &str| labels.first().map(|label| label[key].clone());
        serde_json::json!({
            "code": self.code.name(),
            "severity": self.severity.name(),
            "message": self.message,
            "fix": self.fix,
            "file": source.map(|source| source.name.as_str()),
            "line": place("line"),
            "column": place("column"),
            "labels": labels,
        })
    }
}

/// A number of things in words: `1 buffer`, `2 buffers`.
pub fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// One line for logs; the command line draws the source too.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(source), Some(label)) = (&self.source, self.labels.first()) {
            let (line, column) = source.line_column(label.loc.start);
            write!(f, "{}:{line}:{column}: ", source.name)?;
        }
        write!(f, "{}[{}]: {}", self.severity.name(), self.code, self.message)?;
        for label in &self.labels {
            if !label.text.is_empty() {
                write!(f, " ({})", label.text)?;
            }
        }
        if let Some(fix) = &self.fix {
            write!(f, " Fix: {fix}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

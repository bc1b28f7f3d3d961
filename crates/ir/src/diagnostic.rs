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

/// An error as the user sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Stable code, such as `V004`.
    pub code: Code,
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
        Diagnostic { code, message: message.into(), labels: Vec::new(), fix: None, source: None }
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
        write!(f, "error[{}]: {}", self.code, self.message)?;
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

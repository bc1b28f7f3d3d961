//! Places in a file: problems as they are found, and where what a string says is written.

use std::ops::Range;
use std::sync::Arc;
use vyre_ir::{Code, Diagnostic, Loc, Source};

/// What is wrong with a file so far.
pub(super) struct Problems {
    /// The file.
    pub source: Arc<Source>,
    /// In no particular order.
    pub found: Vec<Diagnostic>,
}

impl Problems {
    /// Adds a problem; what is given back can be told what to do about it.
    pub fn add(&mut self, code: Code, loc: Loc, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic::new(code, message).at(loc, "").in_source(Some(&self.source)));
        self.found.last_mut().expect("just pushed")
    }
}

/// The location of these bytes; at least one, so that it is a known place.
pub(super) fn loc(range: Range<usize>) -> Loc {
    Loc::span(range.start as u32, range.end.max(range.start + 1) as u32)
}

/// A string of the file.
#[derive(Clone)]
pub(super) struct Text<'t> {
    /// What it says.
    pub value: &'t str,
    /// Where it is, quotes included.
    pub loc: Loc,
    /// For each byte of the value, and for its end, where in the file it is written.
    offsets: Arc<[u32]>,
}

impl<'t> Text<'t> {
    /// The string that is written at `range` of the file.
    pub fn new(file: &str, range: Range<usize>, value: &'t str) -> Text<'t> {
        let offsets = offsets(file.get(range.clone()).unwrap_or_default(), range.start, value);
        Text { value, loc: loc(range), offsets: offsets.into() }
    }

    /// Where a part of the value is written.
    pub fn place(&self, part: &str) -> Loc {
        let start = (part.as_ptr() as usize).saturating_sub(self.value.as_ptr() as usize);
        self.within(Loc::span(start as u32, (start + part.len()) as u32))
    }

    /// A place in the value as one in the file.
    pub fn within(&self, of_value: Loc) -> Loc {
        let last = self.offsets.len() - 1;
        let at = |offset: u32| self.offsets[(offset as usize).min(last)];
        let (start, end) = (at(of_value.start), at(of_value.end));
        Loc { start, end: end.max(start + 1), ..of_value }
    }
}

/// Where each byte of a string's value is in the file, and where its end is. `raw` is how the string is written, at
/// `start`. The escapes and line endings of TOML 1.1: a value's character is at least one byte of the file.
fn offsets(raw: &str, start: usize, value: &str) -> Vec<u32> {
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote)).unwrap_or("");
    let mut rest = &raw[quote.len()..];
    if quote.len() == 3 {
        // The line ending after the quotes is no part of the value.
        rest = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')).unwrap_or(rest);
    }
    let escapes = quote.starts_with('"');
    let mut offsets = Vec::with_capacity(value.len() + 1);
    for c in value.chars() {
        rest = if escapes { after_continued_lines(rest) } else { rest };
        let at = start + raw.len() - rest.len();
        let length = match rest.as_bytes() {
            [b'\\', kind, ..] if escapes => match kind {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                _ => 2,
            },
            [b'\r', b'\n', ..] if c == '\n' => 2,
            _ => c.len_utf8(),
        };
        offsets.extend(std::iter::repeat_n(at as u32, c.len_utf8()));
        rest = rest.get(length..).unwrap_or_default();
    }
    offsets.push((start + raw.len() - rest.len()) as u32);
    offsets
}

/// What follows backslashes at ends of lines, and the white space after them.
fn after_continued_lines(mut rest: &str) -> &str {
    while let Some(after) = rest.strip_prefix('\\') {
        let trimmed = after.trim_start_matches([' ', '\t', '\r', '\n']);
        if !after[..after.len() - trimmed.len()].contains('\n') {
            break;
        }
        rest = trimmed;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::offsets;

    #[test]
    fn every_kind_of_string_is_found_again() {
        for (raw, value, expected) in [
            ("'ab'", "ab", vec![1, 2, 3]),
            ("\"a\\nb\"", "a\nb", vec![1, 2, 4, 5]),
            ("\"\\u00e9x\"", "éx", vec![1, 1, 7, 8]),
            ("\"\\x41x\"", "Ax", vec![1, 5, 6]),
            ("'''\nab'''", "ab", vec![4, 5, 6]),
            ("'''\r\na\r\nb'''", "a\nb", vec![5, 6, 8, 9]),
            ("'''a\\b'''", "a\\b", vec![3, 4, 5, 6]),
            ("\"\"\"a \\\n   b\"\"\"", "a b", vec![3, 4, 10, 11]),
            ("\"\"", "", vec![1]),
        ] {
            assert_eq!(offsets(raw, 0, value), expected, "{raw}");
            let moved: Vec<u32> = expected.iter().map(|at| at + 100).collect();
            assert_eq!(offsets(raw, 100, value), moved, "{raw}");
        }
    }
}

//! Which line of the source an instruction comes from, as `.file` and `.loc` say it.

use vyre_ir::Loc;
use vyre_ir::diagnostic::Source;

/// Where the lines of a source begin.
pub(crate) struct Lines<'s> {
    source: &'s Source,
    starts: Vec<u32>,
}

impl<'s> Lines<'s> {
    /// The lines of a text; `None` where there is no text.
    pub fn of(source: &'s Source) -> Option<Lines<'s>> {
        if source.text.is_empty() {
            return None;
        }
        let breaks = source.text.match_indices('\n').map(|(at, _)| at as u32 + 1);
        Some(Lines { source, starts: std::iter::once(0).chain(breaks).collect() })
    }

    /// 1-based line and column, in bytes, of a place that is known.
    pub fn place(&self, loc: Loc) -> Option<(usize, usize)> {
        if !loc.is_known() || loc.start as usize > self.source.text.len() {
            return None;
        }
        let line = self.starts.partition_point(|&start| start <= loc.start);
        Some((line, (loc.start - self.starts[line - 1]) as usize + 1))
    }

    /// The directive that names the file.
    pub fn file(&self) -> String {
        let name: String = self
            .source
            .name
            .chars()
            .map(|c| if c == '"' || c == '\\' || c.is_control() { '_' } else { c })
            .collect();
        format!(".file 1 \"{name}\"\n")
    }
}

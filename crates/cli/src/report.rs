//! Draws diagnostics: code, message, the source line with a caret, and what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::io::IsTerminal;
use std::ops::Range;
use vyre_ir::{Diagnostic, Loc, Severity, Source};

/// Diagnostics shown in full; the rest are counted.
const SHOWN: usize = 20;

/// Prints diagnostics to standard error.
pub fn report(diagnostics: &[Diagnostic]) {
    let colors = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    for diagnostic in diagnostics.iter().take(SHOWN) {
        eprintln!("{}", draw(diagnostic, colors));
    }
    if let Some(more) = diagnostics.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        eprintln!("... and {more} more");
    }
}

/// A diagnostic as text of several lines.
pub fn draw(diagnostic: &Diagnostic, colors: bool) -> String {
    let message = printable(&diagnostic.message);
    let fix = diagnostic.fix.as_deref().map(printable);
    let excerpt = diagnostic.source.as_ref().and_then(|source| Excerpt::around(source, diagnostic));
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&*message).id(diagnostic.code.name()));
    if let (Some(source), Some(excerpt)) = (&diagnostic.source, &excerpt) {
        let mut snippet = Snippet::source(&*excerpt.text).line_start(excerpt.line).path(&*source.name);
        for (i, (span, label)) in excerpt.labels.iter().enumerate() {
            let kind = if i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let text = Some(label.as_str()).filter(|text| !text.is_empty());
            snippet = snippet.annotation(kind.span(span.clone()).label(text));
        }
        group = group.element(snippet);
    }
    if let Some(fix) = fix.as_ref().filter(|_| excerpt.is_some()) {
        group = group.element(Level::HELP.with_name("Fix").message(&**fix));
    }
    let renderer = if colors { Renderer::styled() } else { Renderer::plain() };
    let text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
    match fix.filter(|_| excerpt.is_none()) {
        Some(fix) => format!("{text}\n  Fix: {fix}"),
        None => text,
    }
}

/// Text from files without the characters that would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// The lines that a diagnostic's labels are on, shortened: a source may be one line of 50 MB.
struct Excerpt {
    text: String,
    /// Number of the first line.
    line: usize,
    labels: Vec<(Range<usize>, String)>,
}

/// Bytes kept of a line around a label.
const WIDTH: usize = 200;

/// Bytes from the first label to the last that are looked through for lines.
const SEARCHED: usize = 16 << 10;

impl Excerpt {
    fn around(source: &Source, diagnostic: &Diagnostic) -> Option<Excerpt> {
        let text = source.text.as_str();
        let first = diagnostic.labels.first()?.loc;
        // What lies between the lines of labels is left out when they are drawn, if all of that is not much to look through.
        let lines = diagnostic.labels.iter().map(|label| lines_of(text, label.loc));
        let all = lines.clone().fold((text.len(), 0), |all, (start, end)| (all.0.min(start), all.1.max(end)));
        let draws_all =
            all.1 - all.0 <= SEARCHED && lines.clone().all(|(start, end)| end - start <= 4 * WIDTH);
        let (start, end) = if draws_all { all } else { lines_of(text, first) };
        let line = source.line_column(start as u32).0;
        if draws_all || end - start <= 4 * WIDTH {
            let inside = |loc: &Loc| (loc.start as usize) >= start && (loc.start as usize) <= end;
            let labels = (diagnostic.labels.iter().filter(|label| inside(&label.loc)))
                .map(|label| (span_in(&text[start..end], label.loc, start), printable(&label.text)))
                .collect();
            return Some(Excerpt { text: blank_controls(&text[start..end]), line, labels });
        }
        let from = floor_boundary(text, (first.start as usize).saturating_sub(WIDTH).max(start));
        let to = floor_boundary(text, (first.start as usize + WIDTH).min(end));
        // The drawn column is that of the excerpt, so the label says the real one.
        let column = source.line_column(first.start).1;
        let words = format!("{} (column {column})", printable(&diagnostic.labels[0].text));
        let label = (span_in(&text[from..to], first, from), words.trim_start().into());
        Some(Excerpt { text: blank_controls(&text[from..to]), line, labels: vec![label] })
    }
}

/// The whole lines that a place touches, of which at most the first eight.
fn lines_of(text: &str, loc: Loc) -> (usize, usize) {
    let at = floor_boundary(text, loc.start as usize);
    let last = floor_boundary(text, (loc.end as usize).max(at)).max(at);
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let mut end = start;
    for line in text[start..].split_inclusive('\n').take(8) {
        end += line.len();
        if end >= last {
            break;
        }
    }
    (start, start + text[start..end].trim_end_matches('\n').len())
}

fn span_in(excerpt: &str, loc: Loc, start: usize) -> Range<usize> {
    let from = floor_boundary(excerpt, (loc.start as usize).saturating_sub(start));
    let to = floor_boundary(excerpt, (loc.end as usize).saturating_sub(start)).max(from);
    from..to
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Control characters as blanks of the same length, so that spans stay right.
fn blank_controls(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let steer = c.is_control() && c != '\n' && c != '\t';
            std::iter::repeat_n(if steer { ' ' } else { c }, if steer { c.len_utf8() } else { 1 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use std::sync::Arc;

    fn drawn(text: &str, loc: Loc) -> String {
        let source = Arc::new(Source { name: "a.wgsl".into(), text: text.into() });
        let d = Diagnostic::new(codes::C001, "no such thing").at(loc, "here").fix("name another");
        draw(&d.in_source(Some(&source)), false)
    }

    #[test]
    fn shows_the_line_with_a_caret() {
        let expect = "\
error[C001]: no such thing
 --> a.wgsl:2:5
  |
2 | two three
  |     ^^^^^ here
  |
  = Fix: name another";
        assert_eq!(drawn("one\ntwo three\nfour\n", Loc::span(8, 13)), expect);
    }

    #[test]
    fn shows_the_lines_of_all_labels() {
        let source = Source { name: "a.wgsl".into(), text: "one\ntwo\n3\n4\n5\n6\n7\nlast\n".into() };
        let d =
            Diagnostic::new(codes::C001, "a race").at(Loc::span(18, 22), "here").at(Loc::span(4, 7), "there");
        let expect = "\
error[C001]: a race
 --> a.wgsl:8:1
  |
2 | two
  | --- there
...
8 | last
  | ^^^^ here";
        assert_eq!(draw(&d.in_source(Some(&Arc::new(source))), false), expect);
    }

    #[test]
    fn without_a_place_it_is_message_and_fix() {
        let d = Diagnostic::new(codes::C002, "no file").fix("make one");
        assert_eq!(draw(&d, false), "error[C002]: no file\n  Fix: make one");
    }

    #[test]
    fn a_long_line_is_cut() {
        let drawn = drawn(&("x".repeat(10_000) + "yz"), Loc::span(10_000, 10_001));
        assert!(drawn.len() < 1000 && drawn.contains("here (column 10001)"), "{drawn}");
    }

    #[test]
    fn any_place_in_any_text_can_be_drawn() {
        let texts = ["", "\n", "é", "a\u{1b}[31mb\nc", &"x".repeat(3000), &"é\n".repeat(50)];
        for text in texts {
            for start in 0..=(text.len() as u32 + 2).min(120) {
                for len in [0, 1, 7, 5000] {
                    let got = drawn(text, Loc::span(start, start + len + 1));
                    assert!(got.contains("error[C001]") && !got.contains('\u{1b}'));
                    assert!(got.len() < 3000, "{} bytes", got.len());
                }
            }
        }
    }
}

//! Checks of the source text that must come before naga, and repairs of what naga is known to get wrong.

use crate::codes;
use naga::{Module, TypeInner};
use std::borrow::Cow;
use std::collections::HashMap;
use vyre_ir::{Diagnostic, Loc};

/// Bytes of source that are read.
const MAX_SOURCE: usize = 16 << 20;
/// Brackets inside brackets. WGSL asks for 127 levels of braces.
const MAX_BRACKETS: usize = 256;
/// Operators in one expression.
const MAX_OPERATORS: usize = 4096;
/// `else if` in a row; each nests in the one before.
const MAX_ELSES: usize = 200;

/// Refuses sources that are too long.
pub fn size(name: &str, bytes: usize) -> Result<(), Vec<Diagnostic>> {
    if bytes <= MAX_SOURCE {
        return Ok(());
    }
    let message = format!("{name} has {bytes} bytes; the limit is {MAX_SOURCE}");
    Err(vec![Diagnostic::new(codes::I012, message)])
}

/// A word or a single character of the source, with its place.
struct Token<'a> {
    text: &'a str,
    start: usize,
}

/// The source without comments and spaces. It knows no more of WGSL than that.
fn tokens(source: &str) -> impl Iterator<Item = Token<'_>> {
    let bytes = source.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &bytes[at..];
            match rest {
                [] => return None,
                [b'/', b'/', ..] => at += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()),
                [b'/', b'*', ..] => at = comment_end(bytes, at),
                [first, ..] if first.is_ascii_whitespace() => at += 1,
                [first, ..] => {
                    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || !b.is_ascii();
                    let len = if word(first) {
                        rest.iter().position(|b| !word(b)).unwrap_or(rest.len())
                    } else {
                        1
                    };
                    let start = at;
                    at += len;
                    return Some(Token { text: &source[start..at], start });
                }
            }
        }
    })
}

/// The end of a block comment, which may hold others.
fn comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start + 2, 1);
    while depth > 0 && at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    at
}

/// Refuses nesting that would be too deep for a recursive reader.
pub fn nesting(source: &str) -> Result<(), Diagnostic> {
    let refuse = |what: String, start: usize| {
        let place = Loc::span(start as u32, start as u32 + 1);
        Err(Diagnostic::new(codes::I012, what).at(place, "here"))
    };
    // `else if` in a row at each level of brackets.
    let mut elses = vec![0usize];
    let (mut operators, mut closed) = (0, false);
    for Token { text, start } in tokens(source) {
        if closed && text != "else" {
            *elses.last_mut().expect("there is an outermost level") = 0;
        }
        closed = false;
        match text {
            "{" | "(" | "[" => {
                elses.push(0);
                if elses.len() > MAX_BRACKETS {
                    return refuse(
                        format!("brackets nest deeper than the limit of {MAX_BRACKETS} levels"),
                        start,
                    );
                }
            }
            "}" | ")" | "]" => {
                if elses.len() > 1 {
                    elses.pop();
                }
                closed = text == "}";
            }
            "else" => {
                let chain = elses.last_mut().expect("there is an outermost level");
                *chain += 1;
                if *chain > MAX_ELSES {
                    let what = format!("a chain of `else if` is longer than the limit of {MAX_ELSES}");
                    return refuse(what, start).map_err(|d| d.fix("Use a switch or a table."));
                }
            }
            "+" | "-" | "*" | "/" | "%" | "!" | "~" | "&" | "|" | "^" | "<" | ">" | "=" | "." => {
                operators += 1;
                if operators > MAX_OPERATORS {
                    return refuse(
                        format!("an expression has more operators than the limit of {MAX_OPERATORS}"),
                        start,
                    )
                    .map_err(|d| d.fix("Split it into several statements."));
                }
            }
            _ => {}
        }
        if matches!(text, ";" | "{" | "}" | ",") {
            operators = 0;
        }
    }
    Ok(())
}

/// Takes `subgroups` out of the `enable` directives: naga has the functions without it and refuses the name.
/// Everything keeps its place.
pub fn without_subgroups(source: &str) -> Cow<'_, str> {
    let mut blanks: Vec<(usize, usize)> = Vec::new();
    let mut all = tokens(source);
    while let Some(Token { text, start }) = all.next() {
        if !matches!(text, "enable" | "requires" | "diagnostic") {
            break;
        }
        let (mut list, mut end) = (Vec::new(), source.len());
        for token in all.by_ref() {
            if token.text == ";" {
                end = token.start + 1;
                break;
            }
            list.push(token);
        }
        let names: Vec<&Token<'_>> = list.iter().filter(|t| t.text != ",").collect();
        if text != "enable" || !names.iter().any(|t| t.text == "subgroups") {
            continue;
        }
        if names.len() == 1 {
            blanks.push((start, end));
            continue;
        }
        for (i, token) in list.iter().enumerate().filter(|(_, t)| t.text == "subgroups") {
            let stop = token.start + token.text.len();
            // One of the commas beside it goes too.
            match (list.get(i + 1), i.checked_sub(1).and_then(|i| list.get(i))) {
                (Some(comma), _) => blanks.push((token.start, comma.start + 1)),
                (None, Some(comma)) => blanks.push((comma.start, stop)),
                (None, None) => blanks.push((token.start, stop)),
            }
        }
    }
    if blanks.is_empty() {
        return Cow::Borrowed(source);
    }
    let mut text = source.as_bytes().to_vec();
    for (start, end) in blanks {
        text[start..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
    }
    // Only whole tokens and what lies between them are blanked; a comment between them may hold any character.
    String::from_utf8(text).map_or(Cow::Borrowed(source), Cow::Owned)
}

/// Refuses a structure whose `@align` naga forgets where the structure is part of another type: its place there would
/// be wrong (naga keeps only offsets, and computes the alignment of a structure from its members' types).
pub fn alignment(module: &Module, source: &str) -> Result<(), Diagnostic> {
    let wanted = aligned_structs(source);
    if wanted.is_empty() {
        return Ok(());
    }
    // What each type must be aligned to, and where its declaration says so.
    let mut needs: Vec<(u32, usize)> = Vec::with_capacity(module.types.len());
    let wrong = |start: usize, what: &str| {
        Err(Diagnostic::new(codes::I006, format!("naga ignores this `@align` when it places {what}"))
            .at(Loc::span(start as u32, start as u32 + 6), "here")
            .fix("Put the `@align` on the member that holds this structure too, or pad by hand."))
    };
    for (_, ty) in module.types.iter() {
        let mut need = ty.name.as_deref().and_then(|n| wanted.get(n)).copied().unwrap_or((1, 0));
        match &ty.inner {
            TypeInner::Struct { members, span } => {
                for member in members {
                    let (align, start) = needs[member.ty.index()];
                    if member.offset % align != 0 {
                        return wrong(start, "a member of this type");
                    }
                    if align > need.0 {
                        need = (align, start);
                    }
                }
                if span % need.0 != 0 {
                    return wrong(need.1, "elements of this type");
                }
            }
            TypeInner::Array { base, stride, .. } => {
                need = needs[base.index()];
                if stride % need.0 != 0 {
                    return wrong(need.1, "elements of this type");
                }
            }
            _ => {}
        }
        needs.push(need);
    }
    Ok(())
}

/// The largest `@align` in each structure, as far as it is a plain number, and its place.
fn aligned_structs(source: &str) -> HashMap<String, (u32, usize)> {
    let mut found = HashMap::new();
    if !source.contains("align") {
        return found;
    }
    let mut all = tokens(source).peekable();
    while let Some(token) = all.next() {
        if token.text != "struct" {
            continue;
        }
        let Some(name) = all.next() else { break };
        while let Some(token) = all.next() {
            if token.text == "}" {
                break;
            }
            if token.text != "@" || all.peek().is_none_or(|t| t.text != "align") {
                continue;
            }
            let number = all.nth(2).and_then(|t| t.text.trim_end_matches(['u', 'i']).parse::<u32>().ok());
            if let Some(align) = number.filter(|n| n.is_power_of_two()) {
                let entry = found.entry(name.text.to_string()).or_insert((align, token.start));
                if align > entry.0 {
                    *entry = (align, token.start);
                }
            }
        }
    }
    found
}

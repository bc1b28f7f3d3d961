//! Modules that differ from a given one in one edit of one instruction: what a test suite should find wrong.

use std::fmt;

/// A module with one edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// Which kind of edit.
    pub kind: Edit,
    /// The line, from 1.
    pub line: usize,
    /// What the line becomes.
    pub after: String,
}

/// Kinds of edits.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)] // the names are the documentation
pub enum Edit {
    DropInstruction,
    DropGuard,
    NegateGuard,
    Register,
    Immediate,
    Offset,
    Operation,
    Comparison,
    Type,
    Order,
    Scope,
    SwapOperands,
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Edit::DropInstruction => "drop instruction",
            Edit::DropGuard => "drop guard",
            Edit::NegateGuard => "negate guard",
            Edit::Register => "register",
            Edit::Immediate => "immediate",
            Edit::Offset => "offset",
            Edit::Operation => "operation",
            Edit::Comparison => "comparison",
            Edit::Type => "type",
            Edit::Order => "order",
            Edit::Scope => "scope",
            Edit::SwapOperands => "swap operands",
        })
    }
}

/// Words of a mnemonic and what they become; those of operations at its begin only.
const WORDS: [(Edit, &str, &str); 41] = [
    (Edit::Operation, "add", "sub"),
    (Edit::Operation, "sub", "add"),
    (Edit::Operation, "mul", "add"),
    (Edit::Operation, "div", "rem"),
    (Edit::Operation, "rem", "div"),
    (Edit::Operation, "min", "max"),
    (Edit::Operation, "max", "min"),
    (Edit::Operation, "shl", "shr"),
    (Edit::Operation, "shr", "shl"),
    (Edit::Operation, "and", "or"),
    (Edit::Operation, "or", "and"),
    (Edit::Operation, "xor", "and"),
    (Edit::Operation, "neg", "abs"),
    (Edit::Operation, "lo", "hi"),
    (Edit::Operation, "bfly", "down"),
    (Edit::Operation, "down", "up"),
    (Edit::Operation, "up", "down"),
    (Edit::Operation, "idx", "bfly"),
    (Edit::Operation, "any", "all"),
    (Edit::Operation, "all", "any"),
    (Edit::Operation, "exch", "add"),
    (Edit::Operation, "rn", "rz"),
    (Edit::Operation, "rzi", "rni"),
    (Edit::Comparison, "eq", "ne"),
    (Edit::Comparison, "ne", "eq"),
    (Edit::Comparison, "lt", "le"),
    (Edit::Comparison, "le", "lt"),
    (Edit::Comparison, "gt", "ge"),
    (Edit::Comparison, "ge", "gt"),
    (Edit::Type, "f32", "s32"),
    (Edit::Type, "f64", "f32"),
    (Edit::Type, "b32", "b64"),
    (Edit::Type, "u32", "u64"),
    (Edit::Type, "u64", "u32"),
    (Edit::Type, "s32", "u32"),
    (Edit::Type, "u8", "u16"),
    (Edit::Type, "v4", "v2"),
    (Edit::Type, "v2", "v4"),
    (Edit::Order, "acquire", "relaxed"),
    (Edit::Order, "release", "relaxed"),
    (Edit::Scope, "gpu", "cta"),
];

/// Every mutant of a module, in order of lines. The module has one instruction a line.
pub fn mutants(text: &str) -> Vec<Mutant> {
    let mut out = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((guard, mnemonic, operands)) = parts(line) else { continue };
        let mut add = |kind, after: String| {
            if after != line && !out.iter().any(|known: &Mutant| known.line == at + 1 && known.after == after)
            {
                out.push(Mutant { kind, line: at + 1, after });
            }
        };
        add(Edit::DropInstruction, String::new());
        if !guard.is_empty() {
            add(Edit::DropGuard, format!("{mnemonic} {operands}"));
            let negated = match guard.strip_prefix("@!") {
                Some(rest) => format!("@{rest}"),
                None => guard.replacen('@', "@!", 1),
            };
            add(Edit::NegateGuard, format!("{negated} {mnemonic} {operands}"));
        }
        let with = |mnemonic: &str, operands: &str| format!("{guard} {mnemonic} {operands}");
        let words: Vec<&str> = mnemonic.split('.').collect();
        for (place, word) in words.iter().enumerate() {
            for (kind, from, to) in WORDS {
                if *word == from {
                    let mut changed = words.clone();
                    changed[place] = to;
                    add(kind, with(&changed.join("."), operands));
                }
            }
        }
        for (begin, end, kind, replacement) in numbers(operands) {
            add(kind, with(mnemonic, &format!("{}{replacement}{}", &operands[..begin], &operands[end..])));
        }
        if !commutes(&words)
            && let Some(swapped) = swapped(operands)
        {
            add(Edit::SwapOperands, with(mnemonic, &swapped));
        }
    }
    out
}

impl Mutant {
    /// The whole module.
    pub fn text(&self, of: &str) -> String {
        let mut out = String::with_capacity(of.len() + self.after.len());
        for (at, line) in of.lines().enumerate() {
            out.push_str(if at + 1 == self.line { &self.after } else { line });
            out.push('\n');
        }
        out
    }
}

/// Guard, mnemonic and operands of a line with an instruction.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.split("//").next().unwrap_or_default().trim();
    let (guard, rest) = if line.starts_with('@') { line.split_once(' ')? } else { ("", line) };
    let rest = rest.trim();
    let starts_well = rest.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well || !rest.ends_with(';') || rest.contains(':') && !rest.contains("::") {
        return None;
    }
    let (mnemonic, operands) = match rest.split_once(' ') {
        Some((mnemonic, operands)) => (mnemonic, operands.trim()),
        None => (rest.strip_suffix(';')?, ";"),
    };
    Some((guard, mnemonic, operands))
}

/// Numbers of registers, immediates and offsets among operands, each with what it becomes.
fn numbers(operands: &str) -> Vec<(usize, usize, Edit, String)> {
    let bytes = operands.as_bytes();
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'$' || c == b'%' || c == b'.';
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !word(bytes[at]) {
            at += 1;
            continue;
        }
        let begin = at;
        while at < bytes.len() && word(bytes[at]) {
            at += 1;
        }
        let token = &operands[begin..at];
        if token.starts_with('%') {
            let digits = token.len() - token.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let first = at - digits;
            if let Ok(number) = operands[first..at].parse::<u32>() {
                out.push((first, at, Edit::Register, (number + 1).to_string()));
                if let Some(less) = number.checked_sub(1) {
                    out.push((first, at, Edit::Register, less.to_string()));
                }
            }
        } else if let Some(value) = immediate(token) {
            let kind =
                if begin > 0 && matches!(bytes[begin - 1], b'+') { Edit::Offset } else { Edit::Immediate };
            out.push((begin, at, kind, value.wrapping_add(1).to_string()));
            if value > 1 {
                out.push((begin, at, kind, (value / 2).to_string()));
            }
            if kind == Edit::Offset {
                out.push((begin, at, kind, value.wrapping_add(4).to_string()));
            }
        } else if let Some(bits) =
            token.strip_prefix("0f").and_then(|bits| u32::from_str_radix(bits, 16).ok())
        {
            out.push((begin, at, Edit::Immediate, format!("0f{:08x}", bits ^ 1 << 22)));
        }
    }
    out
}

fn immediate(token: &str) -> Option<u64> {
    match token.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => token.parse().ok(),
    }
}

/// Whether its two sources can be exchanged, so that no mutant differs.
fn commutes(words: &[&str]) -> bool {
    match words[0] {
        "add" | "mul" | "min" | "max" | "and" | "or" | "xor" => true,
        "setp" => words.contains(&"eq") || words.contains(&"ne"),
        _ => false,
    }
}

/// The operands with the last two exchanged, if those are sources and differ.
fn swapped(operands: &str) -> Option<String> {
    let inner = operands.strip_suffix(';')?;
    if inner.contains(['{', '[', '(']) {
        return None;
    }
    let mut list: Vec<&str> = inner.split(',').map(str::trim).collect();
    let count = list.len();
    if count < 3 {
        return None;
    }
    list.swap(count - 2, count - 1);
    Some(format!("{};", list.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{Edit, mutants};

    fn edits(line: &str) -> Vec<(Edit, String)> {
        mutants(line).into_iter().map(|mutant| (mutant.kind, mutant.after.trim().to_string())).collect()
    }

    #[test]
    fn edits_of_a_line() {
        let found = edits("  @!%p1 add.u32 %r7, %r2, 8;  // why");
        let expected = [
            (Edit::DropInstruction, ""),
            (Edit::DropGuard, "add.u32 %r7, %r2, 8;"),
            (Edit::NegateGuard, "@%p1 add.u32 %r7, %r2, 8;"),
            (Edit::Operation, "@!%p1 sub.u32 %r7, %r2, 8;"),
            (Edit::Type, "@!%p1 add.u64 %r7, %r2, 8;"),
            (Edit::Register, "@!%p1 add.u32 %r8, %r2, 8;"),
            (Edit::Register, "@!%p1 add.u32 %r6, %r2, 8;"),
            (Edit::Register, "@!%p1 add.u32 %r7, %r3, 8;"),
            (Edit::Register, "@!%p1 add.u32 %r7, %r1, 8;"),
            (Edit::Immediate, "@!%p1 add.u32 %r7, %r2, 9;"),
            (Edit::Immediate, "@!%p1 add.u32 %r7, %r2, 4;"),
        ];
        assert_eq!(found, expected.map(|(kind, after)| (kind, after.to_string())));
    }

    #[test]
    fn operands_are_swapped_where_that_matters() {
        let swapped = |line| edits(line).iter().filter(|(kind, _)| *kind == Edit::SwapOperands).count();
        assert_eq!((swapped("sub.u32 %r1, %r2, %r3;"), swapped("setp.ne.u32 %p1, %r2, %r3;")), (1, 0));
    }

    #[test]
    fn lines_without_instructions_have_none() {
        assert!(edits(".reg .u32 %r<10>;\nlabel:\n{\n}\n// add.u32 %r1, %r2, 3;\n.loc 1 2 3\n").is_empty());
    }
}

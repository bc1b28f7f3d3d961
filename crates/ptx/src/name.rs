//! Names of programs as names of PTX.

use std::fmt::Write;

/// A name that PTX takes for an entry: letters, digits and `_`, of other characters their code points.
pub(crate) fn entry(name: &str) -> String {
    let mut valid = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => valid.push(c),
            _ => write!(valid, "_{:x}_", c as u32).expect("a string takes all"),
        }
    }
    // A name begins with a letter, and one that begins otherwise could meet one that the assembler makes.
    if !valid.starts_with(|c: char| c.is_ascii_alphabetic()) {
        valid.insert_str(0, "entry_");
    }
    valid
}

#[cfg(test)]
mod tests {
    #[test]
    fn names() {
        for (name, valid) in
            [("main", "main"), ("2d", "entry_2d"), ("", "entry_"), ("a b-ü", "a_20_b_2d__fc_")]
        {
            assert_eq!(super::entry(name), valid);
        }
    }
}

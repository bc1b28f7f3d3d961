//! Damage: to text token by token, so that much of it is still read, and to bytes.

use crate::random::Random;
use vyre_ir::Scalar;

/// Numbers at which something happens.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "8",
    "31",
    "32",
    "64",
    "255",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "-1",
];

/// Makes random damage.
pub struct Mutator(Random);

impl Mutator {
    /// The damage of a seed.
    pub fn new(seed: u64) -> Mutator {
        Mutator(Random::new(seed ^ 0xda_aa6e))
    }

    /// Text with a few tokens changed.
    pub fn text(&mut self, text: &str) -> String {
        let mut tokens = tokens(text);
        let edits = 1 + self.0.below(3);
        for _ in 0..edits {
            if tokens.is_empty() {
                break;
            }
            let at = self.0.below(tokens.len());
            let other = tokens[self.0.below(tokens.len())].clone();
            let kind = kind_of(&tokens[at]);
            match self.0.below(10) {
                0 => drop(tokens.remove(at)),
                1 => tokens.insert(at, other),
                2 => tokens[at] = other,
                // Numbers for numbers, words for words: what is damaged so is often still a program.
                3..=5 => {
                    let numbers: Vec<usize> = of_kind(&tokens, Class::Number);
                    if !numbers.is_empty() {
                        let place = numbers[self.0.below(numbers.len())];
                        tokens[place] = self.number(&tokens[place]);
                    }
                }
                6..=8 => {
                    let same = of_kind(&tokens, kind);
                    let pick = same[self.0.below(same.len())];
                    tokens[at] = tokens[pick].clone();
                }
                _ => {
                    // A line twice, or no more.
                    let mut lines: Vec<String> = tokens.concat().lines().map(str::to_string).collect();
                    let line = self.0.below(lines.len().max(1));
                    if line < lines.len() {
                        match self.0.below(2) {
                            0 => drop(lines.remove(line)),
                            _ => lines.insert(line, lines[line].clone()),
                        }
                    }
                    tokens = self::tokens(&lines.join("\n"));
                }
            }
        }
        tokens.concat()
    }

    fn number(&mut self, old: &str) -> String {
        let suffix = match old.chars().last() {
            Some(c @ ('u' | 'i' | 'f' | 'h')) if !old.starts_with("0x") => c.to_string(),
            _ => String::new(),
        };
        let number = NUMBERS[self.0.below(NUMBERS.len())];
        if number == "-1" && suffix == "u" { format!("0{suffix}") } else { format!("{number}{suffix}") }
    }

    /// A file with some bytes of its body changed and its hash right.
    pub fn wire(&mut self, file: &[u8]) -> Vec<u8> {
        let (head, body) = file.split_at(40);
        let mut body = body.to_vec();
        for _ in 0..1 + self.0.below(3) {
            if body.is_empty() {
                break;
            }
            let at = self.0.below(body.len());
            match self.0.below(6) {
                0 => body[at] = self.0.next() as u8,
                1 => body[at] ^= 1 << self.0.below(8),
                2 => body[at] = body[at].wrapping_add(1),
                3 => drop(body.remove(at)),
                4 => body.insert(at, self.0.below(8) as u8),
                _ => {
                    let (from, n) = (self.0.below(body.len()), self.0.below(8));
                    let piece = body[from..body.len().min(from + n)].to_vec();
                    body.splice(at..body.len().min(at + n), piece);
                }
            }
        }
        let mut file = head[..8].to_vec();
        file.extend(blake3::hash(&body).as_bytes());
        file.extend(body);
        file
    }

    /// Bytes of numbers of a type.
    pub fn contents(&mut self, bytes: usize, scalar: Scalar) -> Vec<u8> {
        let size = scalar.bytes() as usize;
        let mut contents = Vec::with_capacity(bytes);
        while contents.len() < bytes {
            contents.extend(&self.0.constant(scalar).to_le_bytes()[..size.min(bytes - contents.len())]);
        }
        contents
    }
}

#[derive(Copy, Clone, PartialEq)]
enum Class {
    Word,
    Number,
    Space,
    Other,
}

fn kind_of(token: &str) -> Class {
    match token.chars().next() {
        Some(c) if c.is_ascii_digit() => Class::Number,
        Some(c) if c.is_alphabetic() || matches!(c, '_' | '%') => Class::Word,
        Some(c) if c.is_whitespace() => Class::Space,
        _ => Class::Other,
    }
}

fn of_kind(tokens: &[String], class: Class) -> Vec<usize> {
    (0..tokens.len()).filter(|&i| kind_of(&tokens[i]) == class).collect()
}

/// Words, numbers, spaces and single other characters.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let wordy = |c: char| c.is_alphanumeric() || matches!(c, '_' | '%');
    for c in text.chars() {
        match tokens.last_mut() {
            Some(last) if last.chars().all(wordy) && (wordy(c) && c != '%') => last.push(c),
            Some(last) if last.chars().all(|c| c == ' ') && c == ' ' => last.push(c),
            _ => tokens.push(c.into()),
        }
    }
    tokens
}

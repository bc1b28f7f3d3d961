//! Text to tokens.

use crate::module::ParseError;

#[derive(Copy, Clone, PartialEq, Debug)]
pub(crate) enum Token<'a> {
    /// A name, mnemonic or directive, with its dots.
    Word(&'a str),
    Integer(u64),
    /// `0f...`: the bits.
    Single(u32),
    /// `0d...`, or decimal: the bits.
    Double(u64),
    Text(&'a str),
    Sign(char),
    End,
}

/// All tokens with their lines, [`Token::End`] last.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token<'_>, u32)>, ParseError> {
    let bytes = text.as_bytes();
    let (mut at, mut line) = (0, 1u32);
    let mut out = Vec::new();
    while at < bytes.len() {
        let c = bytes[at];
        let fail = |message: &str| ParseError { line: line as usize, message: message.to_string() };
        match c {
            b'\n' => {
                line += 1;
                at += 1;
            }
            b' ' | b'\t' | b'\r' => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..].iter().position(|c| *c == b'\n').unwrap_or(bytes.len() - at);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let length = text[at + 2..].find("*/").ok_or_else(|| fail("a comment without its end"))?;
                line += text[at..at + 2 + length].matches('\n').count() as u32;
                at += length + 4;
            }
            b'"' => {
                let length = text[at + 1..].find(['"', '\n']).unwrap_or(bytes.len() - at - 1);
                if bytes.get(at + 1 + length) != Some(&b'"') {
                    return Err(fail("a string without its end"));
                }
                out.push((Token::Text(&text[at + 1..at + 1 + length]), line));
                at += length + 2;
            }
            b'0'..=b'9' => {
                let length = number_length(&bytes[at..]);
                let word = &text[at..at + length];
                let token = number(word).ok_or_else(|| fail(&format!("`{word}` is no number")))?;
                out.push((token, line));
                at += length;
            }
            _ if word_byte(c) || c == b'.' || c == b'%' => {
                let length = word_length(&bytes[at..]);
                out.push((Token::Word(&text[at..at + length]), line));
                at += length;
            }
            b'{' | b'}' | b'(' | b')' | b'[' | b']' | b',' | b';' | b':' | b'+' | b'-' | b'|' | b'@'
            | b'!' | b'<' | b'>' | b'=' | b'~' => {
                out.push((Token::Sign(char::from(c)), line));
                at += 1;
            }
            _ => {
                let c = text[at..].chars().next().unwrap_or('?');
                return Err(fail(&format!("a `{}` has no meaning here", c.escape_default())));
            }
        }
    }
    out.push((Token::End, line));
    Ok(out)
}

fn word_byte(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c == b'$'
}

/// A word goes on over dots that a letter or digit follows, and over `::`.
fn word_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match bytes.get(at) {
            Some(c) if word_byte(*c) => at += 1,
            Some(b'.') if bytes.get(at + 1).is_some_and(|c| word_byte(*c)) => at += 1,
            Some(b':') if bytes.get(at + 1) == Some(&b':') => at += 2,
            _ => return at,
        }
    }
}

fn number_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match bytes.get(at) {
            Some(c) if word_byte(*c) || *c == b'.' => at += 1,
            // The exponent's sign, of a decimal number.
            Some(b'+' | b'-') if matches!(bytes[at - 1], b'e' | b'E') && bytes[..at - 1].contains(&b'.') => {
                at += 1
            }
            _ => return at,
        }
    }
}

fn number(word: &str) -> Option<Token<'_>> {
    let lower = word.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0f") {
        return (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok().map(Token::Single))?;
    }
    if let Some(digits) = lower.strip_prefix("0d") {
        return (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok().map(Token::Double))?;
    }
    let digits = lower.strip_suffix('u').unwrap_or(&lower);
    if let Some(digits) = digits.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Token::Integer);
    }
    if let Some(digits) = digits.strip_prefix("0b") {
        return u64::from_str_radix(digits, 2).ok().map(Token::Integer);
    }
    if lower.contains(['.', 'e']) {
        return lower.parse::<f64>().ok().map(|value| Token::Double(value.to_bits()));
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return u64::from_str_radix(&digits[1..], 8).ok().map(Token::Integer);
    }
    digits.parse().ok().map(Token::Integer)
}

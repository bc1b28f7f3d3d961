//! Splits text form into tokens, one at a time, without copying.

use std::str::CharIndices;

/// What a token is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Letters, digits, `_`, not starting with a digit.
    Word,
    /// `%` and a word or number.
    Value,
    /// Starts with a digit or `-`.
    Number,
    /// Text in double quotes, on one line.
    Quoted,
    /// One of `{}()[]:,=.@`.
    Mark(char),
    /// `->`.
    Arrow,
    /// The end of the text.
    End,
    /// Anything else.
    Bad,
}

/// A piece of the text.
#[derive(Copy, Clone, Debug)]
pub(super) struct Token<'s> {
    pub kind: Kind,
    pub text: &'s str,
    /// Place in the text in bytes.
    pub start: usize,
    /// Whether it is the first one on its line.
    pub first: bool,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Reads tokens.
pub(super) struct Lexer<'s> {
    source: &'s str,
    chars: std::iter::Peekable<CharIndices<'s>>,
    first: bool,
}

impl<'s> Lexer<'s> {
    pub fn new(source: &'s str) -> Lexer<'s> {
        Lexer { source, chars: source.char_indices().peekable(), first: true }
    }

    pub fn next(&mut self) -> Token<'s> {
        self.skip();
        let first = std::mem::replace(&mut self.first, false);
        let Some((start, c)) = self.chars.next() else {
            return Token { kind: Kind::End, text: "", start: self.source.len(), first: true };
        };
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let kind = match c {
            'a'..='z' | 'A'..='Z' | '_' => {
                self.take_while(word);
                Kind::Word
            }
            '%' => {
                self.take_while(word);
                Kind::Value
            }
            '-' if self.chars.next_if(|(_, c)| *c == '>').is_some() => Kind::Arrow,
            '0'..='9' | '-' => {
                self.number(start);
                Kind::Number
            }
            '"' => self.quoted(),
            '{' | '}' | '(' | ')' | '[' | ']' | ':' | ',' | '=' | '.' | '@' => Kind::Mark(c),
            _ => Kind::Bad,
        };
        Token { kind, text: &self.source[start..self.at()], start, first }
    }

    /// Place of the next character.
    fn at(&mut self) -> usize {
        self.chars.peek().map_or(self.source.len(), |(at, _)| *at)
    }

    fn skip(&mut self) {
        while let Some(&(at, c)) = self.chars.peek() {
            if c == '\n' {
                self.first = true;
            } else if self.source[at..].starts_with("//") {
                while self.chars.next_if(|(_, c)| *c != '\n').is_some() {}
                continue;
            } else if !c.is_whitespace() {
                return;
            }
            self.chars.next();
        }
    }

    fn take_while(&mut self, admit: impl Fn(char) -> bool) {
        while self.chars.next_if(|(_, c)| admit(*c)).is_some() {}
    }

    /// A sign belongs to the number only at its start and after the `e` of a decimal.
    fn number(&mut self, start: usize) {
        let mut exponent = false;
        while let Some(&(at, c)) = self.chars.peek() {
            let sign = exponent && matches!(c, '+' | '-');
            if !(c.is_ascii_alphanumeric() || c == '.' || sign) {
                return;
            }
            exponent = matches!(c, 'e' | 'E') && !self.source[start..at].contains('x');
            self.chars.next();
        }
    }

    fn quoted(&mut self) -> Kind {
        while let Some((_, c)) = self.chars.next_if(|(_, c)| *c != '\n') {
            match c {
                '"' => return Kind::Quoted,
                '\\' => drop(self.chars.next_if(|(_, c)| *c != '\n')),
                _ => (),
            }
        }
        Kind::Bad
    }
}

/// The name that a quoted token stands for.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut name = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        name.push(match c {
            '\\' => match chars.next()? {
                c @ ('"' | '\\') => c,
                'u' => {
                    let (digits, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    chars = rest.chars();
                    char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
                }
                _ => return None,
            },
            c => c,
        });
    }
    Some(name)
}

//! Walks over tokens.

use crate::lex::Token;
use crate::module::ParseError;

pub(crate) struct Cursor<'a> {
    tokens: Vec<(Token<'a>, u32)>,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Over tokens of which the last is [`Token::End`].
    pub(crate) fn new(tokens: Vec<(Token<'a>, u32)>) -> Cursor<'a> {
        Cursor { tokens, at: 0 }
    }

    pub(crate) fn peek(&self) -> Token<'a> {
        self.tokens[self.at].0
    }

    pub(crate) fn second(&self) -> Token<'a> {
        self.tokens[(self.at + 1).min(self.tokens.len() - 1)].0
    }

    pub(crate) fn line(&self) -> u32 {
        self.tokens[self.at].1
    }

    /// The next token; the end again and again.
    pub(crate) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        if token != Token::End {
            self.at += 1;
        }
        token
    }

    /// An error at the last token taken.
    pub(crate) fn error(&self, message: &str) -> ParseError {
        ParseError { line: self.tokens[self.at.saturating_sub(1)].1 as usize, message: message.to_string() }
    }

    pub(crate) fn take(&mut self, sign: char) -> bool {
        let there = self.peek() == Token::Sign(sign);
        self.at += usize::from(there);
        there
    }

    pub(crate) fn expect(&mut self, sign: char) -> Result<(), ParseError> {
        if self.take(sign) { Ok(()) } else { Err(self.error(&format!("a `{sign}` is missing"))) }
    }

    pub(crate) fn word(&mut self, what: &str) -> Result<&'a str, ParseError> {
        match self.next() {
            Token::Word(word) => Ok(word),
            _ => Err(self.error(&format!("{what} is missing"))),
        }
    }

    /// A name without dots.
    pub(crate) fn name(&mut self) -> Result<&'a str, ParseError> {
        let name = self.word("a name")?;
        if name.contains(['.', ':']) || name.is_empty() || name == "_" {
            return Err(self.error(&format!("`{name}` is no name")));
        }
        Ok(name)
    }

    pub(crate) fn integer(&mut self) -> Result<u64, ParseError> {
        match self.next() {
            Token::Integer(value) => Ok(value),
            _ => Err(self.error("a whole number is missing")),
        }
    }
}

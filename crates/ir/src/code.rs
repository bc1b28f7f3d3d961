//! Stable codes of errors, and the tables they come from.
//!
//! Each crate that reports errors has one table, made with [`codes!`](crate::codes). A code that is not in a table does
//! not compile. `docs/errors.md` shows all tables with an example for each row; a test fails for a row whose error
//! nothing provokes, unless the row says why no input can.

use std::fmt;

/// A letter and three digits, such as `V004`, that keep their meaning from version to version.
#[derive(Copy, Clone)]
pub struct Code(&'static Row);

/// What a table says of a code.
#[doc(hidden)]
#[derive(Debug)]
pub struct Row {
    /// The letter and the digits.
    pub name: &'static str,
    /// What the code says, in one sentence.
    pub meaning: &'static str,
    /// Why no input provokes it.
    pub no_example: Option<&'static str>,
}

/// The parts of vyre by the letter of their codes.
pub const PARTS: [(char, &str); 11] = [
    ('T', "Text form"),
    ('W', "Wire form"),
    ('V', "Verifier"),
    ('O', "Dialects"),
    ('S', "Stages and work queues"),
    ('I', "Importer"),
    ('E', "Exporter"),
    ('P', "PTX"),
    ('B', "Binding"),
    ('D', "Driver and backends"),
    ('C', "Command line"),
];

impl Code {
    /// For [`codes!`](crate::codes) only.
    #[doc(hidden)]
    pub const fn of(row: &'static Row) -> Code {
        Code(row)
    }
    /// The letter and the digits.
    pub fn name(self) -> &'static str {
        self.0.name
    }
    /// The code as a number: the digits, and 1000 for each place of the letter in the alphabet (`D006` is 4006).
    pub fn number(self) -> u32 {
        let (letter, digits) = self.0.name.split_at(1);
        let place = letter.bytes().next().map_or(0, |letter| letter.wrapping_sub(b'A') as u32 + 1);
        place * 1000 + digits.parse::<u32>().unwrap_or(0)
    }
    /// What it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        self.0.meaning
    }
    /// Why no input provokes it, if none does.
    pub fn no_example(self) -> Option<&'static str> {
        self.0.no_example
    }
}

/// Makes a crate's table of codes: a constant for each, visible in the crate, and `CODES`, all of them.
///
/// A row is `NAME = "What it means.";`, or `NAME = "What it means.", no_example: "Why nothing provokes it.";`.
#[macro_export]
macro_rules! codes {
    (@no_example) => {
        None
    };
    (@no_example $why:literal) => {
        Some($why)
    };
    ($($code:ident = $meaning:literal $(, no_example: $why:literal)?;)*) => {
        /// All codes of this crate.
        #[allow(dead_code, reason = "the command is no library; a test reads its table")]
        pub const CODES: &[$crate::Code] = &[$($code),*];
        $(
            #[doc = $meaning]
            pub(crate) const $code: $crate::Code = $crate::Code::of(&$crate::code::Row {
                name: stringify!($code),
                meaning: $meaning,
                no_example: $crate::codes!(@no_example $($why)?),
            });
        )*
    };
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Code {}

/// With a code as text, for callers that match on one.
impl PartialEq<&str> for Code {
    fn eq(&self, other: &&str) -> bool {
        self.name() == *other
    }
}

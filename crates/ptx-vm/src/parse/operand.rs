//! Operands of instructions.

use super::body::{Body, Symbol};
use super::cursor::Cursor;
use crate::code::Special;
use crate::lex::Token;
use crate::module::ParseError;

/// An operand as it is written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Operand<'a> {
    Register(u32),
    Special(Special),
    Integer(u64),
    /// Bits of an f32.
    Single(u32),
    /// Bits of an f64.
    Double(u64),
    /// A variable's address and something added.
    Variable(u32, i64),
    /// In brackets.
    Address(Box<Operand<'a>>, i64),
    Vector(Vec<Operand<'a>>),
    /// `%r1|%p1`.
    Pair(Box<Operand<'a>>, Box<Operand<'a>>),
    /// `!%p1`.
    Not(u32),
    /// `_`.
    Sink,
    /// A label or function.
    Name(&'a str),
    /// In parentheses.
    Group(Vec<Operand<'a>>),
}

impl<'a> Body<'_, 'a> {
    /// An operand; `depth` bounds brackets in brackets.
    pub(crate) fn operand(&mut self, cursor: &mut Cursor<'a>, depth: u32) -> Result<Operand<'a>, ParseError> {
        if depth > 4 {
            return Err(cursor.error("too many brackets"));
        }
        let operand = match cursor.next() {
            Token::Sign('[') => {
                let base = self.operand(cursor, depth + 1)?;
                let address = match base {
                    Operand::Variable(..) | Operand::Register(_) => {
                        let offset = offset(cursor)?;
                        Operand::Address(Box::new(base), offset)
                    }
                    Operand::Integer(at) => Operand::Address(Box::new(Operand::Integer(at)), 0),
                    Operand::Name(name) => return Err(cursor.error(&format!("`{name}` is not declared"))),
                    _ => return Err(cursor.error("no address")),
                };
                cursor.expect(']')?;
                address
            }
            Token::Sign('{') => Operand::Vector(self.list(cursor, '}', depth)?),
            Token::Sign('(') => Operand::Group(self.list(cursor, ')', depth)?),
            Token::Sign('!') => match self.operand(cursor, depth + 1)? {
                Operand::Register(register) => Operand::Not(register),
                _ => return Err(cursor.error("only a predicate can be negated")),
            },
            Token::Sign('-') => match cursor.next() {
                Token::Integer(value) => Operand::Integer(value.wrapping_neg()),
                Token::Single(bits) => Operand::Single(bits ^ 1 << 31),
                Token::Double(bits) => Operand::Double(bits ^ 1 << 63),
                _ => return Err(cursor.error("a number is missing")),
            },
            Token::Sign('~') => Operand::Integer(!cursor.integer()?),
            Token::Integer(value) => Operand::Integer(value),
            Token::Single(bits) => Operand::Single(bits),
            Token::Double(bits) => Operand::Double(bits),
            Token::Word("_") => Operand::Sink,
            Token::Word("WARP_SZ") => Operand::Integer(32),
            Token::Word(word) => match self.lookup(word) {
                Some(Symbol::Register(register)) => Operand::Register(register),
                Some(Symbol::Variable(variable)) => {
                    let more = if matches!(cursor.peek(), Token::Sign('+')) && depth == 0 {
                        offset(cursor)?
                    } else {
                        0
                    };
                    Operand::Variable(variable, more)
                }
                None => match special(word) {
                    Some(special) => Operand::Special(special),
                    None if word.starts_with('%') => {
                        return Err(cursor.error(&format!("`{word}` is not declared")));
                    }
                    None => Operand::Name(word),
                },
            },
            _ => return Err(cursor.error("an operand is missing")),
        };
        if cursor.take('|') {
            let second = self.operand(cursor, depth + 1)?;
            return Ok(Operand::Pair(Box::new(operand), Box::new(second)));
        }
        Ok(operand)
    }

    fn list(
        &mut self,
        cursor: &mut Cursor<'a>,
        end: char,
        depth: u32,
    ) -> Result<Vec<Operand<'a>>, ParseError> {
        let mut out = Vec::new();
        while !cursor.take(end) {
            out.push(self.operand(cursor, depth + 1)?);
            if !cursor.take(',') {
                cursor.expect(end)?;
                break;
            }
        }
        Ok(out)
    }
}

/// `+4`, `+-4`, `-4` or nothing.
fn offset(cursor: &mut Cursor<'_>) -> Result<i64, ParseError> {
    let negative = if cursor.take('+') {
        cursor.take('-')
    } else if cursor.take('-') {
        true
    } else {
        return Ok(0);
    };
    let value = cursor.integer()? as i64;
    Ok(if negative { value.wrapping_neg() } else { value })
}

fn special(name: &str) -> Option<Special> {
    use Special::*;
    Some(match name.strip_prefix('%')? {
        "tid.x" => TidX,
        "tid.y" => TidY,
        "tid.z" => TidZ,
        "ntid.x" => NtidX,
        "ntid.y" => NtidY,
        "ntid.z" => NtidZ,
        "ctaid.x" | "clusterid.x" => CtaidX,
        "ctaid.y" | "clusterid.y" => CtaidY,
        "ctaid.z" | "clusterid.z" => CtaidZ,
        "nctaid.x" | "nclusterid.x" => NctaidX,
        "nctaid.y" | "nclusterid.y" => NctaidY,
        "nctaid.z" | "nclusterid.z" => NctaidZ,
        "laneid" => Laneid,
        "warpid" => Warpid,
        "nwarpid" => Nwarpid,
        "smid" => Smid,
        "nsmid" => Nsmid,
        "lanemask_eq" => LanemaskEq,
        "lanemask_lt" => LanemaskLt,
        "lanemask_le" => LanemaskLe,
        "lanemask_gt" => LanemaskGt,
        "lanemask_ge" => LanemaskGe,
        "clock" => Clock,
        "clock_hi" => ClockHigh,
        "clock64" => Clock64,
        "globaltimer" => Globaltimer,
        "globaltimer_lo" => GlobaltimerLow,
        "globaltimer_hi" => GlobaltimerHigh,
        "gridid" => Gridid,
        "dynamic_smem_size" => DynamicShared,
        "total_smem_size" | "aggr_smem_size" => TotalShared,
        // Without clusters every block is one of its own.
        "cluster_ctaid.x" | "cluster_ctaid.y" | "cluster_ctaid.z" | "cluster_ctarank" => Zero,
        "cluster_nctaid.x" | "cluster_nctaid.y" | "cluster_nctaid.z" | "cluster_nctarank" => One,
        _ => return None,
    })
}

/// The bits of a special register.
pub(crate) fn special_bits(special: Special) -> u32 {
    match special {
        Special::Clock64 | Special::Globaltimer | Special::Gridid => 64,
        _ => 32,
    }
}

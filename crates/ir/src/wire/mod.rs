//! The wire form: a program as bytes, for files, caches and fingerprints.
//!
//! ```text
//! "VYRE"  version: u16  flags: u16 (0)  hash: [u8; 32] (BLAKE3 of the body)  body
//! body    = words program
//! words   = count, then strings: the names of the operations, types, kinds of memory, accesses and localities used;
//!           those of dialects' operations are followed by `@` and the dialect's version where that is known
//! program = name, workgroup size, count and buffers, region
//! buffer  = name, type, memory, access, flags, count, group, binding, hints if there is the flag for them
//! flags   = 1: output, 2: live out, 4: hints; their sum
//! hints   = axis + 1 or 0 for none, alignment, locality; not all of them the default
//! region  = count and types of the parameters, count and instructions
//! inst    = operation, attribute, count and types of the results, count and operands, count and regions
//! ```
//! Fixed-width numbers are little endian; the others, and all in the body, are LEB128 (seven bits a byte, low ones
//! first). Strings are a length and UTF-8. Operations, types and their like are positions in `words`, so that a file
//! stays readable when the tables of this crate change. An operand is the number that the value has in text form.
//!
//! The body is canonical: it depends only on what the text form shows, and [`decode`] refuses any other encoding of
//! the same program. So the hash is the program's fingerprint. Locations and source text are not part of it.
//!
//! A file is not trusted: no length or count is believed before it is compared with the bytes that are left, the
//! nesting and number of instructions are limited, and what has been read is verified.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::{encode, fingerprint};

/// The first bytes of a file.
pub const MAGIC: [u8; 4] = *b"VYRE";
/// The version that is written, and the only one that is read.
pub const VERSION: u16 = 1;
/// Bytes before the body.
const HEADER: usize = 40;

/// What the flags of a buffer say.
mod flag {
    pub const OUTPUT: u64 = 1;
    pub const LIVE_OUT: u64 = 2;
    pub const HINTS: u64 = 4;
    pub const ALL: u64 = OUTPUT | LIVE_OUT | HINTS;
}

/// The tag of each kind of attribute.
mod tag {
    pub const NONE: u64 = 0;
    pub const BITS: u64 = 1;
    pub const LANE: u64 = 2;
    pub const AXIS: u64 = 3;
    pub const BUFFER: u64 = 4;
    pub const CASES: u64 = 5;
    pub const CALL: u64 = 6;
}

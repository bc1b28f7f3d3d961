//! The text form: what dumps, tests and bug reports are written in.
//!
//! ```text
//! program example workgroup(64, 1, 1) {
//!   buffer data: f32[] storage read_write @group(0) @binding(0)
//!   %0: u32 = global_id x
//!   %1: f32 = load data[%0]
//!   %2: f32 = const 0.5
//!   %3: bool = lt %2, %1
//!   %4: f32 = if %3 {
//!     %5: f32 = sqrt %1
//!     yield %5
//!   } else {
//!     yield %2
//!   }
//!   store data[%0], %4
//! }
//! ```
//! Printing numbers the values in the order in which their definitions appear, so the text does not depend on how
//! the program is laid out in memory, and `print(parse(print(p))) == print(p)`. The rules:
//!
//! - an instruction is `results = operation attribute operands`; a result states its type;
//! - an access is `buffer[index]`; further operands follow after a comma; a lane is `%vector.x`, `.y`, `.z` or `.w`;
//! - a constant is decimal, `true`, `false`, `inf`, `-inf`, or the bits as `0x...` (so are NaNs), one for all lanes or
//!   a list in parentheses;
//! - `loop (%parameter: type = %initial, ...) { ... yield %continue, %next, ... }`;
//! - `switch %selector { case 1, 2 { ... } default { ... } }`;
//! - a region that yields nothing leaves its `yield` out, and an `else` that does nothing is left out;
//! - a call is `call dialect.op[attribute: type = number, ...] %operand, ...`; `dialect.op@1.2.0` says which version of
//!   the dialect it was written for;
//! - names with other characters than letters, digits and `_` are in quotes; `//` comments.
//!
//! An operation of a dialect is written with the same instructions; its attributes are values in its body:
//!
//! ```text
//! op demo.scale[%n: f32 = 2.0](%x: f32) -> f32 {
//!   %0: f32 = mul %x, %n
//!   yield %0
//! }
//! ```

mod lex;
mod literal;
mod names;
pub(crate) mod near;
mod parse;
mod print;

pub use literal::parse as parse_number;
pub use names::{Name, Names};
pub use near::nearest;
pub use parse::{parse, parse_function, parse_op, parse_ops};
pub(crate) use print::write_header;
pub use print::{print, print_function, relocate};

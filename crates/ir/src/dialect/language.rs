//! Languages that bodies of operations are written in where a definition comes as data, as in a file.
//!
//! vyre's own text is built in; other crates link theirs in, as `vyre-wgsl` does:
//!
//! ```
//! use vyre_ir::dialect::{BodyLanguage, BodyText, Function};
//! fn import(body: &BodyText<'_>) -> Result<Function, Vec<vyre_ir::Diagnostic>> {
//!     // A language in which the text does not matter: the first operand is the result.
//!     let types = &body.signature.operands;
//!     let first = body.attributes.len();
//!     Ok(Function::build(body.id, body.attributes.to_vec(), types, |_, values| vec![values[first]]))
//! }
//! vyre_ir::inventory::submit! { BodyLanguage { name: "first", import } }
//! assert!(vyre_ir::dialect::body_language("first").is_some());
//! ```

use super::{AttributeDef, Function, Signature};
use crate::diagnostic::{Diagnostic, Loc};
use crate::text;

/// A body as it is written, and what it has to be the body of.
#[derive(Copy, Clone, Debug)]
pub struct BodyText<'a> {
    /// The operation's id: `dialect.op`.
    pub id: &'a str,
    /// Compile-time numbers, which are the function's first parameters.
    pub attributes: &'a [AttributeDef],
    /// What the operands are called.
    pub names: &'a [String],
    /// Types of operands and results.
    pub signature: &'a Signature,
    /// The text.
    pub text: &'a str,
}

/// A language for bodies.
pub struct BodyLanguage {
    /// Its name.
    pub name: &'static str,
    /// Reads a body. Locations, of instructions and in diagnostics, are bytes of the text.
    pub import: fn(&BodyText<'_>) -> Result<Function, Vec<Diagnostic>>,
}

inventory::collect!(BodyLanguage);

/// vyre's own text: the lines between the braces of an `op`.
const TEXT: BodyLanguage = BodyLanguage { name: "vyre", import: import_text };

/// The language of that name, if it is built in or linked into the process.
pub fn body_language(name: &str) -> Option<&'static BodyLanguage> {
    if name == TEXT.name {
        return Some(&TEXT);
    }
    inventory::iter::<BodyLanguage>.into_iter().find(|language| language.name == name)
}

/// The names of all languages there are: the built-in one, then the others in order.
pub fn body_languages() -> Vec<&'static str> {
    let mut linked: Vec<_> =
        inventory::iter::<BodyLanguage>.into_iter().map(|language| language.name).collect();
    linked.sort_unstable();
    [vec![TEXT.name], linked].concat()
}

fn import_text(body: &BodyText<'_>) -> Result<Function, Vec<Diagnostic>> {
    let mut whole = String::new();
    text::write_header(&mut whole, body.id, body.attributes, body.signature, body.names)
        .expect("a string takes all text");
    whole.push_str(" {\n");
    let before = whole.len() as u32;
    whole.push_str(body.text);
    whole.push_str("\n}");
    // What is missing at the end is missed at the brace.
    let within = |loc: &mut Loc| {
        if !loc.is_known() {
            return;
        }
        let clamp = |offset: u32| offset.saturating_sub(before).min(body.text.len() as u32);
        *loc = Loc { start: clamp(loc.start), end: clamp(loc.end), ..*loc };
        loc.start = loc.start.min(loc.end.saturating_sub(1));
    };
    match text::parse_function("body", &whole) {
        Ok(mut function) => {
            function.program.source = None;
            for inst in function.program.insts.keys() {
                within(&mut function.program.insts[inst].loc);
            }
            Ok(function)
        }
        Err(mut errors) => {
            for error in &mut errors {
                error.source = None;
                error.labels.iter_mut().for_each(|label| within(&mut label.loc));
            }
            Err(errors)
        }
    }
}

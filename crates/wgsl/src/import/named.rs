//! Functions that stand for operations which WGSL has no built-in functions for.
//!
//! The user declares them, so that the file stays valid elsewhere: `fn vyreGridSync() {}`. Name and signature say what
//! a call means; the body is for other compilers. A function with one of the names and another signature is refused:
//! as an ordinary function it would silently do nothing.

use super::lower::{Lower, Outcome};
use super::types::leaf;
use crate::codes;
use naga::{Expression as E, Function, Handle, Module};
use vyre_ir::*;

/// The operation that a function of this name stands for. What comes after a parenthesis is how a compiler to SPIR-V
/// tells functions of one name apart.
pub fn operation(f: &Function) -> Option<Op> {
    let name = f.name.as_deref()?;
    Some(match name.split('(').next()? {
        "vyreGridSync" => Op::GridSync,
        "vyreItem" => Op::QueueItem,
        "vyrePush" => Op::QueuePush,
        name if name.starts_with("vyreGridUniform") => Op::GridUniform,
        _ => return None,
    })
}

/// Refuses functions that have the name of an operation and not its signature.
pub fn check(module: &Module, has_source: bool) -> Result<(), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    for (handle, f) in module.functions.iter() {
        let Some(op) = operation(f) else { continue };
        let ty = |ty: Handle<naga::Type>| leaf(&module.types[ty].inner);
        let arguments: Vec<Option<Type>> = f.arguments.iter().map(|a| ty(a.ty)).collect();
        let result = f.result.as_ref().map(|result| ty(result.ty));
        let name = f.name.as_deref().unwrap_or_default().split('(').next().unwrap_or_default();
        if fits(op, name, &arguments, result) {
            continue;
        }
        let message = format!("`{name}` is the name of an operation, but not declared like it");
        let mut diagnostic = Diagnostic::new(codes::I023, message).fix(declaration(op));
        if has_source {
            diagnostic = diagnostic.at(super::front::loc(module.functions.get_span(handle)), "");
        }
        errors.push(diagnostic);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn fits(op: Op, name: &str, arguments: &[Option<Type>], result: Option<Option<Type>>) -> bool {
    let word = |ty: Type| matches!(ty.scalar, Scalar::U32 | Scalar::I32 | Scalar::F32);
    match (op, arguments, result) {
        (Op::GridSync, [], None) => true,
        (Op::GridUniform, &[Some(ty)], Some(Some(gives))) => {
            let suffix = match ty.scalar {
                Scalar::U32 => "U32",
                Scalar::I32 => "I32",
                Scalar::F32 => "F32",
                Scalar::Bool => "Bool",
                _ => return false,
            };
            let wanted = name.strip_prefix("vyreGridUniform").unwrap_or_default();
            ty == gives && ty.lanes == 1 && (wanted.is_empty() || wanted == suffix)
        }
        (Op::QueueItem, [], Some(Some(ty))) => word(ty),
        (Op::QueuePush, &[Some(ty)], None) => word(ty),
        _ => false,
    }
}

/// How to declare the function of an operation.
fn declaration(op: Op) -> &'static str {
    match op {
        Op::GridSync => "Declare `fn vyreGridSync() {}`, or give your function another name.",
        Op::GridUniform => {
            "Declare `fn vyreGridUniform(v: u32) -> u32 { return v; }`, or with i32, f32 or bool; of several types \
             under the names vyreGridUniformU32, vyreGridUniformI32, vyreGridUniformF32 and vyreGridUniformBool."
        }
        Op::QueueItem => {
            "Declare `fn vyreItem() -> u32 { return 0u; }`, or with i32, f32 or a vector of one of these."
        }
        _ => "Declare `fn vyrePush(v: u32) {}`, or with i32, f32 or a vector of one of these.",
    }
}

impl Lower<'_> {
    /// A call of a function that stands for an operation.
    pub fn perform(&mut self, op: Op, arguments: &[Handle<E>], result: Option<Handle<E>>) -> Outcome<()> {
        let given = match result {
            Some(e) => self.result_type(e),
            None => Scalar::U32.into(),
        };
        let value = match (op, arguments) {
            (Op::GridUniform, &[argument]) => {
                let (value, takes_part) = (self.value(argument)?, self.code.bits(Scalar::Bool, 1));
                self.code.op(op, &[value, takes_part])
            }
            (Op::QueueItem, _) => self.code.pure(op, Attr::None, &[], given),
            (Op::QueuePush, &[argument]) => {
                let item = self.value(argument)?;
                self.code.b.queue_push(item);
                return Ok(());
            }
            _ => {
                self.code.b.sync(op);
                return Ok(());
            }
        };
        if let Some(e) = result.filter(|&e| self.frame.info[e].ref_count > 0) {
            let value = self.of_value(value);
            self.set_value(e, value)?;
        }
        Ok(())
    }

    /// The type of a call that gives a scalar or a vector.
    fn result_type(&self, e: Handle<E>) -> Type {
        leaf(self.frame.info[e].ty.inner_with(&self.m.types)).expect("the signature was checked")
    }
}

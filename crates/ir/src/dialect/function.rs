//! Bodies of operations.

use super::{AttributeDef, Signature};
use crate::build::Builder;
use crate::diagnostic::Loc;
use crate::op::Op;
use crate::program::{Attr, Program, Value};
use crate::types::Type;
use std::fmt;

/// What an operation computes: a program without buffers whose body has parameters, the attributes first and then the
/// operands, and yields the results. Prints as it is written in text form.
#[derive(Clone, Debug)]
pub struct Function {
    /// Compile-time numbers.
    pub attributes: Vec<AttributeDef>,
    /// What the operands are called in text form, where they are not numbered.
    pub names: Vec<String>,
    /// The body, and in `name` the operation's id.
    pub program: Program,
}

impl Function {
    /// A function made by a closure, which gets the attributes' values and then the operands, and gives the results.
    pub fn build(
        id: &str,
        attributes: Vec<AttributeDef>,
        operands: &[Type],
        fill: impl FnOnce(&mut Builder, &[Value]) -> Vec<Value>,
    ) -> Function {
        let mut b = Builder::new(id, [1, 1, 1]);
        let types: Vec<Type> =
            attributes.iter().map(|a| a.ty.into()).chain(operands.iter().copied()).collect();
        let params = b.parameters(&types);
        let results = fill(&mut b, &params);
        b.loc = Loc::default();
        b.insert(Op::Yield, Attr::None, &results, &[], []);
        Function { attributes, names: Vec::new(), program: b.p }
    }

    /// The parameters: attributes, then operands.
    pub fn parameters(&self) -> &[Value] {
        &self.program.regions[self.program.body].params
    }

    /// What it yields.
    ///
    /// # Panics
    /// When the body is not finished.
    pub fn results(&self) -> &[Value] {
        self.program.yielded(self.program.body)
    }

    /// The types of operands and results.
    pub fn signature(&self) -> Signature {
        let types = |values: &[Value]| values.iter().map(|&v| self.program.ty(v)).collect();
        let operands = self.parameters().get(self.attributes.len()..).unwrap_or_default();
        Signature { operands: types(operands), results: types(self.results()) }
    }

    /// Instructions, those of called operations included.
    pub(super) fn size(&self) -> u64 {
        super::link::expanded_size(&self.program)
    }

    /// How deep regions are nested, in bodies of called operations too.
    pub(super) fn depth(&self) -> u64 {
        super::link::expanded_depth(&self.program)
    }
}

/// Text form.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::text::print_function(self))
    }
}

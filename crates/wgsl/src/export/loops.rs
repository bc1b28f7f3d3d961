//! Loops: a body that runs at least once, and again until a condition at its end holds.
//!
//! Devices in software run several invocations in step, and some of them do again what invocations that left a loop
//! did last: a load or an atomic operation then gives them 0. What is assigned to a variable is kept. So for those a
//! loop is left at its top, by a variable that the turn before has assigned. Where a device also ends loops that are to
//! go on, that variable tells of it.

use super::code::{Code, Val};
use super::interface::PADDING;
use naga::{AddressSpace, ArraySize, Block, Expression, Handle, Span, Statement};
use std::num::NonZeroU32;
use vyre_ir::{Op, Scalar};

type Expr = Handle<Expression>;

/// A loop whose body is open.
pub(super) struct Loop {
    /// Whether there is to be another turn, where that is looked at when it begins.
    again: Option<Expr>,
}

impl Code {
    /// Opens the body of a loop.
    pub fn begin_loop(&mut self) -> Loop {
        let again = (!self.has.loop_results).then(|| {
            let again = self.variable("again", Scalar::Bool.into());
            self.assign(again, Val::splat(Scalar::Bool, 1));
            again
        });
        self.open();
        if let Some(again) = again {
            let again = self.read(Scalar::Bool, again);
            let done = self.op(Op::Not, &[again]);
            self.break_if(done);
        }
        Loop { again }
    }

    /// Closes the body, which is left when the condition holds.
    ///
    /// Not naga's `break_if` of the loop itself: the Metal and HLSL writers put that before the body, where the body's
    /// values are not declared, and guard it with a flag for the first turn.
    pub fn end_loop(&mut self, begun: Loop, done: Val) {
        match (begun.again, done.same_bits()) {
            (_, Some(0)) => {}
            (Some(variable), _) => {
                let again = self.op(Op::Not, &[done]);
                self.assign(variable, again);
            }
            (None, Some(_)) => self.statement(Statement::Break),
            (None, None) => self.break_if(done),
        }
        let body = self.close();
        self.statement(Statement::Loop { body, continuing: Block::new(), break_if: None });
        if let Some(again) = begun.again.filter(|_| !self.has.long_loops) {
            self.watch(again);
        }
    }

    fn break_if(&mut self, condition: Val) {
        let leave = self.block(|code| code.statement(Statement::Break));
        self.branch(condition, leave, Block::new());
    }

    /// After a loop: sets the watch if there was to be another turn.
    ///
    /// The variable is not the one condition that the loop is left on, but its opposite: Mesa takes that condition to
    /// hold behind the loop without looking.
    fn watch(&mut self, again: Expr) {
        let watch = self.watch.unwrap_or_else(|| self.watch_memory());
        self.watch = Some(watch);
        let cut = self.read(Scalar::Bool, again);
        let set = self.block(|code| {
            let word = code.emit(Expression::AccessIndex { base: watch, index: 0 });
            code.assign(word, Val::u32(1));
        });
        self.branch(cut, set, Block::new());
    }

    /// Storage memory that is no buffer of the program, bound behind those.
    fn watch_memory(&mut self) -> Expr {
        let base = self.ty(Scalar::U32.into());
        let size = ArraySize::Constant(NonZeroU32::new(PADDING / 4).expect("it is not 0"));
        let ty = self.insert_type(naga::TypeInner::Array { base, size, stride: 4 });
        let watch = naga::GlobalVariable {
            name: Some("watch".into()),
            space: AddressSpace::Storage { access: naga::StorageAccess::LOAD | naga::StorageAccess::STORE },
            binding: Some(naga::ResourceBinding { group: 0, binding: self.bound }),
            ty,
            init: None,
            memory_decorations: naga::MemoryDecorations::empty(),
        };
        let watch = self.module.global_variables.append(watch, Span::UNDEFINED);
        self.declare(Expression::GlobalVariable(watch))
    }
}

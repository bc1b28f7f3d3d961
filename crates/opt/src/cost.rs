//! What an instruction costs, as far as passes that run more of them than the program asked for want to know.

use vyre_ir::{Effect, InstData, Op, Program};

/// Whether running the instruction where the program would not have is worth the branch it saves: pure, of
/// one step on every target, and no access of memory.
pub fn is_cheap(p: &Program, inst: &InstData) -> bool {
    let slow = matches!(inst.op, Op::Div | Op::Rem | Op::Sqrt | Op::MulHi | Op::Fma | Op::Load | Op::Call);
    p.effect(inst) == Effect::Pure && !slow && inst.op.info().expand.is_none()
}

/// Whether the instruction costs nothing by itself: constants and the parts of vectors.
pub fn is_free(inst: &InstData) -> bool {
    matches!(inst.op, Op::Const | Op::Compose | Op::Extract)
}

//! What the invocations of a subgroup, a warp, give each other.
use super::Emitter;
use vyre_ir::InstData;
impl Emitter<'_> {
    pub fn exchange(&mut self, data: &InstData) {
        todo!("{:?}", data.op)
    }
}

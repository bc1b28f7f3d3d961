//! What this crate states about an operation.

use vyre_ir::dialect::{Defined, Law, OpDef};

/// An operation with all that is said of it.
pub(crate) struct Shipped {
    /// What it computes, special cases, and the source of the algorithm.
    pub doc: &'static str,
    /// The largest error of an f32 result in units in the last place, measured by `examples/bounds.rs`. `None` where the
    /// result is exact, or where `doc` states another kind of bound.
    pub ulp: Option<f32>,
    /// What holds for all operands.
    pub laws: &'static [Law],
    /// Its definition in text form.
    pub text: &'static str,
}

/// The definitions of some families.
pub(crate) fn define(families: &[&[Shipped]]) -> Vec<Defined> {
    families.iter().copied().flatten().map(definition).collect()
}

fn definition(shipped: &Shipped) -> Defined {
    let mut def = OpDef::parse(shipped.text)?.laws(shipped.laws.iter().copied());
    def.doc = shipped.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    def.ulp = shipped.ulp;
    Ok(def)
}

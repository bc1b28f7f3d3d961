//! What the optimizer has to know of the code generator that comes after it.

use vyre_ir::{Op, Scalar, dialect};

/// Which instructions the code generator takes.
#[derive(Copy, Clone, Debug)]
pub struct Target {
    /// Its name, for dumps.
    pub name: &'static str,
    /// Whether vectors are split into scalars; only accesses of memory stay vectors.
    pub scalar_lanes: bool,
    /// Whether an operation on a scalar type (that of its first operand) is taken as it is. One that is not
    /// is replaced by its row's expansion, if the row has one; else this says whether the machine has an
    /// instruction for it.
    pub native: fn(Op, Scalar) -> bool,
    /// Which code of dialects' intrinsics is taken; the calls of those that have it stay.
    pub lowering: Option<dialect::Target>,
    /// How many instructions a program may have after loops were unrolled; 0 leaves loops as they are. For code
    /// generators that do not unroll by themselves: those behind GPU languages do, and know more of their machine.
    pub unroll: u32,
    /// Whether invocations branch by themselves, so that a branch that all of them take costs little.
    pub branches: bool,
}

impl Target {
    /// A machine of scalars that has the basic operations only.
    pub const SCALAR: Target = Target {
        name: "scalar",
        scalar_lanes: true,
        native: |_, _| false,
        lowering: None,
        unroll: 0,
        branches: false,
    };
    /// A machine of vectors that has the basic operations only.
    pub const VECTOR: Target = Target {
        name: "vector",
        scalar_lanes: false,
        native: |_, _| false,
        lowering: None,
        unroll: 0,
        branches: false,
    };
}

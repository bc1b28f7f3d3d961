//! Passes over vyre programs: what makes them legal for a target, and faster.

use vyre_ir::{Op, Program, Scalar};

/// What a program must look like for a target.
#[derive(Copy, Clone, Debug)]
pub struct Target {
    /// Its name in dumps.
    pub name: &'static str,
    /// Whether vectors are split into scalars.
    pub scalar_lanes: bool,
    /// Whether the target has an operation on a scalar type; it is expanded otherwise, where its row can be.
    pub native: fn(Op, Scalar) -> bool,
}

/// The program, legal for the target.
pub fn optimize(program: &Program, _target: &Target) -> Program {
    program.clone()
}

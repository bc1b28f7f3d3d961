//! Rust functions that generated code calls: what is rare, or not worth instructions.
//!
//! Generated code names them by their place in [`Shim::ALL`]. They must not unwind: a panic in them ends the process,
//! so they are total.

use crate::meeting;
use crate::report;
use crate::subgroup;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AbiParam, Signature};
use cranelift_codegen::isa::CallConv;
use vyre_ir::dialect::Reference;
use vyre_ir::{OPS, Op, Scalar, Sig};

/// A function that generated code can call. All parameters and results are 64 bits wide.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Shim {
    /// `(packed operation, a, b, c) -> bits`: a lane of any row that has semantics.
    Evaluate,
    /// `(address, bytes)`: zeroes memory.
    Zero,
    /// `(packed operation, lanes, active lanes, operand, other operand, result)`: a subgroup operation.
    Subgroup,
    /// `(function, arguments, count) -> bits`: a function of a dialect's intrinsic.
    Intrinsic,
    /// `(report, instruction, index, x, y, z of the invocation, x, y, z of the workgroup)`: notes an access out of
    /// bounds.
    Outside,
    /// `(meeting, word, x, y, z of the workgroup) -> word`: waits for the launch's other workgroups.
    Meet,
}

impl Shim {
    /// Every shim, in the order of the enumeration.
    pub const ALL: [Shim; 6] =
        [Shim::Evaluate, Shim::Zero, Shim::Subgroup, Shim::Intrinsic, Shim::Outside, Shim::Meet];

    /// Its name in dumps.
    pub fn name(self) -> &'static str {
        match self {
            Shim::Evaluate => "vyre_evaluate",
            Shim::Zero => "vyre_zero",
            Shim::Subgroup => "vyre_subgroup",
            Shim::Intrinsic => "vyre_intrinsic",
            Shim::Outside => "vyre_outside",
            Shim::Meet => "vyre_meet",
        }
    }

    /// Where it is.
    pub fn address(self) -> *const u8 {
        match self {
            Shim::Evaluate => evaluate as *const u8,
            Shim::Zero => zero as *const u8,
            Shim::Subgroup => subgroup::run as *const u8,
            Shim::Intrinsic => intrinsic as *const u8,
            Shim::Outside => report::outside as *const u8,
            Shim::Meet => meeting::meet as *const u8,
        }
    }

    /// Its signature.
    pub fn signature(self, convention: CallConv) -> Signature {
        let (params, results) = match self {
            Shim::Evaluate => (4, 1),
            Shim::Zero => (2, 0),
            Shim::Subgroup => (6, 0),
            Shim::Intrinsic => (3, 1),
            Shim::Outside => (9, 0),
            Shim::Meet => (5, 1),
        };
        let mut signature = Signature::new(convention);
        signature.params.extend((0..params).map(|_| AbiParam::new(I64)));
        signature.returns.extend((0..results).map(|_| AbiParam::new(I64)));
        signature
    }
}

/// An operation and its types in one word.
pub(crate) fn pack(op: Op, sig: Sig) -> u64 {
    op as u64 | (sig.operand as u64) << 16 | (sig.result as u64) << 32
}

/// The reverse of [`pack`].
pub(crate) fn unpack(packed: u64) -> (Op, Sig) {
    let scalar = |shift: u32| Scalar::ALL[(packed >> shift & 0xffff) as usize];
    (OPS[(packed & 0xffff) as usize].op, Sig { operand: scalar(16), result: scalar(32) })
}

extern "C" fn evaluate(packed: u64, a: u64, b: u64, c: u64) -> u64 {
    let (op, sig) = unpack(packed);
    // Lowering asked `is_evaluable`, and evaluates no operation of more than three operands.
    let arity = operands(op);
    vyre_ir::eval::evaluate(op, sig, &[a, b, c][..arity]).unwrap_or(0)
}

/// Operands of an operation that can be evaluated.
pub(crate) fn operands(op: Op) -> usize {
    use vyre_ir::Rule::*;
    match op.info().rule {
        Same(_, n) => n as usize,
        Compare(_) | Shift(_) => 2,
        Select => 3,
        _ => 1,
    }
}

/// # Safety
/// `function` must be a [`Reference`], and `arguments` the start of `count` words that were written.
unsafe extern "C" fn intrinsic(function: *const u8, arguments: *const u64, count: u64) -> u64 {
    // SAFETY: the caller's promise; lowering put the address of such a function into the code.
    let function = unsafe { std::mem::transmute::<*const u8, Reference>(function) };
    // SAFETY: the caller's promise; generated code passes a slot of its stack frame, just filled.
    function(unsafe { std::slice::from_raw_parts(arguments, count as usize) })
}

/// # Safety
/// `address` must be the start of `bytes` writable bytes.
unsafe extern "C" fn zero(address: *mut u8, bytes: u64) {
    // SAFETY: the caller's promise; generated code passes parts of the worker's scratch memory.
    unsafe { address.write_bytes(0, bytes as usize) }
}

//! The dialect `math`: functions of f32, one file a family.
//!
//! NaN in gives NaN out, unless an operation says otherwise. Polynomials are minimax fits made for the intervals stated,
//! with coefficients rounded to f32.

mod activation;
mod error_function;
mod exponential;
mod interpolation;
mod periodic;
mod root;

use crate::shipped::Shipped;

/// Every operation, by family.
pub(crate) const OPS: &[&[Shipped]] =
    &[activation::OPS, error_function::OPS, exponential::OPS, interpolation::OPS, periodic::OPS, root::OPS];

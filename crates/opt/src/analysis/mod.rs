//! What is known of programs: asked by passes and by code generators, changing nothing.

pub mod counted;
mod implied;
pub mod range;
pub mod shape;
pub mod zeroing;

pub use range::{Count, Fit, Ranges, ranges};
pub use shape::{Gang, Shape, shapes};

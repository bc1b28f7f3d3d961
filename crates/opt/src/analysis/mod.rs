//! What is known of programs: asked by passes and by code generators, changing nothing.

pub mod counted;
pub mod shape;

pub use shape::{Gang, Shape, shapes};

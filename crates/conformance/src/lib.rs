//! One suite for every backend: programs that say what they compute.

pub mod list;

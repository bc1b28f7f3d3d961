//! One suite for every backend. Programs in `tests/programs` say what they compute; [`suite::run`] runs each of them
//! on a backend and compares. A backend passes when no case fails; what it cannot do it must refuse by name.

pub mod case;
pub mod list;
pub mod random;
pub mod suite;

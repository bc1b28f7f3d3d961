//! One suite for every backend. Programs in `tests/programs` say what they compute; [`suite::run`] runs each of them
//! on a backend and compares. A backend passes when no case fails; what it cannot do it must refuse by name.
//!
//! Beside them there are random programs ([`random`]), checked over fixed seeds by the tests and over whatever there is
//! time for by `xtask fuzz` ([`fuzz`]); one that fails is made small ([`reduce`]).

pub mod case;
pub mod devices;
pub mod dialect;
pub mod fuzz;
pub mod list;
pub mod random;
pub mod reduce;
pub mod suite;
pub mod trial;

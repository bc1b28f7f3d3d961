//! One suite for every backend. Programs in `tests/programs` say what they compute; [`suite::run`] runs each of them
//! on a backend and compares. [`rows::check`] tries a row of the op table for one type. [`table::table`] does both. A
//! backend passes when nothing fails; what it cannot do it must refuse by name.
//!
//! On a device whose floats are exact a result is right or wrong. On others it may be off by what [`bounds`] says, and
//! nowhere else: a backend that needs more has a bug, or the bounds a row too few.
//!
//! Beside them there are random programs ([`random`]), checked over fixed seeds by the tests and over whatever there is
//! time for by `xtask fuzz` ([`fuzz`]); one that fails is made small ([`reduce`]). What tests of backends share besides is in
//! [`harness`].

pub mod apart;
pub mod bounds;
pub mod case;
pub mod devices;
pub mod dialect;
pub mod fuzz;
pub mod harness;
pub mod list;
pub mod queues;
pub mod random;
pub mod reduce;
pub mod rows;
pub mod staged;
pub mod suite;
pub mod table;
pub mod tools;
pub mod trial;

//! Which instructions an architecture has: each form with the lowest target and version of PTX that take it. A test asks
//! ptxas for each row.
//!
//! The emitter asks before it writes a form, and writes other instructions where the answer is no:
//!
//! ```
//! use vyre_ptx::{Arch, capability::{Form, has}};
//! let [old, new] = ["sm_70", "sm_80"].map(|name| Arch::parse(name).unwrap());
//! assert!(has(new, Form::FmaBf16) && !has(old, Form::FmaBf16));
//! ```
//!
//! What is not here every architecture of [`Arch::ALL`] has.

use crate::Arch;

/// A form of an instruction that not every architecture has. Each stands for its kind: what is said of `MinF16`
/// holds of `max` too, what is said of `Redux` of all it can do with integers of 32 bits.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // the rows of the table say it
pub enum Form {
    MinF16,
    CvtBf16,
    FmaBf16,
    Redux,
}

/// A form, and who has it.
#[derive(Copy, Clone, Debug)]
pub struct Row {
    /// The form.
    pub form: Form,
    /// The lowest target.
    pub sm: u32,
    /// The lowest version of PTX.
    pub version: (u32, u32),
    /// One instruction of the form, on registers `%h` of 16 bits, `%r` of 32 bits, `%rd` of 64 bits, `%f` of f32, with an
    /// address in `%rd0`.
    pub sample: &'static str,
}

/// The forms. Source: ptxas 12.9.
pub const TABLE: [Row; 4] = [
    row(Form::MinF16, 80, (7, 0), "min.f16 %h1, %h2, %h3;"),
    row(Form::CvtBf16, 80, (7, 0), "cvt.rn.bf16.f32 %h1, %f1;"),
    row(Form::FmaBf16, 80, (7, 0), "fma.rn.bf16 %h1, %h2, %h3, %h4;"),
    row(Form::Redux, 80, (7, 0), "redux.sync.add.s32 %r1, %r2, 0xffffffff;"),
];

const fn row(form: Form, sm: u32, version: (u32, u32), sample: &'static str) -> Row {
    Row { form, sm, version, sample }
}

/// Whether an architecture has a form.
pub fn has(arch: Arch, form: Form) -> bool {
    let row = TABLE.iter().find(|row| row.form == form).expect("the test of the table finds each form");
    arch.sm >= row.sm && arch.version >= row.version
}

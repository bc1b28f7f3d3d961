//! Which instructions an architecture has: each form with the lowest target and version of PTX that take it. A test asks
//! ptxas for each row.
//!
//! The emitter asks before it writes a form, and writes other instructions where the answer is no:
//!
//! ```
//! use vyre_ptx::{Arch, capability::{Form, has}};
//! let arch = Arch::parse("sm_80").unwrap();
//! assert!(has(arch, Form::FmaBf16) && !has(arch, Form::AddBf16));
//! ```
//!
//! What is not here every architecture of [`Arch::ALL`] has.

use crate::Arch;

/// A form of an instruction that not every architecture has. Each stands for its kind: what is said of `AddBf16` holds
/// of `sub` and `mul` too.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // the rows of the table say it
pub enum Form {
    MinF16,
    MinNan,
    CvtBf16,
    CvtF32Bf16,
    FmaBf16,
    AddBf16,
    CvtF16x2,
    Redux,
    AddF32x2,
    Load256,
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
pub const TABLE: [Row; 10] = [
    row(Form::MinF16, 80, (7, 0), "min.f16 %h1, %h2, %h3;"),
    row(Form::MinNan, 80, (7, 0), "min.NaN.f32 %f1, %f2, %f3;"),
    row(Form::CvtBf16, 80, (7, 0), "cvt.rn.bf16.f32 %h1, %f1;"),
    row(Form::CvtF32Bf16, 80, (7, 1), "cvt.f32.bf16 %f1, %h1;"),
    row(Form::FmaBf16, 80, (7, 0), "fma.rn.bf16 %h1, %h2, %h3, %h4;"),
    row(Form::AddBf16, 90, (7, 8), "add.rn.bf16 %h1, %h2, %h3;"),
    row(Form::CvtF16x2, 80, (7, 0), "cvt.rn.f16x2.f32 %r1, %f1, %f2;"),
    row(Form::Redux, 80, (7, 0), "redux.sync.add.s32 %r1, %r2, 0xffffffff;"),
    row(Form::AddF32x2, 100, (8, 6), "add.rn.f32x2 %rd1, %rd2, %rd3;"),
    row(Form::Load256, 100, (8, 8), "ld.global.v4.b64 {%rd1, %rd2, %rd3, %rd4}, [%rd0];"),
];

const fn row(form: Form, sm: u32, version: (u32, u32), sample: &'static str) -> Row {
    Row { form, sm, version, sample }
}

/// Whether an architecture has a form.
pub fn has(arch: Arch, form: Form) -> bool {
    let row = TABLE.iter().find(|row| row.form == form).expect("the test of the table finds each form");
    arch.sm >= row.sm && arch.version >= row.version
}

//! Dialects for programs of `tests/programs` that call operations: those that are shipped, and one with an operation of
//! each kind. That one is not linked in: who only has the suite at hand, such as the command, does not list it.

use std::sync::Once;
use vyre_driver::{DialectDef, DialectRegistry, OpDef, Reference, Target, Version};
use vyre_ops as _;

/// Lets programs of this process call the operations of the dialect `conform`; [`crate::suite::programs`] does that.
///
/// # Panics
/// When an operation of it, or of a dialect that is linked, is not right.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let dialect = DialectDef {
            name: "conform".into(),
            version: Version::new(1, 0, 0),
            origin: "the conformance suite".into(),
            ops: ops(),
            migrations: Vec::new(),
        };
        DialectRegistry::update(|registry| registry.replace(dialect)).unwrap_or_else(|e| panic!("{e}"));
    });
}

macro_rules! ops {
    ($($text:literal $(.$method:ident($($argument:expr),*))+;)*) => {
        fn ops() -> Vec<OpDef> {
            vec![$(
                OpDef::parse($text).unwrap_or_else(|e| panic!("{}", e[0]))$(.$method($($argument),*))+,
            )*]
        }
    };
}
ops! {
    "op conform.lerp(%a: f32, %b: f32, %t: f32) -> f32 {
      %0: f32 = sub %b, %a
      %1: f32 = fma %0, %t, %a
      yield %1
    }"
        .doc("The way from `a` to `b`, by the part `t` of it.");
    // An attribute, vectors, and a call of another operation.
    "op conform.blend[%t: f32 = 0.5](%a: f32x2, %b: f32x2) -> f32x2 {
      %0: f32 = extract %a.x
      %1: f32 = extract %b.x
      %2: f32 = call conform.lerp %0, %1, %t
      %3: f32 = extract %a.y
      %4: f32 = extract %b.y
      %5: f32 = call conform.lerp %3, %4, %t
      %6: f32x2 = compose %2, %5
      yield %6
    }"
        .doc("Each lane between those of two vectors.");
    // A loop, and two results: the greatest common divisor, and how many steps it took.
    "op conform.gcd(%a: u32, %b: u32) -> (u32, u32) {
      %0: u32 = const 0
      %1: u32 = const 1
      %2: u32, %3: u32, %4: u32 = loop (%5: u32 = %a, %6: u32 = %b, %7: u32 = %0) {
        %8: bool = eq %6, %0
        %9: u32, %10: u32, %11: u32 = if %8 {
          yield %5, %6, %7
        } else {
          %12: u32 = rem %5, %6
          %13: u32 = add %7, %1
          yield %6, %12, %13
        }
        %14: bool = ne %10, %0
        yield %14, %9, %10, %11
      }
      yield %2, %4
    }"
        .doc("The greatest common divisor, and in how many steps Euclid finds it.");
    // An intrinsic of native code, without a body.
    "op conform.parity[%flip: bool = false](%x: u32) -> bool"
        .reference(|v| (v[1].count_ones() as u64 & 1) ^ v[0])
        .lower(Target::NativeModule, parity as Reference);
    // An intrinsic whose body says what is right, for targets without code of its own.
    "op conform.twice(%x: u32) -> u32 {
      %0: u32 = add %x, %x
      yield %0
    }"
        .lower(Target::Ptx, "shl.b32 $0, $1, 1;");
    "op conform.warp(%x: u32) -> u32"
        .extension()
        .lower(Target::Extension(1), "warp");
}

/// In other words than the reference function.
fn parity(v: &[u64]) -> u64 {
    let folded = (0..5).rev().fold(v[1], |x, i| x ^ x >> (1 << i));
    (folded ^ v[0]) & 1
}

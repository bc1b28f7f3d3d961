//! The dialect `color`: operations on pixels, which are four bytes in a u32 with red lowest.
//!
//! A program that links this crate can call them:
//!
//! ```
//! use dialect_color as _; // without a use, nothing of a crate is linked
//! assert!(vyre::DialectRegistry::global().find("color.lighter").is_some());
//! ```

use vyre::{ExternDialect, ExternOp, Law, OpDef, OpMigration, Reference, Target, Version, inventory};

inventory::submit! {
    ExternDialect::new("color", env!("CARGO_PKG_VERSION"), "https://example.org/dialect-color")
        .migrations(|| vec![OpMigration::rename("color.max", "color.lighter", Version::new(1, 1, 0))])
}

// A composite has a body in terms of other operations, so it runs everywhere.
inventory::submit! {
    ExternOp::new("color", || {
        let def = OpDef::parse(include_str!("lighter.vyre"))?
            .doc("The larger byte of each channel.")
            .laws([Law::Commutative, Law::Associative, Law::Idempotent, Law::Identity(0)]);
        Ok(def)
    })
}

// An intrinsic has code for some targets, and a function that says what is right.
inventory::submit! {
    ExternOp::new("color", || {
        let def = OpDef::parse("op color.gray(%pixel: u32) -> u32")?
            .doc("How light a pixel looks, from 0 to 255: 54 parts red, 183 green, 19 blue of 256.")
            .reference(gray)
            .lower(Target::NativeModule, gray_native as Reference);
        Ok(def)
    })
}

/// What is right, one channel after another.
fn gray(args: &[u64]) -> u64 {
    let [red, green, blue, _] = (args[0] as u32).to_le_bytes().map(u32::from);
    u64::from((54 * red + 183 * green + 19 * blue) >> 8)
}

/// What native code calls: red and blue are multiplied at once.
fn gray_native(args: &[u64]) -> u64 {
    let pixel = args[0];
    let red_and_blue = (pixel & 0xff) << 32 | (pixel >> 16 & 0xff);
    let sum = red_and_blue.wrapping_mul(54 | 19 << 32) >> 32;
    (sum + 183 * (pixel >> 8 & 0xff)) >> 8
}

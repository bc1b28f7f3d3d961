//! The dialects that vyre ships: `math`, `hash` and `bits`, composites over the op table.
//!
//! Each operation is one [`Shipped`] record: what it computes and where that comes from, its error, its laws, and its
//! body in text form. Nothing here knows a device: calls are replaced by bodies before code is made, and every device
//! computes the same bits. Linking this crate registers the dialects; the texts are parsed when a process first asks
//! for its registry, which a program without calls never does.

mod bits;
mod hash;
mod math;
mod shipped;

use vyre_ir::dialect::InTreeDialect;
use vyre_ir::inventory;

inventory::submit! {
    InTreeDialect { name: "math", version: "1.0.0", ops: || shipped::define(math::OPS), migrations: Vec::new }
}
inventory::submit! {
    InTreeDialect { name: "hash", version: "1.0.0", ops: || shipped::define(&[hash::OPS]), migrations: Vec::new }
}
inventory::submit! {
    InTreeDialect { name: "bits", version: "1.0.0", ops: || shipped::define(&[bits::OPS]), migrations: Vec::new }
}

//! Says which state of this crate's sources makes code.

#[path = "../../build/sources.rs"]
mod sources;

fn main() {
    sources::hash(&["src"]);
}

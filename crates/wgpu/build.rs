//! Says which state of the sources of this crate and of the exporter makes code.

#[path = "../../build/sources.rs"]
mod sources;

fn main() {
    sources::hash(&["../wgsl/src", "src"]);
}

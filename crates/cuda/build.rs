//! Says which state of the sources of this crate and of the emitter makes code.

#[path = "../../build/sources.rs"]
mod sources;

fn main() {
    sources::hash(&["../ptx/src", "src"]);
}

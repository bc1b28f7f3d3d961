//! Says which state of the compiler's sources, up to the backends, optimizes programs.

#[path = "../../build/sources.rs"]
mod sources;

fn main() {
    sources::hash(&["../ir/src", "../opt/src", "src"]);
}

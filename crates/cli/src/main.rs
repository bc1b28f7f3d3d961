//! tmp
mod elements;
mod failure;
mod image;
mod npy;
mod report;
mod sink;
mod source;
fn main() {}

//! Generated documentation is current.

#[test]
fn operations() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ops.md");
    let current = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(current == vyre_ir::docs::ops_markdown(), "docs/ops.md is not current: run `cargo xtask bless`");
}

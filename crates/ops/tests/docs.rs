//! Generated documentation is current; with `VYRE_BLESS` set it is written.

use vyre_ir::dialect::DialectRegistry;
use vyre_ops as _;

#[test]
fn operations() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ops.md");
    let now = vyre_ir::docs::ops_markdown(&DialectRegistry::try_global().unwrap());
    if std::env::var_os("VYRE_BLESS").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let current = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(current == now, "docs/ops.md is not current: run `cargo xtask bless`");
}

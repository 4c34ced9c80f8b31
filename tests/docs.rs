//! Generated documentation must be what the declarations say now.
//!
//! To write it again after a declaration changed: `SUBOPS_BLESS=1 cargo test --test docs`.

#![allow(clippy::expect_used, reason = "a test that cannot read its file should stop where it shows")]

use std::fs;
use std::path::Path;

use subops::model::operation::OperationSpec;
use subops::providers::REGISTRY;
use subops::report::operations::markdown;

#[test]
fn the_catalogue_of_operations_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let operations: Vec<&OperationSpec> = REGISTRY.iter().flat_map(|provider| provider.operations()).collect();
    let current = markdown(&operations);
    if std::env::var_os("SUBOPS_BLESS").is_some() {
        fs::write(&path, &current).expect("docs/operations.md can be written");
    }
    let written = fs::read_to_string(&path).expect("docs/operations.md");
    assert!(written == current, "docs/operations.md is not current: SUBOPS_BLESS=1 cargo test --test docs");
}

//! A Rust file, parsed, and what several rules ask about it.

use crate::tree::File;

pub struct Source<'a> {
    pub file: &'a File,
    pub tree: syn::File,
}

impl Source<'_> {
    /// Whether the whole file is test code. Files with tests only are called `tests.rs` or stand in a folder `tests`.
    pub fn is_test(&self) -> bool {
        let path = &self.file.path;
        path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
    }
}

/// Whether an item is compiled for tests only.
pub fn for_tests_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        path.is_ident("test") || path.is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|inside| inside.is_ident("test"))
    })
}

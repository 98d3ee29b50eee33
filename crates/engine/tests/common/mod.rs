//! Where people read workspaces: examples and pages.

// Each test file takes what it needs.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a directory, as a workspace has them.
pub fn directory(top: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![top.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a directory of the repository") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(top).expect("the entry lies in it").to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read_to_string(&path).expect("a text file"));
            }
        }
    }
    files
}

/// The blocks of a page whose info string has `file=PATH`.
pub fn page(text: &str) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some(info.split_once("file=").map_or("", |(_, path)| path.trim()).to_owned()),
            (Some(_), Some(_)) => open = None,
            (Some(path), None) if !path.is_empty() => {
                let file = files.entry(path.clone()).or_default();
                file.push_str(line);
                file.push('\n');
            }
            _ => {}
        }
    }
    files
}

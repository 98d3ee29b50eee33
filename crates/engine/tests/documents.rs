//! Every workspace that people read in `examples/` and `docs/` is one that `workspace::read` takes without a finding.

use faden_engine::workspace::{Files, read};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn directory(top: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![top.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// The blocks of a page whose info string has `file=PATH`.
fn page(text: &str) -> BTreeMap<String, String> {
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

fn check(name: &str, files: BTreeMap<String, String>) {
    let outcome = read(&Files(files));
    let findings: Vec<String> = outcome.findings.iter().map(|finding| format!("{}: {}", finding.file, finding.problem)).collect();
    assert!(findings.is_empty(), "{name}\n{}", findings.join("\n"));
    assert!(outcome.definitions.is_some(), "{name}");
}

#[test]
fn every_example_is_a_workspace_without_a_finding() {
    let mut seen = 0;
    for entry in fs::read_dir(top().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            check(&path.display().to_string(), directory(&path));
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen} examples");
}

#[test]
fn every_page_with_files_is_a_workspace_without_a_finding() {
    let mut seen = 0;
    for entry in fs::read_dir(top().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let files = page(&fs::read_to_string(&path).unwrap());
            if !files.is_empty() {
                check(&path.display().to_string(), files);
                seen += 1;
            }
        }
    }
    assert!(seen >= 5, "{seen} pages");
}

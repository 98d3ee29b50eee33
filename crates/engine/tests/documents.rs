//! Every workspace that people read in `examples/` and `docs/` is one that `workspace::read` takes without a finding.

mod common;

use common::{directory, page, top};
use faden_engine::workspace::{Files, read};
use std::collections::BTreeMap;
use std::fs;

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

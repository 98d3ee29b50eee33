//! Every scenario that people read in `examples/` and `docs/` passes.

mod common;

use common::{directory, page, top};
use faden_engine::workspace::{Colours, Files, read, read_scenarios};
use faden_engine::{Index, dry_run};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// What fails, as people see it, and how many scenarios there are.
fn run(files: BTreeMap<String, String>) -> (usize, String) {
    let files = Files(files);
    let definitions = Arc::new(read(&files).definitions.expect("the workspace has no error"));
    let (scenarios, findings) = read_scenarios(&files, &definitions);
    assert_eq!(findings, Vec::new());
    let index = Arc::new(Index::new(definitions, None));
    let failed = scenarios.iter().map(|scenario| {
        let report = dry_run::render(&dry_run::run(&index, scenario), scenario, &files.0[&scenario.file], Colours::Off);
        if report.is_empty() { report } else { format!("{}\n{report}", scenario.name) }
    });
    (scenarios.len(), failed.collect())
}

#[test]
fn every_scenario_of_every_example_passes() {
    let mut seen = 0;
    for entry in fs::read_dir(top().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let (count, failed) = run(directory(&path));
            assert!(failed.is_empty(), "{}\n{failed}", path.display());
            seen += count;
        }
    }
    assert!(seen >= 30, "{seen} scenarios");
}

#[test]
fn every_scenario_of_every_page_passes() {
    let mut seen = 0;
    for entry in fs::read_dir(top().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        let files =
            if path.extension().is_some_and(|extension| extension == "md") { page(&fs::read_to_string(&path).unwrap()) } else { continue };
        if files.keys().any(|file| file.starts_with("scenarios/")) {
            let (count, failed) = run(files);
            assert!(failed.is_empty(), "{}\n{failed}", path.display());
            seen += count;
        }
    }
    assert!(seen >= 1, "{seen} scenarios");
}

//! Any texts are a workspace or a list of findings with their places; never a panic.
//!
//! An input is a directory in one text: a line `#file PATH` begins a file.
#![no_main]

use faden_engine::workspace::{Files, read};
use faden_model::diagnostic::Severity;
use std::collections::BTreeMap;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let files = Files(directory(text));
    let outcome = read(&files);
    let wrong = outcome.findings.iter().any(|finding| finding.problem.severity == Severity::Error);
    assert_eq!(outcome.definitions.is_none(), wrong, "a workspace is refused when, and only when, an error says why");
    for finding in &outcome.findings {
        let place = finding.problem.place;
        let text = files.0.get(&finding.file).map_or("", String::as_str);
        assert!(!finding.problem.code.is_empty() && !finding.problem.message.is_empty(), "a finding says what is wrong");
        assert!(text.get(place.start..place.end).is_some() || place.start == place.end, "a finding stands inside its file");
    }
});

fn directory(text: &str) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut path = "journeys/fuzz.yaml";
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("#file ") {
            Some(name) => path = name.trim_end(),
            None => files.entry(path.to_owned()).or_default().push_str(line),
        }
    }
    // What every workspace has, unless the input brings its own.
    for (path, text) in [("faden.yaml", SETTINGS), ("templates/hello/email.en.jinja", TEMPLATE)] {
        files.entry(path.to_owned()).or_insert_with(|| text.to_owned());
    }
    files
}

const SETTINGS: &str = "workspace: fuzz\ncountry: DE\ntime_zone: UTC\nlanguages: [en]\nchannels: [{name: mail, kind: email}]\n";
const TEMPLATE: &str = "---\nsubject: \"x\"\n---\nHello {{ event.properties.x }}\n";

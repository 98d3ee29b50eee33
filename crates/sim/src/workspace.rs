//! The workspace that every run lives in: small, and with everything that waits, expires or competes.

use faden_engine::workspace::{Files, read};
use faden_engine::{Definitions, decision};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// All files in one text, each behind a line `=== PATH`.
const TEXT: &str = include_str!("../workspace.txt");

/// The journey that everybody in [`LISTED`] enters at a roll call, and leaves at once.
pub const ROLL_CALL: &str = "roll_call";
/// The audience of the roll call, the outage and the daily schedule.
pub const LISTED: &str = "lookers";

/// `global.yaml`: at most this many marketing messages in [`CAP_WITHIN_DAYS`].
pub const CAP_MAX: usize = 2;
pub const CAP_WITHIN_DAYS: i64 = 7;

pub fn files() -> Files {
    let mut files = Files::default();
    for part in TEXT.split("=== ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path stands on a line of its own");
        files.0.insert(path.to_owned(), text.to_owned());
    }
    files
}

/// The workspace that is published in the middle of some runs: one journey is another version, one audience
/// has another limit. (Another window or another listed audience is not kept up for stored profiles yet.)
pub fn edition(number: u64) -> BTreeMap<String, String> {
    let mut files = files().0;
    if number % 2 == 1 {
        change(&mut files, "journeys/cart.yaml", "timeout: 1h", "timeout: 2h");
        change(&mut files, "audiences/best.yaml", "100.0", "60.0");
    }
    files
}

fn change(files: &mut BTreeMap<String, String>, path: &str, from: &str, to: &str) {
    let text = files.get_mut(path).expect("the file is part of the workspace");
    assert!(text.contains(from), "{path} does not say `{from}`");
    *text = text.replace(from, to);
}

/// The version of the journey `cart` in an edition.
pub fn cart_version(number: u64) -> u64 {
    static VERSIONS: OnceLock<[u64; 2]> = OnceLock::new();
    let version = |number| {
        let definitions = read(&Files(edition(number))).definitions.expect("every edition reads");
        definitions.journeys.iter().find(|journey| journey.name == "cart").map_or(0, |journey| journey.version)
    };
    VERSIONS.get_or_init(|| [version(0), version(1)])[usize::from(number % 2 == 1)]
}

/// The checked workspace, read once.
///
/// # Panics
/// When it has errors, with all of them.
pub fn definitions() -> Arc<Definitions> {
    static READ: OnceLock<Arc<Definitions>> = OnceLock::new();
    let read = || {
        let outcome = read(&files());
        let errors: Vec<String> = outcome.findings.iter().map(|finding| format!("{}: {:?}", finding.file, finding.problem)).collect();
        Arc::new(outcome.definitions.unwrap_or_else(|| panic!("the simulated workspace has errors: {errors:#?}")))
    };
    READ.get_or_init(read).clone()
}

/// A decision's line, reasons included.
pub fn line(decision: &decision::Decision) -> String {
    let mut line = String::new();
    decision.write_json(&mut line, true);
    line
}

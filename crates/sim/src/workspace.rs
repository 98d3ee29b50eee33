//! The workspace that every run lives in: small, and with everything that waits, expires or competes.

use faden_engine::workspace::{Files, read};
use faden_engine::{Definitions, decision};
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

//! The audit log: who changed what, as lines of JSON that are chained by their hashes.
//!
//! Each line carries the hash of the line before and its own, so a line that was changed, left out or
//! put in shows when the chain is checked. Lines are flushed before the change they tell of is answered.

use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use utoipa::ToSchema;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// From 1, without gaps.
    pub number: u64,
    pub at: String,
    pub who: String,
    /// `definitions.published`, `key.created`, ...
    pub action: String,
    pub subject: String,
    pub detail: String,
    pub before: String,
    pub hash: String,
}

/// The audit log of one server.
pub struct Audit {
    path: PathBuf,
    last: Mutex<(File, u64, String)>,
}

/// Where a chain is broken.
#[derive(Debug, thiserror::Error)]
#[error("line {0} of the audit log does not follow from the line before; it was changed or a line is missing")]
pub struct Broken(pub u64);

fn hash_of(entry: &Entry) -> String {
    let mut hasher = blake3::Hasher::new();
    let number = entry.number.to_string();
    for part in [&number, &entry.at, &entry.who, &entry.action, &entry.subject, &entry.detail, &entry.before] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

impl Audit {
    /// Opens the log. A last line that a crash cut short is removed: the change was never answered.
    ///
    /// # Errors
    /// The system's; a broken chain is not an error here but a finding of [`Audit::check`].
    pub fn open(path: PathBuf) -> std::io::Result<Audit> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        let last = text[..whole].lines().next_back().and_then(|line| serde_json::from_str::<Entry>(line).ok());
        let (number, hash) = last.map_or((0, String::new()), |entry| (entry.number, entry.hash));
        Ok(Audit { path, last: Mutex::new((file, number, hash)) })
    }

    /// Writes a line; durable when it returns.
    ///
    /// # Errors
    /// The system's: then the change must not be made.
    pub fn write(&self, at: &str, who: &str, action: &str, subject: &str, detail: &str) -> std::io::Result<()> {
        let mut last = self.last.lock().expect("no holder of this lock panics");
        let (file, number, before) = &mut *last;
        let mut entry = Entry {
            number: *number + 1,
            at: at.to_owned(),
            who: who.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            before: before.clone(),
            hash: String::new(),
        };
        entry.hash = hash_of(&entry);
        let mut line = serde_json::to_string(&entry).map_err(std::io::Error::other)?;
        line.push('\n');
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        (*number, *before) = (entry.number, entry.hash);
        Ok(())
    }

    /// All lines, oldest first.
    ///
    /// # Errors
    /// The system's.
    pub fn entries(&self) -> std::io::Result<Vec<Entry>> {
        let lines = BufReader::new(File::open(&self.path)?).lines();
        lines.map(|line| serde_json::from_str(&line?).map_err(std::io::Error::other)).collect()
    }

    /// Goes through the whole chain.
    ///
    /// # Errors
    /// [`Broken`] with the first line that does not fit.
    pub fn check(entries: &[Entry]) -> Result<(), Broken> {
        let mut before = String::new();
        for (place, entry) in entries.iter().enumerate() {
            let number = place as u64 + 1;
            if entry.number != number || entry.before != before || entry.hash != hash_of(entry) {
                return Err(Broken(number));
            }
            before.clone_from(&entry.hash);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_missing_line_shows() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("audit.ndjson");
        let audit = Audit::open(path.clone()).expect("a new file");
        audit.write("2026-03-01T10:00:00Z", "ada", "key.created", "ci", "source").expect("it can be written");
        let again = Audit::open(path.clone()).expect("the file");
        again.write("2026-03-01T10:00:01Z", "ada", "key.removed", "ci", "").expect("it can be written");
        let entries = again.entries().expect("the file");
        assert_eq!(entries.len(), 2);
        assert!(Audit::check(&entries).is_ok());
        let mut changed = entries.clone();
        changed[0].who = "eve".to_owned();
        assert_eq!(Audit::check(&changed).expect_err("changed").0, 1);
        assert_eq!(Audit::check(&entries[1..]).expect_err("missing").0, 1);
        std::fs::OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(b"{\"number\":3")).expect("appended");
        assert_eq!(Audit::open(path).and_then(|audit| audit.entries()).expect("the cut line is gone").len(), 2);
    }
}

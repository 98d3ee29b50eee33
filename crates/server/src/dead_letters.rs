//! Dead letters: what intake refused, kept to be looked at, mended and sent again.
//!
//! A file of JSON lines that is only appended to: a letter, or a mark that one was sent again or thrown
//! away. What is still open stays in memory by its place in the file. The file is bounded: beyond its
//! size the older half of the letters goes, and what went is counted.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use utoipa::ToSchema;

/// Letters that are kept at most.
pub const LETTERS_MAX: usize = 20_000;
/// Longest body that is kept, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Something that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// Counts from 1.
    pub id: u64,
    pub at: String,
    /// The source whose key it carried.
    pub source: String,
    /// Stable code of the reason.
    pub code: String,
    pub reason: String,
    /// As it came; cut off where it was too long to keep.
    pub body: String,
    /// The call it was sent as, such as `track`; empty where it is in the body.
    pub call: String,
    /// It was sent again and taken.
    #[serde(default)]
    pub retried: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Letter(DeadLetter),
    Retried { retried: u64 },
    Removed { removed: u64 },
}

struct State {
    file: File,
    letters: BTreeMap<u64, DeadLetter>,
    next: u64,
    /// Letters that went because there were too many.
    dropped: u64,
}

/// The dead letters of one server.
pub struct DeadLetters {
    path: PathBuf,
    state: Mutex<State>,
}

impl DeadLetters {
    /// Reads the file, which need not be there.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: PathBuf) -> std::io::Result<DeadLetters> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut letters = BTreeMap::new();
        let mut next = 1;
        for line in text.lines() {
            match serde_json::from_str(line) {
                Ok(Line::Letter(letter)) => {
                    next = next.max(letter.id + 1);
                    letters.insert(letter.id, letter);
                }
                Ok(Line::Retried { retried }) => {
                    if let Some(letter) = letters.get_mut(&retried) {
                        letter.retried = true;
                    }
                }
                Ok(Line::Removed { removed }) => {
                    letters.remove(&removed);
                }
                // A crash cut the last line short.
                Err(_) => {}
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        if !text.is_empty() && !text.ends_with('\n') {
            (&file).write_all(b"\n")?;
        }
        Ok(DeadLetters { path, state: Mutex::new(State { file, letters, next, dropped: 0 }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// Keeps letters; durable when it returns. Their ids are given here.
    ///
    /// # Errors
    /// The system's.
    pub fn keep(&self, letters: Vec<DeadLetter>) -> std::io::Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        let mut lines = String::new();
        for mut letter in letters {
            letter.id = state.next;
            state.next += 1;
            let mut end = letter.body.len().min(BODY_BYTES_MAX);
            while !letter.body.is_char_boundary(end) {
                end -= 1;
            }
            letter.body.truncate(end);
            push(&mut lines, &Line::Letter(letter.clone()))?;
            state.letters.insert(letter.id, letter);
        }
        state.file.write_all(lines.as_bytes())?;
        state.file.sync_data()?;
        if state.letters.len() > LETTERS_MAX {
            self.drop_older_half(&mut state)?;
        }
        Ok(())
    }

    fn drop_older_half(&self, state: &mut State) -> std::io::Result<()> {
        while state.letters.len() > LETTERS_MAX / 2 {
            state.letters.pop_first();
            state.dropped += 1;
        }
        let mut lines = String::new();
        for letter in state.letters.values() {
            push(&mut lines, &Line::Letter(letter.clone()))?;
        }
        crate::keys::replace(&self.path, lines.as_bytes())?;
        state.file = OpenOptions::new().append(true).open(&self.path)?;
        Ok(())
    }

    /// Newest first, before `before` where it is given.
    pub fn newest(&self, before: Option<u64>, count: usize) -> Vec<DeadLetter> {
        let state = self.state();
        state.letters.range(..before.unwrap_or(u64::MAX)).rev().take(count).map(|(_, letter)| letter.clone()).collect()
    }

    pub fn get(&self, id: u64) -> Option<DeadLetter> {
        self.state().letters.get(&id).cloned()
    }

    /// How many wait for somebody, and how many had to go.
    pub fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.letters.values().filter(|letter| !letter.retried).count() as u64, state.dropped)
    }

    /// Notes that a letter was sent again and taken.
    ///
    /// # Errors
    /// The system's.
    pub fn retried(&self, id: u64) -> std::io::Result<()> {
        let mut state = self.state();
        if let Some(letter) = state.letters.get_mut(&id) {
            letter.retried = true;
        }
        append(&mut state.file, &Line::Retried { retried: id })
    }

    /// Throws a letter away; `false` when there is none.
    ///
    /// # Errors
    /// The system's.
    pub fn remove(&self, id: u64) -> std::io::Result<bool> {
        let mut state = self.state();
        let known = state.letters.remove(&id).is_some();
        append(&mut state.file, &Line::Removed { removed: id })?;
        Ok(known)
    }
}

fn push(lines: &mut String, line: &Line) -> std::io::Result<()> {
    lines.push_str(&serde_json::to_string(line).map_err(std::io::Error::other)?);
    lines.push('\n');
    Ok(())
}

fn append(file: &mut File, line: &Line) -> std::io::Result<()> {
    let mut text = String::new();
    push(&mut text, line)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(code: &str) -> DeadLetter {
        DeadLetter {
            id: 0,
            at: "2026-03-01T10:00:00Z".to_owned(),
            source: "shop".to_owned(),
            code: code.to_owned(),
            reason: "nobody is named".to_owned(),
            body: "{}".to_owned(),
            call: "track".to_owned(),
            retried: false,
        }
    }

    #[test]
    fn letters_and_marks_are_there_after_a_restart() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("dead_letters.ndjson");
        let letters = DeadLetters::open(path.clone()).expect("a new file");
        letters.keep(vec![letter("a"), letter("b"), letter("c")]).expect("it can be written");
        letters.retried(1).expect("it can be written");
        assert!(letters.remove(2).expect("it can be written"));
        let again = DeadLetters::open(path).expect("the file");
        let found: Vec<(u64, bool)> = again.newest(None, 9).iter().map(|letter| (letter.id, letter.retried)).collect();
        assert_eq!(found, [(3, false), (1, true)]);
        assert_eq!(again.counts(), (1, 0));
        again.keep(vec![letter("d")]).expect("it can be written");
        assert_eq!(again.newest(None, 1)[0].id, 4, "ids are never given twice");
    }

    #[test]
    fn too_many_letters_push_the_oldest_out_and_that_is_counted() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("dead_letters.ndjson");
        let letters = DeadLetters::open(path.clone()).expect("a new file");
        letters.keep((0..=LETTERS_MAX).map(|_| letter("a")).collect()).expect("it can be written");
        assert_eq!(letters.counts().1 as usize, LETTERS_MAX + 1 - LETTERS_MAX / 2);
        let again = DeadLetters::open(path).expect("the file");
        assert_eq!(again.newest(None, 1)[0].id, LETTERS_MAX as u64 + 1);
    }
}

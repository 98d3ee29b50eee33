//! Decisions of one person as they were written: from the store, and those that no checkpoint has yet.

use super::person::Person;
use faden_engine::decision::Decision;
use faden_engine::decision::tell::{self, Found};
use faden_model::id::Born;
use faden_model::{ProfileId, Timestamp};
use faden_runtime::SharedStore;
use std::collections::BTreeMap;
use std::convert::Infallible;

/// One decision: its JSON object, with what orders it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Timestamp,
    pub id: Born,
    pub text: String,
}

/// Of each strand the decisions before a count; of strands that are not named, all.
pub type Cursor = BTreeMap<u64, u32>;

/// The decisions of one person.
pub struct Lines {
    strands: Vec<ProfileId>,
    unwritten: Vec<Decision>,
    store: SharedStore,
}

impl Line {
    fn of(decision: &Decision) -> Line {
        let mut text = String::new();
        decision.write_json(&mut text, true);
        Line { at: decision.at, id: decision.id.0, text }
    }

    fn order(&self) -> (Timestamp, Born) {
        (self.at, self.id)
    }
}

impl Lines {
    /// `unwritten` was looked at before the store is read.
    pub fn new(person: &Person, unwritten: &[Decision]) -> Lines {
        Lines { strands: person.strands.clone(), unwritten: unwritten.to_vec(), store: person.store.clone() }
    }

    /// The newest ones that are wanted, newest first, `count` at most.
    pub fn newest(&self, cursor: &Cursor, count: usize, wanted: impl Fn(&Decision) -> bool) -> Vec<Line> {
        let before = |strand: ProfileId| cursor.get(&strand.0).copied();
        let in_time = |decision: &Decision| before(decision.id.0.under).is_none_or(|before| decision.id.0.count < before);
        let line = |decision: &Decision| (in_time(decision) && wanted(decision)).then(|| Line::of(decision));
        let mut found: Vec<Line> = self.unwritten.iter().filter_map(line).collect();
        for strand in &self.strands {
            let mut stored = 0;
            self.store.decisions_back(*strand, before(*strand), |decision| {
                let line = line(decision);
                stored += usize::from(line.is_some());
                found.extend(line);
                stored < count
            });
        }
        found.sort_by_key(|line| std::cmp::Reverse(line.order()));
        found.dedup_by_key(|line| line.id);
        found.truncate(count);
        found
    }

    /// The chain around an id, which stands in `field` of its lines.
    pub fn chain(&self, id: &str, field: &str) -> Found {
        let read = |id: &str, visit: &mut tell::Visit<'_>| -> Result<(), Infallible> {
            let quoted = format!("\"{id}\"");
            let mut found: Vec<Line> = self.unwritten.iter().map(Line::of).filter(|line| line.text.contains(&quoted)).collect();
            for strand in &self.strands {
                self.store.decisions_of(*strand, |decision| {
                    found.extend(Some(Line::of(decision)).filter(|line| line.text.contains(&quoted)));
                });
            }
            found.sort_by_key(Line::order);
            found.dedup_by_key(|line| line.id);
            found.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).for_each(visit);
            Ok(())
        };
        match tell::find(id, field, &read) {
            Ok(found) => found,
            Err(never) => match never {},
        }
    }
}

//! Every consent that was given or withdrawn, by time over all people and by time for each.
//!
//! The row by time says everything; the one by strand and time only leads to it.

use super::ledger::{self, Ledger, Range, Row};
use crate::checkpoint::{SharedStore, born_key, time_key};
use faden_engine::decision::{Cause, Decision};
use faden_model::{DecisionId, Event, IdentifierKind, ProfileId, Text, Timestamp};
use faden_storage::{Batch, Position, Table};
use serde::{Deserialize, Serialize};

/// First byte of keys by time.
pub const BY_TIME: u8 = 0;
/// First byte of keys by strand and time.
pub const BY_STRAND: u8 = 1;

/// One consent, as its rows keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRow {
    pub at: Timestamp,
    /// The strand or profile under which it was learned.
    pub profile: ProfileId,
    pub user_id: Text,
    pub purpose: Text,
    pub channel: Option<Text>,
    pub granted: bool,
    /// The event's name, or what else brought it.
    pub cause: Text,
    /// Message id of the event, or id of the passage.
    pub proof: Text,
    pub decision: Option<DecisionId>,
}

/// Consents since the last checkpoint.
pub struct Consents {
    rows: Ledger,
}

/// The newest rows of the range, `unsaved` of [`Consents::unsaved`] among them, each with what stands behind
/// its prefix in the key; `count` at most.
pub fn newest(store: &SharedStore, unsaved: Vec<Row>, range: &Range, count: usize) -> Vec<(Vec<u8>, ConsentRow)> {
    let rows = ledger::newest(store, Table::Consents, unsaved, range, count);
    let read = |(key, value): Row| {
        let tail = key.get(range.prefix.len()..)?;
        // Older rows by strand have a value of their own.
        let value = if value.is_empty() { store.value(Table::Consents, &by_time(tail))? } else { value };
        Some((tail.to_vec(), postcard::from_bytes(&value).ok()?))
    };
    rows.into_iter().filter_map(read).collect()
}

fn by_time(tail: &[u8]) -> Vec<u8> {
    [[BY_TIME].as_slice(), tail].concat()
}

impl Consents {
    pub(super) fn new() -> Consents {
        Consents { rows: Ledger::new(Table::Consents) }
    }

    /// What an event says in its context; one that is about consent itself brings a decision.
    pub(super) fn event(&mut self, at: Timestamp, strand: ProfileId, position: Position, event: &Event<'_>) {
        let user = event.identifiers.iter().find(|identifier| identifier.kind == IdentifierKind::UserId);
        for (number, (purpose, granted)) in (0u32..).zip(&event.consents) {
            let row = ConsentRow {
                at,
                profile: strand,
                user_id: user.map(|user| Text::new(&user.value)).unwrap_or_default(),
                purpose: purpose.clone(),
                channel: None,
                granted: *granted,
                cause: Text::new(faden_engine::view::reaction_name(event)),
                proof: Text::new(&event.message_id),
                decision: None,
            };
            let rest = [position.0.to_be_bytes().as_slice(), &number.to_be_bytes()].concat();
            self.put(&row, &rest);
        }
    }

    pub(super) fn decided(&mut self, decision: &Decision, purpose: &Text, channel: Option<&Text>, granted: bool, cause: &Cause) {
        let (cause, proof) = match cause {
            Cause::Event { message_id, name } => (name.clone(), message_id.clone()),
            Cause::Journey { enrollment } => (Text::const_new("journey"), Text::from(enrollment.to_string())),
            _ => (Text::default(), Text::default()),
        };
        let row = ConsentRow {
            at: decision.at,
            profile: decision.profile,
            user_id: decision.user_id.clone(),
            purpose: purpose.clone(),
            channel: channel.cloned(),
            granted,
            cause,
            proof,
            decision: Some(decision.id),
        };
        self.put(&row, &born_key(decision.id.0));
    }

    fn put(&mut self, row: &ConsentRow, rest: &[u8]) {
        let value = postcard::to_stdvec(row).expect("a row has no unserialisable part");
        let tail = time_key(row.at, rest);
        self.rows.put([[BY_STRAND].as_slice(), &row.profile.0.to_be_bytes(), &tail].concat(), Vec::new());
        self.rows.put(by_time(&tail), value);
    }

    /// Rows in memory, newest first, `count` at most, for [`newest`].
    pub fn unsaved(&self, range: &Range, count: usize) -> Vec<Row> {
        let mut rows = self.rows.unsaved(range, count);
        for (key, value) in &mut rows {
            if value.is_empty()
                && let Some(said) = key.get(range.prefix.len()..).and_then(|tail| self.rows.value(&by_time(tail)))
            {
                value.extend_from_slice(said);
            }
        }
        rows
    }

    pub(super) fn take(&mut self) -> Consents {
        Consents { rows: self.rows.take() }
    }

    pub(super) fn write(self, batch: &mut Batch) {
        self.rows.write(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_storage::MemoryStore;

    fn row(second: i64, strand: u64, proof: &str) -> ConsentRow {
        ConsentRow {
            at: Timestamp(second * 1000),
            profile: ProfileId(strand),
            user_id: Text::default(),
            purpose: Text::new("marketing"),
            channel: None,
            granted: true,
            cause: Text::new("form"),
            proof: Text::new(proof),
            decision: None,
        }
    }

    #[test]
    fn a_strand_leads_to_what_was_said_in_memory_in_the_store_and_in_older_stores() {
        let store = SharedStore::new(Box::new(MemoryStore::new()));
        let mut batch = Batch::new();
        let older = row(1, 7, "older");
        let value = postcard::to_stdvec(&older).expect("it encodes");
        let tail = time_key(older.at, &[0]);
        batch.put(Table::Consents, &by_time(&tail), &value);
        batch.put(Table::Consents, &[[BY_STRAND].as_slice(), &7u64.to_be_bytes(), &tail].concat(), &value);
        let mut consents = Consents::new();
        consents.put(&row(2, 7, "stored"), &[1]);
        consents.put(&row(3, 8, "of another"), &[2]);
        consents.take().write(&mut batch);
        store.lock().commit(&batch).expect("it commits");
        consents.put(&row(4, 7, "fresh"), &[3]);

        let proofs = |prefix: Vec<u8>| {
            let range = Range { prefix, before: None };
            let rows = newest(&store, consents.unsaved(&range, 10), &range, 10);
            rows.iter().map(|(_, row)| row.proof.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(proofs([[BY_STRAND].as_slice(), &7u64.to_be_bytes()].concat()), ["fresh", "stored", "older"]);
        assert_eq!(proofs(vec![BY_TIME]), ["fresh", "of another", "stored", "older"]);
    }
}

//! Which decisions were made when, over all people; and the newest ones for those who watch.
//!
//! A row names some hundred decisions of one checkpoint, in the order of time, under the instant of its
//! newest one. A checkpoint lets everything happen that is due by its instant, so rows in the order of
//! their keys are all decisions in the order of time: only those of one millisecond may lie in two rows.

use crate::checkpoint::{SharedStore, born_key, time_key, time_of_key};
use faden_engine::decision::{Decision, read_row};
use faden_model::id::Born;
use faden_model::{ProfileId, Timestamp};
use faden_storage::{Batch, Position, Table};
use std::ops::ControlFlow;

/// Decisions that one row names.
const ROW: usize = 256;
/// Newest decisions that are kept for those who watch, until they are taken.
const NEWEST_MAX: usize = 100;

/// What orders decisions over all people.
pub type Order = (Timestamp, Born);

/// Instants and ids since the last checkpoint.
#[derive(Default)]
pub struct Decided {
    made: Vec<Order>,
    newest: Option<Newest>,
}

/// Decisions since they were last taken; some are left out where there are too many.
#[derive(Clone, Debug, Default)]
pub struct Newest {
    pub decisions: Vec<Decision>,
    pub left_out: u64,
}

pub fn order(decision: &Decision) -> Order {
    (decision.at, decision.id.0)
}

impl Decided {
    pub(super) fn note(&mut self, decisions: &[Decision]) {
        self.made.extend(decisions.iter().map(order));
        if let Some(newest) = &mut self.newest {
            let room = decisions.len().min(NEWEST_MAX.saturating_sub(newest.decisions.len()));
            newest.decisions.extend_from_slice(&decisions[..room]);
            newest.left_out += (decisions.len() - room) as u64;
        }
    }

    /// What was decided since the last call; from now on decisions are kept for the next call, or are not.
    pub fn take_newest(&mut self, keep: bool) -> Newest {
        std::mem::replace(&mut self.newest, keep.then(Newest::default)).unwrap_or_default()
    }

    /// What the store does not know yet.
    pub(super) fn take(&mut self) -> Decided {
        Decided { made: std::mem::take(&mut self.made), newest: None }
    }

    pub(super) fn write(mut self, position: Position, batch: &mut Batch) {
        self.made.sort_unstable();
        for (number, chunk) in (0u32..).zip(self.made.chunks(ROW)) {
            let Some((newest, _)) = chunk.last() else { continue };
            let key = time_key(*newest, &[position.0.to_be_bytes().as_slice(), &number.to_be_bytes()].concat());
            let row: Vec<(i64, u64, u32)> = chunk.iter().map(|(at, born)| (newest.0 - at.0, born.under.0, born.count)).collect();
            batch.put(Table::DecisionsByTime, &key, &postcard::to_stdvec(&row).expect("numbers have no unserialisable part"));
        }
    }
}

/// Stored decisions of some time, in its order.
pub struct Row {
    /// The next older row is before it.
    pub key: Vec<u8>,
    pub newest: Timestamp,
    pub made: Vec<Order>,
}

/// Where to begin for everything that was decided up to an instant: see [`row_before`].
pub fn behind(store: &SharedStore, until: Timestamp) -> Vec<u8> {
    let mut key = Vec::new();
    store.range(Table::DecisionsByTime, &time_key(Timestamp(until.0.saturating_add(1)), &[]), &[], &mut |found, _| {
        key = [found, &[0]].concat();
        ControlFlow::Break(())
    });
    key
}

/// The newest row before a key; before the end where that is empty.
pub fn row_before(store: &SharedStore, key: &[u8]) -> Option<Row> {
    let mut row = None;
    store.back(Table::DecisionsByTime, &[], key, &mut |key, value| {
        let read = time_of_key(key).zip(postcard::from_bytes::<Vec<(i64, u64, u32)>>(value).ok());
        row = read.map(|(newest, made)| {
            let order = |(before, under, count)| (Timestamp(newest.0 - before), Born { under: ProfileId(under), count });
            Row { key: key.to_vec(), newest, made: made.into_iter().map(order).collect() }
        });
        ControlFlow::Break(())
    });
    row
}

/// One stored decision.
pub fn stored(store: &SharedStore, id: Born) -> Option<Decision> {
    let (first, behind) = (id.under.0.to_be_bytes(), [born_key(id).as_slice(), &[0]].concat());
    let mut found = None;
    store.back(Table::Decisions, &first, &behind, &mut |_, row| {
        // What cannot be read is missing in a list; whoever asks for it by its id is told.
        let _ = read_row(row, |decision| {
            if decision.id.0 == id {
                found = Some(decision.clone());
            }
        });
        ControlFlow::Break(())
    });
    found
}

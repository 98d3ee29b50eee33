//! Moves of passages to another version: when, where to, how many, and whether they were taken back.

use super::whole;
use crate::checkpoint::SharedStore;
use faden_model::{Migration, Text, Timestamp};
use faden_storage::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const KEY: &[u8] = b"migrations";
/// Migrations that are kept of one journey.
const KEPT: usize = 100;

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationRow {
    pub at: Timestamp,
    pub to: u64,
    /// Old step to new step, as they were named.
    pub steps: BTreeMap<Text, Text>,
    pub moved: u64,
    pub undone_at: Option<Timestamp>,
    pub moved_back: u64,
}

/// Journey and number to what was moved.
#[derive(Default)]
pub struct Migrations {
    rows: BTreeMap<(u64, u64), MigrationRow>,
    /// The one whose moves are being decided.
    current: (u64, u64),
    changed: bool,
}

impl Migrations {
    pub(super) fn load(store: &SharedStore) -> Option<Migrations> {
        Some(Migrations { rows: whole(store, KEY)?, ..Migrations::default() })
    }

    pub(crate) fn begun(&mut self, at: Timestamp, migration: &Migration) {
        self.current = (migration.journey, migration.number);
        self.changed = true;
        if migration.undo {
            if let Some(row) = self.rows.get_mut(&self.current) {
                row.undone_at.get_or_insert(at);
            }
            return;
        }
        let row = MigrationRow { at, to: migration.to, steps: migration.steps.clone(), moved: 0, undone_at: None, moved_back: 0 };
        self.rows.insert(self.current, row);
        let oldest = self.of(migration.journey).map(|(number, _)| number).nth(KEPT);
        oldest.map(|number| self.rows.remove(&(migration.journey, number)));
    }

    pub(super) fn moved(&mut self, undo: bool) {
        if let Some(row) = self.rows.get_mut(&self.current) {
            self.changed = true;
            *(if undo { &mut row.moved_back } else { &mut row.moved }) += 1;
        }
    }

    /// Those of one journey, newest first.
    pub fn of(&self, journey: u64) -> impl Iterator<Item = (u64, &MigrationRow)> {
        self.rows.range((journey, 0)..=(journey, u64::MAX)).rev().map(|((_, number), row)| (*number, row))
    }

    pub(super) fn write(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.changed) {
            batch.put(Table::Meta, KEY, &postcard::to_stdvec(&self.rows).expect("rows have no unserialisable part"));
        }
    }
}

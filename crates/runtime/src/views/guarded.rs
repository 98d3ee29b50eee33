//! Profiles at the guard of identity: whose identifiers were left out because the profile would have grown beyond
//! it, how often, and when last. Only those of whom it was heard last are kept.

use super::whole;
use crate::checkpoint::SharedStore;
use faden_engine::decision::Decision;
use faden_engine::identity::BEYOND_GUARD;
use faden_model::{ProfileId, Text, Timestamp};
use faden_storage::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const KEY: &[u8] = b"guarded";
/// Profiles that are kept.
const KEPT: usize = 100;

/// One profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardedRow {
    pub first: Timestamp,
    pub last: Timestamp,
    /// Identifiers that were left out.
    pub times: u64,
}

#[derive(Default)]
pub struct Guarded {
    rows: BTreeMap<ProfileId, GuardedRow>,
    changed: bool,
}

impl Guarded {
    pub(super) fn load(store: &SharedStore) -> Option<Guarded> {
        Some(Guarded { rows: whole(store, KEY)?, changed: false })
    }

    pub(super) fn left_out(&mut self, decision: &Decision, reason: &Text) {
        if reason.as_str() != BEYOND_GUARD {
            return;
        }
        self.changed = true;
        let at = decision.at;
        let row = self.rows.entry(decision.profile).or_insert(GuardedRow { first: at, last: at, times: 0 });
        (row.last, row.times) = (at, row.times + 1);
        if self.rows.len() > KEPT {
            let oldest = self.rows.iter().min_by_key(|(_, row)| row.last).map(|(profile, _)| *profile);
            oldest.map(|profile| self.rows.remove(&profile));
        }
    }

    /// The loser of a merge is gone.
    pub(super) fn merged(&mut self, loser: ProfileId) {
        self.changed |= self.rows.remove(&loser).is_some();
    }

    /// Those of whom it was heard since, newest first.
    pub fn since(&self, at: Timestamp) -> Vec<(ProfileId, GuardedRow)> {
        let mut rows: Vec<_> = self.rows.iter().filter(|(_, row)| row.last >= at).map(|(profile, row)| (*profile, *row)).collect();
        rows.sort_by_key(|(profile, row)| (std::cmp::Reverse(row.last), *profile));
        rows
    }

    pub(super) fn write(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.changed) {
            batch.put(Table::Meta, KEY, &postcard::to_stdvec(&self.rows).expect("rows have no unserialisable part"));
        }
    }
}

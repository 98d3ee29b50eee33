//! Who is in which audience since when, and who came and went.
//!
//! The engine keeps members only of audiences that a broadcast or schedule names; people want to see them
//! of all. A row per member follows its changes; a profile that is merged away takes its rows along.

use super::ledger::Ledger;
use crate::checkpoint::{SharedStore, born_key, number, time_key};
use faden_engine::audience::key_of;
use faden_engine::decision::Decision;
use faden_engine::track::Member;
use faden_model::{ProfileId, Text, Timestamp};
use faden_storage::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// One entering or leaving, as its row keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceChange {
    pub at: Timestamp,
    pub profile: ProfileId,
    pub user_id: Text,
    pub entered: bool,
    pub decision: faden_model::DecisionId,
}

/// What changed since the last checkpoint.
pub struct Audiences {
    members: BTreeMap<(u64, ProfileId), Option<Timestamp>>,
    /// Key: audience, time, decision.
    pub changes: Ledger,
}

impl Audiences {
    pub(super) fn new() -> Audiences {
        Audiences { members: BTreeMap::new(), changes: Ledger::new(Table::AudienceChanges) }
    }

    pub(super) fn member(&mut self, member: &Member) {
        self.members.insert((member.audience, member.profile), member.since);
    }

    pub(super) fn decided(&mut self, decision: &Decision, audience: &str, entered: bool) {
        let row = AudienceChange {
            at: decision.at,
            profile: decision.profile,
            user_id: decision.user_id.clone(),
            entered,
            decision: decision.id,
        };
        let key = [key_of(audience).to_be_bytes().as_slice(), &time_key(decision.at, &born_key(decision.id.0))].concat();
        self.changes.put(key, postcard::to_stdvec(&row).expect("a row has no unserialisable part"));
    }

    /// Changes of members behind `after` that the store does not know yet.
    pub fn unsaved(&self, audience: u64, after: Option<ProfileId>) -> Vec<(ProfileId, Option<Timestamp>)> {
        let from = after.map_or(0, |after| after.0.saturating_add(1));
        let range = self.members.range((audience, ProfileId(from))..=(audience, ProfileId(u64::MAX)));
        range.map(|((_, profile), since)| (*profile, *since)).collect()
    }

    pub(super) fn take(&mut self) -> Audiences {
        Audiences { members: std::mem::take(&mut self.members), changes: self.changes.take() }
    }

    pub(super) fn write(self, batch: &mut Batch) {
        for ((audience, profile), since) in self.members {
            let key = [audience.to_be_bytes(), profile.0.to_be_bytes()].concat();
            match since {
                Some(since) => batch.put(Table::Members, &key, &since.0.to_be_bytes()),
                None => batch.delete(Table::Members, &key),
            }
        }
        self.changes.write(batch);
    }
}

impl AudienceChange {
    pub fn read(value: &[u8]) -> Option<AudienceChange> {
        postcard::from_bytes(value).ok()
    }
}

/// Members in the order of their ids behind `after`: those of the store with `unsaved` over them.
pub fn members(
    store: &SharedStore,
    unsaved: &[(ProfileId, Option<Timestamp>)],
    audience: u64,
    after: Option<ProfileId>,
    count: usize,
) -> Vec<(ProfileId, Timestamp)> {
    let mut found: Vec<(ProfileId, Timestamp)> = unsaved.iter().filter_map(|(profile, since)| Some((*profile, (*since)?))).collect();
    let from = [audience.to_be_bytes(), after.map_or(0, |after| after.0.saturating_add(1)).to_be_bytes()].concat();
    let mut stored = 0;
    store.range(Table::Members, &from, &[], &mut |key, value| {
        if number(key) != Some(audience) || stored >= count {
            return ControlFlow::Break(());
        }
        let member = key.get(8..).and_then(number).map(ProfileId).zip(number(value).map(|at| Timestamp(at as i64)));
        if let Some((profile, since)) = member.filter(|(profile, _)| unsaved.binary_search_by_key(profile, |(id, _)| *id).is_err()) {
            stored += 1;
            found.push((profile, since));
        }
        ControlFlow::Continue(())
    });
    found.sort_unstable();
    found.truncate(count);
    found
}

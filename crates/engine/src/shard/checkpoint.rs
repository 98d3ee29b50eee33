//! What a checkpoint takes from a partition, what it gives back after a restart, and what it lets go.

use super::Shard;
use crate::profile::Profile;
use crate::schedule::Schedules;
use faden_model::{ProfileId, Timestamp};
use std::collections::BTreeMap;

impl Shard {
    /// Visits every profile that changed since the last call, in the order of their ids; `visit` gets the
    /// profile, the due row the store holds and the one it must hold now.
    pub fn take_dirty(&mut self, mut visit: impl FnMut(&Profile, Timestamp, Timestamp)) {
        let mut ids = std::mem::take(&mut self.dirty);
        ids.sort_unstable();
        ids.dedup();
        for id in &ids {
            let Some(slot) = self.slots.get_mut(*id) else { continue };
            visit(&slot.profile, slot.stored_due, slot.due);
            slot.stored_due = slot.due;
            slot.dirty = false;
            if slot.due != Timestamp::MAX && slot.scheduled != slot.due {
                // From now on the profile may be let go; the wheel must know its exact instant.
                slot.scheduled = slot.due;
                self.wheel.insert(slot.due, *id);
            }
        }
    }

    /// Profiles that have left since the last call, with the due row the store holds for them. What the last
    /// call gave has been deleted by now.
    pub fn take_gone(&mut self) -> BTreeMap<ProfileId, Timestamp> {
        let gone = std::mem::take(&mut self.gone);
        self.leaving = gone.keys().copied().collect();
        gone
    }

    pub fn dirty_len(&self) -> usize {
        self.dirty.len()
    }

    pub fn warm_len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing waits: no merge under way, no state on its way out.
    pub fn is_quiet(&self) -> bool {
        self.blocked.is_empty() && self.outgoing.is_empty() && self.arrived.is_empty()
    }

    /// Lets go of clean profiles that were not used since the last call, until at most `keep` are warm.
    pub fn let_go(&mut self, keep: usize) {
        let mut excess = self.slots.len().saturating_sub(keep);
        self.slots.retain(|slot| {
            let unused = !slot.dirty && !slot.recent && excess > 0;
            excess -= usize::from(unused);
            slot.recent = false;
            !unused
        });
    }

    /// Restores what a checkpoint knows: a due row.
    pub fn restore_due(&mut self, due: Timestamp, profile: ProfileId) {
        self.wheel.insert(due, profile);
    }

    pub fn restore_member(&mut self, audience: u64, profile: ProfileId) {
        self.listed.entry(audience).or_default().insert(profile);
    }

    pub fn restore_clock(&mut self, clock: Timestamp) {
        self.clock = clock;
        self.schedules = Schedules::new(&self.index, clock);
    }

    /// A warm profile, for reading.
    pub fn profile(&self, id: ProfileId) -> Option<&Profile> {
        self.slots.get(id).map(|slot| &slot.profile)
    }

    /// The ids of all warm profiles, in order.
    pub fn warm_ids(&self) -> Vec<ProfileId> {
        self.slots.ids()
    }

    /// Profiles that are due up to `until`, for fetching them together beforehand.
    pub fn due_soon(&self, until: Timestamp, visit: &mut dyn FnMut(ProfileId)) {
        self.wheel.peek(until, visit);
    }

    /// An instant at or before which about `count` timers are due; the end of time when there are fewer.
    pub fn instant_of_timer(&self, count: usize) -> Timestamp {
        self.wheel.instant_of(count)
    }

    pub fn timers_len(&self) -> usize {
        self.wheel.len()
    }
}

//! What a checkpoint takes from a partition, what it gives back after a restart, and what it lets go.

use super::{Shard, Slot};
use crate::profile::Profile;
use crate::schedule::Schedules;
use faden_model::{ProfileId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Profiles that are looked at for each one that has to go: some were used, some changed.
const LOOKS: usize = 8;

/// A profile that changed, as it was when it was taken; what happens to it later happens to a copy.
#[derive(Debug)]
pub struct Changed {
    slot: Arc<Slot>,
    /// The due row that the store holds; `Timestamp::MAX` for none.
    pub stored_due: Timestamp,
}

impl Changed {
    pub fn profile(&self) -> &Profile {
        &self.slot.profile
    }

    /// The due row that the store must hold now; `Timestamp::MAX` for none.
    pub fn due(&self) -> Timestamp {
        self.slot.due
    }
}

impl Shard {
    /// Every profile that changed since the last call, in the order of their ids.
    pub fn take_dirty(&mut self) -> Vec<Changed> {
        let mut ids = std::mem::take(&mut self.dirty);
        ids.sort_unstable();
        ids.dedup();
        // Places far from each other are fetched from memory together, not one after the other.
        let touched = ids.iter().filter_map(|id| self.slots.get(*id)).fold(0, |sum, slot| sum ^ slot.due.0 ^ i64::from(slot.dirty));
        std::hint::black_box(touched);
        let mut changed = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(slot) = self.slots.get_mut(id) else { continue };
            let stored_due = std::mem::replace(&mut slot.stored_due, slot.due);
            slot.dirty = false;
            if slot.due != Timestamp::MAX && slot.scheduled != slot.due {
                // From now on the profile may be let go; the wheel must know its exact instant.
                slot.scheduled = slot.due;
                self.wheel.insert(slot.due, id);
            }
            changed.extend(self.slots.share(id).map(|slot| Changed { slot, stored_due }));
        }
        changed
    }

    /// Profiles that have left since the last call, with the due row the store holds for them. What the last
    /// call gave has been deleted by now.
    pub fn take_gone(&mut self) -> BTreeMap<ProfileId, Timestamp> {
        let gone = std::mem::take(&mut self.gone);
        self.leaving = gone.keys().copied().collect();
        gone
    }

    pub fn warm_len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing waits: no merge under way, no state on its way out.
    pub fn is_quiet(&self) -> bool {
        self.blocked.is_empty() && self.outgoing.is_empty() && self.arrived.is_empty()
    }

    /// Lets go of clean profiles that were not used since they were last looked at, until at most `keep` are
    /// warm. It looks at some times as many as are too many and goes on there the next time.
    pub fn let_go(&mut self, keep: usize) {
        let excess = self.slots.len().saturating_sub(keep);
        self.slots.let_go(excess, excess.saturating_mul(LOOKS), |slot| {
            let recent = std::mem::take(&mut slot.recent);
            slot.dirty || recent
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

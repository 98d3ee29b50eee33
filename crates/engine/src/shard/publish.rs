//! New definitions: what every profile has to be looked at for, whether it is in memory or on disk.
//!
//! When a profile does something next is written beside it, so that it need not be in memory to be woken;
//! who is in an audience that is called together is listed. Both follow from the definitions.

use super::{Cold, Shard, Slot};
use crate::definitions::Index;
use crate::profile::Profile;
use crate::schedule::Schedules;
use crate::turn::next_due;
use faden_model::{ProfileId, Timestamp};
use std::sync::Arc;

impl Shard {
    /// New definitions hold from the next delivery on. Profiles in memory follow at once, see [`Shard::review`]
    /// for the others.
    pub fn publish(&mut self, index: Arc<Index>) {
        self.schedules = Schedules::new(&index, self.clock);
        let before = std::mem::replace(&mut self.index, index);
        let listed = self.newly_listed(&before);
        for id in self.slots.ids() {
            // What is due next may have changed with the definitions.
            self.reschedule(id);
            let Some(slot) = self.slots.get(id) else { continue };
            let member: Vec<u64> = slot.profile.memberships.iter().map(|membership| membership.key).collect();
            self.list_in(id, &member, &listed);
        }
    }

    /// Looks at every profile that is not in memory, after definitions took the place of `before`: those that
    /// are due at another instant now, and members of audiences that are listed now.
    pub fn review(&mut self, before: &Index, cold: &mut dyn Cold) {
        let listed = self.newly_listed(before);
        if listed.is_empty() && !self.windows_changed(before) {
            return;
        }
        cold.each(&mut |profile| {
            if !self.slots.contains(profile.id) && !self.has_left(profile.id) {
                self.review_one(profile, before, &listed);
            }
        });
    }

    fn review_one(&mut self, profile: Profile, before: &Index, listed: &[u64]) {
        let id = profile.id;
        let member: Vec<u64> = profile.memberships.iter().map(|membership| membership.key).collect();
        self.list_in(id, &member, listed);
        let due = |index: &Index| next_due(index, &profile).unwrap_or(Timestamp::MAX);
        let (stored_due, due) = (due(before), due(&self.index));
        if stored_due != due {
            // The wheel has the instant that the store has.
            self.slots.insert(Slot { profile, due, scheduled: stored_due, stored_due, dirty: true, recent: false });
            self.dirty.push(id);
            self.reschedule(id);
        }
    }

    fn newly_listed(&self, before: &Index) -> Vec<u64> {
        self.index.listed.iter().copied().filter(|key| before.listed.binary_search(key).is_err()).collect()
    }

    fn list_in(&mut self, id: ProfileId, member: &[u64], listed: &[u64]) {
        for key in member.iter().filter(|key| listed.binary_search(key).is_ok()) {
            self.listed.entry(*key).or_default().insert(id);
            self.listed_changes.push((*key, id, true));
        }
    }

    /// Whether a computed trait changes by itself at another time than before.
    fn windows_changed(&self, before: &Index) -> bool {
        self.index.definitions.traits.iter().any(|plan| {
            let known = before.computed_trait_by_key(plan.key);
            known.map(|known| (known.within, std::mem::discriminant(&known.aggregate)))
                != Some((plan.within, std::mem::discriminant(&plan.aggregate)))
        })
    }
}

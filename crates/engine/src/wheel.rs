//! Who is due next: a partition's timers, as (instant, profile), 16 bytes each.
//!
//! The profile itself knows what is due; an entry here only says when to look at it. A profile whose
//! plans changed leaves its old entry behind, which finds nothing to do when it comes up.

use faden_model::{ProfileId, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Entries further away than one slot stand unsorted in their slot: a power of two of milliseconds.
const SLOT_BITS: u32 = 12;

#[derive(Clone, Debug, Default)]
pub struct Wheel {
    /// The slot at hand, and everything that came too late for its own slot.
    near: BinaryHeap<Reverse<(Timestamp, ProfileId)>>,
    near_slot: i64,
    far: BTreeMap<i64, Vec<(Timestamp, ProfileId)>>,
    len: usize,
}

impl Wheel {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn insert(&mut self, due: Timestamp, profile: ProfileId) {
        self.len += 1;
        let slot = due.0 >> SLOT_BITS;
        if slot <= self.near_slot {
            self.near.push(Reverse((due, profile)));
        } else {
            self.far.entry(slot).or_default().push((due, profile));
        }
    }

    /// Whether an entry is (or may be, within its slot) due at or before `limit`.
    pub fn next_is_due(&self, limit: Timestamp) -> bool {
        self.near.peek().is_some_and(|Reverse((due, _))| *due <= limit)
            || self.near.is_empty() && self.far.first_key_value().is_some_and(|(slot, _)| *slot <= limit.0 >> SLOT_BITS)
    }

    /// The earliest entry's instant.
    pub fn next(&self) -> Option<Timestamp> {
        let near = self.near.peek().map(|Reverse((due, _))| *due);
        near.or_else(|| self.far.first_key_value()?.1.iter().map(|(due, _)| *due).min())
    }

    /// Takes the earliest entry that is due at or before `limit`; equal instants in the order of profiles.
    pub fn pop(&mut self, limit: Timestamp) -> Option<(Timestamp, ProfileId)> {
        loop {
            if let Some(Reverse(entry)) = self.near.peek() {
                if entry.0 > limit {
                    return None;
                }
                self.len -= 1;
                return self.near.pop().map(|Reverse(entry)| entry);
            }
            let slot = *self.far.first_key_value()?.0;
            if slot > limit.0 >> SLOT_BITS {
                return None;
            }
            let entries = self.far.pop_first().map(|(_, entries)| entries).unwrap_or_default();
            self.near_slot = slot;
            self.near = entries.into_iter().map(Reverse).collect();
        }
    }

    /// The end of the slot in which the entry of this number is due.
    pub fn instant_of(&self, count: usize) -> Timestamp {
        let mut passed = self.near.len();
        for (slot, entries) in &self.far {
            passed += entries.len();
            if passed >= count {
                return Timestamp(((slot + 1) << SLOT_BITS) - 1);
            }
        }
        Timestamp::MAX
    }

    /// The profiles due at or before `limit`, without taking them; in no order, possibly repeated.
    pub fn peek(&self, limit: Timestamp, visit: &mut dyn FnMut(ProfileId)) {
        for Reverse((due, profile)) in &self.near {
            if *due <= limit {
                visit(*profile);
            }
        }
        for (_, entries) in self.far.range(..=limit.0 >> SLOT_BITS) {
            for (due, profile) in entries {
                if *due <= limit {
                    visit(*profile);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_come_out_in_order_whatever_the_order_of_insertion(
            mut entries in prop::collection::vec((-100_000i64..100_000, 0u64..50), 0..200), cuts in prop::collection::vec(-100_000i64..100_000, 0..5)
        ) {
            let mut wheel = Wheel { near_slot: i64::MIN, ..Wheel::default() };
            for (due, profile) in &entries {
                wheel.insert(Timestamp(*due), ProfileId(*profile));
            }
            let mut found = Vec::new();
            for cut in cuts.into_iter().chain([i64::MAX]) {
                while let Some((due, profile)) = wheel.pop(Timestamp(cut)) {
                    prop_assert!(due.0 <= cut);
                    found.push((due.0, profile.0));
                }
            }
            entries.sort_unstable();
            found.sort_unstable_by_key(|entry| *entry);
            prop_assert_eq!(entries, found);
            prop_assert_eq!(wheel.len(), 0);
        }
    }
}

//! The profiles of one partition that are in memory, found by their number alone.
//!
//! Profiles are numbered densely in order of first sight, and those that were seen about the same time are
//! needed about the same time: in order of numbers their places share cache lines, which a hash would
//! spread over all memory. Eight bytes for every profile that was ever in memory.
//!
//! A checkpoint shares the places of what changed; whoever then changes one changes a copy.

use super::Slot;
use faden_model::ProfileId;
use faden_model::id::SHARDS;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Slots {
    /// By virtual shard, then by what is left of the number; a partition has some of the shards.
    shards: Vec<Vec<Option<Arc<Slot>>>>,
    len: usize,
    /// Shard and row at which the next look for what to let go begins.
    hand: (usize, usize),
}

fn place(id: ProfileId) -> (usize, usize) {
    (usize::from(id.shard()), usize::try_from(id.0 / SHARDS).unwrap_or(usize::MAX))
}

impl Slots {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, id: ProfileId) -> Option<&Slot> {
        let (shard, row) = place(id);
        self.shards.get(shard)?.get(row)?.as_deref()
    }

    pub fn get_mut(&mut self, id: ProfileId) -> Option<&mut Slot> {
        let (shard, row) = place(id);
        self.shards.get_mut(shard)?.get_mut(row)?.as_mut().map(Arc::make_mut)
    }

    pub fn contains(&self, id: ProfileId) -> bool {
        self.get(id).is_some()
    }

    /// Puts a profile in its place, whether another state of it was there or not.
    pub fn insert(&mut self, slot: Slot) {
        let (shard, row) = place(slot.profile.id);
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS as usize, Vec::new);
        }
        let rows = &mut self.shards[shard];
        if row >= rows.len() {
            rows.resize_with(row + 1, || None);
        }
        self.len += usize::from(rows[row].replace(Arc::new(slot)).is_none());
    }

    pub fn remove(&mut self, id: ProfileId) -> Option<Slot> {
        let (shard, row) = place(id);
        let removed = self.shards.get_mut(shard)?.get_mut(row)?.take();
        self.len -= usize::from(removed.is_some());
        removed.map(Arc::unwrap_or_clone)
    }

    /// The place as it is now, shared.
    pub fn share(&self, id: ProfileId) -> Option<Arc<Slot>> {
        let (shard, row) = place(id);
        self.shards.get(shard)?.get(row)?.clone()
    }

    /// Lets go of profiles for which `keep` is false, of `most` at most, going on where it stopped the last
    /// time and looking at `looks` at most.
    pub fn let_go(&mut self, most: usize, looks: usize, mut keep: impl FnMut(&mut Slot) -> bool) {
        let (mut gone, mut looked, mut shards) = (0, 0, 0);
        while gone < most && looked < looks && shards <= self.shards.len() {
            let (shard, row) = self.hand;
            let rows = self.shards.get_mut(shard).map_or(&mut [][..], |rows| rows.get_mut(row..).unwrap_or_default());
            let mut walked = 0;
            for place in rows {
                walked += 1;
                let Some(slot) = place else { continue };
                looked += 1;
                if !keep(Arc::make_mut(slot)) {
                    *place = None;
                    gone += 1;
                }
                if gone == most || looked == looks {
                    break;
                }
            }
            self.hand.1 += walked;
            if self.shards.get(shard).is_none_or(|rows| self.hand.1 >= rows.len()) {
                self.hand = ((shard + 1) % self.shards.len().max(1), 0);
                shards += 1;
            }
        }
        self.len -= gone;
    }

    /// Which profiles are here, in order.
    pub fn ids(&self) -> Vec<ProfileId> {
        let mut ids: Vec<ProfileId> = self.shards.iter().flatten().flatten().map(|slot| slot.profile.id).collect();
        ids.sort_unstable();
        ids
    }
}

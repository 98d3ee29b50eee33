//! The profiles of one partition that are in memory, found by their number alone.
//!
//! Profiles are numbered densely in order of first sight, and those that were seen about the same time are
//! needed about the same time: in order of numbers their places share cache lines, which a hash would
//! spread over all memory. Eight bytes for every profile that was ever in memory.

use super::Slot;
use faden_model::ProfileId;
use faden_model::id::SHARDS;

#[derive(Debug, Default)]
pub struct Slots {
    /// By virtual shard, then by what is left of the number; a partition has some of the shards.
    shards: Vec<Vec<Option<Box<Slot>>>>,
    len: usize,
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
        self.shards.get_mut(shard)?.get_mut(row)?.as_deref_mut()
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
        self.len += usize::from(rows[row].replace(Box::new(slot)).is_none());
    }

    pub fn remove(&mut self, id: ProfileId) -> Option<Box<Slot>> {
        let (shard, row) = place(id);
        let removed = self.shards.get_mut(shard)?.get_mut(row)?.take();
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// Lets go of those for which `keep` is false.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut Slot) -> bool) {
        for place in self.shards.iter_mut().flatten() {
            if place.as_deref_mut().is_some_and(|slot| !keep(slot)) {
                *place = None;
                self.len -= 1;
            }
        }
    }

    /// Which profiles are here, in order.
    pub fn ids(&self) -> Vec<ProfileId> {
        let mut ids: Vec<ProfileId> = self.shards.iter().flatten().flatten().map(|slot| slot.profile.id).collect();
        ids.sort_unstable();
        ids
    }
}

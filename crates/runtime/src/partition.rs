//! One partition and its post: letters are numbered per sender and receiver, so that a repeat is
//! dropped and what comes too early waits.

use crate::checkpoint::SharedStore;
use faden_engine::Index;
use faden_engine::delivery::Delivery;
use faden_engine::front::partition_of;
use faden_engine::profile::Profile;
use faden_engine::shard::{Cold, Shard};
use faden_model::ProfileId;
use std::collections::BTreeMap;

/// The identity stream as a sender; partitions are numbered from 0.
pub const FRONT: u16 = u16::MAX;

/// Letters of one sender to one receiver, in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    pub from: u16,
    /// Number of the first letter; the others follow densely.
    pub first: u64,
    pub count: u64,
    /// The letters, one behind the other, in postcard.
    pub letters: Vec<u8>,
}

/// One partition.
pub struct Partition {
    pub number: u16,
    pub shard: Shard,
    /// Number of the next letter from each sender.
    expected: BTreeMap<u16, u64>,
    /// Parcels that came too early, by sender and number.
    early: BTreeMap<(u16, u64), Parcel>,
    /// Number of the next letter to each receiver.
    next: BTreeMap<u16, u64>,
    store: Option<SharedStore>,
    /// How many partitions share the store.
    pub(crate) of: usize,
}

/// Profiles of the store, one at a time; the usual way is to fetch a batch's profiles together first.
struct StoreCold<'a> {
    store: Option<&'a SharedStore>,
    number: usize,
    of: usize,
}

impl Cold for StoreCold<'_> {
    fn fetch(&mut self, profile: ProfileId) -> Option<Profile> {
        self.store.and_then(|store| store.profile(profile))
    }

    fn all(&mut self) -> Vec<ProfileId> {
        let mut ids = self.store.map(SharedStore::profile_ids).unwrap_or_default();
        ids.retain(|id| partition_of(*id, self.of) == self.number);
        ids
    }

    fn each(&mut self, visit: &mut dyn FnMut(Profile)) {
        let Some(store) = self.store else { return };
        store.each_profile(&mut |profile| {
            if partition_of(profile.id, self.of) == self.number {
                visit(profile);
            }
        });
    }
}

impl Parcel {
    pub fn new(from: u16, first: u64) -> Parcel {
        Parcel { from, first, count: 0, letters: Vec::new() }
    }

    pub fn push(&mut self, delivery: &Delivery<'_>) {
        let letters = std::mem::take(&mut self.letters);
        self.letters = postcard::to_extend(delivery, letters).expect("a delivery has no unserialisable part");
        self.count += 1;
    }
}

impl Partition {
    pub fn new(number: u16, shard: Shard, store: Option<SharedStore>) -> Partition {
        Partition { number, shard, expected: BTreeMap::new(), early: BTreeMap::new(), next: BTreeMap::new(), store, of: 1 }
    }

    /// Number of the next letter from this sender.
    pub fn expected_from(&self, sender: u16) -> u64 {
        self.expected.get(&sender).copied().unwrap_or(0)
    }

    /// Applies one delivery at once, where sender and receiver share a thread.
    pub fn apply(&mut self, delivery: Delivery<'_>) {
        let mut cold = StoreCold { store: self.store.as_ref(), number: usize::from(self.number), of: self.of };
        self.shard.apply(delivery, &mut cold);
    }

    /// See [`Shard::review`].
    pub fn review(&mut self, before: &Index) {
        let mut cold = StoreCold { store: self.store.as_ref(), number: usize::from(self.number), of: self.of };
        self.shard.review(before, &mut cold);
    }

    /// Takes a parcel: repeats are dropped, what comes too early waits for what belongs before it.
    pub fn receive(&mut self, parcel: Parcel) {
        self.early.insert((parcel.from, parcel.first), parcel.clone());
        let from = parcel.from;
        loop {
            let expected = *self.expected.entry(from).or_insert(0);
            let Some((&key, _)) = self.early.range((from, 0)..=(from, expected)).next() else { return };
            let Some(parcel) = self.early.remove(&key) else { return };
            self.open(&parcel, expected);
        }
    }

    fn open(&mut self, parcel: &Parcel, expected: u64) {
        let mut rest = parcel.letters.as_slice();
        let mut fetched = self.store.is_none();
        for number in parcel.first..parcel.first + parcel.count {
            let (delivery, after) = postcard::take_from_bytes::<Delivery<'_>>(rest).expect("a parcel is packed by this program");
            if number >= expected {
                if !fetched {
                    self.fetch_ahead(rest);
                    fetched = true;
                }
                self.apply(delivery);
            }
            rest = after;
        }
        let next = self.expected.entry(parcel.from).or_insert(0);
        *next = (*next).max(parcel.first + parcel.count);
    }

    /// Brings the profiles of the coming letters into memory, in one go.
    fn fetch_ahead(&mut self, letters: &[u8]) {
        let mut wanted = Vec::new();
        let mut rest = letters;
        while !rest.is_empty() {
            let (delivery, after) = postcard::take_from_bytes::<Delivery<'_>>(rest).expect("a parcel is packed by this program");
            wanted.extend(delivery.profile());
            rest = after;
        }
        self.fetch(&wanted);
    }

    /// Brings these profiles into memory, those that are not yet.
    pub fn fetch(&mut self, wanted: &[ProfileId]) {
        let Some(store) = &self.store else { return };
        let mut missing: Vec<ProfileId> = wanted.iter().copied().filter(|id| !self.shard.is_warm(*id)).collect();
        missing.sort_unstable();
        missing.dedup();
        store.profiles(&missing, |profile| self.shard.warm(profile));
    }

    /// States on their way to other partitions, packed and numbered; those for this partition stay in place.
    pub fn take_parcels(&mut self, partitions: usize) -> Vec<(usize, Parcel)> {
        let mut parcels = Vec::new();
        while let Some(delivery) = self.shard.outgoing.pop() {
            let Some(profile) = delivery.profile() else { continue };
            let to = partition_of(profile, partitions);
            if to == usize::from(self.number) {
                self.apply(delivery);
                continue;
            }
            let next = self.next.entry(u16::try_from(to).unwrap_or(FRONT)).or_insert(0);
            let mut parcel = Parcel::new(self.number, *next);
            *next += 1;
            parcel.push(&delivery);
            parcels.push((to, parcel));
        }
        parcels
    }

    /// Whether nothing waits here: no merge under way, no letter that came too early.
    pub fn is_quiet(&self) -> bool {
        self.shard.is_quiet() && self.early.is_empty()
    }

    /// Numbers of letters as their row keeps them.
    pub(crate) fn counters(&self) -> Vec<u8> {
        postcard::to_stdvec(&(&self.expected, &self.next)).expect("counters have no unserialisable part")
    }

    pub(crate) fn read_counters(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        (self.expected, self.next) = postcard::from_bytes(bytes)?;
        Ok(())
    }
}

//! How many passages went which way in which hour: a row per journey version and hour, kept for two weeks.
//!
//! In memory are only the last hours; the others are read from the store by whoever asks.

use super::counts::{Ways, hour};
use crate::checkpoint::{SharedStore, number};
use faden_engine::track::Move;
use faden_storage::{Batch, Store, StoreError, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, RangeInclusive};

/// Hours that are kept.
pub const HOURS: u64 = 24 * 14;

/// Journey, version, hour since 1970.
type Key = (u64, u64, u64);

/// Hours whose rows stay in memory: nobody waits for the store to count one more.
const WARM: u64 = 2;

/// Hours that passages move in.
#[derive(Default)]
pub struct Flow {
    rows: BTreeMap<Key, Ways>,
    /// Since the last checkpoint.
    changed: BTreeSet<Key>,
    /// The hour up to which old rows were dropped.
    swept: u64,
}

fn bytes(key: Key) -> [u8; 24] {
    let mut bytes = [0; 24];
    for (place, part) in bytes.chunks_exact_mut(8).zip([key.0, key.1, key.2]) {
        place.copy_from_slice(&part.to_be_bytes());
    }
    bytes
}

impl Flow {
    pub(super) fn follow(&mut self, moved: &Move, store: Option<&SharedStore>) {
        let key = (moved.journey, moved.version, hour(moved.at));
        let ways = self.rows.entry(key).or_insert_with(|| store.and_then(|store| stored(store, key)).unwrap_or_default());
        *ways.entry((moved.from, moved.to, moved.went.clone())).or_default() += 1;
        self.changed.insert(key);
    }

    /// Hours of a version in memory; they stand before those of the store.
    pub fn unsaved(&self, journey: u64, version: u64, hours: RangeInclusive<u64>) -> BTreeMap<u64, Ways> {
        let range = self.rows.range((journey, version, *hours.start())..=(journey, version, *hours.end()));
        range.map(|((.., hour), ways)| (*hour, ways.clone())).collect()
    }

    /// `true` where it is time to [`sweep`].
    pub(super) fn write(&mut self, now: u64, batch: &mut Batch) -> bool {
        for key in std::mem::take(&mut self.changed) {
            if let Some(ways) = self.rows.get(&key) {
                batch.put(Table::Moves, &bytes(key), &postcard::to_stdvec(ways).expect("counts have no unserialisable part"));
            }
        }
        self.rows.retain(|(.., hour), _| hour + WARM > now);
        let is_later = now > self.swept;
        self.swept = self.swept.max(now);
        is_later
    }
}

/// Lets go of rows that are older than [`HOURS`].
pub(super) fn sweep(now: u64, store: &dyn Store, batch: &mut Batch) -> Result<(), StoreError> {
    store.scan(Table::Moves, &[], &[], &mut |key, _| {
        if key.get(16..).and_then(number).is_some_and(|hour| hour + HOURS < now) {
            batch.delete(Table::Moves, key);
        }
        ControlFlow::Continue(())
    })
}

fn stored(store: &SharedStore, key: Key) -> Option<Ways> {
    let mut row = None;
    store.look_up(Table::Moves, &[&bytes(key)], &mut |_, value| row = value.and_then(|value| postcard::from_bytes(value).ok()));
    row
}

/// How many went which way in these hours: those of the store with `unsaved` over them.
pub fn between(store: &SharedStore, unsaved: BTreeMap<u64, Ways>, journey: u64, version: u64, hours: RangeInclusive<u64>) -> Ways {
    let mut sum = Ways::new();
    let mut add = |ways: Ways| ways.into_iter().for_each(|(way, count)| *sum.entry(way).or_default() += count);
    let (from, until) = (bytes((journey, version, *hours.start())), [bytes((journey, version, *hours.end())).as_slice(), &[0]].concat());
    store.range(Table::Moves, &from, &until, &mut |key, value| {
        if key.get(16..).and_then(number).is_some_and(|hour| !unsaved.contains_key(&hour)) {
            postcard::from_bytes(value).into_iter().for_each(&mut add);
        }
        ControlFlow::Continue(())
    });
    unsaved.into_values().for_each(add);
    sum
}

//! Checkpoints: everything that changed, in one atomic batch with the log position it reaches.
//!
//! A checkpoint is a cut through the whole node: no merge under way, no letter between partitions. What
//! was decided since the last one is committed with the state it belongs to. Keys are big-endian, so that
//! the store's order is the order of numbers.

use crate::partition::Partition;
use crate::views::ViewsCut;
use faden_engine::decision::{Decision, Kind, MessageOutcome, read_row, write_row};
use faden_engine::front::{Front, Unsaved, partition_of};
use faden_engine::profile::Profile;
use faden_engine::shard::Changed;
use faden_model::id::Born;
use faden_model::{ProfileId, Timestamp};
use faden_storage::store::{Beside, Visit, VisitMany};
use faden_storage::{Batch, Position, Store, StoreError, Table};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};

/// The store, shared by the threads of one node.
///
/// Profiles and message ids are looked up beside commits, where the store can. Nobody asks for what a commit
/// is changing: a profile that changed stays in memory until the commit has returned, one that left is known
/// to have left (`Shard::bring`), and message ids are remembered until a later commit begins.
#[derive(Clone)]
pub struct SharedStore {
    store: Arc<Mutex<Box<dyn Store>>>,
    beside: Option<Arc<dyn Beside>>,
}

/// Profiles that are worth a second thread: fetching one takes some microseconds, starting a thread some ten.
const BESIDE_MIN: usize = 64;

impl SharedStore {
    pub fn new(store: Box<dyn Store>) -> SharedStore {
        SharedStore { beside: store.beside(), store: Arc::new(Mutex::new(store)) }
    }

    pub fn lock(&self) -> MutexGuard<'_, Box<dyn Store>> {
        self.store.lock().expect("no thread panics while it holds the store")
    }

    /// A stored profile. A store that cannot be read ends the process: going on would forget the customer.
    pub fn profile(&self, id: ProfileId) -> Option<Profile> {
        self.fetch(&[id]).pop()
    }

    /// Many stored profiles; `ids` is sorted. Where there are many, another core takes half of them.
    pub fn profiles(&self, ids: &[ProfileId], visit: impl FnMut(Profile)) {
        if self.beside.is_none() || ids.len() < BESIDE_MIN {
            return self.fetch(ids).into_iter().for_each(visit);
        }
        let (here, there) = ids.split_at(ids.len() / 2);
        let (here, there) = std::thread::scope(|scope| {
            let there = scope.spawn(|| self.fetch(there));
            (self.fetch(here), there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        here.into_iter().chain(there).for_each(visit);
    }

    fn fetch(&self, ids: &[ProfileId]) -> Vec<Profile> {
        let mut profiles = Vec::with_capacity(ids.len());
        look_up_profiles(ids, |keys, found| self.look_up(Table::Profiles, keys, found), |_, profile| profiles.extend(profile));
        profiles
    }

    pub(crate) fn look_up(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) {
        let found = match &self.beside {
            Some(beside) => beside.look_up(table, keys, visit),
            None => self.lock().get_many(table, keys, visit),
        };
        found.unwrap_or_else(|error| unreadable(&error));
    }

    /// Visits every stored profile, in the order of ids.
    pub fn each_profile(&self, visit: &mut dyn FnMut(Profile)) {
        self.each(Table::Profiles, |key, bytes| {
            if let Some(id) = number(key) {
                visit(decode(ProfileId(id), bytes));
            }
        });
    }

    pub fn profile_ids(&self) -> Vec<ProfileId> {
        let mut ids = Vec::new();
        self.each(Table::Profiles, |key, _| ids.extend(number(key).map(ProfileId)));
        ids
    }

    /// Visits every pair of a table in key order.
    pub fn each(&self, table: Table, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut go = |key: &[u8], value: &[u8]| {
            visit(key, value);
            ControlFlow::Continue(())
        };
        self.lock().scan(table, &[], &[], &mut go).unwrap_or_else(|error| unreadable(&error));
    }

    /// The value of one key.
    pub fn value(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.lock().get(table, key).unwrap_or_else(|error| unreadable(&error))
    }

    /// Visits the pairs with `from <= key < until` in key order; an empty `until` means to the end.
    pub fn range(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) {
        self.lock().scan(table, from, until, visit).unwrap_or_else(|error| unreadable(&error));
    }

    /// [`SharedStore::range`] that waits for no commit: a running one shows or does not.
    pub fn range_beside(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) {
        let view = self.beside.as_ref().map_or_else(|| self.lock().view(), |beside| beside.view());
        view.scan(table, from, until, visit).unwrap_or_else(|error| unreadable(&error));
    }

    /// [`SharedStore::range`], last key first.
    pub fn back(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) {
        self.lock().scan_back(table, from, until, visit).unwrap_or_else(|error| unreadable(&error));
    }

    /// Visits the stored decisions of one strand, in the order of their counts.
    pub fn decisions_of(&self, strand: ProfileId, mut visit: impl FnMut(&Decision)) {
        let (from, until) = (strand.0.to_be_bytes(), (strand.0 + 1).to_be_bytes());
        self.range(Table::Decisions, &from, &until, &mut |_, row| {
            read_decisions(row, &mut visit);
            ControlFlow::Continue(())
        });
    }

    /// Visits the stored decisions of one strand, newest first, until `visit` says `false`. The first ones may
    /// still be at or behind `before`, the count that the asked ones are before.
    pub fn decisions_back(&self, strand: ProfileId, before: Option<u32>, mut visit: impl FnMut(&Decision) -> bool) {
        let from = strand.0.to_be_bytes();
        let until =
            before.map_or_else(|| (strand.0 + 1).to_be_bytes().to_vec(), |before| born_key(Born { under: strand, count: before }).to_vec());
        self.back(Table::Decisions, &from, &until, &mut |_, row| {
            let mut decisions = Vec::new();
            read_decisions(row, &mut |decision: &Decision| decisions.push(decision.clone()));
            if decisions.iter().rev().all(&mut visit) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }

    /// Visits every stored decision, in the order of ids.
    pub fn each_decision(&self, mut visit: impl FnMut(&Decision)) {
        self.each(Table::Decisions, |_, row| read_decisions(row, &mut visit));
    }

    /// Where definitions were published, in the log's order.
    pub fn publications(&self) -> Vec<Position> {
        let mut found = Vec::new();
        self.each(Table::Definitions, |key, _| found.extend(number(key).map(Position)));
        found
    }

    /// Message fingerprints of late, and whether there are others, which [`SharedStore::saw`] finds.
    pub(crate) fn seen(&self) -> (Vec<u128>, bool) {
        let (mut lately, mut others) = (Vec::new(), false);
        self.each(Table::SeenLately, |_, row| lately.extend(messages(row)));
        self.range(Table::Seen, &[], &[], &mut |_, _| {
            others = true;
            ControlFlow::Break(())
        });
        (lately, others)
    }

    /// Whether this message fingerprint was seen before the ones in memory.
    pub fn saw(&self, message: u128) -> bool {
        let mut saw = false;
        self.look_up(Table::Seen, &[&message.to_be_bytes()], &mut |_, value| saw = value.is_some());
        saw
    }
}

fn decode(id: ProfileId, bytes: &[u8]) -> Profile {
    Profile::decode(bytes).unwrap_or_else(|error| panic!("profile {id}: {error}"))
}

fn read_decisions(row: &[u8], visit: &mut impl FnMut(&Decision)) {
    read_row(row, visit).unwrap_or_else(|error| panic!("the state store cannot be read: {error}"));
}

fn unreadable(error: &StoreError) -> ! {
    panic!("the state store cannot be read: {error} [{}]", error.code())
}

pub(crate) fn number(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(..8)?.try_into().ok()?))
}

/// What changed in one partition since the last checkpoint, as it was at the cut.
pub(crate) struct PartitionCut {
    changed: Vec<Changed>,
    /// Profiles that have left, with the due rows that the store holds for them.
    gone: BTreeMap<ProfileId, Timestamp>,
    listed: Vec<(u64, ProfileId, bool)>,
    number: u16,
    counters: Vec<u8>,
}

impl PartitionCut {
    pub(crate) fn take(partition: &mut Partition) -> PartitionCut {
        PartitionCut {
            gone: partition.shard.take_gone(),
            changed: partition.shard.take_dirty(),
            listed: std::mem::take(&mut partition.shard.listed_changes),
            number: partition.number,
            counters: partition.counters(),
        }
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// A profile that changed, as it was at the cut.
    fn profile(&self, id: ProfileId) -> Option<&Profile> {
        let place = self.changed.binary_search_by_key(&id, |changed| changed.profile().id).ok()?;
        Some(self.changed[place].profile())
    }

    fn write(&self, batch: &mut Batch) {
        for (id, stored_due) in &self.gone {
            batch.delete(Table::Profiles, &id.0.to_be_bytes());
            if *stored_due != Timestamp::MAX {
                batch.delete(Table::Due, &due_key(*stored_due, *id));
            }
        }
        for changed in &self.changed {
            let (profile, stored_due, due) = (changed.profile(), changed.stored_due, changed.due());
            batch.put_with(Table::Profiles, &profile.id.0.to_be_bytes(), |bytes| profile.encode_into(bytes));
            if stored_due != due {
                if stored_due != Timestamp::MAX {
                    batch.delete(Table::Due, &due_key(stored_due, profile.id));
                }
                if due != Timestamp::MAX {
                    batch.put(Table::Due, &due_key(due, profile.id), &[]);
                }
            }
        }
        for (audience, profile, entered) in &self.listed {
            let key = [audience.to_be_bytes(), profile.0.to_be_bytes()].concat();
            if *entered {
                batch.put(Table::Audiences, &key, &[]);
            } else {
                batch.delete(Table::Audiences, &key);
            }
        }
        batch.put(Table::Peers, &self.number.to_be_bytes(), &self.counters);
    }
}

/// Everything that changed in a node since the last checkpoint. Taking it is quick, making rows of it and
/// writing them is not: that can be done beside, while records go on being applied.
pub(crate) struct Cut {
    /// Rows that stand already, the log position among them.
    pub(crate) batch: Batch,
    /// In the order of their numbers.
    pub(crate) partitions: Vec<PartitionCut>,
    pub(crate) views: Option<ViewsCut>,
    pub(crate) seen: SeenCut,
    pub(crate) decisions: Vec<Decision>,
}

impl Cut {
    /// Makes rows and commits them. Gives back the decisions, which are rows then.
    pub(crate) fn commit(mut self, store: &mut dyn Store) -> Result<Vec<Decision>, StoreError> {
        let batch = &mut self.batch;
        let count = self.partitions.len();
        self.partitions.iter().for_each(|partition| partition.write(batch));
        self.seen.write(store, batch)?;
        write_decisions(&self.decisions, batch);
        match self.views {
            None => write_outbox(&self.decisions, batch),
            Some(views) => views.write(|id| self.partitions[partition_of(id, count)].profile(id), store, batch)?,
        }
        store.commit(batch)?;
        Ok(self.decisions)
    }
}

/// Message ids that were taken up to this position, which no checkpoint before had reached.
///
/// Those of late stand many in a row, in the order in which they came: they are in memory, and read only at
/// opening. Before they leave memory they are filed, sorted, each under a key of its own.
pub(crate) struct SeenCut {
    pub(crate) unsaved: Unsaved,
    pub(crate) position: Position,
}

impl SeenCut {
    fn write(&self, store: &mut dyn Store, batch: &mut Batch) -> Result<(), StoreError> {
        let taken = &self.unsaved.messages;
        if !self.unsaved.all_found {
            for (number, part) in (0u32..).zip(taken.chunks(SEEN_ROW)) {
                let key = [self.position.0.to_be_bytes().as_slice(), &number.to_be_bytes()].concat();
                batch.put_with(Table::SeenLately, &key, |bytes| part.iter().for_each(|id| bytes.extend(&id.to_be_bytes()[..SEEN_BYTES])));
            }
            return Ok(());
        }
        let mut lately: Vec<u128> = Vec::new();
        store.scan(Table::SeenLately, &[], &[], &mut |key, row| {
            lately.extend(messages(row));
            batch.delete(Table::SeenLately, key);
            ControlFlow::Continue(())
        })?;
        lately.sort_unstable();
        lately.dedup();
        store.file(Table::Seen, &mut lately.into_iter().map(u128::to_be_bytes))?;
        // Filing is not undone with this checkpoint: what only this one has taken must go with it.
        taken.iter().for_each(|message| batch.put(Table::Seen, &message.to_be_bytes(), &[]));
        Ok(())
    }
}

/// Bytes of a message id in a row of many: the lower ones are zero.
const SEEN_BYTES: usize = 12;

/// Message ids of one row at most.
const SEEN_ROW: usize = 65_536;

fn messages(row: &[u8]) -> impl Iterator<Item = u128> {
    row.chunks_exact(SEEN_BYTES).map(|id| {
        let mut bytes = [0; 16];
        bytes[..SEEN_BYTES].copy_from_slice(id);
        u128::from_be_bytes(bytes)
    })
}

/// Visits these profiles in their order, each with what `look_up` finds under its key in [`Table::Profiles`].
pub(crate) fn look_up_profiles<T>(
    ids: &[ProfileId],
    look_up: impl FnOnce(&[&[u8]], &mut VisitMany<'_>) -> T,
    mut visit: impl FnMut(ProfileId, Option<Profile>),
) -> T {
    let keys: Vec<[u8; 8]> = ids.iter().map(|id| id.0.to_be_bytes()).collect();
    let keys: Vec<&[u8]> = keys.iter().map(<[u8; 8]>::as_slice).collect();
    look_up(&keys, &mut |at, bytes| visit(ids[at], bytes.map(|bytes| decode(ids[at], bytes))))
}

/// Instants before 1970 sort before later ones: the sign bit is turned.
fn time_bytes(at: Timestamp) -> [u8; 8] {
    (at.0 as u64 ^ (1 << 63)).to_be_bytes()
}

/// The instant at the beginning of a key.
pub(crate) fn time_of_key(key: &[u8]) -> Option<Timestamp> {
    Some(Timestamp((number(key)? ^ (1 << 63)) as i64))
}

/// A key that sorts by time first.
pub(crate) fn time_key(at: Timestamp, rest: &[u8]) -> Vec<u8> {
    [&time_bytes(at), rest].concat()
}

fn due_key(due: Timestamp, id: ProfileId) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&time_bytes(due));
    key[8..].copy_from_slice(&id.0.to_be_bytes());
    key
}

pub(crate) fn read_due_key(key: &[u8]) -> Option<(Timestamp, ProfileId)> {
    Some((time_of_key(key)?, ProfileId(number(key.get(8..)?)?)))
}

/// Rows of the identity stream, but for the message ids.
pub(crate) fn write_identity(front: &mut Front, batch: &mut Batch) {
    front.identity.drain_changes(&mut |key: &[u8], value: Option<&[u8]>| match value {
        Some(value) => batch.put(Table::Identity, key, value),
        None => batch.delete(Table::Identity, key),
    });
    let state = postcard::to_stdvec(&front.state()).expect("counters have no unserialisable part");
    batch.put(Table::Meta, FRONT_KEY, &state);
}

pub(crate) const FRONT_KEY: &[u8] = b"front";

/// Decision rows.
///
/// One row holds what one profile decided since the last checkpoint, in the order of their counts, under the
/// id of the first: a row for each decision cost twice as much of a replay.
fn write_decisions(decisions: &[Decision], batch: &mut Batch) {
    let mut order: Vec<&Decision> = decisions.iter().collect();
    order.sort_unstable_by_key(|decision| decision.id);
    for group in order.chunk_by(|one, next| one.id.0.under == next.id.0.under) {
        batch.put_with(Table::Decisions, &born_key(group[0].id.0), |bytes| write_row(group.iter().copied(), bytes));
    }
}

/// A row for every message that has to go out, where no view follows what becomes of it.
fn write_outbox(decisions: &[Decision], batch: &mut Batch) {
    for decision in decisions {
        if let Kind::Message(message) = &decision.kind
            && message.outcome == MessageOutcome::Sent
        {
            batch.put(Table::Outbox, &born_key(message.id.0), &[]);
        }
    }
}

/// The profile it was born under and its count, so that rows stand in the order of ids.
pub(crate) fn born_key(born: Born) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&born.under.0.to_be_bytes());
    key[8..].copy_from_slice(&born.count.to_be_bytes());
    key
}

pub(crate) fn born_of_key(key: &[u8]) -> Option<Born> {
    Some(Born { under: ProfileId(number(key)?), count: u32::from_be_bytes(key.get(8..12)?.try_into().ok()?) })
}

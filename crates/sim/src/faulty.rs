//! A store and a disk that fail where they are told to.

use crate::mutation::Mutation;
use faden_storage::store::{Beside, Visit, VisitMany};
use faden_storage::{Batch, Disk, MemoryDisk, MemoryStore, Store, StoreError, Table};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the store is to do wrong; shared with whoever runs the world.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Default)]
pub struct Plan {
    /// Commits and flushes until one fails, and whether that one happens all the same.
    pub fail_in: Option<(u64, bool)>,
    pub mutation: Option<Mutation>,
    /// Commits until the mutation strikes; it strikes once.
    pub mutate_in: u64,
}

impl Faults {
    pub fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

pub struct FaultyStore {
    pub inner: MemoryStore,
    pub faults: Faults,
}

impl FaultyStore {
    fn operate(&mut self, work: impl FnOnce(&mut MemoryStore) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let failing = {
            let mut plan = self.faults.lock();
            match &mut plan.fail_in {
                Some((0, happens)) => Some(*happens),
                Some((left, _)) => {
                    *left -= 1;
                    None
                }
                None => None,
            }
        };
        match failing {
            None => work(&mut self.inner),
            Some(happens) => {
                if happens {
                    work(&mut self.inner)?;
                }
                Err(StoreError::Write { source: "the machine has stopped".into() })
            }
        }
    }

    /// The mutation to carry out on this commit, if it is its turn.
    fn strikes(&self, batch: &Batch) -> Option<Mutation> {
        let mut plan = self.faults.lock();
        let mutation = plan.mutation?;
        let table = match mutation {
            Mutation::DueLost => Table::Due,
            Mutation::DecisionTwice | Mutation::DecisionLost => Table::Decisions,
            Mutation::ProfileStale => Table::Profiles,
            Mutation::MemberLost => Table::Audiences,
            Mutation::SeenLost => Table::SeenLately,
            Mutation::CommitLost | Mutation::PositionAhead | Mutation::PositionBehind => Table::Meta,
            _ => return None,
        };
        if !batch.changes().any(|change| change.table == table && change.value.is_some()) {
            return None;
        }
        if plan.mutate_in > 0 {
            plan.mutate_in -= 1;
            return None;
        }
        plan.mutation = None;
        Some(mutation)
    }
}

/// The batch as the mutation leaves it.
fn mutated(batch: &Batch, mutation: Mutation) -> Batch {
    let mut out = Batch::new();
    let mut struck = false;
    for change in batch.changes() {
        let Some(value) = change.value else {
            out.delete(change.table, change.key);
            continue;
        };
        let loses = match mutation {
            Mutation::CommitLost => true,
            Mutation::DueLost => change.table == Table::Due,
            Mutation::DecisionLost => change.table == Table::Decisions && !struck,
            Mutation::ProfileStale => change.table == Table::Profiles && !struck,
            Mutation::MemberLost => change.table == Table::Audiences && !struck,
            Mutation::SeenLost => change.table == Table::SeenLately,
            _ => false,
        };
        if loses {
            struck = true;
            continue;
        }
        if mutation == Mutation::DecisionTwice && change.table == Table::Decisions && !struck {
            struck = true;
            out.put(Table::Decisions, &[change.key, b"again"].concat(), value);
        }
        let is_position = change.table == Table::Meta && change.key != b"front" && change.key != b"hash_key";
        match <[u8; 8]>::try_from(value).map(u64::from_be_bytes) {
            Ok(position) if is_position && mutation == Mutation::PositionAhead => {
                out.put(change.table, change.key, &(position + 1).to_be_bytes());
            }
            Ok(position) if is_position && mutation == Mutation::PositionBehind => {
                out.put(change.table, change.key, &position.saturating_sub(1).to_be_bytes());
            }
            _ => out.put(change.table, change.key, value),
        }
    }
    out
}

impl Store for FaultyStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let lost = table == Table::Meta && key == b"front" && self.faults.lock().mutation == Some(Mutation::ClockLost);
        if lost { Ok(None) } else { self.inner.get(table, key) }
    }

    fn get_many(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError> {
        self.inner.get_many(table, keys, visit)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let spoilt = self.strikes(batch).map(|mutation| mutated(batch, mutation));
        self.operate(|store| store.commit(spoilt.as_ref().unwrap_or(batch)))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.operate(MemoryStore::flush)
    }

    fn scan(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.inner.scan(table, from, until, visit)
    }

    fn scan_back(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.inner.scan_back(table, from, until, visit)
    }

    fn view(&self) -> Box<dyn Store> {
        Store::view(&self.inner)
    }

    fn disk_bytes(&self) -> u64 {
        self.inner.disk_bytes()
    }

    fn beside(&self) -> Option<Arc<dyn Beside>> {
        self.inner.beside()
    }
}

/// A disk that says "flushed" and has not flushed.
pub struct LyingDisk(pub MemoryDisk);

struct LyingFile(Box<dyn faden_storage::disk::DiskFile>);

impl Disk for LyingDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn faden_storage::disk::DiskFile>> {
        Ok(Box::new(LyingFile(self.0.open(path)?)))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn faden_storage::disk::DiskFile>> {
        // A new segment is flushed honestly: without a file of its name nothing would be lost later.
        self.0.create(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        self.0.list(directory)
    }
    fn create_dir(&self, directory: &Path) -> io::Result<()> {
        self.0.create_dir(directory)
    }
    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        self.0.sync_dir(directory)
    }
}

impl faden_storage::disk::DiskFile for LyingFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }
    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.0.preallocate(length)
    }
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }
}

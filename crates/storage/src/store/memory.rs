//! A store in memory: for tests, for replays that need no disk, and for the simulator.

use super::{Batch, Beside, Change, Store, StoreError, Table, Visit, VisitMany, bounds};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

/// Sorted tables in memory. A clone is another handle to the same store, as a test keeps one over a
/// crash of the thing it tests.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<Contents>>,
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Default)]
struct Contents {
    now: [Rows; Table::ALL.len()],
    bytes: u64,
    /// How to take back the commits since the last flush, oldest first; kept only if crashes are wanted.
    undo: Option<Vec<Undo>>,
}

/// What the changed keys held before a commit, in the order they were changed.
type Undo = Vec<(Table, Vec<u8>, Option<Vec<u8>>)>;

impl MemoryStore {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that can [`crash`](Self::crash); it remembers what its unflushed commits replaced.
    #[must_use]
    pub fn crashable() -> Self {
        let store = Self::default();
        store.lock().undo = Some(Vec::new());
        store
    }

    /// Commits since the last flush, which a crash may lose.
    #[must_use]
    pub fn unflushed_commits(&self) -> usize {
        self.lock().undo.as_ref().map_or(0, Vec::len)
    }

    /// Power goes: of the commits since the last flush only the first `keep` survive.
    ///
    /// # Panics
    /// If the store was not made by [`MemoryStore::crashable`].
    pub fn crash(&self, keep: usize) {
        let mut contents = self.lock();
        let mut undo = contents.undo.take().expect("only a crashable store crashes");
        while undo.len() > keep {
            let commit = undo.pop().expect("longer than `keep`");
            for (table, key, value) in commit.into_iter().rev() {
                contents.set(table, &key, value.as_deref());
            }
        }
        contents.undo = Some(Vec::new());
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.shared.lock().expect("no holder of this lock panics")
    }
}

impl Contents {
    fn rows(&self, table: Table) -> &Rows {
        &self.now[usize::from(table.number()) - 1]
    }

    /// Returns what the key held before.
    fn set(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Option<Vec<u8>> {
        let rows = &mut self.now[usize::from(table.number()) - 1];
        let before = match value {
            Some(value) => {
                self.bytes += (key.len() + value.len()) as u64;
                rows.insert(key.to_vec(), value.to_vec())
            }
            None => rows.remove(key),
        };
        if let Some(before) = &before {
            self.bytes -= (key.len() + before.len()) as u64;
        }
        before
    }
}

impl Beside for MemoryStore {
    fn look_up(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError> {
        self.get_many(table, keys, visit)
    }

    fn view(&self) -> Box<dyn Store> {
        Store::view(self)
    }
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().rows(table).get(key).cloned())
    }

    fn get_many(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError> {
        let contents = self.lock();
        let rows = contents.rows(table);
        for (index, key) in keys.iter().enumerate() {
            visit(index, rows.get(*key).map(Vec::as_slice));
        }
        Ok(())
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut contents = self.lock();
        let mut undo = Undo::new();
        let wanted = contents.undo.is_some();
        for Change { table, key, value } in batch.changes() {
            let before = contents.set(table, key, value);
            if wanted {
                undo.push((table, key.to_vec(), before));
            }
        }
        if let Some(commits) = &mut contents.undo {
            commits.push(undo);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if let Some(commits) = &mut self.lock().undo {
            commits.clear();
        }
        Ok(())
    }

    fn scan(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if let Some(range) = bounds(from, until) {
            visit_rows(self.lock().rows(table).range::<[u8], _>(range), visit);
        }
        Ok(())
    }

    fn scan_back(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if let Some(range) = bounds(from, until) {
            visit_rows(self.lock().rows(table).range::<[u8], _>(range).rev(), visit);
        }
        Ok(())
    }

    fn view(&self) -> Box<dyn Store> {
        let now = self.lock();
        let contents = Contents { now: now.now.clone(), bytes: now.bytes, undo: None };
        Box::new(Self { shared: Arc::new(Mutex::new(contents)) })
    }

    fn disk_bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn beside(&self) -> Option<Arc<dyn Beside>> {
        Some(Arc::new(self.clone()))
    }
}

fn visit_rows<'r>(mut rows: impl Iterator<Item = (&'r Vec<u8>, &'r Vec<u8>)>, visit: &mut Visit<'_>) {
    // Whoever breaks has seen enough.
    let _ = rows.try_for_each(|(key, value)| visit(key, value));
}

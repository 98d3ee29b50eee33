//! The state store on redb, a copy-on-write B-tree: the engine that was not chosen.
//!
//! Kept for the shared tests and for `examples/store_bench.rs`, so that the choice in
//! `docs/decisions/state-store.md` can be measured again. A commit without durability is one root
//! swap in memory; after a crash redb opens at its last durable root, so a crash leaves a prefix.

use faden_storage::{
    Batch, Store, StoreError, StoreOptions, Table,
    store::{Visit, VisitMany},
};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use std::ops::Bound;

pub struct RedbStore {
    database: Database,
    file: std::path::PathBuf,
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

impl RedbStore {
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let failed = |source: Cause| StoreError::Open { directory: options.directory.clone(), source };
        std::fs::create_dir_all(&options.directory).map_err(|error| failed(error.into()))?;
        let file = options.directory.join("store.redb");
        let cache = usize::try_from(options.cache_bytes).unwrap_or(usize::MAX);
        let database = Database::builder().set_cache_size(cache).create(&file).map_err(|error| failed(error.into()))?;
        let transaction = database.begin_write().map_err(|error| failed(error.into()))?;
        for table in Table::ALL {
            transaction.open_table(definition(table)).map_err(|error| failed(error.into()))?;
        }
        transaction.commit().map_err(|error| failed(error.into()))?;
        Ok(Self { database, file })
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), Cause> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(durability)?;
        for table in Table::ALL {
            let mut changes = batch.changes().filter(|change| change.table == table).peekable();
            if changes.peek().is_none() {
                continue;
            }
            let mut rows = transaction.open_table(definition(table))?;
            for change in changes {
                match change.value {
                    Some(value) => drop(rows.insert(change.key, value)?),
                    None => drop(rows.remove(change.key)?),
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn visit_many(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), Cause> {
        let transaction = self.database.begin_read()?;
        let rows = transaction.open_table(definition(table))?;
        for (index, key) in keys.iter().enumerate() {
            let value = rows.get(*key)?;
            visit(index, value.as_ref().map(|value| value.value()));
        }
        Ok(())
    }

    fn visit_range(&self, table: Table, (from, until): (&[u8], &[u8]), backwards: bool, visit: &mut Visit<'_>) -> Result<(), Cause> {
        let end = if until.is_empty() { Bound::Unbounded } else { Bound::Excluded(until) };
        if !until.is_empty() && from >= until {
            return Ok(());
        }
        let rows = self.database.begin_read()?.open_table(definition(table))?;
        let mut range = ReadableTable::range::<&[u8]>(&rows, (Bound::Included(from), end))?;
        while let Some(row) = if backwards { range.next_back() } else { range.next() } {
            let (key, value) = row?;
            if visit(key.value(), value.value()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Store for RedbStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut found = None;
        self.get_many(table, &[key], &mut |_, value| found = value.map(<[u8]>::to_vec))?;
        Ok(found)
    }

    fn get_many(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError> {
        self.visit_many(table, keys, visit).map_err(|source| StoreError::Read { table, source })
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.write(batch, Durability::None).map_err(|source| StoreError::Write { source })
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.write(&Batch::new(), Durability::Immediate).map_err(|source| StoreError::Write { source })
    }

    fn scan(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.visit_range(table, (from, until), false, visit).map_err(|source| StoreError::Read { table, source })
    }

    fn scan_back(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.visit_range(table, (from, until), true, visit).map_err(|source| StoreError::Read { table, source })
    }

    fn view(&self) -> Box<dyn Store> {
        let mut copy = faden_storage::MemoryStore::default();
        let mut batch = Batch::new();
        for table in Table::ALL {
            let mut put = |key: &[u8], value: &[u8]| {
                batch.put(table, key, value);
                std::ops::ControlFlow::Continue(())
            };
            self.scan(table, &[], &[], &mut put).expect("the store can be read");
        }
        copy.commit(&batch).expect("memory takes everything");
        Box::new(copy)
    }

    fn disk_bytes(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |metadata| metadata.len())
    }
}

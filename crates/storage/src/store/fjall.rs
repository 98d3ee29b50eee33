//! The state store on fjall, a log-structured merge tree.
//!
//! A commit goes to fjall's journal and memtables; the journal is not synced with it. What fjall
//! 3.1.13 promises then, by its source (`worker_pool.rs`, `journal/batch_reader.rs`, `recovery.rs`):
//! a batch is applied whole or not at all (start marker, count, checksum, end marker); before a
//! memtable becomes a table file the journal is synced, so a table file never knows more than the
//! journal; at recovery the journal is cut at its first incomplete batch. Hence a crash leaves a
//! prefix of the commits. Should a hole in an unsynced journal look like a complete batch with a
//! wrong checksum, fjall refuses to open rather than guess: that is [`StoreError::Open`], and the
//! store is rebuilt from backup and log.

#[cfg(target_os = "linux")]
use super::paced::Pace;
use super::{Batch, Beside, Change, Store, StoreError, StoreOptions, Table, Visit, VisitMany, bounds};
use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable,
    compaction::Leveled,
    config::{BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry, HashRatioPolicy},
};
use std::io;
use std::sync::Arc;

/// Threads that write out memtables and merge table files, beside the one that commits. A second one
/// took a quarter more CPU time for the same work.
const WORKER_THREADS: usize = 1;

/// Bytes of changes a table collects in memory before they are written out; up to five of them wait
/// per table when merging falls behind.
const MEMTABLE_BYTES: u64 = 32 << 20;

/// Bytes of journal after which the slowest table is written out so that its journal can go. What
/// is in the journals is read again at opening, a second or two for this many.
const JOURNAL_BYTES_MAX: u64 = 128 << 20;

/// Fresh table files of a table after which they are merged with what is below them: half as many merges as after
/// four. Each ends in some flushes, during which nobody looks anything up in that table.
const FRESH_FILES_MAX: u8 = 8;

/// Bits per key of the filters that answer "not here" without touching the disk.
const FILTER_BITS_PER_KEY: f32 = 10.0;

/// A store in a directory of its own, which nothing else may open at the same time.
pub struct FjallStore {
    tables: Arc<Tables>,
    #[cfg(target_os = "linux")]
    pace: Pace,
    stopped: bool,
}

struct Tables {
    database: Database,
    /// By number, from 1.
    rows: Vec<Keyspace>,
}

impl FjallStore {
    /// Opens the store, creating it where there is none.
    ///
    /// # Errors
    /// [`StoreError::Open`].
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let failed = |source: fjall::Error| StoreError::Open { directory: options.directory.clone(), source: Box::new(source) };
        // Its workers are as patient as the thread that starts them.
        let open = || {
            let database = Database::builder(&options.directory).cache_size(options.cache_bytes);
            crate::step_back();
            database.worker_threads(WORKER_THREADS).max_journaling_size(JOURNAL_BYTES_MAX).open()
        };
        let opened = std::thread::scope(|scope| scope.spawn(open).join());
        let database = opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map_err(failed)?;
        let mut rows = Vec::new();
        for table in Table::ALL {
            rows.push(database.keyspace(table.name(), || table_options(table)).map_err(failed)?);
        }
        Ok(Self {
            tables: Arc::new(Tables { database, rows }),
            stopped: false,
            #[cfg(target_os = "linux")]
            pace: Pace::start(&options.directory),
        })
    }

    fn table(&self, table: Table) -> &Keyspace {
        self.tables.table(table)
    }

    /// The pairs with `from <= key < until`; nothing where no key can lie between.
    fn rows(&self, table: Table, from: &[u8], until: &[u8]) -> Option<fjall::Iter> {
        bounds(from, until).map(|range| self.table(table).range::<&[u8], _>(range))
    }

    fn write_error(&mut self, error: fjall::Error) -> StoreError {
        self.stopped = true;
        match &error {
            fjall::Error::Io(cause) if cause.kind() == io::ErrorKind::StorageFull => StoreError::Full { source: Box::new(error) },
            _ => StoreError::Write { source: Box::new(error) },
        }
    }
}

/// Point look-ups get a hash index per block; tables that are only scanned get no filters.
fn table_options(table: Table) -> KeyspaceCreateOptions {
    // Fresh levels are merged again soon: compressing them too took a third more CPU time.
    let levels = [CompressionType::None, CompressionType::None, CompressionType::Lz4];
    let options = KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .compaction_strategy(Arc::new(Leveled::default().with_l0_threshold(FRESH_FILES_MAX)))
        .data_block_compression_policy(CompressionPolicy::new(levels));
    let filter = FilterPolicy::all(FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(FILTER_BITS_PER_KEY)));
    match table {
        // Nearly every look-up here misses; random keys do not compress.
        Table::Seen => options.filter_policy(filter).data_block_compression_policy(CompressionPolicy::all(CompressionType::None)),
        // Read in ranges from a remembered key; never by a key that may be missing.
        Table::Due
        | Table::Outbox
        | Table::Decisions
        | Table::DecisionsByTime
        | Table::Facts
        | Table::SeenLately
        | Table::MessagesByTime
        | Table::Timeline
        | Table::Search => options.filter_policy(FilterPolicy::disabled()),
        _ => options.filter_policy(filter).data_block_hash_ratio_policy(HashRatioPolicy::all(0.75)),
    }
}

fn read_error(table: Table, error: fjall::Error) -> StoreError {
    StoreError::Read { table, source: Box::new(error) }
}

/// The store as it was at one moment.
struct FjallView {
    snapshot: fjall::Snapshot,
    tables: Arc<Tables>,
}

impl FjallView {
    fn rows(&self, table: Table, from: &[u8], until: &[u8]) -> Option<fjall::Iter> {
        bounds(from, until).map(|range| self.snapshot.range::<&[u8], _>(self.tables.table(table), range))
    }
}

impl Store for FjallView {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.snapshot.get(self.tables.table(table), key).map_err(|error| read_error(table, error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn get_many(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError> {
        for (index, key) in keys.iter().enumerate() {
            visit(index, self.get(table, key)?.as_deref());
        }
        Ok(())
    }

    fn commit(&mut self, _: &Batch) -> Result<(), StoreError> {
        Err(StoreError::Stopped)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        Err(StoreError::Stopped)
    }

    fn scan(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        visit_rows(table, self.rows(table, from, until).into_iter().flatten(), visit)
    }

    fn scan_back(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        visit_rows(table, self.rows(table, from, until).into_iter().flat_map(Iterator::rev), visit)
    }

    fn view(&self) -> Box<dyn Store> {
        Box::new(FjallView { snapshot: self.snapshot.clone(), tables: self.tables.clone() })
    }

    fn disk_bytes(&self) -> u64 {
        0
    }
}

fn visit_rows(table: Table, rows: impl Iterator<Item = fjall::Guard>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
    for row in rows {
        let (key, value) = row.into_inner().map_err(|error| read_error(table, error))?;
        if visit(&key, &value).is_break() {
            break;
        }
    }
    Ok(())
}

impl Tables {
    fn table(&self, table: Table) -> &Keyspace {
        &self.rows[usize::from(table.number()) - 1]
    }
}

impl Beside for Tables {
    fn look_up(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError> {
        let rows = self.table(table);
        for (index, key) in keys.iter().enumerate() {
            let value = rows.get(key).map_err(|error| read_error(table, error))?;
            visit(index, value.as_deref());
        }
        Ok(())
    }

    fn view(&self) -> Box<dyn Store> {
        let tables = Tables { database: self.database.clone(), rows: self.rows.clone() };
        Box::new(FjallView { snapshot: self.database.snapshot(), tables: Arc::new(tables) })
    }
}

impl Store for FjallStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.table(table).get(key).map_err(|error| read_error(table, error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn get_many(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError> {
        self.tables.look_up(table, keys, visit)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        // One sequence number covers a whole fjall batch, so two changes of one key would be a tie:
        // only the last one is handed on.
        let mut changes: Vec<Change<'_>> = batch.changes().collect();
        changes.sort_by_key(|change| (change.table, change.key));
        #[cfg(target_os = "linux")]
        self.pace.committing();
        let mut writes = self.tables.database.batch();
        for (index, change) in changes.iter().enumerate() {
            let overwritten = changes.get(index + 1).is_some_and(|next| (next.table, next.key) == (change.table, change.key));
            match change.value {
                _ if overwritten => {}
                Some(value) => writes.insert(self.table(change.table), change.key, value),
                None => writes.remove(self.table(change.table), change.key),
            }
        }
        writes.commit().map_err(|error| self.write_error(error))
    }

    /// Straight into table files, past journal and memtables: a fifth of the work of commits.
    fn file(&mut self, table: Table, keys: &mut dyn Iterator<Item = [u8; 16]>) -> Result<(), StoreError> {
        self.flush()?;
        let filed = self.table(table).start_ingestion().and_then(|mut rows| {
            for key in keys {
                rows.write(key.as_slice(), [].as_slice())?;
            }
            rows.finish()
        });
        filed.map_err(|error| self.write_error(error))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        self.tables.database.persist(PersistMode::SyncAll).map_err(|error| self.write_error(error))
    }

    fn scan(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        visit_rows(table, self.rows(table, from, until).into_iter().flatten(), visit)
    }

    fn scan_back(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        visit_rows(table, self.rows(table, from, until).into_iter().flat_map(Iterator::rev), visit)
    }

    fn view(&self) -> Box<dyn Store> {
        self.tables.view()
    }

    fn disk_bytes(&self) -> u64 {
        self.tables.database.disk_space().unwrap_or(0)
    }

    fn beside(&self) -> Option<Arc<dyn Beside>> {
        Some(self.tables.clone())
    }
}

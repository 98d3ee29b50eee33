//! The state store: tables of sorted keys, committed in atomic batches, behind one small interface.
//!
//! A commit is atomic over all tables and is *not* durable when it returns: the log is the
//! durability, and every batch carries the log position it reaches. After a crash a store comes
//! back as it was after some earlier commit, at the latest flush or later, never as a mixture; what
//! is missing is replayed from the log. After [`Store::flush`] log segments before
//! [`Store::log_position`] may go.
//!
//! Keys order as bytes. An empty key is not allowed; an empty value is.

mod batch;
mod fjall;
mod memory;
#[cfg(target_os = "linux")]
mod paced;

pub use batch::{Batch, Change};
pub(crate) use batch::{IMPORTING_KEY, LOG_POSITION_KEY};
pub use fjall::FjallStore;
pub use memory::MemoryStore;

use crate::log::Position;
use std::ops::{Bound, ControlFlow};
use std::path::PathBuf;
use std::sync::Arc;

/// The tables. Numbers are written to disk and to backups: fixed for ever, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Facts about the store itself: the log position, the format.
    Meta = 1,
    Profiles = 2,
    /// Identifier to profile, redirects.
    Identity = 3,
    /// The merge ledger.
    Merges = 4,
    /// Message ids that were taken already.
    Seen = 5,
    /// Timers by due time.
    Due = 6,
    Outbox = 7,
    Decisions = 8,
    Enrollments = 9,
    Audiences = 10,
    /// Counters of messages between partitions.
    Peers = 11,
    /// Published definitions.
    Definitions = 12,
    Facts = 13,
    /// What became of every message.
    Messages = 14,
    /// Messages by the time they were decided.
    MessagesByTime = 15,
    /// Messages by the name that their provider gave them.
    MessagesByProvider = 16,
    /// Where the events of a strand stand in the log.
    Timeline = 17,
    /// Words by which profiles are found.
    Search = 18,
    /// Who is in which audience, and since when.
    Members = 19,
    /// Who entered and left an audience, by time.
    AudienceChanges = 20,
    /// Consents given and withdrawn, by time and by customer.
    Consents = 21,
    /// Arms of experiments by passage.
    Exposures = 22,
    /// Which decisions were made when.
    DecisionsByTime = 23,
    /// Moves of passages by journey version and hour.
    Moves = 24,
    /// Message ids that were taken lately, many in a row.
    SeenLately = 25,
}

impl Table {
    /// All tables, in the order of their numbers.
    pub const ALL: [Table; 25] = [
        Table::Meta,
        Table::Profiles,
        Table::Identity,
        Table::Merges,
        Table::Seen,
        Table::Due,
        Table::Outbox,
        Table::Decisions,
        Table::Enrollments,
        Table::Audiences,
        Table::Peers,
        Table::Definitions,
        Table::Facts,
        Table::Messages,
        Table::MessagesByTime,
        Table::MessagesByProvider,
        Table::Timeline,
        Table::Search,
        Table::Members,
        Table::AudienceChanges,
        Table::Consents,
        Table::Exposures,
        Table::DecisionsByTime,
        Table::Moves,
        Table::SeenLately,
    ];

    /// The table with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Table> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The table's name on disk.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Profiles => "profiles",
            Table::Identity => "identity",
            Table::Merges => "merges",
            Table::Seen => "seen",
            Table::Due => "due",
            Table::Outbox => "outbox",
            Table::Decisions => "decisions",
            Table::Enrollments => "enrollments",
            Table::Audiences => "audiences",
            Table::Peers => "peers",
            Table::Definitions => "definitions",
            Table::Facts => "facts",
            Table::Messages => "messages",
            Table::MessagesByTime => "messages_by_time",
            Table::MessagesByProvider => "messages_by_provider",
            Table::Timeline => "timeline",
            Table::Search => "search",
            Table::Members => "members",
            Table::AudienceChanges => "audience_changes",
            Table::Consents => "consents",
            Table::Exposures => "exposures",
            Table::DecisionsByTime => "decisions_by_time",
            Table::Moves => "moves",
            Table::SeenLately => "seen_lately",
        }
    }
}

/// Where a store lives and how much memory it may take.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub directory: PathBuf,
    /// Bytes of decoded blocks kept in memory, over all tables.
    pub cache_bytes: u64,
}

impl StoreOptions {
    /// 256 MiB of cache.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), cache_bytes: 256 << 20 }
    }
}

/// Receives the pairs of a scan in key order; `Break` ends it.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Receives the answers of `get_many`: index of the key, and its value.
pub type VisitMany<'a> = dyn FnMut(usize, Option<&[u8]>) + 'a;

/// Look-ups from any thread, which wait for no commit. Of a key that a running commit changes they may find
/// what was before or what comes after; whoever asks must not need to know.
pub trait Beside: Send + Sync {
    /// See [`Store::get_many`].
    ///
    /// # Errors
    /// As there.
    fn look_up(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError>;

    /// [`Store::view`], with or without a running commit, never with a part of it.
    fn view(&self) -> Box<dyn Store>;
}

/// Keys of one commit where a store has no better way to file them.
const FILED_AT_ONCE: usize = 1_000;

/// Three implementations: memory, which can crash; fjall; redb in tests and in the comparison.
pub trait Store: Send {
    /// The value of one key.
    ///
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::Corrupt`].
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values of many keys, each visited once, in the order of `keys`. Sorted keys are fastest.
    ///
    /// # Errors
    /// As `get`.
    fn get_many(&self, table: Table, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<(), StoreError>;

    /// Takes all changes of `batch` or none. Visible when it returns, durable after the next `flush`.
    /// Where a batch changes a key twice, the later change wins.
    ///
    /// # Errors
    /// [`StoreError::Write`], [`StoreError::Full`]; the store takes no more commits then, because what
    /// became of this one is unknown. Open it again and replay.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Puts many keys without values, in ascending order and none twice; not all or none. Everything committed
    /// before is durable when it returns: a store must never come back with these and without that.
    ///
    /// # Errors
    /// As `commit`.
    fn file(&mut self, table: Table, keys: &mut dyn Iterator<Item = [u8; 16]>) -> Result<(), StoreError> {
        self.flush()?;
        let mut batch = Batch::new();
        for key in keys {
            batch.put(table, &key, &[]);
            if batch.len() == FILED_AT_ONCE {
                self.commit(&batch)?;
                batch.clear();
            }
        }
        self.commit(&batch)
    }

    /// Makes everything committed so far durable.
    ///
    /// # Errors
    /// [`StoreError::Write`], [`StoreError::Full`]; never retried, see `commit`.
    fn flush(&mut self) -> Result<(), StoreError>;

    /// Visits the pairs with `from <= key < until` in key order; an empty `until` means to the end.
    ///
    /// # Errors
    /// As `get`.
    fn scan(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// [`Store::scan`], last key first.
    ///
    /// # Errors
    /// As `get`.
    fn scan_back(&self, table: Table, from: &[u8], until: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The store as it is now, for reading, while others go on changing it. It takes no commits.
    fn view(&self) -> Box<dyn Store>;

    /// Bytes on disk; for a store in memory, bytes of keys and values.
    fn disk_bytes(&self) -> u64;

    /// A door for looking keys up while commits go on, where the store has one.
    fn beside(&self) -> Option<Arc<dyn Beside>> {
        None
    }

    /// The first log position that this state does not contain; replay starts here. 0 in a new store.
    ///
    /// # Errors
    /// As `get`; [`StoreError::Corrupt`] if it is not a number, or after an import that was cut short.
    fn log_position(&self) -> Result<Position, StoreError> {
        if self.get(Table::Meta, IMPORTING_KEY)?.is_some() {
            return Err(StoreError::Corrupt { table: Table::Meta, what: "an import did not come to its end".to_owned() });
        }
        let Some(bytes) = self.get(Table::Meta, LOG_POSITION_KEY)? else { return Ok(Position(0)) };
        let bytes: [u8; 8] =
            bytes.try_into().map_err(|_| StoreError::Corrupt { table: Table::Meta, what: "the log position is not 8 bytes".to_owned() })?;
        Ok(Position(u64::from_be_bytes(bytes)))
    }
}

/// The keys with `from <= key < until`.
type Bounds<'k> = (Bound<&'k [u8]>, Bound<&'k [u8]>);

/// `None` where no key can lie between; an empty `until` means to the end.
fn bounds<'k>(from: &'k [u8], until: &'k [u8]) -> Option<Bounds<'k>> {
    let end = if until.is_empty() { Bound::Unbounded } else { Bound::Excluded(until) };
    (until.is_empty() || from < until).then_some((Bound::Included(from), end))
}

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the state store in `{}`; look at the cause, at the directory's owner and at other running programs", directory.display())]
    Open { directory: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot read from table `{}`; check the disk, then restore the latest backup or delete the store so that it is rebuilt from the log", table.name())]
    Read { table: Table, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot write to the state store; mend the disk and start again, the log has everything")]
    Write { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the disk under the state store is full; free some space and start again, the log has everything")]
    Full { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("table `{}` is damaged: {what}; restore the latest backup or delete the store so that it is rebuilt from the log", table.name())]
    Corrupt { table: Table, what: String },
    #[error("the state store stopped after an earlier failed write; start again, the log has everything")]
    Stopped,
}

impl StoreError {
    /// Stable code; `docs/errors/<code>.md` explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            StoreError::Open { .. } => "store-open",
            StoreError::Read { .. } => "store-read",
            StoreError::Write { .. } => "store-write",
            StoreError::Full { .. } => "store-full",
            StoreError::Corrupt { .. } => "store-corrupt",
            StoreError::Stopped => "store-stopped",
        }
    }
}

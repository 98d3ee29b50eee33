//! The log: records in order, kept once they are flushed.
use crate::disk::Disk;
use std::{path::PathBuf, sync::Arc};

/// Number of a record in its log, dense from 0. The position of the next record is one more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// Where a log lives and how it is cut into files.
#[derive(Clone, Debug)]
pub struct LogOptions {
    pub directory: PathBuf,
    /// Length of a segment file in bytes; a batch that is longer gets a longer segment of its own.
    pub segment_bytes: u64,
}

impl LogOptions {
    /// Segments of 64 MiB.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), segment_bytes: 64 << 20 }
    }
}

/// Records on their way to the log, encoded in one buffer. Reusable: `clear` keeps the memory.
#[derive(Clone, Debug, Default)]
pub struct RecordBatch;

impl RecordBatch {
    #[must_use]
    pub fn new() -> Self {
        todo!()
    }
    /// Adds a record.
    ///
    /// # Errors
    /// [`LogError::TooLong`]; the batch is as before.
    pub fn push(&mut self, _record: &[u8]) -> Result<(), LogError> {
        todo!()
    }
    /// Adds the record that `encode` appends to the buffer it is given. It must only append.
    ///
    /// # Errors
    /// [`LogError::TooLong`]; the batch is as before.
    pub fn push_with(&mut self, _encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), LogError> {
        todo!()
    }
    /// The records, without their frames.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::empty()
    }
    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        todo!()
    }
    /// Bytes with frames.
    #[must_use]
    pub fn bytes(&self) -> usize {
        todo!()
    }
    pub fn clear(&mut self) {
        todo!()
    }
}

/// The one writer of a log.
pub struct Log;

impl Log {
    /// Opens the log, creating it where there is none; see the module for what is repaired and what is refused.
    ///
    /// # Errors
    /// [`LogError::Broken`], [`LogError::Missing`], [`LogError::Disk`], [`LogError::Full`].
    pub fn open(_disk: Arc<dyn Disk>, _options: LogOptions) -> Result<Self, LogError> {
        todo!()
    }
    /// Appends the batch with one write and returns the position of its first record. Not durable yet.
    ///
    /// # Errors
    /// [`LogError::Full`] leaves the log as it was; everything else stops it.
    pub fn append(&mut self, _batch: &mut RecordBatch) -> Result<Position, LogError> {
        todo!()
    }
    /// Makes everything appended durable and visible to readers. Returns the position after the last durable record.
    ///
    /// # Errors
    /// [`LogError::Disk`], and the log is stopped: open it anew to learn what is durable.
    pub fn flush(&mut self) -> Result<Position, LogError> {
        todo!()
    }
    /// The oldest record that is kept.
    #[must_use]
    pub fn first(&self) -> Position {
        todo!()
    }
    /// The position the next record gets.
    #[must_use]
    pub fn end(&self) -> Position {
        todo!()
    }
    /// Everything before this position is durable.
    #[must_use]
    pub fn flushed(&self) -> Position {
        todo!()
    }
    /// A reader of the durable records from `from` on; it follows as the log is flushed. May go to another thread.
    ///
    /// # Errors
    /// [`LogError::Removed`], [`LogError::Beyond`].
    pub fn read(&self, _from: Position) -> Result<LogReader, LogError> {
        todo!()
    }
    /// Deletes the segments that contain only records before `position`.
    ///
    /// # Errors
    /// [`LogError::Disk`].
    pub fn truncate_before(&mut self, _position: Position) -> Result<(), LogError> {
        todo!()
    }
    /// Bytes on disk.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        todo!()
    }
}

/// Reads durable records in order.
pub struct LogReader;

impl LogReader {
    /// The next record, or `None` when all durable ones were given; ask again after a flush.
    ///
    /// # Errors
    /// [`LogError::Broken`], [`LogError::Disk`], [`LogError::Removed`].
    #[allow(clippy::should_implement_trait, reason = "lends from its buffer, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<(Position, &[u8])>, LogError> {
        todo!()
    }
    /// The position of the record that `next` gives next.
    #[must_use]
    pub fn position(&self) -> Position {
        todo!()
    }
}

/// What can go wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("segment `{}` is broken at byte {offset}, where record {position} should be: {what}; restore this file from a backup or a copy, nothing was changed", segment.display())]
    Broken { segment: PathBuf, offset: u64, position: u64, what: &'static str },
    #[error("the log in `{}` has no records from {from} until {until}; restore the missing segment files", directory.display())]
    Missing { directory: PathBuf, from: u64, until: u64 },
    #[error("record {position} was removed, the oldest one kept is {first}; start from a snapshot that is newer")]
    Removed { position: u64, first: u64 },
    #[error("the log ends at {end}, before the asked record {position}; log and store are not of one time, restore both from one backup")]
    Beyond { position: u64, end: u64 },
    #[error("a record of {bytes} bytes is too long, the limit is {limit}; split it or refuse it where it comes from")]
    TooLong { bytes: usize, limit: usize },
    #[error("the disk under the log in `{}` is full; free some space and try again, nothing was written", directory.display())]
    Full { directory: PathBuf, source: std::io::Error },
    #[error("cannot {action} `{}`; look at the disk and start again, everything acknowledged is kept", path.display())]
    Disk { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("the log stopped after an earlier failed write or flush; start again, everything acknowledged is kept")]
    Stopped,
}

impl LogError {
    /// Stable code; `docs/errors/<code>.md` explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LogError::Broken { .. } => "log-broken",
            LogError::Missing { .. } => "log-missing",
            LogError::Removed { .. } => "log-removed",
            LogError::Beyond { .. } => "log-beyond",
            LogError::TooLong { .. } => "log-too-long",
            LogError::Full { .. } => "log-full",
            LogError::Disk { .. } => "log-disk",
            LogError::Stopped => "log-stopped",
        }
    }
}

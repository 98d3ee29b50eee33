//! The log: records in order, kept once they are flushed.
//!
//! **Files.** A log is a directory of segments, `<position of the first record>.log`, written full
//! length with zeros before their first use, because flushing a file that does not grow is two to eight
//! times faster. A segment begins with a header sector; frames follow it without gaps, then zeros:
//!
//! ```text
//! header   magic "FADENLOG" | format u32 | first position u64 | crc u32, padded to 512 bytes
//! frame    kind u8 and length u24, as one u32 | crc of payload u32 | crc of position, kind, length
//!          and crc of payload u32 | payload
//! ```
//!
//! Integers are little-endian, checksums CRC-32C. A position is not stored but goes into the
//! checksum, so a frame is valid in one place only. A record is a frame of kind 1; kind 127 is a
//! *marker*, written after a flush returned: whatever stands before a marker was durable.
//!
//! **Recovery.** Only the last segment can have an unflushed tail; the others were flushed before
//! the next one was made, so a break in them is damage. In the last segment the first frame that
//! does not check out is a break. It is damage, [`LogError::Broken`], and nothing is touched, if
//!
//! 1. a valid marker stands behind it: what broke had been flushed; or
//! 2. no sector (512 bytes) of the frame still holds the zeros from before: disks write sectors
//!    whole, so a write cut short leaves old sectors behind, and this frame had been written in full.
//!    This finds a flipped bit in the last flush before a power cut, whose marker was lost with it.
//!
//! Otherwise it is a write that a crash cut short. It was never acknowledged; it is erased with all
//! behind it, so that nothing of it can come back after later appends. Rule 2 cannot see a flipped
//! bit in a record of that very last flush of which one sector holds nothing but zeros.
//!
//! If records stand behind the last marker, it and they are written once more and flushed before
//! anybody reads them: after a failed flush the system may show bytes that the disk does not have.
//!
//! **Failure.** A failed write or flush stops the log for good; it is never retried, because a
//! second flush may succeed without the bytes of the first. A full disk is met only when a segment
//! is made, before anything was written, and leaves the log as it was.

mod frame;
mod reader;
mod segment;
mod spare;
mod writer;

pub use frame::{RECORD_BYTES_MAX, RecordBatch};
pub use reader::LogReader;
pub use segment::{Break, Recovered, recover_bytes};
pub use writer::{Log, LogReaders};

use std::{fmt, path::PathBuf};

/// Number of a record in its log, dense from 0. The position of the next record is one more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a log lives and how it is cut into files.
#[derive(Clone, Debug)]
pub struct LogOptions {
    pub directory: PathBuf,
    /// Length of a segment file in bytes; a batch that is longer gets a longer segment of its own.
    pub segment_bytes: u64,
    /// Fill the next segment with zeros on a thread of its own while this one is written to, so that
    /// no append waits for it. Off where every operation must come in the same order each time.
    pub prepare_ahead: bool,
}

impl LogOptions {
    /// Segments of 64 MiB, prepared ahead.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), segment_bytes: 64 << 20, prepare_ahead: true }
    }
}

/// What can go wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("segment `{}` is broken at byte {offset}, where record {position} should be: {what}; restore this file from a backup or a copy, nothing was changed", segment.display())]
    Broken { segment: PathBuf, offset: u64, position: Position, what: &'static str },
    #[error("the log in `{}` has no records from {from} until {until}; restore the missing segment files", directory.display())]
    Missing { directory: PathBuf, from: Position, until: Position },
    #[error("record {position} was removed, the oldest one kept is {first}; start from a snapshot that is newer")]
    Removed { position: Position, first: Position },
    #[error("the log ends at {end}, before the asked record {position}; log and store are not of one time, restore both from one backup")]
    Beyond { position: Position, end: Position },
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

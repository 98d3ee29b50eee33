//! Durable bytes: a log that keeps what was flushed, and a store that follows it.
//!
//! Knows nothing of customers: records, keys and values are bytes to this crate. Synchronous; no
//! clock and no randomness. Only the log is flushed on the way of an event. The store is
//! committed in atomic batches that carry the log position they reach ([`Batch::set_log_position`]),
//! is flushed now and then, and after a crash comes back as it was after *some* earlier commit: the
//! rest is replayed from the log.
//!
//! - [`disk`]: files as this crate sees them; the real ones, and ones in memory that can fail.
//! - [`log`]: the segmented, checksummed, append-only log.
//! - [`store`]: tables of sorted keys behind one small interface.
//! - [`snapshot`]: a consistent store as one checksummed stream, for backups and for moving.

pub mod disk;
pub mod log;
pub mod snapshot;
pub mod store;

pub use disk::{Disk, FileDisk, MemoryDisk};
pub use log::{Log, LogError, LogOptions, LogReader, LogReaders, Position, RecordBatch};
pub use snapshot::SnapshotError;
pub use store::{Batch, FjallStore, MemoryStore, Store, StoreError, StoreOptions, Table};

/// Makes the calling thread, and those that it starts from now on, step back for others when processors are
/// short: for work that nobody waits for. Where the system does not allow it, nothing changes.
pub fn step_back() {
    // Only Linux counts niceness by thread.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
}

//! Files as the log sees them: the few operations whose durability somebody has thought about.
//!
//! Two implementations: [`FileDisk`] asks the operating system; [`MemoryDisk`] forgets, tears, fills
//! up and flips bits when it is told to, so that the log can be tested against all of that.
//!
//! What counts as durable, on both: bytes after `sync_data` of their file; names (created, renamed,
//! removed) after `sync_dir` of their directory. Nothing else, and nothing in between.

mod file;
mod memory;

pub use file::FileDisk;
pub use memory::MemoryDisk;

use std::{
    io,
    path::{Path, PathBuf},
};

/// A place with files. Handles are cheap; all methods may be called from any thread.
///
/// Errors are those of `std::io`: `NotFound`, `AlreadyExists`, `StorageFull` mean what they say.
pub trait Disk: Send + Sync {
    /// Opens a file that exists, for reading and writing.
    ///
    /// # Errors
    /// `NotFound`, or what the system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Creates a file that does not exist yet.
    ///
    /// # Errors
    /// `AlreadyExists`, or what the system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, replacing what had that name.
    ///
    /// # Errors
    /// `NotFound`, or what the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, or what the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The files directly in `directory`, as full paths, sorted. A directory that is missing is empty.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// Makes `directory` and its parents, if missing, durably.
    ///
    /// # Errors
    /// What the system says.
    fn create_dir(&self, directory: &Path) -> io::Result<()>;

    /// Makes the names in `directory` durable.
    ///
    /// # Errors
    /// What the system says; the names may or may not be durable then.
    fn sync_dir(&self, directory: &Path) -> io::Result<()>;
}

/// An open file. Positioned access only, so that a reader and a writer never share a cursor.
pub trait DiskFile: Send + Sync {
    /// Reads into `buffer` and returns how many bytes; fewer than asked only at the end of the file.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes`, growing the file if they reach beyond its end.
    ///
    /// # Errors
    /// `StorageFull`, or what the system says; any part of `bytes` may have been written then.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Grows the file to `length` bytes by writing zeros, so that later writes change no metadata.
    ///
    /// # Errors
    /// `StorageFull`, or what the system says.
    fn preallocate(&self, length: u64) -> io::Result<()>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// What the system says. After an error the fate of the bytes is unknown *and stays unknown*: a
    /// second call may succeed without having written them.
    fn sync_data(&self) -> io::Result<()>;

    /// Length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn length(&self) -> io::Result<u64>;
}

//! The segment after this one: a file of zeros, made while nobody waits for it.

use super::LogOptions;
use crate::disk::{Disk, DiskFile};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

/// Bytes that are written and flushed in one go: what the log flushes meanwhile waits for no more than these.
const STEP_BYTES: u64 = 1 << 20;

/// A file of zeros that is being made on a thread of its own. It is waited for when it is dropped, so
/// that nothing writes into a log's directory after the log.
pub(super) struct Spare {
    maker: Option<JoinHandle<io::Result<u64>>>,
}

impl Spare {
    /// Starts to make the file, replacing an old one.
    pub(super) fn start(disk: Arc<dyn Disk>, options: &LogOptions) -> Self {
        let (path, length) = (Self::path(&options.directory), options.segment_bytes);
        let maker = thread::Builder::new().name("log-spare".to_owned()).spawn(move || {
            crate::step_back();
            let file = create(&*disk, &path)?;
            let mut made = 0;
            while made < length {
                made = length.min(made + STEP_BYTES);
                file.preallocate(made)?;
                file.sync_data()?;
            }
            Ok(length)
        });
        // Without a thread, and on a disk that is full, segments are made when they are needed.
        Self { maker: maker.ok() }
    }

    /// Waits for the file; its length, or `None` if it could not be made.
    pub(super) fn finish(mut self) -> Option<u64> {
        self.maker.take()?.join().ok()?.ok()
    }

    /// Recovery removes files with this ending.
    pub(super) fn path(directory: &Path) -> PathBuf {
        directory.join("spare.new")
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(maker) = self.maker.take() {
            // What it says does not matter any more.
            let _ = maker.join();
        }
    }
}

/// Makes a file of `length` zeros, replacing an old one; not durable yet.
pub(super) fn make_zeros(disk: &dyn Disk, path: &Path, length: u64) -> io::Result<()> {
    create(disk, path)?.preallocate(length)
}

fn create(disk: &dyn Disk, path: &Path) -> io::Result<Box<dyn DiskFile>> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => disk.create(path),
    }
}

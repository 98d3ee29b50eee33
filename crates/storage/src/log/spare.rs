//! The segment after this one: a file of zeros, made while nobody waits for it.
//!
//! When it becomes a segment nobody waits for its new name either: until that is durable, whoever opens the log
//! finds the segment's header in a file that still has the spare's name ([`taken_up`]).

use super::LogOptions;
use super::segment::{HEADER_BYTES, parse_header};
use crate::disk::{Disk, DiskFile};
use crate::log::Position;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Bytes that are written and flushed in one go: what the log flushes meanwhile waits for no more than these.
const STEP_BYTES: u64 = 1 << 20;

/// Time between two of these, in which the disk is the log's; none once the file is waited for.
const PAUSE: Duration = Duration::from_millis(12);

/// A file of zeros that is being made on a thread of its own. When it is dropped that thread is stopped and
/// waited for, so that nothing writes into a log's directory after the log.
pub(super) struct Spare {
    maker: Option<JoinHandle<io::Result<u64>>>,
    stopped: Arc<AtomicBool>,
    hurried: Arc<AtomicBool>,
}

impl Spare {
    /// Starts to make the file, replacing an old one.
    pub(super) fn start(disk: Arc<dyn Disk>, options: &LogOptions) -> Self {
        let (directory, length) = (options.directory.clone(), options.segment_bytes);
        let (stopped, hurried) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (stop, hurry) = (stopped.clone(), hurried.clone());
        let maker = thread::Builder::new().name("log-spare".to_owned()).spawn(move || {
            crate::step_back();
            // The spare before this one has another name since: that must be durable before its old name is used again.
            disk.sync_dir(&directory)?;
            let file = create(&*disk, &Self::path(&directory))?;
            let mut made = 0;
            while made < length {
                if stop.load(Ordering::Relaxed) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                made = length.min(made + STEP_BYTES);
                file.preallocate(made)?;
                file.sync_data()?;
                if made < length && !hurry.load(Ordering::Relaxed) {
                    thread::park_timeout(PAUSE);
                }
            }
            disk.sync_dir(&directory)?;
            Ok(length)
        });
        // Without a thread, and on a disk that is full, segments are made when they are needed.
        Self { maker: maker.ok(), stopped, hurried }
    }

    /// Waits for the file; its length, or `None` if it could not be made.
    pub(super) fn finish(mut self) -> Option<u64> {
        let maker = self.maker.take()?;
        self.hurried.store(true, Ordering::Relaxed);
        maker.thread().unpark();
        maker.join().ok()?.ok()
    }

    /// Recovery removes files with this ending, but for one that has become a segment.
    pub(super) fn path(directory: &Path) -> PathBuf {
        directory.join("spare.new")
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(maker) = self.maker.take() {
            self.stopped.store(true, Ordering::Relaxed);
            maker.thread().unpark();
            // What it says does not matter any more.
            let _ = maker.join();
        }
    }
}

/// The first record of the segment that a spare file has become, if its header says so.
pub(super) fn taken_up(disk: &dyn Disk, path: &Path) -> io::Result<Option<Position>> {
    let mut header = [0; HEADER_BYTES];
    let count = disk.open(path)?.read_at(0, &mut header)?;
    Ok(parse_header(&header[..count]).ok())
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

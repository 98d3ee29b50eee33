//! The writing side: append, flush, new segments, old segments, recovery at opening.

use super::{
    LogError, LogOptions, LogReader, Position, RecordBatch,
    frame::{MARKER_BYTES, marker},
    segment::{HEADER_BYTES, header, parse_header, recover_bytes},
    spare::{self, Spare},
};
use crate::disk::{Disk, DiskFile};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

/// Bytes between two places of a segment that a reader can start at.
const INDEX_STEP_BYTES: u64 = 1 << 20;

/// The one writer of a log.
pub struct Log {
    disk: Arc<dyn Disk>,
    options: LogOptions,
    shared: Arc<Shared>,
    file: Box<dyn DiskFile>,
    path: PathBuf,
    length: u64,
    /// Where the next frame goes.
    offset: u64,
    end: Position,
    flushed: Position,
    stopped: bool,
    spare: Option<Spare>,
}

/// What readers share with the writer.
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) directory: PathBuf,
    view: Mutex<View>,
}

pub(super) struct View {
    /// Oldest first, never empty.
    pub(super) segments: Vec<Segment>,
    pub(super) flushed: Position,
    /// Durable bytes of the last segment.
    pub(super) flushed_offset: u64,
}

#[derive(Clone)]
pub(super) struct Segment {
    pub(super) first: Position,
    pub(super) length: u64,
    /// Some records and where they stand, in order.
    pub(super) index: Vec<(Position, u64)>,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, View> {
        self.view.lock().expect("no holder of this lock panics")
    }

    pub(super) fn path(&self, first: Position) -> PathBuf {
        segment_path(&self.directory, first)
    }
}

/// A door to a log for reading only; may be cloned and go to other threads.
#[derive(Clone)]
pub struct LogReaders {
    shared: Arc<Shared>,
}

impl LogReaders {
    /// A reader of the durable records from `from` on; see [`Log::read`].
    ///
    /// # Errors
    /// [`LogError::Removed`], [`LogError::Disk`].
    pub fn read(&self, from: Position) -> Result<LogReader, LogError> {
        LogReader::start(self.shared.clone(), from)
    }

    /// Everything before this position is durable.
    #[must_use]
    pub fn flushed(&self) -> Position {
        self.shared.lock().flushed
    }

    /// The files of the log, oldest first. All but the last one are written to no more.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        self.shared.lock().segments.iter().map(|segment| self.shared.path(segment.first)).collect()
    }
}

impl Log {
    /// Opens the log, creating it where there is none. What is repaired and what is refused stands in
    /// the documentation of [`crate::log`]. Only one `Log` may be open on a directory.
    ///
    /// # Errors
    /// [`LogError::Broken`], [`LogError::Disk`], [`LogError::Full`].
    pub fn open(disk: Arc<dyn Disk>, options: LogOptions) -> Result<Self, LogError> {
        let directory = options.directory.clone();
        disk.create_dir(&directory).map_err(|source| failed("create", &directory, source))?;
        let mut segments = find_segments(&*disk, &directory)?;
        // A process that was killed between a rename and the flush of its directory leaves names that a
        // power cut would take away again, with everything that is appended from now on.
        disk.sync_dir(&directory).map_err(|source| failed("flush", &directory, source))?;
        let empty = segments.is_empty();
        if empty {
            let length = create_segment(&*disk, &options, Position(0), 0)?;
            segments.push(Segment { first: Position(0), length, index: Vec::new() });
        }
        let last = segments.last().expect("there is one, or it was just made");
        let (first, length) = (last.first, last.length);
        let path = segment_path(&directory, first);
        let file = disk.open(&path).map_err(|source| failed("open", &path, source))?;
        let view = View { segments, flushed: first, flushed_offset: HEADER_BYTES as u64 };
        let shared = Arc::new(Shared { disk: disk.clone(), directory, view: Mutex::new(view) });
        let mut log = Self {
            disk,
            options,
            shared,
            file,
            path,
            length,
            offset: HEADER_BYTES as u64,
            end: first,
            flushed: first,
            stopped: false,
            spare: None,
        };
        log.recover_tail()?;
        Ok(log)
    }

    /// Appends the batch with one write and returns the position of its first record. Not durable,
    /// and not seen by readers, before the next `flush`.
    ///
    /// # Errors
    /// [`LogError::Full`] leaves the log as it was, to be tried again; everything else stops it.
    pub fn append(&mut self, batch: &mut RecordBatch) -> Result<Position, LogError> {
        self.check_running()?;
        let first = self.end;
        if batch.is_empty() {
            return Ok(first);
        }
        // A marker always finds room behind the last record.
        let needed = (batch.bytes() + MARKER_BYTES) as u64;
        if self.offset + needed > self.length {
            if self.shared.lock().segments.last().is_some_and(|last| last.first == first) {
                self.lengthen_segment(needed)?;
            } else {
                self.start_segment(needed)?;
            }
        }
        if self.options.prepare_ahead && self.spare.is_none() && self.offset >= self.length / 4 {
            self.spare = Some(Spare::start(self.disk.clone(), &self.options));
        }
        self.index_append(first);
        let frames = batch.frames(first);
        self.stopped = true;
        self.file.write_at(self.offset, frames).map_err(|source| failed("write to", &self.path, source))?;
        self.stopped = false;
        self.offset += frames.len() as u64;
        self.end = Position(first.0 + batch.len() as u64);
        Ok(first)
    }

    /// Makes everything appended durable and visible to readers. Returns the position after the last
    /// durable record.
    ///
    /// # Errors
    /// [`LogError::Disk`], and the log is stopped: open it anew to learn what is durable.
    pub fn flush(&mut self) -> Result<Position, LogError> {
        self.check_running()?;
        if self.flushed == self.end {
            return Ok(self.end);
        }
        // Stopped unless everything below succeeds.
        self.stopped = true;
        self.file.sync_data().map_err(|source| failed("flush", &self.path, source))?;
        {
            let mut view = self.shared.lock();
            view.flushed = self.end;
            view.flushed_offset = self.offset;
        }
        self.flushed = self.end;
        let marker = marker(self.offset, self.end);
        self.file.write_at(self.offset, &marker).map_err(|source| failed("write to", &self.path, source))?;
        self.offset += marker.len() as u64;
        self.stopped = false;
        Ok(self.end)
    }

    /// The oldest record that is kept, or the end if none is.
    #[must_use]
    pub fn first(&self) -> Position {
        self.shared.lock().segments[0].first
    }

    /// The position the next record gets.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end
    }

    /// Everything before this position is durable.
    #[must_use]
    pub fn flushed(&self) -> Position {
        self.flushed
    }

    /// A reader of the durable records from `from` on, which follows as the log is flushed. It may go
    /// to another thread and does not hold up the writer.
    ///
    /// # Errors
    /// [`LogError::Removed`], [`LogError::Beyond`], [`LogError::Stopped`].
    pub fn read(&self, from: Position) -> Result<LogReader, LogError> {
        self.check_running()?;
        if from > self.end {
            return Err(LogError::Beyond { position: from, end: self.end });
        }
        LogReader::start(self.shared.clone(), from)
    }

    /// Where others read this log while it is written to.
    #[must_use]
    pub fn readers(&self) -> LogReaders {
        LogReaders { shared: self.shared.clone() }
    }

    /// Deletes the segments that contain only records before `position`; the last one stays.
    ///
    /// # Errors
    /// [`LogError::Disk`], [`LogError::Stopped`].
    pub fn truncate_before(&mut self, position: Position) -> Result<(), LogError> {
        self.check_running()?;
        loop {
            let first = {
                let mut view = self.shared.lock();
                if view.segments.get(1).is_none_or(|next| next.first > position) {
                    return Ok(());
                }
                view.segments.remove(0).first
            };
            let path = self.shared.path(first);
            // One by one, so that a crash cannot leave a hole between two that are kept.
            self.disk.remove(&path).map_err(|source| failed("remove", &path, source))?;
            self.disk.sync_dir(&self.options.directory).map_err(|source| failed("flush", &self.options.directory, source))?;
        }
    }

    /// Bytes on disk.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.shared.lock().segments.iter().map(|segment| segment.length).sum()
    }

    fn check_running(&self) -> Result<(), LogError> {
        if self.stopped { Err(LogError::Stopped) } else { Ok(()) }
    }

    /// Notes where a batch begins, now and then, so that a reader need not start at the segment's begin.
    fn index_append(&self, first: Position) {
        let mut view = self.shared.lock();
        let index = &mut view.segments.last_mut().expect("never empty").index;
        if index.last().map_or(HEADER_BYTES as u64, |last| last.1) + INDEX_STEP_BYTES <= self.offset {
            index.push((first, self.offset));
        }
    }

    fn start_segment(&mut self, needed: u64) -> Result<(), LogError> {
        self.flush()?;
        let spare = self.spare.take().and_then(Spare::finish).filter(|length| HEADER_BYTES as u64 + needed <= *length);
        let created = match spare {
            Some(length) => self.name_spare(length),
            None => create_segment(&*self.disk, &self.options, self.end, needed),
        };
        let length = match created {
            Err(error @ LogError::Full { .. }) => return Err(error),
            Err(error) => {
                self.stopped = true;
                return Err(error);
            }
            Ok(length) => length,
        };
        let path = self.shared.path(self.end);
        self.file = self.disk.open(&path).map_err(|source| {
            self.stopped = true;
            failed("open", &path, source)
        })?;
        self.path = path;
        self.length = length;
        self.offset = HEADER_BYTES as u64;
        let mut view = self.shared.lock();
        view.segments.push(Segment { first: self.end, length, index: Vec::new() });
        view.flushed_offset = self.offset;
        Ok(())
    }

    /// Makes the spare file the segment that begins at the log's end. With its header it is one already: nobody
    /// waits for its name to be durable.
    fn name_spare(&self, length: u64) -> Result<u64, LogError> {
        let spare = Spare::path(&self.options.directory);
        write_header(&*self.disk, &spare, self.end).map_err(|source| failed("write to", &spare, source))?;
        rename_segment(&*self.disk, &self.options.directory, &spare, self.end)?;
        Ok(length)
    }

    /// For a long batch in a segment that has no record yet: another segment would have the same name.
    fn lengthen_segment(&mut self, needed: u64) -> Result<(), LogError> {
        let length = self.offset + needed;
        match self.file.preallocate(length).and_then(|()| self.file.sync_data()) {
            Ok(()) => {}
            Err(source) if source.kind() == io::ErrorKind::StorageFull => {
                return Err(LogError::Full { directory: self.options.directory.clone(), source });
            }
            Err(source) => {
                self.stopped = true;
                return Err(failed("lengthen", &self.path, source));
            }
        }
        self.length = length;
        self.shared.lock().segments.last_mut().expect("never empty").length = length;
        Ok(())
    }

    fn recover_tail(&mut self) -> Result<(), LogError> {
        let bytes = read_segment(&*self.file, &self.path, self.length)?;
        let found = recover_bytes(&bytes).map_err(|broken| LogError::Broken {
            segment: self.path.clone(),
            offset: broken.offset as u64,
            position: broken.position,
            what: broken.what,
        })?;
        self.end = found.end;
        self.offset = found.end_offset as u64;
        let kept = found.durable_offset..found.end_offset;
        if found.erase.is_none() && found.all_flushed {
            self.flushed = self.end;
            let mut view = self.shared.lock();
            (view.flushed, view.flushed_offset) = (self.end, self.offset);
            return Ok(());
        }
        if let Some(erase) = found.erase {
            let zeros = vec![0; erase.len()];
            self.file.write_at(erase.start as u64, &zeros).map_err(|source| failed("write to", &self.path, source))?;
        }
        self.file.write_at(kept.start as u64, &bytes[kept]).map_err(|source| failed("write to", &self.path, source))?;
        // Also without a new record: the erasing must be durable before something is appended.
        self.file.sync_data().map_err(|source| failed("flush", &self.path, source))?;
        let room = self.offset + MARKER_BYTES as u64 <= self.length;
        self.flushed = self.end;
        {
            let mut view = self.shared.lock();
            (view.flushed, view.flushed_offset) = (self.end, self.offset);
        }
        if room {
            let marker = marker(self.offset, self.end);
            self.file.write_at(self.offset, &marker).map_err(|source| failed("write to", &self.path, source))?;
            self.offset += marker.len() as u64;
        }
        Ok(())
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> LogError {
    LogError::Disk { action, path: path.to_owned(), source }
}

fn segment_path(directory: &Path, first: Position) -> PathBuf {
    directory.join(format!("{:020}.log", first.0))
}

/// The segments by name, oldest first; remains of one that was being made are removed.
fn find_segments(disk: &dyn Disk, directory: &Path) -> Result<Vec<Segment>, LogError> {
    let spare = Spare::path(directory);
    let listed = disk.list(directory).map_err(|source| failed("list", directory, source))?;
    if listed.contains(&spare)
        && let Some(first) = spare::taken_up(disk, &spare).map_err(|source| failed("read", &spare, source))?
    {
        rename_segment(disk, directory, &spare, first)?;
    }
    let mut segments = Vec::new();
    for path in disk.list(directory).map_err(|source| failed("list", directory, source))? {
        if path.extension().is_some_and(|extension| extension == "new") {
            disk.remove(&path).map_err(|source| failed("remove", &path, source))?;
        }
        let named = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".log"));
        let Some(named) = named.filter(|name| name.len() == 20).and_then(|name| name.parse().ok()) else { continue };
        let file = disk.open(&path).map_err(|source| failed("open", &path, source))?;
        let length = file.length().map_err(|source| failed("read", &path, source))?;
        let bytes = read_segment(&*file, &path, length.min(HEADER_BYTES as u64))?;
        let broken = |what| LogError::Broken { segment: path.clone(), offset: 0, position: Position(named), what };
        if parse_header(&bytes).map_err(|error| broken(error.what))? != Position(named) {
            return Err(broken("its header names another first record than its file name does"));
        }
        segments.push(Segment { first: Position(named), length, index: Vec::new() });
    }
    Ok(segments)
}

fn read_segment(file: &dyn DiskFile, path: &Path, length: u64) -> Result<Vec<u8>, LogError> {
    let length = usize::try_from(length).map_err(|error| failed("read", path, io::Error::other(error)))?;
    let mut bytes = vec![0; length];
    let count = file.read_at(0, &mut bytes).map_err(|source| failed("read", path, source))?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Makes a segment under another name and renames it once it is durable: a segment that has its name
/// is whole. Returns its length.
fn create_segment(disk: &dyn Disk, options: &LogOptions, first: Position, needed: u64) -> Result<u64, LogError> {
    let new = segment_path(&options.directory, first).with_extension("new");
    let length = options.segment_bytes.max(HEADER_BYTES as u64 + needed.max(MARKER_BYTES as u64));
    let made = fill_segment(disk, &new, first, length);
    if let Err(source) = made {
        if source.kind() == io::ErrorKind::StorageFull {
            // The space is needed more than the file; what cannot be removed now is removed at the next start.
            let _ = disk.remove(&new);
            return Err(LogError::Full { directory: options.directory.clone(), source });
        }
        return Err(failed("create", &new, source));
    }
    name_segment(disk, &options.directory, &new, first)?;
    Ok(length)
}

/// Gives a segment its name, which is not durable yet.
fn rename_segment(disk: &dyn Disk, directory: &Path, new: &Path, first: Position) -> Result<(), LogError> {
    disk.rename(new, &segment_path(directory, first)).map_err(|source| failed("rename", new, source))
}

fn name_segment(disk: &dyn Disk, directory: &Path, new: &Path, first: Position) -> Result<(), LogError> {
    rename_segment(disk, directory, new, first)?;
    disk.sync_dir(directory).map_err(|source| failed("flush", directory, source))
}

fn write_header(disk: &dyn Disk, path: &Path, first: Position) -> io::Result<()> {
    let file = disk.open(path)?;
    file.write_at(0, &header(first))?;
    file.sync_data()
}

fn fill_segment(disk: &dyn Disk, path: &Path, first: Position, length: u64) -> io::Result<()> {
    spare::make_zeros(disk, path, length)?;
    write_header(disk, path, first)
}

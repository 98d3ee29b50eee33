//! The reading side: one buffer, no allocation per record.

use super::{
    LogError, Position,
    frame::{HEAD_BYTES, Head, Kind},
    segment::HEADER_BYTES,
    writer::Shared,
};
use crate::disk::DiskFile;
use std::{ops::Range, path::PathBuf, sync::Arc};

/// Bytes read at once; longer records make the buffer longer.
const READ_BYTES: usize = 256 << 10;

/// Reads durable records in order.
pub struct LogReader {
    shared: Arc<Shared>,
    segment: Open,
    /// Bytes of the segment from `buffer_offset` on; those before `cursor` were given.
    buffer: Vec<u8>,
    buffer_offset: u64,
    cursor: usize,
    position: Position,
    /// Records before this one are passed over.
    from: Position,
    /// How far the log was durable when last asked.
    flushed: Position,
}

/// The segment that is being read.
struct Open {
    first: Position,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    /// Where it may be read to.
    limit: u64,
    /// First position of the following segment.
    next: Option<Position>,
}

impl LogReader {
    pub(super) fn start(shared: Arc<Shared>, from: Position) -> Result<Self, LogError> {
        let (first, start) = {
            let view = shared.lock();
            let Some(segment) = view.segments.iter().rev().find(|segment| segment.first <= from) else {
                return Err(LogError::Removed { position: from, first: view.segments[0].first });
            };
            let durable = |place: &&(Position, u64)| place.0 <= from && place.0 <= view.flushed;
            let start = segment.index.iter().rev().find(durable);
            (segment.first, start.copied().unwrap_or((segment.first, HEADER_BYTES as u64)))
        };
        let segment = open_segment(&shared, first)?;
        let mut reader =
            Self { shared, segment, buffer: Vec::new(), buffer_offset: start.1, cursor: 0, position: start.0, from, flushed: start.0 };
        reader.refresh();
        Ok(reader)
    }

    /// The next record, or `None` when all durable ones were given; ask again after a flush.
    ///
    /// # Errors
    /// [`LogError::Broken`], [`LogError::Missing`], [`LogError::Disk`], [`LogError::Removed`].
    #[allow(clippy::should_implement_trait, reason = "it lends from its buffer, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<(Position, &[u8])>, LogError> {
        loop {
            if self.position == self.flushed {
                self.refresh();
                if self.position == self.flushed {
                    return Ok(None);
                }
            }
            if let Some(next) = self.segment.next.filter(|next| *next == self.position) {
                self.segment = open_segment(&self.shared, next)?;
                self.buffer.clear();
                (self.buffer_offset, self.cursor) = (HEADER_BYTES as u64, 0);
                self.refresh();
            }
            let position = self.position;
            if let Some(payload) = self.frame()? {
                self.position.0 += 1;
                if position >= self.from {
                    return Ok(Some((position, &self.buffer[payload])));
                }
            }
        }
    }

    /// The position of the record that `next` gives next.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position.max(self.from)
    }

    /// Takes in what was flushed and which segments were made since.
    fn refresh(&mut self) {
        let view = self.shared.lock();
        let following = view.segments.iter().find(|segment| segment.first > self.segment.first);
        self.segment.next = following.map(|segment| segment.first);
        self.flushed = view.flushed;
        self.segment.limit = match view.segments.iter().find(|segment| segment.first == self.segment.first) {
            Some(_) if following.is_none() => view.flushed_offset,
            Some(segment) => segment.length,
            // Removed while it is being read: the file is still there for who has it open.
            None => u64::MAX,
        };
    }

    /// Passes over the next frame; its payload's place in the buffer if it is a record.
    fn frame(&mut self) -> Result<Option<Range<usize>>, LogError> {
        if !self.fill(HEAD_BYTES)? {
            return Err(self.broken("the segment ends before it"));
        }
        let bytes = self.buffer[self.cursor..].first_chunk::<HEAD_BYTES>().expect("just filled");
        let head = Head::from_bytes(bytes);
        if bytes.iter().all(|byte| *byte == 0)
            && let Some(until) = self.segment.next
        {
            let oldest = self.shared.lock().segments[0].first;
            if oldest > self.position {
                return Err(LogError::Removed { position: self.position, first: oldest });
            }
            return Err(LogError::Missing { directory: self.shared.directory.clone(), from: self.position, until });
        }
        if !head.is_valid_at(self.position) {
            return Err(self.broken("it was flushed, but its checksum is wrong"));
        }
        if !self.fill(HEAD_BYTES + head.length())? {
            return Err(self.broken("the segment ends before it does"));
        }
        let start = self.cursor + HEAD_BYTES;
        let payload = start..start + head.length();
        if !head.matches(&self.buffer[payload.clone()]) {
            return Err(self.broken("it was flushed, but its checksum is wrong"));
        }
        match head.kind() {
            Kind::Unknown => Err(self.broken("its kind is newer than this program; use the version that wrote it")),
            Kind::Marker => {
                self.cursor = payload.end;
                Ok(None)
            }
            Kind::Record => {
                self.cursor = payload.end;
                Ok(Some(payload))
            }
        }
    }

    /// Has `count` bytes behind the cursor, reading on if it must; false if the segment does not.
    fn fill(&mut self, count: usize) -> Result<bool, LogError> {
        let have = self.buffer.len() - self.cursor;
        if have >= count {
            return Ok(true);
        }
        self.buffer.drain(..self.cursor);
        self.buffer_offset += self.cursor as u64;
        self.cursor = 0;
        let offset = self.buffer_offset + have as u64;
        let allowed = usize::try_from(self.segment.limit.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = READ_BYTES.max(count - have).min(allowed);
        self.buffer.resize(have + wanted, 0);
        let read = self.segment.file.read_at(offset, &mut self.buffer[have..]).map_err(|source| LogError::Disk {
            action: "read",
            path: self.segment.path.clone(),
            source,
        });
        self.buffer.truncate(have + *read.as_ref().unwrap_or(&0));
        read?;
        Ok(self.buffer.len() >= count)
    }

    fn broken(&self, what: &'static str) -> LogError {
        let offset = self.buffer_offset + self.cursor as u64;
        LogError::Broken { segment: self.segment.path.clone(), offset, position: self.position, what }
    }
}

fn open_segment(shared: &Shared, first: Position) -> Result<Open, LogError> {
    let path = shared.path(first);
    let file = shared.disk.open(&path).map_err(|source| {
        let oldest = shared.lock().segments[0].first;
        if oldest > first {
            LogError::Removed { position: first, first: oldest }
        } else {
            LogError::Disk { action: "open", path: path.clone(), source }
        }
    })?;
    Ok(Open { first, path, file, limit: 0, next: None })
}

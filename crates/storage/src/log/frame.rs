//! Frames: how a record is wrapped, and how one is told from damage.

use super::{LogError, Position};

/// Longest record in bytes; the length has 24 bits.
pub const RECORD_BYTES_MAX: usize = (1 << 24) - 1;

/// Bytes of a frame before its payload.
pub(super) const HEAD_BYTES: usize = 12;

/// Bytes of a marker with its frame.
pub(super) const MARKER_BYTES: usize = HEAD_BYTES + 24;

pub(super) const MARKER_MAGIC: [u8; 8] = *b"\xFAflushed";

const RECORD_KIND: u8 = 1;
const MARKER_KIND: u8 = 127;

/// Records on their way to the log, framed in one buffer. Reusable: `clear` keeps the memory.
///
/// Checksums of payloads are computed here, on the thread that fills the batch.
#[derive(Clone, Debug, Default)]
pub struct RecordBatch {
    bytes: Vec<u8>,
    count: usize,
}

impl RecordBatch {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`LogError::TooLong`]; the batch is as before.
    pub fn push(&mut self, record: &[u8]) -> Result<(), LogError> {
        self.push_with(|bytes| bytes.extend_from_slice(record))
    }

    /// Adds the record that `encode` appends to the buffer it is given. It must only append.
    ///
    /// # Errors
    /// [`LogError::TooLong`]; the batch is as before.
    pub fn push_with(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), LogError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEAD_BYTES]);
        encode(&mut self.bytes);
        let length = self.bytes.len() - start - HEAD_BYTES;
        if length > RECORD_BYTES_MAX {
            self.bytes.truncate(start);
            return Err(LogError::TooLong { bytes: length, limit: RECORD_BYTES_MAX });
        }
        let head = Head::new(RECORD_KIND, &self.bytes[start + HEAD_BYTES..]);
        self.bytes[start..start + HEAD_BYTES].copy_from_slice(&head.bytes(Position(0)));
        self.count += 1;
        Ok(())
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            let (head, behind) = rest.split_first_chunk::<HEAD_BYTES>()?;
            let (record, behind) = behind.split_at(Head::from_bytes(head).length());
            rest = behind;
            Some(record)
        })
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes with frames, as they will be on disk.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the records of another batch.
    pub fn extend(&mut self, other: &RecordBatch) {
        self.bytes.extend_from_slice(&other.bytes);
        self.count += other.count;
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// The frames as they stand in the log from `first` on.
    pub(super) fn frames(&mut self, first: Position) -> &[u8] {
        let (mut at, mut position) = (0, first);
        while let Some(bytes) = self.bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<HEAD_BYTES>()) {
            let head = Head::from_bytes(bytes);
            *bytes = head.bytes(position);
            at += HEAD_BYTES + head.length();
            position.0 += 1;
        }
        &self.bytes
    }
}

/// The first bytes of a frame, before they were checked.
#[derive(Clone, Copy)]
pub(super) struct Head {
    kind_and_length: u32,
    payload_crc: u32,
    head_crc: u32,
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Record,
    Marker,
    Unknown,
}

impl Head {
    fn new(kind: u8, payload: &[u8]) -> Self {
        let length = u32::try_from(payload.len()).expect("a payload was measured before it came here");
        Self { kind_and_length: length | u32::from(kind) << 24, payload_crc: crc32c::crc32c(payload), head_crc: 0 }
    }

    pub(super) fn from_bytes(bytes: &[u8; HEAD_BYTES]) -> Self {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self { kind_and_length: number(0), payload_crc: number(4), head_crc: number(8) }
    }

    fn bytes(self, position: Position) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..4].copy_from_slice(&self.kind_and_length.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[8..].copy_from_slice(&self.crc(position).to_le_bytes());
        bytes
    }

    fn crc(self, position: Position) -> u32 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&position.0.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.kind_and_length.to_le_bytes());
        bytes[12..].copy_from_slice(&self.payload_crc.to_le_bytes());
        crc32c::crc32c(&bytes)
    }

    /// Length of the payload in bytes.
    pub(super) fn length(self) -> usize {
        (self.kind_and_length & 0x00FF_FFFF) as usize
    }

    pub(super) fn kind(self) -> Kind {
        match (self.kind_and_length >> 24) as u8 {
            RECORD_KIND => Kind::Record,
            MARKER_KIND => Kind::Marker,
            _ => Kind::Unknown,
        }
    }

    pub(super) fn is_valid_at(self, position: Position) -> bool {
        self.head_crc == self.crc(position)
    }

    pub(super) fn matches(self, payload: &[u8]) -> bool {
        self.payload_crc == crc32c::crc32c(payload)
    }
}

/// The marker that stands at `offset` and says that all before `end` was durable.
pub(super) fn marker(offset: u64, end: Position) -> [u8; MARKER_BYTES] {
    let mut bytes = [0; MARKER_BYTES];
    let payload = &mut bytes[HEAD_BYTES..];
    payload[..8].copy_from_slice(&MARKER_MAGIC);
    payload[8..16].copy_from_slice(&end.0.to_le_bytes());
    payload[16..].copy_from_slice(&offset.to_le_bytes());
    let head = Head::new(MARKER_KIND, payload);
    bytes[..HEAD_BYTES].copy_from_slice(&head.bytes(end));
    bytes
}

//! One segment as bytes: its header, and what of its frames can be kept. Pure; no bytes make it panic.

use super::{
    Position,
    frame::{HEAD_BYTES, Head, Kind, MARKER_BYTES, MARKER_MAGIC, marker},
};
use std::ops::Range;

/// Bytes before the first frame: a sector of its own, so that no later write touches it.
pub(super) const HEADER_BYTES: usize = 512;

/// The piece that a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

const MAGIC: [u8; 8] = *b"FADENLOG";
const FORMAT: u32 = 1;

/// What can be read from a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Position of the first record, there or not.
    pub first: Position,
    /// Position after the last record.
    pub end: Position,
    /// Where the next frame goes.
    pub end_offset: usize,
    /// Everything before this byte was durable by the segment's own word: where the last marker
    /// stands. The marker itself need not be durable.
    pub durable_offset: usize,
    /// No record stands behind the last marker, or there is none at all.
    pub all_flushed: bool,
    /// The remains of a write that a crash cut short, to be erased.
    pub erase: Option<Range<usize>>,
    /// The records' payloads.
    pub records: Vec<Range<usize>>,
}

/// A segment that cannot be trusted from `offset` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    pub offset: usize,
    pub position: Position,
    pub what: &'static str,
}

/// Bytes of a new segment's header.
pub(super) fn header(first: Position) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..20].copy_from_slice(&first.0.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..20]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads the header of a segment.
pub(super) fn parse_header(bytes: &[u8]) -> Result<Position, Break> {
    let broken = |what| Break { offset: 0, position: Position(0), what };
    let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else { return Err(broken("the file is shorter than a header")) };
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[12..20]);
    let first = Position(u64::from_le_bytes(first));
    if bytes[..8] != MAGIC {
        return Err(broken("it does not begin as a log segment does"));
    }
    if crc32c::crc32c(&bytes[..20]).to_le_bytes() != bytes[20..24] {
        return Err(broken("the header's checksum is wrong"));
    }
    if bytes[8..12] != FORMAT.to_le_bytes() {
        return Err(broken("its format is newer than this program; use the version that wrote it"));
    }
    if *bytes != header(first) {
        return Err(broken("there are bytes behind the header's checksum"));
    }
    Ok(first)
}

/// Reads a last segment as recovery does: everything up to the first break, which is either the torn
/// end of an unflushed write or damage. The rules are in the documentation of [`crate::log`].
///
/// # Errors
/// [`Break`], if the header or flushed frames are damaged.
pub fn recover_bytes(bytes: &[u8]) -> Result<Recovered, Break> {
    let first = parse_header(bytes)?;
    let mut found = Recovered {
        first,
        end: first,
        end_offset: HEADER_BYTES,
        durable_offset: HEADER_BYTES,
        all_flushed: true,
        erase: None,
        records: Vec::new(),
    };
    while let Some((kind, payload)) = frame_at(bytes, found.end_offset, found.end) {
        found.end_offset = payload.end;
        match kind {
            Kind::Record => {
                let Some(next) = found.end.0.checked_add(1) else { break };
                found.end = Position(next);
                found.records.push(payload);
                found.all_flushed = false;
            }
            Kind::Marker => {
                found.durable_offset = payload.start - HEAD_BYTES;
                found.all_flushed = true;
            }
            Kind::Unknown => {
                return Err(Break {
                    offset: payload.start - HEAD_BYTES,
                    position: found.end,
                    what: "its kind is newer than this program; use the version that wrote it",
                });
            }
        }
    }
    let rest = &bytes[found.end_offset..];
    if let Some(last) = rest.iter().rposition(|byte| *byte != 0) {
        if let Some(what) = damage(bytes, found.end_offset, found.end) {
            return Err(Break { offset: found.end_offset, position: found.end, what });
        }
        found.erase = Some(found.end_offset..found.end_offset + last + 1);
    }
    Ok(found)
}

/// Kind and payload of the frame at `offset`, if it is whole and has `position`.
fn frame_at(bytes: &[u8], offset: usize, position: Position) -> Option<(Kind, Range<usize>)> {
    let rest = bytes.get(offset..)?;
    let head = Head::from_bytes(rest.first_chunk()?);
    let payload = rest.get(HEAD_BYTES..HEAD_BYTES + head.length())?;
    let start = offset + HEAD_BYTES;
    (head.is_valid_at(position) && head.matches(payload)).then_some((head.kind(), start..start + payload.len()))
}

/// Why the break at `offset` is damage, or `None` if a crash explains it.
fn damage(bytes: &[u8], offset: usize, position: Position) -> Option<&'static str> {
    if has_marker(bytes, offset) {
        return Some("it was flushed, as a later marker shows, but its checksum is wrong");
    }
    let rest = &bytes[offset..];
    let head_bytes = &rest[..rest.len().min(HEAD_BYTES)];
    if head_bytes.iter().all(|byte| *byte == 0) {
        return None;
    }
    let mut span = offset..offset + head_bytes.len();
    if let Some(head) = rest.first_chunk().map(Head::from_bytes).filter(|head| head.is_valid_at(position)) {
        span.end = bytes.len().min(span.end + head.length());
    }
    let torn = (span.start / SECTOR_BYTES..span.end.div_ceil(SECTOR_BYTES)).any(|sector| {
        let start = span.start.max(sector * SECTOR_BYTES);
        let end = span.end.min((sector + 1) * SECTOR_BYTES);
        bytes[start..end].iter().all(|byte| *byte == 0)
    });
    (!torn).then_some("it was written in full, but its checksum is wrong")
}

/// Is there a valid marker at `offset` or behind?
fn has_marker(bytes: &[u8], offset: usize) -> bool {
    let mut from = offset;
    while let Some(found) = bytes.get(from..).and_then(|rest| find(rest, &MARKER_MAGIC)) {
        let magic = from + found;
        from = magic + 1;
        let Some(start) = magic.checked_sub(HEAD_BYTES).filter(|start| *start >= offset) else { continue };
        let Some(frame) = bytes.get(start..start + MARKER_BYTES) else { continue };
        let mut end = [0; 8];
        end.copy_from_slice(&frame[HEAD_BYTES + 8..HEAD_BYTES + 16]);
        if frame == marker(start as u64, Position(u64::from_le_bytes(end))) {
            return true;
        }
    }
    false
}

fn find(bytes: &[u8], wanted: &[u8; 8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

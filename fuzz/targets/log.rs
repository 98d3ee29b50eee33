//! Any bytes are a readable segment or a break with its place; what was flushed is never read back changed.
//!
//! Half of the inputs are the bytes of a segment themselves. The other half are records and up to three
//! flipped bits: the records are written and flushed, the bits flipped, the segment recovered. A CRC of
//! 32 bits sees any three, so what is read must be what was written.
#![no_main]

use faden_storage::log::recover_bytes;
use faden_storage::{Disk, Log, LogOptions, MemoryDisk, RecordBatch};
use std::path::Path;
use std::sync::Arc;

const SEGMENT_BYTES: u64 = 8 * 1024;
/// Records are cut from the input, at most this long.
const RECORD_BYTES_MAX: usize = 255;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match input.split_first() {
        Some((0, bytes)) => read_any(bytes),
        Some((choice, rest)) => flip_and_read(usize::from(choice % 4), rest),
        None => {}
    }
});

fn read_any(bytes: &[u8]) {
    match recover_bytes(bytes) {
        Ok(found) => {
            assert!(found.end_offset <= bytes.len(), "the end lies inside");
            assert_eq!(found.end.0 - found.first.0, found.records.len() as u64, "positions count records");
            assert!(found.records.iter().all(|range| bytes.get(range.clone()).is_some()), "records lie inside");
        }
        Err(found) => assert!(found.offset <= bytes.len() && !found.what.is_empty(), "a break has a place and a reason"),
    }
}

fn flip_and_read(flips: usize, rest: &[u8]) {
    if rest.len() < 2 * flips {
        return;
    }
    let (places, mut rest) = rest.split_at(2 * flips);
    let disk = Arc::new(MemoryDisk::new());
    let directory = Path::new("log");
    // No thread beside the target: the same input must do the same.
    let options = LogOptions { segment_bytes: SEGMENT_BYTES, prepare_ahead: false, ..LogOptions::new(directory) };
    let mut log = Log::open(disk.clone(), options).expect("an empty disk holds an empty log");
    let mut written: Vec<Vec<u8>> = Vec::new();
    let mut batch = RecordBatch::new();
    while let Some((length, more)) = rest.split_first() {
        let (record, more) = more.split_at(more.len().min(usize::from(*length).min(RECORD_BYTES_MAX)));
        rest = more;
        batch.push(record).expect("the record is short enough");
        written.push(record.to_vec());
        // Batches of several sizes, by what the input holds.
        if length % 3 == 0 {
            log.append(&mut batch).expect("the disk has room");
            log.flush().expect("the disk works");
            batch.clear();
        }
    }
    log.append(&mut batch).expect("the disk has room");
    log.flush().expect("the disk works");

    let segments = disk.list(directory).expect("the directory is there");
    let last = segments.last().expect("an open log has a segment");
    let mut bytes = disk.bytes(last).expect("the segment is there");
    for place in places.chunks_exact(2) {
        let bit = usize::from(u16::from_le_bytes([place[0], place[1]])) % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    if let Ok(found) = recover_bytes(&bytes) {
        let first = usize::try_from(found.first.0).expect("few records were written");
        let read: Vec<&[u8]> = found.records.iter().map(|range| &bytes[range.clone()]).collect();
        let expected = &written[first..];
        assert!(read.len() <= expected.len(), "no record comes from nowhere");
        assert!(read.iter().zip(expected).all(|(read, written)| read == written), "no record is read back changed");
        if flips <= 1 {
            assert_eq!(read.len(), expected.len(), "one flipped bit loses nothing that was flushed, it is reported");
        }
    }
}

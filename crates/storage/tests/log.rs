//! The log on a disk that behaves, and on one that is damaged in a chosen place.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use faden_storage::{Disk, FileDisk, Log, LogError, LogOptions, MemoryDisk, Position, RecordBatch, log::recover_bytes};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

const SEGMENT_BYTES: u64 = 4096;

fn options() -> LogOptions {
    LogOptions { directory: PathBuf::from("/log"), segment_bytes: SEGMENT_BYTES, prepare_ahead: false }
}

fn open(disk: &MemoryDisk) -> Result<Log, LogError> {
    Log::open(Arc::new(disk.clone()), options())
}

fn append(log: &mut Log, records: &[&[u8]]) -> Result<Position, LogError> {
    let mut batch = RecordBatch::new();
    for record in records {
        batch.push(record)?;
    }
    log.append(&mut batch)
}

fn read_all(log: &Log, from: u64) -> Result<Vec<(u64, Vec<u8>)>, LogError> {
    let mut reader = log.read(Position(from))?;
    let mut records = Vec::new();
    while let Some((position, record)) = reader.next()? {
        records.push((position.0, record.to_vec()));
    }
    Ok(records)
}

/// A record of `length` bytes, none of them zero, different for every number.
fn record(number: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| ((number * 31 + at * 7) % 255) as u8 + 1).collect()
}

fn fill(log: &mut Log, numbers: std::ops::Range<u64>, length: usize) {
    for number in numbers {
        append(log, &[&record(number, length)]).unwrap();
        log.flush().unwrap();
    }
}

fn segment(first: u64) -> PathBuf {
    PathBuf::from(format!("/log/{first:020}.log"))
}

fn code<T>(result: Result<T, LogError>) -> &'static str {
    result.err().map_or("none", |error| error.code())
}

#[test]
fn what_was_flushed_is_read_in_order_over_many_segments_and_after_opening_again() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..100, 200);
    let expected: Vec<_> = (0..100).map(|number| (number, record(number, 200))).collect();
    assert_eq!(read_all(&log, 0).unwrap(), expected);
    assert_eq!(read_all(&log, 57).unwrap(), expected[57..]);
    assert!(disk.list(Path::new("/log")).unwrap().len() > 5, "several segments");
    let log = open(&disk).unwrap();
    assert_eq!((log.first(), log.end(), log.flushed()), (Position(0), Position(100), Position(100)));
    assert_eq!(read_all(&log, 0).unwrap(), expected);
}

#[test]
fn a_real_disk_keeps_a_log_too() {
    let directory = tempfile::tempdir().unwrap();
    let options = LogOptions { directory: directory.path().join("a/b"), segment_bytes: 1 << 20, prepare_ahead: true };
    let mut log = Log::open(Arc::new(FileDisk), options.clone()).unwrap();
    for number in 0..3000 {
        append(&mut log, &[&record(number, 1000), b"", b"x"]).unwrap();
    }
    log.flush().unwrap();
    drop(log);
    let log = Log::open(Arc::new(FileDisk), options).unwrap();
    let records = read_all(&log, 0).unwrap();
    assert_eq!(records.len(), 9000);
    assert_eq!(records[8997], (8997, record(2999, 1000)));
    assert_eq!(read_all(&log, 8998).unwrap(), [(8998, vec![]), (8999, b"x".to_vec())]);
}

#[test]
fn a_reader_sees_only_what_was_flushed_and_follows() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    let mut reader = log.read(Position(0)).unwrap();
    append(&mut log, &[b"one"]).unwrap();
    assert!(reader.next().unwrap().is_none());
    log.flush().unwrap();
    assert_eq!(reader.next().unwrap(), Some((Position(0), &b"one"[..])));
    for number in 1..60 {
        fill(&mut log, number..number + 1, 300);
        assert_eq!(reader.next().unwrap(), Some((Position(number), &record(number, 300)[..])));
        assert!(reader.next().unwrap().is_none());
    }
    assert_eq!(reader.position(), Position(60));
}

#[test]
fn a_batch_longer_than_a_segment_gets_a_segment_of_its_own() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    let long = record(1, 10_000);
    append(&mut log, &[b"short", &long, b"short"]).unwrap();
    log.flush().unwrap();
    append(&mut log, &[b"next"]).unwrap();
    log.flush().unwrap();
    let log = open(&disk).unwrap();
    assert_eq!(read_all(&log, 1).unwrap(), [(1, long), (2, b"short".to_vec()), (3, b"next".to_vec())]);
}

#[test]
fn old_segments_go_and_what_is_needed_stays() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..60, 500);
    let before = log.disk_bytes();
    log.truncate_before(Position(30)).unwrap();
    assert!(log.first() <= Position(30) && log.first() > Position(20), "{}", log.first());
    assert!(log.disk_bytes() < before);
    assert_eq!(code(read_all(&log, 0)), "log-removed");
    disk.crash(&mut |_| 0);
    let mut log = open(&disk).unwrap();
    assert_eq!(read_all(&log, 30).unwrap().len(), 30);
    log.truncate_before(Position(1000)).unwrap();
    assert_eq!(log.end(), Position(60), "the last segment stays");
    assert_eq!(code(log.read(Position(61))), "log-beyond");
}

#[test]
fn a_failed_flush_stops_the_log_and_is_never_retried() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..3, 50);
    append(&mut log, &[b"lost?"]).unwrap();
    disk.fail_next_sync();
    assert_eq!(code(log.flush()), "log-disk");
    assert_eq!(code(log.flush()), "log-stopped");
    assert_eq!(code(append(&mut log, &[b"more"])), "log-stopped");
    assert_eq!(code(log.truncate_before(Position(1))), "log-stopped");
    assert_eq!(code(log.read(Position(0))), "log-stopped");
    // The program dies, the system lives and still shows the record that the disk does not have.
    disk.kill();
    let log = open(&disk).unwrap();
    assert_eq!(log.end(), Position(4));
    disk.crash(&mut |_| 0);
    assert_eq!(open(&disk).unwrap().end(), Position(4), "what was shown once was made durable first");
}

#[test]
fn a_segment_whose_name_was_not_flushed_before_a_kill_survives_a_later_power_cut() {
    // Every place at which the process may be killed while it makes the second segment.
    for stopped in 0..12 {
        let disk = MemoryDisk::new();
        let mut log = open(&disk).unwrap();
        fill(&mut log, 0..2, 1500);
        disk.stop_after(stopped);
        let mut batch = RecordBatch::new();
        batch.push(&record(2, 1500)).unwrap();
        let _ = log.append(&mut batch).and_then(|_| log.flush());
        drop(log);
        disk.kill();
        let mut log = open(&disk).unwrap();
        fill(&mut log, 3..4, 100);
        let end = log.flushed();
        drop(log);
        disk.crash(&mut |_| 0);
        assert_eq!(open(&disk).unwrap().end(), end, "killed after {stopped} operations");
    }
}

#[test]
fn a_full_disk_leaves_the_log_as_it_was() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    disk.set_capacity(Some(SEGMENT_BYTES + 1000));
    let error = (0..100).find_map(|number| append(&mut log, &[&record(number, 300)]).err()).unwrap();
    assert_eq!(error.code(), "log-full");
    let end = log.end();
    assert_eq!(log.flush().unwrap(), end);
    assert_eq!(read_all(&log, 0).unwrap().len() as u64, end.0);
    assert_eq!(disk.list(Path::new("/log")).unwrap(), [segment(0)], "nothing is left over");
    disk.set_capacity(None);
    assert_eq!(append(&mut log, &[b"goes again"]).unwrap(), end);
}

#[test]
fn a_record_beyond_the_limit_is_refused_and_the_batch_is_as_before() {
    let mut batch = RecordBatch::new();
    batch.push(b"a").unwrap();
    assert_eq!(code(batch.push(&vec![1; faden_storage::log::RECORD_BYTES_MAX + 1])), "log-too-long");
    batch.push(b"b").unwrap();
    assert_eq!(batch.records().collect::<Vec<_>>(), [b"a", b"b"]);
}

#[test]
fn every_flipped_bit_of_what_was_flushed_is_found() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..6, 90);
    let bytes = disk.bytes(&segment(0)).unwrap();
    let used = recover_bytes(&bytes).unwrap().end_offset;
    for bit in 0..used * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(recover_bytes(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn every_flipped_bit_of_a_last_flush_without_its_marker_is_found() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, &[&record(1, 100), &record(2, 2000), &record(3, 30)]).unwrap();
    let bytes = disk.bytes(&segment(0)).unwrap();
    let used = recover_bytes(&bytes).unwrap().end_offset;
    assert_eq!(recover_bytes(&bytes).unwrap().durable_offset, 512, "no marker yet");
    for bit in 0..used * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(recover_bytes(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn damage_names_segment_and_place_and_touches_nothing() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..5, 100);
    let offset = 512 + 2 * (12 + 100 + 36);
    disk.flip_bit(&segment(0), (offset + 40) * 8);
    let before = disk.bytes(&segment(0));
    let error = open(&disk).err().unwrap();
    assert_eq!(
        error.to_string(),
        "segment `/log/00000000000000000000.log` is broken at byte 808, where record 2 should be: it was flushed, as a later \
         marker shows, but its checksum is wrong; restore this file from a backup or a copy, nothing was changed"
    );
    assert_eq!(disk.bytes(&segment(0)), before);
}

#[test]
fn damage_in_an_old_segment_is_found_when_it_is_read() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..100, 200);
    disk.flip_bit(&segment(0), 1000 * 8);
    let log = open(&disk).unwrap();
    assert_eq!(code(read_all(&log, 0)), "log-broken");
    assert_eq!(read_all(&log, 50).unwrap().len(), 50);
}

#[test]
fn a_missing_segment_is_found_when_it_is_read() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..40, 200);
    let names = disk.list(Path::new("/log")).unwrap();
    disk.remove(&names[1]).unwrap();
    let log = open(&disk).unwrap();
    assert_eq!(code(read_all(&log, 0)), "log-missing");
}

#[test]
fn the_remains_of_a_torn_write_never_come_back() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).unwrap();
    fill(&mut log, 0..1, 100);
    append(&mut log, &[&record(1, 600), &record(2, 300), &record(3, 300)]).unwrap();
    // Sectors 1 to 4 wait; the second of them is lost, so record 1 is torn and 2 and 3 are whole.
    let mut sector = 0;
    disk.crash(&mut |outcomes| {
        sector += 1;
        if sector == 2 { 0 } else { outcomes - 1 }
    });
    let mut log = open(&disk).unwrap();
    assert_eq!(log.end(), Position(1));
    append(&mut log, &[&record(9, 600)]).unwrap();
    log.flush().unwrap();
    disk.crash(&mut |_| 0);
    let log = open(&disk).unwrap();
    assert_eq!(read_all(&log, 0).unwrap(), [(0, record(0, 100)), (1, record(9, 600))]);
}

/// Written by version 1 and checked in: it must read for ever, and be written alike as long as version 1 is written.
#[test]
fn version_1_reads_for_ever() {
    let disk = MemoryDisk::new();
    let mut log = Log::open(Arc::new(disk.clone()), LogOptions { segment_bytes: 1024, ..options() }).unwrap();
    append(&mut log, &[b"first", b"", &[0, 1, 2, 254, 255]]).unwrap();
    log.flush().unwrap();
    append(&mut log, &["Ümläut".as_bytes(), &record(7, 100)]).unwrap();
    log.flush().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/log-v1.segment");
    let written = disk.bytes(&segment(0)).unwrap();
    if std::env::var_os("FADEN_WRITE_GOLDEN").is_some() {
        std::fs::write(&golden, &written).unwrap();
    }
    let bytes = std::fs::read(golden).unwrap();
    let found = recover_bytes(&bytes).unwrap();
    let records: Vec<&[u8]> = found.records.iter().map(|range| &bytes[range.clone()]).collect();
    assert_eq!(records, [b"first", &b""[..], &[0, 1, 2, 254, 255], "Ümläut".as_bytes(), &record(7, 100)]);
    assert_eq!((found.first, found.end, found.erase), (Position(0), Position(5), None));
    assert!(bytes == written, "the same records give the same bytes");
}

#[test]
fn every_error_code_of_this_crate_has_its_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut codes = 0;
    for file in ["src/log/mod.rs", "src/store/mod.rs", "src/snapshot.rs"] {
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        for line in source.lines().filter(|line| line.contains("Error::") && line.contains("=> \"")) {
            let code = line.split('"').nth(1).unwrap();
            let page = std::fs::read_to_string(root.join(format!("../../docs/errors/{code}.md"))).unwrap();
            assert!(page.contains(&format!("Code: `{code}`")), "{code}");
            codes += 1;
        }
    }
    assert_eq!(codes, 19);
}

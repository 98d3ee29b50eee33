//! Laws of the log under crashes: nothing flushed is lost, nothing is invented, recovery repeats.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use faden_storage::{Log, LogError, LogOptions, MemoryDisk, Position, RecordBatch, log::recover_bytes};
use proptest::{collection::vec, prelude::*};
use std::{path::PathBuf, sync::Arc};

#[derive(Clone, Debug)]
enum Step {
    /// Appends records of these lengths with one call.
    Append(Vec<usize>),
    Flush,
    FailFlush,
    /// Power goes; every sector and name that waits is decided by these numbers in turn.
    Crash(Vec<u8>),
    /// Power goes in the middle of what follows, after so many operations.
    StopAfter(u64, Vec<u8>),
    Kill,
    TruncateBefore(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let choices = || vec(any::<u8>(), 1..40);
    prop_oneof![
        6 => vec(prop_oneof![0..80_usize, 0..1500_usize], 1..6).prop_map(Step::Append),
        4 => Just(Step::Flush),
        1 => Just(Step::FailFlush),
        2 => choices().prop_map(Step::Crash),
        3 => (0..25_u64, choices()).prop_map(|(operations, choices)| Step::StopAfter(operations, choices)),
        1 => Just(Step::Kill),
        1 => (0..40_u64).prop_map(Step::TruncateBefore),
    ]
}

/// A log beside the plain list of what was appended to it.
struct Bench {
    disk: MemoryDisk,
    log: Option<Log>,
    appended: Vec<Vec<u8>>,
    flushed: usize,
    made: u64,
    /// How the machine's coming power cut, if one was set, decides.
    choices: Vec<u8>,
    prepare_ahead: bool,
}

fn options(prepare_ahead: bool) -> LogOptions {
    LogOptions { directory: PathBuf::from("/log"), segment_bytes: 3000, prepare_ahead }
}

impl Bench {
    fn new() -> Self {
        Self { disk: MemoryDisk::new(), log: None, appended: Vec::new(), flushed: 0, made: 0, choices: vec![0], prepare_ahead: false }
    }

    fn append(&mut self, lengths: &[usize]) {
        let mut batch = RecordBatch::new();
        let mut records = Vec::new();
        for length in lengths {
            self.made += 1;
            // Mostly without zeros; every fifth record is nothing but zeros.
            let record = match self.made % 5 {
                0 => vec![0; *length],
                _ => (0..*length as u64).map(|at| ((self.made * 131 + at * 7) % 255) as u8 + 1).collect(),
            };
            batch.push(&record).unwrap();
            records.push(record);
        }
        let Some(log) = &mut self.log else { return };
        match log.append(&mut batch) {
            Ok(first) => {
                assert_eq!(first.0, self.appended.len() as u64);
                self.appended.extend(records);
                self.flushed = self.flushed.max(usize::try_from(log.flushed().0).unwrap());
            }
            // What a failed append left behind may be found again: it was not refused, it is unknown.
            Err(LogError::Full { .. }) => unreachable!("no limit was set"),
            Err(_) => {
                self.appended.extend(records);
                self.power_cut();
            }
        }
    }

    fn flush(&mut self) {
        let Some(log) = &mut self.log else { return };
        match log.flush() {
            Ok(end) => {
                assert_eq!(end.0, self.appended.len() as u64);
                self.flushed = self.appended.len();
            }
            Err(_) => {
                assert!(log.flush().is_err() && log.append(&mut RecordBatch::new()).is_err(), "a failed flush stops the log");
                self.power_cut();
            }
        }
    }

    fn power_cut(&mut self) {
        self.log = None;
        let choices = std::mem::replace(&mut self.choices, vec![0]);
        let mut asked = 0;
        self.disk.crash(&mut |outcomes| {
            asked += 1;
            usize::from(choices[asked % choices.len()]) % outcomes
        });
    }

    /// Opens the log, through further power cuts if they come, and holds it against the list.
    fn open(&mut self) {
        if self.log.is_some() {
            return;
        }
        let log = loop {
            match Log::open(Arc::new(self.disk.clone()), options(self.prepare_ahead)) {
                Ok(log) => break log,
                Err(error) => {
                    assert_eq!(error.code(), "log-disk", "{error}");
                    self.power_cut();
                }
            }
        };
        let found = usize::try_from(log.end().0).unwrap();
        assert!(self.flushed <= found && found <= self.appended.len(), "{} <= {found} <= {}", self.flushed, self.appended.len());
        self.appended.truncate(found);
        self.flushed = found;
        self.log = Some(log);
        self.check_reading();
    }

    fn check_reading(&self) {
        let Some(log) = &self.log else { return };
        let mut reader = log.read(log.first()).unwrap();
        let mut position = log.first();
        while let Some((at, record)) = reader.next().unwrap() {
            assert_eq!(at, position);
            assert_eq!(record, self.appended[usize::try_from(at.0).unwrap()]);
            position.0 += 1;
        }
        assert_eq!(position, log.flushed());
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append(lengths) => self.append(&lengths),
            Step::Flush => self.flush(),
            Step::FailFlush => {
                // The program dies of it, the system lives on and still shows what the disk refused.
                self.disk.fail_next_sync();
                let Some(log) = &mut self.log else { return };
                let nothing_to_flush = log.flushed() == log.end();
                assert_eq!(log.flush().is_ok(), nothing_to_flush);
                self.log = None;
                self.disk.kill();
            }
            Step::Crash(choices) => {
                self.choices = choices;
                self.power_cut();
            }
            Step::StopAfter(operations, choices) => {
                self.choices = choices;
                self.disk.stop_after(operations);
            }
            Step::Kill => {
                self.log = None;
                self.disk.kill();
            }
            Step::TruncateBefore(position) => {
                let Some(log) = &mut self.log else { return };
                let position = Position(position.min(log.flushed().0));
                if log.truncate_before(position).is_err() {
                    self.power_cut();
                }
            }
        }
        self.open();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_flushed_is_lost_and_nothing_is_invented(steps in vec(step(), 1..40), prepare_ahead in any::<bool>()) {
        let mut bench = Bench { prepare_ahead, ..Bench::new() };
        bench.open();
        for step in steps {
            bench.take(step);
        }
        bench.flush();
        bench.open();
        bench.check_reading();
        // Recovery is idempotent: without anything new, opening twice finds the same.
        let end = bench.log.take().map(|log| log.end());
        bench.open();
        prop_assert_eq!(bench.log.as_ref().map(Log::end), end);
    }

    #[test]
    fn a_flipped_bit_in_flushed_records_is_always_found(lengths in vec(0..400_usize, 1..12), choice in any::<prop::sample::Index>()) {
        let mut bench = Bench::new();
        bench.open();
        bench.append(&lengths);
        bench.flush();
        let path = PathBuf::from("/log/00000000000000000000.log");
        let bytes = bench.disk.bytes(&path).unwrap();
        // Up to the last marker: that one's loss takes no record along.
        let used = recover_bytes(&bytes).unwrap().durable_offset;
        bench.disk.flip_bit(&path, choice.index(used * 8) as u64);
        let found = Log::open(Arc::new(bench.disk.clone()), options(false));
        prop_assert!(matches!(found, Err(LogError::Broken { .. })), "not found");
    }

    #[test]
    fn no_bytes_make_recovery_panic(bytes in vec(any::<u8>(), 0..2000), header in any::<bool>()) {
        let mut segment = Vec::new();
        if header {
            let mut bench = Bench::new();
            bench.open();
            bench.append(&[20, 30]);
            segment = bench.disk.bytes(&PathBuf::from("/log/00000000000000000000.log")).unwrap();
            segment.truncate(512 + 40);
        }
        segment.extend(bytes);
        let _ = recover_bytes(&segment);
    }

    #[test]
    fn recovery_of_damaged_bytes_keeps_a_prefix(flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bench = Bench::new();
        bench.open();
        bench.append(&[20, 30, 700, 0, 5]);
        let mut bytes = bench.disk.bytes(&PathBuf::from("/log/00000000000000000000.log")).unwrap();
        for (place, value) in flips {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(found) = recover_bytes(&bytes) {
            let kept: Vec<&[u8]> = found.records.iter().map(|range| &bytes[range.clone()]).collect();
            prop_assert!(kept.len() <= bench.appended.len());
            prop_assert_eq!(kept, bench.appended[..found.records.len()].iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }
}

//! Measures the log on this disk: append and flush in batches, then read everything back.
//!
//! `cargo run --release -p faden-storage --example log_bench -- DIR` with an empty directory.

use faden_storage::{FileDisk, Log, LogOptions, Position, RecordBatch};
use std::{sync::Arc, time::Instant};

const RECORD_BYTES: usize = 150;
const BATCHES: usize = 2000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: log_bench DIR")?;
    for records in [1, 100, 1000] {
        let directory = std::path::Path::new(&directory).join(records.to_string());
        let mut log = Log::open(Arc::new(FileDisk), LogOptions::new(directory))?;
        let mut batch = RecordBatch::new();
        let (mut appends, mut flushes) = (0.0, Vec::new());
        let started = Instant::now();
        for _ in 0..BATCHES {
            let append = Instant::now();
            batch.clear();
            for _ in 0..records {
                batch.push(&[0x5A; RECORD_BYTES])?;
            }
            log.append(&mut batch)?;
            appends += append.elapsed().as_secs_f64();
            let flush = Instant::now();
            log.flush()?;
            flushes.push(flush.elapsed().as_secs_f64() * 1000.0);
        }
        let seconds = started.elapsed().as_secs_f64();
        flushes.sort_by(f64::total_cmp);
        let total = (BATCHES * records) as f64;
        println!(
            "{records:>5} a flush: {:>9.0} records/s, append {:>5.0} ns each, flush p50 {:.2} p99 {:.2} max {:.2} ms",
            total / seconds,
            appends / total * 1e9,
            flushes[BATCHES / 2],
            flushes[BATCHES * 99 / 100],
            flushes[BATCHES - 1]
        );
        let started = Instant::now();
        let mut reader = log.read(Position(0))?;
        let mut read = 0_u64;
        while let Some((_, record)) = reader.next()? {
            assert_eq!(record.len(), RECORD_BYTES);
            read += 1;
        }
        assert_eq!(read, log.end().0);
        println!("      read back:   {:>9.0} records/s", total / started.elapsed().as_secs_f64());
    }
    Ok(())
}

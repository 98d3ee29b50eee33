//! Measures a state store on the pattern the runtime has: a load, then checkpoints of dirty profiles,
//! new message ids and timers, with look-ups of cold profiles and unknown message ids in between.
//!
//! `cargo run --release -p faden-storage --example store_bench -- fjall 2000000 100 DIR`
//! Arguments: engine (`fjall` or `redb`), profiles, checkpoints, an empty directory.
//! What is printed goes into `docs/decisions/state-store.md`.

#[path = "../tests/redb_store/mod.rs"]
mod redb_store;

use faden_storage::{Batch, FjallStore, Position, Store, StoreError, StoreOptions, Table};
use redb_store::RedbStore;
use std::{ops::ControlFlow, path::PathBuf, time::Instant};

/// Dirty profiles, and new message ids, per checkpoint.
const DIRTY: usize = 20_000;
/// Timers set per checkpoint; about as many become due.
const TIMERS: usize = 10_000;
/// Cold profiles, and unknown message ids, looked up between two checkpoints.
const LOOKUPS: usize = 5_000;
/// Checkpoints between two flushes.
const FLUSH_EVERY: usize = 20;
const CACHE_BYTES: u64 = 512 << 20;

/// SplitMix64 (Steele, Lea, Flood 2014), so that every engine sees the same keys.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Shard in the first byte, then the number of the profile within the workspace.
fn profile_key(number: u64) -> [u8; 8] {
    let shard = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    (number | shard << 56).to_be_bytes()
}

/// 150 to 300 bytes, half of them text as traits are, half as dense as ids and counters.
fn profile_value(numbers: &mut Numbers, value: &mut Vec<u8>) {
    const WORDS: [&str; 8] = ["email", "gold", "Berlin", "first_seen", "last_order", "marketing", "true", "Europe"];
    let length = 150 + usize::try_from(numbers.below(151)).expect("small");
    value.clear();
    while value.len() < length {
        let number = numbers.next();
        value.extend_from_slice(WORDS[(number & 7) as usize].as_bytes());
        value.extend_from_slice(&number.to_be_bytes());
    }
    value.truncate(length);
}

fn seen_key(numbers: &mut Numbers) -> [u8; 16] {
    (u128::from(numbers.next()) << 64 | u128::from(numbers.next())).to_be_bytes()
}

/// CPU seconds of this process, all threads. Linux counts in hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn milliseconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

struct Samples(Vec<f64>);

impl Samples {
    fn print(mut self, name: &str, unit: &str) {
        self.0.sort_by(f64::total_cmp);
        let at = |part: f64| self.0[((self.0.len() - 1) as f64 * part) as usize];
        println!("{name:<24} p50 {:>8.2}  p99 {:>8.2}  max {:>8.2} {unit}", at(0.5), at(0.99), at(1.0));
    }
}

fn load(store: &mut dyn Store, profiles: u64, numbers: &mut Numbers) -> Result<(), StoreError> {
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let mut batch = Batch::new();
    let mut value = Vec::new();
    for first in (0..profiles).step_by(DIRTY) {
        let mut keys: Vec<[u8; 8]> = (first..profiles.min(first + DIRTY as u64)).map(profile_key).collect();
        keys.sort_unstable();
        batch.clear();
        for key in &keys {
            profile_value(numbers, &mut value);
            batch.put(Table::Profiles, key, &value);
        }
        batch.set_log_position(Position(first));
        store.commit(&batch)?;
    }
    store.flush()?;
    let seconds = started.elapsed().as_secs_f64();
    println!("load                     {:>8.0} profiles/s, {seconds:.1} s, {:.1} CPU s", profiles as f64 / seconds, cpu_seconds() - cpu);
    Ok(())
}

struct Measured {
    commits: Vec<f64>,
    flushes: Vec<f64>,
    cold_gets: Vec<f64>,
    seen_misses: Vec<f64>,
    due_scans: Vec<f64>,
}

/// One checkpoint's batch: sorted profiles, message ids, new timers, and the timers that fired.
fn fill(batch: &mut Batch, numbers: &mut Numbers, profiles: u64, now: u64, fired: &[[u8; 16]]) {
    let mut value = Vec::new();
    let mut dirty: Vec<[u8; 8]> = (0..DIRTY).map(|_| profile_key(numbers.below(profiles))).collect();
    let mut seen: Vec<[u8; 16]> = (0..DIRTY).map(|_| seen_key(numbers)).collect();
    dirty.sort_unstable();
    dirty.dedup();
    seen.sort_unstable();
    batch.clear();
    for key in &dirty {
        profile_value(numbers, &mut value);
        batch.put(Table::Profiles, key, &value);
    }
    for key in &seen {
        batch.put(Table::Seen, key, &[]);
    }
    for _ in 0..TIMERS {
        let due = now + 1 + numbers.below(20_000);
        batch.put(Table::Due, &(u128::from(due) << 64 | u128::from(numbers.next())).to_be_bytes(), b"enrollment and step");
    }
    for key in fired {
        batch.delete(Table::Due, key);
    }
    batch.set_log_position(Position(now));
}

fn lookups(store: &dyn Store, numbers: &mut Numbers, profiles: u64, measured: &mut Measured) -> Result<(), StoreError> {
    let mut cold: Vec<[u8; 8]> = (0..LOOKUPS).map(|_| profile_key(numbers.below(profiles))).collect();
    cold.sort_unstable();
    let keys: Vec<&[u8]> = cold.iter().map(<[u8; 8]>::as_slice).collect();
    let (started, mut found) = (Instant::now(), 0);
    store.get_many(Table::Profiles, &keys, &mut |_, value| found += usize::from(value.is_some()))?;
    measured.cold_gets.push(milliseconds(started) * 1000.0 / LOOKUPS as f64);
    assert_eq!(found, LOOKUPS, "every profile was loaded");

    let unknown: Vec<[u8; 16]> = (0..LOOKUPS).map(|_| seen_key(numbers)).collect();
    let keys: Vec<&[u8]> = unknown.iter().map(<[u8; 16]>::as_slice).collect();
    let (started, mut found) = (Instant::now(), 0);
    store.get_many(Table::Seen, &keys, &mut |_, value| found += usize::from(value.is_some()))?;
    measured.seen_misses.push(milliseconds(started) * 1000.0 / LOOKUPS as f64);
    assert_eq!(found, 0, "random 128 bits do not repeat");
    Ok(())
}

fn checkpoints(store: &mut dyn Store, profiles: u64, count: usize, numbers: &mut Numbers) -> Result<(), StoreError> {
    let mut measured = Measured { commits: vec![], flushes: vec![], cold_gets: vec![], seen_misses: vec![], due_scans: vec![] };
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let mut batch = Batch::new();
    let mut watermark = 0_u64;
    for round in 0..count {
        let now = round as u64 * 1000;
        let mut fired: Vec<[u8; 16]> = Vec::new();
        let scan = Instant::now();
        let until = (u128::from(now) << 64).to_be_bytes();
        let from = (u128::from(watermark) << 64).to_be_bytes();
        store.scan(Table::Due, &from, &until, &mut |key, _| {
            fired.push(key.try_into().expect("timer keys have 16 bytes"));
            ControlFlow::Continue(())
        })?;
        measured.due_scans.push(milliseconds(scan));
        watermark = now;
        fill(&mut batch, numbers, profiles, now, &fired);
        let commit = Instant::now();
        store.commit(&batch)?;
        measured.commits.push(milliseconds(commit));
        lookups(store, numbers, profiles, &mut measured)?;
        if (round + 1) % FLUSH_EVERY == 0 {
            let flush = Instant::now();
            store.flush()?;
            measured.flushes.push(milliseconds(flush));
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("checkpoints              {:>8.1} /s, {seconds:.1} s, {:.1} CPU s", count as f64 / seconds, cpu_seconds() - cpu);
    Samples(measured.commits).print("commit", "ms");
    Samples(measured.flushes).print("flush", "ms");
    Samples(measured.cold_gets).print("cold profile", "us each");
    Samples(measured.seen_misses).print("unknown message id", "us each");
    Samples(measured.due_scans).print("due timers, one scan", "ms");
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: store_bench fjall|redb PROFILES CHECKPOINTS DIR";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, profiles, count, directory] = arguments.as_slice() else { return Err(usage.into()) };
    let (profiles, count): (u64, usize) = (profiles.parse()?, count.parse()?);
    let mut options = StoreOptions::new(PathBuf::from(directory));
    options.cache_bytes = CACHE_BYTES;
    let mut store: Box<dyn Store> = match engine.as_str() {
        "fjall" => Box::new(FjallStore::open(&options)?),
        "redb" => Box::new(RedbStore::open(&options)?),
        _ => return Err(usage.into()),
    };
    println!("{engine}, {profiles} profiles, {count} checkpoints, cache {} MiB", CACHE_BYTES >> 20);
    let mut numbers = Numbers(1);
    load(&mut *store, profiles, &mut numbers)?;
    println!("on disk after load       {:>8} MiB", store.disk_bytes() >> 20);
    checkpoints(&mut *store, profiles, count, &mut numbers)?;
    println!("on disk at the end       {:>8} MiB", store.disk_bytes() >> 20);
    let peak = std::fs::read_to_string("/proc/self/status")?;
    println!("memory peak              {}", peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    let started = Instant::now();
    drop(store);
    println!("close                    {:>8.0} ms", milliseconds(started));
    let started = Instant::now();
    match engine.as_str() {
        "fjall" => drop(FjallStore::open(&options)?),
        _ => drop(RedbStore::open(&options)?),
    }
    println!("open again and close     {:>8.0} ms", milliseconds(started));
    Ok(())
}

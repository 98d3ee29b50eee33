//! What this machine can do at most, and what a run costs: read from the system, not guessed.

use anyhow::Context;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// CPU time of this process, user and system; zero where the system does not say.
pub fn cpu_time() -> Duration {
    Duration::from_secs_f64(crate::cpu::seconds().unwrap_or_default())
}

/// Bytes of memory that are resident now; 0 where the system does not say.
pub fn resident_bytes() -> u64 {
    resident_bytes_of("self")
}

/// Resident memory of a process, by its number.
pub fn resident_bytes_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Bytes of all files below a directory.
pub fn disk_bytes(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(facts) if facts.is_dir() => disk_bytes(&entry.path()),
            // What is about to leave the store has a second name, and both are found here.
            Ok(facts) => facts.len() / facts.nlink().max(1),
            Err(_) => 0,
        })
        .sum()
}

/// Writes `bytes` to one preallocated file in pieces, each flushed, as fast as this disk does it.
///
/// # Errors
/// The file system's.
pub fn append_and_flush(directory: &Path, bytes: &[u8], piece: usize) -> anyhow::Result<Duration> {
    let path = directory.join("limit");
    std::fs::write(&path, vec![0; bytes.len()]).with_context(|| format!("cannot write `{}`", path.display()))?;
    let mut file = std::fs::OpenOptions::new().write(true).open(&path)?;
    file.sync_all()?;
    let begun = Instant::now();
    for piece in bytes.chunks(piece) {
        file.write_all(piece)?;
        file.sync_data()?;
    }
    let taken = begun.elapsed();
    std::fs::remove_file(&path)?;
    Ok(taken)
}

/// Walks the bytes of all lines as cheaply as possible: the floor for everything that reads them.
pub fn scan(bytes: &[u8]) -> (Duration, u64) {
    let begun = Instant::now();
    let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
    (begun.elapsed(), std::hint::black_box(lines))
}

//! The store's bytes reach the disk, and leave it, in small portions.
//!
//! Left alone, a table file is written at the speed of memory and flushed at its end, and so is the journal
//! before a memtable becomes a table file; and a file that is done with is freed in one go, which a file system
//! that tells the disk of it (`discard`) does not do faster. These are tens of megabytes at once. The log is
//! flushed on the same disk many hundred times a second, and a flush that comes behind them waits until they are
//! through: tens of milliseconds, in which nobody gets an answer.

use rustix::fs::{Advice, IFlags, OFlags, SeekFrom, fadvise, ioctl_getflags, ioctl_setflags, seek, statvfs};
use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

/// Bytes that the store hands to a table file in one call.
const TABLE_PORTION_BYTES: usize = 64 << 10;

/// A portion that takes longer than this until it is on the disk would make table files too slow: 128 MB a second
/// is what a store writes that takes in some hundred thousand events a second.
const TABLE_PORTION_MAX: Duration = Duration::from_micros(500);

/// Portions that are written to find that out.
const PROBES: usize = 15;

/// Bytes of a journal that are sent to the disk in one go.
const SENT_AT_ONCE: u64 = 512 << 10;

/// Bytes of a file that is done with that are freed in one go.
const FREED_AT_ONCE: u64 = 1 << 20;

/// Bytes of such files that wait while the store is at work, on a disk with room: a disk that is told of freed
/// blocks lets others wait meanwhile, so that is left to quiet hours as long as it can be.
const LEAVING_BYTES_MAX: u64 = 1 << 30;

/// What they may take of the room that a smaller disk has left: one part in so many.
const LEAVING_ROOM_PART: u64 = 16;

/// Time between two portions, in which the disk is the log's.
const PAUSE: Duration = Duration::from_millis(3);

/// Time between two looks at a store that does nothing; it works on for a while after the last commit.
const IDLE: Duration = Duration::from_millis(250);
const BUSY_FOR: Duration = Duration::from_secs(3);

/// More than the clock of a file system takes to its next tick.
const CLOCK_TICK_MAX: Duration = Duration::from_millis(20);

/// Where files stay that are done with, until they are freed.
const LEAVING: &str = "leaving";

const JOURNAL_ENDING: &str = ".jnl";

/// Follows an open store in a thread of its own, until it is dropped.
pub(super) struct Pace {
    commits: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pace {
    /// Sets up the directories of an open store and follows it. All of this makes others wait less and changes
    /// nothing else, so what the system refuses is left as it was.
    pub(super) fn start(store: &Path) -> Pace {
        let _ = write_tables_through(store);
        let follower = Follower::new(store);
        let (commits, committed) = channel();
        let thread = thread::Builder::new().name("store-pace".to_owned()).spawn(move || follower.run(&committed));
        Pace { commits: Some(commits), thread: thread.ok() }
    }

    /// Something is being committed.
    pub(super) fn committing(&self) {
        if let Some(commits) = &self.commits {
            // Without its thread nobody listens.
            let _ = commits.send(());
        }
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        self.commits = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

/// Lets the file system write new table files through to the disk portion by portion, where the disk is quick
/// enough for that and the file system knows how; else they are flushed at their ends.
fn write_tables_through(store: &Path) -> io::Result<()> {
    set_through(store, portion_time(store)? <= TABLE_PORTION_MAX)
}

fn set_through(store: &Path, through: bool) -> io::Result<()> {
    for tables in table_directories(store)? {
        let tables = File::open(tables)?;
        let flags = ioctl_getflags(&tables)?;
        let wanted = if through { flags | IFlags::SYNC } else { flags - IFlags::SYNC };
        if wanted != flags {
            // New files have what their directory has.
            ioctl_setflags(&tables, wanted)?;
        }
    }
    Ok(())
}

fn table_directories(store: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(store.join("keyspaces"))?.map(|keyspace| Ok(keyspace?.path().join("tables"))).collect()
}

/// How long a portion takes until it is on the disk: the middle of some.
fn portion_time(directory: &Path) -> io::Result<Duration> {
    let path = directory.join("portions.tmp");
    let sync = OFlags::DSYNC.bits().cast_signed();
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).custom_flags(sync).open(&path)?;
    let portion = vec![0; TABLE_PORTION_BYTES];
    let mut times = Vec::with_capacity(PROBES);
    for _ in 0..PROBES {
        let begun = Instant::now();
        file.write_all(&portion)?;
        times.push(begun.elapsed());
    }
    fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(times[PROBES / 2])
}

/// A directory whose files get second names in [`LEAVING`], so that removing them frees nothing yet.
struct Watched {
    path: PathBuf,
    /// Begins the second names of its files.
    prefix: String,
    ending: &'static str,
    names: BTreeSet<String>,
    changed_at: Option<SystemTime>,
}

impl Watched {
    fn new(path: PathBuf, prefix: String, ending: &'static str) -> Watched {
        Watched { path, prefix, ending, names: BTreeSet::new(), changed_at: None }
    }

    /// The names in the directory, where they may have changed since the last call.
    fn look(&mut self) -> Option<BTreeSet<String>> {
        let changed_at = fs::metadata(&self.path).ok()?.modified().ok()?;
        if self.changed_at == Some(changed_at) {
            return None;
        }
        // Its clock ticks slowly: what changes within the same tick must be seen the next time.
        let settled = changed_at.elapsed().is_ok_and(|since| since > CLOCK_TICK_MAX);
        self.changed_at = settled.then_some(changed_at);
        let names = fs::read_dir(&self.path).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Some(names.filter(|name| name.ends_with(self.ending)).collect())
    }
}

struct Follower {
    leaving: PathBuf,
    watched: Vec<Watched>,
    /// Files that are done with.
    gone: VecDeque<PathBuf>,
    /// Bytes of these, about.
    leaving_bytes: u64,
    /// The newest journal, its number and how far it was sent.
    journal: Option<(u64, File, u64)>,
}

impl Follower {
    fn new(store: &Path) -> Follower {
        let tables = table_directories(store).unwrap_or_default().into_iter().map(|path| {
            let keyspace = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
            Watched::new(path, keyspace + "-", "")
        });
        let journals = Watched::new(store.to_owned(), String::new(), JOURNAL_ENDING);
        let watched = tables.chain([journals]).collect();
        Follower { leaving: store.join(LEAVING), watched, gone: VecDeque::new(), leaving_bytes: 0, journal: None }
    }

    fn run(mut self, committed: &Receiver<()>) {
        if fs::create_dir_all(&self.leaving).and_then(|()| self.find_left()).is_err() {
            return;
        }
        let mut busy_until = Instant::now();
        loop {
            let busy = Instant::now() < busy_until;
            match committed.recv_timeout(if busy || !self.gone.is_empty() { PAUSE } else { IDLE }) {
                Ok(()) => busy_until = Instant::now() + BUSY_FOR,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.follow_names();
            // The journal is flushed before it matters: what is not sent now goes then.
            let _ = self.send_journal();
            if !busy || !self.may_wait(room(&self.leaving)) {
                self.free();
            }
        }
        // Nobody waits any more.
        for entry in fs::read_dir(&self.leaving).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
    }

    /// What an earlier run has left here: files that have gone since, and second names of others.
    fn find_left(&mut self) -> io::Result<()> {
        for entry in fs::read_dir(&self.leaving)? {
            let entry = entry?;
            if entry.metadata()?.nlink() > 1 {
                fs::remove_file(entry.path())?;
            } else {
                self.leave(entry.path());
            }
        }
        Ok(())
    }

    /// Takes up a file that is done with.
    fn leave(&mut self, path: PathBuf) {
        self.leaving_bytes += fs::metadata(&path).map_or(0, |facts| facts.len());
        self.gone.push_back(path);
    }

    fn follow_names(&mut self) {
        let mut gone = Vec::new();
        for watched in &mut self.watched {
            let Some(names) = watched.look() else { continue };
            let second = |name: &str| self.leaving.join(format!("{}{name}", watched.prefix));
            for name in names.difference(&watched.names) {
                // It may have gone already, or the file system has no second names: then it is freed in one go.
                let _ = fs::hard_link(watched.path.join(name), second(name));
            }
            gone.extend(watched.names.difference(&names).map(|name| second(name)));
            let newest = names.iter().filter_map(|name| name.strip_suffix(JOURNAL_ENDING)?.parse().ok()).max();
            if let Some(newest) = newest.filter(|newest| self.journal.as_ref().is_none_or(|(number, ..)| number < newest)) {
                let journal = File::open(watched.path.join(format!("{newest}{JOURNAL_ENDING}")));
                self.journal = journal.ok().map(|journal| (newest, journal, 0));
            }
            watched.names = names;
        }
        gone.into_iter().for_each(|path| self.leave(path));
    }

    /// Sends a portion of what was written to the journal.
    fn send_journal(&mut self) -> io::Result<()> {
        let Some((_, journal, sent)) = &mut self.journal else { return Ok(()) };
        // Its length is made in advance; what was not written to yet is a hole.
        let written = seek(&*journal, SeekFrom::Hole(*sent))?;
        if let Some(portion) = NonZeroU64::new((written - *sent).min(SENT_AT_ONCE)) {
            // Nobody reads it while the store is open. What is to leave memory is sent to the disk first.
            fadvise(&*journal, *sent, Some(portion), Advice::DontNeed)?;
            *sent += portion.get();
        }
        Ok(())
    }

    /// Whether what is done with may wait for a quiet hour on a disk with so many bytes left.
    fn may_wait(&self, room: u64) -> bool {
        self.leaving_bytes <= LEAVING_BYTES_MAX.min(room / LEAVING_ROOM_PART)
    }

    /// Frees a portion of a file that is done with.
    fn free(&mut self) {
        let Some(path) = self.gone.front() else { return };
        self.leaving_bytes = self.leaving_bytes.saturating_sub(FREED_AT_ONCE);
        if shorten(path).unwrap_or(0) == 0 {
            // What cannot be removed now is found at the next start.
            let _ = fs::remove_file(path);
            self.gone.pop_front();
        }
        if self.gone.is_empty() {
            self.leaving_bytes = 0;
        }
    }
}

/// Bytes that the disk has left.
fn room(directory: &Path) -> u64 {
    statvfs(directory).map_or(0, |facts| facts.f_bavail.saturating_mul(facts.f_frsize))
}

/// Takes a portion from the end of a file; what is left of it. A file that has another name is in use: it is
/// left alone, and nothing is left to do here.
fn shorten(path: &Path) -> io::Result<u64> {
    let file = OpenOptions::new().write(true).open(path)?;
    let facts = file.metadata()?;
    if facts.nlink() > 1 {
        return Ok(0);
    }
    let rest = facts.len().saturating_sub(FREED_AT_ONCE);
    file.set_len(rest)?;
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store's directory with one keyspace, and who follows it.
    fn followed() -> (tempfile::TempDir, PathBuf, Follower) {
        let store = tempfile::tempdir().expect("there is room for a directory");
        let tables = store.path().join("keyspaces/7/tables");
        fs::create_dir_all(&tables).expect("there is room for directories");
        fs::create_dir(store.path().join(LEAVING)).expect("there is room for a directory");
        let follower = Follower::new(store.path());
        (store, tables, follower)
    }

    fn write(path: &Path, bytes: u64) {
        fs::write(path, vec![1; usize::try_from(bytes).expect("tests write little")]).expect("there is room for a file");
    }

    fn length(path: &Path) -> Option<u64> {
        fs::metadata(path).ok().map(|facts| facts.len())
    }

    #[test]
    fn a_removed_file_is_freed_portion_by_portion() {
        let (store, tables, mut follower) = followed();
        write(&tables.join("3"), 2 * FREED_AT_ONCE + 5);
        follower.follow_names();
        let second = store.path().join(LEAVING).join("7-3");
        fs::remove_file(tables.join("3")).expect("it is there");
        follower.follow_names();
        let mut lengths = Vec::new();
        while let Some(length) = length(&second) {
            lengths.push(length);
            follower.free();
        }
        assert_eq!(lengths, [2 * FREED_AT_ONCE + 5, FREED_AT_ONCE + 5, 5]);
        assert!(follower.gone.is_empty());
    }

    #[test]
    fn files_wait_until_they_take_too_much_of_what_the_disk_has_left() {
        let (_store, tables, mut follower) = followed();
        let room = 32 * FREED_AT_ONCE;
        write(&tables.join("3"), 2 * FREED_AT_ONCE);
        write(&tables.join("4"), 5);
        follower.follow_names();
        assert!(follower.may_wait(0));
        fs::remove_file(tables.join("3")).expect("it is there");
        follower.follow_names();
        assert!(follower.may_wait(room) && !follower.may_wait(room / 2));
        fs::remove_file(tables.join("4")).expect("it is there");
        follower.follow_names();
        assert!(!follower.may_wait(room));
        follower.leaving_bytes = LEAVING_BYTES_MAX + 1;
        assert!(!follower.may_wait(u64::MAX));
        while !follower.gone.is_empty() {
            follower.free();
        }
        assert!(follower.may_wait(0));
    }

    #[test]
    fn a_file_that_has_its_name_is_never_shortened() {
        let (store, tables, mut follower) = followed();
        write(&tables.join("3"), 10);
        follower.follow_names();
        let second = store.path().join(LEAVING).join("7-3");
        follower.gone.push_back(second.clone());
        follower.free();
        assert_eq!((length(&tables.join("3")), length(&second)), (Some(10), None));
    }

    #[test]
    fn a_file_that_comes_within_a_tick_of_the_clock_is_seen() {
        let (store, tables, mut follower) = followed();
        let mut tick = None;
        for name in ["1", "2", "3"] {
            write(&tables.join(name), 1);
            let directory = File::open(&tables).expect("it is there");
            let now = directory.metadata().and_then(|facts| facts.modified()).expect("file systems know the time");
            directory.set_modified(*tick.get_or_insert(now)).expect("the directory is ours");
            follower.follow_names();
            assert!(store.path().join(LEAVING).join(format!("7-{name}")).exists(), "{name}");
        }
    }

    #[test]
    fn what_an_earlier_run_left_goes_at_the_next_start() {
        let (store, tables, mut follower) = followed();
        let leaving = store.path().join(LEAVING);
        write(&tables.join("3"), 10);
        fs::hard_link(tables.join("3"), leaving.join("7-3")).expect("this file system has second names");
        write(&leaving.join("7-2"), 10);
        follower.find_left().expect("the directory is readable");
        assert_eq!(follower.gone, [leaving.join("7-2")]);
        follower.free();
        assert_eq!((length(&tables.join("3")), fs::read_dir(leaving).expect("it is there").count()), (Some(10), 0));
    }

    #[test]
    fn the_newest_journal_is_sent_as_far_as_it_was_written_to() {
        let (store, _, mut follower) = followed();
        write(&store.path().join("1.jnl"), 10);
        let path = store.path().join("2.jnl");
        write(&path, SENT_AT_ONCE * 2);
        File::options().write(true).open(&path).and_then(|file| file.set_len(SENT_AT_ONCE * 8)).expect("a hole needs no room");
        follower.follow_names();
        let mut sent = || {
            follower.send_journal().expect("a file can be sent to its disk");
            follower.journal.as_ref().map(|(number, _, sent)| (*number, *sent))
        };
        let steps = [sent(), sent(), sent()];
        assert_eq!(steps, [SENT_AT_ONCE, SENT_AT_ONCE * 2, SENT_AT_ONCE * 2].map(|sent| Some((2, sent))));
    }

    #[test]
    fn new_table_files_are_written_through_where_that_was_found_quick() {
        let (store, tables, _) = followed();
        let through = |name: &str| {
            write(&tables.join(name), 1);
            ioctl_getflags(File::open(tables.join(name)).expect("it was just written")).map(|flags| flags.contains(IFlags::SYNC))
        };
        if through("0").is_err() {
            eprintln!("skipped: the file system of {} has no such flag", store.path().display());
            return;
        }
        set_through(store.path(), true).expect("the flag can be set");
        assert_eq!(through("1"), Ok(true));
        set_through(store.path(), false).expect("the flag can be taken back");
        assert_eq!(through("2"), Ok(false));
    }
}

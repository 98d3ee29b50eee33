//! World A: a whole node on a log and a store that crash, tear, flip, fill up and forget.
//!
//! A client sends batches, remembers what was acknowledged and sends the rest again after a crash. The
//! log's own order is the truth: what is in it, a node without faults must make the same of.

use crate::faulty::{Faults, FaultyStore, LyingDisk};
use crate::mutation::Mutation;
use crate::outcome::{Outcome, broken_law, expected, live};
use crate::people::{Wish, records};
use crate::random::Random;
use crate::workspace::{LISTED, definitions, line};
use crate::{Finding, Tally};
use faden_engine::audience::key_of;
use faden_engine::front::partition_of;
use faden_model::{Command, ProfileId, Record, Timestamp};
use faden_runtime::{Node, NodeError, Options, SharedStore};
use faden_storage::{Disk, Log, LogError, LogOptions, MemoryDisk, MemoryStore, Position, Table};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Starts in a row that may fail, each by a fault of its own.
const STARTS_MAX: usize = 60;

pub fn run(seed: u64, mutation: Option<Mutation>) -> Result<Tally, Finding> {
    let mut dice = Random::new(seed);
    let wish =
        Wish { records: 20 + dice.index(180), awaits_receipts: dice.chance(30), clock_jumps: dice.chance(50), publishes: dice.chance(15) };
    let records = records(&mut dice, wish);
    let mut world = World::new(dice, &wish, mutation);
    let result = world.run(&records);
    let tally = Tally { records: world.truth.len() as u64, decisions: world.decisions, crashes: world.crashes };
    let schedule = std::mem::take(&mut world.schedule);
    result.map(|()| tally).map_err(|difference| Finding { seed, world: "a", schedule, difference })
}

struct World {
    dice: Random,
    mutation: Option<Mutation>,
    disk: MemoryDisk,
    store: MemoryStore,
    faults: Faults,
    /// The store as the running node holds it.
    held: Option<SharedStore>,
    options: Options,
    log_options: LogOptions,
    /// The log as it must be: all records in order, as bytes.
    truth: Vec<Vec<u8>>,
    /// Bits that were turned over and not found yet.
    rotten: Vec<Rot>,
    /// In percent, per batch.
    trouble: u64,
    crashes: u64,
    decisions: u64,
    schedule: Vec<String>,
}

impl World {
    fn new(mut dice: Random, wish: &Wish, mutation: Option<Mutation>) -> World {
        let options = Options {
            partitions: *dice.pick(&[1, 1, 2, 3, 8]),
            explain: dice.chance(30),
            awaits_receipts: wish.awaits_receipts,
            checkpoint_every: *dice.pick(&[3, 10, 40, 100]),
            warm_max: *dice.pick(&[0, 4, 16, 1000]),
            seen_max: *dice.pick(&[0, 10, 40, 1000]),
            overlap: dice.chance(30),
            // Runs stay alike: see `wait_for_store`.
            commit_beside: dice.chance(30),
            views: true,
            tell_decisions: false,
            hash_key: [7; 16],
        };
        let segment_bytes = *dice.pick(&[2 << 10, 8 << 10, 64 << 10]);
        let log_options = LogOptions { directory: "log".into(), segment_bytes, prepare_ahead: false };
        let faults = Faults::default();
        faults.lock().mutation = mutation;
        faults.lock().mutate_in = dice.below(4);
        let trouble = *dice.pick(&[0, 10, 30, 60]);
        let schedule = vec![format!("{options:?}, segments of {segment_bytes} bytes, trouble {trouble} %, {wish:?}")];
        let (disk, store) = (MemoryDisk::new(), MemoryStore::crashable());
        let (truth, rotten) = (Vec::new(), Vec::new());
        World {
            dice,
            mutation,
            disk,
            store,
            faults,
            held: None,
            options,
            log_options,
            truth,
            rotten,
            trouble,
            crashes: 0,
            decisions: 0,
            schedule,
        }
    }

    fn note(&mut self, what: impl Into<String>) {
        let at = self.truth.len();
        self.schedule.push(format!("at record {at}: {}", what.into()));
    }

    fn run(&mut self, records: &[Record<'static>]) -> Result<(), String> {
        let mut node = self.start()?;
        let mut next = 0;
        while next < records.len() {
            let mut batch = self.next_batch(records, next);
            let count = batch.len();
            self.repeat_old(records, next, &mut batch);
            self.arm();
            if self.mutation == Some(Mutation::BatchDropped) && next > 0 && self.dice.chance(10) {
                self.mutation = None;
                self.truth.extend(batch.iter().map(encoded));
                next += count;
                continue;
            }
            match self.send(&mut node, batch) {
                Ok(()) => next += count,
                Err(Trouble::TryAgain) => {}
                Err(Trouble::Dead(why)) => node = self.restart(node, &why)?,
                Err(Trouble::Finding(what)) => return Err(what),
            }
            if self.dice.chance(15) {
                let settles = self.dice.chance(50);
                let result = if settles { node.settle() } else { node.checkpoint() };
                if let Err(error) = result {
                    node = self.restart(node, &error.to_string())?;
                }
            }
        }
        self.finish(node)
    }

    fn next_batch(&mut self, records: &[Record<'static>], next: usize) -> Vec<Record<'static>> {
        let count = 1 + self.dice.index((records.len() - next).min(20));
        records[next..next + count].to_vec()
    }

    /// A client that is not sure sends acknowledged records again.
    fn repeat_old(&mut self, records: &[Record<'static>], next: usize, batch: &mut Vec<Record<'static>>) {
        if next == 0 || !self.dice.chance(20) {
            return;
        }
        let from = self.dice.index(next);
        let until = (from + 1 + self.dice.index(10)).min(next);
        let at = batch[0].at;
        let again = records[from..until].iter().map(|record| Record { at, command: record.command.clone() });
        batch.splice(0..0, again.filter(|record| record.command.event().is_some_and(|event| !event.message_id.is_empty())));
    }

    /// Plans the next fault, perhaps.
    fn arm(&mut self) {
        if !self.dice.chance(self.trouble) {
            return;
        }
        self.wait_for_store();
        match self.dice.below(10) {
            0..=4 => {
                let operations = self.dice.below(12);
                self.disk.stop_after(operations);
                self.note(format!("the machine stops after {operations} more operations of the disk"));
            }
            5..=6 => {
                let (operations, happens) = (self.dice.below(3), self.dice.chance(50));
                self.faults.lock().fail_in = Some((operations, happens));
                self.note(format!("operation {operations} of the store from now fails, and has happened: {happens}"));
            }
            7 => {
                self.disk.fail_next_sync();
                self.note("the next flush of the disk fails");
            }
            _ => {
                let used: usize = self.files().iter().filter_map(|path| self.disk.bytes(path)).map(|bytes| bytes.len()).sum();
                let room = self.dice.below(3000);
                self.disk.set_capacity(Some(used as u64 + room));
                self.note(format!("the disk has {room} bytes left"));
            }
        }
    }

    /// A commit beside holds the store from its first moment on: whoever has it afterwards knows that none
    /// is under way, so that faults strike at the same place each time.
    fn wait_for_store(&self) {
        if let Some(held) = &self.held {
            drop(held.lock());
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        self.disk.list(&self.log_options.directory).unwrap_or_default()
    }

    fn send(&mut self, node: &mut Node, batch: Vec<Record<'static>>) -> Result<(), Trouble> {
        let bytes: Vec<Vec<u8>> = batch.iter().map(encoded).collect();
        let before = node.position();
        match node.take(&self.as_sent(batch)) {
            Ok(()) => {
                self.truth.extend(bytes);
                self.expect_position(node).map_err(Trouble::Finding)
            }
            // Where the flush overlaps with applying, memory is ahead of the log now: start again.
            Err(NodeError::Log(LogError::Full { .. })) if !self.options.overlap => {
                self.note("the disk was full");
                self.disk.set_capacity(None);
                if node.position() == before {
                    Err(Trouble::TryAgain)
                } else {
                    Err(Trouble::Finding("a full disk left half a batch".to_owned()))
                }
            }
            Err(error) => Err(Trouble::Dead(error.to_string())),
        }
    }

    fn as_sent(&mut self, mut batch: Vec<Record<'static>>) -> Vec<Record<'static>> {
        if self.mutation == Some(Mutation::IdsStripped) {
            for record in &mut batch {
                if let Command::Event(event) | Command::EventFrom { event, .. } = &mut record.command {
                    event.message_id = "".into();
                }
            }
        }
        batch
    }

    fn expect_position(&self, node: &Node) -> Result<(), String> {
        let (found, expected) = (node.position().0, self.truth.len() as u64);
        if found == expected { Ok(()) } else { Err(format!("the node stands at record {found}, the log has {expected}")) }
    }

    /// The machine or the process dies and starts again.
    fn restart(&mut self, mut node: Node, why: &str) -> Result<Node, String> {
        if self.dice.chance(20) {
            // Somebody who does not listen goes on with it.
            let settled = node.settle().is_ok();
            self.note(format!("a last checkpoint, which went well: {settled}"));
        }
        drop(node);
        self.wait_for_store();
        self.crashes += 1;
        self.crash(why);
        self.start()
    }

    fn crash(&mut self, why: &str) {
        let mut dice = self.dice.part();
        let power = dice.chance(80);
        if power {
            let bias = dice.below(101);
            self.disk.crash(&mut |outcomes| if dice.chance(bias) { outcomes - 1 } else { dice.index(outcomes) });
        } else {
            self.disk.kill();
        }
        self.disk.set_capacity(None);
        let unflushed = self.store.unflushed_commits();
        let keep = dice.index(unflushed + 1);
        self.store.crash(keep);
        self.faults.lock().fail_in = None;
        let how = if power { "power went" } else { "the process was killed" };
        self.note(format!("{how}, the store kept {keep} of {unflushed} unflushed commits; before that: {why}"));
    }

    /// Opens log and store until that succeeds; faults may strike here too.
    fn start(&mut self) -> Result<Node, String> {
        for _ in 0..STARTS_MAX {
            let rot = if self.crashes > 0 && self.dice.chance(self.trouble / 6) { self.flip() } else { None };
            if self.dice.chance(self.trouble / 2) {
                self.disk.stop_after(self.dice.below(8));
            }
            match self.open() {
                Ok(node) => {
                    self.rotten.extend(rot);
                    return Ok(node);
                }
                Err(Trouble::Finding(what)) => return Err(what),
                Err(Trouble::Dead(why)) => {
                    self.rotten.extend(rot);
                    self.crash(&why);
                }
                Err(Trouble::TryAgain) => {
                    // The damage was named; the operator restores the file.
                    self.rotten.extend(rot);
                    for rot in std::mem::take(&mut self.rotten) {
                        // What was written over since is not rotten any more.
                        if self.sector(&rot.path, rot.bit).is_some_and(|sector| sector == rot.sector) {
                            self.disk.flip_bit(&rot.path, rot.bit);
                        }
                    }
                    self.disk.kill();
                }
            }
        }
        Err(format!("the node did not start within {STARTS_MAX} attempts"))
    }

    /// The 512 bytes around a bit.
    fn sector(&self, path: &Path, bit: u64) -> Option<Vec<u8>> {
        let bytes = self.disk.bytes(path)?;
        let sector = usize::try_from(bit / 8 / 512).ok()?;
        bytes.chunks(512).nth(sector).map(<[u8]>::to_vec)
    }

    fn flip(&mut self) -> Option<Rot> {
        let files = self.files();
        let path = files.get(self.dice.index(files.len()))?.clone();
        let bits = self.disk.bytes(&path)?.len() as u64 * 8;
        if bits == 0 {
            return None;
        }
        let bit = self.dice.below(bits);
        self.disk.flip_bit(&path, bit);
        self.note(format!("bit {bit} of {} turns over", path.display()));
        let sector = self.sector(&path, bit)?;
        Some(Rot { path, bit, sector })
    }

    fn open(&mut self) -> Result<Node, Trouble> {
        let disk: Arc<dyn Disk> =
            if self.mutation == Some(Mutation::FlushLied) { Arc::new(LyingDisk(self.disk.clone())) } else { Arc::new(self.disk.clone()) };
        let log = Log::open(disk, self.log_options.clone()).map_err(|error| self.judge(error))?;
        self.read_truth(&log)?;
        let store = SharedStore::new(Box::new(FaultyStore { inner: self.store.clone(), faults: self.faults.clone() }));
        self.held = Some(store.clone());
        let node = match Node::open(definitions(), self.options.clone(), log, store) {
            Ok(node) => node,
            Err(NodeError::Log(error)) => return Err(self.judge(error)),
            Err(error @ NodeError::Store(_)) => return Err(Trouble::Dead(error.to_string())),
            Err(error) => return Err(Trouble::Finding(format!("the node cannot start: {error}"))),
        };
        self.expect_position(&node).map_err(Trouble::Finding)?;
        self.check_homes(&node).map_err(Trouble::Finding)?;
        Ok(node)
    }

    /// Whether an error of the log is one that this world has caused.
    fn judge(&mut self, error: LogError) -> Trouble {
        let damaged = |segment: &Path| self.rotten.iter().any(|rot| rot.path == segment);
        match &error {
            LogError::Disk { .. } | LogError::Full { .. } | LogError::Stopped => Trouble::Dead(error.to_string()),
            LogError::Broken { segment, .. } if damaged(segment) || self.flipped_last(segment) => {
                self.note(format!("reported: {error}"));
                Trouble::TryAgain
            }
            _ => Trouble::Finding(format!("the log refuses to start: {error}")),
        }
    }

    fn flipped_last(&self, segment: &Path) -> bool {
        let name = segment.display().to_string();
        self.schedule.last().is_some_and(|line| line.contains("turns over") && line.contains(&name))
    }

    /// Holds the log against what is known of it and takes in what is new.
    fn read_truth(&mut self, log: &Log) -> Result<(), Trouble> {
        if log.end().0 < self.truth.len() as u64 {
            let lost = self.truth.len() as u64 - log.end().0;
            return Err(Trouble::Finding(format!("{lost} acknowledged records are lost, the log ends at {}", log.end())));
        }
        let mut reader = log.read(log.first()).map_err(|error| self.judge(error))?;
        let mut fresh: Vec<Vec<u8>> = Vec::new();
        loop {
            let (position, bytes) = match reader.next() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => return Err(self.judge(error)),
            };
            match self.truth.get(usize::try_from(position.0).unwrap_or(usize::MAX)) {
                // Records that lost their ids on the way are not what was sent; the decisions must show it.
                Some(known) if known != bytes && self.mutation != Some(Mutation::IdsStripped) => {
                    return Err(Trouble::Finding(format!("record {position} is not what was acknowledged")));
                }
                Some(_) => {}
                None => fresh.push(bytes.to_vec()),
            }
        }
        self.truth.append(&mut fresh);
        if log.end() == Position(self.truth.len() as u64) { Ok(()) } else { Err(Trouble::Finding("the log has a hole".to_owned())) }
    }

    /// Every live profile in exactly one partition, and nobody else anywhere.
    fn check_homes(&self, node: &Node) -> Result<(), String> {
        let alive = live(node.front());
        for partition in node.partitions() {
            for id in partition.shard.warm_ids() {
                if partition_of(id, node.partitions().len()) != usize::from(partition.number) {
                    return Err(format!("profile {id} is in partition {}, which is not its own", partition.number));
                }
                if !alive.contains(&id) {
                    return Err(format!("profile {id} was merged away and is in partition {}", partition.number));
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, mut node: Node) -> Result<(), String> {
        self.trouble = 0;
        self.disk.set_capacity(None);
        if self.disk_is_armed() || node.settle().is_err() {
            node = self.restart(node, "the end")?;
            node.settle().map_err(|error| format!("nothing is broken, and yet: {error}"))?;
        }
        let records: Result<Vec<Record<'static>>, String> = self.truth.iter().map(|bytes| owned(bytes)).collect();
        let (want, decisions) = expected(records?, &self.options)?;
        self.decisions = decisions.len() as u64;
        if let Some(broken) = broken_law(&want, &decisions) {
            return Err(broken);
        }
        self.check_homes(&node)?;
        let found = self.outcome(&node)?;
        if let Some(difference) = want.difference(&found) {
            return Err(difference);
        }
        self.check_rows(&want)?;
        if let Some(difference) = crate::views::difference(&mut node, &want) {
            return Err(difference);
        }
        let again = self.restart(node, "a last time")?;
        let found = self.outcome(&again)?;
        want.difference(&found).map_or(Ok(()), |difference| Err(format!("after the last start: {difference}")))
    }

    /// A fault that was planned and has not struck would strike in the checks.
    fn disk_is_armed(&self) -> bool {
        self.schedule.last().is_some_and(|line| line.contains("more operations") || line.contains("fails"))
            || self.faults.lock().fail_in.is_some()
    }

    fn outcome(&self, node: &Node) -> Result<Outcome, String> {
        let mut outcome = Outcome::default();
        let store = node.store().ok_or("the node has no store")?;
        store.each_decision(|decision| outcome.decisions.push(line(decision)));
        outcome.decisions.extend(node.unwritten_decisions().iter().map(line));
        outcome.decisions.sort_unstable();
        for id in live(node.front()) {
            if let Some(profile) = node.profile(id) {
                outcome.profiles.insert(id, profile);
            }
        }
        Ok(outcome)
    }

    /// The store's tables say the same as the profiles in them.
    fn check_rows(&self, want: &Outcome) -> Result<(), String> {
        let store = SharedStore::new(Box::new(self.store.clone()));
        let stored: BTreeSet<ProfileId> = store.profile_ids().into_iter().collect();
        if let Some(ghost) = stored.iter().find(|id| !want.profiles.contains_key(id)) {
            return Err(format!("the store holds profile {ghost}, which was merged away"));
        }
        let mut due: BTreeSet<ProfileId> = BTreeSet::new();
        let mut wrong = None;
        store.each(Table::Due, |key, _| {
            let (at, id) = due_row(key);
            if !stored.contains(&id) {
                wrong = Some(format!("a timer at {at} is kept for {id}, which was merged away"));
            } else if !due.insert(id) {
                wrong = Some(format!("two timers are kept for {id}, one at {at}"));
            }
        });
        let listed: BTreeSet<u64> = [key_of(LISTED)].into();
        let mut members: BTreeSet<(u64, ProfileId)> = BTreeSet::new();
        store.each(Table::Audiences, |key, _| {
            members.insert((word(&key[..8]), ProfileId(word(&key[8..]))));
        });
        let memberships = want.profiles.values().flat_map(|profile| profile.memberships.iter().map(|member| (member.key, profile.id)));
        let wanted: BTreeSet<(u64, ProfileId)> = memberships.filter(|(audience, _)| listed.contains(audience)).collect();
        if let Some((_, id)) = wanted.symmetric_difference(&members).next() {
            wrong = Some(format!("{id} is in audience {LISTED} by its profile or by the list, not by both"));
        }
        wrong.map_or(Ok(()), Err)
    }
}

/// A bit that turned over, and what its sector looked like right after.
struct Rot {
    path: PathBuf,
    bit: u64,
    sector: Vec<u8>,
}

enum Trouble {
    /// Damage that was reported, or a disk that was full: mended, try again.
    TryAgain,
    /// The machine stopped.
    Dead(String),
    Finding(String),
}

fn encoded(record: &Record<'static>) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    bytes
}

fn owned(bytes: &[u8]) -> Result<Record<'static>, String> {
    let record = Record::decode(bytes).map_err(|error| error.to_string())?;
    let command = match record.command {
        Command::Event(event) => Command::Event(event.into_owned()),
        Command::EventFrom { source, event } => Command::EventFrom { source, event: event.into_owned() },
        Command::Publish { files } => Command::Publish { files },
        Command::Unmerge { merge } => Command::Unmerge { merge },
        Command::Receipt { message, receipt } => Command::Receipt { message, receipt },
        Command::Report(report) => Command::Report(report),
        Command::ReportOf { account, report } => Command::ReportOf { account, report },
        Command::Migrate(migration) => Command::Migrate(migration),
        Command::Tick => Command::Tick,
    };
    Ok(Record { at: record.at, command })
}

fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_be_bytes).unwrap_or(u64::MAX)
}

fn due_row(key: &[u8]) -> (Timestamp, ProfileId) {
    (Timestamp((word(&key[..8]) ^ (1 << 63)) as i64), ProfileId(word(&key[8..])))
}

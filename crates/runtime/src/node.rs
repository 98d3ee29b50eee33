//! One node: the log, the identity stream, the partitions and the store, in one thread.
//!
//! A batch of records goes through in four moves: appended and flushed, routed, the profiles it touches
//! fetched together, applied. A checkpoint now and then writes what changed. After a crash the node opens
//! from the last checkpoint that the store has and applies the log's rest again, which decides the same.

mod commits;
mod opening;

use crate::checkpoint::SharedStore;
use crate::partition::Partition;
use crate::views::Views;
use faden_engine::decision::Decision;
use faden_engine::delivery::{Content, Delivery};
use faden_engine::front::{Front, Past, partition_of};
use faden_engine::identity::{Identity, LoadError};
use faden_engine::shard::Shard;
use faden_engine::{Definitions, Index, workspace};
use faden_model::record::RecordError;
use faden_model::{Command, ProfileId, Record, Timestamp};
use faden_storage::{Log, LogError, LogReaders, Position, RecordBatch, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a node runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// 1 to 64.
    pub partitions: usize,
    /// Whether decisions carry the values and checks that led to them.
    pub explain: bool,
    /// Messages wait for receipts from channels; in files and scenarios they count as delivered.
    pub awaits_receipts: bool,
    /// Records between two checkpoints.
    pub checkpoint_every: u64,
    /// Profiles that stay in memory after a checkpoint.
    pub warm_max: usize,
    /// Message ids that stay in memory after a checkpoint, about; older ones are looked up in the store.
    pub seen_max: usize,
    /// Whether the log is flushed while its records are applied. A failed flush then ends the node's use:
    /// what it holds in memory is ahead of the log.
    pub overlap: bool,
    /// Whether a checkpoint is written in a thread of its own while records go on being applied.
    pub commit_beside: bool,
    /// Whether what people look up later is kept: see [`crate::views`].
    pub views: bool,
    /// Whether decisions that have become rows of the store are also kept for [`Node::take_decisions`].
    pub tell_decisions: bool,
    /// Secret of the identity index; only a new store takes it.
    pub hash_key: [u8; 16],
}

impl Default for Options {
    fn default() -> Options {
        Options {
            partitions: 1,
            explain: false,
            awaits_receipts: false,
            checkpoint_every: 100_000,
            warm_max: 1_000_000,
            seen_max: 4_000_000,
            overlap: false,
            commit_beside: false,
            views: false,
            tell_decisions: false,
            hash_key: [0; 16],
        }
    }
}

/// Records that are looked at together before they are applied: what they touch fits into the
/// processor's second-level cache.
const LOOK_AHEAD: usize = 256;

/// Records that are worth a second thread: fewer are applied sooner than another thread begins to write them
/// where the processors have other work.
const OVERLAP_MIN: usize = 512;

/// Timers of one partition that may fire before decisions are taken.
const TIMERS_AT_ONCE: usize = 20_000;

/// Most partitions of one process.
pub const PARTITIONS_MAX: usize = 64;

/// Why a node cannot open or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("log record {position} cannot be applied")]
    Record {
        position: Position,
        #[source]
        source: RecordError,
    },
    #[error(
        "the identity index in the store cannot be read; restore the latest backup or delete the store so that it is rebuilt from the log"
    )]
    Identity(#[from] LoadError),
    #[error("the store holds {what} that cannot be read; restore the latest backup or delete the store so that it is rebuilt from the log")]
    Corrupt { what: &'static str },
    #[error("the definitions published at record {position} have errors now; use the program version that accepted them")]
    Definitions { position: Position },
    #[error("the store was made for {stored} partitions; start with that many")]
    Partitions { stored: usize },
}

/// One node.
pub struct Node {
    pub(crate) options: Options,
    pub(crate) index: Arc<Index>,
    pub(crate) front: Front,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) store: Option<SharedStore>,
    log: Option<Log>,
    /// The next record to apply.
    position: Position,
    /// Where the last checkpoint stands.
    checkpointed: Position,
    /// A checkpoint on its way into the store.
    committing: Option<commits::Committing>,
    /// Published since the last checkpoint.
    pub(crate) published: Vec<(Position, BTreeMap<String, String>)>,
    /// A commit failed: the store lacks what memory no longer counts as changed.
    gap: bool,
    /// Memory holds records that the log does not.
    ahead: bool,
    pub(crate) views: Option<Views>,
    /// What was published last, and when; empty before the first time.
    files: (BTreeMap<String, String>, Timestamp),
    /// Decided since decisions were last taken, or since the last checkpoint where there is a store.
    decisions: Vec<Decision>,
    /// Rows of the store since decisions were last taken, where they are asked for.
    written: Vec<Decision>,
}

/// Message ids in the store that are no longer in memory.
pub(crate) struct StorePast<'a>(pub Option<&'a SharedStore>);

impl Past for StorePast<'_> {
    fn saw(&mut self, message: u128) -> bool {
        self.0.is_some_and(|store| store.saw(message))
    }
}

impl Node {
    /// A node that keeps everything in memory.
    pub fn in_memory(definitions: Arc<Definitions>, options: Options) -> Node {
        let front = Front::new(Identity::new(options.hash_key).untracked(), false);
        Node::assemble(definitions, options, front, None, None)
    }

    fn assemble(definitions: Arc<Definitions>, options: Options, front: Front, store: Option<SharedStore>, log: Option<Log>) -> Node {
        let index = Arc::new(Index::new(definitions, None));
        let partitions = (0..options.partitions.clamp(1, PARTITIONS_MAX))
            .map(|number| {
                let mut shard = Shard::new(index.clone(), front.clock());
                shard.output.explain = options.explain;
                shard.output.awaits_receipts = options.awaits_receipts;
                let number = u16::try_from(number).expect("there are at most 64 partitions");
                let mut partition = Partition::new(number, shard, store.clone());
                partition.of = options.partitions.clamp(1, PARTITIONS_MAX);
                partition
            })
            .collect();
        let (position, checkpointed) = (Position(0), Position(0));
        Node {
            options,
            index,
            front,
            partitions,
            store,
            log,
            position,
            checkpointed,
            committing: None,
            published: Vec::new(),
            gap: false,
            ahead: false,
            views: None,
            files: (BTreeMap::new(), Timestamp::default()),
            decisions: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Takes a batch of records: durable when it returns, and applied. Without a log: applied.
    ///
    /// # Errors
    /// [`NodeError`]; the log stops for good after a failed write or flush, nothing of the batch was applied then.
    pub fn take(&mut self, records: &[Record<'_>]) -> Result<(), NodeError> {
        let mut batch = RecordBatch::new();
        if self.log.is_some() {
            for record in records {
                batch.push_with(|bytes| record.encode(bytes))?;
            }
        }
        self.take_encoded(batch, records)
    }

    /// [`Node::take`] where the same records stand encoded in `batch` already.
    ///
    /// # Errors
    /// As [`Node::take`].
    pub fn take_encoded(&mut self, mut batch: RecordBatch, records: &[Record<'_>]) -> Result<(), NodeError> {
        self.check_sound()?;
        match self.log.take() {
            None => self.apply(records)?,
            Some(mut log) => {
                let overlap = self.options.overlap && records.len() >= OVERLAP_MIN;
                let write = move || {
                    let written = log.append(&mut batch).and_then(|_| log.flush());
                    (log, written)
                };
                let (log, written, applied) = if overlap {
                    // The disk and the engine work at the same time; nothing that was applied is stored or
                    // answered before the flush has returned.
                    std::thread::scope(|scope| {
                        let writer = scope.spawn(write);
                        let applied = self.apply(records);
                        let (log, written) = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                        (log, written, applied)
                    })
                } else {
                    let (log, written) = write();
                    let applied = if written.is_ok() { self.apply(records) } else { Ok(()) };
                    (log, written, applied)
                };
                self.log = Some(log);
                self.ahead = overlap && written.is_err();
                written?;
                applied?;
            }
        }
        if self.log.is_some() && self.position.0 - self.checkpointed.0 >= self.options.checkpoint_every {
            self.checkpoint()?;
        }
        self.tidy()
    }

    /// What was applied and not written must never be stored: the log would end before the store; and after
    /// a failed commit the next one would leave a gap. Either way the node must be opened again.
    fn check_sound(&self) -> Result<(), NodeError> {
        if self.gap {
            return Err(NodeError::Store(StoreError::Stopped));
        }
        if self.ahead { Err(NodeError::Log(LogError::Stopped)) } else { Ok(()) }
    }

    /// Routes and applies records that are durable already (or need not be).
    ///
    /// # Errors
    /// [`NodeError::Definitions`] when published definitions no longer read.
    pub fn apply(&mut self, records: &[Record<'_>]) -> Result<(), NodeError> {
        for records in records.chunks(LOOK_AHEAD) {
            let ahead = self.front.look_ahead(records.iter().map(|record| &record.command));
            let mut deliveries = Vec::with_capacity(records.len() + records.len() / 8);
            for (place, record) in records.iter().enumerate() {
                if self.views.is_some() && matches!(record.command, Command::Migrate(_)) {
                    // What earlier records move is counted before this one begins.
                    self.deliver(std::mem::take(&mut deliveries));
                }
                let mut past = StorePast(self.store.as_ref());
                let rules = &self.index.definitions.identity;
                let known = deliveries.len();
                self.front.route(rules, record.at, &record.command, ahead.of(place), &mut past, &mut deliveries);
                if let Some(views) = &mut self.views {
                    note(views, record, &deliveries[known..], (self.front.clock(), self.position), self.store.as_ref());
                }
                if let Command::Publish { files } = &record.command {
                    // Time has passed everywhere under the old definitions before the new ones hold.
                    self.deliver(std::mem::take(&mut deliveries));
                    let before = self.index.clone();
                    self.publish(files.clone(), self.position)?;
                    self.partitions.iter_mut().for_each(|partition| partition.review(&before));
                    if self.store.is_some() {
                        self.published.push((self.position, files.clone()));
                    }
                }
                self.position.0 += 1;
            }
            self.deliver(deliveries);
            let known = self.decisions.len();
            self.decisions.append(&mut self.front.decisions);
            self.follow(known);
        }
        Ok(())
    }

    /// Shows the views what was decided since.
    fn follow(&mut self, known: usize) {
        if let Some(views) = &mut self.views {
            views.decisions(&self.decisions[known..], &self.partitions, self.store.as_ref());
            self.follow_tracks();
        }
    }

    /// Shows the views who went where since the last call. What one profile does is in order within its
    /// partition only, so a profile that changes its partition has shown everything before.
    fn follow_tracks(&mut self) {
        let Some(views) = &mut self.views else { return };
        for partition in &mut self.partitions {
            let (index, track) = (&partition.shard.index, &mut partition.shard.output.track);
            if let Some(track) = track {
                views.track(track, |journey| index.versions_of(journey).next().map(|version| &version.name), self.store.as_ref());
            }
        }
    }

    fn publish(&mut self, files: BTreeMap<String, String>, position: Position) -> Result<(), NodeError> {
        let files = workspace::Files(files);
        let definitions = workspace::read(&files).definitions.ok_or(NodeError::Definitions { position })?;
        self.files = (files.0, self.front.clock());
        self.index = Arc::new(Index::new(Arc::new(definitions), Some(&self.index)));
        for partition in &mut self.partitions {
            partition.shard.publish(self.index.clone());
        }
        Ok(())
    }

    fn deliver(&mut self, deliveries: Vec<Delivery<'_>>) {
        let count = self.partitions.len();
        self.look_ahead(&deliveries);
        for delivery in deliveries {
            match delivery.profile() {
                Some(profile) => {
                    let changes_hands = matches!(delivery.content, Content::Leave { .. } | Content::Split { .. });
                    self.partitions[partition_of(profile, count)].apply(delivery);
                    if changes_hands {
                        self.carry_states();
                    }
                }
                None => {
                    for partition in &mut self.partitions {
                        partition.apply(delivery.clone());
                    }
                    self.carry_states();
                }
            }
        }
        if self.partitions.iter().any(|partition| !partition.shard.outgoing.is_empty()) {
            self.carry_states();
        }
        let known = self.decisions.len();
        for partition in &mut self.partitions {
            take_over(&mut self.decisions, &mut partition.shard.output.decisions);
        }
        self.follow(known);
    }

    /// Hands states over until none is on its way.
    fn carry_states(&mut self) {
        let count = self.partitions.len();
        while let Some(delivery) = self.partitions.iter_mut().find_map(|partition| partition.shard.outgoing.pop()) {
            self.follow_tracks();
            if let Some(profile) = delivery.profile() {
                self.partitions[partition_of(profile, count)].apply(delivery);
            }
        }
    }

    /// Brings what a batch touches closer, together: from the store into memory, from memory into the cache.
    fn look_ahead(&mut self, deliveries: &[Delivery<'_>]) {
        let count = self.partitions.len();
        let mut wanted: Vec<Vec<ProfileId>> = vec![Vec::with_capacity(deliveries.len() / count); count];
        for delivery in deliveries {
            if let Some(profile) = delivery.profile()
                && !matches!(delivery.content, Content::Event { created: true, .. })
            {
                wanted[partition_of(profile, count)].push(profile);
            }
        }
        let until = self.front.clock();
        for (partition, mut wanted) in self.partitions.iter_mut().zip(wanted) {
            partition.shard.due_soon(until, &mut |profile| wanted.push(profile));
            if self.store.is_some() {
                partition.fetch(&wanted);
            }
            partition.shard.look_ahead(wanted.into_iter());
        }
    }

    /// Lets time pass up to `until`.
    ///
    /// # Errors
    /// As [`Node::take`].
    pub fn pass_time(&mut self, until: Timestamp) -> Result<(), NodeError> {
        self.take(&[Record { at: until, command: Command::Tick }])
    }

    /// Writes and flushes records and applies nothing: what a load test compares with. The node is of no
    /// other use afterwards.
    ///
    /// # Errors
    /// The log's.
    pub fn append_only(&mut self, mut batch: RecordBatch) -> Result<(), NodeError> {
        if let Some(log) = &mut self.log {
            log.append(&mut batch)?;
            log.flush()?;
        }
        Ok(())
    }

    /// What was decided since the last call; where there is a store, what has become rows of it since, if
    /// [`Options::tell_decisions`] asks for that.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(if self.store.is_some() { &mut self.written } else { &mut self.decisions })
    }

    /// Gives back what [`Node::take_decisions`] gave, so that its memory is used again.
    pub fn recycle(&mut self, mut decisions: Vec<Decision>) {
        if self.decisions.is_empty() {
            decisions.clear();
            self.decisions = decisions;
        }
    }

    /// The next instant up to which time may pass at once: `until`, or earlier when very many timers lie
    /// before it. What they decide can be taken in between.
    pub fn next_stop(&self, until: Timestamp) -> Timestamp {
        let stops = self.partitions.iter().map(|partition| partition.shard.instant_of_timer(TIMERS_AT_ONCE));
        stops.min().unwrap_or(until).min(until)
    }

    /// The next instant at which something happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.partitions.iter().filter_map(|partition| partition.shard.next_due()).min()
    }

    /// What people look up later; kept where the options say so.
    pub fn views(&mut self) -> Option<&mut Views> {
        self.views.as_mut()
    }

    /// Where others read the log.
    pub fn log_readers(&self) -> Option<LogReaders> {
        self.log.as_ref().map(Log::readers)
    }

    /// Decisions that no checkpoint has written yet.
    pub fn unwritten_decisions(&self) -> &[Decision] {
        &self.decisions
    }

    pub fn position(&self) -> Position {
        self.position
    }

    pub fn front(&self) -> &Front {
        &self.front
    }

    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    pub fn store(&self) -> Option<&SharedStore> {
        self.store.as_ref()
    }

    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The files that were published last, and when; none before the first time.
    pub fn files(&self) -> (&BTreeMap<String, String>, Timestamp) {
        (&self.files.0, self.files.1)
    }

    /// A profile wherever it is, for reading.
    pub fn profile(&self, id: ProfileId) -> Option<faden_engine::profile::Profile> {
        let partition = &self.partitions[partition_of(id, self.partitions.len())];
        partition.shard.profile(id).cloned().or_else(|| self.store.as_ref()?.profile(id))
    }
}

/// Tells the views where an event stands, and what a channel reports.
fn note(
    views: &mut Views,
    record: &Record<'_>,
    deliveries: &[Delivery<'_>],
    (at, position): (Timestamp, Position),
    store: Option<&SharedStore>,
) {
    match &record.command {
        Command::Report(report) => views.report(at, report, None, store),
        Command::ReportOf { account, report } => views.report(at, report, Some(account), store),
        Command::Migrate(migration) => views.migrations.begun(at, migration),
        _ => {}
    }
    for delivery in deliveries {
        if let Content::Event { strand, event, .. } = &delivery.content {
            views.event(at, *strand, position, event);
        }
    }
}

/// Moves decisions over; where there are none yet, by swapping memory.
fn take_over(all: &mut Vec<Decision>, new: &mut Vec<Decision>) {
    if all.is_empty() {
        std::mem::swap(all, new);
    } else {
        all.append(new);
    }
}

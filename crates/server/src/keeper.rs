//! The one thread that keeps the node: appends what comes in, in groups, lets time pass, answers looks.
//!
//! Everything that touches state goes through here, in one order. A group is what has come in while the
//! last one was written: it is appended, flushed and applied together, and each of its callers is told
//! only then. Time passes by records as well: when something is due and nothing else comes in, a tick is
//! written. A node that fails is opened again from its log; until then callers get an error they can repeat.

use faden_model::{Command, MessageId, Record, Timestamp, with_causes};
use faden_runtime::{Node, NodeError};
use faden_storage::{LogError, RecordBatch, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Bytes of records that may wait for the log; beyond it intake says 429.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// Records that are written as one group.
const GROUP_RECORDS_MAX: usize = 8_192;
/// Records after which a checkpoint is wanted: callers wait while one is cut, some milliseconds; and what changes
/// again before the next one is not written twice.
const CHECKPOINT_RECORDS: u64 = 32_768;
/// Records after which it is waited for.
const CHECKPOINT_RECORDS_MAX: u64 = 262_144;
/// Longest time without looking at the clock.
const IDLE_MAX: Duration = Duration::from_millis(500);
/// Between two attempts to open a node that failed.
const REOPEN_AFTER: Duration = Duration::from_secs(2);
/// A clock that goes back by less is a correction, not a finding.
const CLOCK_BACK_MAX_MS: i64 = 5_000;

/// What is wrong when the system's clock is behind the log.
pub const CLOCK_CODE: &str = "clock-behind";

/// How the keeper works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Time between two checkpoints while something changes.
    pub checkpoint_after: Duration,
    /// Append and flush only, apply nothing: the floor that load tests compare with.
    pub log_only: bool,
}

/// Why something was not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("too much is waiting for the log; try again in a moment")]
    Busy,
    #[error("the server cannot write right now: {0}; nothing of this call was taken")]
    Down(String),
}

/// What `/readyz` says.
#[derive(Clone, Debug)]
pub struct Health {
    pub ready: bool,
    /// Where something is wrong.
    pub trouble: Option<Trouble>,
    /// The system's clock is behind the log by so much: time stands still until it has caught up.
    pub clock_behind_ms: i64,
}

/// Stable code and text.
pub type Trouble = (&'static str, String);

type Look = Box<dyn FnOnce(&mut Node) + Send>;

enum Ask {
    Append { batch: RecordBatch, room: OwnedSemaphorePermit, done: oneshot::Sender<Result<(), Refusal>> },
    Look(Look),
    Stop,
}

/// The door to the keeper; cheap to clone.
#[derive(Clone)]
pub struct Keeper {
    asks: Sender<Ask>,
    room: Arc<Semaphore>,
    health: Arc<Mutex<Health>>,
}

/// The thread, to be waited for at the end.
pub struct Running(JoinHandle<()>);

impl Running {
    /// Waits until everything that was asked for is done and written.
    pub fn wait(self) {
        if self.0.join().is_err() {
            tracing::error!("the keeper's thread panicked");
        }
    }
}

/// Opens a node from where its log and store lie.
pub type Open = Box<dyn FnMut() -> Result<Node, NodeError> + Send>;

impl Keeper {
    /// Starts the thread on an open node. `outbox` gets messages that must go out, `opened` each newly opened node.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(node: Node, open: Open, options: Options, outbox: mpsc::UnboundedSender<MessageId>) -> std::io::Result<(Keeper, Running)> {
        let (asks, inbox) = channel();
        let health = Arc::new(Mutex::new(Health { ready: true, trouble: None, clock_behind_ms: 0 }));
        let keeper = Keeper { asks, room: Arc::new(Semaphore::new(WAITING_BYTES_MAX)), health: health.clone() };
        let thread =
            Thread { node: Some(node), open, options, outbox, inbox, health, checkpoint_at: Instant::now() + options.checkpoint_after };
        let handle = std::thread::Builder::new().name("keeper".to_owned()).spawn(move || thread.run())?;
        Ok((keeper, Running(handle)))
    }

    /// Appends records: durable and applied when it returns.
    ///
    /// # Errors
    /// [`Refusal`]; nothing of the batch is kept then, or what is kept was never acknowledged.
    pub async fn append(&self, batch: RecordBatch) -> Result<(), Refusal> {
        let bytes = u32::try_from(batch.bytes().max(1)).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(bytes).map_err(|_| Refusal::Busy)?;
        let (done, told) = oneshot::channel();
        self.asks.send(Ask::Append { batch, room, done }).map_err(|_| stopped())?;
        told.await.map_err(|_| stopped())?
    }

    /// One record of the server's own.
    ///
    /// # Errors
    /// As [`Keeper::append`].
    pub async fn record(&self, command: Command<'_>) -> Result<(), Refusal> {
        let mut batch = RecordBatch::new();
        let record = Record { at: now(), command };
        batch.push_with(|bytes| record.encode(bytes)).map_err(|error| Refusal::Down(error.to_string()))?;
        self.append(batch).await
    }

    /// Looks at the node between two groups, after everything that was appended before.
    ///
    /// # Errors
    /// [`Refusal::Down`] while there is no node.
    pub async fn look<T: Send + 'static>(&self, look: impl FnOnce(&mut Node) -> T + Send + 'static) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let look: Look = Box::new(move |node| {
            // Whoever asked may have gone.
            let _ = answer.send(look(node));
        });
        self.asks.send(Ask::Look(look)).map_err(|_| stopped())?;
        answered.await.map_err(|_| Refusal::Down("its state is being opened again".to_owned()))
    }

    pub fn health(&self) -> Health {
        lock(&self.health).clone()
    }

    /// Ends the thread after everything before; a checkpoint is written.
    pub fn stop(&self) {
        // Gone already is as good.
        let _ = self.asks.send(Ask::Stop);
    }
}

fn stopped() -> Refusal {
    Refusal::Down("it is being stopped".to_owned())
}

fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().expect("no holder of this lock panics")
}

/// The system's clock.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

struct Thread {
    node: Option<Node>,
    open: Open,
    options: Options,
    outbox: mpsc::UnboundedSender<MessageId>,
    inbox: Receiver<Ask>,
    health: Arc<Mutex<Health>>,
    checkpoint_at: Instant,
}

/// What has come in together.
#[derive(Default)]
struct Group {
    batches: Vec<(RecordBatch, OwnedSemaphorePermit)>,
    tell: Vec<oneshot::Sender<Result<(), Refusal>>>,
    records: usize,
    looks: Vec<Look>,
    stop: bool,
}

impl Group {
    fn add(&mut self, ask: Ask) {
        match ask {
            Ask::Append { batch, room, done } => {
                self.records += batch.len();
                self.batches.push((batch, room));
                self.tell.push(done);
            }
            Ask::Look(look) => self.looks.push(look),
            Ask::Stop => self.stop = true,
        }
    }
}

impl Thread {
    fn run(mut self) {
        self.hand_out();
        loop {
            let group = self.next_group();
            let stop = group.stop;
            match &mut self.node {
                Some(_) => self.work(group),
                None => {
                    let trouble = self.trouble();
                    group.tell.into_iter().for_each(|done| drop(done.send(Err(Refusal::Down(trouble.clone())))));
                }
            }
            if stop {
                break;
            }
            if self.node.is_none() {
                self.reopen();
            }
        }
        if let Some(node) = &mut self.node
            && let Err(error) = node.settle_keeping_log()
        {
            tracing::error!(%error, "the last checkpoint could not be written; the log has everything");
        }
    }

    /// Waits for something to do; an empty group when only time has passed.
    fn next_group(&mut self) -> Group {
        let mut group = Group::default();
        let due = self
            .node
            .as_ref()
            .and_then(Node::next_due)
            .map_or(IDLE_MAX, |due| Duration::from_millis(u64::try_from(due.0.saturating_sub(now().0)).unwrap_or(0)).min(IDLE_MAX));
        match self.inbox.recv_timeout(due) {
            Ok(ask) => group.add(ask),
            Err(RecvTimeoutError::Timeout) => return group,
            Err(RecvTimeoutError::Disconnected) => group.stop = true,
        }
        while group.records < GROUP_RECORDS_MAX && !group.stop {
            match self.inbox.try_recv() {
                Ok(ask) => group.add(ask),
                Err(_) => break,
            }
        }
        group
    }

    fn work(&mut self, group: Group) {
        let result = sound(|| self.take(&group.batches));
        if result.is_ok() {
            self.hand_out();
        }
        let told = result.clone().map_err(|(_, text)| Refusal::Down(text));
        group.tell.into_iter().for_each(|done| drop(done.send(told.clone())));
        let Some(node) = self.node.as_mut() else { return };
        let looked = result.and_then(|()| {
            group.looks.into_iter().try_for_each(|look| {
                sound(|| {
                    look(node);
                    Ok(())
                })
            })
        });
        if let Err(trouble) = looked {
            self.fail(trouble);
        }
    }

    fn take(&mut self, batches: &[(RecordBatch, OwnedSemaphorePermit)]) -> Result<(), NodeError> {
        let at = now();
        let log_only = self.options.log_only;
        let Some(node) = self.node.as_mut() else { return Ok(()) };
        note_clock(&self.health, node.front().clock().0.saturating_sub(at.0));
        let mut batch = RecordBatch::new();
        batches.iter().for_each(|(one, _)| batch.extend(one));
        if batch.is_empty() && node.next_due().is_some_and(|due| due <= at) {
            node.pass_time(at)?;
        }
        if !batch.is_empty() {
            let position = node.position();
            let encoded = batches.iter().flat_map(|(one, _)| one.records());
            let records: Result<Vec<Record<'_>>, _> = encoded.map(Record::decode).collect();
            let records = records.map_err(|source| NodeError::Record { position, source })?;
            if log_only { node.append_only(batch)? } else { node.take_encoded(batch, &records)? }
        }
        let since = node.since_checkpoint();
        let wanted = since >= CHECKPOINT_RECORDS || (since > 0 && Instant::now() >= self.checkpoint_at);
        // Waiting for the store would make every caller wait; only far behind it must be.
        if wanted && (!node.is_committing() || since >= CHECKPOINT_RECORDS_MAX) {
            node.checkpoint()?;
            self.checkpoint_at = Instant::now() + self.options.checkpoint_after;
        }
        Ok(())
    }

    /// Messages that must go out, to whoever sends them: what led to them is durable.
    fn hand_out(&mut self) {
        let Some(views) = self.node.as_mut().and_then(Node::views) else { return };
        for message in views.messages.take_fresh() {
            // Without senders the messages stay in the outbox.
            let _ = self.outbox.send(message);
        }
    }

    fn fail(&mut self, trouble: Trouble) {
        let (code, cause) = &trouble;
        tracing::error!(code, cause, "the node cannot go on and will be opened again");
        *lock(&self.health) = Health { ready: false, trouble: Some(trouble), clock_behind_ms: 0 };
        self.node = None;
    }

    fn trouble(&self) -> String {
        lock(&self.health).trouble.as_ref().map_or_else(String::new, |(_, text)| text.clone())
    }

    fn reopen(&mut self) {
        std::thread::sleep(REOPEN_AFTER);
        match sound(|| (self.open)()) {
            Ok(node) => {
                tracing::info!(position = node.position().0, "the node is open again");
                self.node = Some(node);
                *lock(&self.health) = Health { ready: true, trouble: None, clock_behind_ms: 0 };
                self.hand_out();
            }
            Err(trouble) => {
                let before = lock(&self.health).trouble.replace(trouble.clone());
                let (code, cause) = &trouble;
                // Every two seconds the same line would bury what came before it.
                if before.is_none_or(|(before, _)| before != *code) {
                    tracing::error!(code, cause, "the node cannot be opened; it is tried again and again");
                }
            }
        }
    }
}

/// Runs something on the node. A panic, which a store that cannot be read ends in, is an error like others:
/// what is in memory is given up, and the node is opened again from what is on the disk.
fn sound<T>(work: impl FnOnce() -> Result<T, NodeError>) -> Result<T, Trouble> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| (code(&error), with_causes(&error))),
        Err(_) => Err(("node-failed", "the engine broke off; its last lines on standard error say where".to_owned())),
    }
}

/// Keeps how far the system's clock is behind the log, and says so in the log when it begins and ends.
fn note_clock(health: &Mutex<Health>, behind_ms: i64) {
    let behind_ms = if behind_ms > CLOCK_BACK_MAX_MS { behind_ms } else { 0 };
    let before = std::mem::replace(&mut lock(health).clock_behind_ms, behind_ms);
    if before == 0 && behind_ms > 0 {
        tracing::warn!(code = CLOCK_CODE, behind_ms, "the system's clock went back: timers wait until it has caught up; set it by NTP");
    }
    if before > 0 && behind_ms == 0 {
        tracing::info!("the system's clock has caught up with the log");
    }
}

/// The stable code of what is wrong with a node.
pub(crate) fn code(error: &NodeError) -> &'static str {
    match error {
        NodeError::Log(error) => LogError::code(error),
        NodeError::Store(error) => StoreError::code(error),
        _ => "node-failed",
    }
}

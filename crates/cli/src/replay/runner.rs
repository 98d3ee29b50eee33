//! A node that takes batches: in this thread, in a thread per partition, or on a durable home.

use anyhow::{Context, bail};
use faden_engine::Definitions;
use faden_engine::decision::Decision;
use faden_model::{Command, Record, Timestamp};
use faden_runtime::threads::Threads;
use faden_runtime::{Node, Options, SharedStore};
use faden_storage::{FileDisk, FjallStore, Log, LogOptions, StoreOptions};
use std::path::Path;
use std::sync::Arc;
use std::thread::Scope;

pub enum Runner<'scope> {
    Node(Box<Node>),
    /// `None` only while it is dropped.
    Threads(Option<Box<Threads<'scope>>>),
}

/// The partitions' threads hold each other's post open; they end only when they are told to.
impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if let Runner::Threads(threads) = self
            && let Some(threads) = threads.take()
        {
            threads.finish();
        }
    }
}

/// A replay is short: smaller segments than a server's, because each is written full of zeros first.
fn log_options(directory: &Path) -> LogOptions {
    LogOptions { segment_bytes: 16 << 20, ..LogOptions::new(directory.join("log")) }
}

impl<'scope> Runner<'scope> {
    /// In memory; `threads` gives each partition its own, if there are several.
    pub fn in_memory(definitions: Arc<Definitions>, options: Options, threads: Option<&'scope Scope<'scope, '_>>) -> Runner<'scope> {
        let partitions = options.partitions;
        let node = Node::in_memory(definitions, options);
        match threads {
            Some(scope) if partitions > 1 => Runner::Threads(Some(Box::new(Threads::start(scope, node)))),
            _ => Runner::Node(Box::new(node)),
        }
    }

    /// With log and store in `directory`. `fingerprint` is that of the workspace: another one is refused,
    /// because what was decided before would not follow from it.
    ///
    /// # Errors
    /// When log or store cannot be opened, or belong to another workspace.
    pub fn durable(definitions: Arc<Definitions>, options: Options, directory: &Path, fingerprint: &str) -> anyhow::Result<Runner<'scope>> {
        let shown = directory.display();
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make the directory `{shown}`"))?;
        let mark = directory.join("workspace.fingerprint");
        match std::fs::read_to_string(&mark) {
            Ok(known) if known.trim() == fingerprint => {}
            Ok(_) => bail!("`{shown}` was begun with other definitions; name an empty directory, or the workspace as it was"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::write(&mark, fingerprint).with_context(|| format!("cannot write `{}`", mark.display()))?;
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", mark.display())),
        }
        let log = Log::open(Arc::new(FileDisk), log_options(directory)).with_context(|| format!("cannot open the log in `{shown}`"))?;
        let store = FjallStore::open(&StoreOptions::new(directory.join("store")))?;
        // Small checkpoints: what they write is small enough to be used again instead of asked for anew.
        let options = Options { overlap: true, commit_beside: true, tell_decisions: true, checkpoint_every: 25_000, ..options };
        let node = Node::open(definitions, options, log, SharedStore::new(Box::new(store)))
            .with_context(|| format!("cannot open the node in `{shown}`"))?;
        Ok(Runner::Node(Box::new(node)))
    }

    /// # Errors
    /// The node's.
    pub fn take(&mut self, records: Vec<Record<'_>>) -> anyhow::Result<()> {
        match self {
            Runner::Node(node) => node.take(&records)?,
            Runner::Threads(Some(threads)) => threads.apply(records),
            Runner::Threads(None) => {}
        }
        Ok(())
    }

    /// Lets time pass, and waits until everything that it brought about is decided.
    ///
    /// # Errors
    /// The node's.
    pub fn pass_time(&mut self, until: Timestamp) -> anyhow::Result<()> {
        self.take(vec![Record { at: until, command: Command::Tick }])?;
        self.wait();
        Ok(())
    }

    /// Waits until everything that was taken is decided.
    pub fn wait(&mut self) {
        if let Runner::Threads(Some(threads)) = self {
            threads.wait();
        }
    }

    /// What was decided since the last call; where decisions go to a store, what has become rows of it since.
    pub fn decisions(&mut self) -> Vec<Decision> {
        match self {
            Runner::Node(node) => node.take_decisions(),
            Runner::Threads(threads) => threads.as_mut().map(|threads| threads.take_decisions()).unwrap_or_default(),
        }
    }

    /// Gives back what [`Runner::decisions`] gave, so that its memory is used again.
    pub fn recycle(&mut self, decisions: Vec<Decision>) {
        if let Runner::Node(node) = self
            && node.store().is_none()
        {
            node.recycle(decisions);
        }
    }

    /// See `Node::next_stop`; partitions in threads pass all time at once.
    pub fn next_stop(&self, until: Timestamp) -> Timestamp {
        match self {
            Runner::Node(node) => node.next_stop(until),
            Runner::Threads(_) => until,
        }
    }

    /// How many profiles were ever born, and how many events were repeats.
    pub fn profiles_and_repeats(&mut self) -> (u64, u64) {
        let front = match self {
            Runner::Node(node) => Some(node.front()),
            Runner::Threads(threads) => threads.as_mut().map(|threads| &*threads.front()),
        };
        front.map_or((0, 0), |front| (front.identity.counts().0 as u64, front.repeats()))
    }

    /// Ends a run. What an in-memory node holds is not taken apart piece by piece: the process ends soon.
    pub fn end(mut self) {
        if let Runner::Node(node) = &mut self
            && node.store().is_none()
        {
            std::mem::forget(self);
        }
    }

    pub fn node(&mut self) -> Option<&mut Node> {
        match self {
            Runner::Node(node) => Some(node),
            Runner::Threads(_) => None,
        }
    }
}

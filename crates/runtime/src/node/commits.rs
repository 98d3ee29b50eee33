//! Checkpoints of a node: cut in its thread, made into rows and written beside.

use super::{Node, NodeError, take_over};
use crate::checkpoint::{Cut, PartitionCut, SeenCut, SharedStore, write_identity};
use faden_engine::decision::Decision;
use faden_engine::delivery::{Content, Delivery};
use faden_storage::{Batch, StoreError, Table};
use std::thread::JoinHandle;

/// Profiles of a partition that leave memory between two batches: they take as long to free as a small batch
/// takes to apply.
const LET_GO_AT_ONCE: usize = 512;

/// Where checkpoints are written beside, this part of the profiles that may stay can be too many for a while:
/// the rest leaves between batches, and a cut frees none.
const LATE_PART: usize = 8;

/// A checkpoint on its way into the store; it gives back the decisions that are rows then.
pub(super) type Committing = JoinHandle<Result<Vec<Decision>, StoreError>>;

impl Node {
    /// Writes everything that changed. Where that happens beside, the one before is waited for.
    ///
    /// # Errors
    /// [`NodeError::Store`], [`NodeError::Log`].
    pub fn checkpoint(&mut self) -> Result<(), NodeError> {
        self.check_sound()?;
        let Some(store) = self.store.clone() else { return Ok(()) };
        self.finish_commit()?;
        let late = if self.options.commit_beside { self.options.warm_max / LATE_PART } else { 0 };
        self.let_go(self.options.warm_max + late, usize::MAX);
        let cut = self.cut();
        self.checkpointed = self.position;
        if self.options.commit_beside {
            self.committing = Some(commit_beside(store, cut, self.options.tell_decisions));
            return Ok(());
        }
        let committed = cut.commit(&mut **store.lock());
        self.committed(committed)
    }

    /// Takes everything that changed since the last checkpoint.
    fn cut(&mut self) -> Cut {
        // All partitions start again from the one clock that is written, so none may be behind it.
        let at = self.front.clock();
        let known = self.decisions.len();
        for partition in &mut self.partitions {
            partition.apply(Delivery { at, content: Content::Tick });
            self.decisions.append(&mut partition.shard.output.decisions);
        }
        self.follow(known);
        let mut batch = Batch::new();
        write_identity(&mut self.front, &mut batch);
        for (position, files) in std::mem::take(&mut self.published) {
            let files = postcard::to_stdvec(&files).expect("texts have no unserialisable part");
            batch.put(Table::Definitions, &position.0.to_be_bytes(), &files);
        }
        batch.set_log_position(self.position);
        Cut {
            views: self.views.as_mut().map(|views| views.cut((at, self.position), &mut batch)),
            partitions: self.partitions.iter_mut().map(PartitionCut::take).collect(),
            seen: SeenCut { unsaved: self.front.take_unsaved(self.options.seen_max), position: self.position },
            decisions: std::mem::take(&mut self.decisions),
            batch,
        }
    }

    /// What a failed commit was to write is in no batch any more: nothing may be committed after it.
    fn committed(&mut self, result: Result<Vec<Decision>, StoreError>) -> Result<(), NodeError> {
        self.gap = result.is_err();
        let mut decisions = result?;
        if self.options.tell_decisions {
            take_over(&mut self.written, &mut decisions);
        }
        Ok(())
    }

    /// Looks after the store between two batches: what a commit that has ended beside left clean goes from
    /// memory little by little, so that nobody waits for thousands of profiles to be freed.
    pub(super) fn tidy(&mut self) -> Result<(), NodeError> {
        if self.committing.is_some() && !self.is_committing() {
            self.finish_commit()?;
        }
        if self.store.is_some() && self.committing.is_none() {
            self.let_go(self.options.warm_max, LET_GO_AT_ONCE);
        }
        Ok(())
    }

    /// Records that no checkpoint has yet.
    pub fn since_checkpoint(&self) -> u64 {
        self.position.0 - self.checkpointed.0
    }

    /// Whether the last checkpoint is still being written beside.
    pub fn is_committing(&self) -> bool {
        self.committing.as_ref().is_some_and(|committing| !committing.is_finished())
    }

    /// Waits for a commit that runs beside; what is clean may leave memory from then until the next cut.
    ///
    /// # Errors
    /// The store's.
    pub fn finish_commit(&mut self) -> Result<(), NodeError> {
        if let Some(committing) = self.committing.take() {
            let result = committing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            return self.committed(result);
        }
        Ok(())
    }

    /// Lets go of clean profiles beyond so many, of up to `most` in each partition.
    fn let_go(&mut self, keep: usize, most: usize) {
        let keep = keep / self.partitions.len();
        for partition in &mut self.partitions {
            let warm = partition.shard.warm_len();
            if warm > keep {
                partition.shard.let_go(keep.max(warm.saturating_sub(most)));
            }
        }
    }

    /// A checkpoint that survives a power cut, after which the log before it may go.
    ///
    /// # Errors
    /// As [`Node::checkpoint`].
    pub fn settle(&mut self) -> Result<(), NodeError> {
        self.settle_keeping_log()?;
        if let (Some(_), Some(log)) = (&self.store, &mut self.log) {
            log.truncate_before(self.position)?;
        }
        Ok(())
    }

    /// A checkpoint that survives a power cut, and the whole log stays: people look events up in it.
    ///
    /// # Errors
    /// As [`Node::checkpoint`].
    pub fn settle_keeping_log(&mut self) -> Result<(), NodeError> {
        self.checkpoint()?;
        self.finish_commit()?;
        if let Some(store) = &self.store {
            store.lock().flush()?;
        }
        Ok(())
    }
}

/// Commits in a thread of its own, which holds the store from before this returns: whoever reads it
/// meanwhile waits, and never sees what was before the checkpoint.
fn commit_beside(store: SharedStore, cut: Cut, tell_decisions: bool) -> Committing {
    let (holds, held) = std::sync::mpsc::channel();
    let commit = move || {
        let mut store = store.lock();
        // The receiver waits for this one word.
        let _ = holds.send(());
        faden_storage::step_back();
        let decisions = cut.commit(&mut **store)?;
        // Freeing thousands of them takes as long as a batch.
        Ok(if tell_decisions { decisions } else { Vec::new() })
    };
    let handle = std::thread::Builder::new().name("commit".to_owned()).spawn(commit).expect("the system gives a thread");
    // An error means that the thread is gone; joining it tells why.
    let _ = held.recv();
    handle
}

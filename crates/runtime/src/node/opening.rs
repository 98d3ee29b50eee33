//! Opening a node: what the store has, and what the log has beyond it.

use super::{Node, NodeError, Options};
use crate::checkpoint::{FRONT_KEY, SharedStore, number, read_due_key};
use crate::views::Views;
use faden_engine::Definitions;
use faden_engine::front::{Front, partition_of};
use faden_engine::identity::Identity;
use faden_engine::track::Track;
use faden_model::{ProfileId, Record};
use faden_storage::{Batch, Log, Position, Table};
use std::sync::Arc;

/// Records between two checkpoints while the log is caught up with, at most.
const CATCH_UP_CHECKPOINT: u64 = 100_000;

impl Node {
    /// Opens a node on its log and store, and applies what the log has beyond the store.
    ///
    /// # Errors
    /// [`NodeError`] when log or store cannot be read.
    pub fn open(definitions: Arc<Definitions>, mut options: Options, log: Log, store: SharedStore) -> Result<Node, NodeError> {
        options.hash_key = hash_key(&store, options.hash_key)?;
        let mut rows: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        store.each(Table::Identity, |key, value| rows.push((key.to_vec(), value.to_vec())));
        let identity = if rows.is_empty() { Identity::new(options.hash_key) } else { Identity::load(options.hash_key, rows)? };
        let mut front = Front::new(identity, true);
        let (lately, others) = store.seen();
        front.remember(&lately, others);
        if let Some(bytes) = store.lock().get(Table::Meta, FRONT_KEY)? {
            front.restore(postcard::from_bytes(&bytes).map_err(|_| NodeError::Corrupt { what: "a clock" })?);
        }
        let position = store.lock().log_position()?;
        let mut node = Node::assemble(definitions, options, front, Some(store.clone()), Some(log));
        (node.position, node.checkpointed) = (position, position);
        if node.options.views {
            node.views = Some(Views::load(&store).ok_or(NodeError::Corrupt { what: "counts" })?);
            node.partitions.iter_mut().for_each(|partition| partition.shard.output.track = Some(Track::default()));
        }
        node.restore_definitions(&store)?;
        node.restore(&store)?;
        node.catch_up()?;
        // Whoever looks into the store now finds what was decided on the way, and is not told of it again.
        node.finish_commit()?;
        Ok(node)
    }

    /// Everything that was published up to the checkpoint, oldest first: somebody may still be on an older
    /// version of a journey.
    fn restore_definitions(&mut self, store: &SharedStore) -> Result<(), NodeError> {
        let mut rows: Vec<(Option<u64>, Vec<u8>)> = Vec::new();
        store.each(Table::Definitions, |key, value| rows.push((number(key), value.to_vec())));
        for (position, files) in rows {
            let corrupt = NodeError::Corrupt { what: "published definitions" };
            let Some((position, files)) = position.zip(postcard::from_bytes(&files).ok()) else { return Err(corrupt) };
            self.publish(files, Position(position))?;
        }
        Ok(())
    }

    fn restore(&mut self, store: &SharedStore) -> Result<(), NodeError> {
        let count = self.partitions.len();
        let clock = self.front.clock();
        for partition in &mut self.partitions {
            partition.shard.restore_clock(clock);
        }
        let mut corrupt = None;
        store.each(Table::Due, |key, _| match read_due_key(key) {
            Some((due, id)) => self.partitions[partition_of(id, count)].shard.restore_due(due, id),
            None => corrupt = Some("a timer"),
        });
        store.each(Table::Audiences, |key, _| match (number(key), key.get(8..).and_then(number)) {
            (Some(audience), Some(id)) => {
                self.partitions[partition_of(ProfileId(id), count)].shard.restore_member(audience, ProfileId(id));
            }
            _ => corrupt = Some("a member of an audience"),
        });
        let mut stored = 0;
        store.each(Table::Peers, |key, value| {
            stored += 1;
            let number = key.try_into().map(u16::from_be_bytes).map(usize::from);
            let partition = number.ok().and_then(|number| self.partitions.get_mut(number));
            if partition.is_some_and(|partition| partition.read_counters(value).is_err()) {
                corrupt = Some("a letter counter");
            }
        });
        if stored != 0 && stored != count {
            return Err(NodeError::Partitions { stored });
        }
        corrupt.map_or(Ok(()), |what| Err(NodeError::Corrupt { what }))
    }

    /// Applies the log from where the store stands.
    fn catch_up(&mut self) -> Result<(), NodeError> {
        let Some(log) = &self.log else { return Ok(()) };
        let mut reader = log.read(self.position)?;
        while let Some((position, bytes)) = reader.next()? {
            let record = Record::decode(bytes).map_err(|source| NodeError::Record { position, source })?;
            self.apply(&[record])?;
            if self.position.0 - self.checkpointed.0 >= self.options.checkpoint_every.min(CATCH_UP_CHECKPOINT) {
                self.checkpoint()?;
            }
        }
        Ok(())
    }
}

/// The key of the identity index: the stored one, or the given one for a new store.
fn hash_key(store: &SharedStore, given: [u8; 16]) -> Result<[u8; 16], NodeError> {
    const KEY: &[u8] = b"hash_key";
    let mut store = store.lock();
    if let Some(stored) = store.get(Table::Meta, KEY)? {
        return stored.try_into().map_err(|_| NodeError::Corrupt { what: "an identity key" });
    }
    let mut batch = Batch::new();
    batch.put(Table::Meta, KEY, &given);
    store.commit(&batch)?;
    store.flush()?;
    Ok(given)
}

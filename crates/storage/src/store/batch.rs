//! A batch of changes: one buffer, no allocation per change.

use super::Table;
use crate::log::Position;
use std::ops::Range;

/// Key of the log position in [`Table::Meta`].
pub(crate) const LOG_POSITION_KEY: &[u8] = b"log_position";

/// Key of the note in [`Table::Meta`] that an import is under way.
pub(crate) const IMPORTING_KEY: &[u8] = b"importing";

/// Changes that are committed together. Reusable: `clear` keeps the memory.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    changes: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    table: Table,
    key: Range<usize>,
    /// `None` deletes.
    value: Option<Range<usize>>,
}

/// One change of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    pub table: Table,
    pub key: &'a [u8],
    /// `None` deletes.
    pub value: Option<&'a [u8]>,
}

impl Batch {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key.
    ///
    /// # Panics
    /// If the key is empty, which no table allows.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.put_with(table, key, |bytes| bytes.extend_from_slice(value));
    }

    /// Sets a key to what `encode` appends to the buffer it is given. It must only append.
    ///
    /// # Panics
    /// If the key is empty, which no table allows.
    pub fn put_with(&mut self, table: Table, key: &[u8], encode: impl FnOnce(&mut Vec<u8>)) {
        let key = self.push_key(key);
        encode(&mut self.bytes);
        let value = Some(key.end..self.bytes.len());
        self.changes.push(Entry { table, key, value });
    }

    /// Removes a key, whether it is there or not.
    ///
    /// # Panics
    /// If the key is empty, which no table allows.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        let key = self.push_key(key);
        self.changes.push(Entry { table, key, value: None });
    }

    /// Notes that with this batch the state contains all records before `position`.
    pub fn set_log_position(&mut self, position: Position) {
        self.put(Table::Meta, LOG_POSITION_KEY, &position.0.to_be_bytes());
    }

    /// The changes in the order they were made.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.changes.iter().map(|entry| Change {
            table: entry.table,
            key: &self.bytes[entry.key.clone()],
            value: entry.value.clone().map(|value| &self.bytes[value]),
        })
    }

    /// Number of changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.changes.clear();
    }

    fn push_key(&mut self, key: &[u8]) -> Range<usize> {
        assert!(!key.is_empty(), "a key of a table is never empty");
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        start..self.bytes.len()
    }
}

//! Rows that are only ever added, read newest first: changes of audiences, consents.

use crate::checkpoint::SharedStore;
use faden_storage::{Batch, Table};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// Key and value of a row.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows of one table since the last checkpoint.
pub struct Ledger {
    table: Table,
    unsaved: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Rows with this beginning of their keys and, of these, those before a key.
#[derive(Clone, Debug)]
pub struct Range {
    pub prefix: Vec<u8>,
    pub before: Option<Vec<u8>>,
}

impl Range {
    fn bounds(&self) -> (Vec<u8>, Vec<u8>) {
        let until = self.before.clone().unwrap_or_else(|| after(&self.prefix));
        (self.prefix.clone(), until)
    }
}

/// The first key behind all that begin with `prefix`; empty for the end of the table.
fn after(prefix: &[u8]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    while let Some(last) = key.pop() {
        if last < u8::MAX {
            key.push(last + 1);
            break;
        }
    }
    key
}

impl Ledger {
    pub(super) fn new(table: Table) -> Ledger {
        Ledger { table, unsaved: BTreeMap::new() }
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.unsaved.insert(key, value);
    }

    /// Rows in memory, newest first, `count` at most.
    pub fn unsaved(&self, range: &Range, count: usize) -> Vec<Row> {
        let (from, until) = range.bounds();
        let end = if until.is_empty() { Bound::Unbounded } else { Bound::Excluded(until.max(from.clone())) };
        let rows = self.unsaved.range((Bound::Included(from), end)).rev();
        rows.take(count).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    pub(super) fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.unsaved.get(key).map(Vec::as_slice)
    }

    pub(super) fn take(&mut self) -> Ledger {
        Ledger { table: self.table, unsaved: std::mem::take(&mut self.unsaved) }
    }

    pub(super) fn write(self, batch: &mut Batch) {
        for (key, value) in self.unsaved {
            batch.put(self.table, &key, &value);
        }
    }
}

/// The newest rows of the range, from memory (read before) and store; `count` at most.
pub fn newest(store: &SharedStore, table: Table, unsaved: Vec<Row>, range: &Range, count: usize) -> Vec<Row> {
    let (from, until) = range.bounds();
    let mut found: BTreeMap<Vec<u8>, Vec<u8>> = unsaved.into_iter().collect();
    let mut stored = 0;
    store.back(table, &from, &until, &mut |key, value| {
        stored += 1;
        found.insert(key.to_vec(), value.to_vec());
        if stored < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    found.into_iter().rev().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_behind_all_its_keys() {
        for (prefix, end) in [(vec![1, 2], vec![1, 3]), (vec![1, 255], vec![2]), (vec![255, 255], vec![]), (vec![], vec![])] {
            assert_eq!(after(&prefix), end);
        }
    }

    #[test]
    fn rows_in_memory_come_newest_first_within_their_range() {
        let mut ledger = Ledger::new(Table::Consents);
        for key in [[1, 1], [1, 2], [1, 3], [2, 1]] {
            ledger.put(key.to_vec(), Vec::new());
        }
        let keys = |prefix: &[u8], before: Option<&[u8]>, count| {
            let range = Range { prefix: prefix.to_vec(), before: before.map(<[u8]>::to_vec) };
            ledger.unsaved(&range, count).into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys(&[1], None, 2), [vec![1, 3], vec![1, 2]]);
        assert_eq!(keys(&[1], Some(&[1, 2]), 9), [vec![1, 1]]);
        assert_eq!(keys(&[], None, 9).len(), 4);
    }
}

//! Where the events of each strand stand in the log.
//!
//! A row per strand and checkpoint with the positions of its events since the last one. The events
//! themselves stay where they are, in the log.

use crate::checkpoint::{SharedStore, number};
use faden_model::ProfileId;
use faden_storage::{Batch, Position, Table};
use std::ops::ControlFlow;

/// Positions since the last checkpoint.
#[derive(Default)]
pub(crate) struct Timeline {
    /// In the order of the log.
    unsaved: Vec<(ProfileId, Position)>,
}

impl Timeline {
    pub fn note(&mut self, strand: ProfileId, position: Position) {
        self.unsaved.push((strand, position));
    }

    /// Oldest first.
    pub fn of(&self, strand: ProfileId, store: Option<&SharedStore>) -> Vec<Position> {
        let mut found = Vec::new();
        let (from, until) = (strand.0.to_be_bytes(), (strand.0 + 1).to_be_bytes());
        if let Some(store) = store {
            store.range(Table::Timeline, &from, &until, &mut |key, row| {
                let first = key.get(8..).and_then(number).unwrap_or_default();
                let steps: Vec<u64> = postcard::from_bytes(row).unwrap_or_default();
                found.push(Position(first));
                found.extend(steps.into_iter().scan(first, |at, step| {
                    *at += step;
                    Some(Position(*at))
                }));
                ControlFlow::Continue(())
            });
        }
        found.extend(self.unsaved.iter().filter(|(of, _)| *of == strand).map(|(_, position)| *position));
        found
    }

    pub fn write(&mut self, batch: &mut Batch) {
        let mut unsaved = std::mem::take(&mut self.unsaved);
        unsaved.sort_unstable();
        for events in unsaved.chunk_by(|one, next| one.0 == next.0) {
            let (strand, first) = events[0];
            let steps: Vec<u64> = events.windows(2).map(|pair| pair[1].1.0 - pair[0].1.0).collect();
            let key = [strand.0.to_be_bytes(), first.0.to_be_bytes()].concat();
            batch.put(Table::Timeline, &key, &postcard::to_stdvec(&steps).expect("numbers have no unserialisable part"));
        }
        unsaved.clear();
        self.unsaved = unsaved;
    }
}

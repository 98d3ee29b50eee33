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
pub struct Timeline {
    /// In the order of the log.
    unsaved: Vec<(ProfileId, Position)>,
}

/// Stored positions of a strand's events before `before`, newest first, `count` at most.
pub fn stored(store: &SharedStore, strand: ProfileId, before: Position, count: usize) -> Vec<Position> {
    let (from, until) = (strand.0.to_be_bytes(), [strand.0.to_be_bytes(), before.0.to_be_bytes()].concat());
    let mut found = Vec::new();
    store.back(Table::Timeline, &from, &until, &mut |key, row| {
        let first = key.get(8..).and_then(number).unwrap_or_default();
        let steps: Vec<u64> = postcard::from_bytes(row).unwrap_or_default();
        let next = |at: &mut u64, step: u64| {
            *at += step;
            Some(Position(*at))
        };
        let positions: Vec<Position> = std::iter::once(0).chain(steps).scan(first, next).collect();
        found.extend(positions.into_iter().rev().filter(|position| *position < before));
        if found.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    found.truncate(count);
    found
}

impl Timeline {
    pub(super) fn note(&mut self, strand: ProfileId, position: Position) {
        self.unsaved.push((strand, position));
    }

    /// Positions in memory of these strands' events before `before`, newest first.
    pub fn unsaved(&self, strands: &[ProfileId], before: Position) -> Vec<Position> {
        let of = |(strand, position): &&(ProfileId, Position)| *position < before && strands.contains(strand);
        self.unsaved.iter().rev().filter(of).map(|(_, position)| *position).collect()
    }

    pub(super) fn write(mut self, batch: &mut Batch) {
        self.unsaved.sort_unstable();
        for events in self.unsaved.chunk_by(|one, next| one.0 == next.0) {
            let (strand, first) = events[0];
            let steps: Vec<u64> = events.windows(2).map(|pair| pair[1].1.0 - pair[0].1.0).collect();
            let key = [strand.0.to_be_bytes(), first.0.to_be_bytes()].concat();
            batch.put(Table::Timeline, &key, &postcard::to_stdvec(&steps).expect("numbers have no unserialisable part"));
        }
    }
}

//! Who stands where: a row per journey version, step and passage, without a value.
//!
//! Followed by the moves of passages; a passage that comes to a step and leaves it between two
//! checkpoints never becomes a row. Since when and until when somebody waits stands in his profile.

use crate::checkpoint::{SharedStore, born_key, born_of_key, number};
use faden_engine::track::{Move, Place};
use faden_model::EnrollmentId;
use faden_storage::{Batch, Table};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// A passage at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    pub journey: u64,
    pub version: u64,
    pub step: u16,
    pub enrollment: EnrollmentId,
}

/// Which passages are asked for: of all journeys, of one, of one version's step.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    All,
    Journey(u64),
    Step { journey: u64, version: u64, step: u16 },
}

/// What changed since the last checkpoint: came (`true`), or left a row of the store behind.
#[derive(Default)]
pub struct Waits(BTreeMap<Standing, bool>);

impl Standing {
    fn key(&self) -> [u8; 30] {
        let mut key = [0; 30];
        key[..8].copy_from_slice(&self.journey.to_be_bytes());
        key[8..16].copy_from_slice(&self.version.to_be_bytes());
        key[16..18].copy_from_slice(&self.step.to_be_bytes());
        key[18..].copy_from_slice(&born_key(self.enrollment.0));
        key
    }

    fn read(key: &[u8]) -> Option<Standing> {
        let step = u16::from_be_bytes(key.get(16..18)?.try_into().ok()?);
        let enrollment = EnrollmentId(born_of_key(key.get(18..)?)?);
        Some(Standing { journey: number(key)?, version: number(key.get(8..)?)?, step, enrollment })
    }
}

impl Of {
    fn prefix(&self) -> Vec<u8> {
        match self {
            Of::All => Vec::new(),
            Of::Journey(journey) => journey.to_be_bytes().to_vec(),
            Of::Step { journey, version, step } => [journey.to_be_bytes().as_slice(), &version.to_be_bytes(), &step.to_be_bytes()].concat(),
        }
    }
}

impl Waits {
    pub(super) fn follow(&mut self, moved: &Move) {
        let standing = |step| Standing { journey: moved.journey, version: moved.version, step, enrollment: moved.enrollment };
        if let Place::Step(step) = moved.from {
            let here = standing(step);
            if self.0.remove(&here) != Some(true) {
                self.0.insert(here, false);
            }
        }
        if let Place::Step(step) = moved.to {
            let here = standing(step);
            if self.0.remove(&here) != Some(false) {
                self.0.insert(here, true);
            }
        }
    }

    /// Changes behind `after` that the store does not know yet.
    pub fn changes(&self, of: Of, after: Option<&Standing>) -> Vec<(Standing, bool)> {
        let prefix = of.prefix();
        let first = Standing { journey: 0, version: 0, step: 0, enrollment: EnrollmentId::default() };
        let from = match after {
            Some(after) => Bound::Excluded(*after),
            None => Bound::Included(Standing::read(&padded(&prefix)).unwrap_or(first)),
        };
        let within = self.0.range((from, Bound::Unbounded)).take_while(|(standing, _)| standing.key().starts_with(&prefix));
        within.map(|(standing, came)| (*standing, *came)).collect()
    }

    pub(super) fn write(self, batch: &mut Batch) {
        for (standing, came) in self.0 {
            if came {
                batch.put(Table::Enrollments, &standing.key(), &[]);
            } else {
                batch.delete(Table::Enrollments, &standing.key());
            }
        }
    }
}

fn padded(prefix: &[u8]) -> [u8; 30] {
    let mut key = [0; 30];
    key[..prefix.len()].copy_from_slice(prefix);
    key
}

/// The passages that stand there, in the order of their keys behind `after`: those of the store with
/// `changes` over them; `count` at most.
pub fn standing(store: &SharedStore, changes: &[(Standing, bool)], of: Of, after: Option<&Standing>, count: usize) -> Vec<Standing> {
    let prefix = of.prefix();
    let from = after.map_or_else(|| prefix.clone(), |after| [after.key().as_slice(), &[0]].concat());
    let mut found: Vec<Standing> = changes.iter().filter(|(_, came)| *came).map(|(standing, _)| *standing).collect();
    let known = |standing: &Standing| changes.binary_search_by_key(standing, |(standing, _)| *standing).is_ok();
    let mut stored = 0;
    store.range(Table::Enrollments, &from, &[], &mut |key, _| {
        if !key.starts_with(&prefix) || stored >= count {
            return ControlFlow::Break(());
        }
        if let Some(standing) = Standing::read(key).filter(|standing| !known(standing)) {
            stored += 1;
            found.push(standing);
        }
        ControlFlow::Continue(())
    });
    found.sort_unstable();
    found.truncate(count);
    found
}

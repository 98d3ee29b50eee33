//! Which arm each passage met, so that a goal counts for it, also one that is reached after the passage.

use crate::checkpoint::{SharedStore, born_key};
use faden_model::{EnrollmentId, Text};
use faden_storage::{Batch, Table};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Passage and experiment to arm, since the last checkpoint.
#[derive(Default)]
pub(super) struct Exposures(BTreeMap<(EnrollmentId, Text), Text>);

impl Exposures {
    pub fn note(&mut self, enrollment: EnrollmentId, experiment: &Text, arm: &Text) {
        self.0.insert((enrollment, experiment.clone()), arm.clone());
    }

    /// Experiments and arms of a passage.
    pub fn of(&self, enrollment: EnrollmentId, store: Option<&SharedStore>) -> BTreeMap<Text, Text> {
        let mut found = BTreeMap::new();
        let prefix = born_key(enrollment.0);
        if let Some(store) = store {
            store.range(Table::Exposures, &prefix, &[], &mut |key, arm| {
                let Some(name) = key.strip_prefix(&prefix) else { return ControlFlow::Break(()) };
                found
                    .extend(std::str::from_utf8(name).ok().zip(std::str::from_utf8(arm).ok()).map(|(name, arm)| (name.into(), arm.into())));
                ControlFlow::Continue(())
            });
        }
        let unsaved = self.0.range((enrollment, Text::default())..).take_while(|((known, _), _)| *known == enrollment);
        found.extend(unsaved.map(|((_, experiment), arm)| (experiment.clone(), arm.clone())));
        found
    }

    pub fn write(self, batch: &mut Batch) {
        for ((enrollment, experiment), arm) in self.0 {
            let key = [born_key(enrollment.0).as_slice(), experiment.as_bytes()].concat();
            batch.put(Table::Exposures, &key, arm.as_bytes());
        }
    }
}

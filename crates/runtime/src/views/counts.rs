//! How many went which way: per journey version, step and arm, per channel and state, per audience.
//!
//! Counted from decisions, so they are as exact as these. A handful of numbers per definition: they are
//! written whole with every checkpoint.

use super::MessageState;
use crate::checkpoint::SharedStore;
use faden_engine::decision::{Decision, Kind, MessageOutcome, Outcome};
use faden_model::Text;
use faden_storage::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const KEY: &[u8] = b"counts";

/// All counts of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    pub journeys: BTreeMap<Text, JourneyCounts>,
    /// By channel; messages that no channel was left for stand under the empty name.
    pub messages: BTreeMap<Text, MessageCounts>,
    pub audiences: BTreeMap<Text, u64>,
    /// Experiment, arm: profiles exposed.
    pub exposures: BTreeMap<(Text, Text), u64>,
    pub decisions: u64,
    pub rejected: u64,
    pub merges: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JourneyCounts {
    pub entered: u64,
    pub completed: u64,
    pub exited: u64,
    /// Ended by their goal.
    pub converted: u64,
    pub goals: u64,
    /// Entries per hour since 1970, the last 48 of them.
    pub hours: BTreeMap<u64, u64>,
    /// Step, what happened, where to: how often.
    pub edges: BTreeMap<(Text, Text, Text), u64>,
}

/// How many messages are in each state now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCounts(pub BTreeMap<MessageState, u64>);

/// Hours of which entries are kept.
const HOURS: usize = 48;

impl MessageCounts {
    pub fn of(&self, state: MessageState) -> u64 {
        self.0.get(&state).copied().unwrap_or(0)
    }
}

impl JourneyCounts {
    /// People who are inside now.
    pub fn running(&self) -> u64 {
        self.entered.saturating_sub(self.completed + self.exited + self.converted)
    }
}

impl Counts {
    pub(super) fn load(store: &SharedStore) -> Option<Counts> {
        match store.value(Table::Meta, KEY) {
            Some(bytes) => postcard::from_bytes(&bytes).ok(),
            None => Some(Counts::default()),
        }
    }

    pub(super) fn write(&self, batch: &mut Batch) {
        batch.put(Table::Meta, KEY, &postcard::to_stdvec(self).expect("counts have no unserialisable part"));
    }

    pub(super) fn follow(&mut self, decision: &Decision) {
        self.decisions += 1;
        match &decision.kind {
            Kind::Enrolled { journey, .. } => {
                let counts = entry(&mut self.journeys, journey);
                counts.entered += 1;
                *counts.hours.entry(u64::try_from(decision.at.0 / 3_600_000).unwrap_or(0)).or_default() += 1;
                while counts.hours.len() > HOURS {
                    counts.hours.pop_first();
                }
            }
            Kind::Ended { journey, outcome, .. } => {
                let counts = entry(&mut self.journeys, journey);
                match outcome {
                    Outcome::Completed => counts.completed += 1,
                    Outcome::Exit | Outcome::Merged => counts.exited += 1,
                    Outcome::Goal => counts.converted += 1,
                }
            }
            Kind::Goal { journey, .. } => entry(&mut self.journeys, journey).goals += 1,
            Kind::Step { journey, step, went, to, .. } => {
                let edges = &mut entry(&mut self.journeys, journey).edges;
                *edges.entry((step.clone(), went.clone(), to.clone())).or_default() += 1;
            }
            Kind::Message(message) => {
                let state = match &message.outcome {
                    MessageOutcome::Sent => MessageState::Queued,
                    MessageOutcome::Suppressed { .. } => MessageState::Suppressed,
                    MessageOutcome::Held { .. } => MessageState::Held,
                    MessageOutcome::Failed { .. } => MessageState::Failed,
                };
                *entry(&mut self.messages, &message.channel).0.entry(state).or_default() += 1;
            }
            Kind::Audience { audience, entered, .. } => {
                let size = entry(&mut self.audiences, audience);
                *size = if *entered { *size + 1 } else { size.saturating_sub(1) };
            }
            Kind::Exposure { experiment, arm, .. } => *self.exposures.entry((experiment.clone(), arm.clone())).or_default() += 1,
            Kind::Rejected { .. } => self.rejected += 1,
            Kind::Merged { .. } => self.merges += 1,
            _ => {}
        }
    }

    pub(super) fn message_moved(&mut self, channel: &Text, from: MessageState, to: MessageState) {
        let counts = &mut entry(&mut self.messages, channel).0;
        if let Some(count) = counts.get_mut(&from) {
            *count = count.saturating_sub(1);
        }
        *counts.entry(to).or_default() += 1;
    }
}

/// The value under a name, without a copy of the name where it is known.
fn entry<'c, V: Default>(counts: &'c mut BTreeMap<Text, V>, name: &Text) -> &'c mut V {
    if !counts.contains_key(name) {
        counts.insert(name.clone(), V::default());
    }
    counts.get_mut(name).expect("it was just made sure of")
}

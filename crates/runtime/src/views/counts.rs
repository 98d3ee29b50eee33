//! How many went which way: per journey version, step and arm, per channel and state, per audience.
//!
//! Counted from decisions, so they are as exact as these. A handful of numbers per definition: they are
//! written whole with every checkpoint.

use super::{MessageState, whole};
use crate::checkpoint::SharedStore;
use faden_engine::decision::{Decision, Kind, MessageOutcome, Outcome};
use faden_engine::track::{Member, Move, Place};
use faden_model::{Text, Timestamp};
use faden_storage::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const KEY: &[u8] = b"counts";
const EVENTS_KEY: &[u8] = b"events";

/// All counts of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    pub journeys: BTreeMap<Text, JourneyCounts>,
    /// By channel; messages that no channel was left for stand under the empty name.
    pub messages: BTreeMap<Text, MessageCounts>,
    /// By `audience::key_of` the name.
    pub audiences: BTreeMap<u64, AudienceCounts>,
    /// Experiment, arm: profiles exposed.
    pub exposures: BTreeMap<(Text, Text), u64>,
    /// Experiment, arm: goals that passages of this arm reached.
    pub conversions: BTreeMap<(Text, Text), u64>,
    /// Events that were applied, each once; stored beside the others, of which older stores have no more.
    #[serde(skip)]
    pub events: u64,
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
    /// Version to its ways.
    pub versions: BTreeMap<u64, Ways>,
}

/// From, to, by which condition, arm or outcome: how often. See [`Move`] for ways from and to places that
/// are no steps.
pub type Ways = BTreeMap<(Place, Place, Text), u64>;

/// How many are in an audience.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceCounts {
    pub size: u64,
    /// Hour since 1970 to the size at its last change, the last [`SIZES`] of them.
    pub hours: BTreeMap<u64, u64>,
}

/// How many messages are in each state now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCounts(pub BTreeMap<MessageState, u64>);

/// Hours of which entries are kept.
const HOURS: usize = 48;
/// Hours of which an audience's size is kept.
const SIZES: usize = 24 * 14;

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

    /// People who are inside one version now.
    pub fn running_in(&self, version: u64) -> u64 {
        let Some(ways) = self.versions.get(&version) else { return 0 };
        let (mut came, mut left) = (0, 0);
        for ((from, to, _), count) in ways {
            match (from, to) {
                (Place::Entry, Place::End | Place::Out) => left += count,
                (Place::Entry, Place::Entry) => {}
                (Place::Entry, _) | (Place::Out, Place::Entry) => came += count,
                _ => {}
            }
        }
        u64::saturating_sub(came, left)
    }
}

/// How many came to a step and how many left it, in whatever way.
pub fn through(ways: &Ways, step: u16) -> (u64, u64) {
    let here = Place::Step(step);
    ways.iter().fold((0, 0), |(came, left), ((from, to, _), count)| {
        (came + if *to == here { *count } else { 0 }, left + if *from == here { *count } else { 0 })
    })
}

impl Counts {
    pub(super) fn load(store: &SharedStore) -> Option<Counts> {
        let mut counts: Counts = whole(store, KEY)?;
        if let Some(bytes) = store.value(Table::Meta, EVENTS_KEY) {
            counts.events = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(counts)
    }

    pub(super) fn write(&self, batch: &mut Batch) {
        batch.put(Table::Meta, EVENTS_KEY, &self.events.to_le_bytes());
        batch.put(Table::Meta, KEY, &postcard::to_stdvec(self).expect("counts have no unserialisable part"));
    }

    pub(super) fn follow(&mut self, decision: &Decision) {
        self.decisions += 1;
        match &decision.kind {
            Kind::Enrolled { journey, .. } => {
                let counts = entry(&mut self.journeys, journey);
                counts.entered += 1;
                *counts.hours.entry(hour(decision.at)).or_default() += 1;
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
            Kind::Message(message) => {
                let state = match &message.outcome {
                    MessageOutcome::Sent => MessageState::Queued,
                    MessageOutcome::Suppressed { .. } => MessageState::Suppressed,
                    MessageOutcome::Held { .. } => MessageState::Held,
                    MessageOutcome::Failed { .. } => MessageState::Failed,
                };
                *entry(&mut self.messages, &message.channel).0.entry(state).or_default() += 1;
            }
            Kind::Exposure { experiment, arm, .. } => *self.exposures.entry((experiment.clone(), arm.clone())).or_default() += 1,
            Kind::Rejected { .. } => self.rejected += 1,
            Kind::Merged { .. } => self.merges += 1,
            _ => {}
        }
    }

    /// `journey` is the name of the move's journey.
    pub(super) fn moved(&mut self, journey: &Text, moved: Move) {
        let ways = entry(&mut self.journeys, journey).versions.entry(moved.version).or_default();
        *ways.entry((moved.from, moved.to, moved.went)).or_default() += 1;
    }

    pub(super) fn member(&mut self, member: &Member) {
        let counts = self.audiences.entry(member.audience).or_default();
        counts.size = if member.since.is_some() { counts.size + 1 } else { counts.size.saturating_sub(1) };
        counts.hours.insert(hour(member.at), counts.size);
        while counts.hours.len() > SIZES {
            counts.hours.pop_first();
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

/// Hours since 1970.
pub fn hour(at: Timestamp) -> u64 {
    u64::try_from(at.0 / 3_600_000).unwrap_or(0)
}

/// The value under a name, without a copy of the name where it is known.
fn entry<'c, V: Default>(counts: &'c mut BTreeMap<Text, V>, name: &Text) -> &'c mut V {
    if !counts.contains_key(name) {
        counts.insert(name.clone(), V::default());
    }
    counts.get_mut(name).expect("it was just made sure of")
}

//! What people look up later: what became of every message, where a customer's events stand in the log,
//! how many went which way.
//!
//! Views follow records and decisions and decide nothing. They are written with the checkpoint they belong
//! to, so after a crash the log brings them up to date together with everything else. Replays of files do
//! without them.

mod counts;
mod messages;
mod timeline;

pub use counts::{Counts, JourneyCounts, MessageCounts};
pub use messages::{MessageRow, MessageState, Moment};

use crate::checkpoint::SharedStore;
use faden_engine::decision::{Decision, Kind};
use faden_model::{MessageId, ProfileId, Report, Timestamp};
use faden_storage::{Batch, Position};
use messages::Messages;
use timeline::Timeline;

/// The views of one node.
#[derive(Default)]
pub struct Views {
    pub messages: Messages,
    pub counts: Counts,
    pub(crate) timeline: Timeline,
}

impl Views {
    /// Takes up what the store has.
    pub(crate) fn load(store: &SharedStore) -> Option<Views> {
        Some(Views { messages: Messages::load(store), counts: Counts::load(store)?, timeline: Timeline::default() })
    }

    pub(crate) fn event(&mut self, strand: ProfileId, position: Position) {
        self.timeline.note(strand, position);
    }

    pub(crate) fn decisions(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            if let Kind::Message(message) = &decision.kind {
                self.messages.decided(decision, message);
            }
            self.counts.follow(decision);
        }
    }

    pub(crate) fn report(&mut self, at: Timestamp, report: &Report, store: Option<&SharedStore>) {
        if let Some((channel, before, now)) = self.messages.report(at, report, store) {
            self.counts.message_moved(&channel, before, now);
        }
    }

    pub(crate) fn write(&mut self, batch: &mut Batch) {
        self.messages.write(batch);
        self.timeline.write(batch);
        self.counts.write(batch);
    }

    /// What is known of a message.
    pub fn message(&self, id: MessageId, store: Option<&SharedStore>) -> Option<MessageRow> {
        self.messages.row(id, store)
    }

    /// Positions of a strand's events in the log, oldest first.
    pub fn events_of(&self, strand: ProfileId, store: Option<&SharedStore>) -> Vec<Position> {
        self.timeline.of(strand, store)
    }
}

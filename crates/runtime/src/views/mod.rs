//! What people look up later: what became of every message, where a customer's events stand in the log,
//! how many went which way, who is where, and the words by which somebody is found.
//!
//! Views follow records and decisions and decide nothing. They are written with the checkpoint they belong
//! to, so after a crash the log brings them up to date together with everything else. Replays of files do
//! without them. Whoever reads takes what is in memory first and what the store has second: what a
//! checkpoint moves in between is then seen twice, never missed.

pub mod audiences;
pub mod consents;
mod counts;
pub mod decided;
mod exposures;
pub mod flow;
pub mod guarded;
pub mod ledger;
pub mod messages;
pub mod migrations;
pub mod search;
pub mod stats;
pub mod timeline;
pub mod waits;

pub use counts::{AudienceCounts, Counts, JourneyCounts, MessageCounts, Ways, hour, through};
pub use messages::{MessageRow, MessageState, Moment};

use crate::checkpoint::SharedStore;
use crate::partition::Partition;
use audiences::Audiences;
use consents::Consents;
use decided::Decided;
use exposures::Exposures;
use faden_engine::decision::{Decision, Kind};
use faden_engine::front::partition_of;
use faden_engine::profile::Profile;
use faden_engine::track::Track;
use faden_model::{Event, MessageId, ProfileId, Report, Text, Timestamp};
use faden_storage::{Batch, Position, Store, StoreError, Table};
use flow::Flow;
use guarded::Guarded;
use messages::Messages;
use migrations::Migrations;
use search::Search;
use serde::de::DeserializeOwned;
use stats::{AccountKey, Hours, StatsKey};
use timeline::Timeline;
use waits::Waits;

/// The views of one node.
pub struct Views {
    pub messages: Messages,
    pub counts: Counts,
    pub stats: Hours<StatsKey>,
    /// By the account that messages went by, and country.
    pub accounts: Hours<AccountKey>,
    pub waits: Waits,
    pub audiences: Audiences,
    pub consents: Consents,
    pub timeline: Timeline,
    pub decided: Decided,
    pub flow: Flow,
    pub migrations: Migrations,
    pub guarded: Guarded,
    pub(crate) search: Search,
    exposures: Exposures,
    /// Whose decision each of the node's unwritten ones is.
    whose: Vec<ProfileId>,
}

/// A profile in memory.
pub(crate) fn warm(partitions: &[Partition], id: ProfileId) -> Option<&Profile> {
    partitions[partition_of(id, partitions.len())].shard.profile(id)
}

/// What the store has whole under one key, a default where it has nothing yet; `None` where that cannot be read.
fn whole<T: Default + DeserializeOwned>(store: &SharedStore, key: &[u8]) -> Option<T> {
    store.value(Table::Meta, key).map_or_else(|| Some(T::default()), |bytes| postcard::from_bytes(&bytes).ok())
}

impl Views {
    /// Takes up what the store has.
    pub(crate) fn load(store: &SharedStore) -> Option<Views> {
        Some(Views {
            messages: Messages::load(store),
            counts: Counts::load(store)?,
            stats: Hours::load(store, stats::KINDS)?,
            accounts: Hours::load(store, stats::ACCOUNTS)?,
            waits: Waits::default(),
            audiences: Audiences::new(),
            consents: Consents::new(),
            timeline: Timeline::default(),
            decided: Decided::default(),
            flow: Flow::default(),
            migrations: Migrations::load(store)?,
            guarded: Guarded::load(store)?,
            search: Search::default(),
            exposures: Exposures::default(),
            whose: Vec::new(),
        })
    }

    pub(crate) fn event(&mut self, at: Timestamp, strand: ProfileId, position: Position, event: &Event<'_>) {
        self.counts.events += 1;
        self.timeline.note(strand, position);
        if !event.consents.is_empty() {
            self.consents.event(at, strand, position, event);
        }
    }

    pub(crate) fn decisions(&mut self, decisions: &[Decision], partitions: &[Partition], store: Option<&SharedStore>) {
        self.decided.note(decisions);
        for decision in decisions {
            self.whose.push(decision.profile);
            match &decision.kind {
                Kind::Message(message) => {
                    let profile = warm(partitions, decision.profile);
                    let country = profile.and_then(Profile::country).map(Text::new).unwrap_or_default();
                    let row = self.messages.decided(decision, message, country);
                    self.stats.count(stats::kind_of(row), row, None);
                }
                Kind::Audience { audience, entered, .. } => self.audiences.decided(decision, audience, *entered),
                Kind::Consent { purpose, channel, granted, cause } => {
                    self.consents.decided(decision, purpose, channel.as_ref(), *granted, cause);
                }
                Kind::Exposure { enrollment, experiment, arm } => self.exposures.note(*enrollment, experiment, arm),
                Kind::Goal { enrollment, .. } if !self.counts.exposures.is_empty() => {
                    let arms = self.exposures.of(*enrollment, store);
                    arms.into_iter().for_each(|arm| *self.counts.conversions.entry(arm).or_default() += 1);
                }
                Kind::Moved { undo, .. } => self.migrations.moved(*undo),
                // The loser is gone, and with him the words under which he was found.
                Kind::Merged { loser, .. } => {
                    self.search.note(*loser);
                    self.guarded.merged(*loser);
                }
                Kind::LeftOut { reason, .. } => self.guarded.left_out(decision, reason),
                _ => {}
            }
            self.counts.follow(decision);
        }
    }

    /// `name` gives the name of a journey by its key.
    pub(crate) fn track<'n>(&mut self, track: &mut Track, name: impl Fn(u64) -> Option<&'n Text>, store: Option<&SharedStore>) {
        track.learned.drain(..).for_each(|profile| self.search.note(profile));
        for member in track.members.drain(..) {
            self.audiences.member(&member);
            self.counts.member(&member);
        }
        for moved in track.moves.drain(..) {
            self.waits.follow(&moved);
            self.flow.follow(&moved, store);
            if let Some(journey) = name(moved.journey) {
                self.counts.moved(journey, moved);
            }
        }
    }

    pub(crate) fn report(&mut self, at: Timestamp, report: &Report, account: Option<&Text>, store: Option<&SharedStore>) {
        if let Some((row, before)) = self.messages.report(at, report, account, store) {
            self.counts.message_moved(&row.channel, before, row.state());
            self.stats.count(stats::kind_of(row), row, Some(before));
            if !row.account.is_empty() {
                // Until it went, no account had it.
                self.accounts.count(stats::account_of(row), row, Some(before).filter(|before| *before != MessageState::Queued));
            }
        }
    }

    /// Places of these profiles' decisions among the node's unwritten ones, in their order.
    pub(crate) fn decided_by(&self, profiles: &[ProfileId]) -> Vec<usize> {
        let of = |(_, profile): &(usize, &ProfileId)| profiles.contains(profile);
        self.whose.iter().enumerate().filter(of).map(|(place, _)| place).collect()
    }

    /// Takes what the store does not know yet at a checkpoint, of which clock and place in the log are given;
    /// counts are small and written at once.
    pub(crate) fn cut(&mut self, (at, position): (Timestamp, Position), batch: &mut Batch) -> ViewsCut {
        self.whose.clear();
        self.counts.write(batch);
        self.stats.write(batch);
        self.accounts.write(batch);
        self.migrations.write(batch);
        self.guarded.write(batch);
        let hour = counts::hour(at);
        ViewsCut {
            position,
            sweep_moves: self.flow.write(hour, batch).then_some(hour),
            decided: self.decided.take(),
            messages: self.messages.take(),
            waits: std::mem::take(&mut self.waits),
            audiences: self.audiences.take(),
            consents: self.consents.take(),
            timeline: std::mem::take(&mut self.timeline),
            search: self.search.take(at),
            exposures: std::mem::take(&mut self.exposures),
        }
    }

    /// What is known of a message.
    pub fn message(&self, id: MessageId, store: Option<&SharedStore>) -> Option<MessageRow> {
        self.messages.row(id, store)
    }
}

/// What the views had to write at a checkpoint.
pub(crate) struct ViewsCut {
    position: Position,
    /// The hour it is, where rows of hours long past have to go.
    sweep_moves: Option<u64>,
    decided: Decided,
    messages: Messages,
    waits: Waits,
    audiences: Audiences,
    consents: Consents,
    timeline: Timeline,
    search: Search,
    exposures: Exposures,
}

impl ViewsCut {
    /// `profile` gives a profile as the checkpoint has it, `store` is as the checkpoint before left it.
    pub(crate) fn write<'p>(
        self,
        profile: impl Fn(ProfileId) -> Option<&'p Profile>,
        store: &dyn Store,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        self.decided.write(self.position, batch);
        if let Some(hour) = self.sweep_moves {
            flow::sweep(hour, store, batch)?;
        }
        self.messages.write(batch);
        self.timeline.write(batch);
        self.waits.write(batch);
        self.audiences.write(batch);
        self.consents.write(batch);
        self.exposures.write(batch);
        self.search.write(profile, store, batch)
    }
}

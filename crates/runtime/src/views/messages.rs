//! What became of every message: a row each, which receipts move on, and the queue of those that must go out.

use crate::checkpoint::{SharedStore, born_key, born_of_key, time_key, time_of_key};
use faden_engine::decision::{Decision, Message, MessageOutcome};
use faden_model::id::Born;
use faden_model::{EnrollmentId, MessageId, ProfileId, Receipt, Report, Text, Timestamp};
use faden_storage::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Version of the stored form of a row.
const ROW_VERSION: u8 = 3;
/// The version before, whose rows end before the account.
const ROW_VERSION_BEFORE: u8 = 2;

/// Receipts that may be late or come twice: so many states of a message are kept.
const MOMENTS_MAX: usize = 16;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MessageState {
    Suppressed,
    Held,
    Queued,
    Sent,
    Delivered,
    Read,
    Failed,
}

/// A message reached a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub state: MessageState,
    pub at: Timestamp,
    /// The provider's code, or the rule.
    pub code: Text,
}

/// One message and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    pub at: Timestamp,
    pub profile: ProfileId,
    pub user_id: Text,
    pub enrollment: EnrollmentId,
    pub journey: Text,
    pub step: Text,
    pub template: Text,
    pub purpose: Text,
    pub channel: Text,
    pub address: Text,
    pub provider_id: Text,
    /// Where the customer lived when it was decided; empty where that was not known.
    pub country: Text,
    pub until: Option<Timestamp>,
    /// In the order in which they were learned; never empty.
    pub moments: Vec<Moment>,
    /// The account that it went by; empty before, and where nobody wrote it down.
    pub account: Text,
}

/// Rows that changed since the last checkpoint, and what waits to go out.
#[derive(Default)]
pub struct Messages {
    changed: BTreeMap<MessageId, MessageRow>,
    /// Decided and not yet taken by whoever sends.
    fresh: Vec<MessageId>,
    /// Changes of outbox rows since the last checkpoint: must go out, or is done.
    outbox: BTreeMap<MessageId, bool>,
    by_provider: BTreeMap<Text, MessageId>,
    /// Messages that must go out and have not.
    pub open: u64,
}

impl MessageState {
    /// As the API and the metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            MessageState::Suppressed => "suppressed",
            MessageState::Held => "held",
            MessageState::Queued => "queued",
            MessageState::Sent => "sent",
            MessageState::Delivered => "delivered",
            MessageState::Read => "read",
            MessageState::Failed => "failed",
        }
    }
}

impl MessageRow {
    /// The furthest state: a receipt that overtook another one does not take it back.
    pub fn state(&self) -> MessageState {
        self.last().state
    }

    /// The moment of the furthest state.
    pub fn last(&self) -> &Moment {
        self.moments.iter().max_by_key(|moment| moment.state).expect("a row begins with a moment")
    }

    fn decided(decision: &Decision, message: &Message, country: Text) -> MessageRow {
        let (state, code, until) = match &message.outcome {
            MessageOutcome::Sent => (MessageState::Queued, Text::default(), None),
            MessageOutcome::Suppressed { rule } => (MessageState::Suppressed, rule.clone(), None),
            MessageOutcome::Held { until, rule } => (MessageState::Held, rule.clone(), Some(*until)),
            MessageOutcome::Failed { reason } => (MessageState::Failed, reason.clone(), None),
        };
        MessageRow {
            at: decision.at,
            profile: decision.profile,
            user_id: decision.user_id.clone(),
            enrollment: message.enrollment,
            journey: message.journey.clone(),
            step: message.step.clone(),
            template: message.template.clone(),
            purpose: message.purpose.clone(),
            channel: message.channel.clone(),
            address: message.address.clone(),
            provider_id: Text::default(),
            country,
            until,
            moments: vec![Moment { state, at: decision.at, code }],
            account: Text::default(),
        }
    }

    /// Reads a stored row.
    pub fn decode(bytes: &[u8]) -> Option<MessageRow> {
        match bytes.split_first() {
            Some((&ROW_VERSION, rest)) => postcard::from_bytes(rest).ok(),
            // An empty text is one byte: its length.
            Some((&ROW_VERSION_BEFORE, rest)) => postcard::from_bytes(&[rest, &[0]].concat()).ok(),
            _ => None,
        }
    }
}

impl Messages {
    /// Everything that must go out and has not.
    pub(super) fn load(store: &SharedStore) -> Messages {
        let mut messages = Messages::default();
        store.each(Table::Outbox, |key, _| messages.fresh.extend(born_of_key(key).map(MessageId)));
        messages.open = messages.fresh.len() as u64;
        messages
    }

    /// Gives the new row.
    pub(super) fn decided(&mut self, decision: &Decision, message: &Message, country: Text) -> &MessageRow {
        let row = MessageRow::decided(decision, message, country);
        if row.state() == MessageState::Queued {
            self.fresh.push(message.id);
            self.outbox.insert(message.id, true);
            self.open += 1;
        }
        self.changed.entry(message.id).insert_entry(row).into_mut()
    }

    /// A receipt, by an account where it is known: gives the row and the state before, where something changed.
    pub(super) fn report(
        &mut self,
        at: Timestamp,
        report: &Report,
        account: Option<&Text>,
        store: Option<&SharedStore>,
    ) -> Option<(&MessageRow, MessageState)> {
        let state = match report.receipt {
            Receipt::Failed if report.withheld => MessageState::Suppressed,
            Receipt::Failed => MessageState::Failed,
            Receipt::Sent => MessageState::Sent,
            Receipt::Delivered => MessageState::Delivered,
            Receipt::Read => MessageState::Read,
        };
        let mut row = self.row(report.message, store)?;
        let before = row.state();
        if row.moments.iter().any(|moment| moment.state == state) || row.moments.len() >= MOMENTS_MAX {
            return None;
        }
        if before == MessageState::Queued {
            self.outbox.insert(report.message, false);
            self.open = self.open.saturating_sub(1);
            if state == MessageState::Suppressed {
                // It never was on its way: the queue is no state of its own any more.
                row.moments.clear();
            }
        }
        row.moments.push(Moment { state, at, code: report.code.clone() });
        if before == MessageState::Queued {
            row.account = account.cloned().unwrap_or_default();
        }
        if !report.provider_id.is_empty() {
            row.provider_id = report.provider_id.clone();
            self.by_provider.insert(provider_key(&row.channel, &report.provider_id), report.message);
        }
        Some((self.changed.entry(report.message).insert_entry(row).into_mut(), before))
    }

    pub fn row(&self, id: MessageId, store: Option<&SharedStore>) -> Option<MessageRow> {
        self.changed.get(&id).cloned().or_else(|| stored(store?, id))
    }

    /// The message that a provider calls by this name.
    pub fn of_provider(&self, channel: &str, provider_id: &str, store: Option<&SharedStore>) -> Option<MessageId> {
        let key = provider_key(channel, provider_id);
        let stored = || store.and_then(|store| store.value(Table::MessagesByProvider, key.as_bytes())).and_then(|id| born_of_key(&id));
        self.by_provider.get(&key).copied().or_else(|| stored().map(MessageId))
    }

    /// Every message that must go out and has not, with its channel.
    pub fn open(&self, store: &SharedStore) -> Vec<(Text, MessageId)> {
        let mut open: Vec<MessageId> = Vec::new();
        store.each(Table::Outbox, |key, _| open.extend(born_of_key(key).map(MessageId)));
        open.retain(|id| self.outbox.get(id) != Some(&false));
        open.extend(self.outbox.iter().filter(|(_, open)| **open).map(|(id, _)| *id));
        open.sort_unstable();
        open.dedup();
        open.into_iter().filter_map(|id| Some((self.row(id, Some(store))?.channel, id))).collect()
    }

    /// Messages that must go out, each given once; after a restart all that have not.
    pub fn take_fresh(&mut self) -> Vec<MessageId> {
        std::mem::take(&mut self.fresh)
    }

    /// Rows in memory before `until`, newest first, `count` at most; see [`newest`].
    pub fn unsaved(&self, until: Option<Place>, count: usize) -> Vec<(MessageId, MessageRow)> {
        let mut places: Vec<Place> = self.changed.iter().map(|(id, row)| (row.at, *id)).collect();
        places.retain(|place| until.is_none_or(|until| *place < until));
        places.sort_unstable_by(|one, next| next.cmp(one));
        places.into_iter().take(count).filter_map(|(_, id)| Some((id, self.changed.get(&id)?.clone()))).collect()
    }

    /// Rows in memory of messages that were born under these profiles.
    pub fn unsaved_of(&self, profiles: &[ProfileId]) -> Vec<(MessageId, MessageRow)> {
        let born = |under: ProfileId, count: u32| MessageId(Born { under, count });
        let rows = profiles.iter().flat_map(|under| self.changed.range(born(*under, 0)..=born(*under, u32::MAX)));
        rows.map(|(id, row)| (*id, row.clone())).collect()
    }

    /// What the store does not know yet, for [`Messages::write`].
    pub(super) fn take(&mut self) -> Messages {
        Messages {
            changed: std::mem::take(&mut self.changed),
            outbox: std::mem::take(&mut self.outbox),
            by_provider: std::mem::take(&mut self.by_provider),
            ..Messages::default()
        }
    }

    pub(super) fn write(self, batch: &mut Batch) {
        for (id, row) in self.changed {
            let key = born_key(id.0);
            batch.put_with(Table::Messages, &key, |bytes| {
                bytes.push(ROW_VERSION);
                let taken = std::mem::take(bytes);
                *bytes = postcard::to_extend(&row, taken).expect("a row has no unserialisable part");
            });
            batch.put(Table::MessagesByTime, &time_key(row.at, &key), &[]);
        }
        for (id, open) in self.outbox {
            if open {
                batch.put(Table::Outbox, &born_key(id.0), &[]);
            } else {
                batch.delete(Table::Outbox, &born_key(id.0));
            }
        }
        for (key, id) in self.by_provider {
            batch.put(Table::MessagesByProvider, key.as_bytes(), &born_key(id.0));
        }
    }
}

/// When a message was decided, and which: what orders lists of messages.
pub type Place = (Timestamp, MessageId);

/// The row that the store has.
pub fn stored(store: &SharedStore, id: MessageId) -> Option<MessageRow> {
    store.value(Table::Messages, &born_key(id.0)).and_then(|bytes| MessageRow::decode(&bytes))
}

/// The newest messages before `until`, newest first, `count` at most; `unsaved` are the rows in memory.
pub fn newest(
    store: &SharedStore,
    unsaved: Vec<(MessageId, MessageRow)>,
    until: Option<Place>,
    count: usize,
) -> Vec<(MessageId, MessageRow)> {
    let mut found: BTreeMap<Place, Option<MessageRow>> = unsaved.into_iter().map(|(id, row)| ((row.at, id), Some(row))).collect();
    let end = until.map(|(at, id)| time_key(at, &born_key(id.0)));
    let mut read = 0;
    store.back(Table::MessagesByTime, &[], end.as_deref().unwrap_or_default(), &mut |key, _| {
        let place = time_of_key(key).zip(key.get(8..).and_then(born_of_key)).map(|(at, id)| (at, MessageId(id)));
        if let Some(place) = place {
            found.entry(place).or_insert(None);
        }
        read += 1;
        if read < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let newest = found.into_iter().rev().take(count);
    newest.filter_map(|((_, id), known)| Some((id, known.or_else(|| stored(store, id))?))).collect()
}

/// All messages that were born under these profiles, newest first; `unsaved` are the rows in memory.
pub fn of_profiles(store: &SharedStore, unsaved: Vec<(MessageId, MessageRow)>, profiles: &[ProfileId]) -> Vec<(MessageId, MessageRow)> {
    let mut found: BTreeMap<MessageId, MessageRow> = BTreeMap::new();
    for profile in profiles {
        store.range(Table::Messages, &profile.0.to_be_bytes(), &(profile.0 + 1).to_be_bytes(), &mut |key, bytes| {
            found.extend(born_of_key(key).map(MessageId).zip(MessageRow::decode(bytes)));
            ControlFlow::Continue(())
        });
    }
    found.extend(unsaved);
    let mut found: Vec<(MessageId, MessageRow)> = found.into_iter().collect();
    found.sort_by_key(|(id, row)| std::cmp::Reverse((row.at, *id)));
    found
}

fn provider_key(channel: &str, provider_id: &str) -> Text {
    Text::from(format!("{channel}:{provider_id}"))
}

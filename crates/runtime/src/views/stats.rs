//! Messages by the hour in which they were decided: by channel, template and country, in each state.

use super::counts::hour;
use super::{MessageCounts, MessageRow, MessageState};
use crate::checkpoint::{SharedStore, number};
use faden_model::Text;
use faden_storage::{Batch, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

const PREFIX: &[u8] = b"stats/";
/// Hours that are kept: two weeks.
const HOURS: u64 = 24 * 14;

/// Channel, template, country.
type Key = (Text, Text, Text);
/// What was counted in one hour.
pub type Hour = BTreeMap<Key, MessageCounts>;

/// Hours since 1970 with their counts.
#[derive(Default)]
pub struct Stats {
    hours: BTreeMap<u64, Hour>,
    changed: BTreeSet<u64>,
}

impl Stats {
    pub(super) fn load(store: &SharedStore) -> Option<Stats> {
        let mut stats = Stats::default();
        let mut whole = true;
        store.range(Table::Meta, PREFIX, b"stats0", &mut |key, value| {
            let read = number(&key[PREFIX.len()..]).zip(postcard::from_bytes(value).ok());
            whole &= read.is_some();
            stats.hours.extend(read);
            ControlFlow::Continue(())
        });
        whole.then_some(stats)
    }

    /// The message is in its state now, and was in `before`.
    pub(super) fn count(&mut self, row: &MessageRow, before: Option<MessageState>) {
        let at = hour(row.at);
        self.changed.insert(at);
        let counts = self.hours.entry(at).or_default();
        let counts = &mut counts.entry((row.channel.clone(), row.template.clone(), row.country.clone())).or_default().0;
        if let Some(count) = before.and_then(|before| counts.get_mut(&before)) {
            *count = count.saturating_sub(1);
        }
        *counts.entry(row.state()).or_default() += 1;
    }

    /// The last `count` hours up to and with `last`.
    pub fn last(&self, last: u64, count: u64) -> impl Iterator<Item = &Hour> {
        self.hours.range((last + 1).saturating_sub(count)..=last).map(|(_, hour)| hour)
    }

    pub(super) fn write(&mut self, batch: &mut Batch) {
        let newest = self.hours.keys().next_back().copied().unwrap_or_default();
        let key = |hour: u64| [PREFIX, &hour.to_be_bytes()].concat();
        for hour in std::mem::take(&mut self.changed) {
            if let Some(counts) = self.hours.get(&hour) {
                batch.put(Table::Meta, &key(hour), &postcard::to_stdvec(counts).expect("counts have no unserialisable part"));
            }
        }
        while let Some(oldest) = self.hours.keys().next().copied().filter(|oldest| oldest + HOURS < newest) {
            self.hours.remove(&oldest);
            batch.delete(Table::Meta, &key(oldest));
        }
    }
}

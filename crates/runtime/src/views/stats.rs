//! Messages by the hour in which they were decided: by channel, template and country, and by account and country,
//! in each state.

use super::counts::hour;
use super::{MessageCounts, MessageRow, MessageState};
use crate::checkpoint::{SharedStore, number};
use faden_model::Text;
use faden_storage::{Batch, Table};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Where the hours by channel, template and country stand, and where those by account.
pub(super) const KINDS: &str = "stats/";
pub(super) const ACCOUNTS: &str = "accounts/";
/// Hours that are kept: two weeks.
const HOURS: u64 = 24 * 14;

/// Channel, template, country.
pub type StatsKey = (Text, Text, Text);
/// Account, country.
pub type AccountKey = (Text, Text);
/// What was counted in one hour.
pub type Hour<K> = BTreeMap<K, MessageCounts>;

/// Hours since 1970 with their counts.
pub struct Hours<K> {
    prefix: &'static str,
    hours: BTreeMap<u64, Hour<K>>,
    changed: BTreeSet<u64>,
}

pub(super) fn kind_of(row: &MessageRow) -> StatsKey {
    (row.channel.clone(), row.template.clone(), row.country.clone())
}

pub(super) fn account_of(row: &MessageRow) -> AccountKey {
    (row.account.clone(), row.country.clone())
}

impl<K: Ord + Serialize + DeserializeOwned> Hours<K> {
    /// What the store has under `prefix`, which ends with `/`.
    pub(super) fn load(store: &SharedStore, prefix: &'static str) -> Option<Hours<K>> {
        let mut loaded = Hours { prefix, hours: BTreeMap::new(), changed: BTreeSet::new() };
        let mut whole = true;
        // `0` follows `/`.
        let end = prefix.replace('/', "0");
        store.range(Table::Meta, prefix.as_bytes(), end.as_bytes(), &mut |key, value| {
            let read = number(&key[prefix.len()..]).zip(postcard::from_bytes(value).ok());
            whole &= read.is_some();
            loaded.hours.extend(read);
            ControlFlow::Continue(())
        });
        whole.then_some(loaded)
    }

    /// The message, which counts under `key`, is in its state now, and was in `before`.
    pub(super) fn count(&mut self, key: K, row: &MessageRow, before: Option<MessageState>) {
        let at = hour(row.at);
        self.changed.insert(at);
        let counts = &mut self.hours.entry(at).or_default().entry(key).or_default().0;
        if let Some(count) = before.and_then(|before| counts.get_mut(&before)) {
            *count = count.saturating_sub(1);
        }
        *counts.entry(row.state()).or_default() += 1;
    }

    /// The last `count` hours up to and with `last`, each with its number.
    pub fn last(&self, last: u64, count: u64) -> impl Iterator<Item = (u64, &Hour<K>)> + Clone {
        self.hours.range((last + 1).saturating_sub(count)..=last).map(|(hour, counts)| (*hour, counts))
    }

    pub(super) fn write(&mut self, batch: &mut Batch) {
        let newest = self.hours.keys().next_back().copied().unwrap_or_default();
        let key = |hour: u64| [self.prefix.as_bytes(), &hour.to_be_bytes()].concat();
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

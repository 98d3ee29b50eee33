//! What each source sends: how much, when, which events, and what they look like.
//!
//! Kept in memory since the process started; `since` says so. Names and forms are counted from samples, as
//! looking at every event would cost intake more than it is worth.

use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Names of events that are followed for each source.
const NAMES_MAX: usize = 500;
/// Properties that are followed for each name.
const PROPERTIES_MAX: usize = 200;
/// Minutes of volume that are kept for each source.
const MINUTES_KEPT: i64 = 24 * 60;
/// So many events are looked at all; later ones by one in [`SAMPLED_ONE_IN`].
const SAMPLED_FIRST: u64 = 2_000;
const SAMPLED_ONE_IN: u64 = 32;

/// What came from one source.
#[derive(Clone, Debug, Default)]
pub struct SourceCounts {
    pub events: u64,
    pub refused: u64,
    pub first_at: i64,
    pub last_at: i64,
    /// Minute since 1970 to events; silent minutes are not there.
    pub minutes: BTreeMap<i64, u64>,
    pub names: BTreeMap<String, NameCounts>,
}

/// What is known of the events of one name.
#[derive(Clone, Debug, Default)]
pub struct NameCounts {
    pub count: u64,
    pub last_at: i64,
    /// Events that were looked at.
    pub sampled: u64,
    pub properties: BTreeMap<String, PropertyCounts>,
}

/// What is known of one property.
#[derive(Clone, Debug, Default)]
pub struct PropertyCounts {
    /// `text`, `number`, ...
    pub types: BTreeSet<&'static str>,
    /// How many of the sampled events have it.
    pub seen: u64,
}

/// What one call brought.
pub struct Brought<'c> {
    /// Names of taken events.
    pub names: &'c [String],
    /// Name and properties of some of them.
    pub samples: &'c [(String, String)],
    pub refused: u64,
}

/// All sources of one process.
#[derive(Default)]
pub struct Sources {
    counts: Mutex<BTreeMap<String, SourceCounts>>,
    events: AtomicU64,
}

impl Sources {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, SourceCounts>> {
        self.counts.lock().expect("no holder of this lock panics")
    }

    /// Whether the next event is to be looked at; counts it.
    pub fn wants_sample(&self) -> bool {
        let number = self.events.fetch_add(1, Ordering::Relaxed);
        number < SAMPLED_FIRST || number.is_multiple_of(SAMPLED_ONE_IN)
    }

    pub fn took(&self, source: &str, brought: &Brought<'_>, now_ms: i64) {
        let mut all = self.counts();
        if !all.contains_key(source) {
            all.insert(source.to_owned(), SourceCounts { first_at: now_ms, ..SourceCounts::default() });
        }
        let Some(counts) = all.get_mut(source) else { return };
        for name in brought.names {
            if let Some(known) = counts.names.get_mut(name) {
                (known.count, known.last_at) = (known.count + 1, now_ms);
            } else if counts.names.len() < NAMES_MAX {
                counts.names.insert(name.clone(), NameCounts { count: 1, last_at: now_ms, ..NameCounts::default() });
            }
        }
        for (name, properties) in brought.samples {
            if let Some(known) = counts.names.get_mut(name) {
                known.sample(properties);
            }
        }
        let taken = brought.names.len() as u64;
        counts.events += taken;
        counts.refused += brought.refused;
        counts.last_at = now_ms;
        let minute = now_ms / 60_000;
        *counts.minutes.entry(minute).or_default() += taken;
        while counts.minutes.first_key_value().is_some_and(|(oldest, _)| *oldest <= minute - MINUTES_KEPT) {
            counts.minutes.pop_first();
        }
    }

    pub fn all(&self) -> BTreeMap<String, SourceCounts> {
        self.counts().clone()
    }

    /// What [`crate::watch`] finds, by source.
    pub fn watched(&self, now_ms: i64) -> Vec<(String, crate::watch::Finding)> {
        self.counts().iter().filter_map(|(name, counts)| Some((name.clone(), crate::watch::look(counts, now_ms)?))).collect()
    }
}

impl NameCounts {
    fn sample(&mut self, properties: &str) {
        let Ok(members) = serde_json::from_str::<BTreeMap<&str, &RawValue>>(properties) else { return };
        self.sampled += 1;
        for (name, value) in members {
            if !self.properties.contains_key(name) && self.properties.len() >= PROPERTIES_MAX {
                continue;
            }
            let known = self.properties.entry(name.to_owned()).or_default();
            known.seen += 1;
            known.types.insert(type_of(value.get()));
        }
    }
}

/// The type of a JSON text by its first character, as the tracking plan names types.
fn type_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => match serde_json::from_str(json) {
            Ok(Value::String(text)) if faden_model::Timestamp::parse(&text).is_ok() => "time",
            _ => "text",
        },
        Some(b't' | b'f') => "boolean",
        Some(b'[') => "list",
        Some(b'{') => "map",
        Some(b'n') => "null",
        _ => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_known_by_type_and_share() {
        let sources = Sources::default();
        let names = ["Cart".to_owned(), "Cart".to_owned()];
        let samples = [
            ("Cart".to_owned(), r#"{"value": 1.5, "items": [1], "at": "2026-03-01T10:00:00Z"}"#.to_owned()),
            ("Cart".to_owned(), r#"{"value": "2", "gift": true, "meta": {}, "none": null}"#.to_owned()),
        ];
        sources.took("shop", &Brought { names: &names, samples: &samples, refused: 1 }, 60_000);
        let counts = sources.all().remove("shop").expect("it is known");
        assert_eq!((counts.events, counts.refused, counts.minutes), (2, 1, BTreeMap::from([(1, 2)])));
        let found: Vec<String> =
            counts.names["Cart"].properties.iter().map(|(name, of)| format!("{name} {} {:?}", of.seen, of.types)).collect();
        let wanted = [
            r#"at 1 {"time"}"#,
            r#"gift 1 {"boolean"}"#,
            r#"items 1 {"list"}"#,
            r#"meta 1 {"map"}"#,
            r#"none 1 {"null"}"#,
            r#"value 2 {"number", "text"}"#,
        ];
        assert_eq!(found, wanted);
    }
}

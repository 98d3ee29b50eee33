//! What can react to what: so that an event touches only the definitions that could care.

use super::Definitions;
use crate::audience::{Aggregate, Audience, ComputedTrait};
use crate::front::START;
use crate::journey::{Entry, JourneyVersion};
use faden_model::Text;
use faden_model::condition::{Attribute, Expression, Root};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Published definitions with their look-up tables. Keeps older journey versions that somebody is still in.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub definitions: Arc<Definitions>,
    /// By name of the event.
    events: BTreeMap<Text, Reactions>,
    /// By what a condition reads: see [`dependency`].
    readers: BTreeMap<Text, Vec<usize>>,
    traits: BTreeMap<Text, usize>,
    traits_by_key: BTreeMap<u64, usize>,
    audiences: BTreeMap<u64, usize>,
    /// Entries by audience change.
    audience_entries: BTreeMap<u64, Vec<(usize, usize)>>,
    current: BTreeMap<u64, usize>,
    versions: BTreeMap<(u64, u64), Arc<JourneyVersion>>,
    /// Whether an audience reads when a profile was last seen, which changes with every event.
    pub reads_last_seen: bool,
    /// Audiences whose members must be listed, for broadcasts and schedules.
    pub listed: Vec<u64>,
}

/// What an event of one name can set off.
#[derive(Clone, Debug, Default)]
pub struct Reactions {
    /// Indices of computed traits that count it.
    pub counts: Vec<usize>,
    /// Indices of sequence traits that it follows in.
    pub follows: Vec<usize>,
    /// (journey, entry), in the order of journeys.
    pub entries: Vec<(usize, usize)>,
    /// (journey, entry) of broadcasts that it starts.
    pub broadcasts: Vec<(usize, usize)>,
}

impl Index {
    /// Indexes new definitions; `older` gives the journey versions that may still be running.
    pub fn new(definitions: Arc<Definitions>, older: Option<&Index>) -> Index {
        let mut index = Index { definitions: definitions.clone(), ..Index::default() };
        if let Some(older) = older {
            index.versions = older.versions.clone();
        }
        for (at, plan) in definitions.traits.iter().enumerate() {
            index.traits.insert(plan.name.clone(), at);
            index.traits_by_key.insert(plan.key, at);
            index.events.entry(plan.event.clone()).or_default().counts.push(at);
            if let Aggregate::Sequence { then, .. } = &plan.aggregate {
                index.events.entry(then.clone()).or_default().follows.push(at);
            }
        }
        for (at, audience) in definitions.audiences.iter().enumerate() {
            index.audiences.insert(audience.key, at);
            for name in dependencies(&audience.condition) {
                let readers = index.readers.entry(name).or_default();
                if readers.last() != Some(&at) {
                    readers.push(at);
                }
            }
        }
        for (at, journey) in definitions.journeys.iter().enumerate() {
            index.current.insert(journey.key, at);
            index.versions.insert((journey.key, journey.version), journey.clone());
            for (number, entry) in journey.entries.iter().enumerate() {
                index.add_entry(at, number, entry);
            }
        }
        index.reads_last_seen = !index.readers("last_seen_at").is_empty();
        index.listed.sort_unstable();
        index.listed.dedup();
        index
    }

    fn add_entry(&mut self, journey: usize, number: usize, entry: &Entry) {
        match entry {
            Entry::Event { event, .. } => self.events.entry(event.clone()).or_default().entries.push((journey, number)),
            Entry::Audience { audience, .. } => self.audience_entries.entry(*audience).or_default().push((journey, number)),
            Entry::Broadcast { event, audience, .. } => {
                self.events.entry(event.clone()).or_default().broadcasts.push((journey, number));
                self.listed.push(*audience);
            }
            Entry::Schedule(schedule) => self.listed.push(schedule.audience),
            Entry::Api => self.events.entry(Text::const_new(START)).or_default().entries.push((journey, number)),
        }
    }

    pub fn reactions(&self, event: &str) -> Option<&Reactions> {
        self.events.get(event)
    }

    /// Whether any audience reads anything of a profile.
    pub fn has_readers(&self) -> bool {
        !self.readers.is_empty()
    }

    /// The audiences that read this, in the order of their evaluation.
    pub fn readers(&self, dependency: &str) -> &[usize] {
        self.readers.get(dependency).map_or(&[], Vec::as_slice)
    }

    pub fn computed_trait(&self, name: &str) -> Option<&ComputedTrait> {
        self.traits.get(name).map(|at| &self.definitions.traits[*at])
    }

    pub fn computed_trait_by_key(&self, key: u64) -> Option<&ComputedTrait> {
        self.traits_by_key.get(&key).map(|at| &self.definitions.traits[*at])
    }

    pub fn audience(&self, key: u64) -> Option<&Audience> {
        self.audiences.get(&key).map(|at| &self.definitions.audiences[*at])
    }

    pub fn audience_at(&self, key: u64) -> Option<usize> {
        self.audiences.get(&key).copied()
    }

    pub fn audience_name(&self, key: u64) -> Option<&str> {
        self.audience(key).map(|audience| audience.name.as_str())
    }

    pub fn audience_entries(&self, key: u64) -> &[(usize, usize)] {
        self.audience_entries.get(&key).map_or(&[], Vec::as_slice)
    }

    pub fn journey(&self, at: usize) -> &Arc<JourneyVersion> {
        &self.definitions.journeys[at]
    }

    pub fn current(&self, journey: u64) -> Option<&Arc<JourneyVersion>> {
        self.current.get(&journey).map(|at| &self.definitions.journeys[*at])
    }

    pub fn version(&self, journey: u64, version: u64) -> Option<&Arc<JourneyVersion>> {
        self.versions.get(&(journey, version))
    }

    pub fn journey_name(&self, journey: u64) -> Option<&str> {
        self.current(journey).map(|journey| journey.name.as_str())
    }

    /// Every version of a journey that is known, current or older.
    pub fn versions_of(&self, journey: u64) -> impl Iterator<Item = &Arc<JourneyVersion>> {
        self.versions.range((journey, 0)..=(journey, u64::MAX)).map(|(_, version)| version)
    }
}

/// What must change for a condition over the profile to be looked at again.
fn dependencies(condition: &Expression) -> Vec<Text> {
    condition.attributes().iter().filter(|attribute| attribute.root == Root::Profile).map(dependency).collect()
}

/// `profile.traits.x.y` is `traits.x`; all else is the first part of its path.
fn dependency(attribute: &Attribute) -> Text {
    match attribute.path.as_slice() {
        [first, name, ..] if first == "traits" => trait_dependency(name),
        [first, ..] => first.clone(),
        [] => Text::default(),
    }
}

/// The dependency of everything that reads this trait.
pub fn trait_dependency(name: &str) -> Text {
    let mut text = Text::const_new("traits.");
    text.push_str(name);
    text
}

//! What the files of a workspace know of each other: names, before anything is checked in depth.

use super::settings::Settings;
use crate::content::Variant;
use faden_model::Text;
use faden_model::condition::Type;
use faden_model::diagnostic::ByteRange;
use std::collections::{BTreeMap, BTreeSet};

/// Names of everything that others may refer to.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub settings: Settings,
    pub audiences: BTreeSet<Text>,
    pub journeys: BTreeSet<Text>,
    pub templates: BTreeMap<Text, TemplateFacts>,
    /// Computed traits and their types.
    pub computed: BTreeMap<Text, Type>,
    /// Traits that some journey sets.
    pub set_traits: BTreeSet<Text>,
    /// Identifier kinds, built in and declared.
    pub identifiers: BTreeSet<Text>,
    /// Purposes that policies name.
    pub purposes: BTreeSet<Text>,
    /// Of these, those for which no e-mail may be sent without consent somewhere.
    pub consent_purposes: BTreeSet<Text>,
    /// How often an event is named, in all files.
    pub events: BTreeMap<Text, usize>,
    /// Events that some journey emits.
    pub emitted: BTreeSet<Text>,
}

/// What a template can be rendered for and what it reads.
#[derive(Clone, Debug, Default)]
pub struct TemplateFacts {
    /// (channel, language)
    pub variants: BTreeMap<(Text, Text), Variant>,
    pub reads_event: bool,
    /// What its texts read, with every place once.
    pub reads: Vec<Read>,
    /// Of `variants`, those with a link by which the customer can unsubscribe.
    pub can_be_left: BTreeSet<(Text, Text)>,
}

/// A name that a template reads, such as `profile.traits.tier`.
#[derive(Clone, Debug)]
pub struct Read {
    pub path: Vec<Text>,
    pub file: Text,
    pub place: ByteRange,
}

impl World {
    /// The declared type of a trait, `None` when nobody declares, computes or sets it.
    pub fn trait_type(&self, name: &str) -> Option<Type> {
        let declared = self.settings.traits.as_ref().and_then(|traits| traits.get(name));
        let set = self.set_traits.contains(name).then_some(Type::Any);
        self.computed.get(name).or(declared).cloned().or(set)
    }

    /// Every trait name that is known, for suggestions.
    pub fn trait_names(&self) -> Vec<&str> {
        let declared = self.settings.traits.iter().flat_map(BTreeMap::keys);
        self.computed.keys().chain(declared).chain(&self.set_traits).map(Text::as_str).collect()
    }

    /// Whether an event is known otherwise than by being named once.
    pub fn knows_event(&self, name: &str) -> bool {
        let declared = self.settings.events.as_ref().is_some_and(|events| events.contains_key(name));
        declared || self.emitted.contains(name) || self.events.get(name).is_some_and(|count| *count > 1)
    }
}

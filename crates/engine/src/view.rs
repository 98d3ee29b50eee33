//! What a condition can see: the event at hand, the profile, the enrollment, and now.

use crate::definitions::Index;
use crate::journey::{Enrollment, KeptEvent};
use crate::policy::{Consent, ConsentState, OptIn, Use, check_consent};
use crate::profile::{Profile, computed_value};
use faden_model::condition::{Attribute, Root, Scope};
use faden_model::{Event, EventKind, IdentifierKind, Text, Timestamp, Value, json};

/// An event, from whatever it is kept in.
#[derive(Clone, Copy, Debug)]
pub struct EventView<'a> {
    pub kind: EventKind,
    /// The name that definitions use: see [`reaction_name`].
    pub name: &'a str,
    pub message_id: &'a str,
    /// When it happened; never later than now.
    pub timestamp: Timestamp,
    pub properties: &'a str,
    pub traits: &'a str,
    pub context: &'a str,
}

/// The name under which definitions react to an event: a track call's own name; `Page Viewed`,
/// `Screen Viewed`, `Identify`, `Group` and `Alias` for the other calls.
pub fn reaction_name<'a>(event: &'a Event<'_>) -> &'a str {
    match event.kind {
        EventKind::Track => &event.name,
        EventKind::Page => "Page Viewed",
        EventKind::Screen => "Screen Viewed",
        EventKind::Identify => "Identify",
        EventKind::Group => "Group",
        EventKind::Alias => "Alias",
    }
}

impl<'a> EventView<'a> {
    pub fn of(event: &'a Event<'_>, at: Timestamp) -> EventView<'a> {
        EventView {
            kind: event.kind,
            name: reaction_name(event),
            message_id: &event.message_id,
            timestamp: event.timestamp.unwrap_or(at).min(at),
            properties: &event.properties,
            traits: &event.traits,
            context: &event.context,
        }
    }

    pub fn of_kept(kept: &'a KeptEvent) -> EventView<'a> {
        EventView {
            kind: EventKind::Track,
            name: &kept.name,
            message_id: &kept.message_id,
            timestamp: kept.timestamp,
            properties: &kept.properties,
            traits: "{}",
            context: "{}",
        }
    }

    pub fn keep(&self) -> KeptEvent {
        KeptEvent {
            message_id: Text::new(self.message_id),
            name: Text::new(self.name),
            timestamp: self.timestamp,
            properties: self.properties.into(),
        }
    }

    pub fn attribute(&self, path: &[Text]) -> Value {
        match path.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            Some(("properties", rest)) => json::lookup(self.properties, rest),
            Some(("traits", rest)) => json::lookup(self.traits, rest),
            Some(("context", rest)) => json::lookup(self.context, rest),
            Some(("name", [])) => Value::from(self.name),
            Some(("message_id", [])) => Value::from(self.message_id),
            Some(("timestamp", [])) => Value::Time(self.timestamp),
            Some(("type", [])) => Value::from(self.kind.name()),
            _ => Value::Null,
        }
    }
}

/// Everything that can be seen at one instant.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub index: &'a Index,
    pub profile: &'a Profile,
    pub event: Option<EventView<'a>>,
    pub enrollment: Option<&'a Enrollment>,
    pub now: Timestamp,
}

impl Scope for View<'_> {
    fn attribute(&self, attribute: &Attribute) -> Value {
        match attribute.root {
            Root::Event => self.event.as_ref().map_or(Value::Null, |event| event.attribute(&attribute.path)),
            Root::Profile => self.profile_attribute(&attribute.path),
            Root::Enrollment => {
                self.enrollment.map_or(Value::Null, |enrollment| enrollment_attribute(self.index, enrollment, &attribute.path))
            }
            Root::Now => Value::Time(self.now),
            Root::Case | Root::Message => Value::Null,
        }
    }
}

impl View<'_> {
    pub fn profile_attribute(&self, path: &[Text]) -> Value {
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        match path.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            Some(("traits", [name, rest @ ..])) => step_into(self.trait_value(name), rest),
            Some(("audiences", [])) => Value::List(
                self.profile
                    .memberships
                    .iter()
                    .filter_map(|membership| self.index.audience_name(membership.key))
                    .map(Value::from)
                    .collect(),
            ),
            Some(("consent", [purpose])) => Value::Bool(self.consents_to(purpose)),
            Some(("id", [])) => Value::Text(Text::from(self.profile.id.to_string())),
            Some(("country", [])) => text(self.profile.country()),
            Some(("language", [])) => text(self.profile.language()),
            Some(("time_zone", [])) => text(self.profile.time_zone()),
            Some(("preferred_channel", [])) => text(self.profile.preferred_channel()),
            Some(("created_at", [])) => Value::Time(self.profile.created_at),
            Some(("last_seen_at", [])) => Value::Time(self.profile.last_seen_at),
            Some((kind, [])) => text(self.profile.identifier(&IdentifierKind::from_name(kind))),
            _ => Value::Null,
        }
    }

    /// A computed trait by its definition, else what a source told.
    pub fn trait_value(&self, name: &str) -> Value {
        let Some(plan) = self.index.computed_trait(name) else { return self.profile.told(name).clone() };
        let parts = self.profile.strands.iter().filter_map(|strand| strand.accumulator(plan.key));
        computed_value(plan, parts, self.now)
    }

    /// Whether a plain opt-in for this purpose stands on any channel (the gate decides per message).
    fn consents_to(&self, purpose: &str) -> bool {
        let entries: Vec<_> = self.profile.strands.iter().flat_map(|strand| &strand.consents).cloned().collect();
        entries.iter().any(|entry| {
            let (channel, address) = (entry.channel.as_deref().unwrap_or_default(), entry.point.as_deref().unwrap_or_default());
            let wanted = Use { purpose, channel, address, at: self.now };
            entry.state != ConsentState::Withdrawn
                && entry.purpose == purpose
                && matches!(check_consent(&entries, OptIn::OptIn, &wanted), Consent::Allowed(_))
        })
    }
}

fn enrollment_attribute(index: &Index, enrollment: &Enrollment, path: &[Text]) -> Value {
    match path.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("id", [])) => Value::Text(Text::from(enrollment.id.to_string())),
        Some(("key", [])) => enrollment.key.clone().map_or(Value::Null, Value::Text),
        Some(("entered_at", [])) => Value::Time(enrollment.entered_at),
        Some(("journey", [])) => index.journey_name(enrollment.journey).map_or(Value::Null, Value::from),
        Some(("arms", [experiment])) => {
            enrollment.arms.iter().find(|(name, _)| name == experiment).map_or(Value::Null, |(_, arm)| Value::Text(arm.clone()))
        }
        _ => Value::Null,
    }
}

fn step_into(value: Value, path: &[Text]) -> Value {
    if path.is_empty() {
        return value;
    }
    path.iter().fold(&value, |inner, key| inner.get(key)).clone()
}

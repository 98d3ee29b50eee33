//! What a message can speak of: the customer, the event that led here, the passage, links, now.
//!
//! The same facts that conditions see, under the same names. What is missing is left out, so that a template
//! which prints it fails, and one which asks for it (`if`, `default`) goes on.

use crate::calendar;
use crate::definitions::Index;
use crate::journey::{Enrollment, KeptEvent};
use crate::profile::Profile;
use crate::view::{EventView, View};
use faden_model::{EnrollmentId, Text, Timestamp, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Names and values for [`super::render`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variables(pub BTreeMap<Text, Value>);

/// What the trait `accessibility` says where somebody wants mails without HTML.
pub const TEXT_ONLY: &str = "text_only";

/// The passage that a message belongs to, as far as it is known when the message is written.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'a> {
    pub id: EnrollmentId,
    pub journey: &'a str,
    pub key: Option<&'a str>,
    /// The entering event.
    pub event: Option<&'a KeptEvent>,
}

impl<'a> Passage<'a> {
    pub fn of(index: &'a Index, enrollment: &'a Enrollment) -> Passage<'a> {
        Passage {
            id: enrollment.id,
            journey: index.journey_name(enrollment.journey).unwrap_or(""),
            key: enrollment.key.as_deref(),
            event: enrollment.event.as_deref(),
        }
    }
}

/// Addresses that belong to this very message; one that is empty is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Links<'a> {
    pub unsubscribe: &'a str,
    pub preferences: &'a str,
    pub view: &'a str,
    /// Confirms a consent at the address that the message goes to.
    pub confirm: &'a str,
    /// Says to a page that somebody came by this message.
    pub token: &'a str,
}

/// Gathers everything that a template may read. `render` adds `channel` and `language`.
pub fn variables(index: &Index, profile: &Profile, passage: Option<&Passage<'_>>, links: &Links<'_>, now: Timestamp) -> Variables {
    let mut all = BTreeMap::new();
    let mut set = |name: &'static str, value: Value| {
        if !value.is_null() {
            all.insert(Text::const_new(name), value);
        }
    };
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
    set("profile", of_profile(index, profile, now));
    if let Some(passage) = passage {
        set("event", passage.event.map_or(Value::Null, of_event));
        set("enrollment", of_passage(passage));
    }
    set("unsubscribe_url", text(links.unsubscribe));
    set("preferences_url", text(links.preferences));
    set("view_url", text(links.view));
    set("confirm_url", text(links.confirm));
    set("customer_token", text(links.token));
    set("workspace", text(&index.definitions.workspace));
    set("time_zone", text(time_zone(index, profile)));
    set("now", Value::Time(now));
    Variables(all)
}

/// Where the customer's clock hangs: his own zone, the only one of his country, else the workspace's.
fn time_zone<'a>(index: &'a Index, profile: &'a Profile) -> &'a str {
    let own = profile.time_zone().and_then(calendar::zone).map(calendar::Zone::name);
    let of_country = || match calendar::zones_of(profile.country()?) {
        [only] => Some(only.name()),
        _ => None,
    };
    own.or_else(of_country).unwrap_or(&index.definitions.time_zone)
}

fn of_profile(index: &Index, profile: &Profile, now: Timestamp) -> Value {
    let view = View { index, profile, event: None, enrollment: None, now };
    let told = profile.strands.iter().flat_map(|strand| &strand.traits).map(|known| &known.name);
    let names: BTreeSet<&Text> = told.chain(index.definitions.traits.iter().map(|computed| &computed.name)).collect();
    let traits = names.into_iter().map(|name| (name.clone(), view.trait_value(name)));
    let kinds = profile.strands.iter().flat_map(|strand| &strand.identifiers).map(|known| known.kind.name());
    let facts = ["id", "audiences", "country", "language", "time_zone", "preferred_channel", "created_at", "last_seen_at"];
    let mut all: BTreeMap<Text, Value> =
        facts.into_iter().chain(kinds).map(|name| (Text::new(name), view.profile_attribute(&[Text::new(name)]))).collect();
    all.insert(Text::const_new("traits"), map(traits));
    map(all)
}

fn of_event(event: &KeptEvent) -> Value {
    let properties = json::parse(&event.properties).unwrap_or(Value::Map(Vec::new()));
    let view = EventView::of_kept(event);
    let names = ["name", "message_id", "timestamp"].into_iter();
    map(names
        .map(|name| (Text::const_new(name), view.attribute(&[Text::const_new(name)])))
        .chain([(Text::const_new("properties"), properties)]))
}

fn of_passage(passage: &Passage<'_>) -> Value {
    map([
        (Text::const_new("id"), Value::Text(Text::from(passage.id.to_string()))),
        (Text::const_new("journey"), Value::from(passage.journey)),
        (Text::const_new("key"), passage.key.map_or(Value::Null, Value::from)),
    ])
}

/// A sorted map without what is null.
fn map(fields: impl IntoIterator<Item = (Text, Value)>) -> Value {
    let sorted: BTreeMap<Text, Value> = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
    Value::Map(sorted.into_iter().collect())
}

impl Variables {
    /// Whether this customer reads mails by their plain part alone: his trait `accessibility` is `text_only`.
    pub(super) fn wants_text_only(&self) -> bool {
        let profile = self.0.get("profile").unwrap_or(&Value::Null);
        profile.get("traits").get("accessibility").as_text() == Some(TEXT_ONLY)
    }

    /// As the template language holds them.
    pub(super) fn context(&self, channel: &str, language: &str) -> minijinja::Value {
        let own = [("channel", channel), ("language", language)].map(|(name, value)| (name.to_owned(), minijinja::Value::from(value)));
        let all = self.0.iter().map(|(name, value)| (name.to_string(), converted(value)));
        minijinja::Value::from_pairs(all.chain(own))
    }
}

/// A number that a float cannot hold exactly stays a text, so that it is printed as it was written.
fn converted(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => {
            let shortest = number.normalize().to_string();
            match (shortest.parse::<i64>(), shortest.parse::<f64>()) {
                (Ok(whole), _) => whole.into(),
                (_, Ok(float)) if float.to_string() == shortest => float.into(),
                _ => shortest.into(),
            }
        }
        Value::Text(text) => text.as_str().into(),
        Value::Time(time) => time.to_string().into(),
        Value::Span(span) => span.to_string().into(),
        Value::List(items) => items.iter().map(converted).collect(),
        Value::Map(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            minijinja::Value::from_pairs(known.map(|(name, value)| (name.to_string(), converted(value))))
        }
    }
}

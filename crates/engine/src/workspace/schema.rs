//! Which names a condition may use at its place, and their types.

use super::code;
use super::suggest::{hint, quoted};
use super::world::World;
use faden_model::Text;
use faden_model::condition::{Attribute, Root, Schema, Type, Unknown};
use std::collections::BTreeSet;

/// Where a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The rule of an audience: profile and clock.
    Audience,
    /// What a computed trait counts: the event alone.
    Trait,
    /// Of an entry: the event at hand and the profile; nobody is enrolled yet.
    Entry,
    /// Of an exit, a goal or a wait: the event at hand, the profile and the enrollment.
    Running,
    /// Of a step: the entering event, the profile and the enrollment.
    Step,
}

/// The names at one place of one workspace.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    pub world: &'a World,
    pub place: Place,
    /// The events that `event` may be; empty when there is none.
    pub events: &'a [Text],
    /// The experiments of the journey.
    pub experiments: &'a BTreeSet<Text>,
}

const PROFILE_TEXTS: [&str; 5] = ["id", "country", "language", "time_zone", "preferred_channel"];
const PROFILE_TIMES: [&str; 2] = ["created_at", "last_seen_at"];
/// Everything that `profile` has besides identifiers.
pub const PROFILE_PARTS: [&str; 10] =
    ["id", "country", "language", "time_zone", "preferred_channel", "created_at", "last_seen_at", "traits", "consent", "audiences"];
const EVENT_TEXTS: [&str; 3] = ["name", "type", "message_id"];
const EVENT_MAPS: [&str; 3] = ["properties", "traits", "context"];
const ENROLLMENT_TEXTS: [&str; 3] = ["id", "key", "journey"];

impl Schema for Names<'_> {
    fn attribute_type(&self, attribute: &Attribute) -> Result<Type, Unknown> {
        let path: Vec<&str> = attribute.path.iter().map(Text::as_str).collect();
        match attribute.root {
            Root::Now if self.place == Place::Trait => {
                Err(elsewhere("`now` is not known here", "a computed trait depends on events alone; write `within: 30d` for a time window"))
            }
            Root::Now => Ok(Type::Time),
            Root::Profile if self.place == Place::Trait => Err(elsewhere(
                "`profile` is not known here",
                "a computed trait reads `event` alone; put what depends on the profile into the audience's `where`",
            )),
            Root::Profile => self.profile(&path),
            Root::Event => self.event(&path),
            Root::Enrollment => self.enrollment(&path),
            Root::Case => {
                Err(elsewhere("`case` is not known here", "conditions on cases come with case types, which this version does not have"))
            }
            Root::Message => Err(elsewhere(
                "`message` is not known here",
                "conditions on inbound messages come with channels, which this version does not have",
            )),
        }
    }
}

impl Names<'_> {
    fn profile(&self, path: &[&str]) -> Result<Type, Unknown> {
        let Some((first, rest)) = path.split_first() else { return Ok(Type::Map) };
        let known = match *first {
            "traits" => return self.profile_trait(rest),
            "consent" => return self.consent(rest),
            "audiences" => Type::List(Box::new(Type::Text)),
            name if PROFILE_TIMES.contains(&name) => Type::Time,
            name if PROFILE_TEXTS.contains(&name) || self.world.identifiers.contains(name) => Type::Text,
            name => {
                let known: Vec<&str> = PROFILE_PARTS.into_iter().chain(self.world.identifiers.iter().map(Text::as_str)).collect();
                let help = if self.world.trait_type(name).is_some() {
                    format!("it is a trait: write `profile.traits.{name}`")
                } else {
                    hint(name, known.iter().copied(), "`profile` has")
                };
                return Err(unknown(format!("`profile` has no `{name}`"), help));
            }
        };
        leaf(known, &format!("profile.{first}"), rest)
    }

    fn profile_trait(&self, rest: &[&str]) -> Result<Type, Unknown> {
        let Some((name, deeper)) = rest.split_first() else { return Ok(Type::Map) };
        if let Some(known) = self.world.trait_type(name) {
            return leaf(known, &format!("profile.traits.{name}"), deeper);
        }
        let names = self.world.trait_names();
        let planned = self.world.settings.traits.is_some();
        let suggestion = hint(name, names.iter().copied(), "known traits");
        let declare = if planned {
            "declare it under `traits:` in faden.yaml"
        } else {
            "if a source sends it, declare it under `traits:` in faden.yaml"
        };
        let help = if suggestion.is_empty() { declare.to_owned() } else { format!("{suggestion}; {declare}") };
        let message = format!("no trait `{name}` is declared or computed in this workspace");
        Err(Unknown { warning_only: !planned, code: code::UNKNOWN_TRAIT, message, help })
    }

    fn consent(&self, rest: &[&str]) -> Result<Type, Unknown> {
        let Some((purpose, deeper)) = rest.split_first() else { return Ok(Type::Map) };
        if !self.world.purposes.is_empty() && !self.world.purposes.contains(*purpose) {
            let help = hint(purpose, self.world.purposes.iter().map(Text::as_str), "purposes of the policies");
            let message = format!("no policy names the purpose `{purpose}`");
            return Err(Unknown { warning_only: true, code: code::UNKNOWN_PURPOSE, message, help });
        }
        leaf(Type::Bool, &format!("profile.consent.{purpose}"), deeper)
    }

    fn event(&self, path: &[&str]) -> Result<Type, Unknown> {
        if self.place == Place::Audience {
            let help = "an audience is about the profile; count events with a computed trait under `traits:` and use that";
            return Err(elsewhere("`event` is not known here", help));
        }
        if self.events.is_empty() {
            return Err(elsewhere("`event` is not known here", "nobody enters this journey by an event, so steps have none to read"));
        }
        let Some((first, rest)) = path.split_first() else { return Ok(Type::Map) };
        match *first {
            "properties" => self.property(rest),
            name if EVENT_MAPS.contains(&name) => Ok(if rest.is_empty() { Type::Map } else { Type::Any }),
            "timestamp" => leaf(Type::Time, "event.timestamp", rest),
            name if EVENT_TEXTS.contains(&name) => leaf(Type::Text, &format!("event.{name}"), rest),
            name => {
                let known = EVENT_TEXTS.iter().chain(&["timestamp"]).chain(&EVENT_MAPS).copied().collect::<Vec<_>>();
                let help = format!("write `event.properties.{name}` for what the sender put in; `event` has {}", quoted(&known));
                Err(unknown(format!("`event` has no `{name}`"), help))
            }
        }
    }

    fn property(&self, rest: &[&str]) -> Result<Type, Unknown> {
        let Some((name, deeper)) = rest.split_first() else { return Ok(Type::Map) };
        let declared = match self.events {
            [event] => self.world.settings.events.as_ref().and_then(|events| events.get(event)),
            _ => None,
        };
        match declared.and_then(|shape| shape.properties.as_ref()) {
            None => Ok(Type::Any),
            Some(properties) => match properties.get(*name) {
                Some(known) => leaf(known.clone(), &format!("event.properties.{name}"), deeper),
                None => {
                    let message = format!("`{}` is declared without a property `{name}`", self.events[0]);
                    let help = hint(name, properties.keys().map(Text::as_str), "declared");
                    Err(Unknown { warning_only: true, code: code::UNKNOWN_PROPERTY, message, help })
                }
            },
        }
    }

    fn enrollment(&self, path: &[&str]) -> Result<Type, Unknown> {
        if !matches!(self.place, Place::Running | Place::Step) {
            return Err(elsewhere(
                "`enrollment` is not known here",
                "there is one only while somebody passes through a journey: in steps, exits and goals",
            ));
        }
        let Some((first, rest)) = path.split_first() else { return Ok(Type::Map) };
        match *first {
            "entered_at" => leaf(Type::Time, "enrollment.entered_at", rest),
            "arms" => match rest.split_first() {
                None => Ok(Type::Map),
                Some((name, deeper)) if self.experiments.contains(*name) => leaf(Type::Text, &format!("enrollment.arms.{name}"), deeper),
                Some((name, _)) => {
                    let known = hint(name, self.experiments.iter().map(Text::as_str), "experiments of this journey");
                    let help = if known.is_empty() { format!("give a `split` step `experiment: {name}`") } else { known };
                    Err(unknown(format!("this journey has no experiment `{name}`"), help))
                }
            },
            name if ENROLLMENT_TEXTS.contains(&name) => leaf(Type::Text, &format!("enrollment.{name}"), rest),
            name => {
                let known = ENROLLMENT_TEXTS.iter().chain(&["entered_at", "arms"]).copied();
                Err(unknown(format!("`enrollment` has no `{name}`"), hint(name, known, "`enrollment` has")))
            }
        }
    }
}

/// The type, unless the path goes on into something that has no parts.
fn leaf(known: Type, written: &str, rest: &[&str]) -> Result<Type, Unknown> {
    match (rest.first(), &known) {
        (None, _) => Ok(known),
        (Some(_), Type::Any | Type::Map) => Ok(Type::Any),
        (Some(part), _) => {
            Err(unknown(format!("`{written}` is {} and has no `{part}`", type_name(&known)), format!("write `{written}` alone")))
        }
    }
}

/// A type in words.
pub fn type_name(of: &Type) -> &'static str {
    match of {
        Type::Any => "anything",
        Type::Bool => "true or false",
        Type::Number => "a number",
        Type::Text => "a text",
        Type::Time => "a time",
        Type::Span => "a duration",
        Type::List(_) => "a list",
        Type::Map => "a map",
    }
}

fn unknown(message: String, help: String) -> Unknown {
    Unknown { warning_only: false, code: code::UNKNOWN_ATTRIBUTE, message, help }
}

fn elsewhere(message: &str, help: &str) -> Unknown {
    Unknown { warning_only: false, code: code::NOT_AVAILABLE_HERE, message: message.to_owned(), help: help.to_owned() }
}

//! Consent as the server itself writes it down: one record per change, with its proof in the message id.

use faden_engine::front::CONSENT;
use faden_model::{Event, EventKind, Identifier, Timestamp};
use serde_json::json;
use std::borrow::Cow;

/// What changes.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// `*` stands for all, in a withdrawal.
    pub purpose: &'a str,
    /// All channels when missing.
    pub channel: Option<&'a str>,
    /// All addresses of the channel when missing.
    pub address: Option<&'a str>,
    pub state: State,
    /// Names what the customer did; the same proof twice counts once.
    pub proof: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Granted,
    Confirmed,
    Withdrawn,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Granted => "granted",
            State::Confirmed => "confirmed",
            State::Withdrawn => "withdrawn",
        }
    }
}

/// The record's event.
pub fn event(identifier: Identifier<'static>, change: &Change<'_>, at: Timestamp) -> Event<'static> {
    let mut properties = json!({ "purpose": change.purpose, "state": change.state.name() });
    for (name, value) in [("channel", change.channel), ("address", change.address)] {
        if let Some(value) = value {
            properties[name] = value.into();
        }
    }
    track(CONSENT, change.proof.to_owned(), identifier, &properties, at)
}

/// An event of the server's own.
pub fn track(
    name: &'static str,
    message_id: String,
    identifier: Identifier<'static>,
    properties: &serde_json::Value,
    at: Timestamp,
) -> Event<'static> {
    Event {
        kind: EventKind::Track,
        message_id: Cow::Owned(message_id),
        name: Cow::Borrowed(name),
        timestamp: Some(at),
        identifiers: vec![identifier],
        properties: Cow::Owned(properties.to_string()),
        traits: Cow::Borrowed("{}"),
        context: Cow::Borrowed("{}"),
        consents: Default::default(),
    }
}

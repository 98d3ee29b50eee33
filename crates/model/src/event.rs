//! Events: what a customer did, as the Segment spec writes it, read once at the wall.
//!
//! `Event::parse` takes one JSON object (a Segment call, or a CloudEvent in structured mode) and keeps
//! properties, traits and context as the sender's bytes. Nothing is looked up, nothing decided.
//! A CloudEvent is a track call: `type` is the event's name, `data` the properties, `subject` may name the
//! customer as `kind:value`. Without a subject it is about nobody (a business event, an operator's wish).
//! Source: Segment Spec (Common fields, Identify, Track, Page, Screen, Group, Alias); CloudEvents 1.0.

mod parse;
#[cfg(test)]
mod tests;

pub use parse::Habits;

use crate::time::TimeError;
use crate::{Identifier, Text, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;

/// The six calls of the Segment spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventKind {
    Track,
    Identify,
    Page,
    Screen,
    Group,
    Alias,
}

/// What the receiver knows about a call beside its bytes; all empty for a line of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The call that the address names (`/v1/track`), for bodies that leave out `type`.
    pub kind: Option<EventKind>,
    pub received_at: Option<Timestamp>,
    /// `sentAt` of the batch, for calls without one of their own.
    pub sent_at: Option<Timestamp>,
}

/// One event. Borrowed from the sender's bytes where nothing had to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event<'a> {
    pub kind: EventKind,
    /// What makes a repeat recognisable; empty when the sender gave none.
    #[serde(borrow)]
    pub message_id: Cow<'a, str>,
    /// `track`: the event's name; `page` and `screen`: the name of the page, without one its category;
    /// `group`: the id of the group; else empty.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// When it happened, corrected for the sender's clock; `None` when the sender did not say.
    pub timestamp: Option<Timestamp>,
    #[serde(borrow)]
    pub identifiers: Vec<Identifier<'a>>,
    /// JSON object, as sent; `{}` when there was none. The same holds for traits and context.
    #[serde(borrow)]
    pub properties: Cow<'a, str>,
    #[serde(borrow)]
    pub traits: Cow<'a, str>,
    #[serde(borrow)]
    pub context: Cow<'a, str>,
    /// `context.consent.categoryPreferences`: purpose and whether the customer agrees.
    pub consents: SmallVec<[(Text, bool); 1]>,
}

/// Why a line is not an event. `code` is stable; the text says what to send instead.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    #[error("this is not a JSON object that an event can be read from; send one JSON object per event")]
    Json(#[source] serde_json::Error),
    #[error("`type` is `{0}`; send one of track, identify, page, screen, group, alias")]
    UnknownType(String),
    #[error("`type` is missing; send one of track, identify, page, screen, group, alias")]
    NoType,
    #[error("a track call needs the name of what happened in `event`")]
    NoName,
    #[error("a group call needs `groupId`, the group that the customer belongs to")]
    NoGroupId,
    #[error("nobody is named; send `userId` or `anonymousId`")]
    Nobody,
    #[error("`{field}` cannot be read")]
    Time {
        field: &'static str,
        #[source]
        source: TimeError,
    },
    #[error("an alias call needs `previousId`, the identifier that joins `userId`")]
    NoPreviousId,
    #[error("`{field}` is {length} bytes long; the limit is {limit}")]
    TooLong { field: &'static str, length: usize, limit: usize },
    #[error("`{0}` must be a JSON object")]
    NotAnObject(&'static str),
    #[error("`{0}` must be a text or a number")]
    NotText(&'static str),
    #[error("`specversion` is `{0}`; send CloudEvents 1.0")]
    UnknownSpecVersion(String),
    #[error("a CloudEvent needs `{0}`")]
    CloudEventLacks(&'static str),
}

/// Longest accepted identifier, message id or event name, in bytes.
pub const NAME_BYTES_MAX: usize = 1024;

impl EventError {
    pub fn code(&self) -> &'static str {
        match self {
            EventError::Json(_) => "event-not-json",
            EventError::UnknownType(_) => "event-unknown-type",
            EventError::NoType => "event-no-type",
            EventError::NoName => "event-no-name",
            EventError::NoGroupId => "event-no-group-id",
            EventError::Nobody => "event-nobody",
            EventError::Time { .. } => "event-bad-time",
            EventError::NoPreviousId => "event-no-previous-id",
            EventError::TooLong { .. } => "event-too-long",
            EventError::NotAnObject(_) => "event-not-an-object",
            EventError::NotText(_) => "event-not-text",
            EventError::UnknownSpecVersion(_) => "event-unknown-spec-version",
            EventError::CloudEventLacks(_) => "event-cloud-event-lacks",
        }
    }
}

impl EventKind {
    /// As `type` has it in a call.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Track => "track",
            EventKind::Identify => "identify",
            EventKind::Page => "page",
            EventKind::Screen => "screen",
            EventKind::Group => "group",
            EventKind::Alias => "alias",
        }
    }
}

impl Event<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Event<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let identifiers = self.identifiers.into_iter();
        Event {
            kind: self.kind,
            message_id: owned(self.message_id),
            name: owned(self.name),
            timestamp: self.timestamp,
            identifiers: identifiers.map(|identifier| Identifier { kind: identifier.kind, value: owned(identifier.value) }).collect(),
            properties: owned(self.properties),
            traits: owned(self.traits),
            context: owned(self.context),
            consents: self.consents,
        }
    }
}

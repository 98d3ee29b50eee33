//! Consent as the server itself writes it down: one record per change, with its proof in the message id.

use faden_engine::Index;
use faden_engine::front::CONSENT;
use faden_engine::policy::{Consent, ConsentEntry, ConsentState, EVERYTHING, OptIn, Use, check_consent};
use faden_engine::profile::Profile;
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

/// What a START gives back: everything that was allowed at this address before a STOP to it, and is not since.
///
/// It undoes the STOP and nothing else. Who never agreed has not agreed by it, and what he had left by other ways
/// stays as he left it.
pub fn before_stop(index: &Index, profile: &Profile, at_address: &Use<'_>) -> Vec<(String, State)> {
    let all: Vec<ConsentEntry> = profile.strands.iter().flat_map(|strand| strand.consents.iter().cloned()).collect();
    let is_stop = |entry: &ConsentEntry| {
        entry.state == ConsentState::Withdrawn
            && entry.purpose == EVERYTHING
            && entry.channel.as_deref() == Some(at_address.channel)
            && entry.point.as_deref() == Some(at_address.address)
    };
    let before: Vec<ConsentEntry> = all.iter().filter(|entry| !is_stop(entry)).cloned().collect();
    let effective = index.definitions.policies.effective(profile.country(), profile.brand());
    let given_back = |purpose: &str| {
        let kind = effective.opt_in(purpose, at_address.channel);
        let wanted = Use { purpose, ..*at_address };
        let allowed = |entries: &[ConsentEntry]| matches!(check_consent(entries, kind, &wanted), Consent::Allowed(_));
        // It comes from the address itself, as the first confirmation did.
        let state = if kind == OptIn::DoubleOptIn { State::Confirmed } else { State::Granted };
        (allowed(&before) && !allowed(&all)).then(|| (purpose.to_owned(), state))
    };
    effective.purposes().filter_map(given_back).collect()
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

//! The columns of each kind of export: named as in lines of JSON, typed for queries.
//!
//! Instants are microseconds in UTC. What differs from row to row is JSON. What has no column of its own goes to `other`.

use faden_engine::profile::Profile;
use faden_model::IdentifierKind;
use faden_model::json::{write_text, write_value};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A Segment call or a `CloudEvent` a row, as `faden import` takes them again.
pub const EVENTS: &str = "message events {
    optional binary type (STRING);
    optional binary event (STRING);
    optional binary name (STRING);
    optional binary messageId (STRING);
    optional binary userId (STRING);
    optional binary anonymousId (STRING);
    optional binary previousId (STRING);
    optional binary groupId (STRING);
    optional int64 timestamp (TIMESTAMP(MICROS, true));
    optional int64 receivedAt (TIMESTAMP(MICROS, true));
    optional binary properties (JSON);
    optional binary traits (JSON);
    optional binary context (JSON);
    optional binary specversion (STRING);
    optional binary id (STRING);
    optional binary source (STRING);
    optional int64 time (TIMESTAMP(MICROS, true));
    optional binary data (JSON);
    optional binary other (JSON);
}";

pub const MESSAGES: &str = "message messages {
    optional binary id (STRING);
    optional int64 at (TIMESTAMP(MICROS, true));
    optional binary profile (STRING);
    optional binary user_id (STRING);
    optional binary enrollment (STRING);
    optional binary journey (STRING);
    optional binary step (STRING);
    optional binary template (STRING);
    optional binary purpose (STRING);
    optional binary channel (STRING);
    optional binary address (STRING);
    optional binary state (STRING);
    optional binary history (JSON);
    optional binary other (JSON);
}";

pub const DECISIONS: &str = "message decisions {
    optional binary kind (STRING);
    optional binary id (STRING);
    optional int64 at (TIMESTAMP(MICROS, true));
    optional binary profile (STRING);
    optional binary user_id (STRING);
    optional binary enrollment (STRING);
    optional binary journey (STRING);
    optional binary version (STRING);
    optional binary key (STRING);
    optional binary step (STRING);
    optional binary went (STRING);
    optional binary from (STRING);
    optional binary to (STRING);
    optional boolean undo;
    optional binary cause (STRING);
    optional binary by (STRING);
    optional binary message_id (STRING);
    optional binary event (STRING);
    optional binary audience (STRING);
    optional binary change (STRING);
    optional binary message (STRING);
    optional binary template (STRING);
    optional binary purpose (STRING);
    optional binary channel (STRING);
    optional binary email (STRING);
    optional binary address (STRING);
    optional binary outcome (STRING);
    optional binary rule (STRING);
    optional binary reason (STRING);
    optional int64 until (TIMESTAMP(MICROS, true));
    optional binary checks (JSON);
    optional binary facts (JSON);
    optional binary experiment (STRING);
    optional binary arm (STRING);
    optional binary trait (STRING);
    optional binary value (JSON);
    optional boolean granted;
    optional binary loser (STRING);
    optional binary restored (STRING);
    optional int64 merge;
    optional binary identifier_kind (STRING);
    optional binary code (STRING);
    optional binary detail (STRING);
    optional binary other (JSON);
}";

/// A customer as [`profile`] tells it; `profile` is what lines of JSON hold.
pub const PROFILES: &str = "message profiles {
    optional binary id (STRING);
    optional int64 created_at (TIMESTAMP(MICROS, true));
    optional int64 last_seen_at (TIMESTAMP(MICROS, true));
    optional binary user_id (STRING);
    optional binary email (STRING);
    optional binary phone (STRING);
    optional binary identifiers (JSON);
    optional binary traits (JSON);
    optional binary consents (JSON);
    optional binary profile (JSON);
    optional binary other (JSON);
}";

/// A line of the export of profiles.
#[derive(Deserialize)]
struct Line<'l> {
    id: String,
    #[serde(borrow)]
    profile: &'l RawValue,
}

/// A row of [`PROFILES`].
#[derive(Serialize)]
struct Row<'p> {
    id: String,
    created_at: String,
    last_seen_at: String,
    user_id: Option<&'p str>,
    email: Option<&'p str>,
    phone: Option<&'p str>,
    identifiers: Vec<Value>,
    traits: Box<RawValue>,
    consents: Vec<Value>,
    profile: &'p RawValue,
}

/// A line of the export of profiles as an object with the columns of [`PROFILES`].
///
/// # Errors
/// When the line is not what a server of this version writes.
pub fn profile(line: &[u8]) -> serde_json::Result<Vec<u8>> {
    let Line { id, profile: whole } = serde_json::from_slice(line)?;
    let profile: Profile = serde_json::from_str(whole.get())?;
    let identifiers = profile.strands.iter().flat_map(|strand| &strand.identifiers);
    let consents = profile.strands.iter().flat_map(|strand| &strand.consents);
    serde_json::to_vec(&Row {
        id,
        created_at: profile.created_at.to_string(),
        last_seen_at: profile.last_seen_at.to_string(),
        user_id: profile.user_id(),
        email: profile.identifier(&IdentifierKind::Email),
        phone: profile.identifier(&IdentifierKind::Phone),
        identifiers: identifiers
            .map(
                |known| json!({"kind": known.kind.name(), "value": known.value.as_str(), "first_seen_at": known.first_seen_at.to_string()}),
            )
            .collect(),
        traits: traits(&profile)?,
        consents: consents
            .map(|entry| {
                let state = format!("{:?}", entry.state).to_lowercase();
                json!({"purpose": entry.purpose.as_str(), "channel": entry.channel.as_deref(), "state": state, "at": entry.at.to_string()})
            })
            .collect(),
        profile: whole,
    })
}

/// What holds of each trait, numbers as they came.
fn traits(profile: &Profile) -> serde_json::Result<Box<RawValue>> {
    let names: BTreeSet<_> = profile.strands.iter().flat_map(|strand| &strand.traits).map(|told| told.name.as_str()).collect();
    let mut out = String::from("{");
    for (place, name) in names.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_text(&mut out, name);
        out.push(':');
        write_value(&mut out, profile.told(name));
    }
    out.push('}');
    RawValue::from_string(out)
}

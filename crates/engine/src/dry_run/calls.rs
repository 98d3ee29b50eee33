//! What a scenario tells, as the lines that a source would send.

use crate::policy::{ConsentEntry, ConsentState};
use crate::workspace::scenario::Given;
use faden_model::json::{write_text, write_value};
use faden_model::{EventKind, IdentifierKind, Text, Timestamp, Value};

/// The anonymous id of a customer of whom nothing is given.
pub const SOMEBODY: &str = "somebody";

/// The given customer as an identify call.
pub fn given(given: &Given) -> String {
    let mut traits = given.traits.clone();
    let told = [
        ("country", &given.country),
        ("language", &given.language),
        ("time_zone", &given.time_zone),
        ("preferred_channel", &given.preferred_channel),
    ];
    for (name, value) in told {
        traits.extend(value.iter().map(|value| (Text::new(name), Value::Text(value.clone()))));
    }
    traits.sort_by(|a, b| a.0.cmp(&b.0));
    let mut members: Vec<(Text, Value)> = vec![(Text::const_new("traits"), Value::Map(traits))];
    for (kind, value) in &given.identifiers {
        name(&mut members, kind, value);
    }
    if given.identifiers.is_empty() {
        name(&mut members, &IdentifierKind::AnonymousId, SOMEBODY);
    }
    line(EventKind::Identify, &members, "given")
}

/// A call of the Segment spec; one that names nobody is the given customer's.
pub fn segment(kind: EventKind, members: &[(Text, Value)], given: &Given, number: usize, at: Timestamp) -> String {
    let mut members = members.to_vec();
    let has = |members: &[(Text, Value)], name: &str| members.iter().any(|(member, _)| member == name);
    if !has(&members, "userId") && !has(&members, "anonymousId") {
        match caller(given) {
            Some((kind, value)) => name(&mut members, kind, value),
            None => name(&mut members, &IdentifierKind::AnonymousId, SOMEBODY),
        }
    }
    if !has(&members, "timestamp") {
        members.push((Text::const_new("timestamp"), Value::Text(Text::from(at.to_string()))));
    }
    line(kind, &members, &format!("scenario-{number}"))
}

/// By what the given customer's calls name him: the user id, else the anonymous id, else what is given first.
fn caller(given: &Given) -> Option<(&IdentifierKind, &str)> {
    let of = |wanted: IdentifierKind| given.identifiers.iter().find(|(kind, _)| *kind == wanted);
    let found = of(IdentifierKind::UserId).or_else(|| of(IdentifierKind::AnonymousId)).or_else(|| given.identifiers.first());
    found.map(|(kind, value)| (kind, value.as_str()))
}

/// Adds an identifier where the Segment spec has it.
fn name(members: &mut Vec<(Text, Value)>, kind: &IdentifierKind, value: &str) {
    let member = match kind {
        IdentifierKind::UserId => "userId",
        IdentifierKind::AnonymousId => "anonymousId",
        _ => return external(members, kind, value),
    };
    members.push((Text::const_new(member), Value::from(value)));
}

fn external(members: &mut Vec<(Text, Value)>, kind: &IdentifierKind, value: &str) {
    let entry = Value::Map(vec![(Text::const_new("id"), Value::from(value)), (Text::const_new("type"), Value::from(kind.name()))]);
    let place = members.iter().position(|(member, _)| member == "context").unwrap_or_else(|| {
        members.push((Text::const_new("context"), Value::Map(Vec::new())));
        members.len() - 1
    });
    let Value::Map(context) = &mut members[place].1 else { return };
    match context.iter_mut().find(|(name, _)| name == "externalIds") {
        Some((_, Value::List(entries))) => entries.push(entry),
        Some(_) => {}
        None => context.push((Text::const_new("externalIds"), Value::List(vec![entry]))),
    }
}

fn line(kind: EventKind, members: &[(Text, Value)], message_id: &str) -> String {
    let kind = kind.name();
    let mut out = format!("{{\"type\":\"{kind}\"");
    write_members(&mut out, members);
    if !members.iter().any(|(member, _)| member == "messageId") {
        out.push_str(",\"messageId\":");
        write_text(&mut out, message_id);
    }
    out.push('}');
    out
}

/// A CloudEvent in structured mode.
pub fn cloud_event(members: &[(Text, Value)], number: usize, at: Timestamp) -> String {
    let mut out = format!("{{\"specversion\":\"1.0\",\"id\":\"{number}\",\"source\":\"scenario\",\"time\":\"{at}\"");
    write_members(&mut out, members);
    out.push('}');
    out
}

fn write_members(out: &mut String, members: &[(Text, Value)]) {
    for (member, value) in members {
        out.push(',');
        write_text(out, member);
        out.push(':');
        write_value(out, value);
    }
}

pub fn consents(given: &Given, at: Timestamp) -> Vec<ConsentEntry> {
    let entry = |consent: &crate::workspace::scenario::GivenConsent| ConsentEntry {
        purpose: consent.purpose.clone(),
        channel: consent.channel.clone(),
        point: None,
        // What is given stands, under a double opt-in too.
        state: if consent.granted { ConsentState::Confirmed } else { ConsentState::Withdrawn },
        at,
        proof: Text::const_new("given"),
    };
    given.consents.iter().map(entry).collect()
}

//! Everything of one kind as lines of JSON, streamed while the server runs.

use super::backup::stream;
use super::input::{Asked, instant};
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use faden_engine::decision::read_row;
use faden_engine::profile::Profile;
use faden_model::id::Born;
use faden_model::{Event, EventKind, IdentifierKind, MessageId, ProfileId, Record, Timestamp};
use faden_runtime::views::MessageRow;
use faden_storage::store::Store;
use faden_storage::{LogReaders, Position, Table};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use utoipa::{IntoParams, OpenApi};

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/export/{what}", Need::Scope(Scope::ProfilesRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/export/{what}", get(export))
}

#[derive(OpenApi)]
#[openapi(paths(export))]
pub struct Document;

/// What can be exported.
#[derive(Clone, Copy)]
enum What {
    Profiles,
    Events,
    Messages,
    Decisions,
}

/// Which events.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Range {
    /// Events that were taken from this instant on; of other things all are written.
    from: Option<String>,
    /// Events that were taken up to this instant.
    to: Option<String>,
}

impl Range {
    fn instants(&self) -> Result<(Timestamp, Timestamp), Problem> {
        let read = |name: &str, text: &Option<String>| text.as_deref().map(|text| instant(name, text)).transpose();
        Ok((read("from", &self.from)?.unwrap_or(Timestamp::MIN), read("to", &self.to)?.unwrap_or(Timestamp::MAX)))
    }
}

/// All profiles, events, messages or decisions as lines of JSON
#[utoipa::path(get, path = "/api/v1/export/{what}", tag = "system", params(("what" = String, Path, description = "`profiles`, `events`, `messages` or `decisions`"), Range),
    responses((status = 200, description = "one JSON object a line", content_type = "application/x-ndjson"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn export(State(app): State<App>, Path(what): Path<String>, Asked(range): Asked<Range>) -> Result<Response, Problem> {
    let range = range.instants()?;
    let what = match what.as_str() {
        "profiles" => What::Profiles,
        "events" => What::Events,
        "messages" => What::Messages,
        "decisions" => What::Decisions,
        _ => return Err(Problem::not_found("export; ask for profiles, events, messages or decisions")),
    };
    let taken = app.keeper.look(|node| {
        node.settle_keeping_log().ok()?;
        Some((node.store()?.lock().view(), node.log_readers()?))
    });
    let (view, log) = taken.await?.ok_or_else(|| crate::keeper::Refusal::Down("its state cannot be written".to_owned()))?;
    Ok(stream("application/x-ndjson", format!("faden-{}.ndjson", name(what)), move |out| write(what, &*view, &log, range, out)))
}

fn name(what: What) -> &'static str {
    match what {
        What::Profiles => "profiles",
        What::Events => "events",
        What::Messages => "messages",
        What::Decisions => "decisions",
    }
}

fn write(what: What, view: &dyn Store, log: &LogReaders, range: (Timestamp, Timestamp), out: &mut dyn Write) -> io::Result<()> {
    match what {
        What::Events => events(log, range, out),
        What::Profiles => rows(view, Table::Profiles, out, |_, bytes, line| {
            line.extend(Profile::decode(bytes).ok().map(|profile| json!({"id": profile.id.to_string(), "profile": profile}).to_string()));
        }),
        What::Messages => rows(view, Table::Messages, out, |key, bytes, line| {
            line.extend(message_id(key).zip(MessageRow::decode(bytes)).map(|(id, row)| message(id, &row).to_string()));
        }),
        What::Decisions => rows(view, Table::Decisions, out, |_, bytes, lines| {
            // As for profiles and messages: a row that cannot be read is left out.
            let _ = read_row(bytes, |decision| {
                let mut line = String::new();
                decision.write_json(&mut line, true);
                lines.push(line);
            });
        }),
    }
}

/// Visits a table; `lines` adds what a row says.
fn rows(view: &dyn Store, table: Table, out: &mut dyn Write, lines: impl Fn(&[u8], &[u8], &mut Vec<String>)) -> io::Result<()> {
    let mut failure = Ok(());
    let scanned = view.scan(table, &[], &[], &mut |key, value| {
        let mut found = Vec::new();
        lines(key, value, &mut found);
        failure = found.iter().try_for_each(|line| writeln!(out, "{line}"));
        if failure.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    failure.and(scanned.map_err(io::Error::other))
}

fn message_id(key: &[u8]) -> Option<MessageId> {
    let under = ProfileId(u64::from_be_bytes(key.get(..8)?.try_into().ok()?));
    Some(MessageId(Born { under, count: u32::from_be_bytes(key.get(8..12)?.try_into().ok()?) }))
}

fn message(id: MessageId, row: &MessageRow) -> Value {
    json!({
        "id": id.to_string(), "at": row.at.to_string(), "profile": row.profile.to_string(), "user_id": row.user_id.as_str(),
        "enrollment": row.enrollment.to_string(), "journey": row.journey.as_str(), "step": row.step.as_str(), "template": row.template.as_str(),
        "purpose": row.purpose.as_str(), "channel": row.channel.as_str(), "address": row.address.as_str(), "state": row.state().name(),
        "history": row.moments.iter().map(|moment| json!({"state": moment.state.name(), "at": moment.at.to_string(), "code": moment.code.as_str()})).collect::<Vec<_>>(),
    })
}

fn events(log: &LogReaders, (from, to): (Timestamp, Timestamp), out: &mut dyn Write) -> io::Result<()> {
    let mut reader = log.read(Position(0)).map_err(io::Error::other)?;
    while let Some((_, bytes)) = reader.next().map_err(io::Error::other)? {
        let record = Record::decode(bytes).map_err(io::Error::other)?;
        if let Some(event) = record.command.event()
            && (from..=to).contains(&record.at)
        {
            writeln!(out, "{}", event_line(record.at, event)?)?;
        }
    }
    Ok(())
}

/// What the sender wrote stays as he wrote it: a number that is read as a float and written again may be another one.
fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// An event as a Segment call again, with when it came in; about nobody in particular as a `CloudEvent`.
fn event_line(at: Timestamp, event: &Event<'_>) -> serde_json::Result<String> {
    let mut line = BTreeMap::new();
    let mut put = |name: &'static str, value: Box<RawValue>| drop(line.insert(name, value));
    let text = |text: &str| to_raw_value(text);
    let timestamp = event.timestamp.map(|timestamp| timestamp.to_string());
    put("receivedAt", to_raw_value(&at.to_string())?);
    if event.identifiers.is_empty() {
        let (source, id) = event.message_id.split_once('|').unwrap_or(("faden", &event.message_id));
        put("specversion", text("1.0")?);
        put("id", text(id)?);
        put("source", text(source)?);
        put("type", text(&event.name)?);
        put("time", to_raw_value(&timestamp)?);
        put("data", to_raw_value(&raw(&event.properties))?);
        put("context", to_raw_value(&raw(&event.context))?);
        return serde_json::to_string(&line);
    }
    put("type", text(event.kind.name())?);
    put("messageId", text(&event.message_id)?);
    if let Some(timestamp) = timestamp {
        put("timestamp", text(&timestamp)?);
    }
    match event.kind {
        EventKind::Track => put("event", text(&event.name)?),
        EventKind::Group => put("groupId", text(&event.name)?),
        EventKind::Page | EventKind::Screen => put("name", text(&event.name)?),
        EventKind::Identify | EventKind::Alias => {}
    }
    let mut external = Vec::new();
    // An alias has the id that joins as its last anonymous one.
    let previous = event.identifiers.iter().rposition(|one| event.kind == EventKind::Alias && one.kind == IdentifierKind::AnonymousId);
    for (place, identifier) in event.identifiers.iter().enumerate() {
        match identifier.kind {
            IdentifierKind::AnonymousId if previous == Some(place) => put("previousId", text(&identifier.value)?),
            IdentifierKind::UserId => put("userId", text(&identifier.value)?),
            IdentifierKind::AnonymousId => put("anonymousId", text(&identifier.value)?),
            _ => external.push(to_raw_value(&json!({"type": identifier.kind.name(), "id": identifier.value}))?),
        }
    }
    let context = context(&event.context, external)?;
    for (name, value) in [("properties", &*event.properties), ("traits", &*event.traits), ("context", &context)] {
        if serde_json::from_str::<BTreeMap<String, &RawValue>>(value).is_ok_and(|members| !members.is_empty())
            && let Some(value) = raw(value)
        {
            put(name, value.to_owned());
        }
    }
    serde_json::to_string(&line)
}

/// The context with identifiers that have no member of their own.
fn context(text: &str, external: Vec<Box<RawValue>>) -> serde_json::Result<Cow<'_, str>> {
    let Some(mut members) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text).ok().filter(|_| !external.is_empty()) else {
        return Ok(Cow::Borrowed(text));
    };
    let known = members.get("externalIds").map_or(Ok(Vec::new()), |known| serde_json::from_str::<Vec<Box<RawValue>>>(known.get()));
    // What is there and no list stays.
    if let Ok(mut all) = known {
        all.extend(external);
        members.insert("externalIds".to_owned(), to_raw_value(&all)?);
    }
    serde_json::to_string(&members).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_model::event::Receipt;

    #[test]
    fn an_exported_event_has_the_digits_that_its_sender_wrote() {
        for (call, exported) in [
            (
                r#"{"type":"track","messageId":"m","userId":"u","event":"Bought","properties":{"a":3.8000000000000003,"b":12345678901234567890.120}}"#,
                r#"{"event":"Bought","messageId":"m","properties":{"a":3.8000000000000003,"b":12345678901234567890.120},"receivedAt":"1970-01-01T00:00:00Z","type":"track","userId":"u"}"#,
            ),
            (
                r#"{"type":"identify","messageId":"m","userId":"u","traits":{},"context":{"x":1.10,"externalIds":[{"type":"crm_id","id":"c"}]}}"#,
                r#"{"context":{"externalIds":[{"type":"crm_id","id":"c"},{"id":"c","type":"crm_id"}],"x":1.10},"messageId":"m","receivedAt":"1970-01-01T00:00:00Z","type":"identify","userId":"u"}"#,
            ),
        ] {
            let at = Timestamp(0);
            let event = Event::parse_received(call, "DE", &Receipt { kind: None, received_at: Some(at), sent_at: None }).unwrap();
            assert_eq!(event_line(at, &event).unwrap(), exported);
        }
    }
}

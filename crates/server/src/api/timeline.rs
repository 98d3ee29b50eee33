//! Everything that happened to one person, newest first: his events from the log, and what was decided.

use super::input::{Asked, bad_input};
use super::lines::{Cursor, Line, Lines};
use super::page::{Page, Paging, blocking};
use super::person::{Person, person, raw_text};
use crate::access::Need;
use crate::keys::Scope;
use crate::past::{Told, newest, read};
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use faden_engine::decision::tell;
use faden_engine::view::reaction_name;
use faden_model::json::write_text;
use faden_model::{Event, EventKind, Timestamp};
use faden_storage::{LogError, LogReaders, Position};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use utoipa::{IntoParams, OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/profiles/{id}/timeline", Need::Scope(Scope::ProfilesRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/profiles/{id}/timeline", get(timeline))
}

#[derive(OpenApi)]
#[openapi(paths(timeline))]
pub struct Document;

/// Events and decisions that one call looks at; what a filter leaves aside counts.
const LOOKED_AT_MAX: usize = 500;

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    Event,
    Message,
    Journey,
    Audience,
    Consent,
    Identity,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineItem {
    pub id: String,
    pub at: String,
    pub kind: TimelineKind,
    pub title: String,
    pub detail: String,
    /// Of an event: the source that it came from, where one is known.
    pub source: Option<String>,
    /// The message, passage or decision that can be explained.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The event as it was sent, or the decision as it was written.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Of these kinds only: `event,message,journey,audience,consent,identity`.
    kinds: Option<String>,
    /// Only what says this.
    q: Option<String>,
    page_token: Option<String>,
    /// 1 to 500; 50 where it is missing.
    limit: Option<u64>,
}

/// Where a page begins: events before a position, decisions before their counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Start(u64, Cursor);

/// Everything that happened to one person, newest first
///
/// A filter that finds little in a long life gives short pages; go on with `next_page_token` until it is null.
#[utoipa::path(get, path = "/api/v1/profiles/{id}/timeline", tag = "profiles", params(("id" = String, Path, description = "a profile's id or kind:value"), Filter),
    responses((status = 200, body = Page<TimelineItem>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn timeline(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<TimelineItem>>, Problem> {
    let paging = Paging::new(filter.page_token, filter.limit);
    let (limit, start) = (paging.limit()?, paging.start::<Start>()?);
    let kinds = kinds(filter.kinds.as_deref())?;
    let start = start.unwrap_or(Start(u64::MAX, Cursor::new()));
    let before = Position(start.0);
    let (person, (unwritten, unsaved)) = person(&app, &id, move |node, person| {
        let unsaved = node.views().map(|views| views.timeline.unsaved(&person.strands, before)).unwrap_or_default();
        (node.unwritten_of(&person.strands), unsaved)
    })
    .await?;
    let log = app.log.read().expect("no holder of this lock panics").clone();
    let q = filter.q.map(|q| q.to_lowercase()).filter(|q| !q.is_empty());
    let merged = blocking(move || {
        let lines = Lines::new(&person, &unwritten);
        let mut life =
            Life { person, lines, log, unsaved, start, events: VecDeque::new(), decisions: VecDeque::new(), kinds, done: (false, false) };
        life.page(limit, q.as_deref())
    });
    let (items, next) = merged.await?.map_err(|error| unreadable(&error))?;
    Ok(Page::new(items, next.as_ref()))
}

fn unreadable(error: &LogError) -> Problem {
    tracing::error!(%error, "events of a person could not be read");
    let hint = "`faden doctor` says what is wrong with the log";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "log-unreadable", "the events of this person could not be read", hint)
}

fn kinds(text: Option<&str>) -> Result<Vec<TimelineKind>, Problem> {
    use TimelineKind::{Audience, Consent, Event, Identity, Journey, Message};
    let all = [
        ("event", Event),
        ("message", Message),
        ("journey", Journey),
        ("audience", Audience),
        ("consent", Consent),
        ("identity", Identity),
    ];
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(all.map(|(_, kind)| kind).to_vec()) };
    let read = |name: &str| {
        let known = all.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        known.ok_or_else(|| bad_input(format!("`kinds` has `{name}`; it may have {}", all.map(|(name, _)| name).join(", "))))
    };
    text.split(',').map(|name| read(name.trim())).collect()
}

/// Two streams of one life, both newest first.
struct Life {
    person: Person,
    lines: Lines,
    log: LogReaders,
    /// Positions that stand in no row yet, newest first.
    unsaved: Vec<Position>,
    start: Start,
    events: VecDeque<(Position, Timestamp, TimelineItem)>,
    decisions: VecDeque<Line>,
    kinds: Vec<TimelineKind>,
    /// Nothing is left of events, of decisions.
    done: (bool, bool),
}

impl Life {
    fn page(&mut self, limit: usize, q: Option<&str>) -> Result<(Vec<TimelineItem>, Option<Start>), LogError> {
        let mut items = Vec::new();
        let only_events = self.kinds == [TimelineKind::Event];
        self.done = (!self.kinds.contains(&TimelineKind::Event), only_events);
        for _ in 0..LOOKED_AT_MAX {
            self.fill(limit)?;
            // What an event led to is decided at its instant, after it.
            let decision_first = match (self.events.front(), self.decisions.front()) {
                (None, None) => return Ok((items, None)),
                (Some((_, at, _)), Some(line)) => line.at >= *at,
                (event, _) => event.is_none(),
            };
            let item = if decision_first { self.next_decision() } else { self.next_event() };
            items.extend(item.filter(|item| self.kinds.contains(&item.kind) && q.is_none_or(|q| says(item, q))));
            if items.len() >= limit {
                break;
            }
        }
        Ok((items, Some(self.start.clone())))
    }

    fn next_decision(&mut self) -> Option<TimelineItem> {
        let line = self.decisions.pop_front()?;
        self.start.1.insert(line.id.under.0, line.id.count);
        decision(line)
    }

    fn next_event(&mut self) -> Option<TimelineItem> {
        let (position, _, item) = self.events.pop_front()?;
        self.start.0 = position.0;
        Some(item)
    }

    /// Has something of both streams at hand, as long as there is something.
    fn fill(&mut self, count: usize) -> Result<(), LogError> {
        if self.decisions.is_empty() && !self.done.1 {
            self.decisions = self.lines.newest(&self.start.1, count, |_| true).into();
            self.done.1 = self.decisions.is_empty();
        }
        if self.events.is_empty() && !self.done.0 {
            let before = Position(self.start.0);
            let positions = newest(&self.person.store, &self.person.strands, &self.unsaved, before, count);
            self.events = read(&self.log, &positions, |told| (told.position, told.at, happened(told)))?;
            self.done.0 = positions.is_empty();
        }
        Ok(())
    }
}

fn says(item: &TimelineItem, q: &str) -> bool {
    [item.title.as_str(), &item.detail, item.data.get()].iter().any(|text| text.to_lowercase().contains(q))
}

fn happened(told: &Told<'_>) -> TimelineItem {
    let event = told.event;
    let detail = match event.kind {
        EventKind::Track => String::new(),
        EventKind::Identify => names(&event.traits),
        _ => event.name.to_string(),
    };
    TimelineItem {
        id: format!("evt_{}", told.position),
        at: told.at.to_string(),
        kind: TimelineKind::Event,
        title: reaction_name(event).to_owned(),
        detail,
        source: told.source.map(str::to_owned),
        reference: None,
        data: raw_text(sent(event)),
    }
}

/// The names of an object's members.
fn names(object: &str) -> String {
    let mut names = Vec::new();
    // What was looked through at the wall is whole.
    drop(faden_model::json::for_each_member(object, |name, _| names.push(name.to_owned())));
    names.join(", ")
}

/// The event as JSON, its objects as they were sent.
fn sent(event: &Event<'_>) -> String {
    let mut out = String::from("{\"type\":");
    write_text(&mut out, event.kind.name());
    for (name, value) in [("name", &event.name), ("message_id", &event.message_id)] {
        out.push_str(&format!(",\"{name}\":"));
        write_text(&mut out, value);
    }
    if let Some(timestamp) = event.timestamp {
        out.push_str(&format!(",\"timestamp\":\"{timestamp}\""));
    }
    out.push_str(",\"identifiers\":[");
    for (place, identifier) in event.identifiers.iter().enumerate() {
        out.push_str(if place == 0 { "{\"kind\":" } else { ",{\"kind\":" });
        write_text(&mut out, identifier.kind.name());
        out.push_str(",\"value\":");
        write_text(&mut out, &identifier.value);
        out.push('}');
    }
    out.push(']');
    for (name, object) in [("properties", &event.properties), ("traits", &event.traits), ("context", &event.context)] {
        if object.len() > 2 {
            out.push_str(&format!(",\"{name}\":{object}"));
        }
    }
    out.push('}');
    out
}

fn decision(line: Line) -> Option<TimelineItem> {
    let read: Value = serde_json::from_str(&line.text).ok()?;
    let text = |name: &str| read[name].as_str().map(str::to_owned);
    let (kind, title) = match read["kind"].as_str()? {
        "message" => (TimelineKind::Message, text("template")),
        "audience" => (TimelineKind::Audience, text("audience")),
        "consent" => (TimelineKind::Consent, text("purpose")),
        "merged" | "unmerged" | "left_out" => (TimelineKind::Identity, text("kind")),
        _ => (TimelineKind::Journey, text("journey").or_else(|| text("experiment")).or_else(|| text("kind"))),
    };
    Some(TimelineItem {
        id: text("id")?,
        at: text("at")?,
        kind,
        title: title.unwrap_or_default(),
        detail: tell::sentence(&read),
        source: None,
        reference: text("message").or_else(|| text("enrollment")).or_else(|| text("id")),
        data: raw_text(line.text),
    })
}

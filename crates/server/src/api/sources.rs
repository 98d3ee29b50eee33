//! What comes in: the sources and what they send, and the letters that could not be taken.

use super::input::{Asked, Page, bad_input};
use super::workspace::blocking;
use crate::access::{Need, Who};
use crate::dead_letters::DeadLetter;
use crate::ingest;
use crate::keeper::now;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::sources::{NameCounts, SourceCounts};
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use faden_model::Timestamp;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/sources", Need::Scope(Scope::WorkspaceRead)),
    // Letters hold what customers did.
    ("GET", "/api/v1/dead_letters", Need::Scope(Scope::Operate)),
    ("POST", "/api/v1/dead_letters/{id}/retry", Need::Scope(Scope::Operate)),
    ("DELETE", "/api/v1/dead_letters/{id}", Need::Scope(Scope::Operate)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/sources", get(sources))
        .route("/api/v1/dead_letters", get(dead_letters))
        .route("/api/v1/dead_letters/{id}/retry", post(retry))
        .route("/api/v1/dead_letters/{id}", delete(remove))
}

#[derive(OpenApi)]
#[openapi(paths(sources, dead_letters, retry, remove))]
pub struct Document;

/// Minutes of volume that are shown.
const MINUTES: i64 = 60;

#[derive(Serialize, ToSchema)]
pub struct Sources {
    pub items: Vec<Source>,
    pub next_page_token: Option<String>,
}

/// A sender of events. Counts are since `since`: the source's first event after the server was started.
#[derive(Serialize, ToSchema)]
pub struct Source {
    pub source: String,
    /// Whether the workspace declares it; others are API keys that send events.
    pub declared: bool,
    pub since: Option<String>,
    pub last_at: Option<String>,
    pub events_total: u64,
    /// The last hour, oldest first; the minute that runs comes last.
    pub events_per_minute: Vec<u64>,
    pub kinds: Vec<Kind>,
    pub refused: u64,
}

/// Events of one name.
#[derive(Serialize, ToSchema)]
pub struct Kind {
    pub name: String,
    pub count: u64,
    pub last_at: String,
    /// As sampled events have them.
    pub properties: Vec<Property>,
}

#[derive(Serialize, ToSchema)]
pub struct Property {
    pub name: String,
    /// `text`, `number`, `boolean`, `time`, `list`, `map`, `null`.
    pub types: Vec<String>,
    /// How many of the sampled events have it, 0 to 1.
    pub share: f64,
}

#[derive(Serialize, ToSchema)]
pub struct DeadLetters {
    pub items: Vec<DeadLetter>,
    pub next_page_token: Option<String>,
}

/// What became of a letter that was sent again.
#[derive(Serialize, ToSchema)]
pub struct Retried {
    pub accepted: bool,
    pub code: Option<String>,
    pub reason: Option<String>,
}

/// Sources of events and what they send
#[utoipa::path(get, path = "/api/v1/sources", tag = "sources", responses((status = 200, body = Sources), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn sources(State(app): State<App>) -> Json<Sources> {
    let mut counts = app.live.sources.all();
    let published = app.published();
    let declared: Vec<String> = published.definitions.sources.keys().map(ToString::to_string).collect();
    for name in &declared {
        counts.entry(name.clone()).or_default();
    }
    let items = counts.into_iter().map(|(name, counts)| source(declared.contains(&name), name, &counts));
    Json(Sources { items: items.collect(), next_page_token: None })
}

fn source(declared: bool, source: String, counts: &SourceCounts) -> Source {
    let minute = now().0 / 60_000;
    let at = |ms: i64| (ms > 0).then(|| Timestamp(ms).to_string());
    let volume = (minute - MINUTES + 1..=minute).map(|minute| counts.minutes.get(&minute).copied().unwrap_or(0));
    Source {
        source,
        declared,
        since: at(counts.first_at),
        last_at: at(counts.last_at),
        events_total: counts.events,
        events_per_minute: volume.collect(),
        kinds: counts.names.iter().map(|(name, counts)| kind(name, counts)).collect(),
        refused: counts.refused,
    }
}

fn kind(name: &str, counts: &NameCounts) -> Kind {
    let properties = counts.properties.iter().map(|(name, of)| Property {
        name: name.clone(),
        types: of.types.iter().map(|name| (*name).to_owned()).collect(),
        share: of.seen as f64 / counts.sampled.max(1) as f64,
    });
    Kind { name: name.to_owned(), count: counts.count, last_at: Timestamp(counts.last_at).to_string(), properties: properties.collect() }
}

/// What intake refused, newest first
#[utoipa::path(get, path = "/api/v1/dead_letters", tag = "sources", params(Page),
    responses((status = 200, body = DeadLetters), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn dead_letters(State(app): State<App>, Asked(page): Asked<Page>) -> Result<Json<DeadLetters>, Problem> {
    let limit = page.limit()?;
    let items = app.dead_letters.newest(page.token()?, limit);
    let next = items.last().filter(|_| items.len() == limit).map(|letter| letter.id.to_string());
    Ok(Json(DeadLetters { items, next_page_token: next }))
}

fn letter(app: &App, id: &str) -> Result<DeadLetter, Problem> {
    let id: u64 = id.parse().map_err(|_| bad_input("the id of a dead letter is a number"))?;
    app.dead_letters.get(id).ok_or_else(|| Problem::not_found("dead letter"))
}

/// Sends a dead letter through intake again
#[utoipa::path(post, path = "/api/v1/dead_letters/{id}/retry", tag = "sources", params(("id" = u64, Path)),
    responses((status = 200, body = Retried), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn retry(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Retried>, Problem> {
    let letter = letter(&app, &id)?;
    if let Some(rejected) = ingest::again(&app, &letter).await? {
        return Ok(Json(Retried { accepted: false, code: Some(rejected.code), reason: Some(rejected.reason) }));
    }
    let noted = blocking(move || app.dead_letters.retried(letter.id)).await?;
    noted.map_err(|error| unwritten(&error))?;
    Ok(Json(Retried { accepted: true, code: None, reason: None }))
}

/// Throws a dead letter away
#[utoipa::path(delete, path = "/api/v1/dead_letters/{id}", tag = "sources", params(("id" = u64, Path)),
    responses((status = 204, description = "it is gone"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn remove(State(app): State<App>, Who(caller): Who, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let letter = letter(&app, &id)?;
    let removed = blocking(move || {
        app.audit.write(&now().to_string(), &caller.name, "dead_letter.removed", &letter.id.to_string(), &letter.code)?;
        app.dead_letters.remove(letter.id)
    });
    removed.await?.map_err(|error| unwritten(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file of the server's own cannot be written.
pub(super) fn unwritten(error: &std::io::Error) -> Problem {
    let detail = format!("this cannot be written down right now: {error}; nothing was changed");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", detail, "look at the data directory and the disk, then try again")
}

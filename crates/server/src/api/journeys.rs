//! Journeys: the list, and each with its map and how many are where.

use super::graph::{EntryLabel, Graph, entry_label, exit_label, goal_label, graph};
use super::page::{Page, blocking};
use super::passage::version_text;
use crate::access::Need;
use crate::keeper::now;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use faden_engine::Index;
use faden_engine::audience::key_of;
use faden_engine::journey::JourneyVersion;
use faden_engine::workspace::{Files, about};
use faden_model::{Command, Record};
use faden_runtime::SharedStore;
use faden_runtime::views::{Counts, JourneyCounts};
use faden_storage::{LogReaders, Position};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/journeys", Need::Scope(Scope::WorkspaceRead)),
    ("GET", "/api/v1/journeys/{name}", Need::Scope(Scope::WorkspaceRead)),
];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/journeys", get(list)).route("/api/v1/journeys/{name}", get(one))
}

#[derive(OpenApi)]
#[openapi(paths(list, one))]
pub struct Document;

/// Hours of a trend.
const TREND: u64 = 24;
/// Publications that are looked through for when a version came; older ones are not said.
const PUBLICATIONS_MAX: usize = 100;

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JourneyState {
    Live,
    /// Nothing lets anybody in.
    Draft,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct JourneySummary {
    pub journey: String,
    pub title: String,
    pub purpose: String,
    pub version: String,
    pub state: JourneyState,
    pub running: u64,
    pub entered: u64,
    /// Ended by their goal.
    pub converted: u64,
    pub completed: u64,
    pub exited: u64,
    /// Entries per hour of the last 24, the running one last.
    pub trend: Vec<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Journey {
    pub journey: String,
    pub title: String,
    pub description: Option<String>,
    pub purpose: String,
    pub version: String,
    /// Newest first.
    pub versions: Vec<Version>,
    pub file: String,
    /// The definition's text.
    pub source: String,
    pub entry: Vec<EntryLabel>,
    pub exits: Vec<String>,
    pub goal: Option<String>,
    /// Of the current version.
    pub graph: Graph,
    /// Of all versions together.
    pub counts: JourneyNumbers,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    pub version: String,
    /// When it was published first; null when that is too long ago.
    pub published_at: Option<String>,
    pub running: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct JourneyNumbers {
    pub running: u64,
    pub entered: u64,
    pub converted: u64,
    pub completed: u64,
    pub exited: u64,
    pub goal: u64,
}

/// Definitions and counts of one instant.
pub async fn counted(app: &App) -> Result<(Arc<Index>, Counts), Problem> {
    let look = |node: &mut faden_runtime::Node| {
        let counts = node.views().map(|views| views.counts.clone()).unwrap_or_default();
        (node.index().clone(), counts)
    };
    Ok(app.keeper.look(look).await?)
}

/// The current version of a journey, by its name.
pub fn named<'i>(index: &'i Index, name: &str) -> Result<&'i Arc<JourneyVersion>, Problem> {
    index.current(key_of(name)).filter(|version| version.name == name).ok_or_else(|| Problem::not_found("journey"))
}

/// All journeys with their numbers
#[utoipa::path(get, path = "/api/v1/journeys", tag = "journeys",
    responses((status = 200, body = Page<JourneySummary>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>) -> Result<Json<Page<JourneySummary>>, Problem> {
    let (index, counts) = counted(&app).await?;
    let none = JourneyCounts::default();
    let hour = u64::try_from(now().0 / 3_600_000).unwrap_or(0);
    let summary = |version: &Arc<JourneyVersion>| {
        let counts = counts.journeys.get(&version.name).unwrap_or(&none);
        JourneySummary {
            journey: version.name.to_string(),
            title: version.title.to_string(),
            purpose: version.purpose.to_string(),
            version: version_text(version.version),
            state: if version.entries.is_empty() { JourneyState::Draft } else { JourneyState::Live },
            running: counts.running(),
            entered: counts.entered,
            converted: counts.converted,
            completed: counts.completed,
            exited: counts.exited,
            trend: (hour.saturating_sub(TREND - 1)..=hour).map(|hour| counts.hours.get(&hour).copied().unwrap_or(0)).collect(),
        }
    };
    Ok(Page::whole(index.definitions.journeys.iter().map(summary).collect()))
}

/// One journey with its map and how many are where
#[utoipa::path(get, path = "/api/v1/journeys/{name}", tag = "journeys", params(("name" = String, Path, description = "its name")),
    responses((status = 200, body = Journey), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn one(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Journey>, Problem> {
    let (index, counts) = counted(&app).await?;
    let version = named(&index, &name)?.clone();
    let counts = counts.journeys.get(&version.name).cloned().unwrap_or_default();
    let (unwritten, store) = app.keeper.look(|node| (node.unwritten_publications(), node.store().cloned())).await?;
    let log = app.log.read().expect("no holder of this lock panics").clone();
    let published = blocking({
        let name = name.clone();
        move || publications(&name, unwritten, store.as_ref(), &log)
    })
    .await?;
    let published_at = |version: u64| published.get(&version).cloned();
    let mut versions: Vec<Version> = index
        .versions_of(version.key)
        .map(|known| Version {
            version: version_text(known.version),
            published_at: published_at(known.version),
            running: counts.running_in(known.version),
        })
        .collect();
    versions.sort_by(|one, next| next.published_at.cmp(&one.published_at));
    let files = &app.published().files;
    let (file, source) = files.defining("journeys", "journey", &name).unwrap_or_default();
    Ok(Json(Journey {
        journey: name.clone(),
        title: version.title.to_string(),
        description: about(source).remove("description"),
        purpose: version.purpose.to_string(),
        version: version_text(version.version),
        versions,
        file: file.to_owned(),
        source: source.to_owned(),
        entry: version.entries.iter().map(|entry| entry_label(&index, entry)).collect(),
        exits: version.exits.iter().map(|exit| exit_label(&index, exit)).collect(),
        goal: goal_label(&version),
        graph: graph(&index, &version, &counts),
        counts: JourneyNumbers {
            running: counts.running(),
            entered: counts.entered,
            converted: counts.converted,
            completed: counts.completed,
            exited: counts.exited,
            goal: counts.goals,
        },
    }))
}

/// When each version of a journey was published first.
fn publications(name: &str, unwritten: Vec<Position>, store: Option<&SharedStore>, log: &LogReaders) -> BTreeMap<u64, String> {
    let mut positions = store.map(SharedStore::publications).unwrap_or_default();
    positions.extend(unwritten);
    positions.sort_unstable();
    positions.dedup();
    let mut found = BTreeMap::new();
    for position in positions.iter().rev().take(PUBLICATIONS_MAX).rev() {
        // What the log no longer holds is not said.
        let Ok(mut reader) = log.read(*position) else { continue };
        let Ok(Some((_, bytes))) = reader.next() else { continue };
        let Ok(Record { at, command: Command::Publish { files } }) = Record::decode(bytes) else { continue };
        if let Some((_, text)) = Files(files).defining("journeys", "journey", name) {
            found.entry(key_of(text)).or_insert_with(|| at.to_string());
        }
    }
    found
}

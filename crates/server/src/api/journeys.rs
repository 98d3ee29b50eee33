//! Journeys: the list, and each with its map and how many are where.

use super::graph::{EntryLabel, Graph, entry_label, exit_label, goal_label, graph};
use super::input::{Asked, bad_input, instant};
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
use faden_engine::decision::Outcome;
use faden_engine::journey::JourneyVersion;
use faden_engine::track::Place;
use faden_engine::workspace::{Files, about};
use faden_model::{Command, Record, Timestamp};
use faden_runtime::SharedStore;
use faden_runtime::views::flow::{HOURS, between};
use faden_runtime::views::{Counts, JourneyCounts, Ways, hour};
use faden_storage::{LogReaders, Position};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use utoipa::{IntoParams, OpenApi, ToSchema};

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
    /// Reached their goal, whatever ended them.
    pub goal: u64,
    /// Whether there is a goal to reach.
    pub has_goal: bool,
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
    /// The definition's text; empty for a version whose publication is too long ago.
    pub source: String,
    pub entry: Vec<EntryLabel>,
    pub exits: Vec<String>,
    pub goal: Option<String>,
    pub graph: Graph,
    /// Of all versions together; where a version or a range was asked for, of that alone. `running` is always of now.
    pub counts: JourneyNumbers,
    /// The whole hours that were counted, where a range was asked for.
    pub range: Option<HourRange>,
}

/// From the beginning of an hour to the end of another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HourRange {
    pub from: String,
    pub to: String,
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
            goal: counts.goals,
            has_goal: version.goal.is_some(),
            trend: (hour.saturating_sub(TREND - 1)..=hour).map(|hour| counts.hours.get(&hour).copied().unwrap_or(0)).collect(),
        }
    };
    Ok(Page::whole(index.definitions.journeys.iter().map(summary).collect()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Shown {
    /// One of `versions`; the current one where it is missing.
    version: Option<String>,
    /// Count from the hour of this instant on, two weeks back at most.
    from: Option<String>,
    /// Count up to the end of the hour of this instant.
    to: Option<String>,
}

/// One journey with its map and how many are where
///
/// With `from` or `to` the map says how many went which way in that time; who waits is always of now.
#[utoipa::path(get, path = "/api/v1/journeys/{name}", tag = "journeys", params(("name" = String, Path, description = "its name"), Shown),
    responses((status = 200, body = Journey), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn one(State(app): State<App>, Path(name): Path<String>, Asked(shown): Asked<Shown>) -> Result<Json<Journey>, Problem> {
    let (index, counts) = counted(&app).await?;
    let current = named(&index, &name)?.clone();
    let version = match &shown.version {
        None => current.clone(),
        Some(text) => {
            let known = index.versions_of(current.key).find(|known| version_text(known.version) == *text);
            known.cloned().ok_or_else(|| Problem::not_found("version of this journey"))?
        }
    };
    let counts = counts.journeys.get(&version.name).cloned().unwrap_or_default();
    let hours = hours(&shown)?;
    let (ways, publications) = looked_up(&app, &name, &version, hours.clone()).await?;
    let ways = ways.or_else(|| counts.versions.get(&version.version).cloned()).unwrap_or_default();
    let mut versions: Vec<Version> = index
        .versions_of(version.key)
        .map(|known| Version {
            version: version_text(known.version),
            published_at: publications.get(&known.version).map(|publication| publication.at.clone()),
            running: counts.running_in(known.version),
        })
        .collect();
    versions.sort_by(|one, next| next.published_at.cmp(&one.published_at));
    let files = &app.published().files;
    let (file, source) = match publications.get(&version.version) {
        _ if version.version == current.version => files.defining("journeys", "journey", &name).unwrap_or_default(),
        Some(publication) => (publication.file.as_str(), publication.text.as_str()),
        None => Default::default(),
    };
    let numbers = if shown.version.is_none() && hours.is_none() { of_all(&counts) } else { of_version(&counts, version.version, &ways) };
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
        graph: graph(&index, &version, &counts, &ways),
        counts: numbers,
        range: hours.map(|hours| HourRange { from: begin(*hours.start()).to_string(), to: begin(hours.end() + 1).to_string() }),
    }))
}

/// The hours that are asked for; those that are no longer kept are left out.
fn hours(shown: &Shown) -> Result<Option<RangeInclusive<u64>>, Problem> {
    if shown.from.is_none() && shown.to.is_none() {
        return Ok(None);
    }
    let now = hour(now());
    let read = |name: &str, text: &Option<String>| text.as_deref().map(|text| instant(name, text)).transpose();
    let from = read("from", &shown.from)?.map_or(0, hour).max(now.saturating_sub(HOURS));
    let to = read("to", &shown.to)?.map_or(now, hour).min(now);
    if from > to { Err(bad_input("`from` is behind `to`, or the range lies outside of the last two weeks")) } else { Ok(Some(from..=to)) }
}

fn begin(hour: u64) -> Timestamp {
    Timestamp(i64::try_from(hour * 3_600_000).unwrap_or(i64::MAX))
}

/// What the store and the log know: the ways of the range, and when which version was published.
async fn looked_up(
    app: &App,
    name: &str,
    version: &JourneyVersion,
    hours: Option<RangeInclusive<u64>>,
) -> Result<(Option<Ways>, BTreeMap<u64, Publication>), Problem> {
    let (key, version, asked) = (version.key, version.version, hours.clone());
    let look = app.keeper.look(move |node| {
        let unsaved = asked.and_then(|hours| node.views().map(|views| views.flow.unsaved(key, version, hours)));
        (node.unwritten_publications(), node.store().cloned(), unsaved.unwrap_or_default())
    });
    let (unwritten, store, unsaved) = look.await?;
    let log = app.log.read().expect("no holder of this lock panics").clone();
    let name = name.to_owned();
    blocking(move || {
        let ways = hours.and_then(|hours| Some(between(store.as_ref()?, unsaved, key, version, hours)));
        (ways, publications(&name, unwritten, store.as_ref(), &log))
    })
    .await
}

fn of_all(counts: &JourneyCounts) -> JourneyNumbers {
    JourneyNumbers {
        running: counts.running(),
        entered: counts.entered,
        converted: counts.converted,
        completed: counts.completed,
        exited: counts.exited,
        goal: counts.goals,
    }
}

/// By the ways of one version, in whatever time.
fn of_version(counts: &JourneyCounts, version: u64, ways: &Ways) -> JourneyNumbers {
    let sum = |wanted: &dyn Fn(&Place, &str) -> bool| -> u64 {
        let whole = ways.iter().filter(|((from, to, went), _)| *from == Place::Entry && wanted(to, went));
        whole.map(|(_, count)| count).sum()
    };
    let ended = |outcome: Outcome| sum(&|to, went| *to == Place::End && went == outcome.name());
    JourneyNumbers {
        running: counts.running_in(version),
        entered: sum(&|to, _| matches!(to, Place::Step(_))),
        converted: ended(Outcome::Goal),
        completed: ended(Outcome::Completed),
        exited: ended(Outcome::Exit) + ended(Outcome::Merged),
        goal: sum(&|to, _| *to == Place::Entry),
    }
}

/// A version as it was published first.
struct Publication {
    at: String,
    file: String,
    text: String,
}

/// What each version of a journey was when it was published first.
fn publications(name: &str, unwritten: Vec<Position>, store: Option<&SharedStore>, log: &LogReaders) -> BTreeMap<u64, Publication> {
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
        if let Some((file, text)) = Files(files).defining("journeys", "journey", name) {
            let publication = || Publication { at: at.to_string(), file: file.to_owned(), text: text.to_owned() };
            found.entry(key_of(text)).or_insert_with(publication);
        }
    }
    found
}

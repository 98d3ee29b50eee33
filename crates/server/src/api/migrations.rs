//! Moving passages to another version of their journey: a preview, the move, what was moved, and back.

use super::input::Input;
use super::journeys::{counted, named};
use super::page::Page;
use super::passage::version_text;
use super::profiles::audit;
use crate::access::{Need, Who};
use crate::keeper::now;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use faden_engine::journey::{JourneyVersion, landing};
use faden_model::{Command, Migration, Text};
use faden_runtime::views::migrations::MigrationRow;
use faden_runtime::views::through;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/journeys/{name}/migrations", Need::Scope(Scope::WorkspaceRead)),
    ("POST", "/api/v1/journeys/{name}/migrations", Need::Scope(Scope::WorkspaceWrite)),
    ("POST", "/api/v1/journeys/{name}/migrations/{number}/undo", Need::Scope(Scope::WorkspaceWrite)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/journeys/{name}/migrations", get(list).post(migrate))
        .route("/api/v1/journeys/{name}/migrations/{number}/undo", post(undo))
}

#[derive(OpenApi)]
#[openapi(paths(list, migrate, undo))]
pub struct Document;

/// Which passages move where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationAsked {
    /// The current one where it is missing.
    #[serde(default)]
    pub to_version: Option<String>,
    /// Old step to new step; one that is not named lands on the step of the same id.
    #[serde(default)]
    pub steps: BTreeMap<String, String>,
    /// Only say what would happen.
    #[serde(default)]
    pub preview: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MigrationPlan {
    pub moved: Vec<Moved>,
    /// Passages that stay on their version: their step has no place in the other one, or they are inside a `parallel`.
    pub parked: u64,
    /// Names the migration for its undo; 0 for a preview.
    pub number: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Moved {
    pub step: String,
    /// Null: it stays.
    pub to: Option<String>,
    pub count: u64,
}

/// Move running passages of older versions to another version, or say what would happen
#[utoipa::path(post, path = "/api/v1/journeys/{name}/migrations", tag = "journeys", request_body = Option<MigrationAsked>,
    params(("name" = String, Path, description = "the journey's name")),
    responses((status = 200, body = MigrationPlan), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn migrate(
    State(app): State<App>,
    Path(name): Path<String>,
    Who(caller): Who,
    Input(asked): Input<MigrationAsked>,
) -> Result<Json<MigrationPlan>, Problem> {
    let (index, counts) = counted(&app).await?;
    let current = named(&index, &name)?.clone();
    let to = match &asked.to_version {
        None => current.clone(),
        Some(text) => {
            let known = index.versions_of(current.key).find(|version| version_text(version.version) == *text);
            known.cloned().ok_or_else(|| Problem::not_found("version of this journey"))?
        }
    };
    let steps: BTreeMap<Text, Text> = asked.steps.iter().map(|(old, new)| (Text::new(old), Text::new(new))).collect();
    if let Some(unknown) = steps.values().find(|step| !to.steps.iter().any(|known| known.id == **step)) {
        let hint = "name steps of the version that passages move to";
        return Err(Problem::bad_request("bad-input", format!("the version has no step `{unknown}`"), hint));
    }
    let counts = counts.journeys.get(&current.name).cloned().unwrap_or_default();
    let mut moved: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
    for from in index.versions_of(current.key).filter(|from| from.version != to.version) {
        for (at, step) in (0u16..).zip(&from.steps).filter(|(_, step)| step.kind.waits()) {
            let (came, left) = counts.versions.get(&from.version).map(|ways| through(ways, at)).unwrap_or_default();
            let lands = landing(at, from, &to, &steps).filter(|_| !from.in_parallel(at)).map(|step| step.to_string());
            *moved.entry((step.id.to_string(), lands)).or_default() += came.saturating_sub(left);
        }
    }
    let moved = moved.into_iter().filter(|(_, count)| *count > 0);
    let moved: Vec<Moved> = moved.map(|((step, to), count)| Moved { step, to, count }).collect();
    let parked = moved.iter().filter(|moved| moved.to.is_none()).map(|moved| moved.count).sum();
    if asked.preview {
        return Ok(Json(MigrationPlan { moved, parked, number: 0 }));
    }
    let number = u64::try_from(now().0).unwrap_or_default();
    audit(&app, &caller.name, "journey.migrated", &name, &format!("to version {}, number {number}", version_text(to.version)))?;
    let migration = Migration { number, journey: to.key, to: to.version, steps, undo: false };
    app.keeper.record(Command::Migrate(migration)).await?;
    Ok(Json(MigrationPlan { moved, parked, number }))
}

/// A move of passages that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastMigration {
    /// Names it for its undo.
    pub number: u64,
    pub at: String,
    pub to_version: String,
    /// Old step to new step, as they were named.
    pub steps: BTreeMap<String, String>,
    /// Places of passages that moved.
    pub moved: u64,
    pub undone_at: Option<String>,
    /// Of these, the ones that stand where they stood.
    pub moved_back: u64,
}

/// Moves of this journey's passages that were made, newest first
#[utoipa::path(get, path = "/api/v1/journeys/{name}/migrations", tag = "journeys", params(("name" = String, Path, description = "the journey's name")),
    responses((status = 200, body = Page<PastMigration>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Page<PastMigration>>, Problem> {
    let past = |(number, row): (u64, MigrationRow)| PastMigration {
        number,
        at: row.at.to_string(),
        to_version: version_text(row.to),
        steps: row.steps.iter().map(|(old, new)| (old.to_string(), new.to_string())).collect(),
        moved: row.moved,
        undone_at: row.undone_at.map(|at| at.to_string()),
        moved_back: row.moved_back,
    };
    let (_, rows) = migrations(&app, &name).await?;
    Ok(Page::whole(rows.into_iter().map(past).collect()))
}

/// The journey and its migrations, newest first.
async fn migrations(app: &App, name: &str) -> Result<(Arc<JourneyVersion>, Vec<(u64, MigrationRow)>), Problem> {
    let journey = named(&counted(app).await?.0, name)?.clone();
    let key = journey.key;
    let look = app.keeper.look(move |node| {
        let rows = node.views().map(|views| views.migrations.of(key).map(|(number, row)| (number, row.clone())).collect());
        rows.unwrap_or_default()
    });
    Ok((journey, look.await?))
}

/// Take a migration back: whoever has not gone on since stands where he stood
#[utoipa::path(post, path = "/api/v1/journeys/{name}/migrations/{number}/undo", tag = "journeys",
    params(("name" = String, Path, description = "the journey's name"), ("number" = String, Path, description = "as the migration said it")),
    responses((status = 202, description = "taken back"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn undo(State(app): State<App>, Path((name, number)): Path<(String, String)>, Who(caller): Who) -> Result<StatusCode, Problem> {
    let (journey, rows) = migrations(&app, &name).await?;
    let known = rows.iter().find(|(known, _)| known.to_string() == number);
    let Some((number, _)) = known else { return Err(Problem::not_found("migration of this journey")) };
    audit(&app, &caller.name, "journey.migration_undone", &name, &number.to_string())?;
    let migration = Migration { number: *number, journey: journey.key, to: journey.version, steps: BTreeMap::new(), undo: true };
    app.keeper.record(Command::Migrate(migration)).await?;
    Ok(StatusCode::ACCEPTED)
}

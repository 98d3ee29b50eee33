//! Who is inside a journey, where he stands and what he waits for; and moving passages to another version.

use super::input::{self, Asked, Input};
use super::journeys::{counted, named};
use super::page::{Page, Paging, blocking};
use super::passage::{Passage, passage, version_text};
use super::person::{person, profiles};
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
use faden_engine::audience::key_of;
use faden_engine::journey::{JourneyVersion, landing};
use faden_model::id::Born;
use faden_model::{Command, EnrollmentId, Migration, ProfileId, Text};
use faden_runtime::views::waits::{Of, Standing, standing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/enrollments", Need::Scope(Scope::ProfilesRead)),
    ("GET", "/api/v1/journeys/{name}/steps/{step}/enrollments", Need::Scope(Scope::ProfilesRead)),
    ("POST", "/api/v1/journeys/{name}/migrations", Need::Scope(Scope::WorkspaceWrite)),
    ("POST", "/api/v1/journeys/{name}/migrations/{number}/undo", Need::Scope(Scope::WorkspaceWrite)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/enrollments", get(list))
        .route("/api/v1/journeys/{name}/steps/{step}/enrollments", get(at_step))
        .route("/api/v1/journeys/{name}/migrations", post(migrate))
        .route("/api/v1/journeys/{name}/migrations/{number}/undo", post(undo))
}

#[derive(OpenApi)]
#[openapi(paths(list, at_step, migrate, undo))]
pub struct Document;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    journey: Option<String>,
    /// A profile's id or `kind:value`.
    profile: Option<String>,
    page_token: Option<String>,
    /// 1 to 500; 50 where it is missing.
    limit: Option<u64>,
}

/// Running passages, of one journey or of one person
#[utoipa::path(get, path = "/api/v1/enrollments", tag = "journeys", params(Filter),
    responses((status = 200, body = Page<Passage>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>, Asked(filter): Asked<Filter>) -> Result<Json<Page<Passage>>, Problem> {
    let paging = Paging::new(filter.page_token, filter.limit);
    if let Some(who) = filter.profile {
        let (person, ()) = person(&app, &who, |_, _| ()).await?;
        let items = blocking(move || {
            let profile = person.profile()?;
            let key = filter.journey.as_deref().map(key_of);
            let wanted = profile.enrollments.iter().filter(|running| key.is_none_or(|key| running.journey == key));
            Some(wanted.map(|running| passage(&person.index, &profile, running, None)).collect())
        });
        return Ok(Page::whole(items.await?.unwrap_or_default()));
    }
    let of = match filter.journey {
        Some(name) => Of::Journey(named(&counted(&app).await?.0, &name)?.key),
        None => Of::All,
    };
    standing_page(&app, vec![of], &paging, false).await
}

/// Who stands at one step of a journey, in whatever version
#[utoipa::path(get, path = "/api/v1/journeys/{name}/steps/{step}/enrollments", tag = "journeys",
    params(("name" = String, Path, description = "the journey's name"), ("step" = String, Path, description = "the step's id"), input::Page),
    responses((status = 200, body = Page<Passage>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn at_step(
    State(app): State<App>,
    Path((name, step)): Path<(String, String)>,
    Asked(page): Asked<input::Page>,
) -> Result<Json<Page<Passage>>, Problem> {
    let (index, _) = counted(&app).await?;
    let journey = named(&index, &name)?.key;
    let place = |version: &JourneyVersion| version.steps.iter().position(|known| known.id == step.as_str());
    let of: Vec<Of> = index
        .versions_of(journey)
        .filter_map(|version| Some(Of::Step { journey, version: version.version, step: u16::try_from(place(version)?).ok()? }))
        .collect();
    if of.is_empty() {
        return Err(Problem::not_found("step"));
    }
    standing_page(&app, of, &Paging::new(page.page_token, page.limit), true).await
}

/// Where a page begins: behind this passage of this range.
#[derive(Serialize, Deserialize)]
struct Start(usize, u64, u64, u16, u64, u32);

impl Start {
    fn standing(&self) -> Standing {
        let Start(_, journey, version, step, under, count) = *self;
        Standing { journey, version, step, enrollment: EnrollmentId(Born { under: ProfileId(under), count }) }
    }
}

/// One page of those who stand in these ranges, one after the other.
async fn standing_page(app: &App, ranges: Vec<Of>, paging: &Paging, each_step: bool) -> Result<Json<Page<Passage>>, Problem> {
    let (limit, start) = (paging.limit()?, paging.start::<Start>()?);
    let mut range = start.as_ref().map_or(0, |start| start.0);
    let mut after = start.as_ref().map(Start::standing);
    let mut items = Vec::new();
    while let Some(of) = ranges.get(range).copied() {
        let look = app.keeper.look(move |node| {
            let changes = node.views().map(|views| views.waits.changes(of, after.as_ref())).unwrap_or_default();
            (changes, node.store().cloned(), node.index().clone())
        });
        let (changes, store, index) = look.await?;
        let found = blocking(move || store.map(|store| standing(&store, &changes, of, after.as_ref(), limit)).unwrap_or_default()).await?;
        let whose = app.keeper.look({
            let born: Vec<ProfileId> = found.iter().map(|standing| standing.enrollment.0.under).collect();
            move |node| born.iter().map(|strand| node.front().identity.profile_of_strand(*strand)).collect::<Vec<_>>()
        });
        let whose = whose.await?;
        let people = profiles(app, whose.iter().flatten().copied().collect()).await?;
        for (standing, whose) in found.iter().zip(whose) {
            after = Some(*standing);
            let Some(profile) = people.iter().find(|profile| Some(profile.id) == whose) else { continue };
            let Some(running) = profile.enrollments.iter().find(|running| running.id == standing.enrollment) else { continue };
            // One that stands at several steps is one line of a list of passages.
            let here = running.tokens.iter().position(|token| token.step == standing.step);
            if here.is_some_and(|place| each_step || place == 0) {
                items.push(passage(&index, profile, running, Some(standing.step)));
            }
            if items.len() >= limit {
                let Born { under, count } = standing.enrollment.0;
                let next = Start(range, standing.journey, standing.version, standing.step, under.0, count);
                return Ok(Page::new(items, Some(&next)));
            }
        }
        if found.len() < limit {
            (range, after) = (range + 1, None);
        }
    }
    Ok(Page::whole(items))
}

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
#[utoipa::path(post, path = "/api/v1/journeys/{name}/migrations", tag = "journeys", request_body = MigrationAsked,
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
            let (came, left) = counts.through(from.version, at);
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

/// Take a migration back: whoever has not gone on since stands where he stood
#[utoipa::path(post, path = "/api/v1/journeys/{name}/migrations/{number}/undo", tag = "journeys",
    params(("name" = String, Path, description = "the journey's name"), ("number" = String, Path, description = "as the migration said it")),
    responses((status = 202, description = "taken back"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn undo(State(app): State<App>, Path((name, number)): Path<(String, String)>, Who(caller): Who) -> Result<StatusCode, Problem> {
    let (index, _) = counted(&app).await?;
    let journey = named(&index, &name)?;
    let Ok(number) = number.parse::<u64>() else { return Err(Problem::not_found("migration")) };
    audit(&app, &caller.name, "journey.migration_undone", &name, &number.to_string())?;
    let migration = Migration { number, journey: journey.key, to: journey.version, steps: BTreeMap::new(), undo: true };
    app.keeper.record(Command::Migrate(migration)).await?;
    Ok(StatusCode::ACCEPTED)
}

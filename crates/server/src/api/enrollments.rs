//! Who is inside a journey, where he stands and what he waits for.

use super::input::{self, Asked};
use super::journeys::{counted, named};
use super::page::{Page, Paging, blocking};
use super::passage::{Passage, passage};
use super::person::{person, profiles};
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use faden_engine::audience::key_of;
use faden_engine::journey::JourneyVersion;
use faden_model::id::Born;
use faden_model::{EnrollmentId, ProfileId};
use faden_runtime::views::waits::{Of, Standing, standing};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/enrollments", Need::Scope(Scope::ProfilesRead)),
    ("GET", "/api/v1/journeys/{name}/steps/{step}/enrollments", Need::Scope(Scope::ProfilesRead)),
];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/enrollments", get(list)).route("/api/v1/journeys/{name}/steps/{step}/enrollments", get(at_step))
}

#[derive(OpenApi)]
#[openapi(paths(list, at_step))]
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

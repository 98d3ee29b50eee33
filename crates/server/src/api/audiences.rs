//! Audiences: what they mean, how many are in them, who, and who came and went.

use super::input::{self, Asked};
use super::journeys::counted;
use super::page::{Page, Paging, blocking};
use super::person::{ProfileSummary, profiles, summary};
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use faden_engine::Index;
use faden_engine::audience::{self, Aggregate, ComputedTrait, Follow, key_of};
use faden_engine::workspace::about;
use faden_model::condition::Expression;
use faden_model::{ProfileId, Timestamp};
use faden_runtime::views::audiences::{AudienceChange, members};
use faden_runtime::views::ledger::{Range, newest};
use faden_storage::Table;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/audiences", Need::Scope(Scope::WorkspaceRead)),
    ("GET", "/api/v1/audiences/{name}", Need::Scope(Scope::WorkspaceRead)),
    ("GET", "/api/v1/audiences/{name}/profiles", Need::Scope(Scope::ProfilesRead)),
    ("GET", "/api/v1/audiences/{name}/changes", Need::Scope(Scope::ProfilesRead)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/audiences", get(list))
        .route("/api/v1/audiences/{name}", get(one))
        .route("/api/v1/audiences/{name}/profiles", get(people))
        .route("/api/v1/audiences/{name}/changes", get(changes))
}

#[derive(OpenApi)]
#[openapi(paths(list, one, people, changes))]
pub struct Document;

#[derive(Debug, Serialize, ToSchema)]
pub struct AudienceSummary {
    pub audience: String,
    pub title: String,
    pub condition: String,
    pub size: u64,
    /// Computed traits that its condition reads.
    pub traits: Vec<TraitDefinition>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Audience {
    #[serde(flatten)]
    pub summary: AudienceSummary,
    pub description: Option<String>,
    /// Sizes at the end of hours in which they changed, the last two weeks.
    pub history: Vec<Size>,
    /// The definition's text.
    pub source: String,
    pub file: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TraitDefinition {
    pub name: String,
    pub definition: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Size {
    pub at: String,
    pub size: u64,
}

/// Somebody entered or left.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    pub at: String,
    pub profile: String,
    pub user_id: String,
    /// `entered` or `left`.
    pub change: &'static str,
    pub decision: String,
}

fn summarised(app: &App, index: &Index, audience: &audience::Audience, size: u64) -> AudienceSummary {
    let files = &app.published().files;
    let title = files.defining("audiences", "audience", &audience.name).and_then(|(_, text)| about(text).remove("title"));
    let read = |plan: &&ComputedTrait| {
        let reads = |attribute: &faden_model::condition::Attribute| matches!(attribute.path.as_slice(), [first, name, ..] if first == "traits" && *name == plan.name);
        audience.condition.attributes().iter().any(reads)
    };
    let traits = index.definitions.traits.iter().filter(read);
    AudienceSummary {
        audience: audience.name.to_string(),
        title: title.unwrap_or_else(|| audience.name.to_string()),
        condition: audience.condition.source().to_owned(),
        size,
        traits: traits.map(|plan| TraitDefinition { name: plan.name.to_string(), definition: definition(plan) }).collect(),
    }
}

/// A computed trait in words.
fn definition(plan: &ComputedTrait) -> String {
    let of = |what: &str, value: &Expression| format!("{what} of {} in {}", value.source(), plan.event);
    let mut text = match &plan.aggregate {
        Aggregate::Count => format!("count of {}", plan.event),
        Aggregate::Sum(value) => of("sum", value),
        Aggregate::Min(value) => of("smallest", value),
        Aggregate::Max(value) => of("largest", value),
        Aggregate::Average(value) => of("average", value),
        Aggregate::First(value) => of("first", value),
        Aggregate::Last(value) => of("last", value),
        Aggregate::Distinct(value) => of("number of different values", value),
        Aggregate::MostFrequent(value) => of("most frequent value", value),
        Aggregate::Sequence { then, follow: Follow::Then, .. } => format!("{} and then {then}", plan.event),
        Aggregate::Sequence { then, follow: Follow::ThenNot, .. } => format!("{} and then no {then}", plan.event),
    };
    if let Some(condition) = &plan.condition {
        text.push_str(&format!(" where {}", condition.source()));
    }
    if let Some(within) = plan.within {
        text.push_str(&format!(" within {within}"));
    }
    text
}

fn named<'i>(index: &'i Index, name: &str) -> Result<&'i audience::Audience, Problem> {
    index.audience(key_of(name)).filter(|audience| audience.name == name).ok_or_else(|| Problem::not_found("audience"))
}

/// All audiences with their sizes
#[utoipa::path(get, path = "/api/v1/audiences", tag = "audiences",
    responses((status = 200, body = Page<AudienceSummary>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>) -> Result<Json<Page<AudienceSummary>>, Problem> {
    let (index, counts) = counted(&app).await?;
    let size = |key: u64| counts.audiences.get(&key).map_or(0, |counts| counts.size);
    let audiences = index.definitions.audiences.iter();
    let mut items: Vec<AudienceSummary> = audiences.map(|audience| summarised(&app, &index, audience, size(audience.key))).collect();
    items.sort_by(|one, next| one.audience.cmp(&next.audience));
    Ok(Page::whole(items))
}

/// One audience: its rule, its size over time
#[utoipa::path(get, path = "/api/v1/audiences/{name}", tag = "audiences", params(("name" = String, Path, description = "its name")),
    responses((status = 200, body = Audience), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn one(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Audience>, Problem> {
    let (index, counts) = counted(&app).await?;
    let audience = named(&index, &name)?;
    let counts = counts.audiences.get(&audience.key).cloned().unwrap_or_default();
    let hour = |(hour, size): (&u64, &u64)| Size { at: Timestamp(i64::try_from(*hour).unwrap_or(0) * 3_600_000).to_string(), size: *size };
    let published = app.published();
    let (file, source) = published.files.defining("audiences", "audience", &name).unwrap_or_default();
    Ok(Json(Audience {
        summary: summarised(&app, &index, audience, counts.size),
        description: about(source).remove("description"),
        history: counts.hours.iter().map(hour).collect(),
        source: source.to_owned(),
        file: file.to_owned(),
    }))
}

/// Who is in an audience, and since when
#[utoipa::path(get, path = "/api/v1/audiences/{name}/profiles", tag = "audiences", params(("name" = String, Path, description = "its name"), input::Page),
    responses((status = 200, body = Page<ProfileSummary>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn people(
    State(app): State<App>,
    Path(name): Path<String>,
    Asked(page): Asked<input::Page>,
) -> Result<Json<Page<ProfileSummary>>, Problem> {
    let paging = Paging::new(page.page_token, page.limit);
    let (limit, start) = (paging.limit()?, paging.start::<u64>()?.map(ProfileId));
    let key = named(&counted(&app).await?.0, &name)?.key;
    let look = app.keeper.look(move |node| {
        let unsaved = node.views().map(|views| views.audiences.unsaved(key, start)).unwrap_or_default();
        (unsaved, node.store().cloned())
    });
    let (unsaved, store) = look.await?;
    let found = blocking(move || store.map(|store| members(&store, &unsaved, key, start, limit + 1)).unwrap_or_default()).await?;
    let more = found.len() > limit;
    let shown = &found[..found.len().min(limit)];
    let people = profiles(&app, shown.iter().map(|(id, _)| *id).collect()).await?;
    let since = |id: ProfileId| shown.iter().find(|(member, _)| *member == id).map(|(_, since)| since.to_string());
    let items = people.iter().map(|profile| ProfileSummary { since: since(profile.id), ..summary(profile) }).collect();
    Ok(Page::new(items, shown.last().filter(|_| more).map(|(id, _)| &id.0)))
}

/// Who entered and left, newest first
#[utoipa::path(get, path = "/api/v1/audiences/{name}/changes", tag = "audiences", params(("name" = String, Path, description = "its name"), input::Page),
    responses((status = 200, body = Page<Change>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn changes(
    State(app): State<App>,
    Path(name): Path<String>,
    Asked(page): Asked<input::Page>,
) -> Result<Json<Page<Change>>, Problem> {
    let paging = Paging::new(page.page_token, page.limit);
    let (limit, before) = (paging.limit()?, paging.start::<Vec<u8>>()?);
    let key = named(&counted(&app).await?.0, &name)?.key;
    let range = Range { prefix: key.to_be_bytes().to_vec(), before };
    let asked = range.clone();
    let look = app.keeper.look(move |node| {
        let unsaved = node.views().map(|views| views.audiences.changes.unsaved(&asked, limit + 1)).unwrap_or_default();
        (unsaved, node.store().cloned())
    });
    let (unsaved, store) = look.await?;
    let mut rows =
        blocking(move || store.map(|store| newest(&store, Table::AudienceChanges, unsaved, &range, limit + 1)).unwrap_or_default()).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let change = |change: AudienceChange| Change {
        at: change.at.to_string(),
        profile: change.profile.to_string(),
        user_id: change.user_id.to_string(),
        change: if change.entered { "entered" } else { "left" },
        decision: change.decision.to_string(),
    };
    let items = rows.iter().filter_map(|(_, value)| AudienceChange::read(value)).map(change).collect();
    Ok(Page::new(items, rows.last().filter(|_| more).map(|(key, _)| key)))
}

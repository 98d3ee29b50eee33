//! Why: every decision with the chain that led to it, as sentences, values and rules.

use super::decided::{Wanted, everybody};
use super::input::Asked;
use super::lines::{Cursor, Lines};
use super::page::{Page, Paging, blocking};
use super::person::{person, raw_text};
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use faden_engine::decision::tell::{self, Found};
use faden_model::{DecisionId, EnrollmentId, MessageId, ProfileId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] =
    &[("GET", "/api/v1/decisions", Need::Scope(Scope::ProfilesRead)), ("GET", "/api/v1/decisions/{id}", Need::Scope(Scope::ProfilesRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/decisions", get(list)).route("/api/v1/decisions/{id}", get(one))
}

#[derive(OpenApi)]
#[openapi(paths(list, one))]
pub struct Document;

/// What led to something.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    pub id: String,
    /// What came of it, in a sentence.
    pub subject: String,
    /// User id, else the profile's id.
    pub person: Option<String>,
    pub profile: Option<String>,
    /// From the entry to the decision that was asked for.
    pub chain: Vec<ChainItem>,
}

/// One decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainItem {
    pub id: String,
    pub at: String,
    #[schema(schema_with = super::decided::kinds)]
    pub kind: String,
    pub sentence: String,
    /// Whose it is; null where it is nobody's.
    pub profile: Option<String>,
    pub user_id: Option<String>,
    /// What made it happen.
    pub cause: Option<String>,
    /// Values that conditions saw.
    pub facts: Vec<Fact>,
    /// Rules that were asked, in order.
    pub checks: Vec<Check>,
    /// The decision as the engine wrote it.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

/// A value that a condition read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fact {
    pub name: String,
    pub value: Value,
}

/// What one rule said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Check {
    pub rule: String,
    pub policy: String,
    pub channel: Option<String>,
    pub outcome: CheckOutcome,
    pub facts: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    Passed,
    Held,
    Stopped,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Of {
    /// Whose: a profile's id or `kind:value`; everybody's where it is missing.
    pub profile: Option<String>,
    #[param(schema_with = super::decided::kinds)]
    pub kind: Option<String>,
    pub journey: Option<String>,
    pub template: Option<String>,
    /// Of messages `sent`, `suppressed`, `held` or `failed`; of ended passages `completed`, `exit`, `goal` or `merged`.
    #[param(schema_with = super::decided::outcomes)]
    pub outcome: Option<String>,
    /// Not before this instant.
    pub from: Option<String>,
    /// Not after this instant.
    pub to: Option<String>,
    page_token: Option<String>,
    /// 1 to 500; 50 where it is missing.
    limit: Option<u64>,
}

/// Decisions, newest first
///
/// A filter that finds little among many decisions gives short pages; go on with `next_page_token` until it is null.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "decisions", params(Of),
    responses((status = 200, body = Page<ChainItem>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>, Asked(of): Asked<Of>) -> Result<Json<Page<ChainItem>>, Problem> {
    let paging = Paging::new(of.page_token.clone(), of.limit);
    let (limit, wanted) = (paging.limit()?, Wanted::read(&of)?);
    let Some(who) = of.profile else { return everybody(&app, wanted, limit, paging.start()?).await };
    let start = paging.start::<Cursor>()?;
    let (person, unwritten) = person(&app, &who, |node, person| node.unwritten_of(&person.strands)).await?;
    blocking(move || {
        let mut cursor = start.unwrap_or_default();
        let mut found = Lines::new(&person, &unwritten).newest(&cursor, limit + 1, |decision| wanted.matches(decision));
        let more = found.len() > limit;
        found.truncate(limit);
        cursor.extend(found.iter().map(|line| (line.id.under.0, line.id.count)));
        let items = found.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).map(|line| item(&line));
        Ok(Page::new(items.collect(), more.then_some(&cursor)))
    })
    .await?
}

/// Why this was decided: a decision, a message or a passage by its id
#[utoipa::path(get, path = "/api/v1/decisions/{id}", tag = "decisions", params(("id" = String, Path, description = "dec_..., msg_... or enr_...")),
    responses((status = 200, body = Explanation), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Explanation>, Problem> {
    let id = id.to_ascii_lowercase();
    let missing = || Problem::not_found("decision");
    let (Some(under), Some(field)) = (born_under(&id), tell::field_of(&id)) else { return Err(missing()) };
    let found = person(&app, &under.to_string(), |node, person| node.unwritten_of(&person.strands)).await;
    let (person, unwritten) = found.map_err(|problem| if problem.status == 404 { missing() } else { problem })?;
    let (asked, found) = blocking(move || {
        let found = Lines::new(&person, &unwritten).chain(&id, field);
        (id, found)
    })
    .await?;
    if found.chain.is_empty() { Err(missing()) } else { Ok(Json(explanation(asked, &found))) }
}

/// The profile under which what an id names was born.
fn born_under(id: &str) -> Option<ProfileId> {
    let born = match id.split('_').next()? {
        "dec" => DecisionId::parse(id).ok()?.0,
        "msg" => MessageId::parse(id).ok()?.0,
        "enr" => EnrollmentId::parse(id).ok()?.0,
        _ => return None,
    };
    Some(born.under)
}

fn explanation(id: String, found: &Found) -> Explanation {
    let about = found.subject.as_ref().or(found.chain.last());
    let text = |name: &str| about.and_then(|line| line[name].as_str()).map(str::to_owned);
    Explanation {
        subject: found.subject.as_ref().map_or_else(|| tell::state(&found.chain), tell::sentence),
        person: text("user_id").or_else(|| text("profile")),
        profile: text("profile"),
        chain: found.chain.iter().map(item).collect(),
        id,
    }
}

/// One decision, told.
pub fn item(line: &Value) -> ChainItem {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let some = |name: &str| line[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let facts = line["facts"].as_object().into_iter().flatten();
    let checks = line["checks"].as_array().into_iter().flatten();
    ChainItem {
        id: text("id"),
        at: text("at"),
        kind: text("kind"),
        sentence: tell::sentence(line),
        profile: some("profile"),
        user_id: some("user_id"),
        cause: line.get("cause").map(|_| tell::cause(line)),
        facts: facts.map(|(name, value)| Fact { name: name.clone(), value: value.clone() }).collect(),
        checks: checks.map(check).collect(),
        data: raw_text(line.to_string()),
    }
}

fn check(line: &Value) -> Check {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    Check {
        rule: text("rule"),
        policy: text("policy"),
        channel: line["channel"].as_str().map(str::to_owned),
        outcome: match line["outcome"].as_str() {
            Some("passed") => CheckOutcome::Passed,
            Some("held") => CheckOutcome::Held,
            _ => CheckOutcome::Stopped,
        },
        facts: text("facts"),
    }
}

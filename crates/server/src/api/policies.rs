//! Policies: what holds where, and what they say about a message to one person now.

use super::decisions::{Check, CheckOutcome};
use super::input::Input;
use super::page::blocking;
use super::person::person;
use crate::access::Need;
use crate::keeper::now;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use faden_engine::decision::MessageOutcome;
use faden_engine::journey::ask;
use faden_engine::policy::{self, Request};
use faden_engine::workspace::about;
use faden_model::{Text, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] =
    &[("GET", "/api/v1/policies", Need::Scope(Scope::WorkspaceRead)), ("POST", "/api/v1/policies/check", Need::Scope(Scope::ProfilesRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/policies", get(list)).route("/api/v1/policies/check", post(check))
}

#[derive(OpenApi)]
#[openapi(paths(list, check))]
pub struct Document;

/// Channels that one question may name.
const CHANNELS_MAX: usize = 16;

#[derive(Debug, Serialize, ToSchema)]
pub struct Policies {
    pub policies: Vec<PolicyFile>,
    pub effective: Vec<Scoped>,
}

/// A policy as it was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyFile {
    pub policy: String,
    /// `global`, `region` or `brand`.
    pub scope: &'static str,
    pub title: Option<String>,
    pub file: String,
    pub source: String,
}

/// What holds in one scope, its own rules and the global ones together.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scoped {
    /// `global`, `region:NAME`, `brand:NAME`.
    pub scope: String,
    pub rows: Vec<PolicyRow>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyRow {
    pub rule: String,
    pub value: String,
    /// The policy it comes from; empty where several say it together.
    pub from: String,
    /// A narrower policy made it stricter than the global ones.
    pub tightened: bool,
}

/// All policies, and what holds where
#[utoipa::path(get, path = "/api/v1/policies", tag = "policies",
    responses((status = 200, body = Policies), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn list(State(app): State<App>) -> Json<Policies> {
    let published = app.published();
    let files = published.files.0.iter().filter(|(path, _)| path.starts_with("policies/"));
    let policies = files.filter_map(|(path, text)| {
        let mut about = about(text);
        let scope = if about.contains_key("brand") {
            "brand"
        } else if about.contains_key("region") {
            "region"
        } else {
            "global"
        };
        let (policy, title) = (about.remove("policy")?, about.remove("title"));
        Some(PolicyFile { policy, scope, title, file: path.clone(), source: text.clone() })
    });
    let row = |row: policy::TableRow| PolicyRow { rule: row.rule, value: row.value, from: row.from, tightened: row.tightened };
    let table = published.definitions.policies.table().into_iter();
    let effective = table.map(|table| Scoped { scope: table.scope, rows: table.rows.into_iter().map(row).collect() });
    Json(Policies { policies: policies.collect(), effective: effective.collect() })
}

/// A message that may want to go out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// A profile's id or `kind:value`.
    pub profile: String,
    pub purpose: String,
    /// In the order in which they are tried.
    pub channels: Vec<String>,
    /// RFC 3339; now where it is missing.
    #[serde(default)]
    pub at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Verdict {
    /// `send`, `hold` or `suppress`.
    pub verdict: &'static str,
    pub channel: Option<String>,
    pub until: Option<String>,
    pub rule: Option<String>,
    /// Every rule that was asked, in order.
    pub checks: Vec<Check>,
}

/// Whether a message to this person may go out, and when
#[utoipa::path(post, path = "/api/v1/policies/check", tag = "policies", request_body = Asked,
    responses((status = 200, body = Verdict), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn check(State(app): State<App>, Input(asked): Input<Asked>) -> Result<Json<Verdict>, Problem> {
    if asked.channels.is_empty() || asked.channels.len() > CHANNELS_MAX {
        let hint = "name channels such as `email` and `sms`";
        return Err(Problem::bad_request("bad-input", format!("`channels` must have 1 to {CHANNELS_MAX} of them"), hint));
    }
    let at = match &asked.at {
        None => now(),
        Some(text) => Timestamp::parse(text).map_err(|error| {
            Problem::bad_request("bad-input", format!("`at` cannot be read: {error}"), "send an instant such as 2026-03-01T10:00:00Z")
        })?,
    };
    let (person, ()) = person(&app, &asked.profile, |_, _| ()).await?;
    let said = blocking(move || {
        let profile = person.profile()?;
        let channels: Vec<Text> = asked.channels.iter().map(Text::new).collect();
        let request = Request { at, due: at, purpose: &asked.purpose, channels: &channels, priority: 0, journey: 0 };
        Some(ask(&person.index, &profile, &request, true))
    });
    let said = said.await?.ok_or_else(|| Problem::not_found("profile"))?;
    let (verdict, until, rule) = match said.outcome {
        MessageOutcome::Sent => ("send", None, None),
        MessageOutcome::Held { until, rule } => ("hold", Some(until.to_string()), Some(rule.to_string())),
        MessageOutcome::Suppressed { rule } | MessageOutcome::Failed { reason: rule } => ("suppress", None, Some(rule.to_string())),
    };
    let some = |text: &Text| (!text.is_empty()).then(|| text.to_string());
    let checks = said.checks.iter().map(|check| Check {
        rule: check.rule.code.to_string(),
        policy: check.rule.policy.to_string(),
        channel: some(&check.channel),
        outcome: match check.outcome {
            policy::Outcome::Passed => CheckOutcome::Passed,
            policy::Outcome::Held => CheckOutcome::Held,
            policy::Outcome::Stopped => CheckOutcome::Stopped,
        },
        facts: check.facts.clone(),
    });
    Ok(Json(Verdict { verdict, channel: some(&said.channel), until, rule, checks: checks.collect() }))
}

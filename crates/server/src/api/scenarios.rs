//! Scenarios of a workspace in virtual time: all of them, or one that somebody is writing. Nothing is sent.

use super::input::{BODY_BYTES_MAX, Input};
use super::workspace::{Found, blocking, found, has_errors};
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use faden_engine::decision::{Decision, Kind, MessageOutcome};
use faden_engine::dry_run::{self, Verdict};
use faden_engine::workspace::scenario::Scenario;
use faden_engine::workspace::{self, Files, Finding, line_column};
use faden_engine::{Definitions, Index};
use faden_model::diagnostic::Severity;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("POST", "/api/v1/workspace/scenarios", Need::Scope(Scope::WorkspaceRead)),
    ("POST", "/api/v1/workspace/try", Need::Scope(Scope::WorkspaceRead)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/workspace/scenarios", post(scenarios))
        .route("/api/v1/workspace/try", post(try_one))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

#[derive(OpenApi)]
#[openapi(paths(scenarios, try_one))]
pub struct Document;

/// Where a scenario that is tried stands among the files.
const TRIED: &str = "scenarios/tried.scenario.yaml";

#[derive(Deserialize, ToSchema)]
pub struct ScenariosAsked {
    /// The published files when missing.
    #[serde(default)]
    pub files: Option<BTreeMap<String, String>>,
}

#[derive(Serialize, ToSchema)]
pub struct Scenarios {
    pub scenarios: Vec<ScenarioResult>,
}

/// One scenario and how it went.
#[derive(Serialize, ToSchema)]
pub struct ScenarioResult {
    pub scenario: String,
    pub file: String,
    pub passed: bool,
    /// What was expected and what happened instead; empty when it passed.
    pub detail: String,
    pub milliseconds: f64,
}

#[derive(Deserialize, ToSchema)]
pub struct Try {
    /// The published files when missing.
    #[serde(default)]
    pub files: Option<BTreeMap<String, String>>,
    /// The text of a scenario file.
    pub scenario: String,
}

#[derive(Serialize, ToSchema)]
pub struct Tried {
    pub passed: bool,
    /// Everything that was decided, in its order.
    pub steps: Vec<Step>,
    pub messages: Vec<TriedMessage>,
    /// Steps of the scenario's journey that decided something, in the order in which they were reached; a wait for a
    /// time decides nothing.
    pub path: Vec<String>,
    /// Expectations that do not hold.
    pub failures: Vec<Missed>,
    /// What is wrong with the scenario; then nothing was run.
    pub findings: Vec<Found>,
}

#[derive(Serialize, ToSchema)]
pub struct Step {
    pub at: String,
    /// Since the scenario began, such as `+1d 2h`.
    pub since: String,
    pub user_id: String,
    pub sentence: String,
}

#[derive(Serialize, ToSchema)]
pub struct TriedMessage {
    pub at: String,
    pub user_id: String,
    pub template: String,
    pub step: String,
    pub channel: String,
    pub address: String,
    /// `sent`, `suppressed`, `held` or `failed`.
    pub state: String,
    /// What stopped or held it.
    pub rule: Option<String>,
    pub until: Option<String>,
}

/// An expectation that does not hold.
#[derive(Serialize, ToSchema)]
pub struct Missed {
    pub line: usize,
    pub expected: String,
    pub instead: Vec<String>,
}

/// Runs all scenarios in virtual time
#[utoipa::path(post, path = "/api/v1/workspace/scenarios", tag = "workspace", request_body = Option<ScenariosAsked>,
    responses((status = 200, body = Scenarios), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 413, body = Problem), (status = 422, description = "the files have errors", body = Problem)))]
pub async fn scenarios(State(app): State<App>, Input(wanted): Input<ScenariosAsked>) -> Result<Json<Scenarios>, Problem> {
    let files = wanted.files.map_or_else(|| app.published().files.clone(), Files);
    blocking(move || test(&files)).await?.map(|scenarios| Json(Scenarios { scenarios }))
}

/// Runs one scenario that is given as text, and tells every step
#[utoipa::path(post, path = "/api/v1/workspace/try", tag = "workspace", request_body = Try,
    responses((status = 200, body = Tried), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 413, body = Problem), (status = 422, description = "the files have errors", body = Problem)))]
pub async fn try_one(State(app): State<App>, Input(wanted): Input<Try>) -> Result<Json<Tried>, Problem> {
    let files = wanted.files.map_or_else(|| app.published().files.clone(), Files);
    blocking(move || tried(files, wanted.scenario)).await?.map(Json)
}

fn definitions(files: &Files) -> Result<Definitions, Problem> {
    let outcome = workspace::read(files);
    outcome.definitions.ok_or_else(|| has_errors(&found(files, &outcome.findings)))
}

fn test(files: &Files) -> Result<Vec<ScenarioResult>, Problem> {
    let definitions = Arc::new(definitions(files)?);
    let (scenarios, findings) = workspace::read_scenarios(files, &definitions);
    let index = Arc::new(Index::new(definitions, None));
    let mut tested: Vec<ScenarioResult> = scenarios.iter().map(|scenario| test_one(&index, scenario, files)).collect();
    tested.extend(unreadable(files, &findings));
    tested.sort_by(|one, next| (&one.file, &one.scenario).cmp(&(&next.file, &next.scenario)));
    Ok(tested)
}

fn test_one(index: &Arc<Index>, scenario: &Scenario, files: &Files) -> ScenarioResult {
    let began = Instant::now();
    let verdict = dry_run::run(index, scenario);
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    let text = files.0.get(&scenario.file).map_or("", String::as_str);
    let detail = dry_run::render(&verdict, scenario, text, workspace::Colours::Off);
    ScenarioResult { scenario: scenario.name.to_string(), file: scenario.file.clone(), passed: verdict.passed(), detail, milliseconds }
}

/// A scenario file with an error cannot pass.
fn unreadable(files: &Files, findings: &[Finding]) -> Vec<ScenarioResult> {
    let errors = || findings.iter().filter(|finding| finding.problem.severity == Severity::Error);
    let broken: BTreeSet<&String> = errors().map(|finding| &finding.file).collect();
    let one = |file: &String| {
        let text = files.0.get(file).map_or("", String::as_str);
        let own = errors().filter(|finding| finding.file == *file);
        let detail = own.map(|finding| workspace::render(finding, text, workspace::Colours::Off)).collect();
        ScenarioResult { scenario: file.clone(), file: file.clone(), passed: false, detail, milliseconds: 0.0 }
    };
    broken.into_iter().map(one).collect()
}

fn tried(mut files: Files, scenario: String) -> Result<Tried, Problem> {
    files.0.retain(|path, _| !path.starts_with("scenarios/"));
    let definitions = Arc::new(definitions(&files)?);
    let files = Files(BTreeMap::from([(TRIED.to_owned(), scenario)]));
    let (scenarios, findings) = workspace::read_scenarios(&files, &definitions);
    let findings = found(&files, &findings);
    let Some(scenario) = scenarios.first() else {
        let (steps, messages, path, failures) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        return Ok(Tried { passed: false, steps, messages, path, failures, findings });
    };
    let verdict = dry_run::run(&Arc::new(Index::new(definitions, None)), scenario);
    Ok(told(&verdict, scenario, &files.0[TRIED], findings))
}

fn told(verdict: &Verdict, scenario: &Scenario, text: &str, findings: Vec<Found>) -> Tried {
    let step = |line: &dry_run::Line| Step {
        at: line.at.to_string(),
        since: line.since.clone(),
        user_id: line.user_id.clone(),
        sentence: line.text.clone(),
    };
    let missed = |failure: &dry_run::Failure| Missed {
        line: line_column(text, failure.place.start).0,
        expected: failure.expected.clone(),
        instead: failure.instead.clone(),
    };
    Tried {
        passed: verdict.passed(),
        steps: verdict.timeline.iter().map(step).collect(),
        messages: verdict.decisions.iter().filter_map(message).collect(),
        path: path(&verdict.decisions, scenario.journey.as_deref()),
        failures: verdict.failures.iter().map(missed).collect(),
        findings,
    }
}

fn message(decision: &Decision) -> Option<TriedMessage> {
    let Kind::Message(message) = &decision.kind else { return None };
    let (state, rule, until) = match &message.outcome {
        MessageOutcome::Sent => ("sent", None, None),
        MessageOutcome::Suppressed { rule } => ("suppressed", Some(rule.to_string()), None),
        MessageOutcome::Held { until, rule } => ("held", Some(rule.to_string()), Some(until.to_string())),
        MessageOutcome::Failed { reason } => ("failed", Some(reason.to_string()), None),
    };
    Some(TriedMessage {
        at: decision.at.to_string(),
        user_id: decision.user_id.to_string(),
        template: message.template.to_string(),
        step: message.step.to_string(),
        channel: message.channel.to_string(),
        address: message.address.to_string(),
        state: state.to_owned(),
        rule,
        until,
    })
}

fn path(decisions: &[Decision], wanted: Option<&str>) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut reach = |step: &str| {
        if path.last().is_none_or(|last| last != step) {
            path.push(step.to_owned());
        }
    };
    for decision in decisions {
        match &decision.kind {
            Kind::Step { journey, step, to, .. } if wanted.is_none_or(|wanted| journey == wanted) => {
                reach(step);
                reach(to);
            }
            Kind::Message(message) if wanted.is_none_or(|wanted| message.journey == wanted) => reach(&message.step),
            _ => {}
        }
    }
    path
}

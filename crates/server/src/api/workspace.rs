//! The workspace: what is published, and checking, planning and publishing other files.

use super::effects::effects;
use super::input::{BODY_BYTES_MAX, Input};
use crate::access::{Need, Who};
use crate::keys::Scope;
use crate::problem::Problem;
use crate::publish::{Refused, publish};
use crate::state::App;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use faden_engine::workspace::{self, Files, Finding, line_column};
use faden_model::diagnostic::Severity;
use serde::{Deserialize, Serialize};
use similar::TextDiff;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/workspace", Need::Scope(Scope::WorkspaceRead)),
    ("POST", "/api/v1/workspace/check", Need::Scope(Scope::WorkspaceRead)),
    ("POST", "/api/v1/workspace/plan", Need::Scope(Scope::WorkspaceRead)),
    ("POST", "/api/v1/workspace/apply", Need::Scope(Scope::WorkspaceWrite)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/workspace", get(published))
        .route("/api/v1/workspace/check", post(check))
        .route("/api/v1/workspace/plan", post(plan))
        .route("/api/v1/workspace/apply", post(apply))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

#[derive(OpenApi)]
#[openapi(paths(published, check, plan, apply))]
pub struct Document;

/// The definitions that hold now.
#[derive(Serialize, ToSchema)]
pub struct Workspace {
    /// Path in the workspace to text.
    pub files: BTreeMap<String, String>,
    /// A hash of all files.
    pub version: String,
    pub published_at: String,
}

/// Files of a workspace.
#[derive(Deserialize, ToSchema)]
pub struct Proposed {
    pub files: BTreeMap<String, String>,
}

/// Something to mend, or to look at. Lines and columns count from 1; the end is behind the last character.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Found {
    pub file: String,
    /// `error` or `warning`.
    pub severity: String,
    pub code: String,
    pub message: String,
    pub help: String,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
}

#[derive(Serialize, ToSchema)]
pub struct Checked {
    pub findings: Vec<Found>,
    /// Nothing is an error: these files can be published.
    pub ok: bool,
}

/// A file that would be another one.
#[derive(Serialize, ToSchema)]
pub struct FileChange {
    pub file: String,
    /// `added`, `changed` or `removed`.
    pub change: String,
    /// Unified, three lines of context.
    pub diff: String,
}

#[derive(Serialize, ToSchema)]
pub struct Plan {
    pub findings: Vec<Found>,
    pub changes: Vec<FileChange>,
    /// What publishing would do, in sentences.
    pub effects: Vec<String>,
    pub ok: bool,
    /// The version that the files were compared with; give it to `apply`.
    pub base_version: String,
}

#[derive(Deserialize, ToSchema)]
pub struct Apply {
    pub files: BTreeMap<String, String>,
    /// The version that the files were made from; refused with 409 when another one holds now.
    pub base_version: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Applied {
    pub version: String,
    /// Records in the log: from here on the new definitions hold.
    pub position: u64,
}

/// The definitions that hold now, as files
#[utoipa::path(get, path = "/api/v1/workspace", tag = "workspace", responses((status = 200, body = Workspace), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn published(State(app): State<App>) -> Json<Workspace> {
    let published = app.published();
    Json(Workspace { files: published.files.0.clone(), version: published.version.clone(), published_at: published.published_at.clone() })
}

/// Checks files without publishing them
#[utoipa::path(post, path = "/api/v1/workspace/check", tag = "workspace", request_body = Proposed,
    responses((status = 200, body = Checked), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 413, body = Problem)))]
pub async fn check(Input(proposed): Input<Proposed>) -> Result<Json<Checked>, Problem> {
    let files = Files(proposed.files);
    let (files, findings, read) = read(files).await?;
    Ok(Json(Checked { findings: found(&files, &findings), ok: read.is_some() }))
}

/// Says what publishing these files would change
#[utoipa::path(post, path = "/api/v1/workspace/plan", tag = "workspace", request_body = Proposed,
    responses((status = 200, body = Plan), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 413, body = Problem), (status = 503, body = Problem)))]
pub async fn plan(State(app): State<App>, Input(proposed): Input<Proposed>) -> Result<Json<Plan>, Problem> {
    let (files, findings, read) = read(Files(proposed.files)).await?;
    let published = app.published();
    let mut said = Vec::new();
    if let Some(definitions) = &read {
        let counts = app.keeper.look(|node| node.views().map(|views| views.counts.clone()).unwrap_or_default()).await?;
        said = effects(&published.definitions, definitions, &counts);
    }
    let (changes, files) = blocking({
        let published = published.clone();
        move || (changes(&published.files, &files), files)
    })
    .await?;
    let findings = found(&files, &findings);
    Ok(Json(Plan { findings, changes, effects: said, ok: read.is_some(), base_version: published.version.clone() }))
}

/// Publishes files: they hold from the next record on
#[utoipa::path(post, path = "/api/v1/workspace/apply", tag = "workspace", request_body = Apply,
    responses((status = 200, body = Applied), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, description = "another version was published meanwhile", body = Problem), (status = 413, body = Problem), (status = 422, description = "the files have errors", body = Problem), (status = 503, body = Problem)))]
pub async fn apply(State(app): State<App>, Who(caller): Who, Input(proposed): Input<Apply>) -> Result<Json<Applied>, Problem> {
    let files = Files(proposed.files);
    let version = match publish(&app, files.clone(), proposed.base_version.as_deref(), &caller.name).await {
        Ok(version) => version,
        Err(Refused::Findings(findings)) => return Err(has_errors(&found(&files, &findings))),
        Err(Refused::Outdated { current }) => {
            let detail = format!("version {current} holds by now; these files were made from another one");
            let hint = "look at what changed with `GET /api/v1/workspace`, take it over, and plan again";
            return Err(Problem::new(StatusCode::CONFLICT, "workspace-outdated", detail, hint));
        }
        Err(Refused::Problem(problem)) => return Err(problem),
    };
    let position = app.keeper.look(|node| node.position().0).await?;
    Ok(Json(Applied { version, position }))
}

/// Definitions with errors cannot be published or tried.
pub(super) fn has_errors(findings: &[Found]) -> Problem {
    let errors: Vec<&Found> = findings.iter().filter(|finding| finding.severity == "error").collect();
    let first = errors.first().map_or_else(String::new, |finding| {
        format!(", first {}:{}:{}: {} [{}]", finding.file, finding.line, finding.column, finding.message, finding.code)
    });
    let detail = format!("the files have {} errors{first}", errors.len());
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "workspace-has-errors", detail, "`POST /api/v1/workspace/check` names them all")
}

/// What reading files gave: the files again, what was found, and definitions where nothing is an error.
type Read = (Files, Vec<Finding>, Option<faden_engine::Definitions>);

/// Reads files on a thread that may take its time.
pub(super) async fn read(files: Files) -> Result<Read, Problem> {
    blocking(move || {
        let outcome = workspace::read(&files);
        (files, outcome.findings, outcome.definitions)
    })
    .await
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        let hint = "report it with the request id; other calls go on";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "server-mistake", "this call met a mistake in the server", hint)
    })
}

/// Findings with their places as people count them.
pub(super) fn found(files: &Files, findings: &[Finding]) -> Vec<Found> {
    let one = |finding: &Finding| {
        let (text, problem) = (files.0.get(&finding.file).map_or("", String::as_str), &finding.problem);
        let (line, column) = line_column(text, problem.place.start);
        let (end_line, end_column) = line_column(text, problem.place.end.max(problem.place.start));
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        Found {
            file: finding.file.clone(),
            severity: severity.to_owned(),
            code: problem.code.to_owned(),
            message: problem.message.clone(),
            help: problem.help.clone(),
            line,
            column,
            end_line,
            end_column,
        }
    };
    findings.iter().map(one).collect()
}

fn changes(before: &Files, after: &Files) -> Vec<FileChange> {
    let paths: BTreeSet<&String> = before.0.keys().chain(after.0.keys()).collect();
    let change = |path: &String| {
        let (old, new) = (before.0.get(path), after.0.get(path));
        let change = match (old, new) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (old, new) if old != new => "changed",
            _ => return None,
        };
        let text = |file: Option<&String>| file.map_or("", String::as_str).to_owned();
        let (old_text, new_text) = (text(old), text(new));
        let name = |file: Option<&String>, side: &str| file.map_or_else(|| "/dev/null".to_owned(), |_| format!("{side}/{path}"));
        let diff = TextDiff::configure().timeout(std::time::Duration::from_secs(1)).diff_lines(&old_text, &new_text);
        let diff = diff.unified_diff().header(&name(old, "a"), &name(new, "b")).to_string();
        Some(FileChange { file: path.clone(), change: change.to_owned(), diff })
    };
    paths.into_iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> Files {
        Files(texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn files_that_differ_are_shown_as_unified_differences() {
        let before = files(&[("a.yaml", "one\ntwo\n"), ("b.yaml", "gone\n"), ("same.yaml", "same\n")]);
        let after = files(&[("a.yaml", "one\n2\n"), ("c.yaml", "new\n"), ("same.yaml", "same\n")]);
        let found = changes(&before, &after);
        let told: Vec<(&str, &str, &str)> =
            found.iter().map(|change| (change.file.as_str(), change.change.as_str(), change.diff.as_str())).collect();
        assert_eq!(
            told,
            [
                ("a.yaml", "changed", "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"),
                ("b.yaml", "removed", "--- a/b.yaml\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"),
                ("c.yaml", "added", "--- /dev/null\n+++ b/c.yaml\n@@ -0,0 +1 @@\n+new\n"),
            ]
        );
    }
}

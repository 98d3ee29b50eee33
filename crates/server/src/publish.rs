//! Publishing definitions: checked, written to the audit log and to the log, in force from the next record on.

use crate::problem::Problem;
use crate::state::{App, Published, fingerprint};
use axum::http::StatusCode;
use faden_engine::workspace::{self, Files, Finding};
use faden_model::Command;
use faden_model::diagnostic::Severity;
use std::sync::Arc;

/// Why definitions were not published.
#[derive(Debug)]
pub enum Refused {
    /// They have errors; nothing changed.
    Findings(Vec<Finding>),
    /// Somebody else published meanwhile.
    Outdated {
        current: String,
    },
    Problem(Problem),
}

/// Publishes these files; `base` is the version they were made from, where that matters.
///
/// # Errors
/// [`Refused`]; then nothing changed.
pub async fn publish(app: &App, files: Files, base: Option<&str>, who: &str) -> Result<String, Refused> {
    let _one_at_a_time = app.publishing.lock().await;
    let current = app.published();
    if let Some(base) = base.filter(|base| *base != current.version) {
        tracing::debug!(base, "a publication was made from an older version");
        return Err(Refused::Outdated { current: current.version.clone() });
    }
    let (files, read) = tokio::task::spawn_blocking(move || {
        let read = workspace::read(&files);
        (files, read)
    })
    .await
    .map_err(|error| internal(&error))?;
    let Some(definitions) = read.definitions else {
        let errors = read.findings.into_iter().filter(|finding| finding.problem.severity == Severity::Error);
        return Err(Refused::Findings(errors.collect()));
    };
    let version = fingerprint(&files);
    if version == current.version {
        return Ok(version);
    }
    let at = crate::keeper::now().to_string();
    let detail = format!("version {version}, {} files", files.0.len());
    app.audit.write(&at, who, "definitions.published", &definitions.workspace, &detail).map_err(|error| internal(&error))?;
    app.keeper.record(Command::Publish { files: files.0.clone() }).await.map_err(|refusal| Refused::Problem(refusal.into()))?;
    let published = Arc::new(Published::new(Arc::new(definitions), files, at));
    *app.published.write().expect("no holder of this lock panics") = published.clone();
    app.channels.publish(app, &published.definitions);
    app.live.tell("published", format!("{{\"version\":\"{version}\"}}"));
    tracing::info!(version, "definitions published");
    Ok(version)
}

fn internal(error: &dyn std::fmt::Display) -> Refused {
    let hint = "look into the server's log, then try again";
    let detail = format!("the definitions could not be published: {error}");
    Refused::Problem(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not-published", detail, hint))
}

//! Who one is, and whether the server is well: `/api/v1/me`, `/healthz`, `/readyz`, `/metrics`, `/login`.

use super::input::Asked;
use crate::access::{Need, SESSION_COOKIE, Who};
use crate::channels::AccountState;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/me", Need::Anybody),
    ("GET", "/healthz", Need::Open),
    ("GET", "/readyz", Need::Open),
    ("GET", "/metrics", Need::Open),
    ("GET", "/login", Need::Open),
];

#[derive(OpenApi)]
#[openapi(paths(me, healthz, readyz, metrics, login))]
pub struct Document;

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/me", get(me))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/login", get(login))
}

/// Who calls.
#[derive(Serialize, ToSchema)]
pub struct Me {
    pub name: String,
    pub role: Option<crate::keys::Role>,
    pub scopes: Vec<Scope>,
    pub workspace: String,
    pub languages: Vec<String>,
    pub version: String,
}

/// Who you are to this server
#[utoipa::path(get, path = "/api/v1/me", tag = "system", responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub async fn me(State(app): State<App>, Who(caller): Who) -> Json<Me> {
    let definitions = &app.published().definitions;
    Json(Me {
        name: caller.name,
        role: caller.role,
        scopes: caller.scopes,
        workspace: definitions.workspace.to_string(),
        languages: definitions.languages.iter().map(ToString::to_string).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Whether the process answers
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses((status = 200, description = "it answers")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether it takes events, and what is wrong if not.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    pub ready: bool,
    /// Stable code of what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The system's clock is behind the log by so much; time stands still until it has caught up.
    #[serde(skip_serializing_if = "is_zero")]
    pub clock_behind_ms: i64,
    /// Channel accounts whose provider cannot be used; events are taken all the same. `GET /api/v1/channels` says why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts_down: Vec<String>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Whether the server takes events
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub async fn readyz(State(app): State<App>) -> Response {
    let health = app.keeper.health();
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let accounts = app.channels.health().into_iter().filter(|account| account.state == AccountState::Down);
    let accounts_down = accounts.map(|account| account.name).collect();
    let behind = health.clock_behind_ms;
    let trouble = health.trouble.or_else(|| {
        let detail = || format!("the system's clock is {} s behind the log; timers wait until it has caught up", behind / 1000);
        (behind > 0).then(|| (crate::keeper::CLOCK_CODE, detail()))
    });
    let (code, detail) = trouble.map(|(code, text)| (code.to_owned(), text)).unzip();
    let hint = code.as_ref().map(|code| format!("mend the cause and the server goes on by itself; see docs/errors/{code}.md"));
    (status, Json(Readiness { ready: health.ready, code, detail, hint, clock_behind_ms: behind, accounts_down })).into_response()
}

/// Counters and times for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "system", security(()), responses((status = 200, description = "text exposition format 0.0.4")))]
pub async fn metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], crate::metrics::text(&app).await).into_response()
}

#[derive(Deserialize)]
pub struct LoginQuery {
    token: String,
}

/// Turns a one-time link into a session of the console
#[utoipa::path(get, path = "/login", tag = "system", params(("token" = String, Query, description = "from the link that the server printed")),
    responses((status = 303, description = "signed in, on to the console"), (status = 400, body = Problem), (status = 401, body = Problem)), security(()))]
pub async fn login(State(app): State<App>, Asked(query): Asked<LoginQuery>) -> Result<Response, Problem> {
    let caller = app.logins.lock().expect("no holder of this lock panics").remove(&query.token);
    let Some(caller) = caller else {
        let hint = "print a new link with `faden login`, or use an API key";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "login-used", "this link was used already or never existed", hint));
    };
    let session = crate::keys::secret("fds_");
    app.sessions.lock().expect("no holder of this lock panics").insert(session.clone(), caller);
    let secure = if app.base_url.starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!("{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict{secure}");
    Ok((StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())]).into_response())
}

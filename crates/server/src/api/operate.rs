//! Running the server: channel accounts, the audit log, keys, links to sign in.

use super::input::{Asked, Input, Page, bad_input};
use super::sources::unwritten;
use super::workspace::blocking;
use crate::access::{Need, Who};
use crate::audit::{Audit, Entry};
use crate::channels::{AccountHealth, send_test};
use crate::keeper::now;
use crate::keys::{Caller, Key, Role, Scope, secret};
use crate::problem::Problem;
use crate::said::Wording;
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/channels", Need::Scope(Scope::WorkspaceRead)),
    ("POST", "/api/v1/messages/test", Need::Scope(Scope::Operate)),
    ("GET", "/api/v1/audit", Need::Scope(Scope::Operate)),
    ("GET", "/api/v1/keys", Need::Scope(Scope::Admin)),
    ("POST", "/api/v1/keys", Need::Scope(Scope::Admin)),
    ("DELETE", "/api/v1/keys/{id}", Need::Scope(Scope::Admin)),
    ("POST", "/api/v1/login_links", Need::Scope(Scope::Admin)),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/channels", get(channels))
        .route("/api/v1/messages/test", post(test))
        .route("/api/v1/audit", get(audit))
        .route("/api/v1/keys", get(keys).post(create))
        .route("/api/v1/keys/{id}", delete(remove))
        .route("/api/v1/login_links", post(login_link))
}

#[derive(OpenApi)]
#[openapi(paths(channels, test, audit, keys, create, remove, login_link))]
pub struct Document;

/// Longest name of a key, in characters.
const NAME_CHARS_MAX: usize = 100;

#[derive(Serialize, ToSchema)]
pub struct ChannelAccounts {
    pub items: Vec<AccountHealth>,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct TestMessage {
    /// The account's name in `faden.yaml`.
    pub channel_account: String,
    /// As the channel writes addresses.
    pub to: String,
    pub text: String,
}

#[derive(Serialize, ToSchema)]
pub struct TestResult {
    /// The provider took it.
    pub accepted: bool,
    /// The provider's or the protocol's, where it did not.
    pub code: Option<String>,
    /// What went wrong, for people.
    pub reason: Option<String>,
    /// What `reason` says, for clients that say it themselves.
    pub wording: Option<Wording>,
}

#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    pub items: Vec<Entry>,
    pub next_page_token: Option<String>,
    /// Every line follows from the line before.
    pub intact: bool,
    /// The first line that does not.
    pub broken_at: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct KeyList {
    pub items: Vec<Key>,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct NewKey {
    /// For people and the audit log.
    pub name: String,
    pub role: Role,
    /// Fewer than the role's; all of them when missing.
    #[serde(default)]
    pub scopes: Option<Vec<Scope>>,
}

#[derive(Serialize, ToSchema)]
pub struct MadeKey {
    /// Shown this once.
    pub key: String,
    pub id: String,
    pub name: String,
    pub role: Role,
    pub scopes: Vec<Scope>,
    pub created_at: String,
}

#[derive(Deserialize, ToSchema)]
pub struct NewLink {
    /// Who signs in, for the audit log; the caller's name when missing.
    #[serde(default)]
    pub name: Option<String>,
    /// `admin` when missing.
    #[serde(default)]
    pub role: Option<Role>,
}

#[derive(Serialize, ToSchema)]
pub struct MadeLink {
    /// Signs in to the console, once.
    pub url: String,
}

/// Channel accounts and how they are
#[utoipa::path(get, path = "/api/v1/channels", tag = "channels", responses((status = 200, body = ChannelAccounts), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn channels(State(app): State<App>) -> Json<ChannelAccounts> {
    Json(ChannelAccounts { items: app.channels.health(), next_page_token: None })
}

/// Sends a text through an account, past journeys and policies
#[utoipa::path(post, path = "/api/v1/messages/test", tag = "channels", request_body = TestMessage,
    responses((status = 200, body = TestResult), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn test(State(app): State<App>, Who(caller): Who, Input(wanted): Input<TestMessage>) -> Result<Json<TestResult>, Problem> {
    let account = app.channels.get(&wanted.channel_account).ok_or_else(|| Problem::not_found("channel account"))?;
    // To whom is nobody's business later.
    write(&app, &caller, "message.tested", &wanted.channel_account, "").await?;
    let tested = match send_test(&account, &wanted.to, &wanted.text).await {
        Ok(()) => TestResult { accepted: true, code: None, reason: None, wording: None },
        Err((code, said)) => TestResult { accepted: false, code: Some(code), reason: Some(said.text), wording: Some(said.wording) },
    };
    Ok(Json(tested))
}

/// Who changed what, newest first, and whether the log is whole
#[utoipa::path(get, path = "/api/v1/audit", tag = "system", params(Page),
    responses((status = 200, body = AuditPage), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn audit(State(app): State<App>, Asked(page): Asked<Page>) -> Result<Json<AuditPage>, Problem> {
    let (limit, before): (usize, Option<u64>) = (page.limit()?, page.token()?);
    let entries = blocking(move || app.audit.entries()).await?.map_err(|error| unwritten(&error))?;
    let broken_at = Audit::check(&entries).err().map(|broken| broken.0);
    let wanted = entries.into_iter().rev().filter(|entry| before.is_none_or(|before| entry.number < before));
    let items: Vec<Entry> = wanted.take(limit).collect();
    let next = items.last().filter(|last| items.len() == limit && last.number > 1).map(|last| last.number.to_string());
    Ok(Json(AuditPage { items, next_page_token: next, intact: broken_at.is_none(), broken_at }))
}

/// All keys, without their secrets
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", responses((status = 200, body = KeyList), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn keys(State(app): State<App>) -> Json<KeyList> {
    Json(KeyList { items: app.keys.list(), next_page_token: None })
}

/// Makes a key
#[utoipa::path(post, path = "/api/v1/keys", tag = "keys", request_body = NewKey,
    responses((status = 201, body = MadeKey), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn create(State(app): State<App>, Who(caller): Who, Input(new): Input<NewKey>) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    let name = name_of(&new.name)?;
    if let Some(more) = new.scopes.iter().flatten().find(|scope| !new.role.scopes().contains(scope)) {
        return Err(bad_input(format!("the role does not have the scope {more:?}; choose another role or leave the scope out")));
    }
    let role = new.role;
    let detail = format!("{role:?}").to_lowercase();
    write(&app, &caller, "key.created", &name, &detail).await?;
    let made = blocking(move || app.keys.create(&name, role, new.scopes, &now().to_string())).await?;
    let (secret, key) = made.map_err(|error| unwritten(&error))?;
    let scopes = key.scopes.unwrap_or_else(|| role.scopes().to_vec());
    let made = MadeKey { key: secret, id: key.id, name: key.name, role, scopes, created_at: key.created_at };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Removes a key: it is refused from now on
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 204, description = "it is gone"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn remove(State(app): State<App>, Who(caller): Who, headers: HeaderMap, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    // Whoever removes the key that he calls with has locked himself out.
    if crate::access::secret(&headers).is_some_and(|secret| crate::keys::id_of(&secret) == id) {
        let hint = "call with another key, or from the console";
        return Err(Problem::new(StatusCode::CONFLICT, "own-key", "this is the key that the call was made with", hint));
    }
    let known = app.keys.list().into_iter().find(|key| key.id == id).ok_or_else(|| Problem::not_found("key"))?;
    write(&app, &caller, "key.removed", &known.name, &known.id).await?;
    blocking(move || app.keys.remove(&id)).await?.map_err(|error| unwritten(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link that signs in to the console, once
#[utoipa::path(post, path = "/api/v1/login_links", tag = "keys", request_body = Option<NewLink>,
    responses((status = 201, body = MadeLink), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn login_link(
    State(app): State<App>,
    Who(caller): Who,
    Input(new): Input<NewLink>,
) -> Result<(StatusCode, Json<MadeLink>), Problem> {
    let name = new.name.as_deref().map_or_else(|| Ok(caller.name.clone()), name_of)?;
    let role = new.role.unwrap_or(Role::Admin);
    write(&app, &caller, "login_link.created", &name, &format!("{role:?}").to_lowercase()).await?;
    let token = secret("");
    let who = Caller { name, role: Some(role), scopes: role.scopes().to_vec() };
    app.logins.lock().expect("no holder of this lock panics").insert(token.clone(), who);
    Ok((StatusCode::CREATED, Json(MadeLink { url: format!("{}/login?token={token}", app.base_url) })))
}

fn name_of(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(bad_input(format!("`name` must have 1 to {NAME_CHARS_MAX} characters in one line"))) }
}

/// The audit log has the change before it is made.
async fn write(app: &App, caller: &Caller, action: &'static str, subject: &str, detail: &str) -> Result<(), Problem> {
    let (app, who, subject, detail) = (app.clone(), caller.name.clone(), subject.to_owned(), detail.to_owned());
    let written = blocking(move || app.audit.write(&now().to_string(), &who, action, &subject, &detail));
    written.await?.map_err(|error| unwritten(&error))
}

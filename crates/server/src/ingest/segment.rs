//! Segment's calls: `/v1/track` and its like, `/v1/batch`, and the short names that its browser library uses.

use super::body::Unreadable;
use super::{BATCH_BYTES_MAX, CALL_BYTES_MAX, Intake, Taken, text_of, unreadable};
use crate::access::{secret, unauthorized};
use crate::keeper::now;
use crate::keys::{Caller, Scope};
use crate::problem::Problem;
use crate::state::App;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use faden_model::Timestamp;
use faden_model::event::{EventKind, Receipt};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The call that brings many, as dead letters name it.
const BATCH: &str = "batch";

/// Endpoints of the Segment protocol.
pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/track", post(track))
        .route("/v1/t", post(track))
        .route("/v1/identify", post(identify))
        .route("/v1/i", post(identify))
        .route("/v1/page", post(page))
        .route("/v1/p", post(page))
        .route("/v1/screen", post(screen))
        .route("/v1/s", post(screen))
        .route("/v1/group", post(group))
        .route("/v1/g", post(group))
        .route("/v1/alias", post(alias))
        .route("/v1/a", post(alias))
        .route("/v1/batch", post(batch))
        .route("/v1/b", post(batch))
        .route("/v1/projects/{write_key}/settings", get(settings))
}

type Who = Option<Extension<Caller>>;
type Answer = Result<Json<Taken>, Problem>;

/// Calls that differ in their kind only: each a handler of its own, for the document.
macro_rules! calls {
    ($($name:ident, $kind:ident, $path:literal, $about:literal;)*) => {$(
        #[doc = $about]
        #[utoipa::path(post, path = $path, tag = "intake", request_body(content = serde_json::Value, description = "a Segment call of this kind"),
            responses((status = 200, body = Taken), (status = 400, body = Problem), (status = 401, body = Problem), (status = 413, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
        pub async fn $name(State(app): State<App>, who: Who, headers: HeaderMap, body: Body) -> Answer {
            single(app, who, headers, body, EventKind::$kind).await
        }
    )*};
}

calls! {
    track, Track, "/v1/track", "A customer did something";
    identify, Identify, "/v1/identify", "Who a customer is";
    page, Page, "/v1/page", "A customer saw a page";
    screen, Screen, "/v1/screen", "A customer saw a screen of an app";
    group, Group, "/v1/group", "A customer belongs to a group";
    alias, Alias, "/v1/alias", "Two identifiers are one customer";
}

async fn single(app: App, who: Who, headers: HeaderMap, body: Body, kind: EventKind) -> Answer {
    let who = who.map(|Extension(caller)| caller);
    let text = text_of(&app, who.as_ref(), kind.name(), &headers, body, CALL_BYTES_MAX).await?;
    let caller = match who {
        Some(caller) => caller,
        None => caller_in_body(&app, &headers, &text)?,
    };
    let mut intake = Intake::new(&app, &caller.name, kind.name());
    intake.event(&text, &Receipt { kind: Some(kind), received_at: Some(now()), sent_at: None });
    Ok(Json(intake.finish().await?))
}

/// Members of a batch that are read; its events stay the sender's bytes.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
    #[serde(borrow, rename = "sentAt", default)]
    sent_at: Option<Cow<'a, str>>,
}

/// Many calls at once; good ones are taken also when others are bad
#[utoipa::path(post, path = "/v1/batch", tag = "intake", request_body(content = serde_json::Value, description = "a Segment batch: `{batch: [...], sentAt}`"),
    responses((status = 200, body = Taken), (status = 400, body = Problem), (status = 401, body = Problem), (status = 413, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn batch(State(app): State<App>, who: Who, headers: HeaderMap, body: Body) -> Answer {
    let who = who.map(|Extension(caller)| caller);
    let text = text_of(&app, who.as_ref(), BATCH, &headers, body, BATCH_BYTES_MAX).await?;
    let caller = match who {
        Some(caller) => caller,
        None => caller_in_body(&app, &headers, &text)?,
    };
    let read: Batch<'_> = match serde_json::from_str(&text) {
        Ok(read) => read,
        Err(error) => {
            let reason = format!("the batch cannot be read: {error}; send one JSON object with the list `batch`");
            let found = Unreadable::new("event-not-json", reason, text.as_bytes());
            return Err(unreadable(&app, Some(&caller), BATCH, found).await);
        }
    };
    let sent_at = read.sent_at.as_deref().and_then(|text| Timestamp::parse(text).ok());
    let receipt = Receipt { kind: None, received_at: Some(now()), sent_at };
    let mut intake = Intake::new(&app, &caller.name, BATCH);
    for event in read.batch {
        intake.event(event.get(), &receipt);
    }
    Ok(Json(intake.finish().await?))
}

/// What Segment's browser library asks for when it is loaded with this server as its `cdnURL`
#[utoipa::path(get, path = "/v1/projects/{write_key}/settings", tag = "intake", security(()),
    params(("write_key" = String, Path, description = "key of the source")),
    responses((status = 200, description = "settings that send everything here")))]
pub async fn settings(State(app): State<App>, Path(write_key): Path<String>) -> Json<serde_json::Value> {
    let (protocol, host) = app.base_url.split_once("://").unwrap_or(("http", &app.base_url));
    // Keys are not checked here: the answer is the same for all, and the first event tells.
    Json(serde_json::json!({
        "integrations": {"Segment.io": {"apiKey": write_key, "apiHost": format!("{host}/v1"), "protocol": protocol}},
        "plan": {"track": {"__default": {"enabled": true}}, "identify": {"__default": {"enabled": true}}, "group": {"__default": {"enabled": true}}},
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
    }))
}

/// Browsers send their key in the body; calls with a wrong key elsewhere do not come here.
fn caller_in_body(app: &App, headers: &HeaderMap, text: &str) -> Result<Caller, Problem> {
    #[derive(Deserialize)]
    struct Key<'a> {
        #[serde(borrow, rename = "writeKey", default)]
        write_key: Option<Cow<'a, str>>,
    }
    if secret(headers).is_some() {
        return Err(unauthorized());
    }
    let key: Key<'_> = serde_json::from_str(text).map_err(|_| unauthorized())?;
    let caller = key.write_key.and_then(|key| app.caller(&key)).ok_or_else(unauthorized)?;
    if caller.scopes.contains(&Scope::EventsWrite) { Ok(caller) } else { Err(unauthorized()) }
}

//! Who may call what: one table of endpoints and the scope each needs, and the check of keys and sessions.
//!
//! A test walks the OpenAPI document against the table, so no endpoint can be added without a line here.
//! What is open to everybody says so: health, and pages that customers reach by signed links.

use crate::keys::{Caller, Scope};
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What an endpoint needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: health, signed links, providers' signed calls, the console's own files.
    Open,
    /// Any key or session of this server.
    Anybody,
    Scope(Scope),
}

/// Name of the console's session cookie.
pub const SESSION_COOKIE: &str = "faden_session";

const fn scope(scope: Scope) -> Need {
    Need::Scope(scope)
}

/// Intake: method, path as the router writes it, and what it needs. The other parts have theirs.
pub const TABLE: &[(&str, &str, Need)] = &[
    ("POST", "/v1/track", scope(Scope::EventsWrite)),
    ("POST", "/v1/identify", scope(Scope::EventsWrite)),
    ("POST", "/v1/page", scope(Scope::EventsWrite)),
    ("POST", "/v1/screen", scope(Scope::EventsWrite)),
    ("POST", "/v1/group", scope(Scope::EventsWrite)),
    ("POST", "/v1/alias", scope(Scope::EventsWrite)),
    ("POST", "/v1/batch", scope(Scope::EventsWrite)),
    ("POST", "/v1/t", scope(Scope::EventsWrite)),
    ("POST", "/v1/i", scope(Scope::EventsWrite)),
    ("POST", "/v1/p", scope(Scope::EventsWrite)),
    ("POST", "/v1/s", scope(Scope::EventsWrite)),
    ("POST", "/v1/g", scope(Scope::EventsWrite)),
    ("POST", "/v1/a", scope(Scope::EventsWrite)),
    ("POST", "/v1/b", scope(Scope::EventsWrite)),
    ("GET", "/v1/projects/{write_key}/settings", Need::Open),
    ("POST", "/v1/events", scope(Scope::EventsWrite)),
];

/// What a call of this method and path needs; `None` when no endpoint is there.
pub fn need(method: &str, path: &str) -> Option<Need> {
    let mut known = TABLE
        .iter()
        .chain(crate::api::ACCESS.iter().flat_map(|part| part.iter()))
        .chain(crate::surfaces::ACCESS)
        .chain(crate::inbound::ACCESS);
    known.find(|(of, at, _)| *of == method && *at == path).map(|(_, _, need)| *need)
}

/// The secret that a call carries: Basic (as Segment's libraries send it), Bearer, or the session cookie.
pub fn secret(headers: &HeaderMap) -> Option<String> {
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let (scheme, rest) = value.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(rest.trim().to_owned());
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let bytes = STANDARD.decode(rest.trim()).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            return Some(text.split_once(':').map_or(text.as_str(), |(user, _)| user).to_owned());
        }
        return None;
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value.to_owned())
}

/// Refuses what the table does not allow; the caller goes along with the request.
pub async fn check(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // Preflights of browsers carry no key; the CORS layer answers them.
    let need = match (&path, request.method()) {
        (Some(path), method) if *method == Method::HEAD => need("GET", path),
        (Some(path), method) => need(method.as_str(), path),
        (None, _) => Some(Need::Open),
    };
    let needed = match need {
        Some(Need::Open) => return next.run(request).await,
        Some(Need::Anybody) => None,
        Some(Need::Scope(scope)) => Some(scope),
        // The router knows the path but not this method: it answers 405.
        None => return next.run(request).await,
    };
    let caller = secret(request.headers()).and_then(|secret| app.caller(&secret));
    // Browsers' event calls may carry their key in the body: intake looks there.
    if caller.is_none() && needed == Some(Scope::EventsWrite) && secret(request.headers()).is_none() {
        return next.run(request).await;
    }
    let Some(caller) = caller else { return unauthorized().into_response() };
    if let Some(scope) = needed
        && !caller.scopes.contains(&scope)
    {
        return forbidden(scope).into_response();
    }
    if let Some(problem) = foreign_page(&request) {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// A session's cookie comes along from any page that calls us: changes need the console's own origin.
fn foreign_page(request: &Request) -> Option<Problem> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let by_cookie = !request.headers().contains_key(header::AUTHORIZATION);
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    (changes && by_cookie && foreign).then(|| {
        let hint = "call it from the console itself, or with a key in the `Authorization` header";
        Problem::new(StatusCode::FORBIDDEN, "foreign-page", "this session may not be used from another page", hint)
    })
}

pub fn unauthorized() -> Problem {
    let hint = "send `Authorization: Bearer KEY` (or Basic with the key as user name); `faden serve` prints how to get one";
    Problem::new(StatusCode::UNAUTHORIZED, "no-key", "the call carries no key that this server knows", hint)
}

fn forbidden(scope: Scope) -> Problem {
    let name = serde_json::to_value(scope).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    let hint = format!("use a key with the scope `{name}`");
    Problem::new(StatusCode::FORBIDDEN, "wrong-scope", format!("this key does not have the scope `{name}`"), hint)
}

/// The caller that [`check`] found.
pub struct Who(pub Caller);

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Who, Problem> {
        parts.extensions.get::<Caller>().cloned().map(Who).ok_or_else(unauthorized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn keys_come_as_segment_libraries_send_them_as_bearer_or_in_the_session() {
        let table = [
            ("authorization", "Basic a2V5Og==", Some("key")),
            ("authorization", "basic a2V5Og==", Some("key")),
            ("authorization", "Bearer key", Some("key")),
            ("authorization", "Basic ???", None),
            ("authorization", "Digest key", None),
            ("cookie", "a=b; faden_session=key; c=d", Some("key")),
            ("cookie", "a=b", None),
        ];
        for (name, value, found) in table {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(secret(&headers).as_deref(), found, "{name}: {value}");
        }
    }
}

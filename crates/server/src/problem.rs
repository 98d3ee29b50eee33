//! Errors of the API as RFC 9457 problem details: a stable code, what went wrong, what to do next.

use crate::keeper::Refusal;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Digits that make a number somebody's; what is shorter is a count.
const NUMBER_MIN: usize = 7;
/// Where error codes are explained, by this server itself: see [`crate::console::file`].
pub const PAGES: &str = "/docs/errors/";

/// What a failed call answers, as `application/problem+json`.
///
/// [`crate::answer`] completes it on its way out: which request it was, and where the server is reached.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Address of the page that explains the code.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// Stable, for programs.
    pub code: String,
    /// What to do next.
    pub hint: String,
    /// The same page.
    pub doc_url: String,
    /// Also in the answer's `x-request-id` and in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Seconds until it makes sense to try again.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// Both texts go through [`discreet`].
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Problem {
        let page = format!("{PAGES}{code}");
        Problem {
            kind: page.clone(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: discreet(&detail.into()),
            code: code.to_owned(),
            hint: discreet(&hint.into()),
            doc_url: page,
            request_id: None,
            retry_after: None,
        }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail, hint)
    }

    /// With a code that somebody else found.
    #[must_use]
    pub fn coded(self, code: &str) -> Problem {
        let page = format!("{PAGES}{code}");
        Problem { kind: page.clone(), code: code.to_owned(), doc_url: page, ..self }
    }

    /// The thing that a path names does not exist.
    pub fn not_found(what: &str) -> Problem {
        let hint = "look at the list above it in the path; names and ids are case-sensitive";
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no such {what}"), hint)
    }
}

/// A text without what may be somebody's: addresses, numbers in international form, and values that a parser
/// repeats. Answers end up in the logs of whoever asked, and he knows what he sent.
pub fn discreet(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for part in
        text.split_inclusive(|sign: char| sign.is_whitespace() || matches!(sign, '`' | '"' | '\'' | '<' | '>' | '(' | ')' | ',' | ';'))
    {
        let number = part.trim_start_matches('+').bytes().take_while(u8::is_ascii_digit).count();
        let address = part.find('@').is_some_and(|at| at > 0 && part[at..].contains('.'));
        if address || (part.starts_with('+') && number >= NUMBER_MIN) {
            kept.push('\u{2026}');
            kept.extend(part.chars().next_back().filter(|sign| !sign.is_alphanumeric()));
        } else {
            kept.push_str(part);
        }
    }
    for opening in ["string \"", "unknown variant `", "unknown field `"] {
        let closing = opening.chars().next_back().unwrap_or_default();
        let Some(begin) = kept.find(opening).map(|at| at + opening.len()) else { continue };
        if let Some(end) = kept[begin..].rfind([closing]).filter(|_| closing == '"').or_else(|| kept[begin..].find(closing)) {
            kept.replace_range(begin..begin + end, "\u{2026}");
        }
    }
    kept
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match &refusal {
            Refusal::Busy => {
                let hint = "wait for the seconds that `Retry-After` names and send the same call again";
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "server-overloaded", refusal.to_string(), hint);
                Problem { retry_after: Some(1), ..problem }
            }
            Refusal::Down(_) => {
                let hint = "send the same call again; `/readyz` and `faden doctor` say what is wrong with the server";
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", refusal.to_string(), hint);
                Problem { retry_after: Some(2), ..problem }
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(&self)).into_response();
        response.extensions_mut().insert(self);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::discreet;

    #[test]
    fn what_may_be_somebodys_is_not_repeated() {
        let table = [
            ("`timestamp` cannot be read: `anna@example.com` is no instant", "`timestamp` cannot be read: `\u{2026}` is no instant"),
            ("550 <anna@example.com>: unknown", "550 <\u{2026}>: unknown"),
            ("call +4915112345678, please", "call \u{2026}, please"),
            (
                "invalid type: string \"Anna \"A\" Miller\", expected a map at line 1",
                "invalid type: string \"\u{2026}\", expected a map at line 1",
            ),
            ("unknown variant `Anna`, expected one of `admin`, `source`", "unknown variant `\u{2026}`, expected one of `admin`, `source`"),
            ("missing field `user_id` at line 1 column 17", "missing field `user_id` at line 1 column 17"),
            (
                "write RFC 3339 such as 2026-03-01T10:00:00+01:00; +12 is none",
                "write RFC 3339 such as 2026-03-01T10:00:00+01:00; +12 is none",
            ),
            ("@media and me@home", "@media and me@home"),
        ];
        for (text, told) in table {
            assert_eq!(discreet(text), told);
        }
    }
}

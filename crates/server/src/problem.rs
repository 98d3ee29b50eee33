//! Errors of the API as RFC 9457 problem details: a stable code, what went wrong, what to do next.

use crate::keeper::Refusal;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Where error codes are explained.
const DOCS: &str = "docs/errors/";

/// What a failed call answers, as `application/problem+json`.
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
    pub doc_url: String,
    /// Also in the answer's `x-request-id` and in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Seconds until it makes sense to try again.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Problem {
        let page = format!("{DOCS}{code}.md");
        Problem {
            kind: page.clone(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            hint: hint.into(),
            doc_url: page,
            request_id: None,
            retry_after: None,
        }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail, hint)
    }

    /// The thing that a path names does not exist.
    pub fn not_found(what: &str) -> Problem {
        let hint = "look at the list above it in the path; names and ids are case-sensitive";
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no such {what}"), hint)
    }
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
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

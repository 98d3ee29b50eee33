//! What every answer carries: the id of its request; a problem also has it in its body, with the full address
//! of the page that explains it.

use crate::keys::secret;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request: the caller's own id if it is a sensible one.
pub async fn complete(State(app): State<App>, request: Request, next: Next) -> Response {
    let sensible = |value: &&HeaderValue| {
        (1..=64).contains(&value.len()) && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    let given = request.headers().get(REQUEST_ID).filter(sensible).cloned();
    let id = given.or_else(|| HeaderValue::from_str(&secret("req-")[..20]).ok());
    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = id.as_ref().and_then(|id| id.to_str().ok()).map(str::to_owned);
        problem.doc_url = format!("{}{}", app.base_url, problem.kind);
        problem.kind.clone_from(&problem.doc_url);
        let (head, body) = problem.into_response().into_parts();
        *response.body_mut() = body;
        match head.headers.get(header::CONTENT_LENGTH).cloned() {
            Some(length) => drop(response.headers_mut().insert(header::CONTENT_LENGTH, length)),
            None => drop(response.headers_mut().remove(header::CONTENT_LENGTH)),
        }
    }
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

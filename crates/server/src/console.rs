//! The console's files, embedded when the program was built, and what they may do in a browser.

use crate::problem::{PAGES, Problem};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// Built by `make ui`.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// Pages that explain error codes.
#[derive(RustEmbed)]
#[folder = "../../docs/errors"]
struct Pages;

/// Only what the console itself brings may run or be shown.
pub const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; \
                          base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A file, or the page that takes over from there.
pub async fn file(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") || path.starts_with("v1/") {
        return Problem::not_found("address").into_response();
    }
    if let Some(code) = uri.path().strip_prefix(PAGES) {
        return page(code);
    }
    let found = Files::get(path).filter(|_| !path.is_empty()).map(|file| (path, file));
    let Some((path, file)) = found.or_else(|| Files::get("index.html").map(|file| ("index.html", file))) else {
        let text = "The console was not built into this program: run `make ui` and build again. The API is at /api/v1.\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let kind = HeaderValue::from_str(file.metadata.mimetype()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// What an error code means, as its author wrote it.
fn page(code: &str) -> Response {
    let Some(file) = Pages::get(&format!("{code}.md")) else { return Problem::not_found("error code").into_response() };
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))], file.data.into_owned())
        .into_response()
}

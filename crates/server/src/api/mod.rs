//! The API for people's programs and the console: `/api/v1`, described by the OpenAPI document.
//!
//! One file per part. Each brings its routes, a line per endpoint in its `ACCESS`, and its share of the
//! document (`Document`); a test holds the three against each other.

mod effects;
mod input;
mod openapi;
mod operate;
mod overview;
mod scenarios;
mod sources;
mod system;
mod templates;
mod workspace;

pub use overview::every_second;

use crate::access::Need;
use crate::state::App;
use axum::Router;

/// What each endpoint of the API needs, by part; see [`crate::access::need`].
pub const ACCESS: &[&[(&str, &str, Need)]] = &[
    system::ACCESS,
    overview::ACCESS,
    openapi::ACCESS,
    workspace::ACCESS,
    scenarios::ACCESS,
    templates::ACCESS,
    sources::ACCESS,
    operate::ACCESS,
];

/// All endpoints of the API.
pub fn router() -> Router<App> {
    Router::new()
        .merge(system::router())
        .merge(overview::router())
        .merge(openapi::router())
        .merge(workspace::router())
        .merge(scenarios::router())
        .merge(templates::router())
        .merge(sources::router())
        .merge(operate::router())
}

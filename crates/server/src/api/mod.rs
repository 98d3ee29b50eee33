//! The API for people's programs and the console: `/api/v1`, described by the OpenAPI document.
//!
//! One file per part. Each brings its routes, a line per endpoint in its `ACCESS`, and its share of the
//! document (`Document`); a test holds the three against each other.

mod audiences;
mod backup;
mod consent_state;
mod consents;
mod decide;
mod decided;
mod decisions;
mod effects;
mod enrollments;
mod experiments;
mod export;
mod graph;
mod input;
mod journeys;
mod lines;
mod messages;
mod migrations;
mod openapi;
mod operate;
pub mod overview;
mod page;
mod passage;
mod person;
mod policies;
mod profiles;
mod scenarios;
mod search;
mod sources;
mod stream;
mod system;
mod templates;
mod timeline;
mod workspace;

pub use input::BODY_BYTES_MAX;
pub use overview::every_second;
pub use stream::{END, as_decided};

use crate::access::Need;
use crate::state::App;
use axum::Router;

/// What each endpoint of the API needs, by part; see [`crate::access::need`].
pub const ACCESS: &[&[(&str, &str, Need)]] = &[
    system::ACCESS,
    overview::ACCESS,
    stream::ACCESS,
    openapi::ACCESS,
    workspace::ACCESS,
    scenarios::ACCESS,
    templates::ACCESS,
    sources::ACCESS,
    operate::ACCESS,
    decide::ACCESS,
    search::ACCESS,
    profiles::ACCESS,
    timeline::ACCESS,
    decisions::ACCESS,
    journeys::ACCESS,
    enrollments::ACCESS,
    migrations::ACCESS,
    messages::ACCESS,
    audiences::ACCESS,
    consents::ACCESS,
    policies::ACCESS,
    experiments::ACCESS,
    backup::ACCESS,
    export::ACCESS,
];

/// All endpoints of the API.
pub fn router() -> Router<App> {
    let parts = [
        system::router(),
        overview::router(),
        stream::router(),
        openapi::router(),
        workspace::router(),
        scenarios::router(),
        templates::router(),
        sources::router(),
        operate::router(),
        decide::router(),
        search::router(),
        profiles::router(),
        timeline::router(),
        decisions::router(),
        journeys::router(),
        enrollments::router(),
        migrations::router(),
        messages::router(),
        audiences::router(),
        consents::router(),
        policies::router(),
        experiments::router(),
        backup::router(),
        export::router(),
    ];
    parts.into_iter().fold(Router::new(), Router::merge)
}

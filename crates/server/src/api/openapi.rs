//! The OpenAPI document: made from the code, checked in as `openapi.json`, served at `/api/v1/openapi.json`.

use crate::access::Need;
use crate::ingest;
use crate::state::App;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/openapi.json", Need::Open)];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/openapi.json", get(openapi))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Faden", description = "One thread through everything a company and a customer say and do.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    paths(
        ingest::segment::track,
        ingest::segment::identify,
        ingest::segment::page,
        ingest::segment::screen,
        ingest::segment::group,
        ingest::segment::alias,
        ingest::segment::batch,
        ingest::segment::settings,
        ingest::cloud_events::events,
        openapi,
    ),
    security(("bearer" = []), ("basic" = [])),
)]
struct Document;

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let parts = [
        super::system::Document::openapi(),
        super::overview::Document::openapi(),
        super::workspace::Document::openapi(),
        super::scenarios::Document::openapi(),
        super::templates::Document::openapi(),
        super::sources::Document::openapi(),
        super::operate::Document::openapi(),
        super::decide::Document::openapi(),
        super::search::Document::openapi(),
        super::profiles::Document::openapi(),
        super::timeline::Document::openapi(),
        super::decisions::Document::openapi(),
        super::journeys::Document::openapi(),
        super::enrollments::Document::openapi(),
        super::messages::Document::openapi(),
        super::audiences::Document::openapi(),
        super::consents::Document::openapi(),
        super::policies::Document::openapi(),
        super::experiments::Document::openapi(),
        super::backup::Document::openapi(),
        super::export::Document::openapi(),
    ];
    for part in parts {
        document.merge(part);
    }
    let components = document.components.get_or_insert_with(Default::default);
    for (name, scheme) in [("bearer", HttpAuthScheme::Bearer), ("basic", HttpAuthScheme::Basic)] {
        components.add_security_scheme(name, SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build()));
    }
    document
}

/// This document
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "system", responses((status = 200, description = "OpenAPI 3.1")), security(()))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{TABLE, need};
    use std::collections::BTreeSet;

    /// Method and path of every operation in the document.
    fn operations() -> BTreeSet<(String, String)> {
        let document = serde_json::to_value(document()).expect("it is JSON");
        let paths = document["paths"].as_object().expect("paths").clone();
        let methods = |item: &serde_json::Value| item.as_object().expect("an item").keys().cloned().collect::<Vec<_>>();
        paths.iter().flat_map(|(path, item)| methods(item).into_iter().map(|method| (method.to_uppercase(), path.clone()))).collect()
    }

    #[test]
    fn every_operation_of_the_document_has_its_line_in_the_table_of_permissions() {
        let without: Vec<_> = operations().into_iter().filter(|(method, path)| need(method, path).is_none()).collect();
        assert!(without.is_empty(), "add these to ACCESS of their part: {without:?}");
    }

    #[test]
    fn every_line_of_the_table_of_permissions_is_in_the_document() {
        let known = operations();
        let lines = TABLE.iter().chain(super::super::ACCESS.iter().flat_map(|part| part.iter())).chain(crate::surfaces::ACCESS);
        // Short names of the Segment protocol and pages for customers are described in words elsewhere.
        let described = |path: &str| path.starts_with("/api/") || (path.starts_with("/v1/") && path.len() > 5);
        let missing: Vec<_> =
            lines.filter(|(method, path, _)| described(path) && !known.contains(&((*method).to_owned(), (*path).to_owned()))).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn the_checked_in_document_is_what_the_code_says() {
        let written = serde_json::to_string_pretty(&document()).expect("it is JSON") + "\n";
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("FADEN_WRITE_OPENAPI").is_some() {
            std::fs::write(file, &written).expect("it can be written");
        }
        let checked_in = std::fs::read_to_string(file).unwrap_or_default();
        assert!(checked_in == written, "run `FADEN_WRITE_OPENAPI=1 cargo test -p faden-server openapi` and commit openapi.json");
    }
}

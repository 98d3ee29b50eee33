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

/// Each file's share, with its name.
fn parts() -> Vec<(&'static str, utoipa::openapi::OpenApi)> {
    vec![
        ("intake", Document::openapi()),
        ("system", super::system::Document::openapi()),
        ("overview", super::overview::Document::openapi()),
        ("stream", super::stream::Document::openapi()),
        ("workspace", super::workspace::Document::openapi()),
        ("scenarios", super::scenarios::Document::openapi()),
        ("templates", super::templates::Document::openapi()),
        ("sources", super::sources::Document::openapi()),
        ("operate", super::operate::Document::openapi()),
        ("decide", super::decide::Document::openapi()),
        ("search", super::search::Document::openapi()),
        ("profiles", super::profiles::Document::openapi()),
        ("timeline", super::timeline::Document::openapi()),
        ("decisions", super::decisions::Document::openapi()),
        ("journeys", super::journeys::Document::openapi()),
        ("enrollments", super::enrollments::Document::openapi()),
        ("migrations", super::migrations::Document::openapi()),
        ("messages", super::messages::Document::openapi()),
        ("audiences", super::audiences::Document::openapi()),
        ("consents", super::consents::Document::openapi()),
        ("policies", super::policies::Document::openapi()),
        ("experiments", super::experiments::Document::openapi()),
        ("backup", super::backup::Document::openapi()),
        ("export", super::export::Document::openapi()),
    ]
}

/// The whole document. Names of operations begin with their part's: functions are called alike in many parts.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.paths.paths.clear();
    for (name, mut part) in parts() {
        let items = part.paths.paths.values_mut();
        for operation in items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]).flatten()
        {
            operation.operation_id = operation.operation_id.take().map(|id| format!("{name}_{id}"));
        }
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
    use std::collections::{BTreeMap, BTreeSet};

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
    fn no_two_operations_and_no_two_schemas_have_the_same_name() {
        let written = serde_json::to_value(document()).expect("it is JSON");
        let paths = written["paths"].as_object().expect("paths").values();
        let ids: Vec<&str> =
            paths.flat_map(|item| item.as_object().expect("an item").values()).filter_map(|one| one["operationId"].as_str()).collect();
        assert_eq!(ids.len(), operations().len(), "each operation has a name");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        // Of two schemas of one name the document would keep one.
        let mut known: BTreeMap<String, (&str, String)> = BTreeMap::new();
        for (part, document) in parts() {
            for (name, schema) in document.components.into_iter().flat_map(|components| components.schemas) {
                let text = serde_json::to_string(&schema).expect("it is JSON");
                let (other, same) = known.entry(name.clone()).or_insert_with(|| (part, text.clone()));
                assert_eq!(*same, text, "`{name}` is in `{other}` and in `{part}`: rename one");
            }
        }
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

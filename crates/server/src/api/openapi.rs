//! The OpenAPI document: made from the code, checked in as `openapi.json`, served at `/api/v1/openapi.json`.

use crate::access::Need;
use crate::idempotency::honoured;
use crate::ingest;
use crate::state::App;
use axum::http::Method;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder};

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

/// A problem has a content type of its own.
fn problems_as_they_are_sent(operation: &mut Operation) {
    const PROBLEM: &str = "#/components/schemas/Problem";
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let is_problem = |content: &RefOr<Content>| matches!(content, RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) if schema.ref_location == PROBLEM);
        if response.content.values().any(is_problem) {
            response.content = response.content.drain(..).map(|(_, content)| ("application/problem+json".to_owned(), content)).collect();
        }
    }
}

/// What [`crate::idempotency`] does for each of them.
fn may_be_sent_again(operation: &mut Operation) {
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some("names this change: sent again within a day, it is not carried out again and has the same answer"))
        .required(Required::False)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]+$"))));
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter.build()));
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    for (status, description) in [
        ("400", "the call, or its `Idempotency-Key`, cannot be read"),
        ("409", "the first call with this `Idempotency-Key` is still being carried out"),
        ("413", "the call is too long"),
        ("422", "this `Idempotency-Key` was used for another call"),
    ] {
        let answer = ResponseBuilder::new().description(description).content("application/problem+json", problem()).build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(answer));
    }
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
            problems_as_they_are_sent(operation);
        }
        for (path, item) in &mut part.paths.paths {
            let writes = [(Method::POST, &mut item.post), (Method::DELETE, &mut item.delete)];
            for (_, operation) in writes.into_iter().filter(|(method, _)| honoured(method, path)) {
                operation.iter_mut().for_each(may_be_sent_again);
            }
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

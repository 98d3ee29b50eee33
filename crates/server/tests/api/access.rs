//! Who may do what: every operation of the document without a key, with a stranger's, with one of a wrong scope.

use crate::common::Server;
use reqwest::Method;
use serde_json::json;

const WORKSPACE: &[(&str, &str)] = &[("faden.yaml", "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\n")];
/// Open to everybody, and open to every key.
const OPEN: [&str; 6] = ["/v1/projects/{write_key}/settings", "/healthz", "/readyz", "/metrics", "/login", "/api/v1/openapi.json"];
const ANYBODY: [&str; 1] = ["/api/v1/me"];

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_strangers_and_keys_of_another_scope() {
    let server = Server::start(WORKSPACE).await;
    let elsewhere = Server::start(WORKSPACE).await;
    let (_, made) = server.call(Method::POST, "/api/v1/keys", Some(json!({"name": "reader", "role": "analyst", "scopes": []}))).await;
    let nothing = made["key"].as_str().expect("a key").to_owned();
    let document = server.get("/api/v1/openapi.json").await;
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys().filter(|_| !OPEN.contains(&path.as_str())) {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            // Any text stands for what a path names: nobody who may not call learns whether it is there.
            let path_called = path.replace(['{', '}'], "");
            let other_scope = if ANYBODY.contains(&path.as_str()) { 200 } else { 403 };
            for (key, wanted) in [("", 401), ("fdk_0000", 401), (elsewhere.key.as_str(), 401), (nothing.as_str(), other_scope)] {
                let (answered, body) = server.call_with(key, method.clone(), &path_called, None, &[]).await;
                assert_eq!(answered, wanted, "{method} {path} with {}: {body}", if key.is_empty() { "no key" } else { "a key" });
            }
            walked += 1;
        }
    }
    assert!(walked > 40, "only {walked} operations were walked");
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_of_other_pages_may_send_events_and_nothing_else() {
    let server = Server::start(WORKSPACE).await;
    let origin = ("origin", "https://shop.example");
    let table = [
        (Method::OPTIONS, "/v1/track", Some("https://shop.example")),
        (Method::POST, "/v1/track", Some("https://shop.example")),
        (Method::OPTIONS, "/api/v1/me", None),
        (Method::GET, "/api/v1/me", None),
        (Method::POST, "/api/v1/decide", None),
    ];
    for (method, path, wanted) in table {
        let headers = [origin, ("access-control-request-method", "POST")];
        let allowed = server.header(method.clone(), path, &headers, "access-control-allow-origin").await;
        assert_eq!(allowed.as_deref(), wanted, "{method} {path}");
    }
}

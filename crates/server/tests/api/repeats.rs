//! Writes that are sent again: every one of the document, once with the same body and once with another.

use crate::common::Server;
use crate::people::{SHOP, track};
use reqwest::Method;
use serde_json::{Value, json};

/// What the writes of the document may do here; others are called with what they refuse.
fn body(path: &str) -> Value {
    match path {
        "/api/v1/keys" => json!({"name": "one", "role": "analyst"}),
        "/api/v1/login_links" => json!({"name": "one"}),
        "/api/v1/decide" => json!({"user_id": "u1", "event": {"event": "Cart Updated", "properties": {"value": 50}}}),
        "/api/v1/profiles/{id}/consents" => json!({"purpose": "marketing", "granted": true}),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_of_the_document_is_carried_out_once_for_one_key() {
    let server = Server::start(SHOP).await;
    server.send(&[track("u1", "Seen", &json!({}))]).await;
    let document = server.get("/api/v1/openapi.json").await;
    let (mut walked, mut done) = (0, 0);
    for (path, item) in document["paths"].as_object().expect("paths").iter().filter(|(path, _)| path.starts_with("/api/v1/")) {
        for (method, operation) in item.as_object().expect("operations").iter().filter(|(method, _)| *method != "get") {
            let named = operation["parameters"].as_array().expect("parameters").iter().any(|one| one["name"] == "Idempotency-Key");
            assert!(named, "{method} {path} does not say that it takes a key");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let called = path.replace("{id}", "user_id:u1").replace(['{', '}'], "");
            let key = format!("key-{walked}");
            let call =
                async |body: Value| server.call_with(&server.key, method.clone(), &called, Some(body), &[("idempotency-key", &key)]).await;
            let (first, mut answer) = call(body(path)).await;
            let (again, mut same) = call(body(path)).await;
            for body in [&mut answer, &mut same] {
                body.as_object_mut().and_then(|body| body.remove("request_id"));
            }
            assert_eq!((first, answer), (again, same), "{method} {path}");
            let (other, problem) = call(json!({"another": "body"})).await;
            assert_eq!((other, problem["code"].as_str()), (422, Some("idempotency-key-reused")), "{method} {path}: {problem}");
            (walked, done) = (walked + 1, done + usize::from(first < 300));
        }
    }
    assert!(walked >= 15 && done >= 4, "{walked} were walked, {done} did something");
    // The event of the question counts once, and there is one key more than in the beginning.
    let me = server.get("/api/v1/profiles/user_id:u1/timeline?kinds=event&q=Cart").await;
    assert_eq!(me["items"].as_array().expect("a list").len(), 1);
    let keys = server.get("/api/v1/keys").await;
    assert_eq!(keys["items"].as_array().expect("a list").iter().filter(|key| key["name"] == "one").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_caller_and_must_be_one() {
    let server = Server::start(SHOP).await;
    let make = json!({"name": "other", "role": "admin"});
    let (_, other) = server.call(Method::POST, "/api/v1/keys", Some(make.clone())).await;
    let other = other["key"].as_str().expect("a key");
    let too_long = "k".repeat(256);
    let table = [
        (server.key.as_str(), "k1", 201),
        // The same text of somebody else is another key.
        (other, "k1", 201),
        (server.key.as_str(), "", 400),
        (server.key.as_str(), "two words", 400),
        (server.key.as_str(), &too_long, 400),
        ("fdk_wrong", "k1", 401),
    ];
    for (caller, key, status) in table {
        let headers = [("idempotency-key", key)];
        let (answered, _) = server.call_with(caller, Method::POST, "/api/v1/keys", Some(make.clone()), &headers).await;
        assert_eq!(answered, status, "{key}");
    }
    let keys = server.get("/api/v1/keys").await;
    assert_eq!(keys["items"].as_array().expect("a list").iter().filter(|key| key["name"] == "other").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_names_its_request_and_a_page_that_this_server_has() {
    let server = Server::start(SHOP).await;
    let (_, problem) = server.call_with(&server.key, Method::GET, "/api/v1/journeys/none", None, &[("x-request-id", "mine-1")]).await;
    assert_eq!(problem["request_id"], "mine-1");
    let url = problem["doc_url"].as_str().expect("an address");
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/docs/errors/not-found"), "{url}");
    let path = &url[url.find("/docs").expect("a path")..];
    let page = server.page(Method::GET, path, "").await;
    assert!(page.status == 200 && page.text.contains("Code: `not-found`"), "{}", page.text);
    for path in ["/docs/errors/none", "/docs/errors/../README"] {
        assert!(!server.page(Method::GET, path, "").await.text.contains("Code:"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_remove_itself() {
    let server = Server::start(SHOP).await;
    let keys = server.get("/api/v1/keys").await;
    let own = keys["items"].as_array().expect("a list").iter().find(|key| key["role"] == "admin").expect("an admin's key");
    let (status, problem) = server.call(Method::DELETE, &format!("/api/v1/keys/{}", own["id"].as_str().expect("an id")), None).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("own-key")));
}

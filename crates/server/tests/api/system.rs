//! Who one is, and what a wrong call is told.

use crate::common::Server;
use reqwest::Method;
use serde_json::{Value, json};

const WORKSPACE: &[(&str, &str)] = &[("faden.yaml", "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en, de]\n")];

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_key_or_with_the_wrong_one_is_told_what_to_do() {
    let server = Server::start(WORKSPACE).await;
    let table = [
        (server.key.as_str(), "GET", "/api/v1/me", 200, ""),
        ("fdk_wrong", "GET", "/api/v1/me", 401, "no-key"),
        (server.write_key.as_str(), "GET", "/api/v1/overview", 403, "wrong-scope"),
        (server.key.as_str(), "DELETE", "/api/v1/overview", 405, ""),
    ];
    for (key, method, path, status, code) in table {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let (answered, body) = server.call_with(key, method, path, None, &[]).await;
        assert_eq!((answered, body["code"].as_str().unwrap_or_default()), (status, code), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_there_after_a_restart() {
    let server = Server::start(WORKSPACE).await;
    let first = json!({"type": "track", "messageId": "m1", "userId": "u1", "event": "Seen"});
    server.send(&[first.clone(), json!({"type": "track", "userId": "u2", "event": "Seen"})]).await;
    server.send(std::slice::from_ref(&first)).await;
    let counted = |overview: &Value| (overview["profiles"].as_u64(), overview["events_total"].as_u64());
    assert_eq!(counted(&server.get("/api/v1/overview").await), (Some(2), Some(2)), "a repeat is no other event");
    let server = server.restart(WORKSPACE).await;
    server.send(&[first, json!({"type": "track", "userId": "u2", "event": "Seen"})]).await;
    assert_eq!(counted(&server.get("/api/v1/overview").await), (Some(2), Some(3)), "of the whole record");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_does_not_hold_up_the_end() {
    let server = Server::start(WORKSPACE).await;
    let mut stream = server.stream("/api/v1/stream").await;
    stream.until(|event, _| event == "overview").await;
    let server = server.restart(WORKSPACE).await;
    stream.ends().await;
    assert_eq!(server.get("/api/v1/overview").await["profiles"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_an_object_or_nothing_where_nothing_is_needed() {
    let server = Server::start(WORKSPACE).await;
    let table = [
        (None, 201),
        (Some(json!({})), 201),
        (Some(json!(null)), 201),
        (Some(json!([null, null])), 400),
        (Some(json!("name")), 400),
        (Some(json!({"name": ""})), 400),
    ];
    for (body, status) in table {
        let (answered, _) = server.call(Method::POST, "/api/v1/login_links", body.clone()).await;
        assert_eq!(answered, status, "{body:?}");
    }
}

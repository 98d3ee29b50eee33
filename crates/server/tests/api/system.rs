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

/// The value of a line of metrics.
fn value(text: &str, line: &str) -> Option<f64> {
    text.lines().find_map(|known| known.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_as_prometheus_reads_them_and_count() {
    let settings = format!("{}channels:\n  - {{name: mail, kind: email}}\n", WORKSPACE[0].1);
    let server = Server::start(&[("faden.yaml", &settings)]).await;
    server
        .send(&[json!({"type": "track", "userId": "u1", "event": "Seen"}), json!({"type": "track", "userId": "u2", "event": "Seen"})])
        .await;
    let (status, _) = server.call_with(&server.write_key, Method::POST, "/v1/track", Some(json!({"userId": "u1"})), &[]).await;
    assert_eq!(status, 400);
    let page = server.page(Method::GET, "/metrics", "").await;
    let (text, kind) = (page.text, page.headers["content-type"].to_str().expect("a text"));
    assert_eq!(kind, "text/plain; version=0.0.4");
    let table = [
        ("faden_events_total", 2.0),
        ("faden_events_refused_total", 1.0),
        ("faden_dead_letters", 1.0),
        ("faden_ready", 1.0),
        ("faden_clock_behind_seconds", 0.0),
        ("faden_messages_open", 0.0),
        ("faden_channel_up{account=\"mail\",kind=\"email\"}", 0.0),
        ("faden_channel_sent_total{account=\"mail\",kind=\"email\"}", 0.0),
        ("faden_http_request_duration_seconds_count{part=\"intake\"}", 2.0),
        ("faden_http_request_duration_seconds_bucket{part=\"intake\",le=\"+Inf\"}", 2.0),
        ("faden_http_request_duration_seconds_count{part=\"decide\"}", 0.0),
    ];
    for (line, wanted) in table {
        assert_eq!(value(&text, line), Some(wanted), "{line} in\n{text}");
    }
    assert!(value(&text, "faden_log_records").is_some_and(|records| records >= 3.0), "{text}");
    // Each name is declared once, before its lines, and every line has a number.
    let mut declared = Vec::new();
    for line in text.lines() {
        if let Some(of) = line.strip_prefix("# TYPE ") {
            declared.push(of.split(' ').next().unwrap_or_default().to_owned());
        } else if !line.starts_with("# HELP ") {
            let (series, number) = line.rsplit_once(' ').expect("a number");
            let name = series.split('{').next().unwrap_or_default();
            let of = declared.last().expect("a declaration");
            let suffix = name.strip_prefix(of.as_str()).unwrap_or("?");
            assert!(["", "_bucket", "_sum", "_count"].contains(&suffix) && number.parse::<f64>().is_ok(), "{line} under {of}");
        }
    }
    let count = declared.len();
    declared.sort();
    declared.dedup();
    assert_eq!(declared.len(), count, "a name is declared twice");
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

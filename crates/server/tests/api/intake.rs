//! Intake as senders meet it: every way in which a call may come, what is taken of it, and what is not.

use crate::common::Server;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;

const WORKSPACE: &[(&str, &str)] = &[("faden.yaml", "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\n")];

type Headers<'h> = &'h [(&'h str, &'h str)];

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).expect("memory takes it");
    packer.finish().expect("memory takes it")
}

/// What happened to somebody, oldest first.
async fn timeline(server: &Server, who: &str) -> Vec<Value> {
    let page = server.get(&format!("/api/v1/profiles/{who}/timeline?kinds=event&limit=200")).await;
    let mut items: Vec<Value> = page["items"].as_array().expect("a list").iter().map(|item| item["data"].clone()).collect();
    items.reverse();
    items
}

async fn names(server: &Server, who: &str) -> Vec<String> {
    timeline(server, who).await.iter().map(|event| event["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_events_come_in_all_three_modes_and_count_once() {
    let server = Server::start(WORKSPACE).await;
    let event = |id: &str, name: &str| json!({"specversion": "1.0", "id": id, "source": "till", "type": name, "subject": "user_id:u1", "data": {"n": 1}});
    let binary = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "c4"),
        ("ce-source", "till"),
        ("ce-type", "Caf%C3%A9%20Visited"),
        ("ce-subject", "user_id:u1"),
    ];
    let table: [(&str, Headers<'_>, String, Value); 6] = [
        (
            "structured",
            &[("content-type", "application/cloudevents+json; charset=utf-8")],
            event("c1", "One").to_string(),
            json!([200, 1, null]),
        ),
        (
            "batched, with a repeat and one that is none",
            &[("content-type", "application/cloudevents-batch+json")],
            json!([event("c2", "Two"), event("c2", "Two"), {"specversion": "1.0", "source": "till"}, event("c3", "Three")]).to_string(),
            json!([200, 3, [2, "event-cloud-event-lacks"]]),
        ),
        ("binary", &binary, json!({"n": 2}).to_string(), json!([200, 1, null])),
        (
            "the same again, in another mode",
            &[("content-type", "application/cloudevents+json")],
            event("c4", "Again").to_string(),
            json!([200, 1, null]),
        ),
        (
            "a version of the future",
            &[("content-type", "application/cloudevents+json")],
            event("c5", "No").to_string().replace("1.0", "9.0"),
            json!([400, null, null]),
        ),
        (
            "no list where one is promised",
            &[("content-type", "application/cloudevents-batch+json")],
            "{".to_owned(),
            json!([400, null, null]),
        ),
    ];
    for (name, headers, body, wanted) in table {
        let key = format!("Bearer {}", server.write_key);
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("authorization", key.as_str())]).collect();
        let (status, answer) = server.raw(Method::POST, "/v1/events", &headers, body.into_bytes()).await;
        let first = &answer["rejected"][0];
        let rejected = if first.is_null() { Value::Null } else { json!([first["index"], first["code"]]) };
        assert_eq!(json!([status, answer["accepted"], rejected]), wanted, "{name}: {answer}");
    }
    assert_eq!(names(&server, "user_id:u1").await, ["One", "Two", "Three", "Café Visited"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_in_headers_or_in_the_bodies_that_browsers_send_as_plain_text() {
    let server = Server::start(WORKSPACE).await;
    let key = server.write_key.clone();
    let (_, made) = server.call(Method::POST, "/api/v1/keys", Some(json!({"name": "reader", "role": "analyst"}))).await;
    let reader = made["key"].as_str().expect("a key").to_owned();
    let basic = |key: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{key}:")))
    };
    let call = |key: Option<&str>| {
        let mut call = json!({"userId": "u1", "event": "Seen"});
        if let Some(key) = key {
            call["writeKey"] = json!(key);
        }
        call.to_string()
    };
    let table = [
        ("as the libraries of servers send it", "application/json", Some(basic(&key)), call(None), 200),
        ("as a bearer", "application/json", Some(format!("Bearer {key}")), call(None), 200),
        ("in the body, as a browser does without asking first", "text/plain", None, call(Some(&key)), 200),
        ("in the body", "application/json", None, call(Some(&key)), 200),
        ("a good one in the body does not mend a wrong header", "text/plain", Some(basic("fdk_00")), call(Some(&key)), 401),
        ("a wrong one in the body", "text/plain", None, call(Some("fdk_00")), 401),
        ("one that may not write", "text/plain", None, call(Some(&reader)), 401),
        ("none", "text/plain", None, call(None), 401),
    ];
    let mut taken = 0;
    for (name, kind, authorization, body, wanted) in table {
        let mut headers = vec![("content-type", kind), ("origin", "https://shop.example")];
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        let (status, answer) = server.raw(Method::POST, "/v1/t", &headers, body.into_bytes()).await;
        assert_eq!(status, wanted, "{name}: {answer}");
        taken += usize::from(wanted == 200);
    }
    let body = json!({"writeKey": key, "batch": [{"type": "track", "userId": "u1", "event": "Seen"}]}).to_string();
    assert_eq!(server.raw(Method::POST, "/v1/b", &[("content-type", "text/plain")], body.into_bytes()).await.0, 200);
    assert_eq!(names(&server, "user_id:u1").await.len(), taken + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_taken_up_to_its_size_packed_or_not_and_larger_ones_not_at_all() {
    let server = Server::start(WORKSPACE).await;
    let single = |bytes: usize| {
        let empty = json!({"userId": "u1", "event": "Sized", "properties": {"x": ""}}).to_string();
        empty.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - empty.len())))
    };
    let batch = |bytes: usize| {
        let event = json!({"type": "track", "userId": "u1", "event": "Sized", "properties": {"x": "x".repeat(20_000)}}).to_string();
        let events = vec![event.clone(); 20].join(",");
        let whole = format!("{{\"batch\":[{events}],\"context\":\"\"}}");
        whole.replace("\"context\":\"\"", &format!("\"context\":\"{}\"", "y".repeat(bytes - whole.len())))
    };
    let (kilo, plain, gzip) = (1024, None, Some("gzip"));
    let table = [
        ("/v1/track", single(32 * kilo).into_bytes(), plain, 200, 1),
        ("/v1/track", single(32 * kilo + 1).into_bytes(), plain, 413, 0),
        ("/v1/track", packed(&single(32 * kilo)), gzip, 200, 1),
        ("/v1/track", packed(&single(32 * kilo + 1)), gzip, 413, 0),
        ("/v1/batch", batch(500 * kilo).into_bytes(), plain, 200, 20),
        ("/v1/batch", batch(500 * kilo + 1).into_bytes(), plain, 413, 0),
        ("/v1/batch", packed(&batch(500 * kilo)), gzip, 200, 20),
        ("/v1/batch", packed(&batch(100_000 * kilo)), gzip, 413, 0),
        ("/v1/batch", b"no gzip".to_vec(), gzip, 400, 0),
        ("/v1/batch", batch(500 * kilo).into_bytes(), Some("br"), 415, 0),
    ];
    let mut taken = 0;
    for (path, body, encoding, wanted, events) in table {
        let key = format!("Bearer {}", server.write_key);
        let mut headers = vec![("authorization", key.as_str()), ("content-type", "application/json")];
        headers.extend(encoding.map(|encoding| ("content-encoding", encoding)));
        let bytes = body.len();
        let (status, answer) = server.raw(Method::POST, path, &headers, body).await;
        assert_eq!(status, wanted, "{path} of {bytes} bytes, {encoding:?}: {answer}");
        taken += events;
        let overview = server.get("/api/v1/overview").await;
        assert_eq!(overview["events_total"], taken, "{path} of {bytes} bytes, {encoding:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn good_events_of_a_batch_are_taken_and_bad_ones_are_named_and_kept() {
    let server = Server::start(WORKSPACE).await;
    let batch = json!({"batch": [
        {"type": "track", "userId": "u1", "event": "First"},
        {"type": "track", "userId": "u1"},
        {"type": "track", "event": "Nobody's"},
        {"type": "dance", "userId": "u1"},
        "no event",
        {"type": "track", "userId": "u1", "event": "Last"},
    ]});
    let key = format!("Bearer {}", server.write_key);
    let headers = [("authorization", key.as_str())];
    let (status, answer) = server.raw(Method::POST, "/v1/batch", &headers, batch.to_string().into_bytes()).await;
    let said = |list: &Value| -> Vec<String> {
        let items = list.as_array().expect("a list");
        items.iter().map(|one| format!("{} {}", one["index"], one["code"].as_str().unwrap_or_default())).collect()
    };
    assert_eq!((status, &answer["accepted"], &answer["success"]), (200, &json!(2), &json!(true)), "{answer}");
    let wanted = ["1 event-no-name", "2 event-nobody", "3 event-unknown-type", "4 event-not-json"];
    assert_eq!(said(&answer["rejected"]), wanted, "{answer}");
    assert!(
        answer["rejected"].as_array().expect("a list").iter().all(|one| one["reason"].as_str().is_some_and(|why| why.len() > 10)),
        "{answer}"
    );
    assert_eq!(names(&server, "user_id:u1").await, ["First", "Last"]);
    let letters = server.get("/api/v1/dead_letters").await;
    assert_eq!(letters["items"].as_array().map(Vec::len), Some(4), "{letters}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_be_read_is_kept_with_its_beginning_and_its_reason() {
    let server = Server::start(WORKSPACE).await;
    let long = format!("{{\"batch\": [{}", "{\"type\": \"track\"},".repeat(5_000));
    let whole = packed(&"{\"batch\": []}".repeat(2_000));
    let json = "application/json";
    let events = "application/cloudevents-batch+json";
    let table: [(&str, &str, Vec<u8>, bool, &str, &str, &str); 7] = [
        ("/v1/batch", json, b"{\"batch\": [".to_vec(), false, "event-not-json", "batch", "{\"batch\": ["),
        ("/v1/batch", json, long.clone().into_bytes(), false, "event-not-json", "batch", &long[..8192]),
        ("/v1/batch", json, b"{\"batch\": \"\xff\"}".to_vec(), false, "event-not-json", "batch", "{\"batch\": \"\u{fffd}\"}"),
        ("/v1/batch", json, b"{\"batch\": [1]}".to_vec(), true, "bad-gzip", "batch", "{\"batch\": [1]}"),
        ("/v1/batch", json, whole[..whole.len() - 12].to_vec(), true, "bad-gzip", "batch", "{\"batch\": []}{\"batch\": []}"),
        ("/v1/track", json, b"no gzip".to_vec(), true, "bad-gzip", "track", "no gzip"),
        ("/v1/events", events, b"[{\"id\": 1".to_vec(), false, "event-not-json", "cloud_event", "[{\"id\": 1"),
    ];
    let key = format!("Bearer {}", server.write_key);
    for (path, kind, body, gzip, code, call, beginning) in &table {
        let mut headers = vec![("authorization", key.as_str()), ("content-type", *kind)];
        headers.extend(gzip.then_some(("content-encoding", "gzip")));
        let (status, answer) = server.raw(Method::POST, path, &headers, body.clone()).await;
        assert!(status == 400 && answer["code"] == *code, "{status} {answer}");
        let letter = server.get("/api/v1/dead_letters?limit=1").await["items"][0].clone();
        assert_eq!([&letter["code"], &letter["call"]], [&json!(code), &json!(call)], "{letter}");
        assert!(letter["body"].as_str().is_some_and(|kept| kept.starts_with(beginning) && kept.len() <= 8192), "{letter}");
        assert!(letter["reason"].as_str().is_some_and(|why| why.len() > 10), "{letter}");
    }
    // Nobody knows whose these are: a stranger must not fill the disk.
    let headers = [("content-type", "text/plain")];
    assert_eq!(server.raw(Method::POST, "/v1/batch", &headers, b"{\"batch\": [".to_vec()).await.0, 401);
    let headers = [("content-type", "text/plain"), ("content-encoding", "gzip")];
    assert_eq!(server.raw(Method::POST, "/v1/batch", &headers, b"no gzip".to_vec()).await.0, 401);
    let letters = server.get("/api/v1/dead_letters").await;
    assert_eq!(letters["items"].as_array().map(Vec::len), Some(table.len()), "{letters}");
    let again = format!("/api/v1/dead_letters/{}/retry", letters["items"][0]["id"]);
    assert_ne!(server.call(Method::POST, &again, None).await.0, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_senders_clock_is_corrected_for_single_calls_and_batches() {
    let server = Server::start(WORKSPACE).await;
    // Both senders' clocks are years behind; the event happened a minute, or an hour, before it was sent.
    let single =
        json!({"userId": "u1", "event": "A minute ago", "originalTimestamp": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T00:01:00Z"});
    let of_batch = json!({"type": "track", "userId": "u1", "event": "An hour ago", "originalTimestamp": "2019-05-05T11:00:00Z"});
    let batch = json!({"batch": [of_batch], "sentAt": "2019-05-05T12:00:00Z"});
    let key = format!("Bearer {}", server.write_key);
    for (path, body) in [("/v1/track", single), ("/v1/batch", batch)] {
        let (status, answer) = server.raw(Method::POST, path, &[("authorization", key.as_str())], body.to_string().into_bytes()).await;
        assert_eq!(status, 200, "{answer}");
    }
    let page = server.get("/api/v1/profiles/user_id:u1/timeline?kinds=event").await;
    let mut found = Vec::new();
    for item in page["items"].as_array().expect("a list") {
        let time = |value: &Value| faden_model::Timestamp::parse(value.as_str().expect("a text")).expect("a time").0;
        let before_it_came = time(&item["at"]) - time(&item["data"]["timestamp"]);
        found.push((item["data"]["name"].as_str().unwrap_or_default().to_owned(), before_it_came / 1000));
    }
    found.sort();
    assert_eq!(found, [("A minute ago".to_owned(), 60), ("An hour ago".to_owned(), 3600)]);
}

//! Checking, planning, publishing and trying definitions.

use crate::common::Server;
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: &str =
    "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en, de]\nchannels:\n  - {name: mail, kind: email}\n";
const JOURNEY: &str = "journey: hello\npurpose: service\nentry: {event: Signed Up}\nsteps:\n  - id: hold\n    wait: {for: 1h}\n  - id: greet\n    send: {template: hello, channels: [email]}\n";
const TEMPLATE: &str =
    "---\nsubject: Hello\n---\nGood to see you, {{ profile.traits.first_name | default(\"friend\") }}. {{ unsubscribe_url }}\n";
const SCENARIO: &str = "scenario: a greeting goes out\njourney: hello\ngiven:\n  profile: {user_id: u1, email: ada@example.com}\nwhen:\n  - at: 2026-03-02T10:00:00Z\n    track: {event: Signed Up}\nthen:\n  - sent: {template: hello, at: 2026-03-02T11:00:00Z}\n";
const POLICY: &str = "policy: global\nconsent: {service: none}\n";

fn files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("faden.yaml", SETTINGS),
        ("policies/global.yaml", POLICY),
        ("journeys/hello.yaml", JOURNEY),
        ("templates/hello/email.en.jinja", TEMPLATE),
        ("scenarios/hello.scenario.yaml", SCENARIO),
    ]
}

/// The files with one changed; without it where the text is empty.
fn with(path: &str, text: &str) -> Value {
    let mut all: serde_json::Map<String, Value> = files().into_iter().map(|(path, text)| (path.to_owned(), json!(text))).collect();
    if text.is_empty() {
        drop(all.remove(path))
    } else {
        drop(all.insert(path.to_owned(), json!(text)))
    }
    Value::Object(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_have_places_that_an_editor_can_mark() {
    let server = Server::start(&files()).await;
    let wrong = JOURNEY.replace("wait: {for: 1h}", "wait: {for: 1h}\n    next: gret");
    let (status, checked) =
        server.call(Method::POST, "/api/v1/workspace/check", Some(json!({"files": with("journeys/hello.yaml", &wrong)}))).await;
    assert_eq!((status, &checked["ok"]), (200, &json!(false)));
    let found = &checked["findings"][0];
    let place: Vec<u64> = ["line", "column", "end_line", "end_column"].iter().map(|name| found[name].as_u64().expect("a number")).collect();
    assert_eq!((found["code"].as_str(), place), (Some("unknown-step"), vec![7, 11, 7, 15]), "{found}");
    let (status, checked) = server.call(Method::POST, "/api/v1/workspace/check", Some(json!({"files": with("-", "")}))).await;
    assert_eq!((status, &checked["ok"]), (200, &json!(true)), "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_happens_to_people_and_applying_it_does_that_once() {
    let server = Server::start(&files()).await;
    server.send(&[json!({"type": "track", "userId": "u1", "event": "Signed Up"})]).await;
    let longer = JOURNEY.replace("1h", "2h");
    let files = with("journeys/hello.yaml", &longer);
    let (status, plan) = server.call(Method::POST, "/api/v1/workspace/plan", Some(json!({"files": &files}))).await;
    assert_eq!((status, &plan["ok"]), (200, &json!(true)), "{plan}");
    assert_eq!(plan["changes"][0]["change"], "changed");
    assert!(plan["changes"][0]["diff"].as_str().is_some_and(|diff| diff.contains("-    wait: {for: 1h}\n+    wait: {for: 2h}")), "{plan}");
    let effect = plan["effects"][0].as_str().expect("a sentence");
    assert!(effect.ends_with("1 person inside stays on the version they entered with"), "{plan}");
    let before = server.get("/api/v1/workspace").await;
    let base = before["version"].clone();
    assert_eq!(plan["base_version"], base);
    let apply = json!({"files": &files, "base_version": &base});
    let (status, applied) = server.call(Method::POST, "/api/v1/workspace/apply", Some(apply.clone())).await;
    assert_eq!(status, 200, "{applied}");
    let after = server.get("/api/v1/workspace").await;
    assert_eq!((&after["version"], &after["files"]["journeys/hello.yaml"]), (&applied["version"], &json!(longer)));
    let table = [
        (apply, 409, "workspace-outdated"),
        (json!({"files": with("journeys/hello.yaml", "journey: hello\n")}), 422, "workspace-has-errors"),
        (json!({"files": 7}), 400, "bad-input"),
        (json!({"files": &files, "base_version": &applied["version"]}), 200, ""),
    ];
    for (body, status, code) in table {
        let (answered, answer) = server.call(Method::POST, "/api/v1/workspace/apply", Some(body)).await;
        assert_eq!((answered, answer["code"].as_str().unwrap_or_default()), (status, code), "{answer}");
    }
    let restarted = server.restart(&[("faden.yaml", SETTINGS)]).await;
    assert_eq!(restarted.get("/api/v1/workspace").await["files"], json!({"faden.yaml": SETTINGS}));
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_run_over_published_files_or_over_others() {
    let server = Server::start(&files()).await;
    let table = [
        (json!({}), true),
        (json!({"files": with("journeys/hello.yaml", &JOURNEY.replace("1h", "2h"))}), false),
        (json!({"files": with("scenarios/hello.scenario.yaml", "scenario: x\nwhat: no\n")}), false),
    ];
    for (body, passed) in table {
        let (status, answer) = server.call(Method::POST, "/api/v1/workspace/scenarios", Some(body)).await;
        let tested = &answer["scenarios"][0];
        assert_eq!((status, &tested["passed"]), (200, &json!(passed)), "{answer}");
        assert_eq!(tested["detail"].as_str().expect("a text").is_empty(), passed, "{answer}");
    }
    let (status, tried) = server.call(Method::POST, "/api/v1/workspace/try", Some(json!({"scenario": SCENARIO}))).await;
    assert_eq!((status, &tried["passed"], &tried["path"]), (200, &json!(true), &json!(["greet", "end"])), "{tried}");
    assert_eq!((&tried["messages"][0]["template"], &tried["messages"][0]["channel"]), (&json!("hello"), &json!("email")), "{tried}");
    let (_, broken) = server.call(Method::POST, "/api/v1/workspace/try", Some(json!({"scenario": "scenario: [\n"}))).await;
    assert_eq!((&broken["passed"], broken["findings"].as_array().map(Vec::len)), (&json!(false), Some(1)), "{broken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_reads_as_the_message_to_this_customer_will() {
    let server = Server::start(&files()).await;
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": {"first_name": "Ada", "email": "ada@example.com"}})]).await;
    let templates = server.get("/api/v1/templates").await;
    let variant = json!({"channel": "email", "language": "en", "file": "templates/hello/email.en.jinja"});
    assert_eq!(templates["items"], json!([{"template": "hello", "variants": [variant]}]));
    let event =
        with("templates/hello/email.en.jinja", "---\nsubject: \"{{ event.properties.name }}\"\n---\nHello. {{ unsubscribe_url }}\n");
    let table = [
        ("hello", json!({"channel": "email"}), 200, "Good to see you, friend."),
        ("hello", json!({"channel": "email", "profile": "prf_1"}), 404, "not-found"),
        ("hello", json!({"channel": "email", "profile": "ada"}), 400, "bad-input"),
        ("hello", json!({"channel": "sms"}), 422, "render-no-text"),
        ("hello", json!({"channel": "email", "files": &event}), 422, "render-undefined"),
        ("hello", json!({"channel": "email", "files": &event, "event": {"name": "x", "properties": {"name": "Lamp"}}}), 200, "Lamp"),
        ("nothing", json!({"channel": "email"}), 404, "not-found"),
    ];
    for (name, body, status, said) in table {
        let (answered, answer) = server.call(Method::POST, &format!("/api/v1/templates/{name}/preview"), Some(body)).await;
        assert!(answered == status && answer.to_string().contains(said), "{name} {said}: {answered} {answer}");
    }
}

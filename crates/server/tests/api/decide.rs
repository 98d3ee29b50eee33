//! The same-session question.

use crate::common::Server;
use reqwest::Method;
use serde_json::{Value, json};

const WORKSPACE: &[(&str, &str)] = &[
    ("faden.yaml", "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {name: page, kind: in_app}\n"),
    ("policies/global.yaml", "policy: global\nconsent: {service: none}\n"),
    ("audiences/keen.yaml", "audience: keen\ntraits:\n  carts: {count: Cart Updated}\nwhere: profile.traits.carts >= 2.0\n"),
    (
        "journeys/help.yaml",
        "journey: help\npurpose: service\nentry: {audience: {entered: keen}}\nsteps:\n  - id: offer\n    send: {template: help, channels: [in_app], fallback_after: 1d}\n",
    ),
    ("templates/help/in_app.en.jinja", "---\ntitle: \"May we help?\"\n---\nYou filled {{ profile.traits.carts }} carts.\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_event_of_the_question_is_counted_in_its_answer() {
    let server = Server::start(WORKSPACE).await;
    let cart = json!({"event": "Cart Updated", "properties": {"value": 20}});
    let cloud = json!({"specversion": "1.0", "id": "c1", "source": "shop", "type": "Cart Updated", "data": {}});
    let by_mail = json!([{"kind": "email", "value": "Ada@Example.com"}]);
    let table = [
        ("nobody is called so", json!({"user_id": "u1"}), json!([false, null, [], 0])),
        ("a first event", json!({"user_id": "u1", "event": cart}), json!([true, 1, [], 0])),
        ("nothing new", json!({"userId": "u1"}), json!([true, 1, [], 0])),
        ("a second one: audience, journey and message", json!({"user_id": "u1", "event": cloud}), json!([true, 2, ["keen"], 1])),
        ("an identifier beside", json!({"user_id": "u1", "identifiers": by_mail, "event": cart}), json!([true, 3, ["keen"], 1])),
        ("by that alone", json!({"identifiers": by_mail}), json!([true, 3, ["keen"], 1])),
    ];
    for (name, question, wanted) in table {
        let (status, answer) = server.call(Method::POST, "/api/v1/decide", Some(question)).await;
        let matters = answer["matters"].as_array().map_or(0, Vec::len);
        let found = json!([answer["known"], answer["computed_traits"]["carts"], answer["audiences"], matters]);
        assert_eq!((status, found), (200, wanted), "{name}: {answer}");
    }
    let (_, answer) = server.call(Method::POST, "/api/v1/decide", Some(json!({"user_id": "u1"}))).await;
    let matter = &answer["matters"][0];
    assert_eq!((&matter["title"], &matter["text"]), (&json!("May we help?"), &json!("You filled 3 carts.")), "{answer}");
    assert_eq!(answer["enrollments"][0]["steps"], json!(["offer"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_nobody_or_with_a_wrong_event_is_refused() {
    let server = Server::start(WORKSPACE).await;
    let table = [
        (json!({}), "bad-input"),
        (json!({"event": {"event": "x"}}), "event-nobody"),
        (json!({"user_id": "u1", "event": {}}), "event-no-name"),
        (json!({"user_id": "u1", "event": {"event": "faden.consent.changed"}}), "event-reserved-name"),
        (json!({"user_id": 7}), "bad-input"),
    ];
    for (question, code) in table {
        let (status, answer) = server.call(Method::POST, "/api/v1/decide", Some(question.clone())).await;
        assert_eq!((status, &answer["code"]), (400, &Value::from(code)), "{question}");
    }
}

//! Webhooks against a server on this machine; the signature against the `standardwebhooks` of PyPI.

use super::sign::sign;
use super::*;
use crate::outbound_http::{Http, Reach};
use crate::settings::Secret;
use crate::test_http::{Act, Request, answer, serve};
use crate::{Accepted, Channel, Content, InboundCall, InboundError, Outgoing, SendError};
use faden_model::id::{Born, ProfileId};
use faden_model::{MessageId, Timestamp};
use std::time::Duration;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn account(url: &str, secrets: &[&str]) -> Webhook {
    let settings = serde_json::json!({
        "kind": "webhook",
        "webhook": {"url": url, "secret": secrets[0], "secrets": &secrets[1..], "timeout_seconds": 3},
    });
    Webhook::new(&serde_json::from_value(settings).unwrap(), Http::new(Reach::Anywhere, None).unwrap()).unwrap()
}

fn message(data: &str) -> Outgoing {
    let content = Content::Webhook { event: "order.late".to_owned(), at: Timestamp(1_772_445_600_000), data: data.to_owned() };
    Outgoing { message: MessageId(Born { under: ProfileId(235), count: 4 }), to: "anybody".to_owned(), content }
}

#[tokio::test]
async fn the_same_message_has_the_same_id_and_body_on_every_try() {
    let server = serve(|_| answer(200, "", "thanks")).await;
    let account = account(&format!("{}/hook?shop=1", server.url), &[SECRET]);
    for _ in 0..2 {
        assert_eq!(account.send(&message(r#"{"order": 10.50, "name": "Åse"}"#)).await, Ok(Accepted::default()));
    }
    for request in server.take() {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hook?shop=1"));
        assert_eq!((request.header("webhook-id"), request.header("content-type")), ("msg_7b_4", "application/json"));
        let expected = r#"{"type":"order.late","timestamp":"2026-03-02T10:00:00Z","data":{"order": 10.50, "name": "Åse"}}"#;
        assert_eq!(String::from_utf8(request.body).unwrap(), expected);
    }
}

#[tokio::test]
async fn an_answer_means_what_its_status_says() {
    let code = |code: u16| code.to_string();
    let table = [
        (200, "", Ok(Accepted::default())),
        (204, "", Ok(Accepted::default())),
        (301, "Location: http://127.0.0.1/\r\n", Err(SendError::Account { code: code(301) })),
        (400, "", Err(SendError::Refused { code: code(400) })),
        (401, "", Err(SendError::Refused { code: code(401) })),
        (404, "", Err(SendError::Refused { code: code(404) })),
        (408, "", Err(SendError::Unavailable { code: code(408) })),
        (410, "", Err(SendError::AddressGone { code: code(410) })),
        (425, "", Err(SendError::Unavailable { code: code(425) })),
        (429, "", Err(SendError::Throttled { code: code(429), after: None })),
        (429, "Retry-After: 7\r\n", Err(SendError::Throttled { code: code(429), after: Some(Duration::from_secs(7)) })),
        (500, "", Err(SendError::Unavailable { code: code(500) })),
        (503, "", Err(SendError::Unavailable { code: code(503) })),
        (799, "", Err(SendError::Unavailable { code: code(799) })),
    ];
    for (status, headers, expected) in table {
        let server = serve(move |_| answer(status, headers, "")).await;
        assert_eq!(account(&server.url, &[SECRET]).send(&message("{}")).await, expected, "{status}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_or_talks_garbage_is_unavailable() {
    let table = [
        (Act::SayAndHang(Vec::new()), "timeout"),
        (Act::Say(Vec::new()), "broken_answer"),
        (Act::Say(b"220 smtp.example.com\r\n\r\n".to_vec()), "broken_answer"),
        (Act::Say(b"HTTP/1.1 200".to_vec()), "broken_answer"),
    ];
    for (act, code) in table {
        let server = serve(move |_| act.clone()).await;
        let expected = Err(SendError::Unavailable { code: code.to_owned() });
        assert_eq!(account(&server.url, &[SECRET]).send(&message("{}")).await, expected);
    }
}

#[tokio::test]
async fn a_whole_head_is_an_answer_even_if_the_body_never_ends() {
    let server = serve(|_| Act::SayAndHang(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\nhalf".to_vec())).await;
    assert_eq!(account(&server.url, &[SECRET]).send(&message("{}")).await, Ok(Accepted::default()));
}

#[tokio::test]
async fn what_is_no_webhook_is_refused_unsent() {
    let server = serve(|_| answer(200, "", "")).await;
    let account = account(&server.url, &[SECRET]);
    let text = Outgoing { content: Content::Text("hello".to_owned()), ..message("{}") };
    assert_eq!(account.send(&text).await, Err(SendError::Refused { code: "wrong_content".to_owned() }));
    assert_eq!(account.send(&message("{half")).await, Err(SendError::Refused { code: "data_is_not_json".to_owned() }));
    assert_eq!(server.take().len(), 0);
}

#[tokio::test]
async fn the_check_reaches_the_receiver_and_sends_nothing() {
    let server = serve(|request| answer(if request.method == "HEAD" { 405 } else { 200 }, "", "")).await;
    assert_eq!(account(&server.url, &[SECRET]).check().await, Ok(()));
    assert_eq!(server.take_one().method, "HEAD");
    let down = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let expected = Err(SendError::Unavailable { code: "connect".to_owned() });
    assert_eq!(account(&format!("http://{down}"), &[SECRET]).check().await, expected);
}

/// Runs the library for receivers; gives what it says to a call and a secret.
async fn oracle(request: &Request, secret: &str) -> String {
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| (name, request.header(name)));
    let input = serde_json::json!({
        "secret": secret,
        "headers": headers,
        "body": String::from_utf8(request.body.clone()).unwrap(),
    });
    crate::test_program::python("verify_webhook.py", &input.to_string()).await
}

#[tokio::test]
async fn the_receivers_library_believes_each_of_our_secrets_and_no_other() {
    let server = serve(|_| answer(200, "", "")).await;
    account(&server.url, &[SECRET, OTHER]).send(&message(r#"{"name": "Åse"}"#)).await.unwrap();
    let request = server.take_one();
    assert_eq!(oracle(&request, SECRET).await, "good");
    assert_eq!(oracle(&request, OTHER).await, "good");
    assert_eq!(oracle(&request, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await, "bad");
    let forged = Request { body: b"{}".to_vec(), ..request };
    assert_eq!(oracle(&forged, SECRET).await, "bad");
}

#[test]
fn a_call_to_us_is_believed_only_with_a_fresh_signature_of_ours() {
    let key = |text: &str| Key::parse(&Secret::new(text)).unwrap();
    // The example of the Standard Webhooks specification.
    let body = br#"{"test": 2432232314}"#;
    let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(sign(&[key(SECRET)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body), good);
    let several = format!("v1a,AAAA v1,AAAA {good}");
    let table = [
        ("good", good, "1614265330", 0, body.as_slice(), Ok(())),
        ("one of several", &several, "1614265330", 0, body, Ok(())),
        ("at the edge", good, "1614265330", 300, body, Ok(())),
        ("from the future", good, "1614265330", -300, body, Ok(())),
        ("too old", good, "1614265330", 301, body, Err(InboundError::Signature)),
        ("too far ahead", good, "1614265330", -301, body, Err(InboundError::Signature)),
        ("another time", good, "1614265331", 0, body, Err(InboundError::Signature)),
        ("no time", good, "now", 0, body, Err(InboundError::Signature)),
        ("absurd time", good, "-9223372036854775808", 0, body, Err(InboundError::Signature)),
        ("another body", good, "1614265330", 0, b"{}", Err(InboundError::Signature)),
        ("another version", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "1614265330", 0, body, Err(InboundError::Signature)),
        ("empty", "", "1614265330", 0, body, Err(InboundError::Signature)),
    ];
    for (what, signature, timestamp, late, body, expected) in table {
        let mut headers = http::HeaderMap::new();
        headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
        headers.insert("webhook-timestamp", timestamp.parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        let now = Timestamp((1_614_265_330 + late) * 1000);
        let call = InboundCall { method: &http::Method::POST, url: "https://faden.example/in", headers: &headers, body, now };
        assert_eq!(verify(&[key(OTHER), key(SECRET)], &call), expected, "{what}");
        assert_eq!(verify(&[key(OTHER)], &call), Err(InboundError::Signature), "{what}");
    }
    let call = InboundCall { method: &http::Method::POST, url: "", headers: &http::HeaderMap::new(), body, now: Timestamp(0) };
    assert_eq!(verify(&[key(SECRET)], &call), Err(InboundError::Signature));
}

#[test]
fn settings_that_cannot_work_are_told_and_secrets_do_not_show() {
    let table = [
        ("https://example.com", "whsec_short", Some("secret")),
        ("https://example.com", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Some("secret")),
        ("example.com", SECRET, Some("url")),
        ("ftp://example.com", SECRET, Some("url")),
        ("https://example.com/in", SECRET, None),
    ];
    for (url, secret, wrong) in table {
        let endpoint = Endpoint { url: url.to_owned(), secret: Secret::new(secret), secrets: Vec::new(), timeout_seconds: 5 };
        let settings = Settings { webhook: endpoint };
        assert!(!format!("{settings:?}").contains(secret));
        let made = Webhook::new(&settings, Http::new(Reach::Public, None).unwrap());
        assert_eq!(made.err().map(|error| error.key), wrong, "{url} {secret}");
    }
}

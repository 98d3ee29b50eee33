//! Web push against RFC 8291's own example, and against PyPI's http_ece and py_vapid as browser and push service.

use super::encrypt::{AUTH_LENGTH, BASE64_URL, Browser, LONGEST_MESSAGE, PUBLIC_KEY_LENGTH, encrypt, seal};
use super::*;
use crate::outbound_http::{Http, Reach};
use crate::test_http::{Act, answer, serve};
use crate::test_program::python;
use crate::{Accepted, Channel, Content, Outgoing, SendError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use faden_model::MessageId;
use faden_model::id::{Born, ProfileId};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Made for these tests by `openssl genpkey`. The raw keys are those of RFC 8291's example.
const PEM: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrev0NQ88FjUpZqy3
SGtIIfygu3pxTGPRol86LrnA6PKhRANCAARkcnfLkIbk7StGZq0tXIIVKat4K6h4
T6hH4LPejgOVJwc1kCJ6Tz0v7DMnz2zspmYXQJvlNA7pbUP0w7ZvicaD
-----END PRIVATE KEY-----
";
const RAW_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const RAW_PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn settings(private_key: &str, public_key: Option<&str>, subject: &str) -> Settings {
    let vapid = json!({"private_key": private_key, "public_key": public_key, "subject": subject, "timeout_seconds": 3});
    serde_json::from_value(json!({"kind": "web_push", "vapid": vapid})).unwrap()
}

fn account() -> WebPush {
    WebPush::new(&settings(PEM, None, "mailto:push@faden.example"), Http::new(Reach::Anywhere, None).unwrap()).unwrap()
}

fn push(to: &str, body: &str) -> Outgoing {
    let content =
        Content::Push { title: "Order 1001".to_owned(), body: body.to_owned(), url: Some("https://shop.example/1001".to_owned()) };
    Outgoing { message: MessageId(Born { under: ProfileId(235), count: 4 }), to: to.to_owned(), content }
}

fn subscription(endpoint: &str) -> String {
    json!({"endpoint": endpoint, "expirationTime": null, "keys": {"p256dh": RAW_PUBLIC, "auth": AUTH}}).to_string()
}

fn decode<const N: usize>(text: &str) -> [u8; N] {
    BASE64_URL.decode(text).unwrap().try_into().unwrap()
}

#[test]
fn the_example_of_rfc_8291_comes_out_as_printed() {
    let browser = Browser { public_key: decode::<PUBLIC_KEY_LENGTH>(RAW_PUBLIC), auth: decode::<AUTH_LENGTH>(AUTH) };
    let our_public: [u8; PUBLIC_KEY_LENGTH] =
        decode("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
    let shared: [u8; 32] = decode("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
    let sealed =
        seal(&browser, &our_public, &shared, decode("DGv6ra1nlYgDCS1FRnbzlw"), b"When I grow up, I want to be a watermelon").unwrap();
    let printed = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    assert_eq!(BASE64_URL.encode(sealed), printed);
    assert_eq!(encrypt(&browser, &[b'x'; LONGEST_MESSAGE]).unwrap().len(), 4096);
    assert!(encrypt(&Browser { public_key: [4; PUBLIC_KEY_LENGTH], ..browser }, b"x").is_err());
}

#[tokio::test]
async fn a_receiver_reads_what_was_sealed_for_it_and_nothing_else() {
    let server = serve(|_| answer(201, "", "")).await;
    let ours = Receiver::new(RAW_PRIVATE, decode(AUTH)).unwrap();
    let to = ours.subscription(&server.url);
    assert!(to.contains(RAW_PUBLIC), "{to}");
    assert_eq!(account().send(&push(&to, "It is late. 😀")).await, Ok(Accepted::default()));
    let mut sealed = server.take_one().body;
    let message = json!({"title": "Order 1001", "body": "It is late. 😀", "url": "https://shop.example/1001", "message": "msg_7b_4"});
    assert_eq!(ours.open(&sealed), Some(message));
    assert_eq!(ours.with_auth([7; AUTH_LENGTH]).open(&sealed), None, "another browser");
    for cut in [0, 15, 20, 21, 40, 86, sealed.len() - 1] {
        assert_eq!(ours.open(&sealed[..cut]), None, "cut to {cut} bytes");
    }
    *sealed.last_mut().unwrap() ^= 1;
    assert_eq!(ours.open(&sealed), None, "changed on the way");
    assert!(Receiver::new("short", [0; AUTH_LENGTH]).is_none());
}

async fn received(request: &crate::test_http::Request) -> Value {
    let order = json!({"do": "receive", "body": BASE64_STANDARD.encode(&request.body), "authorization": request.header("authorization")});
    serde_json::from_str(&python("push_receiver.py", &order.to_string()).await).unwrap()
}

#[tokio::test]
async fn the_browser_reads_what_the_push_service_believes() {
    let server = serve(|_| answer(201, "Location: https://push.example/m/1\r\n", "")).await;
    let order = json!({"do": "subscription", "endpoint": format!("{}/push/1", server.url)});
    let to = python("push_receiver.py", &order.to_string()).await;
    let raw = settings(RAW_PRIVATE, Some(RAW_PUBLIC), "https://faden.example/contact");
    let raw = WebPush::new(&raw, Http::new(Reach::Anywhere, None).unwrap()).unwrap();
    assert_eq!(raw.public_key(), RAW_PUBLIC);
    for (account, subject) in [(account(), "mailto:push@faden.example"), (raw, "https://faden.example/contact")] {
        assert_eq!(account.send(&push(&to, "It is late. 😀")).await, Ok(Accepted::default()));
        let request = server.take_one();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/push/1"));
        assert_eq!(
            (request.header("content-encoding"), request.header("ttl"), request.header("topic")),
            ("aes128gcm", "86400", "msg_7b_4")
        );
        assert!(request.header("authorization").ends_with(&format!(",k={}", account.public_key())));
        let received = received(&request).await;
        let message = json!({"title": "Order 1001", "body": "It is late. 😀", "url": "https://shop.example/1001", "message": "msg_7b_4"});
        assert_eq!(received["message"], message);
        assert_eq!((&received["claims"]["aud"], &received["claims"]["sub"]), (&json!(server.url), &json!(subject)));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!((now + 11 * 3600..now + 13 * 3600).contains(&received["claims"]["exp"].as_u64().unwrap()));
    }
}

#[tokio::test]
async fn a_push_services_status_says_what_can_be_done_next() {
    let code = |code: u16| code.to_string();
    let table = [
        (200, "", Ok(Accepted::default())),
        (201, "", Ok(Accepted::default())),
        (202, "", Ok(Accepted::default())),
        (307, "Location: http://127.0.0.1/\r\n", Err(SendError::Refused { code: code(307) })),
        (400, "", Err(SendError::Refused { code: code(400) })),
        (403, "", Err(SendError::Refused { code: code(403) })),
        (404, "", Err(SendError::AddressGone { code: code(404) })),
        (410, "", Err(SendError::AddressGone { code: code(410) })),
        (413, "", Err(SendError::Refused { code: code(413) })),
        (429, "Retry-After: 9\r\n", Err(SendError::Later { code: code(429), after: Some(Duration::from_secs(9)) })),
        (500, "", Err(SendError::Later { code: code(500), after: None })),
        (503, "", Err(SendError::Later { code: code(503), after: None })),
    ];
    for (status, headers, expected) in table {
        let server = serve(move |_| answer(status, headers, "")).await;
        assert_eq!(account().send(&push(&subscription(&server.url), "")).await, expected, "{status}");
    }
    for (act, code) in [(Act::SayAndHang(Vec::new()), "timeout"), (Act::Say(b"garbage".to_vec()), "broken_answer")] {
        let server = serve(move |_| act.clone()).await;
        let expected = Err(SendError::Later { code: code.to_owned(), after: None });
        assert_eq!(account().send(&push(&subscription(&server.url), "")).await, expected);
    }
}

#[tokio::test]
async fn what_is_no_subscription_or_too_long_is_refused_unsent() {
    let refused = |code: &str| Err(SendError::Refused { code: code.to_owned() });
    let good = subscription("https://push.example/1");
    let bad = [
        String::new(),
        "{}".to_owned(),
        "https://push.example/1".to_owned(),
        good.replace("https://push.example/1", "not a url"),
        good.replace("https://push.example/1", "/only/a/path"),
        good.replace("https://push.example/1", "https://user@push.example/1"),
        good.replace(AUTH, "short"),
        good.replace(AUTH, "!!!!"),
        good.replace(RAW_PUBLIC, "BCVxsr7N"),
        // Of the right length, and no point of the curve.
        good.replace(RAW_PUBLIC, &BASE64_URL.encode([4; PUBLIC_KEY_LENGTH])),
    ];
    for to in bad {
        assert_eq!(account().send(&push(&to, "")).await, refused("not_a_subscription"), "{to}");
    }
    assert_eq!(account().send(&push(&good, &"x".repeat(LONGEST_MESSAGE))).await, refused("too_long"));
    let text = Outgoing { content: Content::Text("Hello".to_owned()), ..push(&good, "") };
    assert_eq!(account().send(&text).await, refused("wrong_content"));
    // A subscription cannot be used to look around inside: anybody can make one up.
    let public = WebPush::new(&settings(PEM, None, "mailto:a@b.example"), Http::new(Reach::Public, None).unwrap()).unwrap();
    let inside = push(&subscription("http://169.254.169.254/latest"), "");
    assert_eq!(public.send(&inside).await, refused("private_address"));
}

#[test]
fn keys_and_subjects_that_cannot_be_used_are_told_and_keys_do_not_show() {
    let table = [
        (PEM, None, "mailto:a@b.example", None),
        (RAW_PRIVATE, Some(RAW_PUBLIC), "https://faden.example", None),
        (PEM, None, "a@b.example", Some("subject")),
        (RAW_PRIVATE, None, "mailto:a@b.example", Some("private_key")),
        (RAW_PRIVATE, Some(RAW_PRIVATE), "mailto:a@b.example", Some("private_key")),
        ("", None, "mailto:a@b.example", Some("private_key")),
        (AUTH, Some(RAW_PUBLIC), "mailto:a@b.example", Some("private_key")),
    ];
    for (private, public, subject, wrong) in table {
        let settings = settings(private, public, subject);
        let hidden = public != Some(private) && !private.is_empty();
        assert!(!hidden || !format!("{settings:?}").contains(private));
        let made = WebPush::new(&settings, Http::new(Reach::Public, None).unwrap());
        assert_eq!(made.err().map(|error| error.key), wrong);
    }
}

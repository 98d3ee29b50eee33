//! Twilio's published forms, replayed by a server on this machine that checks what is sent.

use super::*;
use crate::outbound_http::{Http, Reach};
use crate::test_http::{Act, answer, serve};
use crate::{
    Accepted, Channel, Content, Inbound, InboundAnswer, InboundCall, InboundError, Outgoing, Received, Reference, Report, SendError,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use faden_model::{MessageId, Receipt, Timestamp};
use http::{HeaderMap, Method};
use ring::hmac;
use serde_json::{Value, json};
use std::time::Duration;

fn account(base_url: &str, more: Value) -> Twilio {
    let mut twilio = json!({"account_sid": "AC1", "auth_token": "12345", "base_url": base_url, "timeout_seconds": 3});
    twilio.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let settings = serde_json::from_value(json!({"kind": "sms", "from": "Shop", "twilio": twilio})).unwrap();
    Twilio::new(&settings, Http::new(Reach::Anywhere, None).unwrap()).unwrap()
}

fn from_number(base_url: &str) -> Twilio {
    account(base_url, json!({"from": "+15557122661"}))
}

fn text(text: &str) -> Outgoing {
    Outgoing { message: MessageId::default(), to: "+15558675310".to_owned(), content: Content::Text(text.to_owned()) }
}

#[tokio::test]
async fn a_text_is_sent_as_published_from_a_number_or_a_service() {
    let server = serve(|_| answer(201, "", include_str!("examples/created.json"))).await;
    let table = [
        (json!({"from": "+15557122661"}), "To=%2B15558675310&Body=Hi+%26+bye+%F0%9F%98%80&From=%2B15557122661"),
        (
            json!({"messaging_service_sid": "MG1", "status_callback": "https://faden.example/in/sms?a=1"}),
            "To=%2B15558675310&Body=Hi+%26+bye+%F0%9F%98%80&MessagingServiceSid=MG1&StatusCallback=https%3A%2F%2Ffaden.example%2Fin%2Fsms%3Fa%3D1",
        ),
    ];
    for (sender, expected) in table {
        let id = "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
        assert_eq!(account(&server.url, sender).send(&text("Hi & bye 😀")).await, Ok(Accepted { provider_id: Some(id) }));
        let request = server.take_one();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/2010-04-01/Accounts/AC1/Messages.json"));
        assert_eq!(request.header("authorization"), "Basic QUMxOjEyMzQ1");
        assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(String::from_utf8(request.body).unwrap(), expected);
    }
}

#[tokio::test]
async fn twilios_codes_say_what_can_be_done_next() {
    let error =
        |code: i64| format!(r#"{{"code": {code}, "message": "no", "more_info": "https://www.twilio.com/docs/errors", "status": 400}}"#);
    let code = |code: &str| code.to_owned();
    let table = [
        (400, include_str!("examples/error_number.json").to_owned(), SendError::Refused { code: code("21211") }),
        (400, error(21_617), SendError::Refused { code: code("21617") }),
        (400, error(21_610), SendError::AddressGone { code: code("21610") }),
        (400, error(21_614), SendError::AddressGone { code: code("21614") }),
        (401, error(20_003), SendError::Account { code: code("20003") }),
        (400, error(21_606), SendError::Account { code: code("21606") }),
        (403, error(21_408), SendError::Refused { code: code("21408") }),
        (429, error(20_429), SendError::Throttled { code: code("20429"), after: None }),
        (400, error(21_611), SendError::Throttled { code: code("21611"), after: None }),
        (500, error(20_500), SendError::Unavailable { code: code("20500") }),
        (503, "<html/>".to_owned(), SendError::Unavailable { code: code("503") }),
        (401, String::new(), SendError::Account { code: code("401") }),
        (200, "<html/>".to_owned(), SendError::NoAnswer { code: code("broken_answer") }),
        (201, "{}".to_owned(), SendError::NoAnswer { code: code("broken_answer") }),
    ];
    for (status, body, expected) in table {
        let given = body.clone();
        let server = serve(move |_| answer(status, "", &given)).await;
        assert_eq!(from_number(&server.url).send(&text("Hello")).await, Err(expected), "{status} {body}");
    }
    let server = serve(|_| answer(429, "Retry-After: 2\r\n", "")).await;
    let expected = SendError::Throttled { code: code("429"), after: Some(Duration::from_secs(2)) };
    assert_eq!(from_number(&server.url).send(&text("Hello")).await, Err(expected));
}

#[tokio::test]
async fn a_provider_that_hangs_or_breaks_off_may_have_taken_the_message() {
    let half = b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"sid\":".to_vec();
    let table =
        [(Act::SayAndHang(half.clone()), "timeout"), (Act::Say(half), "broken_answer"), (Act::Say(b"garbage".to_vec()), "broken_answer")];
    for (act, code) in table {
        let server = serve(move |_| act.clone()).await;
        assert_eq!(from_number(&server.url).send(&text("Hello")).await, Err(SendError::NoAnswer { code: code.to_owned() }));
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_here_and_the_check_sends_nothing() {
    let server = serve(|_| answer(200, "", r#"{"sid": "AC1", "status": "active"}"#)).await;
    let account = from_number(&server.url);
    let push = Outgoing { content: Content::Push { title: String::new(), body: String::new(), url: None }, ..text("") };
    for (message, code) in [(text(""), "empty_text"), (text(&"ä".repeat(1601)), "too_long"), (push, "wrong_content")] {
        assert_eq!(account.send(&message).await, Err(SendError::Refused { code: code.to_owned() }));
    }
    assert_eq!(account.check().await, Ok(()));
    let request = server.take_one();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/2010-04-01/Accounts/AC1.json"));
}

fn inbound(url: &str, signature: Option<&str>, body: &str) -> Result<InboundAnswer, InboundError> {
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert("x-twilio-signature", signature.parse().unwrap());
    }
    let call = InboundCall { method: &Method::POST, url, headers: &headers, body: body.as_bytes(), now: Timestamp(0) };
    from_number("http://127.0.0.1:1").inbound(&call)
}

#[test]
fn twilios_own_test_vectors_are_believed_and_nothing_else() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let body = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
    let good = Some("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    let several = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234";
    // Believed, though a call is no message.
    let believed = Err(InboundError::Form);
    let table = [
        (url, good, body, believed.clone()),
        (url, Some("IK+Dwps556ElfBT0I3Rgjkr1wJU="), several, believed),
        (url, None, body, Err(InboundError::Signature)),
        (url, Some(""), body, Err(InboundError::Signature)),
        (url, Some("RSOYDt4T1cUTdK1PDd93"), body, Err(InboundError::Signature)),
        (url, good, several, Err(InboundError::Signature)),
        ("https://mycompany.com/myapp.php?foo=1", good, body, Err(InboundError::Signature)),
    ];
    for (url, signature, body, expected) in table {
        assert_eq!(inbound(url, signature, body), expected, "{url} {signature:?}");
    }
}

fn genuine(body: &str) -> Result<InboundAnswer, InboundError> {
    // As Twilio documents it, written down once more: URL, then each name and value in the order of the names.
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    pairs.sort();
    let content = pairs.iter().fold("https://faden.example:443/in/sms".to_owned(), |content, (name, value)| content + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345");
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, content.as_bytes()));
    inbound("https://faden.example/in/sms", Some(&signature), body)
}

#[test]
fn a_status_callback_is_a_report() {
    let report = |receipt, code: Option<&str>, address_gone| {
        let about = Reference::Provider("SMe8723661742d423fbf3fa9f0a5c5a111".to_owned());
        vec![Inbound::Report(Report { about, receipt, code: code.map(str::to_owned), address_gone, at: None })]
    };
    let example = include_str!("examples/status.txt");
    let table = [
        ("undelivered", "30005", report(Receipt::Failed, Some("30005"), true)),
        ("undelivered", "30003", report(Receipt::Failed, Some("30003"), false)),
        ("failed", "30006", report(Receipt::Failed, Some("30006"), true)),
        ("canceled", "", report(Receipt::Failed, None, false)),
        ("sent", "", report(Receipt::Sent, None, false)),
        ("delivered", "", report(Receipt::Delivered, None, false)),
        ("read", "", report(Receipt::Read, None, false)),
        ("queued", "", vec![]),
        ("sending", "", vec![]),
    ];
    for (status, code, expected) in table {
        let body = example.replace("undelivered", status).replace("ErrorCode=30005", &format!("ErrorCode={code}"));
        assert_eq!(genuine(&body), Ok(InboundAnswer::Take(expected)), "{status}");
    }
}

#[test]
fn a_reply_is_received() {
    let received = |text: &str| {
        Ok(InboundAnswer::Take(vec![Inbound::Message(Received {
            provider_id: "SM2234".to_owned(),
            from: "+15558675310".to_owned(),
            to: "+15557122661".to_owned(),
            text: text.to_owned(),
            ..Received::default()
        })]))
    };
    let example = include_str!("examples/reply.txt");
    assert_eq!(genuine(example), received("STOP & go 😀"));
    let picture = example.replace("NumMedia=0", "NumMedia=1").replace("STOP+%26+go+%F0%9F%98%80", "");
    assert_eq!(genuine(&picture), received("[media]"));
    assert_eq!(genuine("MessageSid=SM1&From=%2B1"), Err(InboundError::Form));
}

#[test]
fn an_account_without_its_token_or_its_sender_is_not_opened() {
    let both = json!({"account_sid": "AC1", "auth_token": "hush", "from": "+1", "messaging_service_sid": "MG1"});
    let table = [
        (json!({"account_sid": "AC1", "auth_token": "hush"}), Some("from, messaging_service_sid")),
        (both, Some("from, messaging_service_sid")),
        (json!({"account_sid": "AC1", "auth_token": "", "from": "+1"}), Some("auth_token")),
        (json!({"account_sid": "A C", "auth_token": "hush", "from": "+1"}), Some("base_url, account_sid")),
        (json!({"account_sid": "AC1", "auth_token": "hush", "from": "+1"}), None),
    ];
    for (twilio, wrong) in table {
        let settings: Settings = serde_json::from_value(json!({"twilio": twilio})).unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
        let made = Twilio::new(&settings, Http::new(Reach::Public, None).unwrap());
        assert_eq!(made.err().map(|error| error.key), wrong);
    }
}

//! Sinch's published forms, replayed by a server on this machine that checks what is sent.

use super::*;
use crate::outbound_http::{Http, Reach};
use crate::test_http::{Act, Request, Server, answer, serve};
use crate::{
    Accepted, Channel, Content, Inbound, InboundAnswer, InboundCall, InboundError, Outgoing, Received, Reference, Report, SendError,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use faden_model::id::{Born, ProfileId};
use faden_model::{MessageId, Receipt, Timestamp};
use http::{HeaderMap, Method};
use ring::hmac;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const OURS: MessageId = MessageId(Born { under: ProfileId(235), count: 4 });
const APP: &str = "01EKHWVV2VJQEF0SA1GZFZ04RF";

fn open(kind: &str, url: &str, credentials: Value) -> Sinch {
    let mut sinch = json!({
        "project_id": "project-1", "app_id": APP, "webhook_secret": "foo_secret1234", "base_url": url,
        "auth_url": format!("{url}/oauth2/token"), "timeout_seconds": 3,
    });
    sinch.as_object_mut().unwrap().extend(credentials.as_object().unwrap().clone());
    let settings = serde_json::from_value(json!({"kind": kind, "from": "Shop", "sinch": sinch})).unwrap();
    Sinch::new(&settings, Http::new(Reach::Anywhere, None).unwrap()).unwrap()
}

fn account(kind: &str, url: &str) -> Sinch {
    open(kind, url, json!({"token": "fixed"}))
}

fn message(content: Content) -> Outgoing {
    Outgoing { message: OURS, to: "+14700000000".to_owned(), content }
}

fn text(text: &str) -> Outgoing {
    message(Content::Text(text.to_owned()))
}

fn sent() -> Result<Accepted, SendError> {
    Ok(Accepted { provider_id: Some("01EQBC1A3BEK731GY4YXEN0C2R".to_owned()) })
}

#[tokio::test]
async fn texts_and_templates_are_sent_as_published() {
    let server = serve(|_| answer(200, "", include_str!("examples/sent.json"))).await;
    let template =
        Content::Template { name: "late".to_owned(), language: "de".to_owned(), parameters: vec!["Ada".to_owned(), "1001".to_owned()] };
    let omni = json!({"template_id": "late", "version": "latest", "language_code": "de", "parameters": {"1": "Ada", "2": "1001"}});
    let table = [
        ("sms", text("Hi 😀"), json!({"text_message": {"text": "Hi 😀"}})),
        ("rcs", text("Hi 😀"), json!({"text_message": {"text": "Hi 😀"}})),
        ("rcs", message(template), json!({"template_message": {"omni_template": omni}})),
    ];
    for (kind, message, content) in table {
        assert_eq!(account(kind, &server.url).send(&message).await, sent());
        let request = server.take_one();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/projects/project-1/messages:send"));
        assert_eq!((request.header("authorization"), request.header("content-type")), ("Bearer fixed", "application/json"));
        let channel = kind.to_uppercase();
        let mut expected = json!({
            "app_id": APP,
            "recipient": {"identified_by": {"channel_identities": [{"channel": channel, "identity": "+14700000000"}]}},
            "message": content,
            "channel_priority_order": [channel],
            "message_metadata": "msg_7b_4",
        });
        if kind == "sms" {
            expected["channel_properties"] = json!({"SMS_SENDER": "Shop"});
        }
        assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
    }
}

/// Gives out `token-1`, `token-2` and so on, and takes only those from `first` on.
async fn server_with_tokens(first: usize) -> Server {
    let given = AtomicUsize::new(0);
    serve(move |request: &Request| {
        if request.path == "/oauth2/token" {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            return answer(200, "", include_str!("examples/token.json").replace("token-1", &format!("token-{number}")));
        }
        let good = (first..first + 5).any(|number| request.header("authorization") == format!("Bearer token-{number}"));
        if good { answer(200, "", include_str!("examples/sent.json")) } else { answer(401, "", "{}") }
    })
    .await
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_refused() {
    let key = json!({"key_id": "key", "key_secret": "hush"});
    let paths = |server: &Server| server.take().iter().map(|request| request.path.clone()).collect::<Vec<_>>();
    let (token, send) = ("/oauth2/token".to_owned(), "/v1/projects/project-1/messages:send".to_owned());

    let server = server_with_tokens(1).await;
    let account = open("sms", &server.url, key.clone());
    let (one, two) = (text("one"), text("two"));
    assert_eq!(tokio::join!(account.send(&one), account.send(&two)), (sent(), sent()));
    let requests = server.take();
    assert_eq!(requests.iter().filter(|request| request.path == token).count(), 1);
    let first = &requests[0];
    assert_eq!((first.method.as_str(), first.header("authorization")), ("POST", "Basic a2V5Omh1c2g="));
    assert_eq!(first.body, b"grant_type=client_credentials");

    let server = server_with_tokens(2).await;
    assert_eq!(open("sms", &server.url, key.clone()).send(&one).await, sent());
    assert_eq!(paths(&server), [token.clone(), send.clone(), token.clone(), send.clone()]);

    let server = server_with_tokens(9).await;
    assert_eq!(open("sms", &server.url, key).send(&one).await, Err(SendError::Account { code: "401".to_owned() }));
    assert_eq!(paths(&server), [token.clone(), send.clone(), token, send]);
}

#[tokio::test]
async fn a_wrong_key_is_an_account_error() {
    for (status, code, account) in [(400, "token_400", true), (401, "token_401", true), (500, "token_500", false)] {
        let server = serve(move |_| answer(status, "", r#"{"error": "invalid_client"}"#)).await;
        let code = code.to_owned();
        let expected = if account { SendError::Account { code } } else { SendError::Unavailable { code } };
        let key = json!({"key_id": "key", "key_secret": "hush"});
        assert_eq!(open("sms", &server.url, key).send(&text("Hello")).await, Err(expected));
    }
}

#[tokio::test]
async fn sinchs_errors_say_what_can_be_done_next() {
    let error = |status: &str| format!(r#"{{"error": {{"code": 1, "message": "no", "status": "{status}", "details": []}}}}"#);
    let code = |code: &str| code.to_owned();
    let table = [
        (400, include_str!("examples/error.json").to_owned(), SendError::Refused { code: code("INVALID_ARGUMENT") }),
        (404, error("NOT_FOUND"), SendError::Refused { code: code("NOT_FOUND") }),
        (401, error("UNAUTHENTICATED"), SendError::Account { code: code("UNAUTHENTICATED") }),
        (403, error("PERMISSION_DENIED"), SendError::Account { code: code("PERMISSION_DENIED") }),
        (429, error("RESOURCE_EXHAUSTED"), SendError::Throttled { code: code("RESOURCE_EXHAUSTED"), after: None }),
        (500, error("INTERNAL"), SendError::Unavailable { code: code("INTERNAL") }),
        (503, "<html/>".to_owned(), SendError::Unavailable { code: code("503") }),
        (200, "<html/>".to_owned(), SendError::NoAnswer { code: code("broken_answer") }),
        (200, "{}".to_owned(), SendError::NoAnswer { code: code("broken_answer") }),
    ];
    for (status, body, expected) in table {
        let given = body.clone();
        let server = serve(move |_| answer(status, "", &given)).await;
        assert_eq!(account("sms", &server.url).send(&text("Hello")).await, Err(expected), "{status} {body}");
    }
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"message_id\":".to_vec();
    let table =
        [(Act::SayAndHang(half.clone()), "timeout"), (Act::Say(half), "broken_answer"), (Act::Say(b"garbage".to_vec()), "broken_answer")];
    for (act, code) in table {
        let server = serve(move |_| act.clone()).await;
        assert_eq!(account("sms", &server.url).send(&text("Hello")).await, Err(SendError::NoAnswer { code: code.to_owned() }));
    }
    let server = serve(|_| answer(429, "Retry-After: 5\r\n", "")).await;
    let expected = SendError::Throttled { code: code("429"), after: Some(Duration::from_secs(5)) };
    assert_eq!(account("sms", &server.url).send(&text("Hello")).await, Err(expected));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_here_and_the_check_sends_nothing() {
    let server = serve(|_| answer(200, "", r#"{"id": "app"}"#)).await;
    let account = account("rcs", &server.url);
    let push = message(Content::Push { title: String::new(), body: String::new(), url: None });
    for (message, code) in [(text(""), "empty_text"), (text(&"a".repeat(1601)), "too_long"), (push, "wrong_content")] {
        assert_eq!(account.send(&message).await, Err(SendError::Refused { code: code.to_owned() }));
    }
    assert_eq!(account.check().await, Ok(()));
    let request = server.take_one();
    assert_eq!((request.method, request.path), ("GET".to_owned(), format!("/v1/projects/project-1/apps/{APP}")));
}

const SIGNED_AT: i64 = 1_634_579_353;

fn headers(signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-sinch-webhook-signature", signature.parse().unwrap());
    headers.insert("x-sinch-webhook-signature-nonce", "01FJA8B4A7BM43YGWSG9GBV067".parse().unwrap());
    headers.insert("x-sinch-webhook-signature-timestamp", SIGNED_AT.to_string().parse().unwrap());
    headers.insert("x-sinch-webhook-signature-algorithm", "HmacSHA256".parse().unwrap());
    headers
}

fn inbound(kind: &str, headers: &HeaderMap, body: &str, late: i64) -> Result<InboundAnswer, InboundError> {
    let now = Timestamp((SIGNED_AT + late) * 1000);
    let call = InboundCall { method: &Method::POST, url: "https://faden.example/in/rcs", headers, body: body.as_bytes(), now };
    account(kind, "http://127.0.0.1:1").inbound(&call)
}

fn genuine(kind: &str, body: &str) -> Result<InboundAnswer, InboundError> {
    let content = format!("{body}.01FJA8B4A7BM43YGWSG9GBV067.{SIGNED_AT}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"foo_secret1234"), content.as_bytes());
    inbound(kind, &headers(&BASE64_STANDARD.encode(tag)), body, 0)
}

#[test]
fn sinchs_own_test_vector_is_believed_and_nothing_else() {
    let body = include_str!("examples/signed.json");
    let good = headers("6bpJoRmFoXVjfJIVglMoJzYXxnoxRujzR4k2GOXewOE=");
    let nothing = Ok(InboundAnswer::Take(Vec::new()));
    assert_eq!(inbound("sms", &good, body, 0), nothing);
    assert_eq!(inbound("sms", &good, body, 86_400), nothing);
    let forged = Err(InboundError::Signature);
    assert_eq!(inbound("sms", &good, body, 86_401), forged);
    assert_eq!(inbound("sms", &good, body, -86_401), forged);
    assert_eq!(inbound("sms", &good, "{}", 0), forged);
    for name in ["x-sinch-webhook-signature", "x-sinch-webhook-signature-nonce", "x-sinch-webhook-signature-timestamp"] {
        for value in [None, Some(""), Some("0"), Some("-9223372036854775808")] {
            let mut headers = good.clone();
            match value {
                None => drop(headers.remove(name)),
                Some(value) => drop(headers.insert(name, value.parse().unwrap())),
            }
            assert_eq!(inbound("sms", &headers, body, 0), forged, "{name}: {value:?}");
        }
    }
    let mut other = good.clone();
    other.insert("x-sinch-webhook-signature-algorithm", "HmacMD5".parse().unwrap());
    assert_eq!(inbound("sms", &other, body, 0), forged);
    for form in ["", "[]", r#"{"app_id": 1}"#, r#"{"app_id": "", "message": {}}"#] {
        assert_eq!(genuine("sms", form), Err(InboundError::Form), "{form}");
    }
}

#[test]
fn a_delivery_report_is_about_our_message_if_it_names_it() {
    let at = Some(Timestamp::parse("2020-10-01T20:09:06Z").unwrap());
    let report = |about, receipt, code: Option<&str>| {
        Ok(InboundAnswer::Take(vec![Inbound::Report(Report { about, receipt, code: code.map(str::to_owned), address_gone: false, at })]))
    };
    let example = include_str!("examples/report_failed.json");
    let failed = Some("RECIPIENT_NOT_REACHABLE");
    assert_eq!(genuine("rcs", example), report(Reference::Message(OURS), Receipt::Failed, failed));
    let unknown = example.replace("msg_7b_4", "");
    let provider = || Reference::Provider("01EKJWGGMA53D91CS7GTDW0BAE".to_owned());
    assert_eq!(genuine("rcs", &unknown), report(provider(), Receipt::Failed, failed));
    let start = unknown.find("\"reason\"").unwrap();
    let without_reason = format!("{}{}", &unknown[..start], &unknown[unknown.find("\"metadata\"").unwrap()..]);
    let table = [
        ("QUEUED_ON_CHANNEL", Some(Receipt::Sent)),
        ("DELIVERED", Some(Receipt::Delivered)),
        ("READ", Some(Receipt::Read)),
        ("SWITCHING_CHANNEL", None),
    ];
    for (status, receipt) in table {
        let expected = receipt.map_or(Ok(InboundAnswer::Take(Vec::new())), |receipt| report(provider(), receipt, None));
        assert_eq!(genuine("rcs", &without_reason.replace("FAILED", status)), expected, "{status}");
    }
    // The same app may carry SMS too: that is another account's.
    assert_eq!(genuine("sms", example), Ok(InboundAnswer::Take(Vec::new())));
    assert_eq!(genuine("rcs", &example.replace(APP, "another app")), Ok(InboundAnswer::Take(Vec::new())));
}

#[test]
fn a_reply_is_received_whether_it_was_written_or_tapped() {
    let received = |id: &str, to: &str, text: &str| {
        Ok(InboundAnswer::Take(vec![Inbound::Message(Received {
            provider_id: id.to_owned(),
            from: "+14700000000".to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
            at: Some(Timestamp::parse("2020-10-01T20:09:28.518Z").unwrap()),
            ..Received::default()
        })]))
    };
    let written = include_str!("examples/reply_text.json");
    assert_eq!(genuine("rcs", written), received("01EKJWH9DEMC1G4VZAHVFVR0PA", "12345", "Where is my order?"));
    assert_eq!(genuine("rcs", include_str!("examples/reply_choice.json")), received("01EKJWH9DEMC1G4VZAHVFVR0PB", "", "call me"));
    let picture =
        written.replace(r#""text_message": {"text": "Where is my order?"}"#, r#""media_message": {"url": "https://example.com/1.jpg"}"#);
    assert_eq!(genuine("rcs", &picture), received("01EKJWH9DEMC1G4VZAHVFVR0PA", "12345", "[media]"));
    assert_eq!(genuine("sms", written), Ok(InboundAnswer::Take(Vec::new())));
    assert_eq!(genuine("rcs", &written.replace("TO_APP", "TO_CONTACT")), Ok(InboundAnswer::Take(Vec::new())));
}

#[test]
fn an_account_needs_a_key_or_a_token_and_the_webhooks_secret() {
    let read = |sinch: Value| serde_json::from_value::<Settings>(json!({"kind": "sms", "sinch": sinch}));
    let table = [
        (json!({"project_id": "p", "app_id": "a", "webhook_secret": "hush"}), Some("key_id, key_secret, token")),
        (
            json!({"project_id": "p", "app_id": "a", "webhook_secret": "hush", "key_id": "k", "token": "hush"}),
            Some("key_id, key_secret, token"),
        ),
        (json!({"project_id": "p", "app_id": "a", "token": "hush", "webhook_secret": ""}), Some("webhook_secret")),
        (json!({"project_id": "p", "app_id": "a", "token": "", "webhook_secret": "hush"}), Some("token")),
        (json!({"project_id": "p", "app_id": "a", "key_id": "k", "key_secret": "", "webhook_secret": "hush"}), Some("key_secret")),
        (
            json!({"project_id": "p", "app_id": "a", "key_id": "k", "key_secret": "hush", "webhook_secret": "hush", "region": "e u"}),
            Some("region, base_url, project_id, app_id"),
        ),
        (json!({"project_id": "p", "app_id": "a", "key_id": "k", "key_secret": "hush", "webhook_secret": "hush"}), None),
    ];
    for (sinch, wrong) in table {
        let settings = read(sinch).unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
        let made = Sinch::new(&settings, Http::new(Reach::Public, None).unwrap());
        assert_eq!(made.err().map(|error| error.key), wrong);
    }
}

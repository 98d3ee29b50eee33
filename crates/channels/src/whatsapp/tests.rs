//! Meta's published forms, replayed by a server on this machine that checks what is sent.

use super::*;
use crate::outbound_http::{Http, Reach};
use crate::test_http::{Act, Request, answer, serve};
use crate::{
    Accepted, Channel, Content, Inbound, InboundAnswer, InboundCall, InboundError, Outgoing, Received, Reference, Report, SendError,
};
use faden_model::id::{Born, ProfileId};
use faden_model::{MessageId, Receipt, Timestamp};
use http::{HeaderMap, Method};
use ring::hmac;
use serde_json::{Value, json};
use std::time::Duration;

const OURS: MessageId = MessageId(Born { under: ProfileId(235), count: 4 });

fn account(base_url: &str) -> WhatsApp {
    let cloud_api = json!({
        "phone_number_id": "106540352242922", "access_token": "token-1", "app_secret": "app secret", "verify_token": "word",
        "base_url": base_url, "timeout_seconds": 3,
    });
    let settings = serde_json::from_value(json!({"kind": "whatsapp", "cloud_api": cloud_api})).unwrap();
    WhatsApp::new(&settings, Http::new(Reach::Anywhere, None).unwrap()).unwrap()
}

fn message(content: Content) -> Outgoing {
    Outgoing { message: OURS, to: "+16505551234".to_owned(), content }
}

fn text(text: &str) -> Outgoing {
    message(Content::Text(text.to_owned()))
}

fn json_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[tokio::test]
async fn texts_and_templates_are_sent_as_published() {
    let server = serve(|_| answer(200, "Content-Type: application/json\r\n", include_str!("examples/sent.json"))).await;
    let account = account(&server.url);
    let template = |parameters: &[&str]| Content::Template {
        name: "order_late".to_owned(),
        language: "pt-BR".to_owned(),
        parameters: parameters.iter().map(|text| (*text).to_owned()).collect(),
    };
    let body = json!([{"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "1001"}]}]);
    let table = [
        (message(Content::Text("Hello 😀".to_owned())), json!({"type": "text", "text": {"preview_url": false, "body": "Hello 😀"}})),
        (
            message(template(&["Ada", "1001"])),
            json!({"type": "template", "template": {"name": "order_late", "language": {"code": "pt_BR"}, "components": body}}),
        ),
        (message(template(&[])), json!({"type": "template", "template": {"name": "order_late", "language": {"code": "pt_BR"}}})),
    ];
    for (message, content) in table {
        let id = "wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI1RjQyNUE3NEYxMzAzMzQ5MkEA".to_owned();
        assert_eq!(account.send(&message).await, Ok(Accepted { provider_id: Some(id) }));
        let request = server.take_one();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v23.0/106540352242922/messages"));
        assert_eq!((request.header("authorization"), request.header("content-type")), ("Bearer token-1", "application/json"));
        let mut expected = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+16505551234", "biz_opaque_callback_data": "msg_7b_4",
        });
        expected.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        assert_eq!(json_of(&request), expected);
    }
}

#[test]
fn texts_of_ones_own_go_for_a_day_after_the_customer_wrote_and_templates_always() {
    let template = Content::Template { name: "order_late".to_owned(), language: "en".to_owned(), parameters: Vec::new() };
    let text = Content::Text("Hello".to_owned());
    let (mut account, day) = (account("http://127.0.0.1:1"), Duration::from_secs(86_400));
    assert_eq!([account.session(&text), account.session(&template)], [Some(day), None]);
    account.settings.session_window = false;
    assert_eq!([account.session(&text), account.session(&template)], [None, None]);
}

#[tokio::test]
async fn metas_codes_say_what_can_be_done_next() {
    let error =
        |code: i64| format!(r#"{{"error": {{"message": "(#{code})", "type": "OAuthException", "code": {code}, "fbtrace_id": "A"}}}}"#);
    let code = |code: &str| code.to_owned();
    let throttled = |text: &str| SendError::Throttled { code: code(text), after: None };
    let table = [
        (400, include_str!("examples/error_window.json").to_owned(), SendError::Refused { code: code("131047") }),
        (400, error(131_026), SendError::Refused { code: code("131026") }),
        (404, error(132_001), SendError::Refused { code: code("132001") }),
        (400, error(100), SendError::Refused { code: code("100") }),
        (401, error(190), SendError::Account { code: code("190") }),
        (403, error(10), SendError::Account { code: code("10") }),
        (403, error(131_031), SendError::Account { code: code("131031") }),
        (429, error(130_429), throttled("130429")),
        (400, error(131_048), throttled("131048")),
        (400, error(80_007), throttled("80007")),
        (400, error(131_056), SendError::Later { code: code("131056"), after: None }),
        (500, error(131_000), SendError::Unavailable { code: code("131000") }),
        (503, error(2), SendError::Unavailable { code: code("2") }),
        (500, error(999_999), SendError::Unavailable { code: code("999999") }),
        (502, "<html>Bad Gateway</html>".to_owned(), SendError::Unavailable { code: code("502") }),
        (401, String::new(), SendError::Account { code: code("401") }),
        (200, "<html>Welcome</html>".to_owned(), SendError::NoAnswer { code: code("broken_answer") }),
        (200, "{}".to_owned(), SendError::NoAnswer { code: code("broken_answer") }),
    ];
    for (status, body, expected) in table {
        let given = body.clone();
        let server = serve(move |_| answer(status, "", &given)).await;
        assert_eq!(account(&server.url).send(&text("Hello")).await, Err(expected), "{status} {body}");
    }
    let server = serve(|_| answer(429, "Retry-After: 60\r\n", "")).await;
    let expected = SendError::Throttled { code: code("429"), after: Some(Duration::from_secs(60)) };
    assert_eq!(account(&server.url).send(&text("Hello")).await, Err(expected));
}

#[tokio::test]
async fn a_provider_that_hangs_or_breaks_off_may_have_taken_the_message() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"messages\":".to_vec();
    let table =
        [(Act::SayAndHang(half.clone()), "timeout"), (Act::Say(half), "broken_answer"), (Act::Say(b"garbage".to_vec()), "broken_answer")];
    for (act, code) in table {
        let server = serve(move |_| act.clone()).await;
        assert_eq!(account(&server.url).send(&text("Hello")).await, Err(SendError::NoAnswer { code: code.to_owned() }));
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_here_and_the_check_sends_nothing() {
    let server = serve(|_| answer(200, "", r#"{"id": "106540352242922"}"#)).await;
    let account = account(&server.url);
    let webhook = Content::Webhook { event: String::new(), at: Timestamp(0), data: String::new() };
    for (message, code) in [(text(""), "empty_text"), (text(&"a".repeat(4097)), "too_long"), (message(webhook), "wrong_content")] {
        assert_eq!(account.send(&message).await, Err(SendError::Refused { code: code.to_owned() }));
    }
    assert_eq!(account.check().await, Ok(()));
    let request = server.take_one();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v23.0/106540352242922?fields=id"));
}

fn signed(body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"app secret"), body.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn inbound(signature: Option<&str>, body: &str) -> Result<InboundAnswer, InboundError> {
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert("x-hub-signature-256", signature.parse().unwrap());
    }
    let url = "https://faden.example/in/whatsapp";
    let call = InboundCall { method: &Method::POST, url, headers: &headers, body: body.as_bytes(), now: Timestamp(0) };
    account("http://127.0.0.1:1").inbound(&call)
}

fn genuine(body: &str) -> Result<InboundAnswer, InboundError> {
    inbound(Some(&format!("sha256={}", signed(body))), body)
}

#[test]
fn statuses_become_reports_about_our_message_if_they_name_it() {
    let provider = |id: &str| Reference::Provider(id.to_owned());
    let report = |about, receipt, code: Option<&str>, seconds: i64| {
        let at = Some(Timestamp(seconds * 1000));
        Inbound::Report(Report { about, receipt, code: code.map(str::to_owned), address_gone: false, at })
    };
    let expected = vec![
        report(Reference::Message(OURS), Receipt::Sent, None, 1_750_030_073),
        report(provider("wamid.2"), Receipt::Delivered, None, 1_750_263_773),
        report(provider("wamid.3"), Receipt::Read, None, 1_750_263_780),
        report(provider("wamid.5"), Receipt::Failed, Some("131026"), 1_689_380_553),
    ];
    assert_eq!(genuine(include_str!("examples/statuses.json")), Ok(InboundAnswer::Take(expected)));
}

#[test]
fn what_customers_write_tap_and_choose_is_received_and_marks_are_not() {
    let message = |id: &str, text: &str, seconds: i64| {
        Inbound::Message(Received {
            provider_id: id.to_owned(),
            from: "+16505551234".to_owned(),
            to: "+15550783881".to_owned(),
            text: text.to_owned(),
            at: Some(Timestamp(seconds * 1000)),
            ..Received::default()
        })
    };
    let expected = vec![
        message("wamid.text", "Does it come in another color?", 1_749_416_383),
        message("wamid.button", "Stop", 1_750_091_045),
        message("wamid.chosen", "Priority Mail Express", 1_749_854_575),
        message("wamid.tapped", "Cancel", 1_750_025_136),
        message("wamid.form", r#"{"size":"L"}"#, 1_750_025_136),
        message("wamid.picture", "This one", 1_744_344_496),
        message("wamid.voice", "[audio]", 1_744_344_496),
    ];
    assert_eq!(genuine(include_str!("examples/messages.json")), Ok(InboundAnswer::Take(expected)));
}

#[test]
fn only_metas_calls_are_believed() {
    let body = include_str!("examples/statuses.json");
    let signature = signed(body);
    let (short, upper) = (format!("sha256={}", &signature[..62]), format!("sha256={}", signature.to_uppercase()));
    let forged = format!("sha256={}", signed("{}"));
    for wrong in [None, Some(""), Some("sha256="), Some("sha256=zz"), Some("sha256=abc"), Some(&*signature), Some(&*short), Some(&*forged)]
    {
        assert_eq!(inbound(wrong, body), Err(InboundError::Signature), "{wrong:?}");
    }
    assert!(inbound(Some(&upper), body).is_ok());
    for form in ["", "[]", "{", r#"{"entry": 1}"#, r#"{"entry": [{"changes": [{"field": "messages", "value": {"statuses": 7}}]}]}"#] {
        assert_eq!(genuine(form), Err(InboundError::Form), "{form}");
    }
}

#[test]
fn the_question_whether_we_are_there_is_answered_to_whoever_knows_the_word() {
    let table = [
        ("?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=word", Ok(InboundAnswer::Say("1158201444".to_owned()))),
        ("?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=guess", Err(InboundError::Signature)),
        ("?hub.mode=other&hub.challenge=1158201444&hub.verify_token=word", Err(InboundError::Signature)),
        ("?hub.mode=subscribe&hub.verify_token=word", Err(InboundError::Form)),
        ("", Err(InboundError::Form)),
    ];
    for (query, expected) in table {
        let url = format!("https://faden.example/in/whatsapp{query}");
        let call = InboundCall { method: &Method::GET, url: &url, headers: &HeaderMap::new(), body: &[], now: Timestamp(0) };
        assert_eq!(account("http://127.0.0.1:1").inbound(&call), expected, "{query}");
    }
}

#[test]
fn an_account_without_its_secrets_is_not_opened_and_they_do_not_show() {
    for (key, app_secret, verify_token) in
        [("app_secret", "", "word"), ("verify_token", "hush", ""), ("base_url, version, phone_number_id", "hush", "word")]
    {
        let cloud_api = json!({
            "phone_number_id": "1 2", "access_token": "hush", "app_secret": app_secret, "verify_token": verify_token,
        });
        let settings: Settings = serde_json::from_value(json!({"cloud_api": cloud_api})).unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
        let made = WhatsApp::new(&settings, Http::new(Reach::Public, None).unwrap());
        assert_eq!(made.err().map(|error| error.key), Some(key));
    }
}

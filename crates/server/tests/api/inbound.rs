//! What comes back: receipts and replies of a provider that calls us.

use crate::common::{Server, WAIT_MAX, wait_until};
use axum::Json;
use axum::routing::post;
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

const JOURNEY: &str = "journey: news\npurpose: marketing\nentry: {event: Ping, reentry: always}\nsteps:\n  - id: tell\n    send: {template: news, channels: [whatsapp]}\n";
const FORM: &str = "---\ntemplate: news\n---\nNews for you.\n";

/// A provider that takes everything under one name, and what it was given.
async fn provider() -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let calls = Arc::new(Mutex::new(Vec::new()));
    let kept = calls.clone();
    let take = move |Json(call): Json<Value>| {
        kept.lock().expect("nobody panics with it").push(call);
        async { Json(json!({"messages": [{"id": "wamid.1"}]})) }
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(post(take))).await });
    (format!("http://{address}"), calls)
}

/// A workspace that sends by WhatsApp, with its secrets in a file; `more` is the rest of the account.
fn settings(secrets: &TempDir, provider: &str, more: &str) -> String {
    let file = secrets.path().join("secret");
    std::fs::write(&file, "hush\n").expect("written");
    let secret = format!("{{file: \"{}\"}}", file.display());
    format!(
        "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {{name: page, kind: in_app}}\n  - {{name: chat, kind: whatsapp, allow_private: true, cloud_api: {{phone_number_id: \"7\", access_token: {secret}, app_secret: {secret}, verify_token: {secret}, base_url: \"{provider}\"{more}}}}}\n"
    )
}

fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"hush").expect("any length will do");
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn notice(value: &Value) -> Value {
    let mut value = value.clone();
    value["metadata"] = json!({"phone_number_id": "7", "display_phone_number": "49301234"});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
}

/// How many messages of a channel are in each state.
async fn numbers(server: &Server, channel: &str) -> Value {
    let overview = server.get("/api/v1/overview").await;
    overview["messages"].as_array().and_then(|all| all.iter().find(|one| one["channel"] == channel)).cloned().unwrap_or_default()
}

/// Waits until a number of messages is reached.
async fn wait(server: &Server, state: &str, count: u64) {
    let begun = Instant::now();
    while numbers(server, "whatsapp").await[state] != count {
        assert!(begun.elapsed() < WAIT_MAX, "{state} is not {count}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_find_their_message_and_stop_holds_before_the_answer() {
    let secrets = tempfile::tempdir().expect("a temporary directory");
    let settings = settings(&secrets, &provider().await.0, "");
    let files = [
        ("faden.yaml", settings.as_str()),
        ("policies/global.yaml", "policy: global\nconsent: {marketing: opt_in}\n"),
        ("journeys/news.yaml", JOURNEY),
        ("templates/news/whatsapp.en.jinja", FORM),
    ];
    let server = Server::start(&files).await;
    let consent = json!({"consent": {"categoryPreferences": {"marketing": true}}});
    let ping = json!({"type": "track", "userId": "u1", "event": "Ping"});
    let known = json!({"type": "identify", "userId": "u1", "traits": {"phone": "+491701234567"}, "context": consent});
    server.send(&[known, ping.clone()]).await;
    wait(&server, "sent", 1).await;

    let status =
        notice(&json!({"statuses": [{"id": "wamid.1", "status": "delivered", "timestamp": "1772359200", "recipient_id": "491701234567"}]}));
    let stop = notice(
        &json!({"messages": [{"id": "wamid.in", "from": "491701234567", "timestamp": "1772359200", "type": "text", "text": {"body": "Stop!"}}]}),
    );
    let (status, stop) = (status.to_string(), stop.to_string());
    let table = [
        (&status, signature(&status), 200),
        (&status, signature("other"), 403),
        (&stop, signature(&stop), 200),
        (&stop, signature(&stop), 200),
    ];
    for (body, signature, wanted) in table {
        let body = serde_json::from_str(body).expect("it is JSON");
        let headers = [("x-hub-signature-256", signature.as_str())];
        let (answered, answer) = server.call_with("", Method::POST, "/in/chat", Some(body), &headers).await;
        assert_eq!(answered, wanted, "{answer}");
    }
    assert_eq!(numbers(&server, "whatsapp").await["delivered"], 1);
    server.send(&[ping]).await;
    assert_eq!(numbers(&server, "").await["suppressed"], 1, "no channel is left after the stop");
    assert_eq!(server.call_with("", Method::POST, "/in/none", Some(json!({})), &[]).await.0, 404);
    let challenge = "/in/chat?hub.mode=subscribe&hub.verify_token=hush&hub.challenge=42";
    assert_eq!(server.call_with("", Method::GET, challenge, None, &[]).await, (200, json!(42)));
    let sources = server.get("/api/v1/sources").await;
    let chat = sources["items"].as_array().and_then(|all| all.iter().find(|one| one["source"] == "chat")).cloned();
    assert_eq!(chat.map(|chat| chat["kinds"][0]["name"].clone()), Some(json!("Message Received")));
}

/// What a customer wrote some minutes ago.
async fn write(server: &Server, from: &str, minutes: u64) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970").as_secs();
    let at = (now - minutes * 60).to_string();
    let message = json!({"id": format!("wamid.{from}"), "from": from, "timestamp": at, "type": "text", "text": {"body": "Where is it?"}});
    let notice = notice(&json!({"messages": [message]}));
    let signature = signature(&notice.to_string());
    let headers = [("x-hub-signature-256", signature.as_str())];
    let (answered, answer) = server.call_with("", Method::POST, "/in/chat", Some(notice), &headers).await;
    assert_eq!(answered, 200, "{answer}");
}

/// Sends to one person for each row, who wrote so many minutes ago or never: whether a text, and whether a form, went
/// out on WhatsApp.
async fn sent_after(more: &str, table: &[(Option<u64>, bool, bool)]) {
    const ANSWER: &str = "journey: answer\npurpose: service\nentry: {event: Asked, reentry: always}\nsteps:\n  - id: tell\n    send: {template: answer, channels: [whatsapp, in_app]}\n";
    let secrets = tempfile::tempdir().expect("a temporary directory");
    let (url, calls) = provider().await;
    let settings = settings(&secrets, &url, more);
    let files = [
        ("faden.yaml", settings.as_str()),
        ("policies/global.yaml", "policy: global\nconsent: {marketing: none, service: none}\n"),
        ("journeys/news.yaml", JOURNEY),
        ("journeys/answer.yaml", ANSWER),
        ("templates/news/whatsapp.en.jinja", FORM),
        ("templates/answer/whatsapp.en.jinja", "It is on its way.\n"),
        ("templates/answer/in_app.en.jinja", "---\ntitle: Your order\n---\nIt is on its way.\n"),
    ];
    let server = Server::start(&files).await;
    for (at, (wrote, text, form)) in table.iter().enumerate() {
        let (user, number) = (format!("u{at}"), format!("4917012345{at:02}"));
        server.send(&[json!({"type": "identify", "userId": user, "traits": {"phone": format!("+{number}")}})]).await;
        if let Some(minutes) = wrote {
            write(&server, &number, *minutes).await;
            // Whatever he does since then does not count as writing.
            let seen: Vec<Value> = (0..70).map(|_| json!({"type": "track", "userId": user, "event": "Seen"})).collect();
            server.send(&seen).await;
        }
        let of = |kind: &str| {
            let calls = calls.lock().expect("nobody panics with it");
            calls.iter().any(|call| call["type"] == kind && call["to"] == format!("+{number}"))
        };
        let messages = |filter: &'static str| {
            let (server, path) = (&server, format!("/api/v1/messages?profile=user_id:{user}&{filter}"));
            async move { server.get(&path).await["items"].as_array().cloned().unwrap_or_default() }
        };
        server.send(&[json!({"type": "track", "userId": user, "event": "Asked"})]).await;
        server.send(&[json!({"type": "track", "userId": user, "event": "Ping"})]).await;
        let (by_form, by_text) = ("template=news&state=sent", if *text { "template=answer&state=sent" } else { "channel=in_app" });
        wait_until("both went their way", || async { !messages(by_form).await.is_empty() && !messages(by_text).await.is_empty() }).await;
        assert_eq!((of("text"), of("template")), (*text, *form), "{wrote:?}");
        let failed = messages("state=failed").await;
        let codes: Vec<&Value> = failed.iter().map(|item| &item["code"]).collect();
        assert_eq!(codes, if *text { vec![] } else { vec!["session_window"] }, "{failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_goes_by_whatsapp_within_a_day_after_the_customer_wrote_and_at_once_elsewhere_after_it() {
    let table = [(Some(0), true, true), (Some(24 * 60 - 1), true, true), (Some(24 * 60 + 1), false, true), (None, false, true)];
    sent_after("", &table).await;
    sent_after(", session_window: false", &[(None, true, true)]).await;
}

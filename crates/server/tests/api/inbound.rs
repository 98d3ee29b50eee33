//! What comes back: receipts and replies of a provider that calls us.

use crate::common::{Server, WAIT_MAX};
use axum::Json;
use axum::routing::post;
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::{Duration, Instant};

const JOURNEY: &str = "journey: news\npurpose: marketing\nentry: {event: Ping, reentry: always}\nsteps:\n  - id: tell\n    send: {template: news, channels: [whatsapp]}\n";
const FORM: &str = "---\ntemplate: news\n---\nNews for you.\n";

/// A provider that takes everything under one name after the other.
async fn provider() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let router = axum::Router::new().fallback(post(|| async { Json(json!({"messages": [{"id": "wamid.1"}]})) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
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
    let file = secrets.path().join("secret");
    std::fs::write(&file, "hush\n").expect("written");
    let secret = format!("{{file: \"{}\"}}", file.display());
    let settings = format!(
        "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {{name: chat, kind: whatsapp, allow_private: true, cloud_api: {{phone_number_id: \"7\", access_token: {secret}, app_secret: {secret}, verify_token: {secret}, base_url: \"{}\"}}}}\n",
        provider().await
    );
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

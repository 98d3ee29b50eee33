//! The outside world of a demonstration, on loopback: a mailbox, phones and browsers that take messages, and a page that shows them.
//!
//! It answers as the providers' published formats say (WhatsApp Cloud API, Twilio Messages, web push, Standard
//! Webhooks) and sends WhatsApp's statuses back, signed. Nothing leaves this machine.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use faden_channels::web_push::Receiver;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// Messages that the page shows.
const KEPT: usize = 200;

/// Secret with which WhatsApp's statuses are signed, here and in the demonstration's workspace.
pub const APP_SECRET: &str = "demonstration";

/// The key pair that all of the demonstration's browsers have: the example of RFC 8291, section 5. Each has its own secret.
const BROWSER_KEY: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";

/// The account's pair for web push, private and public, from the same example.
pub const PUSH_KEYS: (&str, &str) = (
    "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
);

/// The demonstration's browsers, and their push service at one place.
pub struct Browsers {
    service: String,
    one: Receiver,
}

impl Browsers {
    /// `service` is the push service's address, such as `https://push.example`.
    #[must_use]
    pub fn new(service: String) -> Browsers {
        Browsers { service, one: Receiver::new(BROWSER_KEY, [0; 16]).expect("RFC 8291 prints a key") }
    }

    fn named(&self, browser: &str) -> Receiver {
        let digest = Sha256::digest(browser);
        self.one.with_auth(*digest.first_chunk().expect("a digest of SHA-256 has 32 bytes"))
    }

    /// What a page gets from `pushManager.subscribe`, as text.
    #[must_use]
    pub fn subscription(&self, browser: &str) -> String {
        self.named(browser).subscription(&format!("{}/push/{browser}", self.service))
    }
}

/// One message that arrived.
struct Arrived {
    at: String,
    channel: &'static str,
    to: String,
    title: String,
    text: String,
}

struct World {
    arrived: Mutex<VecDeque<Arrived>>,
    /// Where WhatsApp's statuses go.
    statuses: String,
    http: reqwest::Client,
    browsers: Browsers,
}

/// The running world.
pub struct Outside {
    /// Its page, and the address of its providers.
    pub http: SocketAddr,
    /// Its mailbox.
    pub smtp: SocketAddr,
}

impl World {
    fn keep(&self, channel: &'static str, to: &str, title: &str, text: &str) {
        let mut arrived = self.arrived.lock().expect("no holder of this lock panics");
        let at = crate::keeper::now().to_string();
        arrived.push_front(Arrived { at, channel, to: to.to_owned(), title: title.to_owned(), text: text.to_owned() });
        arrived.truncate(KEPT);
    }
}

/// Starts it; `statuses` is where the server takes WhatsApp's statuses.
///
/// # Errors
/// When no port can be had.
pub async fn start(statuses: String) -> std::io::Result<Outside> {
    // Installed already where the server was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().map_err(std::io::Error::other)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let browsers = Browsers::new(format!("http://{address}"));
    let world = Arc::new(World { arrived: Mutex::new(VecDeque::new()), statuses, http, browsers });
    let router = Router::new()
        .route("/", get(page))
        .route("/{version}/{phone}/messages", post(whatsapp))
        .route("/2010-04-01/Accounts/{account}/Messages.json", post(sms))
        .route("/push/{browser}", post(push))
        .route("/faden", post(webhook))
        .with_state(world.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let smtp = mailbox(world).await?;
    Ok(Outside { http: address, smtp })
}

async fn mailbox(world: Arc<World>) -> std::io::Result<SocketAddr> {
    let inlet = json!({"listen": "127.0.0.1:0", "domains": ["example.de", "example.at", "example.br", "example.com"]});
    let inlet = serde_json::from_value(inlet).map_err(std::io::Error::other)?;
    let listener = faden_channels::email::Listener::bind(&inlet).await.map_err(std::io::Error::other)?;
    let address = listener.address();
    // Any mail: also what programs wrote and our own.
    tokio::spawn(listener.take_any().run(world, tokio_util::sync::CancellationToken::new()));
    Ok(address)
}

impl faden_channels::Inbox for World {
    fn take(&self, inbound: faden_channels::Inbound) -> faden_channels::BoxFuture<'_, Result<(), faden_channels::NotTaken>> {
        if let faden_channels::Inbound::Message(mail) = inbound {
            self.keep("email", &mail.to, mail.subject.as_deref().unwrap_or_default(), &mail.text);
        }
        Box::pin(async { Ok(()) })
    }
}

async fn whatsapp(State(world): State<Arc<World>>, Path((_, phone)): Path<(String, String)>, Json(call): Json<Value>) -> Json<Value> {
    let to = call["to"].as_str().unwrap_or_default().to_owned();
    let parameters = call["template"]["components"][0]["parameters"].as_array().cloned().unwrap_or_default();
    let texts: Vec<&str> = parameters.iter().filter_map(|parameter| parameter["text"].as_str()).collect();
    let title = call["template"]["name"].as_str().unwrap_or_default();
    let text = call["text"]["body"].as_str().map_or_else(|| texts.join(" · "), str::to_owned);
    world.keep("whatsapp", &to, title, &text);
    let id = crate::keys::secret("wamid.")[..30].to_owned();
    tokio::spawn(statuses(world, phone, to.clone(), id.clone()));
    Json(
        json!({"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to.trim_start_matches('+')}], "messages": [{"id": id}]}),
    )
}

/// Delivered after a moment, read by most.
async fn statuses(world: Arc<World>, phone: String, to: String, id: String) {
    let read = id.as_bytes().last().is_none_or(|byte| byte % 4 != 0);
    for (after, status) in [(900, "delivered"), (4_000, "read")] {
        tokio::time::sleep(Duration::from_millis(after)).await;
        if status == "read" && !read {
            return;
        }
        let now = (crate::keeper::now().0 / 1000).to_string();
        let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": phone, "phone_number_id": phone},
            "statuses": [{"id": id, "status": status, "timestamp": now, "recipient_id": to.trim_start_matches('+')}]});
        let body =
            json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
                .to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("a key of any length is good");
        mac.update(body.as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let call = world
            .http
            .post(&world.statuses)
            .header("content-type", "application/json")
            .header("x-hub-signature-256", format!("sha256={hex}"));
        // The server may be going down.
        let _ = call.body(body).send().await;
    }
}

async fn sms(State(world): State<Arc<World>>, Form(fields): Form<BTreeMap<String, String>>) -> Response {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    world.keep("sms", field("To"), "", field("Body"));
    let sid = crate::keys::secret("SM")[..34].to_owned();
    (StatusCode::CREATED, Json(json!({"sid": sid, "status": "queued", "to": field("To"), "error_code": null}))).into_response()
}

async fn push(State(world): State<Arc<World>>, Path(browser): Path<String>, sealed: Bytes) -> StatusCode {
    let Some(message) = world.browsers.named(&browser).open(&sealed) else { return StatusCode::BAD_REQUEST };
    let field = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    world.keep("web_push", &browser, &field("title"), &format!("{}\n{}", field("body"), field("url")));
    StatusCode::CREATED
}

async fn webhook(State(world): State<Arc<World>>, Json(call): Json<Value>) -> StatusCode {
    let to = call["data"]["user_id"].as_str().unwrap_or_default();
    world.keep("webhook", to, call["type"].as_str().unwrap_or_default(), &call["data"]["content"].to_string());
    StatusCode::NO_CONTENT
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn page(State(world): State<Arc<World>>) -> Html<String> {
    let mut rows = String::new();
    for message in world.arrived.lock().expect("no holder of this lock panics").iter() {
        let Arrived { at, channel, to, title, text } = message;
        let _ = write!(
            rows,
            "<details><summary><b>{channel}</b> <span>{}</span> {} <time>{at}</time></summary><pre>{}</pre></details>",
            escaped(to),
            escaped(title),
            escaped(text)
        );
    }
    let empty = if rows.is_empty() { "<p>Nothing has arrived yet; a customer is about to leave a cart.</p>" } else { "" };
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><meta http-equiv=refresh content=5>\
         <title>What customers receive</title><style>:root{{color-scheme:light dark}}body{{font:15px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         details{{border-bottom:1px solid #8884;padding:.4rem 0}}summary{{cursor:pointer;display:flex;gap:.8rem}}b{{width:5.5rem}}span{{opacity:.7;min-width:14rem}}\
         time{{margin-left:auto;opacity:.6}}pre{{white-space:pre-wrap;background:#8881;padding:1rem;border-radius:8px}}</style>\
         <h1>What customers receive</h1><p>Everything that left Faden arrives here, on this machine. It refreshes by itself.</p>{empty}{rows}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_channels::outbound_http::{Http, Reach};
    use faden_channels::web_push::WebPush;
    use faden_channels::{Accepted, Channel, Content, Outgoing};
    use faden_model::MessageId;
    use faden_model::id::{Born, ProfileId};

    #[tokio::test]
    async fn a_message_to_a_browser_is_opened_by_that_browser_and_shown() {
        let outside = start("http://127.0.0.1:9/".to_owned()).await.expect("it starts");
        let vapid = json!({"private_key": PUSH_KEYS.0, "public_key": PUSH_KEYS.1, "subject": "mailto:push@nordlicht.example"});
        let settings = serde_json::from_value(json!({ "vapid": vapid })).expect("settings");
        let account = WebPush::new(&settings, Http::new(Reach::Anywhere, None).expect("a client")).expect("the keys fit");
        let browsers = Browsers::new(format!("http://{}", outside.http));
        let content = Content::Push { title: "Fjord 2".to_owned(), body: "199 & no more".to_owned(), url: None };
        let message = MessageId(Born { under: ProfileId(1), count: 1 });
        let to_one = Outgoing { message, to: browsers.subscription("c1"), content };
        assert_eq!(account.send(&to_one).await, Ok(Accepted::default()));
        // Sealed for the first one, it is nothing that the second one can read.
        let mixed_up = Outgoing { to: to_one.to.replace("/push/c1", "/push/c2"), ..to_one };
        assert!(account.send(&mixed_up).await.is_err());
        let page = reqwest::get(format!("http://{}/", outside.http)).await.expect("a page").text().await.expect("a text");
        assert!(page.contains("<span>c1</span> Fjord 2") && page.contains("199 &amp; no more"), "{page}");
        assert!(!page.contains("<span>c2</span>"), "{page}");
    }
}

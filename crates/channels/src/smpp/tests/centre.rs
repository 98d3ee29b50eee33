//! Sending, through a real message centre and through bad ones.

use crate::smpp::{Settings, Smpp};
use crate::test_program::Node;
use crate::{Accepted, BoxFuture, Channel, Content, Inbound, Inbox, NotTaken, Outgoing, SendError};
use faden_model::MessageId;
use faden_model::id::{Born, ProfileId};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Hands on what it takes. What it is to refuse it refuses once.
pub struct Kept {
    taken: mpsc::UnboundedSender<Inbound>,
    refuse: std::sync::atomic::AtomicBool,
}

impl Inbox for Kept {
    fn take(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), NotTaken>> {
        Box::pin(async move {
            if self.refuse.swap(false, std::sync::atomic::Ordering::SeqCst) {
                return Err(NotTaken);
            }
            self.taken.send(inbound).map_err(|_| NotTaken)
        })
    }
}

pub struct World {
    pub centre: Node,
    pub account: Smpp,
    pub inbox: mpsc::UnboundedReceiver<Inbound>,
    pub kept: Arc<Kept>,
}

impl World {
    pub async fn new(changes: serde_json::Value) -> World {
        World::with(Node::start("smsc.js", &[]), changes).await
    }

    pub async fn with(mut centre: Node, changes: serde_json::Value) -> World {
        let port = centre.hear("listening").await["port"].clone();
        let (account, inbox, kept) = account(port, changes);
        centre.hear("bind").await;
        World { centre, account, inbox, kept }
    }

    pub fn refuse_next(&self) {
        self.kept.refuse.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    pub async fn took(&mut self) -> Inbound {
        tokio::time::timeout(Duration::from_secs(20), self.inbox.recv()).await.expect("something came in").unwrap()
    }
}

fn account(port: serde_json::Value, changes: serde_json::Value) -> (Smpp, mpsc::UnboundedReceiver<Inbound>, Arc<Kept>) {
    let mut smpp = json!({"host": "127.0.0.1", "port": port, "system_id": "faden", "password": "secret", "timeout_seconds": 5});
    smpp.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let settings: Settings = serde_json::from_value(json!({"kind": "sms", "from": "Shop", "smpp": smpp})).unwrap();
    let (taken, inbox) = mpsc::unbounded_channel();
    let kept = Arc::new(Kept { taken, refuse: false.into() });
    (Smpp::start(&settings, kept.clone()).unwrap(), inbox, kept)
}

pub fn message(count: u32, text: &str) -> Outgoing {
    let id = MessageId(Born { under: ProfileId(7), count });
    Outgoing { message: id, to: "+491701234567".to_owned(), content: Content::Text(text.to_owned()) }
}

fn accepted(id: &str) -> Result<Accepted, SendError> {
    Ok(Accepted { provider_id: Some(id.to_owned()) })
}

fn unavailable(code: &str) -> SendError {
    SendError::Unavailable { code: code.to_owned() }
}

fn no_answer(code: &str) -> SendError {
    SendError::NoAnswer { code: code.to_owned() }
}

#[tokio::test]
async fn a_text_arrives_as_it_was_written() {
    let mut world = World::new(json!({"system_type": "shop"})).await;
    let every_special = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞ^{}\\[~]|€ÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
    for (text, coding, parts) in [
        ("Hello", 0, 1),
        (every_special, 0, 1),
        ("Привет, мир", 8, 1),
        ("😀 done", 8, 1),
        (&"Long €uro ".repeat(40), 0, 3),
        (&"Длинный 😀 ".repeat(20), 8, 4),
    ] {
        let sent = world.account.send(&message(1, text)).await.unwrap();
        let mut read = String::new();
        for number in 1..=parts {
            let seen = world.centre.hear("submit").await;
            assert_eq!(seen["data_coding"], coding, "{text}");
            assert_eq!((&seen["from"], &seen["from_ton"]), (&json!("Shop"), &json!(5)));
            assert_eq!((&seen["to"], &seen["to_ton"], &seen["to_npi"]), (&json!("491701234567"), &json!(1), &json!(1)));
            assert_eq!(seen["registered_delivery"], 1);
            if number == 1 {
                assert_eq!(seen["id"].as_str(), sent.provider_id.as_deref());
            }
            let header = if parts == 1 { json!([]) } else { json!([format!("000308{parts:02x}{number:02x}")]) };
            assert_eq!((&seen["udh"], &seen["esm_class"]), (&header, &json!(if parts == 1 { 0 } else { 0x40 })));
            read.push_str(seen["text"].as_str().unwrap());
        }
        assert_eq!(read, text);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_here() {
    let world = World::new(json!({})).await;
    let table = [
        (message(1, ""), "empty_text"),
        (message(1, &"a".repeat(1531)), "too_long"),
        (Outgoing { to: "ada@example.com".to_owned(), ..message(1, "Hello") }, "not_a_number"),
        (Outgoing { content: Content::Push { title: String::new(), body: String::new(), url: None }, ..message(1, "") }, "wrong_content"),
    ];
    for (message, code) in table {
        assert_eq!(world.account.send(&message).await, Err(SendError::Refused { code: code.to_owned() }));
    }
}

#[tokio::test]
async fn a_throttled_account_pauses_and_goes_on() {
    let mut world = World::new(json!({})).await;
    world.centre.tell(json!({"do": "answer", "statuses": [0x58, 0x0b]})).await;
    let throttled = SendError::Throttled { code: "ESME_RTHROTTLED".to_owned(), after: Some(Duration::from_secs(1)) };
    assert_eq!(world.account.send(&message(1, "Hello")).await, Err(throttled));
    assert_eq!(world.account.send(&message(1, "Hello")).await, Err(SendError::Refused { code: "ESME_RINVDSTADR".to_owned() }));
    assert_eq!(world.account.send(&message(1, "Hello")).await, accepted("a0"));
    let mut times = Vec::new();
    for _ in 0..3 {
        times.push(world.centre.hear("submit").await["at"].as_u64().unwrap());
    }
    assert!(times[1] - times[0] >= 990, "{times:?}");
}

#[tokio::test]
async fn the_rate_and_the_window_are_kept() {
    let mut world = World::new(json!({"per_second": 20, "window": 4})).await;
    let sends = (0..12).map(|count| {
        let account = &world.account;
        async move { account.send(&message(count, "Hello")).await }
    });
    let outcomes = futures_util::future::join_all(sends).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let mut times = Vec::new();
    for _ in 0..12 {
        times.push(world.centre.hear("submit").await["at"].as_u64().unwrap());
    }
    // Twelve at 20 a second need 11 gaps of 50 ms; one of them may be used up before.
    assert!(times[11] - times[0] >= 490, "{times:?}");

    world.centre.tell(json!({"do": "silence", "on": true})).await;
    let sends = (0..8).map(|count| {
        let account = &world.account;
        async move { account.send(&message(count, "Hello")).await }
    });
    let outcomes = futures_util::future::join_all(sends).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Err(no_answer("timeout"))), "{outcomes:?}");
    world.centre.tell(json!({"do": "unbind"})).await;
    let submits = world.centre.hear_until("close").await.iter().filter(|line| line["event"] == "submit").count();
    assert_eq!(submits, 4, "the window was full, and nobody waits for the others any more");
}

#[tokio::test]
async fn a_lost_connection_fails_what_was_under_way_and_is_opened_again() {
    let mut world = World::new(json!({})).await;
    for end in ["drop", "unbind"] {
        world.centre.tell(json!({"do": "silence", "on": true})).await;
        let text = message(1, "Hello");
        let (outcome, ()) = tokio::join!(world.account.send(&text), async {
            world.centre.hear("submit").await;
            world.centre.tell(json!({"do": end})).await;
        });
        let code = if end == "drop" { "connection_lost" } else { "unbound" };
        assert_eq!(outcome, Err(no_answer(code)));
        assert_eq!(world.account.check().await, Err(unavailable(code)), "nothing waits for a provider that is down");
        world.centre.tell(json!({"do": "silence", "on": false})).await;
        world.centre.hear("bind").await;
        assert_eq!(world.account.check().await, Ok(()));
    }
    assert_eq!(world.account.send(&message(2, "Hello")).await, accepted("a0"));
    drop(world.account);
    world.centre.hear("unbind").await;
}

#[tokio::test]
async fn a_refused_bind_is_an_account_error_and_is_tried_again() {
    let mut centre = Node::start("smsc.js", &[]);
    let port = centre.hear("listening").await["port"].clone();
    centre.tell(json!({"do": "bind", "status": 0x0e})).await;
    let (account, ..) = account(port, json!({}));
    let bind = centre.hear("bind").await;
    assert_eq!((&bind["system_id"], &bind["password"], &bind["version"]), (&json!("faden"), &json!("secret"), &json!(0x34)));
    assert_eq!(account.send(&message(1, "Hello")).await, Err(SendError::Account { code: "ESME_RINVPASWD".to_owned() }));
    centre.tell(json!({"do": "bind", "status": 0})).await;
    centre.hear("bind").await;
    assert_eq!(account.send(&message(1, "Hello")).await, accepted("a0"));
}

#[tokio::test]
async fn silence_is_broken_by_enquire_link() {
    let mut world = World::new(json!({"enquire_link_seconds": 1})).await;
    world.centre.hear("enquire_link").await;
    world.centre.hear("enquire_link").await;
    world.centre.tell(json!({"do": "silence", "on": false, "links": true})).await;
    world.centre.hear("close").await;
    world.centre.hear("bind").await;
}

#[tokio::test]
async fn what_cannot_be_read_costs_itself_only() {
    let mut world = World::new(json!({})).await;
    // deliver_sm whose body is garbage, then an unknown request: both are refused by name.
    world.centre.tell(json!({"do": "raw", "bytes": "00000014000000050000000000000063ffffffff"})).await;
    assert_eq!(world.centre.hear("nack").await, json!({"event": "nack", "status": 2, "sequence": 99}));
    world.centre.tell(json!({"do": "raw", "bytes": "00000010000000330000000000000064"})).await;
    assert_eq!(world.centre.hear("nack").await, json!({"event": "nack", "status": 3, "sequence": 100}));
    assert_eq!(world.account.send(&message(1, "Hello")).await, accepted("a0"));
    // Lengths that cannot be: the connection cannot go on, a new one can.
    for bytes in ["00000003ffffffff", "7fffffff00000005", &hex("HTTP/1.1 400 Bad Request\r\n\r\n")] {
        world.centre.tell(json!({"do": "raw", "bytes": bytes})).await;
        world.centre.hear("bind").await;
        assert_eq!(world.account.check().await, Ok(()));
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_server_that_is_no_message_centre_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example.com ESMTP\r\n").await.unwrap();
        let (_hangs, _) = listener.accept().await.unwrap();
        std::future::pending::<()>().await;
    });
    let (account, ..) = account(json!(port), json!({"timeout_seconds": 2}));
    assert_eq!(account.send(&message(1, "Hello")).await, Err(unavailable("broken_answer")));
    tokio::time::timeout(Duration::from_secs(5), async {
        while account.check().await != Err(unavailable("timeout")) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn with_tls_only_a_trusted_certificate_is_believed() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (key_file, certificate_file) = (folder.path().join("key.pem"), folder.path().join("certificate.pem"));
    std::fs::write(&key_file, key.signing_key.serialize_pem()).unwrap();
    std::fs::write(&certificate_file, key.cert.pem()).unwrap();
    let mut centre = Node::start("smsc.js", &[&key_file, &certificate_file]);
    let port = centre.hear("listening").await["port"].clone();
    let (doubting, ..) = account(port.clone(), json!({"host": "localhost", "tls": true}));
    assert_eq!(doubting.check().await, Err(SendError::Account { code: "certificate".to_owned() }));
    let (trusting, ..) = account(port, json!({"host": "localhost", "tls": true, "trusted_certificates": key.cert.pem()}));
    assert_eq!(trusting.send(&message(1, "Hello")).await, accepted("a0"));
}

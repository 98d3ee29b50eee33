//! A change that was acknowledged holds for everything that begins after, while many send at once.

use crate::common::mail_server::{MailServer, Mood};
use crate::common::{Server, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

const POLICY: &str = "policy: global\nconsent: {marketing: opt_in}\n";
const SENDERS: usize = 6;
/// So many events are answered before a change is made, and again after it was acknowledged.
const EVENTS: usize = 60;

fn journey(step: &str) -> String {
    format!(
        "journey: hello\npurpose: marketing\nentry: {{event: Ping, reentry: always}}\nkey: event.properties.n\nsteps:\n  - id: {step}\n    send: {{template: hello, channels: [email]}}\n"
    )
}

fn files(settings: &str, step: &str) -> BTreeMap<String, String> {
    let files = [
        ("faden.yaml", settings),
        ("policies/global.yaml", POLICY),
        ("journeys/hello.yaml", &journey(step)),
        ("templates/hello/email.en.jinja", "---\nsubject: Hello\n---\nHello. {{ unsubscribe_url }}\n"),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

/// What one event's sender knows of it.
#[derive(Clone, Copy)]
struct Call {
    begun: Instant,
    answered: Instant,
}

/// What all senders share.
#[derive(Default)]
struct Course {
    answered: AtomicUsize,
    end: AtomicBool,
}

impl Course {
    async fn another(&self, events: usize) {
        let wanted = self.answered.load(SeqCst) + events;
        wait_until("events are answered", || async { self.answered.load(SeqCst) >= wanted }).await;
    }
}

/// Sends events with rising numbers of its own, one after the other, until it is told to end.
async fn sender(server: Arc<Server>, number: usize, user: Option<&'static str>, course: Arc<Course>) -> Vec<(String, Call)> {
    let mut calls = Vec::new();
    while !course.end.load(SeqCst) {
        let name = format!("e{number}x{}", calls.len());
        let who = user.map_or_else(|| name.clone(), str::to_owned);
        let traits = json!({"email": format!("{who}@example.com")});
        let consent = json!({"consent": {"categoryPreferences": {"marketing": true}}});
        let mut batch = vec![json!({"type": "track", "userId": who, "event": "Ping", "properties": {"n": name}})];
        if user.is_none() {
            batch.insert(0, json!({"type": "identify", "userId": who, "traits": traits, "context": consent}));
        }
        let begun = Instant::now();
        server.send(&batch).await;
        calls.push((name, Call { begun, answered: Instant::now() }));
        course.answered.fetch_add(1, SeqCst);
    }
    calls
}

/// Every message there is.
async fn messages(server: &Server) -> Vec<Value> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/api/v1/messages?limit=500{token}")).await;
        all.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={next}"),
            None => return all,
        }
    }
}

/// Lets all senders work, makes the change in their midst, and gives when it was begun and acknowledged.
async fn change_among<F: Future<Output = ()>>(
    server: &Arc<Server>,
    user: Option<&'static str>,
    change: impl FnOnce() -> F,
) -> (Vec<(String, Call)>, Instant, Instant) {
    let course = Arc::new(Course::default());
    let senders: Vec<_> = (0..SENDERS).map(|number| tokio::spawn(sender(server.clone(), number, user, course.clone()))).collect();
    course.another(EVENTS).await;
    let begun = Instant::now();
    change().await;
    let acknowledged = Instant::now();
    course.another(EVENTS).await;
    course.end.store(true, SeqCst);
    let mut calls = Vec::new();
    for sender in senders {
        calls.extend(sender.await.expect("a sender"));
    }
    (calls, begun, acknowledged)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rule_that_was_published_decides_the_next_event_of_every_sender() {
    let settings = "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {name: mail, kind: email}\n";
    let old = files(settings, "old");
    let start: Vec<(&str, &str)> = old.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let server = Arc::new(Server::start(&start).await);
    let (calls, begun, acknowledged) = change_among(&server, None, || async {
        let body = json!({"files": files(settings, "new")});
        let (status, body) = server.call(Method::POST, "/api/v1/workspace/apply", Some(body)).await;
        assert_eq!(status, 200, "{body}");
    })
    .await;
    let decided: BTreeMap<String, String> = messages(&server)
        .await
        .iter()
        .map(|message| {
            (message["user_id"].as_str().unwrap_or_default().to_owned(), message["step"].as_str().unwrap_or_default().to_owned())
        })
        .collect();
    let (mut before, mut after) = (0, 0);
    for (name, call) in &calls {
        let step = decided.get(name).unwrap_or_else(|| panic!("nothing was decided for {name}"));
        if call.begun > acknowledged {
            assert_eq!(step, "new", "{name} began {:?} after the rule was acknowledged", call.begun - acknowledged);
            after += 1;
        } else if call.answered < begun {
            assert_eq!(step, "old", "{name} was answered before the rule was there");
            before += 1;
        }
    }
    assert!(before >= EVENTS - SENDERS && after >= EVENTS - SENDERS, "too few to show anything: {before} before, {after} after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_withdrawal_holds_for_the_next_event_and_for_what_is_queued() {
    let mail = MailServer::start(Mood::Slow).await;
    let settings = format!(
        "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - name: mail\n    kind: email\n    from: shop@shop.example\n    smtp: {{host: 127.0.0.1, port: {}, tls: none, timeout_seconds: 20}}\n",
        mail.address.port()
    );
    let files = files(&settings, "tell");
    let start: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let server = Arc::new(Server::start(&start).await);
    let consent = json!({"consent": {"categoryPreferences": {"marketing": true}}});
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": {"email": "u1@example.com"}, "context": consent})]).await;
    let (calls, begun, acknowledged) = change_among(&server, Some("u1"), || async {
        wait_until("a mail is in the server's hands", || async { mail.handed_over() == 1 }).await;
        let body = json!({"purpose": "marketing", "granted": false});
        let (status, body) = server.call(Method::POST, "/api/v1/profiles/user_id:u1/consents", Some(body)).await;
        assert_eq!(status, 202, "{body}");
    })
    .await;
    mail.be(Mood::Well);
    wait_until("nothing waits any more", || async { messages(&server).await.iter().all(|message| message["state"] != "queued") }).await;
    let all = messages(&server).await;
    let sent = all.iter().filter(|message| message["state"] == "sent").count();
    let stopped = all.iter().filter(|message| message["state"] == "suppressed").count();
    // The one that was with the mail server when he said no; dozens were queued behind it.
    assert_eq!((sent, mail.mails().len(), sent + stopped), (1, 1, calls.len()), "of {} events", calls.len());
    let (before, after) = (
        calls.iter().filter(|(_, call)| call.answered < begun).count(),
        calls.iter().filter(|(_, call)| call.begun > acknowledged).count(),
    );
    assert!(before >= EVENTS - SENDERS && after >= EVENTS - SENDERS, "too few to show anything: {before} before, {after} after");
}

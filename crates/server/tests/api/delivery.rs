//! Messages on their way: providers that are slow, full, silent or mad, and definitions that change meanwhile.

use crate::common::mail_server::{MailServer, Mood};
use crate::common::{Server, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const JOURNEY: &str = "journey: hello\npurpose: service\nentry: {event: Ping, reentry: always}\nsteps:\n  - id: greet\n    send: {template: hello, channels: [email]}\n";
const TEMPLATE: &str = "---\nsubject: Hello\n---\nHello {{ profile.user_id }}. {{ unsubscribe_url }}\n";
const POLICY: &str = "policy: global\nconsent: {service: none}\n";

/// An account of the mail server; `more` are lines of the account itself.
fn settings(mail: &MailServer, timeout_seconds: u64, more: &str) -> String {
    format!(
        "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - name: mail\n    kind: email\n    from: shop@shop.example\n    smtp: {{host: 127.0.0.1, port: {}, tls: none, timeout_seconds: {timeout_seconds}}}\n{more}",
        mail.address.port()
    )
}

fn files<'a>(settings: &'a str, journey: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("faden.yaml", settings),
        ("policies/global.yaml", POLICY),
        ("journeys/hello.yaml", journey),
        ("templates/hello/email.en.jinja", TEMPLATE),
        ("templates/hello/webhook.en.jinja", "{\"hello\": \"{{ profile.user_id }}\"}"),
    ]
}

async fn publish(server: &Server, files: &[(&str, &str)]) {
    let files: serde_json::Map<String, Value> = files.iter().map(|(path, text)| ((*path).to_owned(), json!(text))).collect();
    let (status, body) = server.call(Method::POST, "/api/v1/workspace/apply", Some(json!({"files": files}))).await;
    assert_eq!(status, 200, "{body}");
}

/// An event of each of these customers, whose addresses are `NAME@example.com`.
async fn greet(server: &Server, names: &[&str]) {
    let calls = names.iter().flat_map(|name| {
        let traits = json!({"email": format!("{name}@example.com")});
        [json!({"type": "identify", "userId": name, "traits": traits}), json!({"type": "track", "userId": name, "event": "Ping"})]
    });
    server.send(&calls.collect::<Vec<_>>()).await;
}

/// How many messages are in this state.
async fn count(server: &Server, state: &str) -> usize {
    let page = server.get(&format!("/api/v1/messages?limit=500&state={state}")).await;
    page["items"].as_array().map_or(0, Vec::len)
}

async fn account(server: &Server, name: &str) -> Value {
    let page = server.get("/api/v1/channels").await;
    page["items"].as_array().and_then(|all| all.iter().find(|one| one["name"] == name)).cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_under_way_while_definitions_change_goes_out_once() {
    let mail = MailServer::start(Mood::Slow).await;
    let first = settings(&mail, 20, "");
    let server = Server::start(&files(&first, JOURNEY)).await;
    greet(&server, &["ada"]).await;
    wait_until("the mail is handed over", || async { mail.handed_over() == 1 }).await;
    greet(&server, &["ben", "cleo"]).await;
    // Each publication puts another account in the place of the one before, which holds ada's mail.
    for more in ["    per_second: 100\n", "    per_second: 200\n"] {
        publish(&server, &files(&settings(&mail, 20, more), JOURNEY)).await;
    }
    wait_until("the new account works beside", || async { mail.handed_over() >= 2 }).await;
    mail.be(Mood::Well);
    wait_until("everything is written down", || async { count(&server, "sent").await == 3 }).await;
    // Whoever would send one twice has had the time by then.
    publish(&server, &files(&settings(&mail, 20, ""), JOURNEY)).await;
    greet(&server, &["dora"]).await;
    wait_until("the next one is out", || async { count(&server, "sent").await == 4 }).await;
    assert_eq!(mail.recipients(), ["ada@example.com", "ben@example.com", "cleo@example.com", "dora@example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_moves_to_the_account_that_takes_the_place() {
    let (silent, mail) = (MailServer::start(Mood::Silent).await, MailServer::start(Mood::Well).await);
    let server = Server::start(&files(&settings(&silent, 1, ""), JOURNEY)).await;
    let names: Vec<String> = (0..50).map(|number| format!("c{number:02}")).collect();
    greet(&server, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    wait_until("it was tried", || async { silent.connections() > 0 }).await;
    publish(&server, &files(&settings(&mail, 1, ""), JOURNEY)).await;
    wait_until("all are out", || async { count(&server, "sent").await == 50 }).await;
    assert_eq!(mail.recipients(), names.iter().map(|name| format!("{name}@example.com")).collect::<Vec<_>>());
    assert_eq!(account(&server, "mail").await["queued"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_delays_its_own_message_only() {
    let mail = MailServer::start(Mood::Well).await;
    mail.fill("full@example.com");
    let server = Server::start(&files(&settings(&mail, 5, ""), JOURNEY)).await;
    greet(&server, &["full", "ada", "ben", "cleo"]).await;
    wait_until("the others are out", || async { count(&server, "sent").await == 3 }).await;
    assert_eq!((count(&server, "queued").await, &account(&server, "mail").await["state"]), (1, &json!("up")));
    mail.empty("full@example.com");
    wait_until("the mailbox has room", || async { count(&server, "sent").await == 4 }).await;
    assert_eq!(mail.recipients(), ["ada@example.com", "ben@example.com", "cleo@example.com", "full@example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_hangs_or_answers_garbage_is_seen_loses_nothing_and_stops_nobody_else() {
    for mood in [Mood::Silent, Mood::Mad] {
        let (bad, hook) = (MailServer::start(mood).await, hook().await);
        let secrets = tempfile::tempdir().expect("a temporary directory");
        let secret = secrets.path().join("secret");
        std::fs::write(&secret, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n").expect("written");
        let other = format!(
            "  - name: hook\n    kind: webhook\n    allow_private: true\n    webhook: {{url: \"{hook}\", secret: {{file: \"{}\"}}}}\n",
            secret.display()
        );
        let told = JOURNEY.replace("journey: hello", "journey: tell").replace("[email]", "[webhook]");
        let yaml = settings(&bad, 1, &other);
        let mut files = files(&yaml, JOURNEY);
        files.push(("journeys/tell.yaml", &told));
        let server = Server::start(&files).await;
        greet(&server, &["ada", "ben", "cleo"]).await;
        wait_until("the other account goes on", || async { count(&server, "sent").await == 3 }).await;
        wait_until("the account is seen to be down", || async { account(&server, "mail").await["state"] == "down" }).await;
        let mail = account(&server, "mail").await;
        let code = if mood == Mood::Silent { "timeout" } else { "garbage" };
        assert!(mail["last_error"].as_str().is_some_and(|error| error.contains(code)), "{mood:?}: {mail}");
        assert_eq!(mail["last_error_wording"]["values"], json!({"code": code}), "{mood:?}");
        assert_eq!(server.get("/readyz").await["accounts_down"], json!(["mail"]));
        assert_eq!(count(&server, "queued").await, 3, "{mood:?}");
        bad.be(Mood::Well);
        wait_until("the provider is back", || async { count(&server, "sent").await == 6 }).await;
        assert_eq!(bad.recipients(), ["ada@example.com", "ben@example.com", "cleo@example.com"], "{mood:?}");
        assert_eq!((&account(&server, "mail").await["state"], &server.get("/readyz").await["accounts_down"]), (&json!("up"), &Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_answer_was_lost_is_not_repeated_at_once_and_holds_up_nobody() {
    let mail = MailServer::start(Mood::Curt).await;
    let server = Server::start(&files(&settings(&mail, 5, ""), JOURNEY)).await;
    greet(&server, &["ada"]).await;
    wait_until("the account is seen to be down", || async { account(&server, "mail").await["state"] == "down" }).await;
    mail.be(Mood::Well);
    greet(&server, &["ben", "cleo"]).await;
    wait_until("the others are out", || async { count(&server, "sent").await == 2 }).await;
    assert_eq!((mail.handed_over(), mail.recipients()), (3, vec!["ben@example.com".to_owned(), "cleo@example.com".to_owned()]));
    assert_eq!((count(&server, "queued").await, &account(&server, "mail").await["state"]), (1, &json!("up")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_out_in_time_has_failed_and_the_journey_goes_on() {
    let mail = MailServer::start(Mood::Silent).await;
    let journey = JOURNEY.replace(
        "send: {template: hello, channels: [email]}",
        "send: {template: hello, channels: [email]}\n    next: {failed: note, sent: end}\n  - id: note\n    set: {unreached: true}",
    );
    let settings = settings(&mail, 1, "    deadline_seconds: 2\n");
    let server = Server::start(&files(&settings, &journey)).await;
    greet(&server, &["ada", "ben"]).await;
    wait_until("both have failed", || async { count(&server, "failed").await == 2 }).await;
    let failed = server.get("/api/v1/messages?state=failed").await;
    assert_eq!((&failed["items"][0]["code"], &failed["items"][0]["account"]), (&json!("deadline"), &json!("mail")));
    assert_eq!(server.get("/api/v1/profiles/user_id:ada").await["traits"]["unreached"], true, "the journey went its `failed` way");
    mail.be(Mood::Well);
    greet(&server, &["cleo"]).await;
    wait_until("the next one is out", || async { count(&server, "sent").await == 1 }).await;
    assert_eq!(mail.recipients(), ["cleo@example.com"], "what has failed does not go out late");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_go_out_each_second_than_the_account_allows() {
    let mail = MailServer::start(Mood::Well).await;
    let settings = settings(&mail, 5, "    per_second: 10\n").replace("tls: none,", "tls: none, connections: 4,");
    let server = Server::start(&files(&settings, JOURNEY)).await;
    let begun = Instant::now();
    greet(&server, &["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "ca"]).await;
    wait_until("all are out", || async { count(&server, "sent").await == 11 }).await;
    // Ten gaps of a tenth of a second, whoever of the four connections carries them.
    assert!(begun.elapsed() >= Duration::from_secs(1), "11 mails in {:?}", begun.elapsed());
}

/// An account that goes to the first server, and one that stands in for it.
fn two_accounts(first: &MailServer, second: &MailServer) -> String {
    let spare = format!(
        "  - name: spare\n    kind: email\n    instead_of: mail\n    from: shop@shop.example\n    smtp: {{host: 127.0.0.1, port: {}, tls: none}}\n",
        second.address.port()
    );
    settings(first, 1, &spare)
}

/// By account: how many it took, and how many of them failed.
async fn by_account(server: &Server) -> Value {
    let page = server.get("/api/v1/messages/stats?by=provider").await;
    page["items"].as_array().expect("a list").iter().map(|one| json!([one["key"], one["sent"], one["failed"]])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_provider_cannot_take_goes_by_the_account_that_stands_in_for_it() {
    let (first, second) = (MailServer::start(Mood::Silent).await, MailServer::start(Mood::Well).await);
    let settings = two_accounts(&first, &second);
    let server = Server::start(&files(&settings, JOURNEY)).await;
    let names: Vec<String> = (0..30).map(|number| format!("c{number:02}")).collect();
    greet(&server, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    wait_until("all are out", || async { count(&server, "sent").await == 30 }).await;
    assert_eq!(second.recipients(), names.iter().map(|name| format!("{name}@example.com")).collect::<Vec<_>>());
    assert_eq!((&account(&server, "mail").await["state"], by_account(&server).await), (&json!("down"), json!([["spare", 30, 0]])));
    // The one that is meant is tried again and again, and takes its messages when it is back.
    first.be(Mood::Well);
    let number = AtomicUsize::new(0);
    wait_until("it is used again", || async {
        greet(&server, &[&format!("d{}", number.fetch_add(1, SeqCst))]).await;
        !first.mails().is_empty()
    })
    .await;
    wait_until("it is seen to be up", || async { account(&server, "mail").await["state"] == "up" }).await;
    let sent = 30 + number.load(SeqCst);
    wait_until("all of them are out", || async { count(&server, "sent").await == sent }).await;
    assert_eq!(first.mails().len() + second.mails().len(), sent, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_by_the_account_that_delivers_better() {
    let (first, second) = (MailServer::start(Mood::Well).await, MailServer::start(Mood::Well).await);
    let settings = two_accounts(&first, &second);
    let server = Server::start(&files(&settings, JOURNEY)).await;
    let names: Vec<String> = (0..20).map(|number| format!("c{number:02}")).collect();
    names.iter().for_each(|name| first.close(&format!("{name}@example.com")));
    greet(&server, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    wait_until("the first account fails", || async { count(&server, "failed").await == 20 }).await;
    assert_eq!(by_account(&server).await, json!([["mail", 0, 20]]));
    let number = AtomicUsize::new(0);
    wait_until("the second one is used", || async {
        greet(&server, &[&format!("d{}", number.fetch_add(1, SeqCst))]).await;
        !second.mails().is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_by_provider_stay_with_the_account_that_a_message_went_by() {
    let mail = MailServer::start(Mood::Well).await;
    let old = settings(&mail, 5, "").replace("name: mail", "name: old");
    let new = settings(&mail, 5, "").replace("name: mail", "name: new");
    let server = Server::start(&files(&old, JOURNEY)).await;
    greet(&server, &["ada", "ben"]).await;
    wait_until("two are out", || async { count(&server, "sent").await == 2 }).await;
    publish(&server, &files(&new, JOURNEY)).await;
    assert_eq!(by_account(&server).await, json!([["old", 2, 0]]), "they did not go by the account that took the place");
    mail.close("cleo@example.com");
    greet(&server, &["cleo", "dora"]).await;
    wait_until("the third is out", || async { count(&server, "sent").await == 3 && count(&server, "failed").await == 1 }).await;
    let wanted = json!([["new", 1, 1], ["old", 2, 0]]);
    assert_eq!(by_account(&server).await, wanted);
    let server = server.restart(&files(&new, JOURNEY)).await;
    assert_eq!(by_account(&server).await, wanted, "after a restart");
    let one = server.get("/api/v1/messages?state=sent&profile=user_id:ada").await;
    assert_eq!(one["items"][0]["account"], "old");
}

/// Takes everything.
async fn hook() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let router = axum::Router::new().fallback(|| async { axum::http::StatusCode::NO_CONTENT });
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/hook")
}

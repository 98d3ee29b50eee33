//! Consent by links, bounces and words: mails go out, customers answer, and what they said holds for the next message.

use crate::common::mail_server::{Mail, MailServer, Mood};
use crate::common::{Server, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const POLICY: &str = "policy: global\nconsent: {service: none, marketing: opt_in, news: double_opt_in}\n";
const OFFER: &str = "journey: offer\npurpose: marketing\nentry: {event: Ping, reentry: always}\nsteps:\n  - id: tell\n    send: {template: offer, channels: [email]}\n";
const NEWS: &str = "journey: news\npurpose: news\nentry: {event: News, reentry: always}\nsteps:\n  - id: tell\n    send: {template: offer, channels: [email]}\n";
const CONFIRM: &str = "journey: confirm\npurpose: service\nentry: {event: faden.consent.changed, where: event.properties.purpose == \"news\" && event.properties.state == \"granted\", reentry: always}\nsteps:\n  - id: ask\n    send: {template: confirm, channels: [email]}\n";

/// A workspace whose mails go to this server, and into which mail comes at `inbound`.
fn settings(mail: &MailServer, inbound: u16) -> String {
    format!(
        "workspace: shop\ntitle: Lamp Shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en, de]\nchannels:\n  - name: mail\n    kind: email\n    from: shop@shop.example\n    bounces: bounces+@reply.shop.example\n    smtp: {{host: 127.0.0.1, port: {}, tls: none, timeout_seconds: 5}}\n    inbound: {{listen: \"127.0.0.1:{inbound}\", domains: [reply.shop.example]}}\n",
        mail.address.port()
    )
}

/// A server, the mail server that its mails go to, and the port at which it takes mail.
async fn world() -> (Server, MailServer, u16) {
    let mail = MailServer::start(Mood::Well).await;
    let inbound = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let settings = settings(&mail, inbound);
    let files = [
        ("faden.yaml", settings.as_str()),
        ("policies/global.yaml", POLICY),
        ("journeys/offer.yaml", OFFER),
        ("journeys/news.yaml", NEWS),
        ("journeys/confirm.yaml", CONFIRM),
        ("templates/offer/email.en.jinja", "---\nsubject: Offer\n---\nLamps! {{ unsubscribe_url }} or {{ preferences_url }}\n"),
        ("templates/confirm/email.en.jinja", "---\nsubject: Please confirm\n---\nYes: {{ confirm_url }}\n\n{{ unsubscribe_url }}\n"),
    ];
    (Server::start(&files).await, mail, inbound)
}

async fn know(server: &Server, language: &str, consents: &Value) {
    let traits = json!({"email": "ada@example.com", "language": language});
    let context = json!({"consent": {"categoryPreferences": consents}});
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": traits, "context": context})]).await;
}

async fn happen(server: &Server, event: &str) {
    server.send(&[json!({"type": "track", "userId": "u1", "event": event})]).await;
}

/// Messages in this state.
async fn messages(server: &Server, state: &str) -> Vec<Value> {
    server.get(&format!("/api/v1/messages?limit=500&state={state}")).await["items"].as_array().cloned().unwrap_or_default()
}

/// Waits for the mail after the first `before`.
async fn mail_after(server: &Server, mail: &MailServer, before: usize) -> Mail {
    wait_until("a mail comes", || async { mail.mails().len() > before && messages(server, "queued").await.is_empty() }).await;
    mail.mails()[before].clone()
}

/// What was said about consent, newest first: purpose, channel, whether it was granted, and the beginning of its proof.
async fn ledger(server: &Server) -> Vec<String> {
    let page = server.get("/api/v1/consents").await;
    let said = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap_or("*").to_owned();
        let proof = text("proof");
        format!("{} {} {} {}", text("purpose"), text("channel"), entry["granted"], proof.split(':').next().unwrap_or_default())
    };
    page["items"].as_array().expect("a list").iter().map(said).collect()
}

/// The path of the first link of this kind in a mail, whose lines may be cut (quoted-printable).
fn link(mail: &Mail, kind: &str) -> String {
    let text = mail.text.replace("=\n", "").replace("=3D", "=").replace("\n ", "").replace("\n\t", "");
    let start = text.find(kind).unwrap_or_else(|| panic!("no {kind} in {text}"));
    text[start..].split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default().to_owned()
}

/// Hands a mail to the server's own listener, as another mail server does; gives the last answer's code.
async fn deliver(port: u16, from: &str, to: &str, mail: &str) -> String {
    let connection = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let (read, mut write) = connection.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut answer = String::new();
    let body = format!("{}\r\n.", mail.replace('\n', "\r\n"));
    let commands = [
        String::new(),
        "HELO mx.example.com".to_owned(),
        format!("MAIL FROM:<{from}>"),
        format!("RCPT TO:<{to}>"),
        "DATA".to_owned(),
        body,
    ];
    for command in commands {
        if !command.is_empty() {
            write.write_all(format!("{command}\r\n").as_bytes()).await.expect("written");
        }
        answer = lines.next_line().await.expect("it answers").expect("a line");
        assert!(answer.starts_with('2') || answer.starts_with('3'), "{command}: {answer}");
    }
    answer[..3].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_unsubscribes_by_post_and_looking_does_not() {
    let (server, mail, _) = world().await;
    know(&server, "de", &json!({"marketing": true})).await;
    happen(&server, "Ping").await;
    let sent = mail_after(&server, &mail, 0).await;
    // RFC 8058: both headers, and an https or http address that takes one POST.
    assert!(sent.text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{}", sent.text);
    let header = &sent.text[sent.text.find("List-Unsubscribe: ").expect("the header")..];
    let path = link(&Mail { to: String::new(), text: header.to_owned() }, "/u/");
    // A program that follows links to look at them takes nobody off a list.
    let page = server.page(Method::GET, &path, "").await;
    assert!(page.status == 200 && page.text.contains("<form method=\"post\"") && page.text.contains("Abbestellen"), "{}", page.text);
    assert!(page.text.contains("lang=\"de\"") && page.text.contains("Lamp Shop"), "{}", page.text);
    let before = ledger(&server).await;
    assert!(!before.iter().any(|entry| entry.contains("false")), "{before:?}");
    let forged =
        [format!("{path}0"), path.replace("marketing", "service"), path.replace("/u/", "/c/"), path.replace("/u/prf_", "/u/prf_1")];
    for path in &forged {
        assert_eq!(server.page(Method::POST, path, "List-Unsubscribe=One-Click").await.status, 404, "{path}");
    }
    assert_eq!(ledger(&server).await, before);
    for _ in 0..2 {
        // Mail providers repeat it; the second time is as good as the first.
        let page = server.page(Method::POST, &path, "List-Unsubscribe=One-Click").await;
        assert!(page.status == 200 && page.text.contains("Sie haben abbestellt"), "{}", page.text);
    }
    assert_eq!(ledger(&server).await[0], "marketing email false unsubscribe");
    happen(&server, "Ping").await;
    let stopped = messages(&server, "suppressed").await;
    assert_eq!(stopped.len(), 1, "{stopped:?}");
    assert_eq!((stopped[0]["rule"].as_str(), mail.mails().len()), (Some("consent.marketing.withdrawn"), 1));
    // The old link still leads to the choices, where it can be taken back.
    let choices = link(&sent, "/p/");
    let page = server.page(Method::GET, &choices, "").await;
    assert!(
        page.text.contains("Ihre Nachrichten") && page.text.contains("lang=\"de\"") && !page.text.contains(" checked"),
        "{}",
        page.text
    );
    assert_eq!(server.page(Method::POST, &choices, "choice=marketing:email&language=en&action=save").await.status, 303);
    let page = server.page(Method::GET, &choices, "").await;
    assert!(page.text.contains("Your messages") && page.text.contains("lang=\"en\"") && page.text.contains(" checked"), "{}", page.text);
    happen(&server, "Ping").await;
    mail_after(&server, &mail, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn double_opt_in_sends_a_mail_and_holds_from_the_click_on_with_proof() {
    let (server, mail, _) = world().await;
    know(&server, "en", &json!({})).await;
    let choices = server.get("/api/v1/profiles/user_id:u1").await["preferences_url"].as_str().expect("a link").to_owned();
    let choices = choices[choices.find("/p/").expect("a path")..].to_owned();
    assert_eq!(server.page(Method::POST, &choices, "choice=news:email&action=save").await.status, 303);
    let sent = mail_after(&server, &mail, 0).await;
    assert!(sent.text.contains("Subject: Please confirm"), "{}", sent.text);
    happen(&server, "News").await;
    assert_eq!(messages(&server, "suppressed").await[0]["rule"], "consent.news.double_opt_in", "nothing before it is confirmed");
    let path = link(&sent, "/c/");
    let page = server.page(Method::GET, &path, "").await;
    assert!(page.status == 200 && page.text.contains("News") && page.text.contains("Yes, I want them"), "{}", page.text);
    assert_eq!(ledger(&server).await, ["news email true preferences"], "looking confirms nothing");
    // Another purpose, another address: the hash is over both.
    for forged in [path.replace("news", "marketing"), path.replace("616461", "626f62"), format!("{path}0")] {
        assert_eq!(server.page(Method::POST, &forged, "").await.status, 404, "{forged}");
    }
    let page = server.page(Method::POST, &path, "").await;
    assert!(page.status == 200 && page.text.contains("it is confirmed"), "{}", page.text);
    assert_eq!(ledger(&server).await, ["news email true confirm", "news email true preferences"]);
    let profile = server.get("/api/v1/profiles/user_id:u1").await;
    let consent = &profile["consents"][0];
    assert_eq!((&consent["state"], &consent["address"]), (&json!("granted"), &json!("ada@example.com")), "{profile}");
    assert!(consent["proof"].as_str().is_some_and(|proof| proof.starts_with("confirm:")), "{profile}");
    happen(&server, "News").await;
    assert!(mail_after(&server, &mail, 1).await.text.contains("Subject: Offer"));
    // Who leaves gets nothing again, though he had confirmed.
    let leave = link(&mail.mails()[1], "/u/");
    assert_eq!(server.page(Method::POST, &leave, "List-Unsubscribe=One-Click").await.status, 200);
    happen(&server, "News").await;
    assert_eq!((messages(&server, "suppressed").await.len(), mail.mails().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_bounce_takes_the_address_out_of_use_and_a_soft_one_does_not() {
    let (server, mail, inbound) = world().await;
    know(&server, "en", &json!({"marketing": true})).await;
    wait_until("it listens", || async { TcpStream::connect(("127.0.0.1", inbound)).await.is_ok() }).await;
    let bounce = |sent: &Mail, action: &str, status: &str| {
        let id = link(sent, "msg_").split('@').next().unwrap_or_default().to_owned();
        let mail = format!(
            "From: MAILER-DAEMON@mx.example.com\nSubject: Undelivered\nMIME-Version: 1.0\nAuto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nSorry.\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; ada@example.com\nAction: {action}\nStatus: {status}\n\n--b--\n"
        );
        (format!("bounces+{id}@reply.shop.example"), mail)
    };
    for (number, action, status, gone) in [(0, "delayed", "4.4.1", false), (1, "failed", "5.2.2", false), (2, "failed", "5.1.1", true)] {
        happen(&server, "Ping").await;
        let sent = mail_after(&server, &mail, number).await;
        let (to, report) = bounce(&sent, action, status);
        assert_eq!(deliver(inbound, "", &to, &report).await, "250", "{status}");
        let withdrawn = ledger(&server).await.iter().filter(|entry| *entry == "* email false bounce").count();
        assert_eq!(withdrawn, usize::from(gone), "{status}");
    }
    // 250 means that it is written down: the very next message knows.
    happen(&server, "Ping").await;
    assert_eq!((messages(&server, "suppressed").await.len(), mail.mails().len()), (1, 3));
    assert_eq!(messages(&server, "failed").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_provider_does_not_know_is_not_written_to_again() {
    let (server, mail, _) = world().await;
    mail.close("ada@example.com");
    know(&server, "en", &json!({"marketing": true})).await;
    happen(&server, "Ping").await;
    wait_until("it has failed", || async { messages(&server, "failed").await.len() == 1 }).await;
    assert_eq!(messages(&server, "failed").await[0]["code"], "550 5.1.1");
    happen(&server, "Ping").await;
    assert_eq!(messages(&server, "suppressed").await.len(), 1);
    assert_eq!(ledger(&server).await[0], "* email false bounce");
}

#[tokio::test(flavor = "multi_thread")]
async fn start_gives_back_what_stop_took_and_nothing_else() {
    let (server, mail, inbound) = world().await;
    // Marketing by consent; news granted and never confirmed.
    know(&server, "de", &json!({"marketing": true, "news": true})).await;
    wait_until("it listens", || async { TcpStream::connect(("127.0.0.1", inbound)).await.is_ok() }).await;
    let mut sent = 0;
    // The date of a mail is its sender's: it does not count for consent.
    for (number, word, allowed) in [
        (1, "START", true),
        (2, "Stopp!", false),
        (3, "hallo?", false),
        (4, "Anmelden bitte", true),
        (5, "abmelden", false),
        (6, "start", true),
    ] {
        let mail_in = format!(
            "From: Ada <ada@example.com>\nTo: shop@reply.shop.example\nSubject: Re: Offer\nDate: Mon, 2 Mar 2015 10:00:00 +0000\nMessage-ID: <{number}@example.com>\n\n{word}\n"
        );
        for _ in 0..2 {
            // A mail server that lost the answer sends again.
            assert_eq!(deliver(inbound, "ada@example.com", "shop@reply.shop.example", &mail_in).await, "250");
        }
        happen(&server, "Ping").await;
        happen(&server, "News").await;
        if allowed {
            sent += 1;
            mail_after(&server, &mail, sent - 1).await;
        }
        let channel_left = messages(&server, "suppressed").await.len();
        assert_eq!((mail.mails().len(), channel_left), (sent, number * 2 - sent), "after {word}");
    }
    let said = ledger(&server).await;
    let changes: Vec<&str> = said.iter().map(String::as_str).filter(|entry| entry.contains(" email ")).collect();
    let (stop, start) = ("* email false stop", ["service email true start", "marketing email true start"]);
    let mut wanted = vec![stop, stop];
    wanted.extend(start.iter().chain(&start));
    wanted.sort_unstable();
    let mut found = changes.clone();
    found.sort_unstable();
    assert_eq!(found, wanted, "{said:?}");
    // What he left by other ways stays as he left it.
    let choices = link(&mail.mails()[0], "/p/");
    assert_eq!(server.page(Method::POST, &choices, "action=save").await.status, 303);
    for (number, word) in [(7, "stop"), (8, "start")] {
        let mail_in = format!("From: ada@example.com\nTo: shop@reply.shop.example\nMessage-ID: <{number}@example.com>\n\n{word}\n");
        assert_eq!(deliver(inbound, "ada@example.com", "shop@reply.shop.example", &mail_in).await, "250");
    }
    happen(&server, "Ping").await;
    assert_eq!(mail.mails().len(), sent);
}

//! Servers that refuse, hang, talk nonsense or hang up, at every step.

use crate::support::{PATIENCE, said, settings, simple};
use faden_channels::Channel;
use faden_channels::email::Smtp;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// What the server does instead of its usual answer: `*` hangs, `!` hangs up, anything else is said.
type Script = &'static [(&'static str, &'static str)];

const USUAL: Script = &[
    ("greeting", "220 mx"),
    ("EHLO", "250-mx\r\n250 SIZE 100000"),
    ("HELO", "250 mx"),
    ("MAIL", "250 ok"),
    ("RCPT", "250 ok"),
    ("DATA", "354 go on"),
    ("end", "250 ok"),
    ("RSET", "250 ok"),
    ("QUIT", "221 bye"),
];

/// What happened at a server.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    mails: AtomicUsize,
    lines: Mutex<Vec<String>>,
}

/// A server that follows the script on its `n`-th connection and the last script after that.
async fn server(scripts: Vec<Script>) -> (u16, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it has one").port();
    let seen = Arc::new(Seen::default());
    let counts = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let number = counts.connections.fetch_add(1, SeqCst);
            tokio::spawn(follow(tcp, scripts[number.min(scripts.len() - 1)], Arc::clone(&counts)));
        }
    });
    (port, seen)
}

async fn follow(tcp: TcpStream, script: Script, seen: Arc<Seen>) {
    let mut stream = BufReader::new(tcp);
    let mut at = "greeting".to_owned();
    loop {
        let answer = script.iter().chain(USUAL).find(|(step, _)| *step == at).map_or("500 what?", |(_, answer)| answer);
        match answer {
            "*" => return std::future::pending().await,
            "!" => return,
            answer => {
                // A final `!` says it and hangs up.
                let (text, ends) = answer.strip_suffix('!').map_or((answer, false), |text| (text, true));
                let line = if text.ends_with("...") { text.to_owned() } else { format!("{text}\r\n") };
                if stream.write_all(line.as_bytes()).await.is_err() || ends {
                    return;
                }
            }
        }
        if at == "DATA" && answer.starts_with("354") {
            loop {
                let mut line = String::new();
                match stream.read_line(&mut line).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) if line == ".\r\n" => break,
                    Ok(_) => {}
                }
            }
            seen.mails.fetch_add(1, SeqCst);
            at = "end".to_owned();
            continue;
        }
        let mut line = String::new();
        match stream.read_line(&mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        at = line.split([' ', '\r']).next().unwrap_or_default().to_owned();
        seen.lines.lock().expect("nobody panics").push(line.trim_end().to_owned());
    }
}

async fn send_to(scripts: Vec<Script>, smtp: Value) -> (String, Arc<Seen>) {
    let (port, seen) = server(scripts).await;
    let mut more = json!({"timeout_seconds": 1});
    more.as_object_mut().expect("an object").extend(smtp.as_object().expect("an object").clone());
    let account = Smtp::new(&settings(port, json!({"smtp": more}))).expect("the settings are good");
    let sent = timeout(PATIENCE, account.send(&simple("msg_7b_4"))).await.expect("it ends in time");
    (said(&sent), seen)
}

const PIPELINING: (&str, &str) = ("EHLO", "250-mx\r\n250-PIPELINING\r\n250 8BITMIME");

#[tokio::test]
async fn whatever_a_server_does_the_outcome_says_what_may_be_done_next() {
    let table: Vec<(Script, &str)> = vec![
        (&[], "accepted"),
        (&[("greeting", "*")], "unavailable timeout"),
        (&[("greeting", "!")], "unavailable closed"),
        (&[("greeting", "HTTP/1.1 400 Bad Request")], "unavailable garbage"),
        (&[("greeting", "220-mx\r\n250 mx")], "unavailable garbage"),
        (&[("greeting", "220")], "accepted"),
        (&[("greeting", "554 5.7.1 go away")], "account 554 5.7.1"),
        (&[("greeting", "421 4.3.2 later!")], "unavailable 421 4.3.2"),
        (&[("EHLO", "*")], "unavailable timeout"),
        (&[("EHLO", "502 5.5.1 what?")], "accepted"),
        (&[("EHLO", "502 5.5.1 what?"), ("HELO", "502 5.5.1 what?")], "account 502 5.5.1"),
        (&[("EHLO", "250-mx\r\n250 SIZE 100")], "refused too large"),
        (&[("EHLO", "250-mx\r\n250 SIZE 0")], "accepted"),
        (&[("MAIL", "!")], "unavailable closed"),
        (&[("MAIL", "*")], "unavailable timeout"),
        (&[("MAIL", "550 5.7.1 not you")], "account 550 5.7.1"),
        (&[("MAIL", "451 4.3.0 disk")], "unavailable 451 4.3.0"),
        (&[("RCPT", "550 5.1.1 unknown")], "gone 550 5.1.1"),
        (&[("RCPT", "550-5.1.1 unknown\r\n550 5.1.1 really")], "gone 550 5.1.1"),
        (&[("RCPT", "450 4.7.1 greylisted")], "later 450 4.7.1"),
        (&[("RCPT", "\u{0}\u{1}\u{2}")], "unavailable garbage"),
        (&[("DATA", "554 5.7.1 spam")], "refused 554 5.7.1"),
        (&[("DATA", "250 strange")], "unavailable 250"),
        (&[("DATA", "!")], "unavailable closed"),
        (&[("DATA", "354 go on!")], "no answer no-answer"),
        (&[("end", "550 5.1.1 after all")], "gone 550 5.1.1"),
        (&[("end", "451 4.3.0 disk")], "later 451 4.3.0"),
        (&[("end", "421 4.7.0 too fast!")], "pause 421 4.7.0"),
        // Everything was handed over; whether it was taken, nobody can know.
        (&[("end", "*")], "no answer no-answer"),
        (&[("end", "!")], "no answer no-answer"),
        (&[("end", "rubbish")], "no answer no-answer"),
        (&[("end", "25...!")], "no answer no-answer"),
        (&[PIPELINING], "accepted"),
        (&[PIPELINING, ("MAIL", "550 5.7.1 not you"), ("RCPT", "503 no"), ("DATA", "503 no")], "account 550 5.7.1"),
        (&[PIPELINING, ("RCPT", "550 5.1.1 unknown"), ("DATA", "554 no recipients")], "gone 550 5.1.1"),
        (&[PIPELINING, ("RCPT", "550 5.1.1 unknown")], "gone 550 5.1.1"),
        (&[PIPELINING, ("MAIL", "421 4.7.0 slow down!")], "pause 421 4.7.0"),
    ];
    let runs = table.iter().map(|(script, expected)| async move {
        let (found, seen) = send_to(vec![*script], json!({})).await;
        assert_eq!(found, *expected, "{script:?}");
        let mails = seen.mails.load(SeqCst);
        assert!(mails <= 1, "{script:?}: the mail was handed over {mails} times");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless: &'static str = Box::leak(format!("220-{}", "x".repeat(1_000_000)).into_boxed_str());
    let many: &'static str = Box::leak("220-x\r\n".repeat(10_000).into_boxed_str());
    for answer in [endless, many] {
        let script: Script = Box::leak(Box::new([("greeting", answer)]));
        assert_eq!(send_to(vec![script], json!({})).await.0, "unavailable garbage");
    }
}

#[tokio::test]
async fn encryption_that_was_asked_for_is_never_left_out() {
    let offered: Script = &[("EHLO", "250-mx\r\n250 STARTTLS"), ("STARTTLS", "220 go on")];
    let injected: Script = &[("EHLO", "250-mx\r\n250 STARTTLS"), ("STARTTLS", "220 go on\r\n250 injected")];
    let refused: Script = &[("EHLO", "250-mx\r\n250 STARTTLS"), ("STARTTLS", "454 4.7.0 not now")];
    for (script, smtp, expected) in [
        (&[][..], json!({"tls": "starttls"}), "account no STARTTLS"),
        // It goes on in clear instead of encrypting.
        (offered, json!({"tls": "starttls"}), "unavailable TLS"),
        (injected, json!({"tls": "starttls"}), "unavailable garbage"),
        (refused, json!({"tls": "starttls"}), "pause 454 4.7.0"),
        (&[][..], json!({"tls": "tls"}), "unavailable TLS"),
    ] {
        let (found, seen) = send_to(vec![script], smtp.clone()).await;
        assert_eq!(found, expected, "{script:?} {smtp}");
        assert_eq!(seen.mails.load(SeqCst), 0);
    }
}

#[tokio::test]
async fn signing_in_uses_what_the_server_offers() {
    let plain: Script = &[("EHLO", "250-mx\r\n250 AUTH LOGIN PLAIN"), ("AUTH", "235 2.7.0 in")];
    let old: Script =
        &[("EHLO", "250-mx\r\n250 AUTH=LOGIN"), ("AUTH", "334 VXNlcm5hbWU6"), ("c2hvcA==", "334 UGFzc3dvcmQ6"), ("c2VjcmV0", "235 in")];
    let wrong: Script = &[("EHLO", "250-mx\r\n250 AUTH LOGIN"), ("AUTH", "334 x"), ("c2hvcA==", "535 5.7.8 no")];
    let busy: Script = &[("EHLO", "250-mx\r\n250 AUTH PLAIN"), ("AUTH", "454 4.7.0 later")];
    let other: Script = &[("EHLO", "250-mx\r\n250 AUTH CRAM-MD5")];
    for (script, expected, command) in [
        (plain, "accepted", "AUTH PLAIN AHNob3AAc2VjcmV0"),
        (old, "accepted", "AUTH LOGIN"),
        (wrong, "account 535 5.7.8", "AUTH LOGIN"),
        (busy, "unavailable 454 4.7.0", "AUTH PLAIN AHNob3AAc2VjcmV0"),
        (other, "account no AUTH", "EHLO [127.0.0.1]"),
    ] {
        let (found, seen) = send_to(vec![script], json!({"username": "shop", "password": "secret"})).await;
        assert_eq!(found, expected, "{script:?}");
        assert!(seen.lines.lock().expect("nobody panics").iter().any(|line| line == command), "{script:?}: no `{command}`");
    }
}

/// Sends one mail after the other over one account.
async fn send_in_turn(scripts: Vec<Script>, count: usize) -> (Vec<String>, Arc<Seen>) {
    let (port, seen) = server(scripts).await;
    let account = Smtp::new(&settings(port, json!({"smtp": {"timeout_seconds": 5}}))).expect("the settings are good");
    let mut outcomes = Vec::new();
    for _ in 0..count {
        outcomes.push(said(&account.send(&simple("msg_7b_4")).await));
    }
    (outcomes, seen)
}

#[tokio::test]
async fn a_connection_is_used_again_and_a_dead_one_is_replaced_without_a_repeat() {
    let refuses: Script = &[("RCPT", "550 5.1.1 unknown")];
    let hangs_up_after: Script = &[("end", "250 ok!")];
    let hangs_up_on_second: Script = &[("RSET", "!"), ("RCPT", "450 4.2.1 no")];
    let one_mail: Script = &[("RCPT", "450 4.2.1 no"), ("RSET", "421 4.7.0 enough!")];
    let loses_answer: Script = &[("end", "!")];
    for (scripts, expected, connections, mails) in [
        (vec![USUAL], vec!["accepted"; 3], 1, 3),
        (vec![refuses], vec!["gone 550 5.1.1"; 3], 1, 0),
        (vec![hangs_up_after], vec!["accepted"; 3], 3, 3),
        (vec![hangs_up_on_second, USUAL], vec!["later 450 4.2.1", "accepted", "accepted"], 2, 2),
        (vec![one_mail, USUAL], vec!["later 450 4.2.1", "accepted", "accepted"], 2, 2),
        // An unknown outcome is told, not tried again: the caller knows the message and when to repeat it.
        (vec![loses_answer, USUAL], vec!["no answer no-answer", "accepted"], 2, 2),
    ] {
        let (outcomes, seen) = send_in_turn(scripts.clone(), expected.len()).await;
        assert_eq!(outcomes, expected, "{scripts:?}");
        assert_eq!((seen.connections.load(SeqCst), seen.mails.load(SeqCst)), (connections, mails), "{scripts:?}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("it has one").port();
    for (host, expected) in [("127.0.0.1", "unavailable unreachable"), ("no-such-host.invalid", "unavailable unreachable")] {
        let account = Smtp::new(&settings(free, json!({"smtp": {"host": host, "timeout_seconds": 20}}))).expect("the settings are good");
        let sent = timeout(PATIENCE, account.send(&simple("msg_7b_4"))).await.expect("it ends in time");
        assert_eq!(said(&sent), expected, "{host}");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_a_mail_never_reaches_the_server() {
    let (port, seen) = server(vec![USUAL]).await;
    let account = Smtp::new(&settings(port, json!({}))).expect("the settings are good");
    let mut message = simple("msg_7b_4");
    for (to, expected) in [
        ("nobody", "gone bad address"),
        ("a b@example.com", "gone bad address"),
        ("ada@example.com>\r\nRCPT TO:<eve@example.com", "gone bad address"),
        ("ada@-.example", "gone bad address"),
        ("jürgen@example.com", "refused address not ASCII"),
    ] {
        message.to = to.to_owned();
        assert_eq!(said(&account.send(&message).await), expected, "{to}");
    }
    message.content = faden_channels::Content::Text("x".to_owned());
    assert_eq!(said(&account.send(&message).await), "refused not an e-mail");
    assert_eq!(seen.connections.load(SeqCst), 0);
}

#[test]
fn settings_that_cannot_work_are_refused_by_their_key() {
    for (more, key) in [
        (json!({"from": "nobody"}), "from"),
        (json!({"from": "jürgen@shop.example"}), "from"),
        (json!({"reply_to": "a@b@c d"}), "reply_to"),
        (json!({"bounces": "bounces"}), "bounces"),
        (json!({"bounces": "a-much-too-long-local-part-for-an-address-{message}@shop.example"}), "bounces"),
        (json!({"bounces": "bounces@{message}.shop.example"}), "bounces"),
        (json!({"dkim": {"domain": "shop.example", "selector": "s", "key": "none"}}), "dkim.key"),
        (json!({"smtp": {"ca_file": "no/such/file.pem"}}), "smtp.ca_file"),
        (json!({"smtp": {"ca_file": "Cargo.toml"}}), "smtp.ca_file"),
    ] {
        let error = Smtp::new(&settings(25, more.clone())).err().unwrap_or_else(|| panic!("{more} is taken"));
        assert_eq!(error.key, key, "{more}: {error}");
    }
}

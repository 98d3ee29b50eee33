//! Others bring mail to us: Python's smtplib, and conversations as no program would hold them.

use crate::support::{Certificate, PATIENCE, Program, Shelf, python, said, settings, simple};
use faden_channels::email::{Inlet, Listener, Smtp};
use faden_channels::{Channel, Inbound, Received};
use faden_model::MessageId;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A listener for `shop.example` and `one@other.example` that runs until this is dropped.
struct Running {
    port: u16,
    shelf: Arc<Shelf>,
    stop: CancellationToken,
    done: tokio::task::JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(more: Value) -> Running {
    let mut inlet =
        json!({"listen": "127.0.0.1:0", "domains": ["Shop.Example"], "addresses": ["One@other.example"], "size_max_bytes": 100_000});
    inlet.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let inlet: Inlet = serde_json::from_value(inlet).expect("they are settings");
    let listener = Listener::bind(&inlet).await.expect("the port is free");
    let (port, shelf, stop) = (listener.address().port(), Arc::new(Shelf::default()), CancellationToken::new());
    let done = tokio::spawn(listener.run(Arc::clone(&shelf) as Arc<dyn faden_channels::Inbox>, stop.clone()));
    Running { port, shelf, stop, done }
}

/// Sends each piece and reads until the answers to it are complete; all answers, lines joined by `|`.
async fn talk(port: u16, pieces: &[&str]) -> String {
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let mut answers = Vec::new();
    for piece in [""].iter().chain(pieces) {
        if tcp.write_all(piece.as_bytes()).await.is_err() {
            break;
        }
        let mut answer = Vec::new();
        loop {
            let mut chunk = [0; 4096];
            let count = timeout(PATIENCE, tcp.read(&mut chunk)).await.expect("it answers in time").unwrap_or(0);
            answer.extend_from_slice(&chunk[..count]);
            let text = String::from_utf8_lossy(&answer);
            let last = text.trim_end().rsplit("\r\n").next().unwrap_or_default();
            if count == 0 || (text.ends_with("\r\n") && last.as_bytes().get(3) == Some(&b' ')) {
                break;
            }
        }
        answers.push(String::from_utf8_lossy(&answer).trim_end().replace("\r\n", "|"));
    }
    answers.join("\n")
}

fn taken(running: &Running) -> Vec<Received> {
    let taken = running.shelf.taken.lock().expect("nobody panics");
    let messages = taken.iter().map(|inbound| match inbound {
        Inbound::Message(received) => received.clone(),
        Inbound::Report(report) => panic!("not a message: {report:?}"),
    });
    messages.collect()
}

#[tokio::test]
async fn mail_from_python_arrives_encrypted_whole_and_threaded() {
    let Some(python) = python() else { return };
    let tls = Certificate::new();
    let running = listen(json!({"tls": {"certificate_file": tls.certificate, "key_file": tls.key}})).await;
    let mut sender = Program::start(&python, "send.py", &[&running.port.to_string(), tls.certificate()]);
    for expected in [
        json!(["ehlo", 250]),
        json!(["extensions", 0, "8bitmime enhancedstatuscodes pipelining size smtputf8 starttls"]),
        json!(["starttls", 220]),
        json!(["ehlo again", 250]),
        json!(["extensions", 0, "8bitmime enhancedstatuscodes pipelining size smtputf8"]),
        json!(["sent", 250]),
        json!(["sent", 250]),
        json!(["relay", 550, "5.7.1 no mail for others is taken here"]),
        json!(["large", 552, "5.3.4 mail too large"]),
        json!(["large unannounced", 552, "5.3.4 mail too large"]),
        json!(["sent", 250]),
    ] {
        let said = sender.json().await;
        assert_eq!((&said["what"], &said["code"]), (&expected[0], &expected[1]), "{said}");
        if expected[2].is_string() {
            assert_eq!(said["text"], expected[2]);
        }
    }
    let taken = taken(&running);
    let found: Vec<_> = taken.iter().map(|mail| (mail.provider_id.as_str(), mail.subject.as_deref(), mail.text.as_str())).collect();
    assert_eq!(
        found[..2],
        [("one@example.com", Some("Grüße"), "Ja, bitte!\n.\n.. Punkte"), ("two@example.com", Some("HTML"), "Hello\nthere")]
    );
    assert_eq!((found[2].1, found[2].2, found.len()), (Some("after"), "still here", 3));
    assert!(taken.iter().all(|mail| mail.from == "ada@example.com" && mail.to == "help@shop.example"));
    assert_eq!(taken[0].answers, [MessageId::parse("msg_7b_4").expect("an id")]);
}

const HELLO: &str = "EHLO me\r\n";

#[tokio::test]
async fn a_conversation_keeps_to_the_standard_or_is_refused() {
    let running = listen(json!({})).await;
    let offers = "250-shop.example|250-PIPELINING|250-8BITMIME|250-SMTPUTF8|250-ENHANCEDSTATUSCODES|250 SIZE 100000";
    let table: &[(&[&str], &str)] = &[
        (&["HELO me\r\n", "QUIT\r\n"], "250 shop.example\n221 2.0.0 bye"),
        (&[HELLO], offers),
        (&["EHLO\r\n"], "501 5.5.4 say who you are"),
        (&["MAIL FROM:<a@b>\r\n"], "503 5.5.1 greet first"),
        (&["ehlo me\r\n", "mail from:<a@b> size=10 body=8bitmime smtputf8\r\n"], "*\n250 2.1.0 sender taken"),
        (&[HELLO, "MAIL FROM:<a@b> SIZE=100001\r\n"], "*\n552 5.3.4 mail too large"),
        (&[HELLO, "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n"], "*\n501 5.5.4 SIZE is a number"),
        (&[HELLO, "MAIL FROM:<a@b> BODY=BINARYMIME\r\n"], "*\n555 5.5.4 unknown parameter"),
        (&[HELLO, "MAIL FROM:a@b\r\n"], "*\n501 5.5.4 write MAIL FROM:<address>"),
        (&[HELLO, "RCPT TO:<x@shop.example>\r\n"], "*\n503 5.5.1 no sender yet"),
        (&[HELLO, "DATA\r\n"], "*\n503 5.5.1 no recipient yet"),
        (&[HELLO, "MAIL FROM:<>\r\n", "MAIL FROM:<>\r\n"], "*\n250 2.1.0 sender taken\n503 5.5.1 a mail was begun already"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<X@SHOP.EXAMPLE>\r\n"], "*\n*\n250 2.1.5 recipient taken"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<one@Other.Example>\r\n"], "*\n*\n250 2.1.5 recipient taken"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<two@other.example>\r\n"], "*\n*\n550 5.7.1 no mail for others is taken here"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<x@sub.shop.example>\r\n"], "*\n*\n550 5.7.1 no mail for others is taken here"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<x@evil.example@shop.example>\r\n"], "*\n*\n250 2.1.5 recipient taken"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<@shop.example:x@evil.example>\r\n"], "*\n*\n550 5.7.1 no mail for others is taken here"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<x%evil.example>\r\n"], "*\n*\n550 5.7.1 no mail for others is taken here"),
        (&[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<Postmaster>\r\n"], "*\n*\n250 2.1.5 recipient taken"),
        (
            &[HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<x@shop.example>\r\n", "RSET\r\n", "DATA\r\n"],
            "*\n*\n*\n250 2.0.0 forgotten\n503 5.5.1 no recipient yet",
        ),
        (&["NOOP\r\n", "VRFY x\r\n", "HELP\r\n"], "250 2.0.0 here\n252 2.5.0 cannot say, but will take a mail\n214 2.0.0 RFC 5321"),
        (
            &["AUTH PLAIN x\r\n", "STARTTLS\r\n", "GET / HTTP/1.1\r\n"],
            "502 5.5.1 not done here\n502 5.5.1 no STARTTLS here\n500 5.5.2 unknown command",
        ),
        (&["NOOP\n"], "250 2.0.0 here"),
    ];
    for (pieces, expected) in table {
        let said = talk(running.port, pieces).await;
        let mut lines = said.lines();
        assert_eq!(lines.next(), Some("220 shop.example ESMTP"), "{pieces:?}");
        for (line, expected) in lines.zip(expected.lines()) {
            assert!(expected == "*" || line == expected, "{pieces:?}: `{line}`, not `{expected}`");
        }
        assert_eq!(said.lines().count(), expected.lines().count() + 1, "{pieces:?}: {said}");
    }
    assert!(taken(&running).is_empty());
}

const MAIL: &str = "From: ada@example.com\r\nMessage-ID: <1@example.com>\r\n\r\nhello\r\n.\r\n";

#[tokio::test]
async fn commands_may_come_together_and_a_mail_in_pieces() {
    let running = listen(json!({})).await;
    let begin = "EHLO me\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<x@shop.example>\r\nDATA\r\n";
    let mut tcp = TcpStream::connect(("127.0.0.1", running.port)).await.expect("it listens");
    for piece in [begin, &MAIL[..30], &MAIL[30..], "QUIT\r\n"] {
        tcp.write_all(piece.as_bytes()).await.expect("it reads");
        tcp.flush().await.expect("it reads");
    }
    let mut answers = String::new();
    timeout(PATIENCE, tcp.read_to_string(&mut answers)).await.expect("it hangs up").expect("it is text");
    assert!(answers.ends_with("354 go on, end with a dot\r\n250 2.0.0 taken\r\n221 2.0.0 bye\r\n"), "{answers}");
    assert_eq!(taken(&running).len(), 1);
}

#[tokio::test]
async fn a_mail_that_cannot_be_kept_is_asked_for_again() {
    let running = listen(json!({})).await;
    let pieces = [HELLO, "MAIL FROM:<ada@example.com>\r\n", "RCPT TO:<x@shop.example>\r\n", "DATA\r\n", MAIL];
    for (full, expected) in [(true, "451 4.3.0 cannot be kept right now, try again later"), (false, "250 2.0.0 taken")] {
        running.shelf.full.store(full, SeqCst);
        let said = talk(running.port, &pieces).await;
        assert_eq!(said.lines().last(), Some(expected));
    }
    assert_eq!(taken(&running).len(), 1);
}

#[tokio::test]
async fn nobody_can_hold_the_listener_up() {
    let running = listen(json!({"connections": 1, "timeout_seconds": 1})).await;
    let silent = TcpStream::connect(("127.0.0.1", running.port)).await.expect("it listens");
    let said = talk(running.port, &[]).await;
    assert_eq!(said, "421 4.7.0 too many connections, try again later");
    // The silent one is thrown out, and there is room again.
    let mut silent = silent;
    let mut answers = String::new();
    timeout(PATIENCE, silent.read_to_string(&mut answers)).await.expect("it hangs up").expect("it is text");
    assert_eq!(answers, "220 shop.example ESMTP\r\n421 4.4.2 timeout\r\n");
    drop(silent);
}

#[tokio::test]
async fn who_does_not_keep_to_the_standard_is_hung_up_on() {
    let running = listen(json!({})).await;
    for (sent, last) in
        [(format!("NOOP {}\r\n", "x".repeat(5000)), "500 5.5.6 line too long"), ("FROB\r\n".repeat(25), "421 4.7.0 too many mistakes")]
    {
        let mut tcp = TcpStream::connect(("127.0.0.1", running.port)).await.expect("it listens");
        tcp.write_all(sent.as_bytes()).await.expect("it reads");
        let mut answers = String::new();
        timeout(PATIENCE, tcp.read_to_string(&mut answers)).await.expect("it hangs up").expect("it is text");
        assert_eq!(answers.trim_end().lines().last(), Some(last));
    }
}

#[tokio::test]
async fn our_own_account_and_our_own_listener_understand_each_other() {
    let running = listen(json!({})).await;
    let account = Smtp::new(&settings(running.port, json!({}))).expect("the settings are good");
    let mut message = simple("msg_7b_4");
    message.to = "x@shop.example".to_owned();
    assert_eq!(said(&account.send(&message).await), "accepted");
    assert!(account.check().await.is_ok());
    // It is our own mail that came back, so there is nothing in it for us.
    assert!(taken(&running).is_empty());
    message.to = "x@elsewhere.example".to_owned();
    assert_eq!(said(&account.send(&message).await), "refused 550 5.7.1");
}

#[tokio::test]
async fn a_mailbox_to_look_into_shows_our_own_mails_too() {
    let inlet: Inlet = serde_json::from_value(json!({"listen": "127.0.0.1:0", "domains": ["example.com"]})).expect("they are settings");
    let listener = Listener::bind(&inlet).await.expect("the port is free").take_any();
    let (port, shelf, stop) = (listener.address().port(), Arc::new(Shelf::default()), CancellationToken::new());
    let done = tokio::spawn(listener.run(Arc::clone(&shelf) as Arc<dyn faden_channels::Inbox>, stop.clone()));
    let account = Smtp::new(&settings(port, json!({}))).expect("the settings are good");
    assert_eq!(said(&account.send(&simple("msg_7b_4")).await), "accepted");
    let running = Running { port, shelf, stop, done };
    let taken = taken(&running);
    let found: Vec<_> = taken.iter().map(|mail| (mail.to.as_str(), mail.subject.as_deref(), mail.text.as_str())).collect();
    assert_eq!(found, [("ada@example.com", Some("Your cart"), "It waits.")]);
}

#[tokio::test]
async fn told_to_stop_it_says_goodbye_and_ends() {
    let mut running = listen(json!({})).await;
    let mut tcp = TcpStream::connect(("127.0.0.1", running.port)).await.expect("it listens");
    let mut greeting = [0; 24];
    tcp.read_exact(&mut greeting).await.expect("it greets");
    running.stop.cancel();
    let mut answers = String::new();
    timeout(PATIENCE, tcp.read_to_string(&mut answers)).await.expect("it hangs up").expect("it is text");
    assert_eq!(answers, "421 4.3.2 shutting down, try again later\r\n");
    timeout(PATIENCE, &mut running.done).await.expect("it ends").expect("it does not panic");
}

#[tokio::test]
async fn a_listener_that_cannot_work_is_refused_with_a_code() {
    let running = listen(json!({})).await;
    let tls = Certificate::new();
    for (more, code) in [
        (json!({"listen": format!("127.0.0.1:{}", running.port)}), "mail-listen"),
        (json!({"listen": "nowhere"}), "mail-listen"),
        (json!({"listen": "127.0.0.1:0", "tls": {"certificate_file": "none.pem", "key_file": tls.key}}), "channel-setting"),
        (json!({"listen": "127.0.0.1:0", "tls": {"certificate_file": tls.certificate, "key_file": tls.certificate}}), "channel-setting"),
        (
            json!({"listen": "127.0.0.1:0", "tls": {"certificate_file": tls.certificate, "key_file": Certificate::new().key}}),
            "channel-setting",
        ),
    ] {
        let inlet: Inlet = serde_json::from_value(more.clone()).expect("they are settings");
        let error = Listener::bind(&inlet).await.err().unwrap_or_else(|| panic!("{more} is taken"));
        assert_eq!(error.code(), code, "{more}: {error}");
    }
}

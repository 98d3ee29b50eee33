//! Our account sends, aiosmtpd takes: what arrives is what was meant, also by the eyes of others.

use crate::support::{Certificate, Program, message, python, said, settings, simple};
use base64::{Engine, engine::general_purpose::STANDARD};
use faden_channels::email::Smtp;
use faden_channels::{Channel, Email};
use ring::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};

fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let headers = mail["headers"].as_array().expect("a list");
    headers.iter().find(|pair| pair[0].as_str().is_some_and(|have| have.eq_ignore_ascii_case(name)))?[1].as_str()
}

/// A key pair: PEM for us, the DNS record for the others.
fn ed25519() -> (String, String) {
    let made = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).expect("a key");
    let public = STANDARD.encode(Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("its own").public_key());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(made.as_ref()));
    (pem, format!("v=DKIM1; k=ed25519; p={public}"))
}

fn rsa() -> (String, String) {
    let pem = include_str!("dkim_rsa_for_tests.pem").to_owned();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    let public = STANDARD.encode(RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("RSA").public_key());
    (pem, format!("v=DKIM1; k=rsa; p={public}"))
}

#[tokio::test]
async fn a_mail_arrives_encrypted_signed_in_and_with_a_signature_that_holds() {
    let Some(python) = python() else { return };
    let tls = Certificate::new();
    for (key, record) in [ed25519(), rsa()] {
        for (way, more) in [("starttls", vec![]), ("tls", vec!["--implicit"])] {
            let mut arguments =
                vec!["--cert", tls.certificate(), "--key", tls.key(), "--user", "shop", "--password", "sec ret", "--record", &record];
            arguments.extend(more);
            let mut sink = Program::start(&python, "sink.py", &arguments);
            let account = Smtp::new(&settings(
                sink.port().await,
                json!({
                    "reply_to": "help@shop.example",
                    "bounces": "bounces+@bounces.shop.example",
                    "dkim": {"domain": "shop.example", "selector": "s1", "key": key},
                    "smtp": {"tls": way, "username": "shop", "password": "sec ret", "ca_file": tls.certificate()}
                }),
            ))
            .expect("the settings are good");
            let email = Email {
                subject: "Grüße: Ihr Warenkorb wartet noch auf Sie, und zwar schon seit mehr als einer Stunde €".to_owned(),
                text: format!("Grüß Gott!\n.\n..\nFrom here\ntrailing blanks   \n{}\n", "lang ".repeat(300)),
                html: Some(format!("<p>Grüß <b>Gott</b>! = {}</p>\n", "x".repeat(2000))),
                unsubscribe_url: Some(format!("https://shop.example/u/{}", "a1".repeat(60))),
                in_reply_to: None,
            };
            let sent = account.send(&message("msg_7b_4", "Ada@Example.COM", email.clone())).await;
            assert_eq!(said(&sent), "accepted", "{way}");
            let mail = sink.json().await;
            assert_eq!(mail["verified"], json!(true), "{way}: {record}\n{}", mail["raw"]);
            assert_eq!(mail["defects"], json!([]), "{way}");
            assert_eq!((&mail["encrypted"], &mail["signed_in"]), (&json!(true), &json!("shop")), "{way}");
            assert_eq!(mail["sender"], json!("bounces+msg_7b_4@bounces.shop.example"));
            assert_eq!(mail["recipients"], json!(["Ada@example.com"]));
            for (name, expected) in [
                ("From", Some("Ada's Shop <news@shop.example>")),
                ("Reply-To", Some("help@shop.example")),
                ("To", Some("Ada@example.com")),
                ("Subject", Some(email.subject.as_str())),
                ("Message-ID", Some("<msg_7b_4@shop.example>")),
                ("List-Unsubscribe", Some(format!("<{}>", email.unsubscribe_url.as_deref().unwrap_or_default()).as_str())),
                ("List-Unsubscribe-Post", Some("List-Unsubscribe=One-Click")),
                ("Auto-Submitted", Some("auto-generated")),
                ("MIME-Version", Some("1.0")),
                ("In-Reply-To", None),
            ] {
                assert_eq!(header(&mail, name), expected, "{name}");
            }
            assert!(header(&mail, "Date").is_some_and(|date| date.ends_with("+0000")));
            let signed = header(&mail, "DKIM-Signature").expect("it is signed").replace([' ', '\r', '\n', '\t'], "");
            assert!(signed.contains(":list-unsubscribe:list-unsubscribe-post:"), "RFC 8058 wants both covered: {signed}");
            assert!(
                signed.contains(":from:reply-to:to:subject:date:list-unsubscribe;bh="),
                "nobody can add a second one of these: {signed}"
            );
            assert_eq!(mail["kind"], json!("multipart/alternative"));
            assert_eq!((&mail["text"], &mail["html"]), (&json!(email.text), &json!(email.html)));
            assert_eq!(mail["ascii"], json!(true));
            assert!(mail["longest_line"].as_u64().is_some_and(|length| length <= 998));
        }
    }
}

#[tokio::test]
async fn a_signature_over_a_changed_mail_does_not_hold() {
    let Some(python) = python() else { return };
    let (key, _) = ed25519();
    let (_, record_of_another) = ed25519();
    let mut sink = Program::start(&python, "sink.py", &["--record", &record_of_another]);
    let dkim = json!({"dkim": {"domain": "shop.example", "selector": "s1", "key": key}});
    let account = Smtp::new(&settings(sink.port().await, dkim)).expect("the settings are good");
    assert_eq!(said(&account.send(&simple("msg_7b_4")).await), "accepted");
    assert_eq!(sink.json().await["verified"], json!(false));
}

#[tokio::test]
async fn headers_and_parts_follow_from_what_is_said() {
    let Some(python) = python() else { return };
    let mut sink = Program::start(&python, "sink.py", &[]);
    let account = Smtp::new(&settings(sink.port().await, json!({"bounces": "b-{message}@shop.example"}))).expect("the settings are good");
    let text = || "Hello".to_owned();
    for (what, to, email, expected) in [
        (
            "plain text alone",
            "ada@example.com",
            Email { subject: "s".to_owned(), text: text(), ..Email::default() },
            json!(["text/plain", "Hello\n", null, "ada@example.com", "s", null, "auto-generated"]),
        ),
        (
            "html alone",
            "ada@example.com",
            Email { subject: "s".to_owned(), html: Some("<p>x</p>".to_owned()), ..Email::default() },
            json!(["text/html", null, "<p>x</p>\n", "ada@example.com", "s", null, "auto-generated"]),
        ),
        (
            "an answer",
            " ada@bücher.example ",
            Email { subject: "Re: s".to_owned(), text: text(), in_reply_to: Some("abc@example.com".to_owned()), ..Email::default() },
            json!(["text/plain", "Hello\n", null, "ada@xn--bcher-kva.example", "Re: s", "<abc@example.com>", null]),
        ),
        (
            "an attempt to smuggle headers in",
            "ada@example.com",
            Email {
                subject: "s\r\nBcc: eve@example.com\r\n\r\nbody".to_owned(),
                text: text(),
                in_reply_to: Some("x>\r\nBcc: <eve@example.com".to_owned()),
                ..Email::default()
            },
            json!(["text/plain", "Hello\n", null, "ada@example.com", "s  Bcc: eve@example.com    body", null, "auto-generated"]),
        ),
    ] {
        assert_eq!(said(&account.send(&message("msg_7b_5", to, email)).await), "accepted", "{what}");
        let mail = sink.json().await;
        let line = |text: &Value| text.as_str().map(|text| format!("{}\n", text.trim_end()));
        let found = json!([
            mail["kind"],
            line(&mail["text"]),
            line(&mail["html"]),
            mail["recipients"][0],
            header(&mail, "Subject"),
            header(&mail, "In-Reply-To"),
            header(&mail, "Auto-Submitted")
        ]);
        assert_eq!(found, expected, "{what}");
        assert_eq!(header(&mail, "References"), header(&mail, "In-Reply-To"), "{what}");
        assert_eq!((header(&mail, "Bcc"), &mail["sender"]), (None, &json!("b-msg_7b_5@shop.example")), "{what}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_the_accounts_fault() {
    let Some(python) = python() else { return };
    let tls = Certificate::new();
    let arguments = ["--cert", tls.certificate(), "--key", tls.key(), "--user", "shop", "--password", "right"];
    let mut sink = Program::start(&python, "sink.py", &arguments);
    let port = sink.port().await;
    let trusted = tls.certificate();
    for (smtp, expected) in [
        (json!({"tls": "starttls", "username": "shop", "password": "right", "ca_file": trusted}), "accepted"),
        (json!({"tls": "starttls", "username": "shop", "password": "wrong", "ca_file": trusted}), "account 535 5.7.8"),
        (json!({"tls": "starttls", "ca_file": trusted}), "account 530 5.7.0"),
        (json!({"tls": "starttls", "username": "shop", "password": "right"}), "account certificate not trusted"),
        (json!({"tls": "starttls", "host": "localhost", "username": "shop", "password": "right", "ca_file": trusted}), "accepted"),
        (json!({"tls": "none"}), "account 530"),
        (json!({"tls": "none", "username": "shop", "password": "right"}), "account no AUTH"),
    ] {
        let account = Smtp::new(&settings(port, json!({"smtp": smtp}))).expect("the settings are good");
        assert_eq!(said(&account.send(&simple("msg_7b_4")).await), expected, "{smtp}");
        let checked = account.check().await.map(|()| faden_channels::Accepted::default());
        // Without a sign-in, only a mail shows that one is wanted.
        let expected = if expected.starts_with("account 530") { "accepted" } else { expected };
        assert_eq!(said(&checked), expected, "check: {smtp}");
    }
}

#[tokio::test]
async fn many_mails_at_once_go_over_no_more_connections_than_allowed() {
    let Some(python) = python() else { return };
    for connections in [1, 3] {
        let mut sink = Program::start(&python, "sink.py", &["--count"]);
        let account =
            Smtp::new(&settings(sink.port().await, json!({"smtp": {"connections": connections}}))).expect("the settings are good");
        let messages: Vec<_> = (0..30).map(|_| simple("msg_7b_4")).collect();
        let sent = futures_util::future::join_all(messages.iter().map(|message| account.send(message))).await;
        assert!(sent.iter().all(Result::is_ok), "{sent:?}");
        let mut last = json!(null);
        for _ in 0..30 {
            last = sink.json().await;
        }
        assert_eq!(last["taken"], json!(30));
        let used = last["connections"].as_u64().expect("a number");
        assert!(used <= connections, "{used} connections, {connections} allowed");
    }
}

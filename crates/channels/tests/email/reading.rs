//! Mails as systems and people really write them, and what is read out of them.

use faden_channels::email::{Envelope, Ignored, read};
use faden_channels::{Inbound, Reference};
use proptest::prelude::*;
use std::path::Path;

fn mail(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/email/mails").join(name).with_extension("eml");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn envelope(from: &str, to: &str) -> Envelope {
    Envelope { from: from.to_owned(), to: vec![to.to_owned()] }
}

/// A reading in one line.
fn said(reading: &Result<Vec<Inbound>, Ignored>) -> String {
    let one = |inbound: &Inbound| match inbound {
        Inbound::Report(report) => {
            let Reference::Message(about) = &report.about else { return format!("about something else: {report:?}") };
            let gone = if report.address_gone { " gone" } else { "" };
            format!("{about} {:?} {}{gone} at {}", report.receipt, report.code.as_deref().unwrap_or("-"), report.at.is_some())
        }
        Inbound::Message(received) => {
            let answers: Vec<String> = received.answers.iter().map(ToString::to_string).collect();
            format!(
                "{} from {} to {}: {:?} {:?} answers {answers:?} at {}",
                received.provider_id,
                received.from,
                received.to,
                received.subject.as_deref().unwrap_or("-"),
                received.text,
                received.at.is_some()
            )
        }
    };
    match reading {
        Ok(inbound) => inbound.iter().map(one).collect::<Vec<_>>().join(" + "),
        Err(ignored) => format!("{ignored:?}"),
    }
}

#[test]
fn every_kind_of_mail_is_read_for_what_it_is() {
    for (name, from, to, expected) in [
        ("postfix_unknown", "", "news@shop.example", "msg_7b_4 Failed 5.1.1 gone at true"),
        // The address that the report came to knows best.
        ("postfix_unknown", "", "bounces+msg_7b_9@shop.example", "msg_7b_9 Failed 5.1.1 gone at true"),
        ("postfix_unknown", "", "b-MSG_7B_9@shop.example", "msg_7b_9 Failed 5.1.1 gone at true"),
        ("postfix_delayed", "", "news@shop.example", "NoOutcome"),
        ("postfix_delivered", "", "news@shop.example", "msg_7b_4 Delivered - at true"),
        ("spam_unnamed", "", "news@shop.example", "UnknownMessage"),
        ("spam_unnamed", "", "bounces+msg_7b_9@shop.example", "msg_7b_9 Failed 5.0.0 at true"),
        ("exchange_full", "", "bounces+msg_7b_4@shop.example", "msg_7b_4 Failed 5.2.2 at true"),
        ("exchange_full", "", "news@shop.example", "msg_7b_4 Failed 5.2.2 at true"),
        ("gmail_unknown", "", "news@shop.example", "msg_7b_4 Failed 5.1.1 gone at true"),
        ("envelope_id", "", "news@shop.example", "msg_7b_4 Failed 5.4.7 at true"),
        ("exim_old", "", "bounces+msg_7b_4@shop.example", "msg_7b_4 Failed 5.1.1 gone at true"),
        ("complaint", "abusedesk@provider.example", "abuse@shop.example", "msg_7b_4 Delivered complaint gone at true"),
        ("not_spam", "abusedesk@provider.example", "abuse@shop.example", "NoOutcome"),
        ("out_of_office", "ada@corp.example", "news@shop.example", "Automatic"),
        ("out_of_office", "", "bounces+msg_7b_4@shop.example", "Automatic"),
        ("mailing_list", "bounce@list.example", "help@shop.example", "Automatic"),
        // Mail that must not be answered is no person's.
        ("reply_gmail", "", "help@shop.example", "Automatic"),
        (
            "reply_gmail",
            "ada@gmail.example",
            "help@shop.example",
            "CAabc123@mail.gmail.example from ada@gmail.example to help@shop.example: \"Re: Ihr Warenkorb €\" \
             \"Ja, gerne in Größe 38!\\nGeht das?\" answers [\"msg_7b_4\", \"msg_7b_2\"] at true",
        ),
        (
            "reply_outlook",
            "ada@corp.example",
            "help+msg_7b_3@shop.example",
            "AM9PR@corp.example from ada@corp.example to help+msg_7b_3@shop.example: \"AW: Ihr Warenkorb\" \
             \"Guten Tag,\\n\\ndie Größe ist 38 & blau.\" answers [\"msg_7b_4\", \"msg_7b_3\"] at true",
        ),
        (
            "reply_japanese",
            "ada@example.jp",
            "help@shop.example",
            "jp1@example.jp from ada@example.jp to help@shop.example: \"ありがとう\" \"ありがとう\" answers [] at true",
        ),
        (
            "no_headers",
            "ada@example.com",
            "help@shop.example",
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 from ada@example.com to help@shop.example: \
             \"-\" \"hello\" answers [] at false",
        ),
        ("no_headers", "not an address", "help@shop.example", "NoSender"),
    ] {
        assert_eq!(said(&read(&mail(name), &envelope(from, to))), expected, "{name} from <{from}> to <{to}>");
    }
}

#[test]
fn mails_that_could_exhaust_a_reader_are_read_or_ignored() {
    let nested = "Content-Type: message/rfc822\n\n".repeat(300_000);
    let encoded =
        format!("From: a@b.example\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{}", "Q29udGVu".repeat(1_000_000));
    let multiparts: String = (0..50_000).map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n")).collect();
    let parts = format!("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(500_000));
    let headers = "A: b\n".repeat(500_000);
    let folded = format!("Subject: x\n{}", " y\n".repeat(500_000));
    let ids = format!("From: a@b.example\nReferences: {}\n\nx", "<msg_7b_4@x> ".repeat(100_000));
    let words = format!("From: a@b.example\nSubject: {}\n\nx", "=?utf-8?q?a?= ".repeat(100_000));
    let addresses = format!("From: {}\n\nx", "((((\"<a@b>,;:".repeat(100_000));
    let html = format!("From: a@b.example\nContent-Type: text/html\n\n{}", "<div><blockquote>&".repeat(200_000));
    let quotes = format!("From: a@b.example\n\n{}", "On 1 Ada wrote:\n".repeat(200_000));
    let recipients = format!(
        "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n{}",
        "Action: failed\n\n".repeat(200_000)
    );
    for (what, bytes) in [
        ("nested", nested),
        ("encoded", encoded),
        ("multiparts", multiparts),
        ("parts", parts),
        ("headers", headers),
        ("folded", folded),
        ("ids", ids),
        ("words", words),
        ("addresses", addresses),
        ("html", html),
        ("quotes", quotes),
        ("recipients", recipients),
    ] {
        let begun = std::time::Instant::now();
        if let Ok(inbound) = read(bytes.as_bytes(), &envelope("a@b.example", "bounces+msg_7b_4@shop.example")) {
            assert!(inbound.len() <= 20, "{what}");
        }
        // Far from any time it takes; a quadratic reader needs minutes.
        assert!(begun.elapsed().as_secs() < 20, "{what} took {:?}", begun.elapsed());
    }
}

/// A mail of the folder with some of its bytes replaced, removed, doubled or taken from elsewhere.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let names: Vec<String> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/email/mails"))
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path().file_stem().expect("it has a name").to_string_lossy().into_owned())
        .collect();
    let damage = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6u8, any::<u8>());
    (prop::sample::select(names), prop::collection::vec(damage, 1..20)).prop_map(|(name, damages)| {
        let mut bytes = mail(&name);
        for (at, other, kind, byte) in damages {
            if bytes.is_empty() {
                break;
            }
            let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
            let (low, high) = (at.min(other), at.max(other));
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, *b"\r\n<>=?:;\"-&".get(usize::from(byte) % 11).unwrap_or(&0)),
                2 => drop(bytes.drain(low..(low + usize::from(byte)).min(high))),
                3 => bytes.truncate(at),
                4 => {
                    let copy = bytes[low..(low + 200).min(high)].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => bytes.swap(at, other),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_damage_makes_the_reader_panic(bytes in damaged(), from in "(|ada@example.com)") {
        let _ = read(&bytes, &envelope(&from, "help@shop.example"));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &envelope("ada@example.com", "help@shop.example"));
    }
}

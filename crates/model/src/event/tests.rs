//! Events in the words of senders, and what becomes of them.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

const LINES: &str = include_str!("lines.ndjson");

fn describe(outcome: &Result<Event<'_>, EventError>) -> String {
    let mut out = String::new();
    match outcome {
        Err(error) => {
            write!(out, "{}: {error}", error.code()).unwrap();
            if let Some(source) = std::error::Error::source(error) {
                write!(out, ": {source}").unwrap();
            }
        }
        Ok(event) => {
            write!(out, "{:?} {:?} id={:?}", event.kind, event.name, event.message_id).unwrap();
            if let Some(at) = event.timestamp {
                write!(out, " at={at}").unwrap();
            }
            for Identifier { kind, value } in &event.identifiers {
                write!(out, " {kind}={value:?}").unwrap();
            }
            for (what, raw) in [("properties", &event.properties), ("traits", &event.traits), ("context", &event.context)] {
                if raw != "{}" {
                    write!(out, " {what}={raw}").unwrap();
                }
            }
            if !event.consents.is_empty() {
                write!(out, " consents={:?}", event.consents).unwrap();
            }
        }
    }
    out
}

#[test]
fn every_line_has_its_outcome() {
    let outcomes: Vec<String> = LINES.lines().map(|line| format!("{line}\n  {}", describe(&Event::parse(line, "DE")))).collect();
    insta::assert_snapshot!(outcomes.join("\n"));
}

#[test]
fn the_clock_of_the_sender_is_corrected() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let check = |members: &str, receipt: Receipt, wanted: Option<&str>| {
        let line = format!(r#"{{"type":"track","event":"e","userId":"u"{members}}}"#);
        assert_eq!(Event::parse_received(&line, "DE", &receipt).unwrap().timestamp, wanted.map(at), "{members}");
    };
    let file = Receipt::default();
    let received = Receipt { received_at: Some(at("2026-03-01T10:00:10Z")), ..file };
    let batch = Receipt { sent_at: Some(at("2026-03-01T12:00:05Z")), ..received };
    let (timestamp, original) = (r#","timestamp":"2026-03-01T12:00:00Z""#, r#","originalTimestamp":"2026-03-01T12:00:00Z""#);
    let (sent, archived) = (r#","sentAt":"2026-03-01T12:00:05Z""#, r#","receivedAt":"2026-03-01T10:00:10Z""#);
    let (as_said, corrected) = (Some("2026-03-01T12:00:00Z"), Some("2026-03-01T10:00:05Z"));
    for (members, receipt, wanted) in [
        (String::new(), received, None),
        (timestamp.to_owned(), file, as_said),
        (timestamp.to_owned(), received, as_said),
        (format!("{timestamp}{sent}"), file, as_said),
        (format!("{timestamp}{sent}{archived}"), file, as_said),
        (format!("{timestamp}{sent}"), received, corrected),
        (timestamp.to_owned(), batch, corrected),
        (original.to_owned(), file, as_said),
        (format!("{original}{sent}"), file, as_said),
        (format!("{original}{sent}{archived}"), file, corrected),
        (format!("{original}{sent}"), received, corrected),
        (format!(r#"{original}{sent},"timestamp":"2026-02-01T00:00:00Z""#), received, Some("2026-02-01T00:00:00Z")),
        (format!(r#"{original}{sent},"timestamp":null"#), received, corrected),
    ] {
        check(&members, receipt, wanted);
    }
}

#[test]
fn an_address_may_name_the_call() {
    let receipt = Receipt { kind: Some(EventKind::Identify), ..Receipt::default() };
    assert_eq!(Event::parse_received(r#"{"userId":"u"}"#, "DE", &receipt).unwrap().kind, EventKind::Identify);
    assert_eq!(Event::parse_received(r#"{"userId":"u","type":"page"}"#, "DE", &receipt).unwrap().kind, EventKind::Page);
}

#[test]
fn long_names_and_ids_are_refused_with_their_length() {
    for (field, code) in
        [("userId", "event-too-long"), ("messageId", "event-too-long"), ("event", "event-too-long"), ("traits", "event-not-an-object")]
    {
        for (length, wanted) in [(NAME_BYTES_MAX, None), (NAME_BYTES_MAX + 1, Some(code))] {
            let rest = ["userId", "event"]
                .iter()
                .filter(|other| **other != field)
                .fold(String::new(), |sum, name| sum + &format!(r#""{name}":"x","#));
            let line = format!(r#"{{"type":"track",{rest}"{field}":"{}"}}"#, "x".repeat(length));
            let found = Event::parse(&line, "DE").err().map(|error| error.code());
            assert_eq!(found, wanted.or((field == "traits").then_some(code)), "{field} {length}");
        }
    }
}

#[test]
fn every_error_has_its_page() {
    let io = || serde_json::from_str::<bool>("").unwrap_err();
    for error in [
        EventError::Json(io()),
        EventError::UnknownType(String::new()),
        EventError::NoType,
        EventError::NoName,
        EventError::NoGroupId,
        EventError::Nobody,
        EventError::Time { field: "time", source: TimeError::NotAnInstant(String::new()) },
        EventError::NoPreviousId,
        EventError::TooLong { field: "event", length: 0, limit: 0 },
        EventError::NotAnObject("traits"),
        EventError::NotText("event"),
        EventError::UnknownSpecVersion(String::new()),
        EventError::CloudEventLacks("id"),
    ] {
        let page = format!("{}/../../docs/errors/{}.md", env!("CARGO_MANIFEST_DIR"), error.code());
        assert!(
            std::fs::read_to_string(&page).is_ok_and(|text| text.contains(error.code())),
            "{page} is missing or does not name its code"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = Event::parse(&text, "DE");
    }

    /// Lines of the table, cut and glued at arbitrary places, so that the parser gets deep into them.
    #[test]
    fn mutilated_lines_never_panic(at in 0usize..LINES.len(), length in 0usize..400, cut in 0usize..400, patch in "[\"{}\\[\\],:\\\\ue0-9truefalsnl \u{e9}]{0,8}") {
        let start = LINES[..LINES.floor_char_boundary(at)].rfind('\n').map_or(0, |newline| newline + 1);
        let line: String = LINES[start..].chars().take(length).collect();
        let cut = line.floor_char_boundary(cut.min(line.len()));
        let _ = Event::parse(&format!("{}{patch}{}", &line[..cut], &line[cut..]), "DE");
    }

    #[test]
    fn what_was_sent_is_kept_as_sent(name in "[^\\s][^\u{0}]{0,20}[^\\s]", user in "[a-zA-Z0-9\"\\\\\u{e9}\u{1f600}/]{1,20}") {
        let properties = format!(r#"{{"a": {} , "b":[1.50,{{}}]}}"#, serde_json::to_string(&name).unwrap());
        let line = format!(r#" {{"properties": {properties}, "userId": {}, "event": {}, "type": "track"}} "#, serde_json::to_string(&user).unwrap(), serde_json::to_string(&name).unwrap());
        let event = Event::parse(&line, "DE").unwrap();
        prop_assert_eq!(&event.properties, &properties);
        prop_assert_eq!(&event.identifiers[0].value, &user);
        prop_assert_eq!(event.name.as_ref(), name.trim());
    }
}

#[test]
fn what_came_before_does_not_show_in_an_event() {
    // Every line after every other one, and after itself.
    let lines: Vec<&str> = LINES.lines().collect();
    let mut habits = Habits::default();
    for one in &lines {
        for other in &lines {
            for line in [one, other, other] {
                let after = describe(&Event::parse_next(line, "DE", &mut habits));
                assert_eq!(after, describe(&Event::parse(line, "DE")), "after {one}");
            }
        }
    }
}

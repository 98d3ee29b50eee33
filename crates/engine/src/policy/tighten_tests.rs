//! Which narrower rules are refused, and in which words.

use super::tests::{opt_in, region, texts};
use super::*;
use faden_model::Span;

fn global() -> PolicyFile {
    let marketing = || texts(&["marketing"]);
    PolicyFile {
        name: "global".into(),
        consent: vec![
            opt_in("marketing", None, OptIn::OptIn),
            opt_in("marketing", Some("email"), OptIn::OptOut),
            opt_in("service", None, OptIn::None),
        ],
        channels: Some(texts(&["email", "sms"])),
        quiet_hours: vec![QuietHours { purposes: marketing(), on_quiet: OnQuiet::Suppress, ..QuietHours::default() }],
        max_hold: Some(Span::DAY),
        caps: vec![Cap {
            purpose: Some("marketing".into()),
            reserve: Some(Reserve { priority: 5, slots: 1 }),
            ..Cap::new(2, Span(7 * Span::DAY.0))
        }],
        retention: vec![("events".into(), Span(400 * Span::DAY.0))],
        languages: Some(texts(&["de", "en"])),
        ..PolicyFile::default()
    }
}

/// What `build` says of one field of a region, or nothing.
fn findings(change: impl FnOnce(&mut PolicyFile)) -> Vec<String> {
    let mut own = region("north", &["NO"]);
    change(&mut own);
    match Policies::build(&[global(), own], &Home::default()) {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(|loosening| format!("{:?}: {loosening}", loosening.field)).collect(),
    }
}

#[test]
fn consent_may_only_become_stricter() {
    for (purpose, channel, kind, refused) in [
        ("marketing", None, OptIn::DoubleOptIn, false),
        ("marketing", None, OptIn::OptIn, false),
        ("marketing", None, OptIn::OptOut, true),
        ("marketing", Some("sms"), OptIn::OptOut, true),
        ("marketing", Some("email"), OptIn::OptOut, false),
        ("marketing", Some("email"), OptIn::None, true),
        ("service", None, OptIn::OptOut, false),
        // Named nowhere globally: `opt_in` holds.
        ("news", None, OptIn::OptIn, false),
        ("news", None, OptIn::OptOut, true),
    ] {
        let found = findings(|own| own.consent = vec![opt_in(purpose, channel, kind)]);
        assert_eq!(!found.is_empty(), refused, "{purpose} {channel:?} {kind:?}: {found:?}");
    }
}

#[test]
fn lists_and_limits_may_only_become_shorter() {
    let days = |days: i64| Span(days * Span::DAY.0);
    for (refused, change) in [
        (false, Box::new(|own: &mut PolicyFile| own.channels = Some(texts(&["email"]))) as Box<dyn FnOnce(&mut PolicyFile)>),
        (false, Box::new(|own| own.channels = Some(Vec::new()))),
        (true, Box::new(|own| own.channels = Some(texts(&["email", "whatsapp"])))),
        (false, Box::new(|own| own.languages = Some(texts(&["en"])))),
        (true, Box::new(|own| own.languages = Some(texts(&["no"])))),
        (false, Box::new(|own| own.max_hold = Some(Span::HOUR))),
        (true, Box::new(move |own| own.max_hold = Some(days(2)))),
        (false, Box::new(move |own| own.retention = vec![("events".into(), days(400)), ("messages".into(), days(9999))])),
        (true, Box::new(move |own| own.retention = vec![("events".into(), days(401))])),
    ] {
        let found = findings(change);
        assert_eq!(!found.is_empty(), refused, "{found:?}");
    }
}

#[test]
fn quiet_hours_may_be_added_to_but_not_shrunk() {
    let base = || QuietHours { purposes: texts(&["marketing"]), on_quiet: OnQuiet::Suppress, ..QuietHours::default() };
    for (quiet, refused) in [
        (base(), false),
        (QuietHours { from: 19 * 60, ..base() }, false),
        (QuietHours { to: 10 * 60, from: 21 * 60, ..base() }, false),
        (QuietHours { from: 12 * 60, to: 14 * 60, ..base() }, false),
        (QuietHours { purposes: Vec::new(), from: 22 * 60, ..base() }, false),
        (QuietHours { purposes: texts(&["service"]), from: 22 * 60, ..base() }, false),
        (QuietHours { from: 22 * 60, ..base() }, true),
        (QuietHours { to: 8 * 60, ..base() }, true),
        (QuietHours { days: 0b001_1111, ..base() }, true),
        (QuietHours { from: 22 * 60, channels: texts(&["sms"]), ..base() }, true),
        (QuietHours { on_quiet: OnQuiet::Hold, ..base() }, true),
    ] {
        let found = findings(|own| own.quiet_hours = vec![quiet.clone()]);
        assert_eq!(!found.is_empty(), refused, "{quiet:?}: {found:?}");
    }
}

#[test]
fn caps_that_could_never_matter_are_refused() {
    let week = Span(7 * Span::DAY.0);
    let reserve = Some(Reserve { priority: 5, slots: 1 });
    let base = || Cap { purpose: Some("marketing".into()), reserve, ..Cap::new(2, week) };
    for (cap, refused) in [
        (base(), false),
        (Cap { max: 1, ..base() }, false),
        (Cap { max: 9, within: Span(30 * Span::DAY.0), ..base() }, false),
        (Cap { purpose: None, max: 9, ..base() }, false),
        (Cap { purpose: Some("service".into()), max: 9, ..base() }, false),
        (Cap { reserve: Some(Reserve { priority: 9, slots: 1 }), ..base() }, false),
        (Cap { reserve: Some(Reserve { priority: 5, slots: 2 }), ..base() }, false),
        (Cap { max: 3, ..base() }, true),
        (Cap { within: Span::DAY, ..base() }, true),
        (Cap { max: 3, channel: Some("sms".into()), ..base() }, true),
        (Cap { max: 3, per_journey: true, ..base() }, true),
        (Cap { reserve: None, ..base() }, true),
        (Cap { reserve: Some(Reserve { priority: 4, slots: 1 }), ..base() }, true),
    ] {
        let found = findings(|own| own.caps = vec![cap.clone()]);
        assert_eq!(!found.is_empty(), refused, "{cap:?}: {found:?}");
    }
}

#[test]
fn a_finding_says_what_is_written_where_and_what_to_write_instead() {
    let found = findings(|own| {
        own.consent = vec![opt_in("marketing", None, OptIn::DoubleOptIn), opt_in("news", Some("sms"), OptIn::None)];
        own.channels = Some(texts(&["email", "whatsapp"]));
        own.quiet_hours = vec![QuietHours { from: 22 * 60, days: 0b110_0000, purposes: texts(&["marketing"]), ..QuietHours::default() }];
        own.max_hold = Some(Span(2 * Span::DAY.0));
        own.caps = vec![Cap { purpose: Some("marketing".into()), ..Cap::new(3, Span(7 * Span::DAY.0)) }];
        own.retention = vec![("events".into(), Span(500 * Span::DAY.0))];
        own.languages = Some(texts(&["no"]));
    });
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn every_narrower_file_is_held_against_all_global_ones() {
    let strict = PolicyFile { consent: vec![opt_in("marketing", None, OptIn::DoubleOptIn)], ..global() };
    let mut brand = PolicyFile { name: "gold".into(), level: Level::Brand { name: "gold".into() }, ..PolicyFile::default() };
    brand.consent = vec![opt_in("marketing", None, OptIn::OptIn)];
    let found = Policies::build(&[global(), brand, strict], &Home::default()).unwrap_err();
    assert_eq!(found.iter().map(|loosening| (loosening.file, &*loosening.policy)).collect::<Vec<_>>(), [(1, "gold")]);
}

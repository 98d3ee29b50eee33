//! The gate, as tables: who may get what, when, and which rule says so.

use super::*;
use faden_model::{Span, Text, Timestamp};

pub(super) const EMAIL: Address<'static> = Address { channel: "email", value: "ada@example.com" };
pub(super) const SMS: Address<'static> = Address { channel: "sms", value: "+4915112345678" };

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn span(text: &str) -> Span {
    Span::parse(text).unwrap()
}

pub(super) fn texts(names: &[&str]) -> Vec<Text> {
    names.iter().map(|name| Text::new(name)).collect()
}

pub(super) fn opt_in(purpose: &str, channel: Option<&str>, kind: OptIn) -> ConsentRule {
    ConsentRule { purpose: purpose.into(), channel: channel.map(Text::new), kind }
}

fn marketing(kind: OptIn) -> PolicyFile {
    PolicyFile { name: "global".into(), consent: vec![opt_in("marketing", None, kind)], ..PolicyFile::default() }
}

pub(super) fn region(name: &str, countries: &[&str]) -> PolicyFile {
    PolicyFile { name: name.into(), level: Level::Region { name: name.into(), countries: texts(countries) }, ..PolicyFile::default() }
}

fn brand(name: &str) -> PolicyFile {
    PolicyFile { name: name.into(), level: Level::Brand { name: name.into() }, ..PolicyFile::default() }
}

fn build(files: &[PolicyFile]) -> Policies {
    Policies::build(files, &Home { country: "DE".into(), time_zone: "Europe/Berlin".into() }).unwrap()
}

pub(super) fn consent(purpose: &str, channel: Option<&str>, point: Option<&str>, state: ConsentState, time: &str) -> ConsentEntry {
    ConsentEntry {
        purpose: purpose.into(),
        channel: channel.map(Text::new),
        point: point.map(Text::new),
        state,
        at: at(time),
        proof: "m1".into(),
    }
}

/// Somebody reachable by e-mail and text message who granted marketing long ago.
struct Ada {
    country: Option<&'static str>,
    brand: Option<&'static str>,
    time_zone: Option<&'static str>,
    contact_times: Option<&'static str>,
    preferred: Option<&'static str>,
    addresses: Vec<Address<'static>>,
    consents: Vec<ConsentEntry>,
    sent: Vec<SentEntry>,
    suppressed: Vec<SuppressedAddress>,
}

impl Default for Ada {
    fn default() -> Ada {
        Ada {
            country: Some("DE"),
            brand: None,
            time_zone: Some("Europe/Berlin"),
            contact_times: None,
            preferred: None,
            addresses: vec![EMAIL, SMS],
            consents: vec![consent("marketing", None, None, ConsentState::Granted, "2020-01-01T00:00:00Z")],
            sent: Vec::new(),
            suppressed: Vec::new(),
        }
    }
}

impl Ada {
    fn contact(&self) -> Contact<'_> {
        Contact {
            country: self.country,
            brand: self.brand,
            time_zone: self.time_zone,
            contact_times: self.contact_times.and_then(ContactTimes::parse),
            addresses: &self.addresses,
            preferred_channel: self.preferred,
            consents: &self.consents,
            sent: &self.sent,
            suppressed: &self.suppressed,
        }
    }

    /// A marketing message, as one line: `send email`, `hold 2026-... quiet_hours...@global`, `stop RULE@FILE`.
    fn ask(&self, policies: &Policies, time: &str, channels: &[&str]) -> String {
        self.ask_as(policies, Request { channels: &texts(channels), ..request(time) })
    }

    fn ask_as(&self, policies: &Policies, request: Request<'_>) -> String {
        let mut checks = Vec::new();
        let contact = self.contact();
        let explained = line(&gate(policies, &contact, &request, Some(&mut checks)));
        assert_eq!(line(&gate(policies, &contact, &request, None)), explained, "explaining changes nothing");
        if let Some(stopped) = explained.strip_prefix("stop ").filter(|rule| !rule.starts_with("channel.none")) {
            let written = |check: &Check| format!("{}@{}", check.rule.code, check.rule.policy);
            assert!(checks.iter().any(|check| check.outcome == Outcome::Stopped && written(check) == stopped), "{checks:?}");
        }
        explained
    }
}

fn request(time: &str) -> Request<'static> {
    Request { at: at(time), due: at(time), purpose: "marketing", channels: &[], priority: 0, journey: 1 }
}

fn line(verdict: &Verdict<'_>) -> String {
    match verdict {
        Verdict::Send { channel, .. } => format!("send {channel}"),
        Verdict::Hold { until, rule } => format!("hold {until} {}@{}", rule.code, rule.policy),
        Verdict::Suppress { rule } => format!("stop {}@{}", rule.code, rule.policy),
    }
}

const NOON: &str = "2026-03-02T12:00:00Z";

#[test]
fn without_policy_files_everything_needs_opt_in_and_nothing_else() {
    let policies = Policies::default();
    assert_eq!(Ada::default().ask(&policies, NOON, &["email"]), "send email");
    let stranger = Ada { consents: Vec::new(), country: None, time_zone: None, ..Ada::default() };
    assert_eq!(stranger.ask(&policies, NOON, &["email"]), "stop consent.marketing.opt_in@");
    assert_eq!(policies.effective(None, None).opt_in("anything", "email"), OptIn::OptIn);
}

#[test]
fn consent_is_read_as_a_regulator_would() {
    use ConsentState::{Confirmed, Granted, Withdrawn};
    let (one, two, three) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z");
    let sms = Some("sms");
    let point = Some(SMS.value);
    let general = |state, time| consent("marketing", None, None, state, time);
    let on_sms = |state, time| consent("marketing", sms, None, state, time);
    let at_point = |state, time| consent("marketing", sms, point, state, time);
    let everything = |channel, state, time| consent(EVERYTHING, channel, None, state, time);
    let (yes, missing, withdrawn) = ("send sms", "stop consent.marketing.KIND@global", "stop consent.marketing.withdrawn@global");
    for (name, entries, [none, opt_out, opt_in, double]) in [
        ("nothing known", vec![], [yes, yes, missing, missing]),
        ("granted", vec![general(Granted, one)], [yes, yes, yes, missing]),
        ("confirmed", vec![general(Confirmed, one)], [yes, yes, yes, yes]),
        ("granted again after a confirmation", vec![general(Confirmed, one), general(Granted, two)], [yes, yes, yes, yes]),
        ("withdrawn", vec![general(Withdrawn, one)], [yes, withdrawn, withdrawn, withdrawn]),
        ("granted, then withdrawn", vec![general(Granted, one), general(Withdrawn, two)], [yes, withdrawn, withdrawn, withdrawn]),
        ("withdrawn, then granted", vec![general(Withdrawn, one), general(Granted, two)], [yes, yes, yes, withdrawn]),
        ("both at once", vec![general(Granted, one), general(Withdrawn, one)], [yes, withdrawn, withdrawn, withdrawn]),
        (
            "confirmed, withdrawn, granted",
            vec![general(Confirmed, one), general(Withdrawn, two), general(Granted, three)],
            [yes, yes, yes, withdrawn],
        ),
        (
            "stopped here, then granted in general",
            vec![on_sms(Withdrawn, one), general(Granted, two)],
            [yes, withdrawn, withdrawn, withdrawn],
        ),
        ("stopped in general, then granted here", vec![general(Withdrawn, one), on_sms(Granted, two)], [yes, yes, yes, withdrawn]),
        (
            "stopped at the number, then granted on the channel",
            vec![at_point(Withdrawn, one), on_sms(Granted, two)],
            [yes, withdrawn, withdrawn, withdrawn],
        ),
        ("stopped at the number, then granted there", vec![at_point(Withdrawn, one), at_point(Granted, two)], [yes, yes, yes, withdrawn]),
        (
            "stopped elsewhere",
            vec![general(Granted, one), consent("marketing", Some("email"), None, Withdrawn, two)],
            [yes, yes, yes, missing],
        ),
        ("granted elsewhere only", vec![consent("marketing", Some("email"), None, Granted, one)], [yes, yes, missing, missing]),
        ("granted for another purpose", vec![consent("news", None, None, Granted, one)], [yes, yes, missing, missing]),
        ("granted at an old number", vec![consent("marketing", sms, Some("+1"), Granted, one)], [yes, yes, missing, missing]),
        ("everything stopped", vec![general(Granted, one), everything(sms, Withdrawn, two)], [withdrawn, withdrawn, withdrawn, withdrawn]),
        (
            "everything stopped, then granted in general",
            vec![everything(sms, Withdrawn, one), general(Granted, two)],
            [withdrawn, withdrawn, withdrawn, withdrawn],
        ),
        ("everything stopped, then granted here", vec![everything(sms, Withdrawn, one), on_sms(Granted, two)], [yes, yes, yes, withdrawn]),
        ("everything granted", vec![everything(None, Granted, one)], [yes, yes, missing, missing]),
        ("granted tomorrow", vec![general(Granted, "2026-03-03T00:00:00Z")], [yes, yes, missing, missing]),
        (
            "withdrawn tomorrow",
            vec![general(Granted, one), general(Withdrawn, "2026-03-03T00:00:00Z")],
            [yes, withdrawn, withdrawn, withdrawn],
        ),
    ] {
        let ada = Ada { consents: entries, ..Ada::default() };
        for (kind, expected) in OptIn::ALL.into_iter().zip([none, opt_out, opt_in, double]) {
            let expected = expected.replace("KIND", kind.name());
            assert_eq!(ada.ask(&build(&[marketing(kind)]), NOON, &["sms"]), expected, "{name}, {}", kind.name());
        }
    }
}

#[test]
fn recording_keeps_the_latest_of_each_state_and_scope() {
    let mut entries = Vec::new();
    for (state, time) in [
        (ConsentState::Granted, "2026-01-02T00:00:00Z"),
        (ConsentState::Granted, "2026-01-01T00:00:00Z"),
        (ConsentState::Withdrawn, "2026-01-01T00:00:00Z"),
        (ConsentState::Granted, "2026-01-03T00:00:00Z"),
    ] {
        record_consent(&mut entries, consent("marketing", None, None, state, time));
    }
    assert_eq!(
        entries,
        [
            consent("marketing", None, None, ConsentState::Granted, "2026-01-03T00:00:00Z"),
            consent("marketing", None, None, ConsentState::Withdrawn, "2026-01-01T00:00:00Z"),
        ]
    );
}

#[test]
fn a_channel_rule_stands_above_the_general_one_of_its_file() {
    let mut global = marketing(OptIn::OptIn);
    global.consent.push(opt_in("marketing", Some("email"), OptIn::OptOut));
    global.consent.push(opt_in("marketing", Some("sms"), OptIn::DoubleOptIn));
    let policies = build(&[global]);
    let stranger = Ada { consents: Vec::new(), ..Ada::default() };
    assert_eq!(stranger.ask(&policies, NOON, &["email"]), "send email");
    assert_eq!(Ada::default().ask(&policies, NOON, &["sms"]), "stop consent.marketing.double_opt_in@global");
    assert_eq!(stranger.ask(&policies, NOON, &["push"]), "stop address.missing@");
}

#[test]
fn the_first_channel_that_passes_sends_and_the_furthest_one_explains() {
    let mut global = marketing(OptIn::OptIn);
    global.channels = Some(texts(&["email", "sms"]));
    let policies = build(&[global]);
    let ada = Ada::default();
    for (channels, preferred, expected) in [
        (vec!["email", "sms"], None, "send email"),
        (vec!["email", "sms"], Some("sms"), "send sms"),
        (vec!["email", "sms"], Some("push"), "send email"),
        (vec!["push", "sms"], Some("push"), "send sms"),
        (vec!["push"], None, "stop channel.push.allowed@global"),
        (vec![], None, "stop channel.none@"),
    ] {
        assert_eq!(Ada { preferred, ..Ada::default() }.ask(&policies, NOON, &channels), expected, "{channels:?} {preferred:?}");
    }
    let no_consent = Ada { consents: Vec::new(), addresses: vec![SMS], ..ada };
    assert_eq!(no_consent.ask(&policies, NOON, &["push", "email", "sms"]), "stop consent.marketing.opt_in@global");
}

#[test]
fn suppressed_addresses_get_nothing() {
    let mut global = marketing(OptIn::OptIn);
    global.suppressed = texts(&["@example.com"]);
    let policies = build(&[global]);
    assert_eq!(Ada::default().ask(&policies, NOON, &["email"]), "stop suppression_list@global");
    assert_eq!(Ada::default().ask(&policies, NOON, &["email", "sms"]), "send sms");
    let bounced = Ada { suppressed: vec![SuppressedAddress { address: SMS.value.into(), reason: "bounce".into() }], ..Ada::default() };
    assert_eq!(bounced.ask(&policies, NOON, &["sms"]), "stop suppressed.bounce@");
}

#[test]
fn a_customers_own_contact_times_hold_like_quiet_hours_and_never_loosen_them() {
    let (day, night, split) = ("2026-03-02T11:00:00Z", "2026-03-01T22:30:00Z", "2026-03-02T16:30:00Z");
    let mut by_policy = PolicyFile { quiet_hours: vec![QuietHours::default()], ..marketing(OptIn::OptIn) };
    by_policy.consent.push(opt_in("service", None, OptIn::None));
    let policies = build(&[by_policy]);
    let table = [
        // Berlin is an hour ahead: 12:00, 23:30 and 17:30.
        ("09:00-18:00", day, "send email"),
        ("09:00-18:00", night, "hold 2026-03-02T08:00:00Z quiet_hours.20:00-09:00@global"),
        ("13:00-18:00", day, "hold 2026-03-02T12:00:00Z contact_times@"),
        ("13:00-24:00", night, "hold 2026-03-02T12:00:00Z quiet_hours.20:00-09:00@global"),
        ("00:00-17:30", split, "hold 2026-03-03T08:00:00Z contact_times@"),
        ("00:00-17:31", split, "send email"),
        ("22:00-10:30", day, "hold 2026-03-03T08:00:00Z contact_times@"),
        ("21:00-08:00", day, "stop quiet_hours.never_free@"),
        // What is no such span says nothing.
        ("evenings", day, "send email"),
        ("9:00-10:00", day, "send email"),
        ("13:00-13:00", day, "send email"),
        ("00:00-24:00", day, "send email"),
        ("13:00-25:00", day, "send email"),
        ("13:60-14:00", day, "send email"),
        ("+1:00-02:00", day, "send email"),
    ];
    for (times, time, expected) in table {
        let ada = Ada { contact_times: Some(times), ..Ada::default() };
        assert_eq!(ada.ask(&policies, time, &["email"]), expected, "{times} at {time}");
    }
    let ada = Ada { contact_times: Some("13:00-18:00"), ..Ada::default() };
    let service = Request { purpose: "service", channels: &texts(&["email"]), ..request(day) };
    assert_eq!(ada.ask_as(&policies, service), "send email", "what heeds no consent heeds no wish");
}

#[test]
fn quiet_hours_hold_until_they_end_where_the_customer_lives() {
    let mut global = marketing(OptIn::OptIn);
    global.quiet_hours = vec![QuietHours { purposes: texts(&["marketing"]), ..QuietHours::default() }];
    let policies = build(&[global]);
    for (country, time_zone, time, expected) in [
        (Some("DE"), Some("Asia/Yerevan"), "2026-03-01T19:30:00Z", "hold 2026-03-02T05:00:00Z quiet_hours.20:00-09:00@global"),
        (Some("DE"), Some("Asia/Yerevan"), "2026-03-02T05:00:00Z", "send email"),
        // The country's zones where the zone is unknown or nonsense: Spain has the Canary Islands.
        (Some("ES"), None, "2026-03-02T08:30:00Z", "hold 2026-03-02T09:00:00Z quiet_hours.20:00-09:00@global"),
        (Some("ES"), Some("Mars/Olympus"), "2026-03-02T18:59:59Z", "send email"),
        (Some("ES"), Some("Mars/Olympus"), "2026-03-02T19:00:00Z", "hold 2026-03-03T09:00:00Z quiet_hours.20:00-09:00@global"),
        // All of the United States: from 9:00 in Honolulu to 20:00 in New York.
        (Some("US"), None, "2026-01-05T12:00:00Z", "hold 2026-01-05T19:00:00Z quiet_hours.20:00-09:00@global"),
        (Some("US"), None, "2026-01-05T23:00:00Z", "send email"),
        (Some("US"), None, "2026-01-06T01:00:00Z", "hold 2026-01-06T19:00:00Z quiet_hours.20:00-09:00@global"),
        // The overseas parts of France have country codes of their own.
        (Some("FR"), None, "2026-03-02T08:00:00Z", "send email"),
        // Nothing known: the workspace is at home in Germany.
        (None, None, "2026-03-02T07:00:00Z", "hold 2026-03-02T08:00:00Z quiet_hours.20:00-09:00@global"),
        (Some("XX"), None, "2026-03-02T08:00:00Z", "send email"),
    ] {
        let ada = Ada { country, time_zone, ..Ada::default() };
        assert_eq!(ada.ask(&policies, time, &["email"]), expected, "{country:?} {time_zone:?} {time}");
    }
}

#[test]
fn unknown_is_never_allowed_when_no_instant_suits_every_possible_zone() {
    let mut global = marketing(OptIn::OptIn);
    global.quiet_hours = vec![QuietHours::default()];
    let lost = Ada { country: None, time_zone: None, ..Ada::default() };
    // Samoa and Hawaii are nearly a day apart: 11 waking hours never meet.
    let pacific = build(&[global.clone(), region("pacific", &["WS", "US"])]);
    assert_eq!(lost.ask(&pacific, NOON, &["email"]), "stop quiet_hours.never_free@global");
    let nowhere = Policies::build(&[global.clone()], &Home::default()).unwrap();
    assert_eq!(lost.ask(&nowhere, NOON, &["email"]), "stop quiet_hours.never_free@global");
    global.quiet_hours = vec![QuietHours { from: 0, to: 0, ..QuietHours::default() }];
    assert_eq!(Ada::default().ask(&build(&[global]), NOON, &["email"]), "stop quiet_hours.never_free@global");
}

#[test]
fn a_hold_can_be_refused_or_be_too_long() {
    let night = "2026-03-01T21:00:00Z";
    let quiet = |on_quiet| QuietHours { on_quiet, channels: texts(&["sms"]), ..QuietHours::default() };
    let mut global = marketing(OptIn::OptIn);
    global.quiet_hours = vec![quiet(OnQuiet::Suppress)];
    assert_eq!(Ada::default().ask(&build(&[global.clone()]), night, &["sms"]), "stop quiet_hours.20:00-09:00@global");
    assert_eq!(Ada::default().ask(&build(&[global.clone()]), night, &["sms", "email"]), "send email");
    global.quiet_hours = vec![quiet(OnQuiet::Hold)];
    global.max_hold = Some(span("11h"));
    let policies = build(&[global]);
    let channels = texts(&["sms"]);
    for (due, expected) in
        [(night, "hold 2026-03-02T08:00:00Z quiet_hours.20:00-09:00@global"), ("2026-03-01T20:59:59Z", "stop max_hold.11h@global")]
    {
        let request = Request { due: at(due), channels: &channels, ..request(night) };
        assert_eq!(Ada::default().ask_as(&policies, request), expected, "{due}");
    }
}

#[test]
fn caps_count_half_open_windows_of_what_they_name() {
    let sent = |time: &str, purpose: &str, channel: &str, journey: u64| SentEntry {
        at: at(time),
        purpose: purpose.into(),
        channel: channel.into(),
        journey,
        priority: 0,
    };
    let cap = || Cap::new(1, span("20d"));
    let stop = |code: &str| format!("stop cap.{code}@global");
    for (cap, sent, expected) in [
        (cap(), vec![], "send email".to_owned()),
        (cap(), vec![sent("2026-02-10T12:00:00Z", "marketing", "email", 1)], "send email".to_owned()),
        (cap(), vec![sent("2026-02-10T12:00:00.001Z", "marketing", "email", 1)], stop("all.1_in_20d")),
        (cap(), vec![sent(NOON, "service", "sms", 9)], stop("all.1_in_20d")),
        (cap(), vec![sent("2026-03-02T12:00:00.001Z", "marketing", "email", 1)], "send email".to_owned()),
        (Cap { purpose: Some("marketing".into()), ..cap() }, vec![sent(NOON, "service", "sms", 9)], "send email".to_owned()),
        (Cap { purpose: Some("service".into()), ..cap() }, vec![sent(NOON, "service", "email", 1)], "send email".to_owned()),
        (Cap { channel: Some("email".into()), ..cap() }, vec![sent(NOON, "marketing", "sms", 1)], "send email".to_owned()),
        (Cap { channel: Some("email".into()), ..cap() }, vec![sent(NOON, "x", "email", 1)], stop("all.email.1_in_20d")),
        (Cap { per_journey: true, ..cap() }, vec![sent(NOON, "marketing", "email", 2)], "send email".to_owned()),
        (Cap { per_journey: true, ..cap() }, vec![sent(NOON, "marketing", "email", 1)], stop("all.1_in_20d.per_journey")),
        (Cap::new(0, span("1d")), vec![], stop("all.0_in_1d")),
    ] {
        let mut global = marketing(OptIn::OptIn);
        global.caps = vec![cap.clone()];
        let ada = Ada { sent: sent.clone(), ..Ada::default() };
        assert_eq!(ada.ask(&build(&[global]), NOON, &["email"]), expected, "{cap:?} {sent:?}");
    }
}

#[test]
fn a_reserve_keeps_slots_for_what_is_important() {
    let mut global = marketing(OptIn::OptIn);
    global.caps = vec![Cap { reserve: Some(Reserve { priority: 10, slots: 1 }), ..Cap::new(2, span("7d")) }];
    let policies = build(&[global]);
    let entry = SentEntry { at: at(NOON), purpose: "marketing".into(), channel: "email".into(), journey: 1, priority: 0 };
    let channels = texts(&["email"]);
    for (count, priority, sends) in [(0, 9, true), (1, 9, false), (1, 10, true), (2, 10, false), (2, 99, false)] {
        let ada = Ada { sent: vec![entry.clone(); count], ..Ada::default() };
        let answer = ada.ask_as(&policies, Request { priority, channels: &channels, ..request(NOON) });
        assert_eq!(answer, if sends { "send email" } else { "stop cap.all.2_in_7d@global" }, "{count} sent, priority {priority}");
    }
}

#[test]
fn regions_and_brands_add_their_rules_and_an_unknown_country_has_all_of_them() {
    let mut germany = region("germany", &["DE", "at"]);
    germany.consent = vec![opt_in("marketing", None, OptIn::DoubleOptIn)];
    let mut america = region("america", &["US"]);
    america.channels = Some(texts(&["email"]));
    let mut gold = brand("gold");
    gold.caps = vec![Cap::new(0, span("1d"))];
    let policies = build(&[marketing(OptIn::OptIn), germany, america, gold]);
    for (country, brand, channel, expected) in [
        (Some("FR"), None, "sms", "send sms"),
        (Some("DE"), None, "sms", "stop consent.marketing.double_opt_in@germany"),
        (Some("de"), None, "sms", "stop consent.marketing.double_opt_in@germany"),
        (Some("AT"), None, "sms", "stop consent.marketing.double_opt_in@germany"),
        (Some("US"), None, "email", "send email"),
        (Some("US"), None, "sms", "stop channel.sms.allowed@america"),
        (Some("US"), Some("gold"), "email", "stop cap.all.0_in_1d@gold"),
        (Some("US"), Some("silver"), "email", "send email"),
        (None, None, "sms", "stop channel.sms.allowed@america"),
        (None, None, "email", "stop consent.marketing.double_opt_in@germany"),
        (Some("Germany"), None, "email", "stop consent.marketing.double_opt_in@germany"),
        (Some("XX"), None, "email", "stop consent.marketing.double_opt_in@germany"),
    ] {
        let ada = Ada { country, brand, ..Ada::default() };
        assert_eq!(ada.ask(&policies, NOON, &[channel]), expected, "{country:?} {brand:?} {channel}");
    }
}

#[test]
fn what_is_carried_as_data_is_the_tightest_of_the_files() {
    let mut global = marketing(OptIn::OptIn);
    global.retention = vec![("events".into(), span("400d")), ("messages".into(), span("90d"))];
    global.languages = Some(texts(&["de", "en"]));
    global.tone = Some("friendly".into());
    let mut germany = region("germany", &["DE"]);
    germany.retention = vec![("events".into(), span("200d"))];
    germany.languages = Some(texts(&["de"]));
    let policies = build(&[global, germany]);
    let (here, there) = (policies.effective(Some("DE"), None), policies.effective(Some("FR"), None));
    assert_eq!((here.retention("events"), here.retention("messages"), here.retention("x")), (Some(span("200d")), Some(span("90d")), None));
    assert_eq!(there.retention("events"), Some(span("400d")));
    assert_eq!(here.languages(), Some(&texts(&["de"])[..]));
    assert_eq!((there.languages().map(<[Text]>::len), there.tone()), (Some(2), Some("friendly")));
}

#[test]
fn sent_messages_are_forgotten_when_no_cap_can_count_them() {
    let mut global = marketing(OptIn::OptIn);
    global.caps = vec![Cap::new(1, span("1d")), Cap::new(3, span("7d"))];
    let policies = build(&[global]);
    let entry = |time: &str| SentEntry { at: at(time), purpose: "m".into(), channel: "e".into(), journey: 1, priority: 0 };
    let mut sent = vec![entry("2026-02-23T12:00:00Z"), entry("2026-02-23T12:00:01Z"), entry(NOON)];
    prune(&mut sent, at(NOON), policies.window_max());
    assert_eq!(sent, [entry("2026-02-23T12:00:01Z"), entry(NOON)]);
}

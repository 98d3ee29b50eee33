//! Laws of the gate, on random policies, customers and messages.

use super::tests::{EMAIL, SMS, at, opt_in, region, texts};
use super::*;
use faden_model::{Span, Text, Timestamp};
use proptest::prelude::*;

const PURPOSES: [&str; 2] = ["marketing", "service"];
const CHANNELS: [&str; 2] = ["email", "sms"];
const START: &str = "2026-03-27T00:00:00Z";

fn some_name(names: [&'static str; 2]) -> impl Strategy<Value = Option<Text>> {
    prop::option::of(prop::sample::select(names.to_vec()).prop_map(Text::new))
}

fn some_names(names: [&'static str; 2]) -> impl Strategy<Value = Vec<Text>> {
    prop::sample::subsequence(names.to_vec(), 0..=2).prop_map(|names| texts(&names))
}

fn consent_rule() -> impl Strategy<Value = ConsentRule> {
    (prop::sample::select(PURPOSES.to_vec()), some_name(CHANNELS), prop::sample::select(OptIn::ALL.to_vec()))
        .prop_map(|(purpose, channel, kind)| opt_in(purpose, channel.as_deref(), kind))
}

fn quiet_hours() -> impl Strategy<Value = QuietHours> {
    let on_quiet = prop_oneof![3 => Just(OnQuiet::Hold), 1 => Just(OnQuiet::Suppress)];
    (0u16..24, 0u16..24, 1u8..128, some_names(PURPOSES), some_names(CHANNELS), on_quiet).prop_map(
        |(from, to, days, purposes, channels, on_quiet)| QuietHours { from: from * 60, to: to * 60, days, purposes, channels, on_quiet },
    )
}

fn cap() -> impl Strategy<Value = Cap> {
    let reserve = prop::option::of((0i32..3, 0u32..3).prop_map(|(priority, slots)| Reserve { priority, slots }));
    (some_name(PURPOSES), some_name(CHANNELS), 0u32..4, 1i64..60, any::<bool>(), reserve).prop_map(
        |(purpose, channel, max, hours, per_journey, reserve)| Cap {
            purpose,
            channel,
            max,
            within: Span(hours * Span::HOUR.0),
            per_journey,
            reserve,
        },
    )
}

fn file() -> impl Strategy<Value = PolicyFile> {
    (
        prop::collection::vec(consent_rule(), 0..3),
        prop::option::of(some_names(CHANNELS)),
        prop::collection::vec(quiet_hours(), 0..4),
        prop::option::of((0i64..30).prop_map(|hours| Span(hours * Span::HOUR.0))),
        prop::collection::vec(cap(), 0..3),
        prop::sample::subsequence(vec!["ada@example.com", "@example.org"], 0..=1),
    )
        .prop_map(|(consent, channels, quiet_hours, max_hold, caps, suppressed)| PolicyFile {
            name: "global".into(),
            consent,
            channels,
            quiet_hours,
            max_hold,
            caps,
            suppressed: texts(&suppressed),
            ..PolicyFile::default()
        })
}

fn hours_from_start(hours: i64) -> Timestamp {
    at(START) + Span(hours * Span::HOUR.0)
}

fn consent_entry() -> impl Strategy<Value = ConsentEntry> {
    let states = vec![ConsentState::Granted, ConsentState::Confirmed, ConsentState::Confirmed, ConsentState::Withdrawn];
    let purposes = vec!["marketing", "service", EVERYTHING];
    let point = prop::option::of(prop::sample::select(vec![EMAIL.value, SMS.value]));
    (prop::sample::select(purposes), some_name(CHANNELS), point, prop::sample::select(states), 0i64..8).prop_map(
        |(purpose, channel, point, state, hours)| ConsentEntry {
            purpose: purpose.into(),
            channel,
            point: point.map(Text::new),
            state,
            at: hours_from_start(hours - 10),
            proof: "m1".into(),
        },
    )
}

fn sent_entry() -> impl Strategy<Value = SentEntry> {
    (prop::sample::select(PURPOSES.to_vec()), prop::sample::select(CHANNELS.to_vec()), 0i64..100, 0u64..2, 0i32..3).prop_map(
        |(purpose, channel, hours, journey, priority)| SentEntry {
            at: hours_from_start(hours),
            purpose: purpose.into(),
            channel: channel.into(),
            journey,
            priority,
        },
    )
}

#[derive(Clone, Debug)]
struct Someone {
    country: Option<&'static str>,
    time_zone: Option<&'static str>,
    contact_times: Option<ContactTimes>,
    preferred: Option<&'static str>,
    consents: Vec<ConsentEntry>,
    sent: Vec<SentEntry>,
}

fn someone() -> impl Strategy<Value = Someone> {
    (
        prop::sample::select(vec![None, Some("DE"), Some("US"), Some("AU"), Some("XX")]),
        prop::sample::select(vec![None, None, Some("Europe/Berlin"), Some("Pacific/Apia"), Some("Mars/Olympus")]),
        prop::sample::select(vec![None, None, ContactTimes::parse("09:00-18:00"), ContactTimes::parse("22:00-02:00")]),
        prop::sample::select(vec![None, Some("sms")]),
        prop::collection::vec(consent_entry(), 0..5),
        prop::collection::vec(sent_entry(), 0..4),
    )
        .prop_map(|(country, time_zone, contact_times, preferred, consents, sent)| Someone {
            country,
            time_zone,
            contact_times,
            preferred,
            consents,
            sent,
        })
}

impl Someone {
    fn contact(&self) -> Contact<'_> {
        Contact {
            country: self.country,
            brand: None,
            time_zone: self.time_zone,
            contact_times: self.contact_times,
            addresses: &[EMAIL, SMS],
            preferred_channel: self.preferred,
            consents: &self.consents,
            sent: &self.sent,
            suppressed: &[],
        }
    }
}

#[derive(Clone, Debug)]
struct Wish {
    hours: i64,
    purpose: &'static str,
    channels: Vec<Text>,
    priority: i32,
    journey: u64,
}

fn wish() -> impl Strategy<Value = Wish> {
    (0i64..100, prop::sample::select(PURPOSES.to_vec()), some_names(CHANNELS), 0i32..3, 0u64..2)
        .prop_map(|(hours, purpose, channels, priority, journey)| Wish { hours, purpose, channels, priority, journey })
}

impl Wish {
    fn request(&self) -> Request<'_> {
        let at = hours_from_start(self.hours);
        Request { at, due: at, purpose: self.purpose, channels: &self.channels, priority: self.priority, journey: self.journey }
    }
}

fn home() -> Home {
    Home { country: "DE".into(), time_zone: "Europe/Berlin".into() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn what_a_region_lets_through_the_global_policy_lets_through(global in file(), own in file(), someone in someone(), wish in wish()) {
        let own = PolicyFile { name: "own".into(), level: region("own", &["DE"]).level, ..own };
        let wide = Policies::build(std::slice::from_ref(&global), &home()).unwrap();
        if let Ok(both) = Policies::build(&[global, own], &home()) {
            let (contact, request) = (someone.contact(), wish.request());
            if let Verdict::Send { channel, address } = gate(&both, &contact, &request, None) {
                let alone = Request { channels: std::slice::from_ref(channel), ..request };
                prop_assert_eq!(gate(&wide, &contact, &alone, None), Verdict::Send { channel, address });
            }
        }
    }

    #[test]
    fn an_unknown_country_gets_no_more_than_any_known_one(global in file(), own in file(), someone in someone(), wish in wish()) {
        let own = PolicyFile { name: "own".into(), level: region("own", &["US"]).level, ..own };
        if let Ok(policies) = Policies::build(&[global, own], &home()) {
            let unknown = Someone { country: None, ..someone.clone() };
            if let Verdict::Send { channel, address } = gate(&policies, &unknown.contact(), &wish.request(), None) {
                for country in ["DE", "US"] {
                    let known = Someone { country: Some(country), ..someone.clone() };
                    let alone = Request { channels: std::slice::from_ref(channel), ..wish.request() };
                    prop_assert_eq!(gate(&policies, &known.contact(), &alone, None), Verdict::Send { channel, address });
                }
            }
        }
    }

    #[test]
    fn a_cap_is_never_exceeded(caps in prop::collection::vec(cap(), 1..4), wishes in prop::collection::vec(wish(), 1..40)) {
        let consent = PURPOSES.map(|purpose| opt_in(purpose, None, OptIn::None)).to_vec();
        let policies = Policies::build(&[PolicyFile { caps: caps.clone(), consent, ..PolicyFile::default() }], &home()).unwrap();
        let mut someone = Someone { country: None, time_zone: None, contact_times: None, preferred: None, consents: Vec::new(), sent: Vec::new() };
        let mut wishes = wishes;
        wishes.sort_by_key(|wish| wish.hours);
        let mut all: Vec<SentEntry> = Vec::new();
        for wish in &wishes {
            let request = wish.request();
            if let Verdict::Send { channel, .. } = gate(&policies, &someone.contact(), &request, None) {
                let entry = SentEntry {
                    at: request.at, purpose: wish.purpose.into(), channel: channel.clone(), journey: wish.journey, priority: wish.priority,
                };
                someone.sent.push(entry.clone());
                all.push(entry);
            }
            prune(&mut someone.sent, request.at, policies.window_max());
        }
        for cap in &caps {
            for last in &all {
                let counted = all.iter().filter(|entry| {
                    entry.at <= last.at && entry.at > last.at - cap.within
                        && cap.purpose.as_ref().is_none_or(|purpose| *purpose == entry.purpose)
                        && cap.channel.as_ref().is_none_or(|channel| *channel == entry.channel)
                        && (!cap.per_journey || entry.journey == last.journey)
                });
                prop_assert!(counted.count() <= cap.max as usize, "{cap:?} at {}: {all:?}", last.at);
            }
        }
    }

    #[test]
    fn nothing_goes_out_after_a_withdrawal(file in file(), someone in someone(), wish in wish(), general: bool, place in 0usize..6) {
        let Ok(policies) = Policies::build(std::slice::from_ref(&file), &home()) else { return Ok(()) };
        let purpose = if general { EVERYTHING } else { wish.purpose };
        let withdrawal = ConsentEntry {
            purpose: purpose.into(), channel: None, point: None, state: ConsentState::Withdrawn, at: at(START), proof: "stop".into(),
        };
        let mut someone = someone;
        someone.consents.insert(place.min(someone.consents.len()), withdrawal);
        if let Verdict::Send { channel, .. } = gate(&policies, &someone.contact(), &wish.request(), None) {
            // Only a purpose that needs no consent goes on, and not even that after "stop everything".
            let needed = policies.effective(someone.country, None).opt_in(wish.purpose, channel);
            prop_assert!(needed == OptIn::None && !general, "{needed:?} was sent on {channel}");
        }
    }

    #[test]
    fn the_order_in_which_consent_was_recorded_does_not_matter(entries in prop::collection::vec(consent_entry(), 0..8), wish in wish()) {
        let record = |entries: &mut dyn Iterator<Item = &ConsentEntry>| {
            let mut kept = Vec::new();
            entries.for_each(|entry| record_consent(&mut kept, entry.clone()));
            kept
        };
        let (forward, backward) = (record(&mut entries.iter()), record(&mut entries.iter().rev()));
        for kind in OptIn::ALL {
            let wanted = Use { purpose: wish.purpose, channel: "sms", address: SMS.value, at: hours_from_start(wish.hours) };
            let allowed = |entries: &[ConsentEntry]| matches!(check_consent(entries, kind, &wanted), Consent::Allowed(_));
            prop_assert_eq!(allowed(&forward), allowed(&backward));
            prop_assert_eq!(allowed(&forward), allowed(&entries), "what was left out decided");
        }
    }

    #[test]
    fn a_hold_never_ends_inside_quiet_hours(file in file(), someone in someone(), wish in wish()) {
        let Ok(policies) = Policies::build(std::slice::from_ref(&file), &home()) else { return Ok(()) };
        let (contact, request) = (someone.contact(), wish.request());
        if let Verdict::Hold { until, .. } = gate(&policies, &contact, &request, None) {
            prop_assert!(until > request.at && until - request.at <= SEARCH_MAX);
            if let Some(longest) = file.max_hold {
                prop_assert!(until - request.due <= longest);
            }
            let mut checks = Vec::new();
            let again = gate(&policies, &contact, &Request { at: until, ..request }, Some(&mut checks));
            let held = matches!(again, Verdict::Hold { .. });
            prop_assert!(!held || request.channels.len() > 1, "held again: {again:?}");
            if request.channels.len() == 1 {
                let asleep = checks.iter().any(|check| check.rule.code.starts_with("quiet_hours") && check.outcome != Outcome::Passed);
                prop_assert!(!asleep, "{checks:?}");
            }
            // Until then it is quiet at every whole hour on the one channel.
            let alone = request.channels.len() == 1;
            for hour in 1..(until - request.at).0 / Span::HOUR.0 {
                let early = Request { at: request.at + Span(hour * Span::HOUR.0), ..request };
                let sends = matches!(gate(&policies, &contact, &early, None), Verdict::Send { .. });
                prop_assert!(!alone || !sends, "could have gone out at {}", early.at);
            }
        }
    }
}

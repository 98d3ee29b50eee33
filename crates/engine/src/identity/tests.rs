//! Identity: tables for single rules, laws over random streams, and the stored form.

use super::reference::{Reference, name};
use super::*;
use faden_model::Span;
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

const KEY: [u8; 16] = *b"sixteen bytes ok";

fn at(second: i64) -> Timestamp {
    Timestamp(second * 1000)
}

/// `u1 a2 e3` for user_id `1`, anonymous_id `2`, email `3`; also `p` phone, `d` device_id, `c` crm_id, `x` a kind without rule.
fn identifiers(text: &str) -> Vec<Identifier<'_>> {
    let kind = |letter: &str| match letter {
        "u" => IdentifierKind::UserId,
        "a" => IdentifierKind::AnonymousId,
        "e" => IdentifierKind::Email,
        "p" => IdentifierKind::Phone,
        "d" => IdentifierKind::DeviceId,
        "c" => IdentifierKind::CrmId,
        other => IdentifierKind::Other(other.into()),
    };
    text.split_whitespace().map(|word| Identifier { kind: kind(&word[..1]), value: Cow::Borrowed(&word[1..]) }).collect()
}

/// No limits but the unique user id.
fn free_rules() -> Rules {
    let mut rules = Rules::default();
    rules.kinds.iter_mut().for_each(|rule| rule.limit = None);
    rules.other.limit = None;
    rules
}

fn limited(kind: IdentifierKind, max: u16, within: Option<Span>) -> Rules {
    let mut rules = free_rules();
    rules.kinds.iter_mut().filter(|rule| rule.kind == kind).for_each(|rule| rule.limit = Some(Limit { max, within }));
    rules
}

/// Runs `second: identifiers` lines; each outcome is the profile, `+` for a new one, merges and what was left out.
fn outcomes(rules: &Rules, lines: &str) -> Vec<String> {
    let mut identity = Identity::new(KEY);
    let run = |line: &str| {
        let (second, who) = line.trim().split_once(": ").unwrap();
        let who = identifiers(who);
        let Some(found) = identity.resolve(rules, &who, at(second.parse().unwrap())) else {
            return "nobody".to_owned();
        };
        let mut out = format!("{}{}", found.profile.0, if found.created { "+" } else { "" });
        for merge in &found.merges {
            out += &format!(" <{}", merge.loser.0);
        }
        for (position, reason) in &found.left_out {
            out += &format!(" without {} ({reason:?})", who[*position].value);
        }
        if let Some(profile) = found.quarantined {
            out += &format!(" quarantine {}", profile.0);
        }
        out
    };
    lines.trim().lines().map(run).collect()
}

#[test]
fn a_visitor_who_logs_in_keeps_his_history() {
    let found = outcomes(&free_rules(), "0: aA\n1: aA u1 ex@y\n2: u1\n3: ex@y aB\n4: aB");
    assert_eq!(found, ["0+", "0", "0", "0", "0"]);
}

#[test]
fn the_profile_of_the_best_identifier_wins_a_merge_and_between_equals_the_older_one() {
    let found = outcomes(&free_rules(), "0: aA\n1: u1\n2: aA u1\n3: aA\n4: eone\n5: etwo\n6: etwo eone\n7: ethree\n8: ethree aA eone");
    assert_eq!(found, ["0+", "1+", "1 <0", "1", "2+", "3+", "2 <3", "4+", "2 <1 <4"]);
}

#[test]
fn a_kiosk_stays_with_its_first_owner() {
    let found = outcomes(&free_rules(), "0: aK\n1: aK u1\n2: aK u2\n3: aK u3 ethree\n4: aK\n5: ethree");
    let alone = |profile| format!("{profile} without K (Unique(UserId))");
    assert_eq!(found, ["0+".to_owned(), "0".to_owned(), alone("1+"), alone("2+"), "0".to_owned(), "2".to_owned()]);
}

#[test]
fn everything_that_carries_the_conflict_is_left_out_and_nothing_else() {
    let found = outcomes(&free_rules(), "0: u1 eone aA\n1: u2 eone aA aB p7\n2: aB\n3: p7");
    assert_eq!(found, ["0+", "1+ without A (Unique(UserId)) without one (Unique(UserId))", "1", "1"]);
}

#[test]
fn limits_count_what_the_joined_profile_would_hold() {
    let found = outcomes(&limited(IdentifierKind::AnonymousId, 2, None), "0: u1 aA\n1: u1 aB\n2: u1 aC\n3: aC\n4: eone aD\n5: eone u1");
    let limit = |what| format!("0 without {what} (Limit(AnonymousId))");
    assert_eq!(found, ["0+".to_owned(), "0".to_owned(), limit("C"), "1+".to_owned(), "2+".to_owned(), limit("one")]);
}

#[test]
fn a_limit_with_a_window_forgets() {
    let rules = limited(IdentifierKind::AnonymousId, 2, Some(Span(10_000)));
    let found = outcomes(&rules, "0: u1 aA\n1: u1 aB\n10: u1 aC\n11: u1 aC\n21: u1 aD");
    assert_eq!(found, ["0+", "0", "0 without C (Limit(AnonymousId))", "0", "0"]);
}

#[test]
fn a_rule_that_became_stricter_does_not_tear_a_profile() {
    let mut identity = Identity::new(KEY);
    let who = identifiers("u1 aA aB aC");
    identity.resolve(&free_rules(), &who, at(0));
    let strict = limited(IdentifierKind::AnonymousId, 1, None);
    let found = identity.resolve(&strict, &identifiers("aA aB ex@y"), at(1)).unwrap();
    assert_eq!((found.profile.0, found.left_out.len(), found.added.as_slice()), (0, 0, &[2][..]));
}

#[test]
fn blocked_values_point_to_nobody() {
    let found = outcomes(&free_rules(), "0: uNULL a0000-0000\n1: u1 eTest@Test.com\n2: etest@test.com\n3: dundefined u1 a-\n4: axxxx u1");
    let blocked = |what| format!("0 without {what} (Blocked)");
    assert_eq!(found[..3], ["nobody", "0+ without Test@Test.com (Blocked)", "nobody"]);
    assert_eq!(found[3..], ["0 without undefined (Blocked) without - (Blocked)".to_owned(), blocked("xxxx")]);
    let mut rules = free_rules();
    rules.kinds[0].blocked = Blocked::new(&["Root"], &["^test-[0-9]+$", "bot"], false).unwrap().and(&Blocked::default()).unwrap();
    assert_eq!(
        outcomes(&rules, "0: utest-12\n0: urobot\n0: uROOT\n0: unull\n0: u000\n0: utest-x"),
        ["nobody", "nobody", "nobody", "nobody", "nobody", "0+"]
    );
    assert_eq!(Blocked::new(&[], &["ok", "(broken"], false).unwrap_err().pattern, "(broken");
}

#[test]
fn a_cluster_at_its_guard_size_is_not_merged_on() {
    let rules = Rules { cluster_max: 3, ..free_rules() };
    let found = outcomes(&rules, "0: u1 aA aB\n1: u1 aC\n2: eone aD\n3: eone u1\n4: u1 aA");
    let guarded = |what| format!("0 without {what} (TooLarge) quarantine 0");
    assert_eq!(found, ["0+".to_owned(), guarded("C"), "1+".to_owned(), guarded("one"), "0".to_owned()]);
}

#[test]
fn an_unmerge_restores_both_and_keeps_them_apart() {
    let rules = free_rules();
    let mut identity = Identity::new(KEY);
    let resolve = |identity: &mut Identity, who: &str, second| identity.resolve(&rules, &identifiers(who), at(second)).unwrap();
    for (second, who) in [(0, "aA"), (1, "u1 ex@y"), (2, "p5")] {
        resolve(&mut identity, who, second);
    }
    let merged = resolve(&mut identity, "u1 aA", 3);
    assert_eq!((merged.profile.0, merged.strand.0, merged.merges[0].cause), (1, 1, 1));
    assert_eq!(resolve(&mut identity, "aA", 4).strand.0, 0, "an event belongs to the strand of its own identifier");
    let later = resolve(&mut identity, "p5 aA dD", 5).merges[0].id;
    assert_eq!((later, identity.strands(ProfileId(2)).len(), identity.strands(ProfileId(1)).len()), (MergeId(1), 3, 0));
    assert_eq!(identity.unmerge(MergeId(0), at(6)), Err(UnmergeRefusal::LaterMerge { merge: MergeId(0), later }));
    let split = identity.unmerge(later, at(6)).unwrap();
    assert_eq!((split.loser.0, split.strands), (1, vec![ProfileId(0), ProfileId(1)]));
    identity.unmerge(MergeId(0), at(7)).unwrap();
    assert_eq!(identity.unmerge(MergeId(0), at(7)), Err(UnmergeRefusal::AlreadyUndone(MergeId(0))));
    assert_eq!(identity.unmerge(MergeId(9), at(7)), Err(UnmergeRefusal::NoSuchMerge(MergeId(9))));
    for (who, profile) in [("aA", 0), ("u1", 1), ("ex@y", 1), ("p5", 2), ("dD", 2)] {
        assert_eq!(identity.find(&identifiers(who)[0]), Some(ProfileId(profile)), "{who}");
    }
    let again = resolve(&mut identity, "u1 aA aN", 8);
    assert_eq!((again.profile.0, again.left_out.as_slice(), again.added.as_slice()), (1, &[(1, Reason::KeptApart)][..], &[2][..]));
    assert_eq!(identity.ledger(ProfileId(0)).iter().map(|entry| entry.undone).collect::<Vec<_>>(), [Some(at(7))]);
}

fn stored(identity: &mut Identity, rows: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
    identity.drain_changes(&mut |key, value| match value {
        Some(value) => drop(rows.insert(key.to_vec(), value.to_vec())),
        None => drop(rows.remove(key)),
    });
}

/// Fixes the stored form: rows of this version must load for ever.
#[test]
fn rows_have_their_golden_form() {
    let mut identity = Identity::new(KEY);
    for who in ["aA", "u1 ex@y", "u1 aA"] {
        identity.resolve(&free_rules(), &identifiers(who), at(1_772_359_200));
    }
    identity.unmerge(MergeId(0), at(1_772_359_201)).unwrap();
    let mut rows = BTreeMap::new();
    stored(&mut identity, &mut rows);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let lines: Vec<String> = rows.iter().map(|(key, value)| format!("{}{} {}", char::from(key[0]), hex(&key[1..]), hex(value))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Version 1 had a row for each entry and each strand.
fn as_version_1(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut old = BTreeMap::new();
    for (key, value) in rows {
        let length = match key[0] {
            b'e' => 25,
            b's' => 20,
            _ => value.len().max(1),
        };
        let first = key.get(1..5).map_or(0, |number| u32::from_be_bytes(number.try_into().unwrap()));
        for (number, part) in (first..).zip(value.chunks(length)) {
            let key = if matches!(key[0], b'e' | b's') { [&key[..1], &number.to_be_bytes()].concat() } else { key.clone() };
            old.insert(key, part.to_vec());
        }
        if value.is_empty() {
            old.insert(key.clone(), Vec::new());
        }
    }
    old.get_mut(b"v".as_slice()).unwrap()[0] = 1;
    old
}

#[test]
fn rows_of_version_1_are_read_and_give_way_to_pages() {
    let mut identity = Identity::new(KEY);
    let people: Vec<String> = (0..40).map(|number| format!("u{number} e{number}@x aA{number}")).collect();
    people.iter().for_each(|who| drop(identity.resolve(&free_rules(), &identifiers(who), at(0))));
    let mut rows = BTreeMap::new();
    stored(&mut identity, &mut rows);
    let mut rows = as_version_1(&rows);
    assert_eq!(rows.len(), identity.strands.len() + identity.entries.len() + identity.kinds.len() + 1);
    assert_eq!(identity.strands.len(), 40);
    // The second page is written: its rows go, those of the first and the third stay.
    let mut loaded = Identity::load(KEY, &rows).unwrap();
    for identity in [&mut loaded, &mut identity] {
        identity.resolve(&free_rules(), &identifiers("u20 dD"), at(1));
    }
    stored(&mut loaded, &mut rows);
    assert_eq!(rows.keys().filter(|key| key[0] == b's').count(), 16 + 1 + 8);
    assert_eq!(rows[b"v".as_slice()][0], 2);
    // After another start it is still known that there are such rows.
    let mut loaded = Identity::load(KEY, &rows).unwrap();
    for identity in [&mut loaded, &mut identity] {
        people.iter().for_each(|who| drop(identity.resolve(&free_rules(), &identifiers(&format!("{who} xX{who}")), at(2))));
    }
    stored(&mut loaded, &mut rows);
    assert_eq!(rows.keys().filter(|key| key[0] == b's').count(), 3);
    let loaded = Identity::load(KEY, &rows).unwrap();
    let holders = |identity: &Identity| {
        people.iter().map(|who| identifiers(who).iter().map(|one| identity.find(one)).collect()).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(holders(&loaded), holders(&identity));
    assert_eq!((loaded.entries.len(), &loaded.strands[20]), (identity.entries.len(), &identity.strands[20]));
}

#[test]
fn rows_that_cannot_be_are_refused() {
    let mut identity = Identity::new(KEY);
    for who in ["aA", "u1 ex@y", "u1 aA"] {
        identity.resolve(&free_rules(), &identifiers(who), at(0));
    }
    let mut rows = BTreeMap::new();
    stored(&mut identity, &mut rows);
    assert!(Identity::load(KEY, &rows).is_ok());
    assert_eq!(Identity::load([0; 16], &rows).err(), Some(LoadError::WrongKey));
    for key in rows.keys() {
        let mut fewer = rows.clone();
        fewer.remove(key);
        assert!(Identity::load(KEY, &fewer).is_err(), "without {key:?}");
        for place in 0..rows[key].len() {
            let mut other = rows.clone();
            other.get_mut(key).unwrap()[place] ^= 0x41;
            // Not every damage shows; what loads must not panic later.
            if let Ok(mut loaded) = Identity::load(KEY, &other) {
                loaded.resolve(&free_rules(), &identifiers("u1 aA ex@y aN"), at(1));
                let _ = loaded.unmerge(MergeId(0), at(2));
            }
        }
    }
}

/// One event of a small world: few values, so that profiles meet often.
fn event() -> impl Strategy<Value = String> {
    prop::collection::vec(("[uaepdcx]", 0u8..6).prop_map(|(kind, value)| format!("{kind}v{value}")), 1..5).prop_map(|words| words.join(" "))
}

fn stream(length: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(event(), 1..length)
}

fn rules() -> impl Strategy<Value = Rules> {
    let limit = || {
        prop::option::of(
            (1u16..4, prop::option::of(1i64..20))
                .prop_map(|(max, within)| Limit { max, within: within.map(|seconds| Span(seconds * 1000)) }),
        )
    };
    (prop::collection::vec((limit(), prop::bool::weighted(0.2), 0u16..4), 7), limit(), prop_oneof![3u32..8, Just(300)]).prop_map(
        |(kinds, other, cluster_max)| {
            let mut rules = Rules { cluster_max, ..Rules::default() };
            for (rule, (limit, unique, priority)) in rules.kinds.iter_mut().zip(kinds) {
                (rule.limit, rule.unique, rule.priority) = (limit, unique, priority);
            }
            rules.other.limit = other;
            rules.other.priority = 2;
            rules
        },
    )
}

/// Everything in the world and the profile it points to.
fn partition(identity: &Identity) -> BTreeMap<String, u64> {
    let names: Vec<String> = "uaepdcx".chars().flat_map(|kind| (0..6).map(move |value| format!("{kind}v{value}"))).collect();
    names.into_iter().filter_map(|word| Some((word.clone(), identity.find(&identifiers(&word)[0])?.0))).collect()
}

/// Chains, sizes and numbers agree with each other.
fn is_sound(identity: &Identity) -> Result<(), TestCaseError> {
    let mut copy = identity.clone();
    copy.unsaved = rows::Unsaved::default();
    (0..copy.strands.len() as u32).for_each(|strand| copy.unsaved.strand(strand));
    let mut rows = BTreeMap::new();
    stored(&mut copy, &mut rows);
    prop_assert!(Identity::load(KEY, &rows).is_ok(), "{:?}", Identity::load(KEY, &rows).err());
    for number in 0..identity.strands.len() as u32 {
        let live = identity.strands_of(number).next().is_some();
        prop_assert_eq!(live, identity.strands[number as usize].profile == number, "a live profile holds its own strand");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_index_agrees_with_the_slow_reference(events in stream(40), rules in rules()) {
        let (mut identity, mut reference) = (Identity::new(KEY), Reference::default());
        for (second, words) in (0i64..).zip(&events) {
            let who = identifiers(words);
            let found = identity.resolve(&rules, &who, at(second * 3)).map(|resolution| resolution.profile.0);
            prop_assert_eq!(found, reference.resolve(&rules, &who, at(second * 3)), "event {} {}", second, words);
            for one in &who {
                prop_assert_eq!(identity.find(one).map(|profile| profile.0), reference.owner(&name(one)), "event {} {}", second, words);
            }
        }
        prop_assert_eq!(partition(&identity).len(), reference.profiles.values().map(BTreeMap::len).sum::<usize>());
        is_sound(&identity)?;
    }

    #[test]
    fn a_repeated_event_changes_nothing(events in stream(25), rules in rules()) {
        let mut identity = Identity::new(KEY);
        for words in &events {
            let first = identity.resolve(&rules, &identifiers(words), at(5));
            let before = partition(&identity);
            let second = identity.resolve(&rules, &identifiers(words), at(5));
            prop_assert_eq!(first.as_ref().map(|one| one.profile), second.as_ref().map(|one| one.profile));
            if let Some(second) = second {
                prop_assert!(second.merges.is_empty() && second.added.is_empty() && !second.created);
            }
            prop_assert_eq!(before, partition(&identity));
        }
    }

    #[test]
    fn without_limits_order_does_not_matter(events in stream(25), seed in any::<u64>()) {
        let mut rules = free_rules();
        rules.kinds.iter_mut().for_each(|rule| rule.unique = false);
        let mut shuffled = events.clone();
        let mut state = seed;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(place, (state >> 33) as usize % (place + 1));
        }
        let groups = |events: &[String]| {
            let mut identity = Identity::new(KEY);
            events.iter().for_each(|words| drop(identity.resolve(&rules, &identifiers(words), at(0))));
            let mut groups: BTreeMap<u64, Vec<String>> = BTreeMap::new();
            partition(&identity).into_iter().for_each(|(word, profile)| groups.entry(profile).or_default().push(word));
            let mut groups: Vec<Vec<String>> = groups.into_values().collect();
            groups.sort();
            groups
        };
        prop_assert_eq!(groups(&events), groups(&shuffled));
    }

    #[test]
    fn merging_and_taking_back_restores(events in stream(30), rules in rules(), last in event()) {
        let mut identity = Identity::new(KEY);
        events.iter().for_each(|words| drop(identity.resolve(&rules, &identifiers(words), at(0))));
        let before = partition(&identity);
        let Some(found) = identity.resolve(&rules, &identifiers(&last), at(1)) else {
            return Ok(());
        };
        for merge in found.merges.iter().rev() {
            let split = identity.unmerge(merge.id, at(2)).unwrap();
            prop_assert_eq!(split.strands.as_slice(), merge.strands.as_slice());
        }
        let mut after = partition(&identity);
        let who = identifiers(&last);
        for position in &found.added {
            let word = last.split_whitespace().nth(*position).unwrap();
            prop_assert_eq!(after.remove(word), Some(found.profile.0), "{:?}", who[*position]);
        }
        prop_assert_eq!(before, after);
        is_sound(&identity)?;
        // The same event glues nothing that was taken apart; with less in each, a limit may let it glue others.
        identity.resolve(&rules, &who, at(1)).unwrap();
        for merge in &found.merges {
            let own = identity.profile_of_strand(merge.winner);
            for strand in &merge.strands {
                prop_assert_ne!(identity.profile_of_strand(*strand), own);
            }
        }
    }

    #[test]
    fn any_order_of_taking_back_stays_sound(events in stream(40), wishes in prop::collection::vec(0u32..8, 0..12)) {
        let rules = free_rules();
        let mut identity = Identity::new(KEY);
        let mut wishes = wishes.into_iter();
        for (second, words) in (0i64..).zip(&events) {
            identity.resolve(&rules, &identifiers(words), at(second));
            if second % 3 == 0 && let Some(wish) = wishes.next() {
                match identity.unmerge(MergeId(wish), at(second)) {
                    Err(UnmergeRefusal::LaterMerge { later, .. }) => prop_assert!(identity.unmerge(later, at(second)).is_ok()),
                    Ok(split) => prop_assert!(split.strands.iter().all(|strand| identity.profile_of_strand(*strand) == Some(split.loser))),
                    Err(_) => {}
                }
            }
        }
        is_sound(&identity)?;
    }

    #[test]
    fn what_was_stored_in_pieces_goes_on_like_the_original(events in stream(30), more in stream(15), cut in 0usize..30, rules in rules()) {
        let mut identity = Identity::new(KEY);
        let mut rows = BTreeMap::new();
        for (number, words) in events.iter().enumerate() {
            identity.resolve(&rules, &identifiers(words), at(0));
            if number == cut || number % 7 == 0 {
                stored(&mut identity, &mut rows);
                let _ = identity.unmerge(MergeId(number as u32 / 9), at(1));
            }
        }
        stored(&mut identity, &mut rows);
        let mut loaded = Identity::load(KEY, &rows).unwrap();
        prop_assert_eq!(partition(&identity), partition(&loaded));
        for words in &more {
            prop_assert_eq!(identity.resolve(&rules, &identifiers(words), at(9)), loaded.resolve(&rules, &identifiers(words), at(9)));
        }
        let mut copy = rows.clone();
        stored(&mut identity, &mut rows);
        stored(&mut loaded, &mut copy);
        prop_assert_eq!(rows, copy);
    }
}

/// 20,000 people with an own device, one in a hundred events from one of ten shared kiosks.
#[test]
fn kiosks_do_not_glue_people() {
    let rules = Rules::default();
    let mut identity = Identity::new(KEY);
    let mut state = 7u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut profiles: BTreeMap<u64, ProfileId> = BTreeMap::new();
    for second in 0..100_000 {
        let person = random(20_000);
        let device = if random(100) == 0 { format!("akiosk{}", random(10)) } else { format!("aown{person}") };
        let words = match random(3) {
            0 => device.clone(),
            1 => format!("{device} uperson{person} e{person}@example.org"),
            _ => format!("uperson{person} dphone{person}"),
        };
        let found = identity.resolve(&rules, &identifiers(&words), at(second)).unwrap();
        if words.contains("uperson") {
            let known = profiles.entry(person).or_insert(found.profile);
            // A visitor's own profile may merge into his profile, so only two people in one profile count.
            *known = found.profile;
        }
    }
    let mut owners: Vec<ProfileId> = profiles.values().copied().collect();
    let people = owners.len();
    owners.sort_unstable();
    owners.dedup();
    assert_eq!(owners.len(), people, "two people share a profile");
}

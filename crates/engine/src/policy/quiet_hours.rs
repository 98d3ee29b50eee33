//! Quiet hours: when may a message go out, in the customer's own time?
//!
//! A customer's own contact times are quiet hours for the rest of the day.
//!
//! Pure. Decides *when*, never *whether*: that is `consent::check`; volume is `frequency_cap`.
//! In: an instant, daily windows in local time and the zones that the customer may live in. Out: the
//! same instant or a later one that is outside every window in every one of these zones.
//!
//! Which zones: the profile's own when it is known by the pinned time zone data. Else every zone of the
//! profile's country. Else (no country, or one that the data does not know) every zone of every country
//! that a region names and of the workspace's country, and the workspace's own zone. A message that
//! would be quiet in one of them waits; when no instant within [`SEARCH_MAX`] is free in all of them it
//! is suppressed. Without any zone at all nothing is free while a window applies.

use super::plan::QuietHours;
use crate::calendar::{self, Window, Zone};
use faden_model::{Span, Timestamp};

/// How far ahead a free instant is searched: any weekly pattern has come round once, clock changes included.
pub const SEARCH_MAX: Span = Span(8 * Span::DAY.0);
/// Steps of one search; each ends a window in at least one zone, and there are at most 40 zones to a country.
const STEPS_MAX: usize = 4096;

impl QuietHours {
    pub(super) fn window(&self) -> Window {
        Window { from: self.from, to: self.to, days: self.days }
    }

    /// Whether these hours hold for a purpose on a channel.
    pub(super) fn concern(&self, purpose: &str, channel: &str) -> bool {
        (self.purposes.is_empty() || self.purposes.iter().any(|name| name == purpose))
            && (self.channels.is_empty() || self.channels.iter().any(|name| name == channel))
    }
}

/// First window, in order, that is quiet at `at` in one of the zones.
pub(super) fn first_quiet<'w>(at: Timestamp, windows: impl Iterator<Item = &'w QuietHours>, zones: &[Zone]) -> Option<&'w QuietHours> {
    let mut windows = windows;
    windows.find(|quiet| zones.is_empty() || zones.iter().any(|zone| calendar::in_window(at, *zone, quiet.window())))
}

/// First instant from `at` on that no window covers in any zone; `None` when there is none within [`SEARCH_MAX`].
pub(super) fn free_from<'w>(at: Timestamp, windows: impl Iterator<Item = &'w QuietHours> + Clone, zones: &[Zone]) -> Option<Timestamp> {
    if zones.is_empty() && windows.clone().next().is_some() {
        return None;
    }
    let deadline = at + SEARCH_MAX;
    let mut free = at;
    for _ in 0..STEPS_MAX {
        let mut latest_end = free;
        for quiet in windows.clone() {
            for zone in zones {
                if calendar::in_window(free, *zone, quiet.window()) {
                    latest_end = latest_end.max(calendar::window_end(free, *zone, quiet.window())?);
                }
            }
        }
        if latest_end == free {
            return Some(free);
        }
        if latest_end > deadline {
            return None;
        }
        free = latest_end;
    }
    None
}

/// The hour at the customer, for an explanation.
pub(super) fn describe(at: Timestamp, zones: &[Zone]) -> String {
    match zones {
        [] => "no time zone is known for the customer, nor for the workspace".to_owned(),
        [zone] => format!("it is {} in {}", calendar::time_of_day(at, *zone), zone.name()),
        [first, .., last] => {
            format!("time zone unknown: it must be allowed in all {} possible zones, {} to {}", zones.len(), first.name(), last.name())
        }
    }
}

//! Does a source behave as it did in its own last hours? Nobody sets a threshold.
//!
//! Pure. Its volume in the newest window is held against the windows before: their median, and as a measure of
//! how much they vary the larger of their median absolute deviation (scaled to a standard deviation) and the
//! square root of the median, which is what chance alone makes of so many independent events. A few
//! outliers of the past, a campaign or an outage, move neither. The window is the shortest of 5, 15 and 60
//! minutes in which silence would be no chance, so a slow source is given more time before it counts as silent.
//! Source: Leys et al. 2013, "Detecting outliers: do not use standard deviation around the mean".

use crate::said::{Code, Said};
use crate::sources::SourceCounts;
use faden_model::Timestamp;

/// Windows in minutes, the shortest first.
const WINDOWS: [i64; 3] = [5, 15, 60];
/// Earlier windows that a judgement needs.
const WINDOWS_MIN: usize = 8;
/// Minutes that are looked back at.
const LOOK_BACK: i64 = 24 * 60;
/// So many deviations are no chance: below one in a hundred million for a normal distribution.
const DEVIATIONS: f64 = 6.0;
/// Makes the median absolute deviation of a normal distribution its standard deviation.
const SCALE: f64 = 1.4826;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Silent,
    Jump,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub what: What,
    pub said: Said,
    pub since: Timestamp,
}

/// `None` when all is as usual, or too little is known.
pub fn look(counts: &SourceCounts, now_ms: i64) -> Option<Finding> {
    // The minute that runs is not over, and the first one was not whole.
    let end = now_ms / 60_000;
    let begin = (counts.first_at / 60_000 + 1).max(end - LOOK_BACK);
    let sum = |from: i64, window: i64| counts.minutes.range(from..from + window).map(|(_, events)| *events).sum::<u64>();
    for window in WINDOWS {
        let newest = end - window;
        let before = usize::try_from((newest - begin) / window).unwrap_or(0);
        if before < WINDOWS_MIN {
            return None;
        }
        let mut sums: Vec<f64> = (1..=before).map(|back| sum(newest - window * back as i64, window) as f64).collect();
        let middle = median(&mut sums);
        let mut distances: Vec<f64> = sums.iter().map(|sum| (sum - middle).abs()).collect();
        let deviation = (SCALE * median(&mut distances)).max(middle.sqrt());
        if middle - DEVIATIONS * deviation <= 0.0 {
            continue;
        }
        let now = sum(newest, window);
        if (now as f64 - middle).abs() <= DEVIATIONS * deviation {
            return None;
        }
        return Some(finding(now, (middle.round() as u64, window), counts.last_at, now_ms));
    }
    None
}

/// `usual` is how many come in how many minutes.
fn finding(events: u64, (usual, minutes): (u64, i64), last_at: i64, now_ms: i64) -> Finding {
    let window = minutes.unsigned_abs();
    let usually = format!("usually {usual} in {window} minutes");
    let (usual, window) = (("usual", usual.into()), ("window", window.into()));
    if events == 0 {
        let silent = ((now_ms - last_at) / 60_000).unsigned_abs();
        let text = format!("nothing came for {silent} minutes, {usually}");
        let said = Said::new(Code::SourceSilent, [("minutes", silent.into()), usual, window], text);
        return Finding { what: What::Silent, said, since: Timestamp(last_at) };
    }
    let text = format!("{events} events came in {minutes} minutes, {usually}");
    let said = Said::new(Code::SourceJump, [("events", events.into()), usual, window], text);
    Finding { what: What::Jump, said, since: Timestamp((now_ms / 60_000 - minutes) * 60_000) }
}

/// Sorts, and gives the middle; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.get(values.len() / 2), values.get(values.len().saturating_sub(1) / 2)) {
        (Some(upper), Some(lower)) => f64::midpoint(*upper, *lower),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of minute after minute; the last one just ended.
    fn source(minutes: impl Iterator<Item = u64>) -> Option<What> {
        let mut counts = SourceCounts::default();
        let mut now = 0;
        for events in minutes {
            now += 1;
            if events > 0 {
                counts.minutes.insert(now, events);
                counts.last_at = now * 60_000;
            }
        }
        look(&counts, (now + 1) * 60_000).map(|found| found.what)
    }

    #[test]
    fn a_source_is_held_against_its_own_last_hours() {
        let steady = |minutes: usize, events: u64| std::iter::repeat_n(events, minutes);
        // A source that varies: 80 to 120 a minute.
        let varied = |minutes: usize| (0..minutes).map(|minute| 80 + (minute as u64 * 17) % 41);
        let table: [(&str, Option<What>, Box<dyn Iterator<Item = u64>>); 10] = [
            ("too little is known", None, Box::new(steady(20, 100).chain(steady(5, 0)))),
            ("as usual", None, Box::new(varied(120))),
            ("silent", Some(What::Silent), Box::new(varied(120).chain(steady(5, 0)))),
            ("silent for less than a window", None, Box::new(varied(120).chain(steady(1, 60)).chain(steady(1, 0)))),
            ("back again", None, Box::new(varied(120).chain(steady(30, 0)).chain(varied(10)))),
            ("a jump", Some(What::Jump), Box::new(varied(120).chain(steady(5, 400)))),
            ("a drop", Some(What::Jump), Box::new(varied(120).chain(steady(5, 5)))),
            ("one event a minute: five quiet minutes are chance", None, Box::new(steady(300, 1).chain(steady(5, 0)))),
            ("one event a minute: an hour is not", Some(What::Silent), Box::new(steady(900, 1).chain(steady(60, 0)))),
            (
                "outliers of the past do not blunt it",
                Some(What::Silent),
                Box::new(varied(60).chain(steady(10, 9_000)).chain(varied(80)).chain(steady(5, 0))),
            ),
        ];
        for (name, wanted, minutes) in table {
            assert_eq!(source(minutes), wanted, "{name}");
        }
    }
}

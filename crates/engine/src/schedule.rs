//! Entries by the clock: when each scheduled journey comes round next.

use crate::calendar;
use crate::definitions::Index;
use crate::journey::{Entry, Schedule};
use faden_model::{Span, Timestamp};

/// Longest look ahead for a day of the month that fits: leap days come round within eight years.
const DAYS_AHEAD_MAX: usize = 3000;

/// (instant, journey's place, audience), one per scheduled entry.
#[derive(Clone, Debug, Default)]
pub struct Schedules(Vec<(Timestamp, usize, u64, usize)>);

impl Schedules {
    /// The first round of every schedule after `at`.
    pub fn new(index: &Index, at: Timestamp) -> Schedules {
        let mut rounds = Vec::new();
        for (journey, version) in index.definitions.journeys.iter().enumerate() {
            for (entry, by) in version.entries.iter().enumerate() {
                if let Entry::Schedule(schedule) = by
                    && let Some(due) = next_round(schedule, at)
                {
                    rounds.push((due, journey, schedule.audience, entry));
                }
            }
        }
        Schedules(rounds)
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.0.iter().map(|round| round.0).min()
    }

    /// Takes the rounds of this instant, in the order of journeys, and plans their next ones.
    pub fn take(&mut self, index: &Index, due: Timestamp) -> Vec<(usize, u64)> {
        let mut taken = Vec::new();
        self.0.retain_mut(|(at, journey, audience, entry)| {
            if *at > due {
                return true;
            }
            taken.push((*journey, *audience));
            match index.journey(*journey).entries.get(*entry) {
                Some(Entry::Schedule(schedule)) => next_round(schedule, due).inspect(|next| *at = *next).is_some(),
                _ => false,
            }
        });
        taken
    }
}

/// The first instant after `after` at which the schedule comes round.
fn next_round(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    let zone = calendar::zone(&schedule.time_zone)?;
    let mut after = after;
    for _ in 0..DAYS_AHEAD_MAX {
        let mut due = calendar::next_local(after, zone, schedule.minute_of_day, schedule.days)?;
        if due == after {
            // Its minute is this one: it came round when the minute began.
            due = calendar::next_local(after + Span::MINUTE, zone, schedule.minute_of_day, schedule.days)?;
        }
        if schedule.days_of_month.is_empty() || schedule.days_of_month.contains(&calendar::day_of_month(due, zone)) {
            return Some(due);
        }
        after = due;
    }
    None
}

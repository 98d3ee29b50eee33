//! What a computed trait remembers of the events that count, per strand.
//!
//! All-time traits keep a running result; windowed ones keep each item with its time, because each one
//! leaves at its own instant. Items carry the number under which their expiry was scheduled, so that
//! equal instants keep the order in which they were set. Values of several strands are folded together
//! when they are read: nothing is ever added up across strands, and a split gives back what was there.

use crate::audience::{Aggregate, ComputedTrait, Follow};
use faden_model::{Decimal, Span, Timestamp, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most different values that `distinct` and `most_frequent` remember per strand; further ones are not counted.
pub const DIFFERENT_VALUES_MAX: usize = 10_000;

/// One event that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub at: Timestamp,
    /// Order among timers that are due at one instant.
    pub order: u32,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Accumulator {
    Count(u64),
    Sum(Decimal),
    /// Minimum or maximum.
    Extreme(Value),
    Average {
        sum: Decimal,
        count: u64,
    },
    /// First or last: the value and its time.
    Edge {
        at: Timestamp,
        value: Value,
    },
    /// How often each value occurred.
    Values(BTreeMap<Value, u64>),
    /// Sorted by time, then by arrival.
    Window(Vec<Item>),
    Sequence(Sequence),
}

/// `did A then (not) B`: the last A, and the Bs after it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    pub first: Option<Timestamp>,
    pub order: u32,
    /// Sorted; only those after `first`.
    pub followers: Vec<Timestamp>,
}

/// Most Bs that are remembered after one A; the earliest decide, so later ones are not needed.
const FOLLOWERS_MAX: usize = 16;

impl Accumulator {
    pub fn new(plan: &ComputedTrait) -> Accumulator {
        match (&plan.aggregate, plan.within) {
            (Aggregate::Sequence { .. }, _) => Accumulator::Sequence(Sequence::default()),
            (_, Some(_)) => Accumulator::Window(Vec::new()),
            (Aggregate::Count, None) => Accumulator::Count(0),
            (Aggregate::Sum(_), None) => Accumulator::Sum(Decimal::ZERO),
            (Aggregate::Min(_) | Aggregate::Max(_), None) => Accumulator::Extreme(Value::Null),
            (Aggregate::Average(_), None) => Accumulator::Average { sum: Decimal::ZERO, count: 0 },
            (Aggregate::First(_) | Aggregate::Last(_), None) => Accumulator::Edge { at: Timestamp::MIN, value: Value::Null },
            (Aggregate::Distinct(_) | Aggregate::MostFrequent(_), None) => Accumulator::Values(BTreeMap::new()),
        }
    }

    /// Counts an event of time `at` (never later than now) with the value its expression gave.
    pub fn add(&mut self, plan: &ComputedTrait, item: Item, now: Timestamp) {
        match self {
            Accumulator::Count(count) => *count += 1,
            Accumulator::Sum(sum) => {
                *sum = item.value.as_number().and_then(|number| sum.checked_add(number)).unwrap_or(*sum);
            }
            Accumulator::Extreme(best) => {
                if !item.value.is_null() && (best.is_null() || better(&plan.aggregate, &item.value, best)) {
                    *best = item.value;
                }
            }
            Accumulator::Average { sum, count } => {
                if let Some(next) = item.value.as_number().and_then(|number| sum.checked_add(number)) {
                    (*sum, *count) = (next, *count + 1);
                }
            }
            Accumulator::Edge { at, value } => {
                let takes = match plan.aggregate {
                    Aggregate::First(_) => value.is_null() || item.at < *at,
                    _ => value.is_null() || item.at >= *at,
                };
                if takes && !item.value.is_null() {
                    (*at, *value) = (item.at, item.value);
                }
            }
            Accumulator::Values(values) => {
                if !item.value.is_null() && (values.len() < DIFFERENT_VALUES_MAX || values.contains_key(&item.value)) {
                    *values.entry(item.value).or_insert(0) += 1;
                }
            }
            Accumulator::Window(items) => {
                let inside = plan.within.is_none_or(|within| item.at + within > now);
                if inside && (!item.value.is_null() || matches!(plan.aggregate, Aggregate::Count)) {
                    let place = items.partition_point(|other| other.at <= item.at);
                    items.insert(place, item);
                }
            }
            Accumulator::Sequence(sequence) => sequence.begin(item),
        }
    }

    /// A follower of a sequence happened at `at`.
    pub fn follow(&mut self, at: Timestamp) {
        if let Accumulator::Sequence(sequence) = self {
            let place = sequence.followers.partition_point(|other| *other <= at);
            sequence.followers.insert(place, at);
            sequence.tidy();
        }
    }

    /// Drops what has left the window at `now`.
    pub fn expire(&mut self, within: Span, now: Timestamp) {
        if let Accumulator::Window(items) = self {
            let gone = items.partition_point(|item| item.at + within <= now);
            items.drain(..gone);
        }
    }

    /// When the value changes although nothing happens, strictly after `now`: (instant, order).
    pub fn next_change(&self, plan: &ComputedTrait, now: Timestamp) -> Option<(Timestamp, u32)> {
        let within = plan.within?;
        match self {
            Accumulator::Window(items) => items.first().map(|item| (item.at + within, item.order)),
            Accumulator::Sequence(sequence) => {
                let ripe = sequence.first? + within;
                let open = matches!(plan.aggregate, Aggregate::Sequence { follow: Follow::ThenNot, .. })
                    && sequence.followers.first().is_none_or(|at| *at > ripe);
                (open && ripe > now).then_some((ripe, sequence.order))
            }
            _ => None,
        }
    }
}

impl Sequence {
    fn begin(&mut self, item: Item) {
        if self.first.is_none_or(|first| item.at >= first) {
            (self.first, self.order) = (Some(item.at), item.order);
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        if let Some(first) = self.first {
            self.followers.retain(|at| *at > first);
        }
        self.followers.truncate(FOLLOWERS_MAX);
    }

    fn value(&self, follow: Follow, within: Span, now: Timestamp) -> bool {
        let Some(first) = self.first else { return false };
        let followed = self.followers.first().is_some_and(|at| *at <= first + within);
        match follow {
            Follow::Then => followed,
            Follow::ThenNot => !followed && now >= first + within,
        }
    }
}

fn better(aggregate: &Aggregate, candidate: &Value, best: &Value) -> bool {
    match aggregate {
        Aggregate::Min(_) => candidate < best,
        _ => candidate > best,
    }
}

/// The trait's value at `now`, folded over the strands' accumulators (`None` where a strand has none).
pub fn value<'a>(plan: &ComputedTrait, parts: impl Iterator<Item = &'a Accumulator>, now: Timestamp) -> Value {
    let mut parts = parts.peekable();
    let Some(first) = parts.next() else { return empty(plan) };
    if parts.peek().is_none() {
        return alone(plan, first, now);
    }
    let mut whole = first.clone();
    for part in parts {
        fold(plan, &mut whole, part);
    }
    alone(plan, &whole, now)
}

fn empty(plan: &ComputedTrait) -> Value {
    match plan.aggregate {
        Aggregate::Count | Aggregate::Sum(_) | Aggregate::Distinct(_) => Value::Number(Decimal::ZERO),
        Aggregate::Sequence { .. } => Value::Bool(false),
        _ => Value::Null,
    }
}

fn fold(plan: &ComputedTrait, whole: &mut Accumulator, part: &Accumulator) {
    match (whole, part) {
        (Accumulator::Count(a), Accumulator::Count(b)) => *a += b,
        (Accumulator::Sum(a), Accumulator::Sum(b)) => *a = a.checked_add(*b).unwrap_or(*a),
        (Accumulator::Extreme(a), Accumulator::Extreme(b)) => {
            if !b.is_null() && (a.is_null() || better(&plan.aggregate, b, a)) {
                *a = b.clone();
            }
        }
        (Accumulator::Average { sum, count }, Accumulator::Average { sum: other, count: more }) => {
            if let Some(next) = sum.checked_add(*other) {
                (*sum, *count) = (next, *count + more);
            }
        }
        (Accumulator::Edge { at, value }, Accumulator::Edge { at: other_at, value: other }) => {
            let takes = match plan.aggregate {
                Aggregate::First(_) => value.is_null() || other_at < at,
                _ => value.is_null() || other_at > at,
            };
            if takes && !other.is_null() {
                (*at, *value) = (*other_at, other.clone());
            }
        }
        (Accumulator::Values(a), Accumulator::Values(b)) => {
            for (value, count) in b {
                *a.entry(value.clone()).or_insert(0) += count;
            }
        }
        (Accumulator::Window(a), Accumulator::Window(b)) => {
            for item in b {
                let place = a.partition_point(|other| other.at <= item.at);
                a.insert(place, item.clone());
            }
        }
        (Accumulator::Sequence(a), Accumulator::Sequence(b)) => {
            a.followers.extend(&b.followers);
            a.followers.sort_unstable();
            if let Some(at) = b.first {
                a.begin(Item { at, order: b.order, value: Value::Null });
            }
        }
        // A definition that changed its kind starts anew; what the other strand holds is of the old kind.
        (whole, part) => *whole = part.clone(),
    }
}

fn alone(plan: &ComputedTrait, part: &Accumulator, now: Timestamp) -> Value {
    let number = |count: usize| Value::Number(Decimal::from(count as u64));
    match part {
        Accumulator::Count(count) => Value::Number(Decimal::from(*count)),
        Accumulator::Sum(sum) => Value::Number(sum.normalize()),
        Accumulator::Extreme(value) | Accumulator::Edge { value, .. } => value.clone(),
        Accumulator::Average { sum, count } => average(*sum, *count),
        Accumulator::Values(values) => match plan.aggregate {
            Aggregate::Distinct(_) => number(values.len()),
            _ => most_frequent(values),
        },
        Accumulator::Window(items) => {
            let live = match plan.within {
                Some(within) => &items[items.partition_point(|item| item.at + within <= now)..],
                None => &items[..],
            };
            window_value(plan, live)
        }
        Accumulator::Sequence(sequence) => match &plan.aggregate {
            Aggregate::Sequence { follow, .. } => Value::Bool(sequence.value(*follow, plan.within.unwrap_or_default(), now)),
            _ => Value::Null,
        },
    }
}

fn window_value(plan: &ComputedTrait, items: &[Item]) -> Value {
    let sum = || {
        items
            .iter()
            .filter_map(|item| item.value.as_number())
            .fold((Decimal::ZERO, 0u64), |(sum, count), number| sum.checked_add(number).map_or((sum, count), |next| (next, count + 1)))
    };
    let values = || {
        let mut values = BTreeMap::new();
        for item in items {
            *values.entry(item.value.clone()).or_insert(0u64) += 1;
        }
        values
    };
    match plan.aggregate {
        Aggregate::Count => Value::Number(Decimal::from(items.len() as u64)),
        Aggregate::Sum(_) => Value::Number(sum().0.normalize()),
        Aggregate::Average(_) => average(sum().0, sum().1),
        Aggregate::Min(_) => items.iter().map(|item| &item.value).min().cloned().unwrap_or_default(),
        Aggregate::Max(_) => items.iter().map(|item| &item.value).max().cloned().unwrap_or_default(),
        Aggregate::First(_) => items.first().map(|item| item.value.clone()).unwrap_or_default(),
        Aggregate::Last(_) => items.last().map(|item| item.value.clone()).unwrap_or_default(),
        Aggregate::Distinct(_) => Value::Number(Decimal::from(values().len() as u64)),
        Aggregate::MostFrequent(_) => most_frequent(&values()),
        Aggregate::Sequence { .. } => Value::Null,
    }
}

fn average(sum: Decimal, count: u64) -> Value {
    if count == 0 { Value::Null } else { sum.checked_div(Decimal::from(count)).map_or(Value::Null, |mean| Value::Number(mean.normalize())) }
}

fn most_frequent(values: &BTreeMap<Value, u64>) -> Value {
    // Ascending order and a strict comparison: of equally frequent values the smallest wins.
    let mut best: Option<(&Value, u64)> = None;
    for (value, count) in values {
        if best.is_none_or(|(_, most)| *count > most) {
            best = Some((value, *count));
        }
    }
    best.map(|(value, _)| value.clone()).unwrap_or_default()
}

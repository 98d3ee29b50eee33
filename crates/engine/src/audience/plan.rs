//! Computed traits and audiences as they were written, checked.

use faden_model::condition::Expression;
use faden_model::{Span, Text};

/// A stable short name: the first eight bytes of SipHash-2-4 (key of zeros) of the written name.
/// `workspace::read` refuses two names with one key.
pub fn key_of(name: &str) -> u64 {
    use std::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher24::new_with_key(&[0; 16]);
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// A trait that follows from events: `orders_120d: {count: Order Completed, within: 120d}`.
#[derive(Clone, Debug)]
pub struct ComputedTrait {
    pub key: u64,
    /// Known to conditions and templates as `profile.traits.<name>`.
    pub name: Text,
    /// The event that counts.
    pub event: Text,
    /// Which of these events count; all when missing. Reads `event` and `now` is not allowed.
    pub condition: Option<Expression>,
    pub aggregate: Aggregate,
    /// Half open: at `t` the window covers `(t - within, t]`. All time when missing.
    pub within: Option<Span>,
}

/// How the events that count add up. Expressions read `event`.
#[derive(Clone, Debug)]
pub enum Aggregate {
    /// `{count: EVENT}`: a number, 0 when there is none.
    Count,
    /// `{sum: EXPR, event: EVENT}`: a number, 0 when there is none; values that are no number don't count.
    Sum(Expression),
    /// `{min: ...}` and the following: null when there is none.
    Min(Expression),
    Max(Expression),
    /// Exact decimal division, rounded half to even at 28 digits.
    Average(Expression),
    /// By the event's own time; of equal times the one that arrived first (last: that arrived last).
    First(Expression),
    Last(Expression),
    /// `{distinct: EXPR}`: how many different values.
    Distinct(Expression),
    /// `{most_frequent: EXPR}`: of equally frequent values the smallest.
    MostFrequent(Expression),
    /// `{did: A, then_not: B, within: 3d}`: true from 3 days after the last A on, if no B came in
    /// those 3 days; `{did: A, then: B, within: 3d}`: true from B on, if it came within 3 days of the
    /// last A. A new A begins anew. `ComputedTrait::event` is A, `condition` is for A, `within` is set.
    Sequence {
        then: Text,
        then_condition: Option<Expression>,
        follow: Follow,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    Then,
    ThenNot,
}

/// A set of profiles by rule.
#[derive(Clone, Debug)]
pub struct Audience {
    pub key: u64,
    pub name: Text,
    /// Reads `profile` (and `traits`, `audiences` as shorthand) and, in comparisons that can be solved for it, `now`.
    pub condition: Expression,
}

impl Aggregate {
    /// The expression whose value is added up, where there is one.
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Aggregate::Count | Aggregate::Sequence { .. } => None,
            Aggregate::Sum(value)
            | Aggregate::Min(value)
            | Aggregate::Max(value)
            | Aggregate::Average(value)
            | Aggregate::First(value)
            | Aggregate::Last(value)
            | Aggregate::Distinct(value)
            | Aggregate::MostFrequent(value) => Some(value),
        }
    }
}

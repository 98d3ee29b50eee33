//! Frequency caps: how many messages may a customer get in a time?
//!
//! Pure. A cap counts the messages sent in `(t - within, t]`, so a message stops counting exactly
//! `within` after it went out. A reserve keeps the last slots for messages of a higher priority.

use super::plan::{Cap, Request};
use faden_model::{Span, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// A message that went out, as far as caps need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentEntry {
    pub at: Timestamp,
    pub purpose: Text,
    pub channel: Text,
    /// `audience::key_of` of the journey's name.
    pub journey: u64,
    pub priority: i32,
}

/// Forgets messages that no cap can count any more at `at` or later.
pub fn prune(sent: &mut Vec<SentEntry>, at: Timestamp, window_max: Span) {
    let since = at - window_max;
    sent.retain(|entry| entry.at > since);
}

/// How full a cap is for a message, and how much of it this message may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) count: u32,
    pub(super) limit: u32,
}

impl Usage {
    pub(super) fn allows(self) -> bool {
        self.count < self.limit
    }

    pub(super) fn describe(self, cap: &Cap, request: &Request<'_>) -> String {
        let Usage { count, limit } = self;
        let reserved = match cap.reserve {
            Some(reserve) if limit < cap.max => format!(" ({} kept for priority {} and up)", cap.max - limit, reserve.priority),
            _ => String::new(),
        };
        format!("{count} of {limit}{reserved} used since {}", request.at - cap.within)
    }
}

/// Whether a cap counts messages of this purpose on this channel.
pub(super) fn concerns(cap: &Cap, purpose: &str, channel: &str) -> bool {
    cap.purpose.as_ref().is_none_or(|name| name == purpose) && cap.channel.as_ref().is_none_or(|name| name == channel)
}

pub(super) fn usage(cap: &Cap, sent: &[SentEntry], request: &Request<'_>) -> Usage {
    let since = request.at - cap.within;
    let counted = |entry: &&SentEntry| {
        entry.at > since
            && entry.at <= request.at
            && (!cap.per_journey || entry.journey == request.journey)
            && concerns(cap, &entry.purpose, &entry.channel)
    };
    let count = u32::try_from(sent.iter().filter(counted).count()).unwrap_or(u32::MAX);
    let reserved = cap.reserve.filter(|reserve| request.priority < reserve.priority).map_or(0, |reserve| reserve.slots);
    Usage { count, limit: cap.max.saturating_sub(reserved) }
}

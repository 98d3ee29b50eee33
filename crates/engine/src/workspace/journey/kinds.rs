//! The names of the step kinds and of their outcomes.

use crate::journey::UNAVAILABLE_STEPS;

/// Every step kind; the unavailable ones last.
pub const ALL: [&str; 16] = [
    "send",
    "wait",
    "branch",
    "split",
    "set",
    "emit",
    "subscribe",
    "journey",
    "parallel",
    "goto",
    "end",
    UNAVAILABLE_STEPS[0],
    UNAVAILABLE_STEPS[1],
    UNAVAILABLE_STEPS[2],
    UNAVAILABLE_STEPS[3],
    UNAVAILABLE_STEPS[4],
];
/// Keys that every step may have.
pub const COMMON: [&str; 4] = ["id", "title", "description", "next"];

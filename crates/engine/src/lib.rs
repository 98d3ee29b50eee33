//! The verbs of Faden: a pure, deterministic function from state and command to decisions.
//!
//! Decides, never does. Time comes with the record, ids come from counters in the state, and nothing
//! here reads a clock, a locale, an environment or the order of a hash map.

pub mod calendar;
pub mod experiment;
pub mod policy;

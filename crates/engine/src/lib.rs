//! The verbs of Faden: a pure, deterministic function from state and command to decisions.
//!
//! Decides, never does. Time comes with the record, ids come from counters in the state, and nothing
//! here reads a clock, a locale, an environment or the order of a hash map.

pub mod audience;
pub mod calendar;
pub mod content;
pub mod decision;
pub mod definitions;
pub mod delivery;
pub mod dry_run;
pub mod experiment;
mod fingerprint_table;
pub mod front;
pub mod identity;
pub mod journey;
mod pieces;
pub mod policy;
pub mod profile;
mod schedule;
pub mod shard;
pub mod track;
mod turn;
pub mod view;
mod wheel;
pub mod workspace;

pub use definitions::{Definitions, Index};
pub use turn::Output;

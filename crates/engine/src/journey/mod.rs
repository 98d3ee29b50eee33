//! Journeys: the checked plan, one passage through it, and the timers in between.

mod plan;

pub use plan::*;

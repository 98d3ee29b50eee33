//! Experiments: who is in which arm, the same on every machine, for ever.

mod plan;

pub use plan::{Arm, ExclusionGroup, Experiment};

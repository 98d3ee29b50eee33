//! Experiments: who is in which arm, the same on every machine, for ever.
//!
//! Pure: a hash of the profile's first id and the experiment's name, never a count or a draw. Who sees
//! what does not depend on who came before.

mod assign;
mod plan;

pub use assign::{Assignment, assign};
pub use plan::{Arm, ExclusionGroup, Experiment, PARTS};

#[cfg(test)]
mod tests;

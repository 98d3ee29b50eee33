//! Experiments as they were written, checked.

use faden_model::Text;

/// Parts per 10,000; the weights of an experiment's arms sum to [`PARTS`].
pub const PARTS: u32 = 10_000;

/// An experiment: the arms of a `split` step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// Name that assignment depends on; by default `journey/step`.
    pub name: Text,
    pub arms: Vec<Arm>,
    /// Part of all profiles that is kept out of everything in this experiment, in parts per 10,000.
    pub holdout: u32,
    pub group: Option<ExclusionGroup>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    pub name: Text,
    pub weight: u32,
}

/// Experiments of one group never share a profile: each owns a range of the group's 10,000 slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExclusionGroup {
    pub name: Text,
    pub from: u32,
    pub to: u32,
}

//! Assignment: profile and experiment to an arm.
//!
//! Two independent hashes: the hold-out is decided by one and the arm by another, so changing the
//! hold-out never moves anybody between arms. SipHash-2-4 keyed by SHA-free, fixed text keys; published
//! vectors in `assign_vectors.txt`.

use super::plan::{Experiment, PARTS};
use faden_model::ProfileId;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// Where a profile stands in an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// Index into `experiment.arms`.
    Arm(usize),
    /// Kept out of everything in this experiment, to measure against.
    HoldOut,
    /// The experiment's exclusion group gave this profile to another experiment.
    OutOfGroup,
}

/// Picks the arm for a profile (the id it was born under, so that merges don't move it).
pub fn assign(profile: ProfileId, experiment: &Experiment) -> Assignment {
    if let Some(group) = &experiment.group {
        let slot = part("group", &group.name, profile);
        if slot < group.from || slot >= group.to {
            return Assignment::OutOfGroup;
        }
    }
    if part("holdout", &experiment.name, profile) < experiment.holdout {
        return Assignment::HoldOut;
    }
    let part = part("arm", &experiment.name, profile);
    let mut end = 0u32;
    for (index, arm) in experiment.arms.iter().enumerate() {
        end = end.saturating_add(arm.weight);
        if part < end {
            return Assignment::Arm(index);
        }
    }
    // Weights that sum to less than `PARTS` leave a rest, which nobody treats.
    Assignment::HoldOut
}

/// A number below [`PARTS`], evenly spread over profiles and independent between names and uses.
fn part(r#use: &str, name: &str, profile: ProfileId) -> u32 {
    let mut key = SipHasher24::new_with_key(&[0; 16]);
    key.write(r#use.as_bytes());
    key.write_u8(0);
    key.write(name.as_bytes());
    let hash = SipHasher24::new_with_keys(key.finish(), 0).hash(&profile.0.to_le_bytes());
    // The high bits by multiplication: no modulo bias worth naming (below 1 in 10^15).
    u32::try_from((u128::from(hash) * u128::from(PARTS)) >> 64).unwrap_or(0)
}

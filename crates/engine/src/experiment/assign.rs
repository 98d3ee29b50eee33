//! Assignment: profile and experiment to an arm.
//!
//! Three hashes that know nothing of each other: one for the exclusion group, one for the hold-out, one
//! for the arm. So a changed hold-out never moves anybody from arm to arm.
//!
//! The arm is found by weighted rendezvous: each arm draws a number for the profile, an exponential one
//! with the arm's weight as its rate, and the smallest wins (Efraimidis and Spirakis 2006, "Weighted
//! random sampling with a reservoir", as `-log(u) / weight`). An arm's draw depends on its name only, so:
//! - the order of the arms does not matter;
//! - a profile moves only towards an arm whose share grows against its own arm's; when one arm is
//!   added, removed or changed and the others keep their proportions, the fewest possible profiles move.
//!   When several change at once somewhat more may: from 40/40/20 to 50/0/50 it is 47 % instead of 40 %.
//!
//! Ranges that follow each other would move more (33/33/34 to 50/25/25: 26 % instead of 17 %) and make
//! the order of the arms matter.
//!
//! Source of the hash: SipHash-2-4 (Aumasson and Bernstein 2012). Vectors: `assign_vectors.txt`.

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
    /// The experiment's exclusion group gave this profile to another experiment, or to none.
    OutOfGroup,
}

/// Picks the arm for a profile; the same answer on every machine, for ever.
///
/// `profile` is the id it was born under, so that a merge does not move it. Weights are shares of their
/// sum; an arm of weight 0 gets nobody, and without any weight everybody is in the hold-out. Never fails.
pub fn assign(profile: ProfileId, experiment: &Experiment) -> Assignment {
    if let Some(group) = &experiment.group {
        let slot = part(hash("group", &group.name, "", profile));
        if slot < group.from || slot >= group.to {
            return Assignment::OutOfGroup;
        }
    }
    if experiment.holdout > 0 && part(hash("holdout", &experiment.name, "", profile)) < experiment.holdout {
        return Assignment::HoldOut;
    }
    let mut best: Option<(usize, u64, u32)> = None;
    for (index, arm) in experiment.arms.iter().enumerate().filter(|(_, arm)| arm.weight > 0) {
        let draw = minus_log2(hash("arm", &experiment.name, &arm.name, profile));
        // draw / weight < best draw / best weight, without the division.
        let smaller =
            best.is_none_or(|(_, best, weight)| u128::from(draw) * u128::from(weight) < u128::from(best) * u128::from(arm.weight));
        if smaller {
            best = Some((index, draw, arm.weight));
        }
    }
    best.map_or(Assignment::HoldOut, |(index, ..)| Assignment::Arm(index))
}

/// SipHash-2-4 of the profile's number (8 bytes, little endian). Its key is the hash, under a key of
/// zeros, of use, name and arm with a zero byte behind each, followed by eight zero bytes.
fn hash(r#use: &str, name: &str, arm: &str, profile: ProfileId) -> u64 {
    let mut key = SipHasher24::new_with_key(&[0; 16]);
    for text in [r#use, name, arm] {
        key.write(text.as_bytes());
        key.write(&[0]);
    }
    SipHasher24::new_with_keys(key.finish(), 0).hash(&profile.0.to_le_bytes())
}

/// A number below [`PARTS`], evenly spread: the high bits of the hash by multiplication.
fn part(hash: u64) -> u32 {
    u32::try_from((u128::from(hash) * u128::from(PARTS)) >> 64).unwrap_or(0)
}

/// `-log2((hash + 1) / 2^64)` with 32 bits behind the point, in whole numbers only: each squaring of the
/// mantissa yields one more binary digit of its logarithm.
fn minus_log2(hash: u64) -> u64 {
    let number = u128::from(hash) + 1;
    let whole = 127 - number.leading_zeros();
    // The mantissa, in [1, 2), with 63 bits behind the point.
    let mut mantissa = if whole <= 63 { number << (63 - whole) } else { number >> (whole - 63) };
    let mut log = u64::from(whole);
    for _ in 0..32 {
        mantissa = (mantissa * mantissa) >> 63;
        log <<= 1;
        if mantissa >> 64 != 0 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    (64 << 32) - log
}

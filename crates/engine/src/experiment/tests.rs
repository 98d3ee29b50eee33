//! Vectors, evenness, independence and stability of assignment.

use super::*;
use faden_model::ProfileId;
use proptest::prelude::*;

const VECTORS: &str = include_str!("assign_vectors.txt");

fn experiment(name: &str, arms: &[(&str, u32)]) -> Experiment {
    let arms = arms.iter().map(|(name, weight)| Arm { name: (*name).into(), weight: *weight }).collect();
    Experiment { name: name.into(), arms, holdout: 0, group: None }
}

/// The experiments that the vectors were made with; profiles are the first column.
fn published() -> Vec<Experiment> {
    let mut held = experiment("held", &[("control", 5000), ("variant", 5000)]);
    held.holdout = 2000;
    let mut grouped = experiment("grouped", &[("control", 5000), ("variant", 5000)]);
    grouped.group = Some(ExclusionGroup { name: "checkout".into(), from: 0, to: 3000 });
    vec![
        experiment("cart_recovery/split", &[("control", 5000), ("variant", 5000)]),
        experiment("three", &[("a", 1000), ("b", 3000), ("c", 6000)]),
        held,
        grouped,
    ]
}

fn written(profile: u64) -> String {
    let cells = published().into_iter().map(|experiment| match assign(ProfileId(profile), &experiment) {
        Assignment::Arm(index) => experiment.arms[index].name.to_string(),
        Assignment::HoldOut => "hold-out".to_owned(),
        Assignment::OutOfGroup => "out-of-group".to_owned(),
    });
    std::iter::once(profile.to_string()).chain(cells).collect::<Vec<_>>().join(" ")
}

#[test]
fn assignment_is_the_published_one() {
    let mut lines = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let profile = line.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(written(profile), line);
        lines += 1;
    }
    assert_eq!(lines, 48);
}

/// Chi-square statistic times 1,000, in whole numbers.
fn chi_square_milli(counts: &[u64], shares: &[u64]) -> u64 {
    let (total, parts): (u64, u64) = (counts.iter().sum(), shares.iter().sum());
    let terms = counts.iter().zip(shares).map(|(count, share)| {
        let (scaled, expected) = (count * parts, total * share);
        let distance = u128::from(scaled.abs_diff(expected));
        u64::try_from(distance * distance * 1000 / u128::from(expected) / u128::from(parts)).unwrap()
    });
    terms.sum()
}

#[test]
fn arms_get_their_share() {
    // Critical values at p = 0.001, by degrees of freedom: 10.828 for 1, 13.816 for 2, 18.467 for 4.
    for (name, arms, critical_milli) in [
        ("even", vec![("a", 5000), ("b", 5000)], 10_828),
        ("uneven", vec![("a", 100), ("b", 9900)], 10_828),
        ("thirds", vec![("a", 3333), ("b", 3333), ("c", 3334)], 13_816),
        ("five", vec![("a", 500), ("b", 1500), ("c", 2000), ("d", 2500), ("e", 3500)], 18_467),
    ] {
        let experiment = experiment(name, &arms);
        let mut counts = vec![0u64; arms.len()];
        for profile in 0..100_000 {
            match assign(ProfileId(profile), &experiment) {
                Assignment::Arm(index) => counts[index] += 1,
                other => panic!("{other:?}"),
            }
        }
        let shares: Vec<u64> = arms.iter().map(|(_, weight)| u64::from(*weight)).collect();
        let found = chi_square_milli(&counts, &shares);
        assert!(found < critical_milli, "{name}: chi-square {found}/1000, counts {counts:?}");
    }
}

#[test]
fn experiments_know_nothing_of_each_other() {
    let (first, second) = (experiment("first", &[("a", 5000), ("b", 5000)]), experiment("second", &[("a", 5000), ("b", 5000)]));
    let mut held = first.clone();
    held.holdout = 5000;
    // Four cells: arm in one experiment against arm in another, and against its own hold-out.
    let (mut between, mut within) = ([0u64; 4], [0u64; 4]);
    for profile in (0..100_000).map(ProfileId) {
        let arm = usize::from(assign(profile, &first) == Assignment::Arm(1));
        between[arm * 2 + usize::from(assign(profile, &second) == Assignment::Arm(1))] += 1;
        within[arm * 2 + usize::from(assign(profile, &held) == Assignment::HoldOut)] += 1;
    }
    for (name, counts) in [("between", between), ("within", within)] {
        // Critical value at p = 0.001 for 3 degrees of freedom: 16.266.
        let found = chi_square_milli(&counts, &[1, 1, 1, 1]);
        assert!(found < 16_266, "{name}: chi-square {found}/1000, counts {counts:?}");
    }
}

#[test]
fn a_hold_out_and_a_group_keep_their_share_and_their_people() {
    let plain = experiment("plain", &[("a", 5000), ("b", 5000)]);
    let mut smaller = plain.clone();
    smaller.holdout = 1000;
    let mut larger = plain.clone();
    larger.holdout = 2000;
    let mut held = [0u64; 2];
    for profile in (0..100_000).map(ProfileId) {
        let (plain, smaller, larger) = (assign(profile, &plain), assign(profile, &smaller), assign(profile, &larger));
        assert!(smaller == plain || smaller == Assignment::HoldOut);
        assert!(larger == smaller || larger == Assignment::HoldOut, "a larger hold-out only adds people");
        held[usize::from(larger == Assignment::HoldOut)] += 1;
    }
    let found = chi_square_milli(&held, &[8, 2]);
    assert!(found < 10_828, "chi-square {found}/1000, counts {held:?}");
}

#[test]
fn changed_weights_move_as_few_profiles_as_possible() {
    // Moved per 10,000: at best half the sum of the changes.
    for (before, after, fewest) in [
        (vec![("a", 5000), ("b", 5000)], vec![("a", 6000), ("b", 4000)], 1000),
        (vec![("a", 5000), ("b", 5000)], vec![("b", 5000), ("a", 5000)], 0),
        (vec![("a", 5000), ("b", 5000)], vec![("a", 4000), ("b", 4000), ("c", 2000)], 2000),
        (vec![("a", 4000), ("b", 4000), ("c", 2000)], vec![("a", 6667), ("c", 3333)], 4000),
        (vec![("a", 3333), ("b", 3333), ("c", 3334)], vec![("a", 5000), ("b", 2500), ("c", 2500)], 1667),
    ] {
        let (old, new) = (experiment("changing", &before), experiment("changing", &after));
        let name = |profile: ProfileId, experiment: &Experiment| match assign(profile, experiment) {
            Assignment::Arm(index) => experiment.arms[index].name.clone(),
            other => panic!("{other:?}"),
        };
        let moved = (0..100_000).map(ProfileId).filter(|profile| name(*profile, &old) != name(*profile, &new)).count();
        // Within 0.6 percent points, four times the standard deviation at worst.
        assert!(moved.abs_diff(fewest * 10) < 600, "{before:?} to {after:?} moved {moved} of 100,000, fewest {fewest} of 10,000");
    }
}

#[test]
fn nobody_is_treated_where_no_arm_has_weight() {
    for arms in [vec![], vec![("a", 0)], vec![("a", 0), ("b", 0)]] {
        assert_eq!(assign(ProfileId(7), &experiment("empty", &arms)), Assignment::HoldOut);
    }
    for profile in 0..1000 {
        assert_eq!(assign(ProfileId(profile), &experiment("one", &[("a", 0), ("b", 10_000)])), Assignment::Arm(1));
    }
}

#[test]
fn every_slot_of_a_group_belongs_to_exactly_one_experiment() {
    let arms = experiment("slot", &[("a", 10_000)]);
    for profile in (0..20).map(ProfileId) {
        let owners = (0..PARTS).filter(|slot| {
            let group = Some(ExclusionGroup { name: "shared".into(), from: *slot, to: slot + 1 });
            assign(profile, &Experiment { group, ..arms.clone() }) != Assignment::OutOfGroup
        });
        assert_eq!(owners.count(), 1, "{profile:?}");
    }
}

proptest! {
    #[test]
    fn experiments_of_one_group_never_share_a_profile(profile: u64, borders in prop::collection::vec(0u32..=PARTS, 2..8)) {
        let mut borders = borders;
        borders.sort_unstable();
        let inside = borders.windows(2).enumerate().filter(|(index, ends)| {
            let mut experiment = experiment(&format!("experiment {index}"), &[("a", 5000), ("b", 5000)]);
            experiment.group = Some(ExclusionGroup { name: "shared".into(), from: ends[0], to: ends[1] });
            assign(ProfileId(profile), &experiment) != Assignment::OutOfGroup
        });
        prop_assert!(inside.count() <= 1);
    }

    #[test]
    fn a_profile_moves_only_to_an_arm_that_grew_against_its_own(
        profile: u64, before in prop::collection::vec(1u32..1000, 4), after in prop::collection::vec(1u32..1000, 4),
    ) {
        let names = ["a", "b", "c", "d"];
        let of = |weights: &[u32]| experiment("moving", &names.into_iter().zip(weights.iter().copied()).collect::<Vec<_>>());
        if let (Assignment::Arm(old), Assignment::Arm(new)) = (assign(ProfileId(profile), &of(&before)), assign(ProfileId(profile), &of(&after))) {
            prop_assert!(old == new || u64::from(after[new]) * u64::from(before[old]) > u64::from(before[new]) * u64::from(after[old]));
        }
    }
}

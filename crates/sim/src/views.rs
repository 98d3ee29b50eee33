//! What views keep for people says the same as the profiles, however often the node was stopped meanwhile.

use crate::outcome::Outcome;
use faden_engine::profile::Profile;
use faden_model::{ProfileId, Text, Timestamp};
use faden_runtime::views::search::{self, words};
use faden_runtime::views::waits::{Of, Standing, standing};
use faden_runtime::views::{Counts, JourneyCounts, audiences, through};
use faden_runtime::{Node, SharedStore};
use std::collections::{BTreeMap, BTreeSet};

/// Rows that one look reads at most; runs have far fewer.
const ALL: usize = 1_000_000;

/// The first thing that a view says otherwise than the profiles. The node has written a checkpoint.
pub fn difference(node: &mut Node, want: &Outcome) -> Option<String> {
    let store = node.store()?.clone();
    let people = || want.profiles.values();
    members(node, &store, people).or_else(|| standings(node, &store, people)).or_else(|| found_by_words(&store, people))
}

fn members<'p, P: Iterator<Item = &'p Profile>>(node: &mut Node, store: &SharedStore, people: impl Fn() -> P) -> Option<String> {
    let counts = node.views()?.counts.clone();
    let known: Vec<(u64, Text)> = node.index().definitions.audiences.iter().map(|audience| (audience.key, audience.name.clone())).collect();
    for (key, name) in known {
        let since = |profile: &Profile| profile.memberships.iter().find(|member| member.key == key).map(|member| member.since);
        let wanted: Vec<(ProfileId, Timestamp)> = people().filter_map(|profile| Some((profile.id, since(profile)?))).collect();
        let listed = audiences::members(store, &[], key, None, ALL);
        if listed != wanted {
            return Some(format!("the members of {name} are {wanted:?}, the view has {listed:?}"));
        }
        let size = counts.audiences.get(&key).map_or(0, |counts| counts.size);
        if size != wanted.len() as u64 {
            return Some(format!("{name} has {} members, {size} were counted", wanted.len()));
        }
    }
    None
}

fn standings<'p, P: Iterator<Item = &'p Profile>>(node: &mut Node, store: &SharedStore, people: impl Fn() -> P) -> Option<String> {
    let counts: Counts = node.views()?.counts.clone();
    let mut wanted: BTreeSet<Standing> = BTreeSet::new();
    let mut running: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for enrollment in people().flat_map(|profile| &profile.enrollments) {
        let (journey, version) = (enrollment.journey, enrollment.version);
        *running.entry((journey, version)).or_default() += 1;
        wanted.extend(enrollment.tokens.iter().map(|token| Standing { journey, version, step: token.step, enrollment: enrollment.id }));
    }
    let rows: BTreeSet<Standing> = standing(store, &[], Of::All, None, ALL).into_iter().collect();
    if let Some(apart) = rows.symmetric_difference(&wanted).next() {
        return Some(format!("{apart:?} is in a profile or in the view of who stands where, not in both"));
    }
    for version in node.index().definitions.journeys.iter().flat_map(|journey| node.index().versions_of(journey.key)) {
        let none = JourneyCounts::default();
        let counted = counts.journeys.get(&version.name).unwrap_or(&none);
        let inside = running.get(&(version.key, version.version)).copied().unwrap_or(0);
        if counted.running_in(version.version) != inside {
            let counted = counted.running_in(version.version);
            return Some(format!("{inside} are inside {}, {counted} were counted", version.name));
        }
        for (step, plan) in (0u16..).zip(&version.steps).filter(|(_, step)| step.kind.waits()) {
            let here = |standing: &&Standing| (standing.journey, standing.version, standing.step) == (version.key, version.version, step);
            let (stand, (came, left)) = (
                wanted.iter().filter(here).count() as u64,
                counted.versions.get(&version.version).map_or((0, 0), |ways| through(ways, step)),
            );
            if came.checked_sub(left) != Some(stand) {
                return Some(format!("{stand} stand at {} of {}; {came} came and {left} left by the counts", plan.id, version.name));
            }
        }
    }
    None
}

fn found_by_words<'p, P: Iterator<Item = &'p Profile>>(store: &SharedStore, people: impl Fn() -> P) -> Option<String> {
    let wanted: BTreeSet<(Text, ProfileId)> =
        people().flat_map(|profile| words(profile).into_iter().map(|word| (word, profile.id))).collect();
    let rows: BTreeSet<(Text, ProfileId)> = search::stored(store, "", None, ALL).into_iter().collect();
    let apart = rows.symmetric_difference(&wanted).next()?;
    Some(format!("the word of {} is in his profile or in the rows of words, not in both", apart.1))
}

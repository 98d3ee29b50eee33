//! What a run comes to, the run without faults to hold it against, and laws that hold for every run.

use crate::people::{LAST_CALL, REFUSER};
use crate::workspace::{CAP_MAX, CAP_WITHIN_DAYS, LISTED, ROLL_CALL, definitions, line};
use faden_engine::audience::key_of;
use faden_engine::decision::{Cause, Decision, Kind, MessageOutcome};
use faden_engine::front::Front;
use faden_engine::profile::Profile;
use faden_model::{Command, ProfileId, Record, Span, Timestamp};
use faden_runtime::{Node, Options};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that two runs over the same records must have in common.
#[derive(Default)]
pub struct Outcome {
    /// Decisions as lines, sorted.
    pub decisions: Vec<String>,
    pub profiles: BTreeMap<ProfileId, Profile>,
    /// Nothing but time came after the last roll call; a client that sends again can make it otherwise.
    pub called_last: bool,
}

/// The fault-free run: one partition, in memory, nothing lost and nothing late.
pub fn expected(records: Vec<Record<'static>>, options: &Options) -> Result<(Outcome, Vec<Decision>), String> {
    let mut node = Node::in_memory(definitions(), Options { partitions: 1, ..options.clone() });
    let records = without_repeats(records);
    let called_last = records.iter().rev().find(|record| record.command != Command::Tick).is_some_and(is_last_call);
    node.apply(&records).map_err(|error| format!("the fault-free run failed: {error}"))?;
    let decisions = node.take_decisions();
    let mut outcome = Outcome { decisions: decisions.iter().map(line).collect(), profiles: BTreeMap::new(), called_last };
    outcome.decisions.sort_unstable();
    for id in live(node.front()) {
        let profile = node.profile(id).ok_or_else(|| format!("the fault-free run has no profile {id}, which is alive"))?;
        outcome.profiles.insert(id, profile);
    }
    Ok((outcome, decisions))
}

fn is_last_call(record: &Record<'_>) -> bool {
    record.command.event().is_some_and(|event| event.message_id.ends_with(LAST_CALL))
}

/// Repeats by message id become nothing but their time. Done here and not by the engine, so that an
/// engine that forgets ids is found out.
fn without_repeats(records: Vec<Record<'static>>) -> Vec<Record<'static>> {
    let mut seen = BTreeSet::new();
    let keep = |mut record: Record<'static>| {
        if let Some(event) = record.command.event()
            && !event.message_id.is_empty()
            && !seen.insert(event.message_id.to_string())
        {
            record.command = Command::Tick;
        }
        record
    };
    records.into_iter().map(keep).collect()
}

/// The profiles that are alive by the identity stream's word.
pub fn live(front: &Front) -> BTreeSet<ProfileId> {
    (0..).map_while(|strand| front.identity.profile_of_strand(ProfileId(strand))).collect()
}

impl Outcome {
    /// The first difference in words.
    pub fn difference(&self, found: &Outcome) -> Option<String> {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        self.decisions.iter().for_each(|line| *counts.entry(line).or_insert(0) += 1);
        found.decisions.iter().for_each(|line| *counts.entry(line).or_insert(0) -= 1);
        let mut apart: Vec<(&str, i64)> = counts.into_iter().filter(|(_, count)| *count != 0).collect();
        if !apart.is_empty() {
            apart.sort_by_key(|(line, _)| at_of(line));
            let lines: Vec<String> = apart.iter().take(6).map(|(line, count)| difference_line(line, *count)).collect();
            return Some(format!("{} decisions differ, the first:\n{}", apart.len(), lines.join("\n")));
        }
        for (id, profile) in &self.profiles {
            match found.profiles.get(id) {
                None => return Some(format!("profile {id} is gone")),
                Some(other) if other != profile => return Some(format!("profile {id} differs:\n{}", lines_apart(profile, other))),
                Some(_) => {}
            }
        }
        let extra = found.profiles.keys().find(|id| !self.profiles.contains_key(id));
        extra.map(|id| format!("profile {id} should not be there"))
    }
}

fn at_of(line: &str) -> &str {
    line.split_once("\"at\":\"").map_or("", |(_, rest)| rest.get(..24).unwrap_or(rest))
}

fn difference_line(line: &str, count: i64) -> String {
    let what = if count > 0 { "missing" } else { "too many" };
    let mut line = format!("  {what} ({}): {line}", count.abs());
    if let Some((cut, _)) = line.char_indices().nth(600) {
        line.truncate(cut);
    }
    line
}

fn lines_apart(expected: &Profile, found: &Profile) -> String {
    let (expected, found) = (format!("{expected:#?}"), format!("{found:#?}"));
    let mut path: Vec<&str> = Vec::new();
    for (one, other) in expected.lines().zip(found.lines()) {
        let depth = (one.len() - one.trim_start().len()) / 4;
        path.truncate(depth);
        if one != other {
            return format!("  in {}\n  expected {}\n  found    {}", path.join(" "), one.trim(), other.trim());
        }
        path.resize(depth, "");
        path.push(one.trim());
    }
    "  one is longer than the other".to_owned()
}

/// What holds for every run, whatever happened in it.
pub fn broken_law(outcome: &Outcome, decisions: &[Decision]) -> Option<String> {
    unique_ids(decisions)
        .or_else(|| unique_identifiers(outcome))
        .or_else(|| caps(decisions))
        .or_else(|| consent(decisions))
        .or_else(|| everybody_is_called(outcome, decisions))
}

fn unique_ids(decisions: &[Decision]) -> Option<String> {
    let mut ids = BTreeSet::new();
    let twice = decisions.iter().find(|decision| !ids.insert(decision.id.0))?;
    Some(format!("two decisions have the id {}", twice.id))
}

fn unique_identifiers(outcome: &Outcome) -> Option<String> {
    let mut owners: BTreeMap<(String, String), ProfileId> = BTreeMap::new();
    for (id, profile) in &outcome.profiles {
        for known in profile.strands.iter().flat_map(|strand| &strand.identifiers) {
            let key = (known.kind.name().to_owned(), known.value.to_string());
            if let Some(other) = owners.insert(key, *id) {
                return Some(format!("{} {} points to {other} and to {id}", known.kind.name(), known.value));
            }
        }
    }
    None
}

/// A merge only adds to what counts against a cap; after an un-merge a part of it has gone elsewhere, so
/// profiles that were parted are left out.
fn caps(decisions: &[Decision]) -> Option<String> {
    let mut parted: BTreeSet<ProfileId> = BTreeSet::new();
    for decision in decisions {
        if let Kind::Unmerged { restored, .. } = &decision.kind {
            parted.extend([decision.profile, *restored]);
        }
    }
    let mut sent: BTreeMap<ProfileId, Vec<Timestamp>> = BTreeMap::new();
    for (decision, message) in messages_sent(decisions) {
        if message.purpose == "marketing" && !parted.contains(&decision.profile) {
            sent.entry(decision.profile).or_default().push(decision.at);
        }
    }
    for (profile, mut times) in sent {
        times.sort_unstable();
        let close = times.windows(CAP_MAX + 1).find(|window| window[CAP_MAX] - window[0] < Span(CAP_WITHIN_DAYS * Span::DAY.0));
        if let Some(window) = close {
            return Some(format!("{profile} got {} marketing messages from {} on, within {CAP_WITHIN_DAYS} days", window.len(), window[0]));
        }
    }
    None
}

fn consent(decisions: &[Decision]) -> Option<String> {
    let (decision, _) = messages_sent(decisions).find(|(decision, message)| {
        // A journey may ask for consent by itself; before that, nothing goes to who never agreed.
        let his = |other: &Decision| other.user_id == REFUSER || other.user_id.is_empty();
        let asked = |other: &Decision| matches!(other.kind, Kind::Consent { .. }) && other.at <= decision.at && his(other);
        message.purpose == "marketing" && decision.user_id == REFUSER && !decisions.iter().any(asked)
    })?;
    Some(format!("{} went to {REFUSER}, who never agreed", decision.id))
}

fn messages_sent(decisions: &[Decision]) -> impl Iterator<Item = (&Decision, &faden_engine::decision::Message)> {
    decisions.iter().filter_map(|decision| match &decision.kind {
        Kind::Message(message) if message.outcome == MessageOutcome::Sent => Some((decision, &**message)),
        _ => None,
    })
}

/// The roll call at the end finds exactly the members of its audience at that instant. Members do not
/// change afterwards by anything but time, so whoever is one and entered before it was called.
fn everybody_is_called(outcome: &Outcome, decisions: &[Decision]) -> Option<String> {
    if !outcome.called_last {
        return None;
    }
    let listed = key_of(LISTED);
    let called: BTreeSet<ProfileId> = decisions
        .iter()
        .filter(|decision| match &decision.kind {
            Kind::Enrolled { journey, cause: Cause::Broadcast { message_id, .. }, .. } => {
                journey == ROLL_CALL && message_id.ends_with(LAST_CALL)
            }
            _ => false,
        })
        .map(|decision| decision.profile)
        .collect();
    let missed = outcome.profiles.values().find(|profile| profile.is_member(listed) && !called.contains(&profile.id))?;
    Some(format!("{} is in audience {LISTED}, and a broadcast to it passed by", missed.id))
}

//! `split` steps and their experiments: arms in percent, hold-out, exclusion group.

use super::outline::Outline;
use super::steps::{At, Experiments};
use crate::experiment::{Arm, ExclusionGroup, Experiment};
use crate::journey::{StepKind, Target};
use crate::workspace::code;
use crate::workspace::fields::{Map, first_line};
use crate::workspace::report::Sheet;
use crate::workspace::yaml::{Kind, Node};
use faden_model::Text;
use faden_model::diagnostic::ByteRange;
use std::collections::{BTreeMap, BTreeSet};

/// The outcome of those who are kept out; no arm may be called so.
const HOLDOUT: &str = "holdout";
/// 100 percent, in parts per 10,000.
const WHOLE: u32 = crate::experiment::PARTS;

/// The experiments of a journey by name, before anything is checked.
pub fn names(outline: &Outline<'_>, journey: &str) -> BTreeSet<Text> {
    let split = |draft: &super::outline::Draft<'_>| {
        let split = draft.node.get("split")?;
        let written = split.get("experiment").and_then(Node::text).map(Text::new);
        Some(written.unwrap_or_else(|| default_name(journey, &draft.id)))
    };
    outline.steps.iter().filter_map(split).collect()
}

fn default_name(journey: &str, step: &str) -> Text {
    Text::new(format!("{journey}/{step}"))
}

/// `{arms: {a: 50, b: 50}, experiment: NAME, holdout: 10, group: {name, from, to}}`
pub fn read(at: &At<'_>, journey: &Text, experiments: &mut Experiments) -> Option<StepKind> {
    let sheet = at.context.sheet;
    let map = sheet.map(at.node, "`split`", &["arms", "experiment", HOLDOUT, "group"])?;
    let arms = map.require("arms", "arms: {a: 50, b: 50}").and_then(|node| arms(sheet, node));
    let holdout = map.get(HOLDOUT).map_or(Some(0), |node| sheet.percent(node, HOLDOUT));
    let name = match map.get("experiment") {
        None => Some(default_name(journey, &at.outline.steps[at.index].id)),
        Some(node) => sheet.name(node, "experiment"),
    };
    let group = map.get("group").map(|node| group(sheet, node));
    let arms = arms?;
    let outcomes: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).chain([HOLDOUT]).collect();
    let ways = at.outcomes(&outcomes);
    let (holdout, name, mut ways) = (holdout?, name?, ways?);
    let mut held = ways.pop().unwrap_or(Target::End);
    if !at.names_outcome(HOLDOUT) {
        held = at.outline.end(at.index);
    }
    let experiment = Experiment { name, arms, holdout, group: crate::workspace::audiences::whole(group)? };
    experiments.push((experiment.clone(), first_line(sheet, at.node.place)));
    Some(StepKind::Split { experiment, arms: ways, holdout: held })
}

/// `{a: 50, b: 50}` or `[{name: a, weight: 50}, ...]`; they sum to 100.
fn arms(sheet: &Sheet<'_>, node: &Node) -> Option<Vec<Arm>> {
    let mut arms: Vec<Arm> = Vec::new();
    let before = sheet.findings();
    let mut add = |name: Text, place: ByteRange, weight: Option<u32>| {
        if name == HOLDOUT {
            let help = "write `holdout: 10` beside `arms` for those who are kept out";
            sheet.error(place, code::RESERVED_NAME, "an arm cannot be called `holdout`", help);
        } else if arms.iter().any(|arm| arm.name == name) {
            sheet.error(place, code::DUPLICATE_NAME, format!("the arm `{name}` stands here twice"), "give each its own name");
        }
        arms.extend(weight.map(|weight| Arm { name, weight }));
    };
    match &node.kind {
        Kind::List(items) => {
            for item in items {
                let Some(map) = sheet.map(item, "an arm", &["name", "weight"]) else { continue };
                let name = map.require("name", "name: a").and_then(|node| Some((sheet.name(node, "name")?, node.place)));
                let weight = map.require("weight", "weight: 50").and_then(|node| sheet.percent(node, "weight"));
                if let Some((name, place)) = name {
                    add(name, place, weight);
                }
            }
        }
        _ => {
            for (key, value) in sheet.open_map(node, "`arms`")?.fields() {
                add(Text::new(&key.name), key.place, sheet.percent(value, &key.name));
            }
        }
    }
    if sheet.findings() > before {
        return None;
    }
    let sum: u32 = arms.iter().map(|arm| arm.weight).sum();
    if sum != WHOLE {
        let help = "make them sum to 100; `holdout` is taken off before and does not count here";
        sheet.error(first_line(sheet, node.place), code::WEIGHTS_SUM, format!("the arms sum to {}, not to 100", percent(sum)), help);
        return None;
    }
    Some(arms)
}

/// `{name: NAME, from: 0, to: 50}`, in percent of the group.
fn group(sheet: &Sheet<'_>, node: &Node) -> Option<ExclusionGroup> {
    if node.text().is_some() {
        let help = "write `group: {name: NAME, from: 0, to: 50}`: which part of the group, in percent, this experiment owns";
        sheet.error(node.place, code::WRONG_TYPE, "`group` is a text", help);
        return None;
    }
    let map: Map<'_> = sheet.map(node, "`group`", &["name", "from", "to"])?;
    let name = map.require("name", "name: checkout").and_then(|node| sheet.name(node, "name"));
    let from = map.require("from", "from: 0").and_then(|node| sheet.percent(node, "from"));
    let to = map.require("to", "to: 50").and_then(|node| sheet.percent(node, "to"));
    let (name, from, to) = (name?, from?, to?);
    if from >= to {
        let message = format!("the part from {} to {} is empty", percent(from), percent(to));
        sheet.error(first_line(sheet, map.place), code::OUT_OF_RANGE, message, "make `to` larger than `from`");
        return None;
    }
    Some(ExclusionGroup { name, from, to })
}

/// Parts per 10,000 as people write them: 3334 is 33.34.
fn percent(parts: u32) -> String {
    let text = format!("{}.{:02}", parts / 100, parts % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One list over all journeys, by name. Two of one name must be the same; in a group nobody shares.
pub fn merge<'a>(read: impl IntoIterator<Item = (&'a Sheet<'a>, Experiments)>) -> Vec<Experiment> {
    let mut merged: BTreeMap<Text, (Experiment, &Sheet<'_>, ByteRange)> = BTreeMap::new();
    for (sheet, experiments) in read {
        for (experiment, place) in experiments {
            match merged.get(&experiment.name) {
                Some((other, home, _)) if *other != experiment => {
                    let message = format!("the experiment `{}` has other arms in {}", experiment.name, home.file);
                    let help = "use the same arms, hold-out and group in both, or another name";
                    sheet.error(place, code::EXPERIMENT_DIFFERS, message, help);
                }
                Some(_) => {}
                None => {
                    merged.insert(experiment.name.clone(), (experiment, sheet, place));
                }
            }
        }
    }
    let all: Vec<&(Experiment, &Sheet<'_>, ByteRange)> = merged.values().collect();
    for (at, (experiment, sheet, place)) in all.iter().enumerate() {
        let Some(group) = &experiment.group else { continue };
        let overlaps = |other: &ExclusionGroup| other.name == group.name && other.from < group.to && group.from < other.to;
        let other = all[..at].iter().find(|(other, _, _)| other.group.as_ref().is_some_and(overlaps));
        if let Some((other, _, _)) = other {
            let message = format!("`{}` and `{}` share a part of the group `{}`", experiment.name, other.name, group.name);
            sheet.error(*place, code::GROUP_OVERLAP, message, "give each its own `from` and `to`");
        }
    }
    all.into_iter().map(|(experiment, _, _)| experiment.clone()).collect()
}

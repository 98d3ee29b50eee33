//! `audiences/*.yaml`: computed traits, then the audiences that read them, in the order in which they depend on each other.

use super::code;
use super::conditions;
use super::fields::Map;
use super::report::Sheet;
use super::schema::{Names, Place};
use super::suggest::quoted;
use super::world::World;
use super::yaml::{Key, Node};
use crate::audience::{Aggregate, Audience, ComputedTrait, Follow, key_of};
use faden_model::condition::{Expression, Type};
use faden_model::diagnostic::ByteRange;
use faden_model::{Span, Text};
use std::collections::{BTreeMap, BTreeSet};

/// The ways in which events add up.
const AGGREGATES: [&str; 10] = ["count", "sum", "min", "max", "average", "first", "last", "distinct", "most_frequent", "did"];
const TRAIT_KEYS: [&str; 16] = [
    "count",
    "sum",
    "min",
    "max",
    "average",
    "first",
    "last",
    "distinct",
    "most_frequent",
    "did",
    "then",
    "then_not",
    "event",
    "where",
    "then_where",
    "within",
];

/// An audience file, its map opened.
pub struct File<'a> {
    pub sheet: &'a Sheet<'a>,
    pub root: &'a Node,
}

/// Reads all computed traits and notes their types in the world.
pub fn traits(files: &[File<'_>], world: &mut World) -> Vec<ComputedTrait> {
    let mut traits: BTreeMap<Text, ComputedTrait> = BTreeMap::new();
    let mut homes: BTreeMap<Text, &str> = BTreeMap::new();
    for file in files {
        let Some(map) =
            file.root.get("traits").filter(|node| node.scalar().is_none()).and_then(|node| file.sheet.open_map(node, "`traits`"))
        else {
            continue;
        };
        for (key, node) in map.fields() {
            let name = Text::new(&key.name);
            if !trait_name(file.sheet, key) {
                continue;
            }
            if let Some(home) = homes.get(&name) {
                let message = format!("the trait `{name}` is computed in {home} already");
                file.sheet.error(
                    key.place,
                    code::DUPLICATE_NAME,
                    message,
                    "every audience may read it; remove it here, or give it another name",
                );
                continue;
            }
            homes.insert(name.clone(), file.sheet.file);
            // Known by name also when it is wrong, so that one mistake is reported once.
            world.computed.insert(name.clone(), Type::Any);
            if let Some(computed) = computed(file.sheet, &name, node, world) {
                world.computed.insert(name.clone(), computed_type(&computed.aggregate));
                traits.insert(name, computed);
            }
        }
    }
    traits.into_values().collect()
}

/// Trait names stand in conditions, so they must be words there.
fn trait_name(sheet: &Sheet<'_>, key: &Key) -> bool {
    let name = key.name.as_str();
    let word =
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !word {
        let help = "use letters a-z, digits and `_`, first a letter, such as `orders_30d`";
        sheet.error(key.place, code::BAD_NAME, format!("`{name}` cannot be the name of a trait"), help);
    }
    if matches!(name, "true" | "false" | "null" | "in" | "has" | "now") {
        sheet.error(key.place, code::RESERVED_NAME, format!("`{name}` has a meaning in conditions"), "give the trait another name");
        return false;
    }
    word
}

fn computed_type(aggregate: &Aggregate) -> Type {
    match aggregate {
        Aggregate::Count | Aggregate::Sum(_) | Aggregate::Average(_) | Aggregate::Distinct(_) => Type::Number,
        Aggregate::Sequence { .. } => Type::Bool,
        Aggregate::Min(value)
        | Aggregate::Max(value)
        | Aggregate::First(value)
        | Aggregate::Last(value)
        | Aggregate::MostFrequent(value) => value.result_type().clone(),
    }
}

fn computed(sheet: &Sheet<'_>, name: &Text, node: &Node, world: &World) -> Option<ComputedTrait> {
    let map = sheet.map(node, "a computed trait", &TRAIT_KEYS)?;
    let kinds: Vec<&str> = AGGREGATES.into_iter().filter(|kind| map.has(kind)).collect();
    let kind = match kinds.as_slice() {
        [kind] => *kind,
        [] => {
            let help = format!("add one of {}, such as `count: Order Completed`", quoted(&AGGREGATES));
            sheet.error(map.place, code::MISSING_KEY, format!("the trait `{name}` does not say what it computes"), help);
            return None;
        }
        [_, second, ..] => {
            let message = format!("the trait `{name}` says {} at once", quoted(&kinds));
            sheet.error(map.key_place(second), code::CONFLICTING_KEYS, message, "keep one; make two traits of it if you need both");
            return None;
        }
    };
    check_keys(sheet, &map, kind);
    let event_node = match kind {
        "count" | "did" => map.get(kind),
        _ => map.require("event", "event: Order Completed"),
    };
    let event = event_node.and_then(|node| sheet.text(node, if matches!(kind, "count" | "did") { kind } else { "event" }));
    let events: Vec<Text> = event.iter().cloned().collect();
    let none = BTreeSet::new();
    // Without an event (reported above) the expressions are still checked, against any event.
    let known = if events.is_empty() { vec![Text::default()] } else { events };
    let names = Names { world, place: Place::Trait, events: &known, experiments: &none };
    let condition = map.get("where").map(|node| conditions::condition(sheet, node, "where", names));
    let within = map.get("within").map(|node| positive_span(sheet, node, "within"));
    let aggregate = aggregate(sheet, &map, kind, names);
    Some(ComputedTrait {
        key: key_of(name),
        name: name.clone(),
        event: event?,
        condition: whole(condition)?,
        aggregate: aggregate?,
        within: whole(within)?,
    })
}

/// `None` when it was written and is wrong.
#[allow(clippy::option_option)]
pub fn whole<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

/// A duration longer than nothing.
pub fn positive_span(sheet: &Sheet<'_>, node: &Node, name: &str) -> Option<Span> {
    let span = sheet.span(node, name)?;
    if span.0 == 0 {
        sheet.error(node.place, code::OUT_OF_RANGE, format!("`{name}` is no time at all"), "write a duration longer than 0s");
        return None;
    }
    Some(span)
}

/// Keys that mean nothing for this kind of trait.
fn check_keys(sheet: &Sheet<'_>, map: &Map<'_>, kind: &str) {
    let sequence_only = ["then", "then_not", "then_where"];
    for (key, _) in map.fields() {
        let idle = match key.name.as_str() {
            "event" => matches!(kind, "count" | "did"),
            name => kind != "did" && sequence_only.contains(&name),
        };
        if idle {
            let help = if key.name == "event" {
                format!("the event stands behind `{kind}`; remove this")
            } else {
                "it belongs to `did`; remove it".to_owned()
            };
            sheet.error(key.place, code::CONFLICTING_KEYS, format!("`{}` means nothing beside `{kind}`", key.name), help);
        }
    }
}

fn aggregate(sheet: &Sheet<'_>, map: &Map<'_>, kind: &str, names: Names<'_>) -> Option<Aggregate> {
    if kind == "did" {
        return sequence(sheet, map, names);
    }
    let value = || -> Option<Expression> {
        let node = map.get(kind)?;
        let value = conditions::expression(sheet, node, kind, names)?;
        if matches!(kind, "sum" | "average") && !matches!(value.result_type(), Type::Number | Type::Any) {
            let message = format!("`{kind}` adds numbers, but this is {}", super::schema::type_name(value.result_type()));
            sheet.error(node.place, code::WRONG_TYPE, message, "write a number, such as `event.properties.revenue`");
            return None;
        }
        Some(value)
    };
    Some(match kind {
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum(value()?),
        "min" => Aggregate::Min(value()?),
        "max" => Aggregate::Max(value()?),
        "average" => Aggregate::Average(value()?),
        "first" => Aggregate::First(value()?),
        "last" => Aggregate::Last(value()?),
        "distinct" => Aggregate::Distinct(value()?),
        _ => Aggregate::MostFrequent(value()?),
    })
}

/// `{did: A, then: B, within: 3d}` or `{did: A, then_not: B, within: 3d}`
fn sequence(sheet: &Sheet<'_>, map: &Map<'_>, names: Names<'_>) -> Option<Aggregate> {
    map.require("within", "within: 3d");
    let (key, follow) = match (map.has("then"), map.has("then_not")) {
        (true, false) => ("then", Follow::Then),
        (false, true) => ("then_not", Follow::ThenNot),
        (true, true) => {
            let help = "keep one of the two";
            sheet.error(map.key_place("then_not"), code::CONFLICTING_KEYS, "`then` and `then_not` at once", help);
            return None;
        }
        (false, false) => {
            let help = "add `then: EVENT` or `then_not: EVENT`";
            sheet.error(map.place, code::MISSING_KEY, "`did` needs what happened, or did not happen, afterwards", help);
            return None;
        }
    };
    let then = map.get(key).and_then(|node| sheet.text(node, key))?;
    let events = [then.clone()];
    let names = Names { events: &events, ..names };
    let then_condition = whole(map.get("then_where").map(|node| conditions::condition(sheet, node, "then_where", names)))?;
    map.has("within").then_some(Aggregate::Sequence { then, then_condition, follow })
}

/// An audience and what is needed to order it.
struct Draft {
    audience: Audience,
    /// Names of the audiences that its rule reads, each with its place.
    reads: Vec<(Text, ByteRange)>,
    file: usize,
}

/// Reads all audiences. What an audience reads comes before it.
pub fn audiences(files: &[File<'_>], world: &World) -> Vec<Audience> {
    let mut drafts: BTreeMap<Text, Draft> = BTreeMap::new();
    let mut homes: BTreeMap<Text, &str> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        let sheet = file.sheet;
        let Some(map) = sheet.map(file.root, "an audience", &["audience", "title", "description", "traits", "where"]) else { continue };
        if let Some(title) = map.get("title") {
            sheet.text(title, "title");
        }
        let Some(name_node) = map.require("audience", "audience: gold") else { continue };
        let Some(name) = sheet.name(name_node, "audience") else { continue };
        if let Some(home) = homes.insert(name.clone(), sheet.file) {
            let message = format!("the audience `{name}` is defined in {home} already");
            sheet.error(name_node.place, code::DUPLICATE_NAME, message, "give one of them another name");
            continue;
        }
        match map.get("where") {
            None if !map.has("where") && !map.has("traits") => {
                let help = "add `where: CONDITION`, such as `where: traits.orders >= 2`";
                sheet.error(map.place, code::MISSING_KEY, format!("the audience `{name}` has neither a rule nor traits"), help);
            }
            None => {}
            Some(node) => {
                if let Some(draft) = draft(sheet, &name, node, world, index) {
                    drafts.insert(name, draft);
                }
            }
        }
    }
    order(drafts, files)
}

fn draft(sheet: &Sheet<'_>, name: &Text, node: &Node, world: &World, file: usize) -> Option<Draft> {
    let none = BTreeSet::new();
    let names = Names { world, place: Place::Audience, events: &[], experiments: &none };
    let condition = conditions::rule(sheet, node, "where", names)?;
    let source = condition.source().to_owned();
    let named = conditions::named_audiences(&source);
    let reads_audiences = condition.attributes().iter().any(|attribute| attribute.path.first().is_some_and(|part| part == "audiences"));
    if reads_audiences && source.matches("audiences").count() != named.len() {
        let help = "write `\"gold\" in audiences` for each one, so that it is known which must be up to date first";
        sheet.error(node.place, code::NOT_AVAILABLE_HERE, "an audience may ask only for audiences by name", help);
        return None;
    }
    let reads = named.into_iter().map(|(name, range)| (name, super::yaml::place_within(sheet.text, node, range))).collect();
    Some(Draft { audience: Audience { key: key_of(name), name: name.clone(), condition }, reads, file })
}

/// What is read comes first; equal ones by name. A circle is reported at the read that closes it.
fn order(drafts: BTreeMap<Text, Draft>, files: &[File<'_>]) -> Vec<Audience> {
    let mut done: BTreeSet<Text> = BTreeSet::new();
    let mut ordered: Vec<Audience> = Vec::new();
    let mut waiting = drafts;
    loop {
        let ready =
            waiting.iter().find(|(_, draft)| draft.reads.iter().all(|(name, _)| done.contains(name) || !waiting.contains_key(name)));
        let Some(name) = ready.map(|(name, _)| name.clone()) else { break };
        if let Some(draft) = waiting.remove(&name) {
            ordered.push(draft.audience);
        }
        done.insert(name);
    }
    for circle in circles(&waiting) {
        let Some(draft) = circle.first().and_then(|first| waiting.get(first)) else { continue };
        let next = circle.get(1).unwrap_or(&circle[0]);
        let place = draft.reads.iter().find(|(name, _)| name == next).map_or(ByteRange::default(), |(_, place)| *place);
        let path: Vec<&str> = circle.iter().chain(circle.first()).map(Text::as_str).collect();
        let message = format!("the audience `{}` depends on itself: {}", circle[0], path.join(" -> "));
        files[draft.file].sheet.error(
            place,
            code::CIRCULAR_DEFINITION,
            message,
            "write the shared part as a computed trait or an audience of its own",
        );
    }
    ordered
}

/// Each circle once, beginning with its smallest name. Everything in `waiting` waits for a circle.
fn circles(waiting: &BTreeMap<Text, Draft>) -> Vec<Vec<Text>> {
    let mut found: BTreeSet<Vec<Text>> = BTreeSet::new();
    for start in waiting.keys() {
        let mut path: Vec<Text> = vec![start.clone()];
        while let Some(draft) = path.last().and_then(|last| waiting.get(last)) {
            let Some((next, _)) = draft.reads.iter().find(|(name, _)| waiting.contains_key(name)) else { break };
            if let Some(at) = path.iter().position(|name| name == next) {
                let mut circle = path.split_off(at);
                let smallest = circle.iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(at, _)| at);
                circle.rotate_left(smallest);
                found.insert(circle);
                break;
            }
            path.push(next.clone());
        }
    }
    found.into_iter().collect()
}

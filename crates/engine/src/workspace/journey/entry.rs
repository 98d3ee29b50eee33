//! How one gets into a journey: by an event, an audience, the clock, a broadcast or a call; and how often.

use super::Context;
use crate::audience::key_of;
use crate::journey::{Change, Entry, Reentry, Schedule, UNAVAILABLE_ENTRIES};
use crate::workspace::code;
use crate::workspace::conditions::unknown_audience;
use crate::workspace::fields::{ALL_DAYS, Map};
use crate::workspace::report::Sheet;
use crate::workspace::schema::Place;
use crate::workspace::settings;
use crate::workspace::suggest::quoted;
use crate::workspace::yaml::Node;
use faden_model::Text;

const KINDS: [&str; 5] = ["event", "audience", "schedule", "broadcast", "api"];
const KEYS: [&str; 9] = ["event", "where", "audience", "schedule", "broadcast", "api", "message", "case", "reentry"];

fn maps(root: &Node) -> Vec<&Node> {
    match root.get("entry") {
        None => Vec::new(),
        Some(entry) if entry.items().is_empty() => vec![entry],
        Some(entry) => entry.items().iter().collect(),
    }
}

/// The events by which one enters, before anything is checked.
pub fn events(root: &Node) -> Vec<Text> {
    let event = |node: &Node| {
        let node = node.get("broadcast").filter(|node| node.scalar().is_none()).unwrap_or(node);
        node.get("event").and_then(Node::text).map(Text::new)
    };
    let mut events: Vec<Text> = maps(root).into_iter().filter_map(event).collect();
    events.sort_unstable();
    events.dedup();
    // By a call one enters with the call's event.
    if events.is_empty() && maps(root).iter().any(|node| node.get("api").is_some()) {
        events.push(Text::new("faden.journey.start"));
    }
    events
}

pub fn entries(context: &Context<'_>, map: &Map<'_>) -> Option<Vec<Entry>> {
    let node = map.require("entry", "entry: {event: Cart Updated}")?;
    let items: Vec<&Node> = if node.items().is_empty() { vec![node] } else { node.items().iter().collect() };
    let read: Vec<Option<Entry>> = items.into_iter().map(|item| entry(context, item)).collect();
    read.into_iter().collect()
}

fn entry(context: &Context<'_>, node: &Node) -> Option<Entry> {
    let sheet = context.sheet;
    let map = sheet.map(node, "an entry", &KEYS)?;
    if let Some(kind) = UNAVAILABLE_ENTRIES.into_iter().find(|kind| map.has(kind)) {
        let help = format!("enter by one of {} instead", quoted(&KINDS));
        sheet.error(map.key_place(kind), code::UNAVAILABLE_ENTRY, format!("entries by `{kind}` are not there yet"), help);
        return None;
    }
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| map.has(kind)).collect();
    let [kind] = kinds.as_slice() else {
        let (code, message) = match kinds.first() {
            None => (code::MISSING_KEY, "an entry does not say what lets people in".to_owned()),
            Some(_) => (code::CONFLICTING_KEYS, format!("an entry says {} at once", quoted(&kinds))),
        };
        let help = format!("write one of {}; several entries make a list", quoted(&KINDS));
        sheet.error(map.place, code, message, help);
        return None;
    };
    if *kind != "event" {
        no_condition(sheet, &map, kind);
    }
    let node = map.get(kind)?;
    match *kind {
        "event" => {
            let (event, condition) = super::event_and_condition(context, &map, Place::Entry)?;
            Some(Entry::Event { event, condition })
        }
        "audience" => {
            let (audience, change) = audience_change(context, node)?;
            Some(Entry::Audience { audience, change })
        }
        "schedule" => schedule(context, node),
        "broadcast" => broadcast(context, node),
        _ => sheet.boolean(node, "api").map(|_| Entry::Api),
    }
}

/// `where` beside something that takes none.
pub fn no_condition(sheet: &Sheet<'_>, map: &Map<'_>, kind: &str) {
    if map.has("where") {
        let help = match kind {
            "broadcast" => "put it inside: `broadcast: {event: ..., audience: ..., where: ...}`",
            _ => "put it into the audience's own `where`, or begin the steps with a `branch`",
        };
        sheet.error(map.key_place("where"), code::CONFLICTING_KEYS, format!("`where` means nothing beside `{kind}`"), help);
    }
}

/// `{entered: NAME}` or `{left: NAME}`
pub fn audience_change(context: &Context<'_>, node: &Node) -> Option<(u64, Change)> {
    let sheet = context.sheet;
    let map = sheet.map(node, "`audience`", &["entered", "left"])?;
    let (key, change) = match (map.has("entered"), map.has("left")) {
        (true, false) => ("entered", Change::Entered),
        (false, true) => ("left", Change::Left),
        _ => {
            sheet.error(map.place, code::MISSING_KEY, "`audience` names one change", "write `{entered: NAME}` or `{left: NAME}`");
            return None;
        }
    };
    Some((audience(context, map.get(key)?, key)?, change))
}

fn audience(context: &Context<'_>, node: &Node, name: &str) -> Option<u64> {
    let audience = context.sheet.text(node, name)?;
    if !context.world.audiences.contains(&audience) {
        unknown_audience(context.sheet, node.place, &audience, context.world);
        return None;
    }
    Some(key_of(&audience))
}

/// `{at: "09:00", days: [mon], days_of_month: [1], time_zone: Europe/Berlin, audience: NAME}`
fn schedule(context: &Context<'_>, node: &Node) -> Option<Entry> {
    let sheet = context.sheet;
    let map = sheet.map(node, "a schedule", &["at", "days", "days_of_month", "time_zone", "audience"])?;
    let minute = map.require("at", "at: \"09:00\"").and_then(|node| sheet.minute_of_day(node, "at", 1439));
    let days = map.get("days").map(|node| sheet.days(node, "days"));
    let mut days_of_month: Vec<u8> = Vec::new();
    for item in map.get("days_of_month").and_then(|node| sheet.list(node, "days_of_month")).unwrap_or_default() {
        let day = sheet.integer(item, "days_of_month", (1, 31)).and_then(|day| u8::try_from(day).ok());
        days_of_month.extend(day);
    }
    days_of_month.sort_unstable();
    days_of_month.dedup();
    let home = Some(context.world.settings.time_zone.clone());
    let time_zone = map.get("time_zone").map_or(home, |node| settings::time_zone(sheet, node, "time_zone"));
    let audience = map.require("audience", "audience: gold").and_then(|node| audience(context, node, "audience"));
    Some(Entry::Schedule(Schedule {
        audience: audience?,
        minute_of_day: minute?,
        days: days.unwrap_or(Some(ALL_DAYS))?,
        days_of_month,
        time_zone: time_zone?,
    }))
}

/// `{event: NAME, audience: NAME, where: COND}`
fn broadcast(context: &Context<'_>, node: &Node) -> Option<Entry> {
    let map = context.sheet.map(node, "a broadcast", &["event", "audience", "where"])?;
    map.require("event", "event: Outage Started");
    let audience = map.require("audience", "audience: affected").and_then(|node| audience(context, node, "audience"));
    let (event, condition) = super::event_and_condition(context, &map, Place::Entry)?;
    Some(Entry::Broadcast { event, audience: audience?, condition })
}

/// Written in an entry or beside it, once; never when it is not written.
pub fn reentry(context: &Context<'_>, map: &Map<'_>) -> Option<Reentry> {
    let sheet = context.sheet;
    let inside =
        map.get("entry").map_or(Vec::new(), |entry| if entry.items().is_empty() { vec![entry] } else { entry.items().iter().collect() });
    let nodes: Vec<&Node> = map.get("reentry").into_iter().chain(inside.into_iter().filter_map(|entry| entry.get("reentry"))).collect();
    let read: Vec<Option<Reentry>> = nodes.iter().map(|node| one_reentry(sheet, node)).collect();
    let read: Vec<Reentry> = read.into_iter().collect::<Option<_>>()?;
    if let Some(at) = read.iter().position(|reentry| *reentry != read[0]) {
        let help = "a journey has one rule for all its entries; write it once, as `reentry:` beside `entry:`";
        sheet.error(nodes[at].place, code::CONFLICTING_KEYS, "this `reentry` differs from the one before", help);
        return None;
    }
    Some(read.first().copied().unwrap_or(Reentry::Never))
}

fn one_reentry(sheet: &Sheet<'_>, node: &Node) -> Option<Reentry> {
    if node.scalar().is_some() {
        if let Some(text) = node.text().filter(|text| faden_model::Span::parse(text).is_ok()) {
            let help = format!("write `reentry: {{after: {text}}}`");
            sheet.error(node.place, code::WRONG_TYPE, "a duration alone is no re-entry rule", help);
            return None;
        }
        return sheet.one_of(node, "reentry", &[("never", Reentry::Never), ("always", Reentry::Always)]);
    }
    let map = sheet.map(node, "`reentry`", &["after"])?;
    map.require("after", "after: 7d").and_then(|node| sheet.span(node, "after")).map(Reentry::After)
}

//! `wait` steps: for a time, until a time, for an event, for a change of an audience.

use super::entry::audience_change;
use super::steps::At;
use crate::journey::{LocalTime, StepKind};
use crate::workspace::audiences::{positive_span, whole};
use crate::workspace::code;
use crate::workspace::conditions;
use crate::workspace::fields::{ALL_DAYS, Map, first_line};
use crate::workspace::schema::Place;
use crate::workspace::suggest::quoted;
use crate::workspace::yaml::Node;
use faden_model::{Span, Text};

const KINDS: [&str; 4] = ["for", "until", "event", "audience"];

pub fn read(at: &At<'_>) -> Option<StepKind> {
    let sheet = at.context.sheet;
    if let Some(text) = at.node.text() {
        let help = match Span::parse(text) {
            Ok(_) => format!("write `wait: {{for: {text}}}`"),
            Err(_) => "write `wait: {for: 24h}`, `wait: {until: {time: \"09:00\"}}` or `wait: {event: NAME, timeout: 1h}`".to_owned(),
        };
        sheet.error(at.node.place, code::WRONG_TYPE, "`wait` is a text", help);
        return None;
    }
    let map = sheet.map(at.node, "`wait`", &["for", "until", "event", "where", "keep", "audience", "timeout"])?;
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| map.has(kind)).collect();
    let [kind] = kinds.as_slice() else {
        let (code, message) = match kinds.first() {
            None => (code::MISSING_KEY, "`wait` does not say what for".to_owned()),
            Some(_) => (code::CONFLICTING_KEYS, format!("`wait` says {} at once", quoted(&kinds))),
        };
        sheet.error(first_line(sheet, map.place), code, message, format!("write one of {}", quoted(&KINDS)));
        return None;
    };
    for (key, owners) in [("timeout", &["event", "audience"][..]), ("where", &["event"]), ("keep", &["event"])] {
        if map.has(key) && !owners.contains(kind) {
            let help = format!("it belongs to a wait for {}; remove it", quoted(owners));
            sheet.error(map.key_place(key), code::CONFLICTING_KEYS, format!("`{key}` means nothing beside `{kind}`"), help);
        }
    }
    match *kind {
        "for" => {
            let span = map.get("for").and_then(|node| sheet.span(node, "for"));
            let next = at.next();
            Some(StepKind::WaitFor { span: span?, next: next? })
        }
        "until" => until(at, &map),
        "event" => event(at, &map),
        _ => audience(at, &map),
    }
}

/// `{time: "09:00", days: [mon]}` or `{at: EXPRESSION}`
fn until(at: &At<'_>, map: &Map<'_>) -> Option<StepKind> {
    let sheet = at.context.sheet;
    let next = at.next();
    let node = map.get("until")?;
    if node.text().is_some() {
        let help = "write `until: {time: \"09:00\"}` for a time of day or `until: {at: EXPRESSION}` for an instant";
        sheet.error(node.place, code::WRONG_TYPE, "`until` is a text", help);
        return None;
    }
    let until = sheet.map(node, "`until`", &["time", "days", "at"])?;
    if until.has("at") {
        if until.has("time") || until.has("days") {
            let help = "write `{time: ..., days: [...]}` or `{at: EXPRESSION}`";
            sheet.error(until.key_place("at"), code::CONFLICTING_KEYS, "`at` stands alone", help);
            return None;
        }
        let instant = until.get("at").and_then(|node| conditions::instant(sheet, node, "at", at.context.in_step()));
        return Some(StepKind::WaitInstant { at: instant?, next: next? });
    }
    let minute = until.require("time", "time: \"09:00\"").and_then(|node| sheet.minute_of_day(node, "time", 1439));
    let days = until.get("days").map_or(Some(ALL_DAYS), |node| sheet.days(node, "days"));
    Some(StepKind::WaitUntil { until: LocalTime { minute_of_day: minute?, days: days? }, next: next? })
}

fn event(at: &At<'_>, map: &Map<'_>) -> Option<StepKind> {
    let timeout = timeout(at, map);
    let read = super::event_and_condition(at.context, map, Place::Running);
    let keep = map.get("keep").map_or(Some(false), |node| at.context.sheet.boolean(node, "keep"));
    let ways = at.outcomes(outcomes(map));
    let ((event, condition), timeout, keep, ways) = (read?, timeout?, keep?, ways?);
    let (matched, timed_out) = (ways[0], ways.get(1).copied().unwrap_or(ways[0]));
    Some(StepKind::WaitEvent { event, condition, keep, timeout, matched, timed_out })
}

/// The events that steps of a journey keep, before anything is checked.
pub fn kept(root: &Node) -> Vec<Text> {
    let own = root.get("keep").and_then(Node::text).filter(|keep| *keep == "true").and(root.get("event")).and_then(Node::text);
    let inner = root.fields().iter().map(|(_, node)| node).chain(root.items());
    own.map(Text::new).into_iter().chain(inner.flat_map(kept)).collect()
}

fn audience(at: &At<'_>, map: &Map<'_>) -> Option<StepKind> {
    let timeout = timeout(at, map);
    let change = map.get("audience").and_then(|node| audience_change(at.context, node));
    let ways = at.outcomes(outcomes(map));
    let ((audience, change), timeout, ways) = (change?, timeout?, ways?);
    Some(StepKind::WaitAudience { audience, change, timeout, matched: ways[0], timed_out: ways.get(1).copied().unwrap_or(ways[0]) })
}

/// Without a timeout there is nothing to go on to when it is over.
fn outcomes(map: &Map<'_>) -> &'static [&'static str] {
    if map.has("timeout") { &["matched", "timeout"] } else { &["matched"] }
}

#[allow(clippy::option_option)]
fn timeout(at: &At<'_>, map: &Map<'_>) -> Option<Option<Span>> {
    if !map.has("timeout") && !at.names_outcome("timeout") && !at.step.has("timeout") {
        let message = "this wait has no timeout: who never does it stays in the journey for ever";
        let help = "add `timeout: 30d`, and say under `next` where to go then";
        at.context.sheet.warning(at.step.key_place("wait"), code::WAIT_WITHOUT_TIMEOUT, message, help);
    }
    whole(map.get("timeout").map(|node| positive_span(at.context.sheet, node, "timeout")))
}

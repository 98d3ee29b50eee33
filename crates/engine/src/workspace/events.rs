//! Event names across files: who names them, who emits them, and which are named only once.

use super::code;
use super::report::Sheet;
use super::suggest::{closest, quoted};
use super::world::World;
use super::yaml::{Kind, Node};
use crate::front::CONSENT;
use faden_model::Text;
use faden_model::diagnostic::ByteRange;

/// Keys behind which the name of an event stands.
const KEYS: [&str; 5] = ["event", "count", "did", "then", "then_not"];
/// Keys whose content names no events that come in.
const OPAQUE: [&str; 4] = ["emit", "set", "given", "properties"];

/// Every event that a definition or scenario waits for or sends, with its place.
pub fn mentions(root: &Node) -> Vec<(Text, ByteRange)> {
    let mut found = Vec::new();
    collect(root, &mut found);
    found
}

fn collect(node: &Node, found: &mut Vec<(Text, ByteRange)>) {
    for (key, value) in node.fields().iter().filter(|(key, _)| !OPAQUE.contains(&key.name.as_str())) {
        if key.name == "cloud_event" {
            // A wish of Faden's own is no event of this workspace.
            let name = value.get("type").filter(|name| name.text().is_some_and(|text| !text.starts_with("faden.")));
            found.extend(name.and_then(|name| Some((Text::new(name.text()?.trim()), name.place))));
            continue;
        }
        match (&value.kind, KEYS.contains(&key.name.as_str())) {
            (Kind::Scalar(_), true) => found.extend(value.text().map(|text| (Text::new(text.trim()), value.place))),
            _ => collect(value, found),
        }
    }
    node.items().iter().for_each(|item| collect(item, found));
}

/// Notes the events that steps emit and the traits that they set.
pub fn note_effects(node: &Node, world: &mut World) {
    for (key, value) in node.fields() {
        match key.name.as_str() {
            "emit" => world.emitted.extend(value.get("event").and_then(Node::text).map(Text::new)),
            "set" => world.set_traits.extend(value.fields().iter().map(|(key, _)| Text::new(&key.name))),
            _ => note_effects(value, world),
        }
    }
    node.items().iter().for_each(|item| note_effects(item, world));
}

/// Warns of events that nothing else in the workspace knows.
pub fn check<'a>(files: impl Iterator<Item = (&'a Sheet<'a>, &'a Node)>, world: &World) {
    let planned = world.settings.events.as_ref();
    for (sheet, root) in files {
        for (name, place) in mentions(root) {
            let known = match planned {
                Some(events) => events.contains_key(&name) || world.emitted.contains(&name),
                None => world.knows_event(&name),
            };
            // A change of consent comes from Faden itself.
            if known || name.is_empty() || name == CONSENT {
                continue;
            }
            let others = world.events.keys().chain(&world.emitted).chain(planned.into_iter().flat_map(|events| events.keys()));
            let close = closest(&name, others.map(Text::as_str).filter(|other| *other != name));
            let (message, declare) = match planned {
                Some(_) => (format!("the event `{name}` is not declared in faden.yaml"), "declare it under `events:`"),
                None => {
                    (format!("the event `{name}` is named only here"), "if a source sends it, declare it under `events:` in faden.yaml")
                }
            };
            let help = close.map_or_else(|| declare.to_owned(), |close| format!("did you mean {}? {declare}", quoted(&[close])));
            sheet.warning(place, code::UNKNOWN_EVENT, message, help);
        }
    }
}

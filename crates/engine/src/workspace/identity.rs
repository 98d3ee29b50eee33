//! `identity.yaml`: identifier kinds and merge rules.

use super::audiences::positive_span;
use super::code;
use super::fields::Map;
use super::report::Sheet;
use super::world::World;
use super::yaml::{Kind, Node};
use faden_model::Text;

/// The kinds that need no declaration.
const BUILT_IN: [&str; 7] = ["user_id", "anonymous_id", "email", "phone", "device_id", "whatsapp_id", "crm_id"];

/// Reads the file and notes the identifier kinds.
pub fn read(file: Option<(&Sheet<'_>, &Node)>, world: &mut World) {
    world.identifiers.extend(BUILT_IN.map(Text::new));
    let Some((sheet, root)) = file else { return };
    let Some(map) = sheet.map(root, "identity.yaml", &["identifiers", "guard"]) else { return };
    if let Some(node) = map.get("guard") {
        sheet.integer(node, "guard", (2, 1_000_000));
    }
    let mut seen: Vec<Text> = Vec::new();
    for item in map.get("identifiers").and_then(|node| sheet.list(node, "identifiers")).unwrap_or_default() {
        let Some(map) = sheet.map(item, "an identifier", &["kind", "limit", "priority", "blocked", "unique"]) else { continue };
        let Some(node) = map.require("kind", "kind: email") else { continue };
        let Some(kind) = sheet.name(node, "kind") else { continue };
        if seen.contains(&kind) {
            sheet.error(node.place, code::DUPLICATE_NAME, format!("`{kind}` stands here twice"), "keep one");
        }
        rule(sheet, &map);
        world.identifiers.insert(kind.clone());
        seen.push(kind);
    }
}

fn rule(sheet: &Sheet<'_>, map: &Map<'_>) {
    if let Some(node) = map.get("priority") {
        sheet.integer(node, "priority", (0, 1000));
    }
    if let Some(node) = map.get("unique") {
        sheet.boolean(node, "unique");
    }
    if let Some(node) = map.get("limit") {
        if matches!(node.kind, Kind::Map(_)) {
            if let Some(limit) = sheet.map(node, "`limit`", &["max", "within"]) {
                limit.require("max", "max: 5").map(|node| sheet.integer(node, "max", (1, 10_000)));
                limit.get("within").map(|node| positive_span(sheet, node, "within"));
            }
        } else {
            sheet.integer(node, "limit", (1, 10_000));
        }
    }
}

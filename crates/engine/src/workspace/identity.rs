//! `identity.yaml`: identifier kinds and merge rules.
//!
//! What is not written stays as [`Rules::default`] has it, key by key.

use super::audiences::positive_span;
use super::code;
use super::fields::Map;
use super::report::Sheet;
use super::world::World;
use super::yaml::{Kind, Node};
use crate::identity::{Blocked, KindRule, Limit, Rules};
use faden_model::{IdentifierKind, Text};

/// The kinds that need no declaration.
const BUILT_IN: [&str; 7] = ["user_id", "anonymous_id", "email", "phone", "device_id", "whatsapp_id", "crm_id"];
const PRIORITY_MAX: i64 = 1000;

/// Reads the file and notes the identifier kinds; `None` when something in it is wrong (reported).
pub fn read(file: Option<(&Sheet<'_>, &Node)>, world: &mut World) -> Option<Rules> {
    world.identifiers.extend(BUILT_IN.map(Text::new));
    let mut rules = Rules::default();
    let Some((sheet, root)) = file else { return Some(rules) };
    let before = sheet.findings();
    let map = sheet.map(root, "identity.yaml", &["identifiers", "guard"])?;
    if let Some(guard) = map.get("guard").and_then(|node| sheet.integer(node, "guard", (2, 1_000_000))) {
        rules.cluster_max = u32::try_from(guard).unwrap_or(u32::MAX);
    }
    let mut seen: Vec<Text> = Vec::new();
    for item in map.get("identifiers").and_then(|node| sheet.list(node, "identifiers")).unwrap_or_default() {
        let Some(map) = sheet.map(item, "an identifier", &["kind", "title", "limit", "priority", "blocked", "unique"]) else { continue };
        let Some(node) = map.require("kind", "kind: email") else { continue };
        let Some(kind) = kind_name(sheet, node) else { continue };
        if seen.contains(&kind) {
            sheet.error(node.place, code::DUPLICATE_NAME, format!("`{kind}` stands here twice"), "keep one");
            continue;
        }
        world.identifiers.insert(kind.clone());
        let kind_of = IdentifierKind::from_name(&kind);
        let known = KindRule { kind: kind_of.clone(), ..rules.of(&kind_of).clone() };
        let rule = rule(sheet, &map, known);
        rules.kinds.retain(|other| other.kind != kind_of);
        rules.kinds.push(rule);
        seen.push(kind);
    }
    (sheet.findings() == before).then_some(rules)
}

/// A kind is an attribute of the profile in conditions, so it must not hide another.
fn kind_name(sheet: &Sheet<'_>, node: &Node) -> Option<Text> {
    let kind = sheet.name(node, "kind")?;
    if super::schema::PROFILE_PARTS.contains(&kind.as_str()) {
        let help = "give the kind another name, such as `loyalty_card`";
        sheet.error(node.place, code::RESERVED_NAME, format!("`profile.{kind}` has a meaning already"), help);
        return None;
    }
    Some(kind)
}

fn rule(sheet: &Sheet<'_>, map: &Map<'_>, mut rule: KindRule) -> KindRule {
    let priority = map.get("priority").and_then(|node| sheet.integer(node, "priority", (0, PRIORITY_MAX)));
    if let Some(priority) = priority.and_then(|priority| u16::try_from(priority).ok()) {
        rule.priority = priority;
    }
    if let Some(unique) = map.get("unique").and_then(|node| sheet.boolean(node, "unique")) {
        rule.unique = unique;
    }
    if let Some(node) = map.get("limit") {
        rule.limit = limit(sheet, node).or(rule.limit);
    }
    if let Some(node) = map.get("blocked") {
        rule.blocked = blocked(sheet, node, &rule.blocked);
    }
    rule
}

/// `5` or `{max: 5, within: 90d}`
fn limit(sheet: &Sheet<'_>, node: &Node) -> Option<Limit> {
    let number = |node: &Node, name: &str| u16::try_from(sheet.integer(node, name, (1, 10_000))?).ok();
    if !matches!(node.kind, Kind::Map(_)) {
        return Some(Limit { max: number(node, "limit")?, within: None });
    }
    let map = sheet.map(node, "`limit`", &["max", "within"])?;
    let max = map.require("max", "max: 5").and_then(|node| number(node, "max"));
    let within = map.get("within").map(|node| positive_span(sheet, node, "within"));
    Some(Limit { max: max?, within: super::audiences::whole(within)? })
}

/// A list of values, or `{exact: [...], patterns: [...]}`; both besides what is blocked anyway.
fn blocked(sheet: &Sheet<'_>, node: &Node, known: &Blocked) -> Blocked {
    let (exact, patterns) = if matches!(node.kind, Kind::Map(_)) {
        let Some(map) = sheet.map(node, "`blocked`", &["exact", "patterns"]) else { return known.clone() };
        let texts = |key: &str| map.get(key).and_then(|node| sheet.texts(node, key)).unwrap_or_default();
        (texts("exact"), texts("patterns"))
    } else {
        (sheet.texts(node, "blocked").unwrap_or_default(), Vec::new())
    };
    let exact: Vec<&str> = exact.iter().map(|(text, _)| text.as_str()).collect();
    let mut blocked = known.clone();
    if let Ok(more) = Blocked::new(&exact, &[], false).and_then(|more| blocked.and(&more)) {
        blocked = more;
    }
    for (pattern, node) in &patterns {
        match Blocked::new(&[], &[pattern], false).and_then(|more| blocked.and(&more)) {
            Ok(more) => blocked = more,
            Err(_) => {
                let help = "write a regular expression without look-around and back-references, such as '^test-.*'";
                sheet.error(node.place, code::BAD_PATTERN, format!("`{pattern}` cannot be used as a pattern"), help);
            }
        }
    }
    blocked
}

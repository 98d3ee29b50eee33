//! `policies/*.yaml`: the global policy, then regions and brands, which may only tighten it.

use super::audiences::positive_span;
use super::code;
use super::fields::{ALL_DAYS, Map, first_line};
use super::report::Sheet;
use super::settings::{Settings, check_channel, country, languages};
use super::voice::{self, Voice};
use super::yaml::{Kind, Node};
use crate::policy::{
    Cap, ConsentRule, Field, Home, Level, Loosening, OnQuiet, OptIn, Policies, PolicyFile, QuietHours, Reserve, is_suppression_entry,
};
use faden_model::Text;
use faden_model::diagnostic::ByteRange;

const KEYS: [&str; 16] = [
    "policy",
    "title",
    "description",
    "region",
    "countries",
    "brand",
    "consent",
    "channels",
    "quiet_hours",
    "max_hold",
    "caps",
    "suppressed",
    "retention",
    "languages",
    "tone",
    "voice",
];

/// A policy file and where each of its fields was written.
pub struct Read<'a> {
    sheet: &'a Sheet<'a>,
    pub file: PolicyFile,
    pub voices: Vec<Voice>,
    places: Places,
}

#[derive(Default)]
struct Places {
    whole: ByteRange,
    consent: Vec<ByteRange>,
    channels: Vec<ByteRange>,
    quiet_hours: Vec<ByteRange>,
    max_hold: ByteRange,
    caps: Vec<ByteRange>,
    retention: Vec<ByteRange>,
    languages: Vec<ByteRange>,
}

/// Reads one file; what is wrong in it is reported and left out.
pub fn read<'a>(sheet: &'a Sheet<'a>, root: &'a Node) -> Option<Read<'a>> {
    let map = sheet.map(root, "a policy", &KEYS)?;
    let name_node = map.require("policy", "policy: global")?;
    let name = sheet.name(name_node, "policy")?;
    let mut read = Read { sheet, file: PolicyFile { name, ..PolicyFile::default() }, voices: Vec::new(), places: Places::default() };
    read.places.whole = name_node.place;
    read.file.level = level(sheet, &map, &read.file.name, name_node)?;
    consents(&mut read, &map);
    if let Some(items) = map.get("channels").and_then(|node| sheet.texts(node, "channels")) {
        read.places.channels = items.iter().map(|(_, node)| node.place).collect();
        read.file.channels =
            Some(items.into_iter().filter(|(text, node)| check_channel(sheet, node, text)).map(|(text, _)| text).collect());
    }
    quiet_hours(&mut read, &map);
    if let Some(node) = map.get("max_hold") {
        read.places.max_hold = node.place;
        read.file.max_hold = sheet.span(node, "max_hold");
    }
    for node in map.get("caps").and_then(|node| sheet.list(node, "caps")).unwrap_or_default() {
        if let Some(cap) = cap(sheet, node) {
            read.file.caps.push(cap);
            read.places.caps.push(first_line(sheet, node.place));
        }
    }
    suppressed(&mut read, &map);
    for (key, node) in map.get("retention").and_then(|node| sheet.open_map(node, "`retention`")).map_or(&[][..], |map| map.fields()) {
        if let Some(span) = positive_span(sheet, node, &key.name) {
            read.file.retention.push((Text::new(&key.name), span));
            read.places.retention.push(node.place);
        }
    }
    if let Some(node) = map.get("languages") {
        read.file.languages = Some(languages(sheet, node, "languages"));
        read.places.languages =
            if node.items().is_empty() { vec![node.place] } else { node.items().iter().map(|item| item.place).collect() };
    }
    read.file.tone = map.get("tone").and_then(|node| sheet.text(node, "tone"));
    read.voices = voice::read(sheet, &map, &read.file.name, &read.file.level);
    Some(read)
}

/// `region: eu` with `countries: [DE, FR]`, or `brand: NAME`; neither for the global policy.
fn level(sheet: &Sheet<'_>, map: &Map<'_>, name: &Text, name_node: &Node) -> Option<Level> {
    if map.has("countries") && !map.has("region") {
        let help = "add `region: NAME`, or remove it";
        sheet.error(map.key_place("countries"), code::CONFLICTING_KEYS, "`countries` belong to a region", help);
    }
    match (map.get("region"), map.get("brand")) {
        (Some(_), Some(brand)) => {
            let help = "write a policy of its own for each";
            sheet.error(brand.place, code::CONFLICTING_KEYS, "a policy is for a region or for a brand", help);
            None
        }
        (Some(node), None) => {
            let name = sheet.name(node, "region");
            let countries = map.require("countries", "countries: [DE, FR]").and_then(|node| sheet.texts(node, "countries"))?;
            let countries = countries.into_iter().filter_map(|(_, node)| country(sheet, node, "countries")).collect();
            Some(Level::Region { name: name?, countries })
        }
        (None, Some(node)) => Some(Level::Brand { name: sheet.name(node, "brand")? }),
        (None, None) if name == "global" => Some(Level::Global),
        (None, None) => {
            let help = "add `region: NAME` with `countries: [DE, FR]`, or `brand: NAME`; the policy for everybody is called `global`";
            sheet.error(name_node.place, code::MISSING_KEY, format!("the policy `{name}` does not say whom it is for"), help);
            None
        }
    }
}

/// `{marketing: opt_in, news: {default: opt_in, sms: double_opt_in}}`
fn consents(read: &mut Read<'_>, map: &Map<'_>) {
    let sheet = read.sheet;
    let choices: Vec<(&str, OptIn)> = OptIn::ALL.into_iter().map(|kind| (kind.name(), kind)).collect();
    let Some(consent) = map.get("consent").and_then(|node| sheet.open_map(node, "`consent`")) else { return };
    let mut add = |purpose: &str, channel: Option<&str>, node: &Node, name: &str| {
        if let Some(kind) = sheet.one_of(node, name, &choices) {
            read.file.consent.push(ConsentRule { purpose: Text::new(purpose), channel: channel.map(Text::new), kind });
            read.places.consent.push(node.place);
        }
    };
    for (key, node) in consent.fields() {
        if !matches!(node.kind, Kind::Map(_)) {
            add(&key.name, None, node, &key.name);
            continue;
        }
        for (channel, node) in node.fields() {
            if channel.name == "default" {
                add(&key.name, None, node, "default");
            } else if check_channel(sheet, &Node { place: channel.place, kind: Kind::List(Vec::new()) }, &channel.name) {
                add(&key.name, Some(&channel.name), node, &channel.name);
            }
        }
    }
}

fn quiet_hours(read: &mut Read<'_>, map: &Map<'_>) {
    let sheet = read.sheet;
    let Some(node) = map.get("quiet_hours") else { return };
    let items: Vec<&Node> = if node.items().is_empty() { vec![node] } else { node.items().iter().collect() };
    for item in items {
        if let Some(quiet) = one_quiet_hours(sheet, item) {
            read.file.quiet_hours.push(quiet);
            read.places.quiet_hours.push(first_line(sheet, item.place));
        }
    }
}

/// `{from: "20:00", to: "09:00", days: [...], purposes: [...], channels: [...], on_quiet: hold}`
fn one_quiet_hours(sheet: &Sheet<'_>, node: &Node) -> Option<QuietHours> {
    if node.text().is_some() {
        let help = "write `quiet_hours: {from: \"20:00\", to: \"09:00\"}`";
        sheet.error(node.place, code::WRONG_TYPE, "`quiet_hours` is a text", help);
        return None;
    }
    let map = sheet.map(node, "`quiet_hours`", &["from", "to", "days", "purposes", "channels", "on_quiet"])?;
    let from = map.require("from", "from: \"20:00\"").and_then(|node| sheet.minute_of_day(node, "from", 1439));
    let to = map.require("to", "to: \"09:00\"").and_then(|node| sheet.minute_of_day(node, "to", 1440));
    let days = map.get("days").map_or(Some(ALL_DAYS), |node| sheet.days(node, "days"));
    let names = |key: &str| map.get(key).and_then(|node| sheet.texts(node, key)).unwrap_or_default();
    let purposes = names("purposes").into_iter().map(|(text, _)| text).collect();
    let channels = names("channels").into_iter().filter(|(text, node)| check_channel(sheet, node, text)).map(|(text, _)| text).collect();
    let choices = [("hold", OnQuiet::Hold), ("suppress", OnQuiet::Suppress)];
    let on_quiet = map.get("on_quiet").map_or(Some(OnQuiet::Hold), |node| sheet.one_of(node, "on_quiet", &choices));
    Some(QuietHours { from: from?, to: to?, days: days?, purposes, channels, on_quiet: on_quiet? })
}

/// `{purpose, channel, max, within, per_journey, reserve: {priority, slots}}`
fn cap(sheet: &Sheet<'_>, node: &Node) -> Option<Cap> {
    let map = sheet.map(node, "a cap", &["purpose", "channel", "max", "within", "per_journey", "reserve"])?;
    let number = |map: &Map<'_>, key: &str, low: i64| {
        let node = map.require(key, &format!("{key}: 3"))?;
        u32::try_from(sheet.integer(node, key, (low, 1_000_000))?).ok()
    };
    let max = number(&map, "max", 0);
    let within = map.require("within", "within: 7d").and_then(|node| positive_span(sheet, node, "within"));
    let purpose = map.get("purpose").map(|node| sheet.text(node, "purpose"));
    let channel = map.get("channel").map(|node| sheet.text(node, "channel").filter(|channel| check_channel(sheet, node, channel)));
    let per_journey = map.get("per_journey").map_or(Some(false), |node| sheet.boolean(node, "per_journey"));
    let reserve = map.get("reserve").map(|node| {
        let map = sheet.map(node, "`reserve`", &["priority", "slots"])?;
        let slots = number(&map, "slots", 1);
        let priority = map.require("priority", "priority: 10").and_then(|node| sheet.integer(node, "priority", (-1_000_000, 1_000_000)));
        Some(Reserve { priority: i32::try_from(priority?).ok()?, slots: slots? })
    });
    Some(Cap {
        purpose: super::audiences::whole(purpose)?,
        channel: super::audiences::whole(channel)?,
        max: max?,
        within: within?,
        per_journey: per_journey?,
        reserve: super::audiences::whole(reserve)?,
    })
}

fn suppressed(read: &mut Read<'_>, map: &Map<'_>) {
    let sheet = read.sheet;
    for (text, node) in map.get("suppressed").and_then(|node| sheet.texts(node, "suppressed")).unwrap_or_default() {
        if suppression_entry(sheet, node, &text) {
            read.file.suppressed.push(text);
        }
    }
}

pub fn suppression_entry(sheet: &Sheet<'_>, node: &Node, text: &str) -> bool {
    let good = is_suppression_entry(text);
    if !good {
        let help = "write an address, a domain such as \"@example.com\", or sha256: with 64 hex digits";
        sheet.error(node.place, code::UNKNOWN_VALUE, format!("`{text}` is not an address that can be suppressed"), help);
    }
    good
}

/// Holds all policies against each other. `None` when one loosens the global ones (reported).
pub fn build(reads: &[Read<'_>], settings: &Settings) -> Option<Policies> {
    let mut files: Vec<PolicyFile> = reads.iter().map(|read| read.file.clone()).collect();
    if !settings.suppression.is_empty() {
        let name = Text::new("workspace");
        files.push(PolicyFile { name, suppressed: settings.suppression.clone(), ..PolicyFile::default() });
    }
    let home = Home { country: settings.country.clone(), time_zone: settings.time_zone.clone() };
    match Policies::build(&files, &home) {
        Ok(policies) => Some(policies),
        Err(loosenings) => {
            for loosening in loosenings {
                if let Some(read) = reads.get(loosening.file) {
                    let message =
                        format!("{} is looser than the global policy: {} there, {} here", loosening.field, loosening.global, loosening.own);
                    read.sheet.error(place_of(read, &loosening), code::POLICY_LOOSENS, message, loosening.help);
                }
            }
            None
        }
    }
}

fn place_of(read: &Read<'_>, loosening: &Loosening) -> ByteRange {
    let places = &read.places;
    let found = match loosening.field {
        Field::Consent { index } => places.consent.get(index),
        Field::Channels { index } => places.channels.get(index),
        Field::QuietHours { index } => places.quiet_hours.get(index),
        Field::MaxHold => Some(&places.max_hold),
        Field::Cap { index } => places.caps.get(index),
        Field::Retention { index } => places.retention.get(index),
        Field::Languages { index } => places.languages.get(index),
    };
    found.copied().unwrap_or(places.whole)
}

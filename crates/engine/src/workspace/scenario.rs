//! `scenarios/*.scenario.yaml`: tests of a workspace, read into plain data with their places.
//!
//! Nothing is run here. Names are held against the definitions that the scenario is about, so a test
//! that waits for a template that nobody sends is found before it fails.

mod expectation;

pub use expectation::{Expectation, Expected, Stands, Which};

use super::code;
use super::fields::{Map, first_line};
use super::report::{Report, Sheet};
use super::settings::{check_channel, country, time_zone};
use super::suggest::{hint, quoted};
use super::yaml::{self, Kind, Node, Scalar, Style};
use super::{Files, Finding};
use crate::definitions::Definitions;
use faden_model::diagnostic::ByteRange;
use faden_model::{Decimal, EventKind, IdentifierKind, Receipt, Span, Text, Timestamp, Value};

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub file: String,
    pub name: Text,
    /// The journey it is about, for people and for choosing what to run.
    pub journey: Option<Text>,
    pub given: Given,
    /// In the order of time.
    pub when: Vec<Happening>,
    pub then: Vec<Expectation>,
}

/// The customer before the first event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    pub identifiers: Vec<(IdentifierKind, Text)>,
    pub traits: Vec<(Text, Value)>,
    pub consents: Vec<GivenConsent>,
    pub country: Option<Text>,
    pub language: Option<Text>,
    pub time_zone: Option<Text>,
    pub preferred_channel: Option<Text>,
    /// How channels answer by themselves; when any is told, messages wait for receipts.
    pub channels: Vec<(Text, Answer)>,
}

/// What a channel of the virtual world does with every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Delivers,
    Fails,
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenConsent {
    pub purpose: Text,
    /// Every channel when missing.
    pub channel: Option<Text>,
    pub granted: bool,
}

/// A line of `when`.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    pub place: ByteRange,
    pub moment: Moment,
    /// Only time passes when missing.
    pub what: Option<What>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(Timestamp),
    /// Since the line before.
    After(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A call of the Segment spec: its members by the spec's names, sorted, without `type` and times.
    Call { kind: EventKind, members: Vec<(Text, Value)> },
    /// A CloudEvent: `type`, `subject`, `data`. Without a subject it is about nobody in particular.
    CloudEvent { members: Vec<(Text, Value)> },
    /// What a channel reports about the latest message of this template; of any when missing.
    Receipt { template: Option<Text>, receipt: Receipt },
}

/// Reads all scenarios of a workspace; those with an error are left out. Findings by file and place.
pub fn read_scenarios(files: &Files, definitions: &Definitions) -> (Vec<Scenario>, Vec<Finding>) {
    let report = Report::default();
    let mut scenarios = Vec::new();
    for (path, text) in &files.0 {
        if !path.starts_with("scenarios/") || !path.ends_with(".scenario.yaml") {
            continue;
        }
        let sheet = Sheet::new(path, text, &report);
        let (root, problems) = yaml::parse(text);
        problems.into_iter().for_each(|problem| sheet.push(problem));
        let reader = Reader { sheet: &sheet, definitions };
        scenarios.extend(root.as_ref().and_then(|root| reader.scenario(root)));
    }
    (scenarios, report.finish())
}

const CALLS: [(&str, EventKind); 6] = [
    ("track", EventKind::Track),
    ("identify", EventKind::Identify),
    ("page", EventKind::Page),
    ("screen", EventKind::Screen),
    ("group", EventKind::Group),
    ("alias", EventKind::Alias),
];
/// Members of calls, as written here and in the Segment spec.
const MEMBERS: [(&str, &str); 12] = [
    ("event", "event"),
    ("properties", "properties"),
    ("traits", "traits"),
    ("context", "context"),
    ("name", "name"),
    ("category", "category"),
    ("user_id", "userId"),
    ("anonymous_id", "anonymousId"),
    ("previous_id", "previousId"),
    ("group_id", "groupId"),
    ("message_id", "messageId"),
    ("timestamp", "timestamp"),
];
const CLOUD_EVENT: [&str; 3] = ["type", "subject", "data"];
const ANSWERS: [(&str, Answer); 3] = [("delivers", Answer::Delivers), ("fails", Answer::Fails), ("silent", Answer::Silent)];
const RECEIPTS: [(&str, Receipt); 4] =
    [("sent", Receipt::Sent), ("delivered", Receipt::Delivered), ("read", Receipt::Read), ("failed", Receipt::Failed)];

#[derive(Clone, Copy)]
struct Reader<'a> {
    sheet: &'a Sheet<'a>,
    definitions: &'a Definitions,
}

impl<'a> Reader<'a> {
    fn scenario(&self, root: &'a Node) -> Option<Scenario> {
        let sheet = self.sheet;
        let before = sheet.findings();
        let map = sheet.map(root, "a scenario", &["scenario", "description", "journey", "given", "when", "then"])?;
        let name = map.require("scenario", "scenario: buyer gets no reminder").and_then(|node| sheet.text(node, "scenario"));
        let journey = map.get("journey").and_then(|node| self.journey(node));
        let given = map.get("given").map_or_else(Given::default, |node| self.given(node));
        let when = map.require("when", "when: [{at: 2026-03-02T10:00:00Z, track: {event: Cart Updated}}]");
        let when = when.and_then(|node| sheet.list(node, "when")).map_or(Vec::new(), |items| self.happenings(items));
        let then = map.require("then", "then: [{sent: none}]").and_then(|node| sheet.list(node, "then")).unwrap_or_default();
        if map.has("then") && then.is_empty() {
            let help = "say what must come out, such as `- sent: none`";
            sheet.error(map.key_place("then"), code::MISSING_KEY, "the scenario expects nothing", help);
        }
        let then = then.iter().filter_map(|node| self.expectation(node)).collect();
        let name = name?;
        (sheet.findings() == before).then(|| Scenario { file: sheet.file.to_owned(), name, journey, given, when, then })
    }

    fn given(&self, node: &'a Node) -> Given {
        let sheet = self.sheet;
        let mut given = Given::default();
        let Some(map) = sheet.map(node, "`given`", &["profile", "channels"]) else { return given };
        given.channels = map.get("channels").map_or_else(Vec::new, |node| self.channels(node));
        let Some(profile) = map.get("profile").and_then(|node| sheet.open_map(node, "the profile")) else { return given };
        for (key, node) in profile.fields() {
            match key.name.as_str() {
                "traits" => given.traits = self.values(node, "`traits`"),
                "consent" => given.consents = self.consents(node),
                "country" => given.country = country(sheet, node, "country"),
                "language" => given.language = sheet.text(node, "language"),
                "time_zone" => given.time_zone = time_zone(sheet, node, "time_zone"),
                "preferred_channel" => given.preferred_channel = self.channel(node),
                name => {
                    if self.identifier(name, key.place) {
                        given.identifiers.extend(sheet.text(node, name).map(|value| (IdentifierKind::from_name(name), value)));
                    }
                }
            }
        }
        given
    }

    /// `{whatsapp: fails, sms: silent}`
    fn channels(&self, node: &'a Node) -> Vec<(Text, Answer)> {
        let sheet = self.sheet;
        let mut channels = Vec::new();
        for (key, node) in sheet.open_map(node, "`channels`").map_or(&[][..], |map| map.fields()) {
            let kind = Text::new(&key.name);
            if check_channel(sheet, node, &kind) {
                channels.extend(sheet.one_of(node, &key.name, &ANSWERS).map(|answer| (kind, answer)));
            }
        }
        channels
    }

    fn identifier(&self, name: &str, place: ByteRange) -> bool {
        let declared = self.definitions.identity.kinds.iter().map(|rule| rule.kind.name());
        let known: Vec<&str> = declared.chain(["traits", "consent", "country", "language", "time_zone", "preferred_channel"]).collect();
        if known.contains(&name) {
            return true;
        }
        let help = hint(name, known.iter().copied(), "allowed here");
        self.sheet.error(place, code::UNKNOWN_KEY, format!("the profile has no key `{name}`"), help);
        false
    }

    /// `{marketing: [email], service: true}`
    fn consents(&self, node: &'a Node) -> Vec<GivenConsent> {
        let sheet = self.sheet;
        let mut consents = Vec::new();
        for (key, node) in sheet.open_map(node, "`consent`").map_or(&[][..], |map| map.fields()) {
            let purpose = Text::new(&key.name);
            if matches!(node.kind, Kind::List(_)) {
                for (channel, item) in sheet.texts(node, &key.name).unwrap_or_default() {
                    if check_channel(sheet, item, &channel) {
                        consents.push(GivenConsent { purpose: purpose.clone(), channel: Some(channel), granted: true });
                    }
                }
            } else if let Some(granted) = sheet.boolean(node, &key.name) {
                consents.push(GivenConsent { purpose, channel: None, granted });
            }
        }
        consents
    }

    /// The first line has an instant, and time never goes back.
    fn happenings(&self, items: &'a [Node]) -> Vec<Happening> {
        let sheet = self.sheet;
        let happenings: Vec<Happening> = items.iter().filter_map(|node| self.happening(node)).collect();
        let mut now: Option<Timestamp> = None;
        for happening in &happenings {
            now = match (now, happening.moment) {
                (None, Moment::After(_)) => {
                    let help = "begin with an instant, such as `at: 2026-03-02T10:00:00Z`";
                    sheet.error(
                        happening.place,
                        code::MISSING_KEY,
                        "nothing comes before the first line that `after` could count from",
                        help,
                    );
                    return happenings;
                }
                (Some(before), Moment::At(at)) if at < before => {
                    let message = format!("{at} lies before the line above, which is at {before}");
                    sheet.error(happening.place, code::OUT_OF_RANGE, message, "write what happens in the order of time");
                    return happenings;
                }
                (_, Moment::At(at)) => Some(at),
                (Some(before), Moment::After(span)) => Some(before + span),
            };
        }
        happenings
    }

    fn happening(&self, node: &'a Node) -> Option<Happening> {
        let sheet = self.sheet;
        let calls = CALLS.iter().map(|(name, _)| *name);
        let keys: Vec<&str> = ["at", "after", "receipt", "cloud_event"].into_iter().chain(calls.clone()).collect();
        let map = sheet.map(node, "a line of `when`", &keys)?;
        let place = first_line(sheet, node.place);
        let moment = match (map.get("at"), map.get("after")) {
            (Some(node), None) => self.instant(node, "at").map(Moment::At),
            (None, Some(node)) => sheet.span(node, "after").map(Moment::After),
            (at, _) => {
                let message = if at.is_some() { "a line of `when` has one time" } else { "a line of `when` needs a time" };
                sheet.error(place, code::MISSING_KEY, message, "write `at: 2026-03-02T10:00:00Z` or `after: 20m`");
                None
            }
        };
        let written: Vec<&str> = calls.chain(["receipt", "cloud_event"]).filter(|name| map.has(name)).collect();
        let what = match written.as_slice() {
            [] => None,
            ["receipt"] => Some(self.receipt(map.get("receipt")?)?),
            ["cloud_event"] => Some(self.cloud_event(map.get("cloud_event")?)?),
            [name] => Some(self.call(&map, name)?),
            [_, second, ..] => {
                let message = format!("a line of `when` says {} at once", quoted(&written));
                sheet.error(map.key_place(second), code::CONFLICTING_KEYS, message, "write a line for each; `after: 0s` keeps the instant");
                return None;
            }
        };
        Some(Happening { place, moment: moment?, what })
    }

    fn call(&self, line: &Map<'a>, name: &str) -> Option<What> {
        let sheet = self.sheet;
        let (_, kind) = CALLS.iter().find(|(call, _)| *call == name)?;
        let keys: Vec<&str> = MEMBERS.iter().map(|(written, _)| *written).collect();
        let map = sheet.map(line.get(name)?, "a call", &keys)?;
        if *kind == EventKind::Track {
            map.require("event", "event: Cart Updated").and_then(|node| sheet.text(node, "event"))?;
        }
        let mut members: Vec<(Text, Value)> = Vec::new();
        for (key, node) in map.fields() {
            let Some((_, member)) = MEMBERS.iter().find(|(written, _)| *written == key.name) else { continue };
            if matches!(*member, "properties" | "traits" | "context") {
                sheet.open_map(node, &key.name)?;
            }
            members.push((Text::new(member), value(node)));
        }
        members.sort_by(|a, b| a.0.cmp(&b.0));
        Some(What::Call { kind: *kind, members })
    }

    /// `cloud_event: {type: Outage Started, subject: "user_id:u1", data: {region: north}}`
    fn cloud_event(&self, node: &'a Node) -> Option<What> {
        let sheet = self.sheet;
        let map = sheet.map(node, "a CloudEvent", &CLOUD_EVENT)?;
        map.require("type", "type: Outage Started").and_then(|node| sheet.text(node, "type"))?;
        if let Some(data) = map.get("data") {
            sheet.open_map(data, "data")?;
        }
        Some(What::CloudEvent { members: map.fields().iter().map(|(key, node)| (Text::new(&key.name), value(node))).collect() })
    }

    /// `receipt: failed` or `receipt: {template: NAME, is: failed}`
    fn receipt(&self, node: &'a Node) -> Option<What> {
        let sheet = self.sheet;
        if node.scalar().is_some() {
            return Some(What::Receipt { template: None, receipt: sheet.one_of(node, "receipt", &RECEIPTS)? });
        }
        let map = sheet.map(node, "a receipt", &["template", "is"])?;
        let template = map.get("template").and_then(|node| self.template(node));
        let receipt = map.require("is", "is: failed").and_then(|node| sheet.one_of(node, "is", &RECEIPTS))?;
        Some(What::Receipt { template, receipt })
    }

    fn count(&self, map: &Map<'a>) -> Option<u32> {
        let count = map.get("count").and_then(|node| self.sheet.integer(node, "count", (0, 1_000_000)))?;
        u32::try_from(count).ok()
    }

    fn instant(&self, node: &Node, name: &str) -> Option<Timestamp> {
        let text = self.sheet.text(node, name)?;
        let at = Timestamp::parse(&text).ok();
        if at.is_none() {
            let message = format!("`{name}` is `{text}`, which is not an instant");
            self.sheet.error(node.place, code::NOT_A_TIME, message, "write RFC 3339, such as 2026-03-02T10:00:00Z");
        }
        at
    }

    fn channel(&self, node: &Node) -> Option<Text> {
        self.sheet.text(node, "channel").filter(|channel| check_channel(self.sheet, node, channel))
    }

    fn template(&self, node: &Node) -> Option<Text> {
        let name = self.sheet.text(node, "template")?;
        let known = self.definitions.templates.all().map(|template| template.name.as_str());
        self.known(node, "template", code::UNKNOWN_TEMPLATE, name, known)
    }

    fn journey(&self, node: &Node) -> Option<Text> {
        let name = self.sheet.text(node, "journey")?;
        let known = self.definitions.journeys.iter().map(|journey| journey.name.as_str());
        self.known(node, "journey", code::UNKNOWN_JOURNEY, name, known)
    }

    fn audience(&self, node: &Node, name: &Text) -> bool {
        let known = self.definitions.audiences.iter().map(|audience| audience.name.as_str());
        self.known(node, "audience", code::UNKNOWN_AUDIENCE, name.clone(), known).is_some()
    }

    fn step(&self, node: &Node, journey: &str) -> Option<Text> {
        let name = self.sheet.text(node, "waiting")?;
        let journey = self.definitions.journeys.iter().find(|known| known.name == journey)?;
        self.known(node, "step", code::UNKNOWN_STEP, name, journey.steps.iter().map(|step| step.id.as_str()))
    }

    fn known<'n>(
        &self,
        node: &Node,
        kind: &str,
        code: &'static str,
        name: Text,
        known: impl Iterator<Item = &'n str> + Clone,
    ) -> Option<Text> {
        if known.clone().any(|other| other == name) {
            return Some(name);
        }
        let listed = hint(&name, known, &format!("{kind}s"));
        let help = if listed.is_empty() { format!("the workspace has no {kind} yet") } else { listed };
        self.sheet.error(node.place, code, format!("there is no {kind} `{name}`"), help);
        None
    }

    fn values(&self, node: &'a Node, what: &'a str) -> Vec<(Text, Value)> {
        let Some(map) = self.sheet.open_map(node, what) else { return Vec::new() };
        map.fields().iter().map(|(key, node)| (Text::new(&key.name), value(node))).collect()
    }
}

/// A tree as JSON would have it: plain scalars are null, booleans or numbers where they look so.
fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(scalar) => scalar_value(scalar),
        Kind::List(items) => Value::List(items.iter().map(value).collect()),
        Kind::Map(fields) => {
            let mut fields: Vec<(Text, Value)> = fields.iter().map(|(key, node)| (Text::new(&key.name), value(node))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Map(fields)
        }
    }
}

fn scalar_value(scalar: &Scalar) -> Value {
    if scalar.style != Style::Plain {
        return Value::Text(Text::new(&scalar.text));
    }
    match scalar.text.as_str() {
        _ if scalar.is_null() => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => match text.parse::<Decimal>() {
            Ok(number) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Value::Number(number),
            _ => Value::Text(Text::new(text)),
        },
    }
}

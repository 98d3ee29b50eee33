//! What each step does, with its ways on.

use super::outline::{Draft, Outline};
use super::{Context, kinds, splits, waits};
use crate::audience::key_of;
use crate::experiment::Experiment;
use crate::journey::{Join, Send, Step, StepKind, Target, UNAVAILABLE_STEPS};
use crate::workspace::code;
use crate::workspace::conditions;
use crate::workspace::fields::{Map, first_line};
use crate::workspace::settings::{account_kinds, check_channel};
use crate::workspace::suggest::{closest, hint, quoted};
use crate::workspace::yaml::{Kind, Node};
use faden_model::Text;
use faden_model::condition::{Attribute, Expression, Root, Schema};
use faden_model::diagnostic::ByteRange;

/// A step that is being read.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub context: &'a Context<'a>,
    pub outline: &'a Outline<'a>,
    pub index: usize,
    pub step: &'a Map<'a>,
    pub kind: &'static str,
    /// What stands behind the kind.
    pub node: &'a Node,
}

/// Experiments and where they were written.
pub type Experiments = Vec<(Experiment, ByteRange)>;

/// Reads all steps; `None` when one of them is wrong (reported).
pub fn read(context: &Context<'_>, outline: &Outline<'_>, journey: &Text, experiments: &mut Experiments) -> Option<Vec<Step>> {
    let kinds: Vec<Option<StepKind>> = (0..outline.steps.len()).map(|index| one(context, outline, index, journey, experiments)).collect();
    let steps = kinds.into_iter().zip(&outline.steps).map(|(kind, draft)| Some(Step { id: draft.id.clone(), kind: kind? })).collect();
    Some(steps).filter(|_| !outline.steps.is_empty()).flatten()
}

fn one(context: &Context<'_>, outline: &Outline<'_>, index: usize, journey: &Text, experiments: &mut Experiments) -> Option<StepKind> {
    let draft = &outline.steps[index];
    let sheet = context.sheet;
    if draft.node.fields().is_empty() {
        return None;
    }
    let step = sheet.open_map(draft.node, "a step")?;
    let kind = kind_of_step(context, &step, draft)?;
    let known = kinds::COMMON.iter().chain([&kind]);
    for (key, _) in step.fields().iter().filter(|(key, _)| !kinds::ALL.contains(&key.name.as_str())) {
        if !known.clone().any(|name| *name == key.name) {
            let help = misplaced(&key.name, kind).unwrap_or_else(|| hint(&key.name, known.clone().copied(), "allowed here"));
            sheet.error(key.place, code::UNKNOWN_KEY, format!("a `{kind}` step has no key `{}`", key.name), help);
        }
    }
    let node = match step.fields().iter().find(|(key, _)| key.name == kind).map(|(_, node)| node)? {
        node if node.scalar().is_some_and(|scalar| scalar.is_null()) && kind != "end" => step.get(kind)?,
        node => node,
    };
    let at = At { context, outline, index, step: &step, kind, node };
    match kind {
        "send" => send(&at),
        "wait" => waits::read(&at),
        "branch" => branch(&at),
        "split" => splits::read(&at, journey, experiments),
        "set" => set(&at),
        "emit" => emit(&at),
        "subscribe" => subscribe(&at),
        "journey" => sub_journey(&at),
        "parallel" => parallel(&at),
        "goto" => goto(&at),
        "end" => {
            at.no_next("`end` is where it ends");
            Some(StepKind::End)
        }
        _ => unavailable(&at),
    }
}

/// The one kind of a step.
fn kind_of_step(context: &Context<'_>, step: &Map<'_>, draft: &Draft<'_>) -> Option<&'static str> {
    let sheet = context.sheet;
    let found: Vec<&'static str> = kinds::ALL.into_iter().filter(|kind| step.has(kind)).collect();
    match found.as_slice() {
        [kind] => Some(kind),
        [] => {
            let other = step.fields().iter().map(|(key, _)| key).find(|key| !kinds::COMMON.contains(&key.name.as_str()));
            match other {
                Some(key) => {
                    let help = hint(&key.name, kinds::ALL, "step kinds");
                    sheet.error(key.place, code::UNKNOWN_STEP_KIND, format!("there is no step kind `{}`", key.name), help);
                }
                None => {
                    let help = format!("add one of {}", quoted(&kinds::ALL[..11]));
                    sheet.error(
                        draft.id_place,
                        code::UNKNOWN_STEP_KIND,
                        format!("the step `{}` does not say what it does", draft.id),
                        help,
                    );
                }
            }
            None
        }
        [_, second, ..] => {
            let message = format!("the step `{}` does {} at once", draft.id, quoted(&found));
            sheet.error(step.key_place(second), code::SEVERAL_STEP_KINDS, message, "make a step of its own for each");
            None
        }
    }
}

/// Keys that people put beside the kind but that belong inside it.
fn misplaced(key: &str, kind: &str) -> Option<String> {
    let inside: &[&str] = match kind {
        "send" => &["template", "channels", "fallback_after", "purpose"],
        "wait" => &["timeout", "where", "until", "for", "event"],
        "goto" => &["max", "exceeded", "to"],
        "emit" => &["properties", "event"],
        "parallel" => &["branches", "join"],
        "split" => &["arms", "holdout", "experiment", "group"],
        _ => &[],
    };
    if inside.contains(&key) {
        return Some(format!("it belongs inside: `{kind}: {{..., {key}: ...}}`"));
    }
    let close = closest(key, inside.iter().copied())?;
    Some(format!("did you mean `{close}`? it belongs inside: `{kind}: {{..., {close}: ...}}`"))
}

impl<'a> At<'a> {
    /// `next` of a step with one way on.
    pub fn next(&self) -> Option<Target> {
        match self.step.get("next") {
            None => (!self.step.has("next")).then(|| self.outline.following(self.index)),
            Some(node) if matches!(node.kind, Kind::Map(_)) => {
                let message = format!("a `{}` step has one way on, without outcomes", self.kind);
                let place = first_line(self.context.sheet, node.place);
                self.context.sheet.error(
                    place,
                    code::UNKNOWN_OUTCOME,
                    message,
                    "write `next: STEP`, or leave it out for the following step",
                );
                None
            }
            Some(node) => self.outline.target(self.context.sheet, self.index, node, "next"),
        }
    }

    /// `next` of a step with outcomes: one target each, the following step for those not written.
    pub fn outcomes(&self, allowed: &[&str]) -> Option<Vec<Target>> {
        let sheet = self.context.sheet;
        let following = self.outline.following(self.index);
        let Some(node) = self.step.get("next") else { return (!self.step.has("next")).then(|| vec![following; allowed.len()]) };
        if node.scalar().is_some() {
            let target = self.outline.target(sheet, self.index, node, "next")?;
            return Some(vec![target; allowed.len()]);
        }
        let map = sheet.open_map(node, "`next`")?;
        let mut targets: Vec<Option<Target>> = vec![Some(following); allowed.len()];
        let mut unknown = false;
        for (key, value) in map.fields() {
            match allowed.iter().position(|outcome| *outcome == key.name) {
                Some(at) => targets[at] = self.outline.target(sheet, self.index, value, &key.name),
                None => {
                    unknown = true;
                    let help = hint(&key.name, allowed.iter().copied(), "outcomes");
                    sheet.error(key.place, code::UNKNOWN_OUTCOME, format!("this `{}` has no outcome `{}`", self.kind, key.name), help);
                }
            }
        }
        targets.into_iter().collect::<Option<Vec<Target>>>().filter(|_| !unknown)
    }

    /// Whether an outcome is written.
    pub fn names_outcome(&self, outcome: &str) -> bool {
        self.step.get("next").is_some_and(|next| next.get(outcome).is_some())
    }

    pub fn no_next(&self, reason: &str) {
        if self.step.has("next") {
            let message = format!("`next` means nothing for `{}`", self.kind);
            self.context.sheet.error(self.step.key_place("next"), code::CONFLICTING_KEYS, message, format!("remove it: {reason}"));
        }
    }
}

fn send(at: &At<'_>) -> Option<StepKind> {
    let (sheet, world) = (at.context.sheet, at.context.world);
    let map = sheet.map(at.node, "`send`", &["template", "channels", "fallback_after", "purpose"])?;
    let template = map.require("template", "template: cart_reminder").and_then(|node| {
        let name = sheet.text(node, "template")?;
        if world.templates.contains_key(&name) {
            return Some((name, node));
        }
        let known = hint(&name, world.templates.keys().map(Text::as_str), "templates");
        let help = if known.is_empty() { format!("write it into templates/{name}/email.en.jinja") } else { known };
        sheet.error(node.place, code::UNKNOWN_TEMPLATE, format!("there is no template `{name}`"), help);
        None
    });
    let channels = map.require("channels", "channels: [email]").and_then(|node| channels(at, node));
    let fallback_after = map.get("fallback_after").map(|node| crate::workspace::audiences::positive_span(sheet, node, "fallback_after"));
    let purpose = map.get("purpose").map(|node| super::purpose(sheet, node, world));
    let ways = at.outcomes(&["sent", "suppressed", "failed"]);
    let ((template, node), channels, ways) = (template?, channels?, ways?);
    variants(at, &template, node, &channels);
    event_reads(at, &template, node);
    let asks = purpose.as_ref().and_then(|purpose| purpose.as_ref()).or(at.context.purpose);
    if asks.is_some_and(|purpose| world.consent_purposes.contains(purpose)) && channels.iter().any(|channel| channel == "email") {
        can_be_left(at, &template, node);
    }
    Some(StepKind::Send(Send {
        template,
        channels,
        purpose: crate::workspace::audiences::whole(purpose)?,
        fallback_after: crate::workspace::audiences::whole(fallback_after)?,
        sent: ways[0],
        suppressed: ways[1],
        failed: ways[2],
    }))
}

fn channels(at: &At<'_>, node: &Node) -> Option<Vec<Text>> {
    let sheet = at.context.sheet;
    let accounts = account_kinds(&at.context.world.settings);
    let mut channels: Vec<Text> = Vec::new();
    let mut good = true;
    for (channel, item) in sheet.texts(node, "channels")? {
        if !check_channel(sheet, item, &channel) {
            good = false;
        } else if channels.contains(&channel) {
            sheet.error(item.place, code::DUPLICATE_NAME, format!("the channel `{channel}` stands here twice"), "remove one");
        } else {
            if !accounts.contains(&channel.as_str()) {
                let help = format!(
                    "add `- {{name: my_{channel}, kind: {channel}}}` under `channels:` in faden.yaml; until then this channel is never used"
                );
                sheet.warning(item.place, code::CHANNEL_WITHOUT_ACCOUNT, format!("the workspace has no account of kind `{channel}`"), help);
            }
            channels.push(channel);
        }
    }
    if channels.is_empty() && good {
        sheet.error(node.place, code::WRONG_TYPE, "`channels` is an empty list", "name a channel, such as `channels: [email]`");
    }
    Some(channels).filter(|channels| good && !channels.is_empty())
}

/// Whether the template can be rendered for what is used here.
fn variants(at: &At<'_>, template: &Text, node: &Node, channels: &[Text]) {
    let (sheet, world) = (at.context.sheet, at.context.world);
    let Some(facts) = world.templates.get(template) else { return };
    let accounts = account_kinds(&world.settings);
    for channel in channels {
        let languages: Vec<&str> = facts.variants.keys().filter(|(of, _)| of == channel).map(|(_, language)| language.as_str()).collect();
        if languages.is_empty() {
            let language = world.settings.languages.first().map_or("en", Text::as_str);
            let help = format!("add templates/{template}/{channel}.{language}.jinja, or send it on other channels");
            // A channel without an account was warned of already.
            if accounts.contains(&channel.as_str()) {
                sheet.warning(
                    node.place,
                    code::TEMPLATE_LACKS_CHANNEL,
                    format!("the template `{template}` has no text for `{channel}`"),
                    help,
                );
            }
            continue;
        }
        for language in world.settings.languages.iter().filter(|language| !languages.contains(&language.as_str())) {
            let message = format!("the template `{template}` has no text for `{channel}` in `{language}`");
            let help = format!("add templates/{template}/{channel}.{language}.jinja; until then `{}` is used", languages[0]);
            sheet.warning(node.place, code::TEMPLATE_LACKS_LANGUAGE, message, help);
        }
    }
}

/// Whether what the template reads of the event is something that the events of this journey have.
fn event_reads(at: &At<'_>, template: &Text, node: &Node) {
    let Some(facts) = at.context.world.templates.get(template) else { return };
    let names = at.context.in_step();
    let mut seen = std::collections::BTreeSet::new();
    for read in facts.reads.iter().filter(|read| read.path.first().is_some_and(|root| root == "event")) {
        let attribute = Attribute { root: Root::Event, path: read.path[1..].to_vec() };
        let Err(unknown) = names.attribute_type(&attribute) else { continue };
        // What `event` never has was reported in the template; who asks `{% if event %}` knows that there may be none.
        let asks = facts.reads.iter().any(|other| other.file == read.file && other.path.len() == 1 && other.path[0] == "event");
        let told = unknown.code == code::UNKNOWN_ATTRIBUTE || (asks && unknown.code == code::NOT_AVAILABLE_HERE);
        if !told && seen.insert(unknown.message.clone()) {
            let message = format!("{} reads `{}`: {}", read.file, read.path.join("."), unknown.message);
            at.context.sheet.warning(node.place, unknown.code, message, unknown.help);
        }
    }
}

/// Whether every e-mail that needs consent says how to take it back.
fn can_be_left(at: &At<'_>, template: &Text, node: &Node) {
    let Some(facts) = at.context.world.templates.get(template) else { return };
    let without = facts.variants.keys().filter(|variant| variant.0 == "email" && !facts.can_be_left.contains(*variant));
    for (channel, language) in without {
        let message = format!("`{channel}.{language}` of the template `{template}` says nothing of how to unsubscribe");
        let help = "write `{{ unsubscribe_url }}` or `{{ preferences_url }}` into it: the purpose of this message needs consent";
        at.context.sheet.warning(node.place, code::TEMPLATE_UNSUBSCRIBE, message, help);
    }
}

/// A list of `{when, to}` and at most one `{otherwise}` at its end.
fn branch(at: &At<'_>) -> Option<StepKind> {
    let sheet = at.context.sheet;
    at.no_next("a branch names its targets in `to` and `otherwise`");
    let items = sheet.list(at.node, "branch")?;
    let mut arms: Vec<Option<(Expression, Target)>> = Vec::new();
    let mut otherwise: Option<Option<Target>> = None;
    for item in items {
        let Some(map) = sheet.map(item, "an arm", &["when", "to", "otherwise"]) else {
            arms.push(None);
            continue;
        };
        if otherwise.is_some() {
            let help = "move it before `otherwise`, which takes everybody who is left";
            sheet.error(first_line(sheet, map.place), code::CONFLICTING_KEYS, "nobody can come to this arm", help);
        }
        if map.has("otherwise") {
            if map.has("when") || map.has("to") {
                let help = "write `{when: CONDITION, to: STEP}` or `{otherwise: STEP}`";
                sheet.error(map.place, code::CONFLICTING_KEYS, "`otherwise` stands alone", help);
            }
            otherwise = Some(map.get("otherwise").and_then(|node| at.outline.target(sheet, at.index, node, "otherwise")));
            continue;
        }
        let names = at.context.in_step();
        let when =
            map.require("when", "when: profile.traits.tier == \"gold\"").and_then(|node| conditions::condition(sheet, node, "when", names));
        let to = map.require("to", "to: STEP").and_then(|node| at.outline.target(sheet, at.index, node, "to"));
        arms.push(when.zip(to));
    }
    if items.is_empty() || arms.is_empty() {
        let help = "write `- {when: CONDITION, to: STEP}` and `- {otherwise: STEP}`";
        sheet.error(first_line(sheet, at.node.place), code::MISSING_KEY, "the branch has no arms", help);
        return None;
    }
    let otherwise = otherwise.unwrap_or_else(|| Some(at.outline.following(at.index)));
    Some(StepKind::Branch { arms: arms.into_iter().collect::<Option<_>>()?, otherwise: otherwise? })
}

fn set(at: &At<'_>) -> Option<StepKind> {
    let (sheet, world) = (at.context.sheet, at.context.world);
    let map = sheet.open_map(at.node, "`set`")?;
    if world.computed.keys().any(|name| map.has(name)) {
        let names: Vec<&str> = world.computed.keys().map(Text::as_str).filter(|name| map.has(name)).collect();
        let help = "set a trait of another name; a computed one follows from events alone";
        sheet.error(map.key_place(names[0]), code::COMPUTED_TRAIT_SET, format!("the trait {} is computed", quoted(&names)), help);
        return None;
    }
    let values = expressions(at, &map);
    let next = at.next();
    Some(StepKind::Set { traits: values?, next: next? })
}

/// `{name: EXPRESSION}`
fn expressions(at: &At<'_>, map: &Map<'_>) -> Option<Vec<(Text, Expression)>> {
    let read = map.fields().iter().map(|(key, node)| {
        let value = if node.scalar().is_some_and(|scalar| scalar.is_null() && !scalar.text.is_empty()) {
            // `null` removes a trait; as an expression it is the word itself.
            faden_model::condition::compile("null", &at.context.in_step()).ok().map(|compiled| compiled.expression)
        } else {
            conditions::expression(at.context.sheet, node, &key.name, at.context.in_step())
        };
        Some((Text::new(&key.name), value?))
    });
    read.collect::<Vec<_>>().into_iter().collect()
}

fn emit(at: &At<'_>) -> Option<StepKind> {
    let sheet = at.context.sheet;
    let map = sheet.map(at.node, "`emit`", &["event", "properties"])?;
    let event = map.require("event", "event: Reminder Ignored").and_then(|node| sheet.text(node, "event"));
    let properties = match map.get("properties") {
        None => Some(Vec::new()),
        Some(node) => sheet.open_map(node, "`properties`").and_then(|map| expressions(at, &map)),
    };
    let next = at.next();
    Some(StepKind::Emit { event: event?, properties: properties?, next: next? })
}

fn subscribe(at: &At<'_>) -> Option<StepKind> {
    let sheet = at.context.sheet;
    let map = sheet.map(at.node, "`subscribe`", &["purpose", "channel", "granted"])?;
    let purpose = map.require("purpose", "purpose: marketing").and_then(|node| super::purpose(sheet, node, at.context.world));
    let channel = map.get("channel").map(|node| sheet.text(node, "channel").filter(|channel| check_channel(sheet, node, channel)));
    let granted = map.get("granted").map_or(Some(true), |node| sheet.boolean(node, "granted"));
    let next = at.next();
    Some(StepKind::Subscribe { purpose: purpose?, channel: crate::workspace::audiences::whole(channel)?, granted: granted?, next: next? })
}

/// `journey: NAME` or `journey: {name: NAME, wait: true}`
fn sub_journey(at: &At<'_>) -> Option<StepKind> {
    let (sheet, world) = (at.context.sheet, at.context.world);
    let (node, wait) = if at.node.scalar().is_some() {
        (Some(at.node), Some(false))
    } else {
        let map = sheet.map(at.node, "`journey`", &["name", "wait"])?;
        (map.require("name", "name: welcome"), map.get("wait").map_or(Some(false), |node| sheet.boolean(node, "wait")))
    };
    let name = node.and_then(|node| {
        let name = sheet.text(node, "journey")?;
        if world.journeys.contains(&name) {
            return Some(name);
        }
        let help = hint(&name, world.journeys.iter().map(Text::as_str), "journeys");
        sheet.error(node.place, code::UNKNOWN_JOURNEY, format!("there is no journey `{name}`"), help);
        None
    });
    let next = at.next();
    Some(StepKind::Journey { journey: key_of(&name?), wait: wait?, next: next? })
}

fn parallel(at: &At<'_>) -> Option<StepKind> {
    let sheet = at.context.sheet;
    let map = sheet.map(at.node, "`parallel`", &["branches", "join"])?;
    let join = map.get("join").map_or(Some(Join::All), |node| sheet.one_of(node, "join", &[("all", Join::All), ("any", Join::Any)]));
    let branches = map.require("branches", "branches: [[...], [...]]").and_then(|node| sheet.list(node, "branches"));
    let next = at.next();
    let branches = branches?;
    for branch in branches {
        if sheet.list(branch, "branches").is_some_and(<[Node]>::is_empty) {
            sheet.error(branch.place, code::MISSING_KEY, "a branch has no steps", "add steps, or remove the branch");
        }
    }
    if branches.len() < 2 {
        let help = "write two or more lists of steps: `branches: [[...], [...]]`";
        sheet.error(first_line(sheet, at.node.place), code::MISSING_KEY, "`parallel` needs at least two branches", help);
        return None;
    }
    let starts = (0..branches.len()).map(|branch| at.outline.branch(at.index, branch)).collect();
    let until = u16::try_from(at.outline.steps[at.index].until).ok()?;
    Some(StepKind::Parallel { branches: starts, until, join: join?, next: next? })
}

/// `goto: {to: STEP, max: 3, exceeded: STEP}`
fn goto(at: &At<'_>) -> Option<StepKind> {
    let sheet = at.context.sheet;
    at.no_next("`goto` goes `to` a step, and on to `exceeded` after `max` times");
    let map = sheet.map(at.node, "`goto`", &["to", "max", "exceeded"])?;
    let to = map.require("to", "to: STEP").and_then(|node| at.outline.target(sheet, at.index, node, "to"));
    let max = map.require("max", "max: 3").and_then(|node| sheet.integer(node, "max", (1, 10_000)));
    let exceeded = match map.get("exceeded") {
        None => Some(at.outline.following(at.index)),
        Some(node) => at.outline.target(sheet, at.index, node, "exceeded"),
    };
    Some(StepKind::Goto { to: to?, max: u16::try_from(max?).ok()?, exceeded: exceeded? })
}

fn unavailable(at: &At<'_>) -> Option<StepKind> {
    let kind = UNAVAILABLE_STEPS.into_iter().find(|kind| *kind == at.kind)?;
    let message = format!("`{kind}` steps are not there yet; who comes to `{}` ends here", at.outline.steps[at.index].id);
    let help = "the journey is published and runs up to this step";
    at.context.sheet.warning(at.step.key_place(kind), code::UNAVAILABLE_STEP, message, help);
    Some(StepKind::Unavailable { kind })
}

//! `journeys/*.yaml`: from a tree to a checked [`JourneyVersion`].
//!
//! Here: what stands around the steps. The steps are in `outline` (which there are, in one flat list),
//! `steps` (what each does), `splits` (experiments) and `graph` (who can reach whom, and loops).

mod entry;
mod graph;
mod kinds;
mod outline;
mod splits;
mod steps;
mod waits;

pub use splits::merge as merge_experiments;

use super::code;
use super::conditions;
use super::fields::Map;
use super::report::Sheet;
use super::schema::{Names, Place};
use super::suggest::hint;
use super::world::World;
use super::yaml::Node;
use crate::audience::key_of;
use crate::experiment::Experiment;
use crate::journey::{Exit, Goal, JourneyVersion, StepKind};
use faden_model::Text;
use faden_model::condition::{Expression, Root};
use faden_model::diagnostic::ByteRange;
use std::collections::BTreeSet;

const KEYS: [&str; 11] = ["journey", "title", "description", "purpose", "priority", "entry", "reentry", "key", "exit", "goal", "steps"];

/// A journey, when nothing is wrong with it, and its experiments with their places, for checks across journeys.
pub struct Read {
    pub journey: Option<JourneyVersion>,
    pub experiments: Vec<(Experiment, ByteRange)>,
}

/// Everything that reading one journey needs.
#[derive(Clone, Copy)]
pub(in crate::workspace) struct Context<'a> {
    pub sheet: &'a Sheet<'a>,
    pub world: &'a World,
    /// Of the journey's messages, where a step names none of its own.
    pub purpose: Option<&'a Text>,
    /// Events by which one enters, and those that a wait keeps instead.
    pub at_hand: &'a [Text],
    pub experiments: &'a BTreeSet<Text>,
}

impl<'a> Context<'a> {
    /// Names where a certain event is at hand.
    pub fn at_event(&'a self, place: Place, event: &'a [Text]) -> Names<'a> {
        Names { world: self.world, place, events: event, experiments: self.experiments }
    }

    /// Names in a step.
    pub fn in_step(&'a self) -> Names<'a> {
        Names { world: self.world, place: Place::Step, events: self.at_hand, experiments: self.experiments }
    }
}

/// Reads one journey.
pub fn read(sheet: &Sheet<'_>, root: &Node, world: &World) -> Read {
    let mut experiments = Vec::new();
    let journey = version(sheet, root, world, &mut experiments);
    Read { journey, experiments }
}

fn version(sheet: &Sheet<'_>, root: &Node, world: &World, experiments: &mut Vec<(Experiment, ByteRange)>) -> Option<JourneyVersion> {
    let map = sheet.map(root, "a journey", &KEYS)?;
    let name = map.require("journey", "journey: cart_recovery").and_then(|node| sheet.name(node, "journey"));
    let title = map.get("title").and_then(|node| sheet.text(node, "title"));
    let purpose = map.require("purpose", "purpose: marketing").and_then(|node| purpose(sheet, node, world));
    let priority = map.get("priority").map(|node| sheet.integer(node, "priority", (-1_000_000, 1_000_000)));
    let entering = entry::events(root);
    let outline = outline::read(sheet, &map);
    let experiment_names = splits::names(&outline, name.as_deref().unwrap_or_default());
    let at_hand: Vec<Text> = entering.iter().cloned().chain(waits::kept(root)).collect();
    let context = Context { sheet, world, purpose: purpose.as_ref(), at_hand: &at_hand, experiments: &experiment_names };
    let entries = entry::entries(&context, &map);
    let reentry = entry::reentry(&context, &map);
    let instance_key = map.get("key").map(|node| conditions::expression(sheet, node, "key", context.at_event(Place::Entry, &entering)));
    let exits = map.get("exit").map_or(Some(Vec::new()), |node| exits(&context, node));
    let goal = map.get("goal").map(|node| goal(&context, node));
    let named = name.clone().unwrap_or_else(|| Text::new("journey"));
    let steps = steps::read(&context, &outline, &named, experiments);
    if let Some(steps) = &steps {
        graph::check(sheet, &outline, steps);
    }
    let keeps_event = steps.as_ref().is_some_and(|steps| steps.iter().any(|step| reads_event(&step.kind, world)));
    let name = name?;
    Some(JourneyVersion {
        key: key_of(&name),
        version: key_of(sheet.text),
        title: title.unwrap_or_else(|| name.clone()),
        name,
        purpose: purpose?,
        priority: i32::try_from(priority.unwrap_or(Some(0))?).unwrap_or(0),
        entries: entries?,
        reentry: reentry?,
        instance_key: super::audiences::whole(instance_key)?,
        exits: exits?,
        goal: super::audiences::whole(goal)?,
        steps: steps?,
        keeps_event,
        source: Text::new(sheet.text),
    })
}

/// A purpose; a warning when policies name some and this is none of them.
pub(super) fn purpose(sheet: &Sheet<'_>, node: &Node, world: &World) -> Option<Text> {
    let purpose = sheet.name(node, "purpose")?;
    if !world.purposes.is_empty() && !world.purposes.contains(&purpose) {
        let help = hint(&purpose, world.purposes.iter().map(Text::as_str), "purposes of the policies");
        sheet.warning(node.place, code::UNKNOWN_PURPOSE, format!("no policy says what consent the purpose `{purpose}` needs"), help);
    }
    Some(purpose)
}

/// `exit: [{event, where} | {audience: {entered|left}}]`, or one alone.
fn exits(context: &Context<'_>, node: &Node) -> Option<Vec<Exit>> {
    let items: Vec<&Node> = if node.items().is_empty() { vec![node] } else { node.items().iter().collect() };
    let read: Vec<Option<Exit>> = items.into_iter().map(|item| exit(context, item)).collect();
    read.into_iter().collect()
}

fn exit(context: &Context<'_>, node: &Node) -> Option<Exit> {
    let sheet = context.sheet;
    let map = sheet.map(node, "an exit", &["event", "where", "audience"])?;
    match (map.has("event"), map.has("audience")) {
        (true, false) => {
            let (event, condition) = event_and_condition(context, &map, Place::Running)?;
            Some(Exit::Event { event, condition })
        }
        (false, true) => {
            entry::no_condition(sheet, &map, "audience");
            let (audience, change) = entry::audience_change(context, map.get("audience")?)?;
            Some(Exit::Audience { audience, change })
        }
        _ => {
            let help = "write `event: NAME` or `audience: {left: NAME}`";
            sheet.error(map.place, code::MISSING_KEY, "an exit is by one event or one audience", help);
            None
        }
    }
}

fn goal(context: &Context<'_>, node: &Node) -> Option<Goal> {
    let sheet = context.sheet;
    let map = sheet.map(node, "the goal", &["event", "where", "within"])?;
    let within = map.get("within").map(|node| super::audiences::positive_span(sheet, node, "within"));
    map.require("event", "event: Order Completed");
    let (event, condition) = event_and_condition(context, &map, Place::Running)?;
    Some(Goal { event, condition, within: super::audiences::whole(within)? })
}

/// `event: NAME` and what it must fulfil.
pub(super) fn event_and_condition(context: &Context<'_>, map: &Map<'_>, place: Place) -> Option<(Text, Option<Expression>)> {
    let event = map.get("event").and_then(|node| context.sheet.text(node, "event"));
    let at_hand: Vec<Text> = event.clone().into_iter().chain(event.is_none().then(Text::default)).collect();
    let condition = map.get("where").map(|node| conditions::condition(context.sheet, node, "where", context.at_event(place, &at_hand)));
    Some((event?, super::audiences::whole(condition)?))
}

/// Whether a step reads the event by which one entered.
fn reads_event(kind: &StepKind, world: &World) -> bool {
    let reads = |expression: &Expression| expression.attributes().iter().any(|attribute| attribute.root == Root::Event);
    match kind {
        StepKind::Send(send) => world.templates.get(&send.template).is_some_and(|template| template.reads_event),
        StepKind::WaitInstant { at, .. } => reads(at),
        StepKind::Branch { arms, .. } => arms.iter().any(|(condition, _)| reads(condition)),
        StepKind::Set { traits, .. } => traits.iter().any(|(_, value)| reads(value)),
        StepKind::Emit { properties, .. } => properties.iter().any(|(_, value)| reads(value)),
        _ => false,
    }
}

//! The map of one journey version: steps as nodes, ways as edges, with how many went and how many stand where.

use faden_engine::Index;
use faden_engine::journey::{Change, Entry, Exit, Join, JourneyVersion, LocalTime, StepKind, Target};
use faden_engine::track::Place;
use faden_model::Text;
use faden_runtime::views::{JourneyCounts, Ways, through};
use serde::Serialize;
use utoipa::ToSchema;

/// Id of the node where passages begin.
const ENTRY: &str = "entry";
/// Id of the node where they end.
const END: &str = "end";

#[derive(Debug, Serialize, ToSchema)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Node {
    /// The step's id; `entry` and `end` for the two ends.
    pub id: String,
    /// `entry`, `send`, `wait`, `branch`, `split`, `set`, `emit`, `subscribe`, `journey`, `parallel`, `goto`, `end`.
    pub kind: &'static str,
    pub title: String,
    pub detail: String,
    /// How many stand here now.
    pub waiting: u64,
    /// How many went on from here; at the end, how many have come to it.
    pub passed: u64,
    /// How many left the journey from here: by an exit, the goal or a move to another version.
    pub left: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// The condition, arm or outcome.
    pub label: String,
    pub count: u64,
}

/// What lets somebody in.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryLabel {
    pub kind: &'static str,
    pub label: String,
}

/// The map of this version: who waits by `counts`, who went by `ways`.
pub fn graph(index: &Index, version: &JourneyVersion, counts: &JourneyCounts, ways: &Ways) -> Graph {
    let ever = counts.versions.get(&version.version);
    let count = |wanted: &dyn Fn(&Place, &Place, &Text) -> bool| -> u64 {
        ways.iter().filter(|((from, to, went), _)| wanted(from, to, went)).map(|(_, count)| count).sum()
    };
    let entered = count(&|from, to, _| *from == Place::Entry && matches!(to, Place::Step(_)));
    let ended = count(&|from, to, _| *to == Place::End && *from != Place::Entry);
    let entries: Vec<String> = version.entries.iter().map(|entry| entry_label(index, entry).label).collect();
    let mut nodes = vec![node(ENTRY, "entry", "Entry", entries.join("; "), (0, entered, 0))];
    let mut edges = vec![Edge { from: ENTRY.to_owned(), to: name(version, Target::Step(0)), label: String::new(), count: entered }];
    for (at, step) in (0u16..).zip(&version.steps) {
        let inside = |(came, left): (u64, u64)| came.saturating_sub(left);
        let waiting = if step.kind.waits() { ever.map_or(0, |ways| inside(through(ways, at))) } else { 0 };
        let (came, left) = through(ways, at);
        // Branches leave a `parallel` as often as there are branches.
        let dropped = count(&|from, to, _| *from == Place::Step(at) && *to == Place::Out);
        let passed = if matches!(step.kind, StepKind::Parallel { .. }) { came } else { left - dropped };
        nodes.push(node(&step.id, kind(&step.kind), &step.id, detail(index, &step.kind), (waiting, passed, dropped)));
        for way in step.kind.ways() {
            let gone = count(&|from, to, went| *from == Place::Step(at) && *to == Place::from(way.to) && *went == way.went);
            edges.push(Edge { from: step.id.to_string(), to: name(version, way.to), label: way.went.to_string(), count: gone });
        }
    }
    nodes.push(node(END, "end", "End", String::new(), (0, ended, 0)));
    Graph { nodes, edges }
}

fn node(id: &str, kind: &'static str, title: &str, detail: String, (waiting, passed, left): (u64, u64, u64)) -> Node {
    Node { id: id.to_owned(), kind, title: title.to_owned(), detail, waiting, passed, left }
}

fn name(version: &JourneyVersion, target: Target) -> String {
    version.arrival(target).map_or_else(|| END.to_owned(), |step| version.step_name(step).to_string())
}

fn kind(kind: &StepKind) -> &'static str {
    match kind {
        StepKind::Send(_) => "send",
        StepKind::WaitFor { .. }
        | StepKind::WaitUntil { .. }
        | StepKind::WaitInstant { .. }
        | StepKind::WaitEvent { .. }
        | StepKind::WaitAudience { .. } => "wait",
        StepKind::Branch { .. } => "branch",
        StepKind::Split { .. } => "split",
        StepKind::Set { .. } => "set",
        StepKind::Emit { .. } => "emit",
        StepKind::Subscribe { .. } => "subscribe",
        StepKind::Journey { .. } => "journey",
        StepKind::Parallel { .. } => "parallel",
        StepKind::Goto { .. } => "goto",
        StepKind::End | StepKind::Unavailable { .. } => "end",
    }
}

fn detail(index: &Index, kind: &StepKind) -> String {
    let timeout = |timeout: &Option<faden_model::Span>| timeout.map(|span| format!(", at most {span}")).unwrap_or_default();
    match kind {
        StepKind::Send(send) => format!("{} by {}", send.template, send.channels.join(", ")),
        StepKind::WaitFor { span, .. } => format!("for {span}"),
        StepKind::WaitUntil { until, .. } => format!("until {}", local_time(until)),
        StepKind::WaitInstant { at, .. } => format!("until {}", at.source()),
        StepKind::WaitEvent { event, condition, timeout: most, .. } => {
            format!("for {event}{}{}", where_text(condition.as_ref()), timeout(most))
        }
        StepKind::WaitAudience { audience, change, timeout: most, .. } => {
            format!("for {}{}", audience_text(index, *audience, *change), timeout(most))
        }
        StepKind::Branch { arms, .. } => arms.iter().map(|(condition, _)| condition.source()).collect::<Vec<_>>().join("; "),
        StepKind::Split { experiment, .. } => experiment.name.to_string(),
        StepKind::Set { traits, .. } => {
            traits.iter().map(|(name, value)| format!("{name} = {}", value.source())).collect::<Vec<_>>().join(", ")
        }
        StepKind::Emit { event, .. } => event.to_string(),
        StepKind::Subscribe { purpose, channel, granted, .. } => {
            let on = channel.as_deref().map(|channel| format!(" on {channel}")).unwrap_or_default();
            format!("{} {purpose}{on}", if *granted { "to" } else { "out of" })
        }
        StepKind::Journey { journey, wait, .. } => {
            let name = index.journey_name(*journey).unwrap_or_default();
            format!("{name}{}", if *wait { ", until its end" } else { "" })
        }
        StepKind::Parallel { branches, join, .. } => {
            format!("{} branches, {}", branches.len(), if *join == Join::All { "all of them" } else { "the first one" })
        }
        StepKind::Goto { max, .. } => format!("at most {max} times"),
        StepKind::End => String::new(),
        StepKind::Unavailable { kind } => format!("{kind} does not exist in this version"),
    }
}

fn where_text(condition: Option<&faden_model::condition::Expression>) -> String {
    condition.map(|condition| format!(" where {}", condition.source())).unwrap_or_default()
}

fn audience_text(index: &Index, audience: u64, change: Change) -> String {
    let verb = if change == Change::Entered { "entering" } else { "leaving" };
    format!("{verb} {}", index.audience_name(audience).unwrap_or_default())
}

fn clock(minute_of_day: u16) -> String {
    format!("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60)
}

fn days(days: u8) -> String {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let named: Vec<&str> = NAMES.iter().enumerate().filter(|(day, _)| days & (1 << day) != 0).map(|(_, name)| *name).collect();
    if named.len() == 7 { String::new() } else { format!(" on {}", named.join(", ")) }
}

fn local_time(time: &LocalTime) -> String {
    format!("{}{}", clock(time.minute_of_day), days(time.days))
}

pub fn entry_label(index: &Index, entry: &Entry) -> EntryLabel {
    let (kind, label) = match entry {
        Entry::Event { event, condition } => ("event", format!("{event}{}", where_text(condition.as_ref()))),
        Entry::Audience { audience, change } => ("audience", audience_text(index, *audience, *change)),
        Entry::Schedule(schedule) => {
            let audience = index.audience_name(schedule.audience).unwrap_or_default();
            ("schedule", format!("{}{} for {audience}", clock(schedule.minute_of_day), days(schedule.days)))
        }
        Entry::Broadcast { event, audience, condition } => {
            let audience = index.audience_name(*audience).unwrap_or_default();
            ("broadcast", format!("{event}{} for {audience}", where_text(condition.as_ref())))
        }
        Entry::Api => ("api", "by a call".to_owned()),
    };
    EntryLabel { kind, label }
}

pub fn exit_label(index: &Index, exit: &Exit) -> String {
    match exit {
        Exit::Event { event, condition } => format!("{event}{}", where_text(condition.as_ref())),
        Exit::Audience { audience, change } => audience_text(index, *audience, *change),
    }
}

pub fn goal_label(version: &JourneyVersion) -> Option<String> {
    let goal = version.goal.as_ref()?;
    let within = goal.within.map(|within| format!(" within {within}")).unwrap_or_default();
    Some(format!("{}{}{within}", goal.event, where_text(goal.condition.as_ref())))
}

//! Scenarios in virtual time: one workspace, some people, a clock that jumps from one due instant to the next.
//!
//! Pure. Uses the identity stream and one partition as a node does, so that a scenario decides what
//! production decides. The given customer is known before the first event: what is said of him puts him into
//! audiences, and neither starts nor ends a journey. Messages are written and not sent; channels answer as the
//! scenario says.
//! In: an index and a scenario. Out: a verdict with every expectation that failed and what happened instead.

mod calls;
mod expect;
mod passages;
mod report;
mod timeline;
mod world;

pub use report::render;
pub use timeline::Line;
pub use world::World;

use crate::decision::Decision;
use crate::definitions::Index;
use crate::workspace::scenario::{Happening, Moment, Scenario, What};
use faden_model::diagnostic::ByteRange;
use faden_model::{Command, Event, Span, Timestamp};
use std::sync::Arc;

/// How long time runs on behind the last line of `when`.
pub const AFTERWARDS: Span = Span(400 * Span::DAY.0);

/// What came out of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// In the order of the scenario's lines; empty when it passed.
    pub failures: Vec<Failure>,
    /// Everything that was decided, in its order, as people read it.
    pub timeline: Vec<Line>,
    /// The same as it was decided.
    pub decisions: Vec<Decision>,
}

/// A line of the scenario that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In the scenario's file.
    pub place: ByteRange,
    pub expected: String,
    /// What happened instead, nearest first.
    pub instead: Vec<String>,
}

impl Verdict {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs one scenario. Never fails: what cannot be done is a failure in the verdict.
pub fn run(index: &Arc<Index>, scenario: &Scenario) -> Verdict {
    let mut now = scenario.when.first().map_or(Timestamp(0), |first| moment(first.moment, Timestamp(0)));
    let start = now;
    let mut world = World::new(index.clone(), start);
    let mut failures = Vec::new();
    world.answer(&scenario.given.channels, scenario.when.iter().any(|line| matches!(line.what, Some(What::Receipt { .. }))));
    if let Err(reason) = give(&mut world, scenario, start) {
        failures.push(cannot(ByteRange::default(), "the customer of `given`", reason));
    }
    for (number, line) in scenario.when.iter().enumerate() {
        now = moment(line.moment, now);
        if let Err(reason) = happen(&mut world, scenario, line, number, now) {
            failures.push(cannot(line.place, "something that can happen", reason));
        }
    }
    match scenario.when.last() {
        Some(Happening { what: None, .. }) => {}
        _ => world.run_out(now.saturating_add(AFTERWARDS)),
    }
    if world.is_cut_off() {
        let reason = format!("time stood still after {} timers", world::INSTANTS_MAX);
        failures.push(cannot(ByteRange::default(), "a scenario that comes to an end", reason));
    }
    for (template, reason) in world.unwritten() {
        failures.push(cannot(ByteRange::default(), &format!("`{template}` can be written"), reason.clone()));
    }
    let outcome = expect::Outcome::new(&world, scenario, start);
    failures.extend(scenario.then.iter().filter_map(|expectation| outcome.check(expectation)));
    let timeline = timeline::lines(world.decisions(), start);
    Verdict { failures, timeline, decisions: world.into_decisions() }
}

fn cannot(place: ByteRange, expected: &str, reason: String) -> Failure {
    Failure { place, expected: expected.to_owned(), instead: vec![reason] }
}

fn moment(moment: Moment, before: Timestamp) -> Timestamp {
    match moment {
        Moment::At(at) => at,
        Moment::After(span) => before.saturating_add(span),
    }
}

fn give(world: &mut World, scenario: &Scenario, start: Timestamp) -> Result<(), String> {
    let line = calls::given(&scenario.given);
    let event = read(&line, world)?;
    world.give(start, &event, calls::consents(&scenario.given, start));
    Ok(())
}

fn read<'l>(line: &'l str, world: &World) -> Result<Event<'l>, String> {
    Event::parse(line, &world.index().definitions.country).map_err(|error| error.to_string())
}

/// One line of `when`.
fn happen(world: &mut World, scenario: &Scenario, line: &Happening, number: usize, at: Timestamp) -> Result<(), String> {
    match &line.what {
        None => world.pass_time(at),
        Some(What::Call { kind, members }) => {
            let text = calls::segment(*kind, members, &scenario.given, number, at);
            let event = read(&text, world)?;
            world.take(at, &Command::Event(event));
        }
        Some(What::CloudEvent { members }) => {
            let text = calls::cloud_event(members, number, at);
            let event = read(&text, world)?;
            world.take(at, &Command::Event(event));
        }
        Some(What::Receipt { template, receipt }) => {
            world.pass_time(at);
            let message = world.latest_message(template.as_deref()).ok_or_else(|| match template {
                Some(template) => format!("no message `{template}` has gone out that a channel could report on"),
                None => "no message has gone out that a channel could report on".to_owned(),
            })?;
            world.take(at, &Command::Receipt { message, receipt: *receipt });
        }
    }
    Ok(())
}

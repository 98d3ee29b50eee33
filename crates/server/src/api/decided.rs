//! Decisions of everybody, newest first, and which ones a list is about.

use super::decisions::{ChainItem, item};
use super::input::{bad_input, instant};
use super::page::{Page, blocking};
use crate::problem::Problem;
use crate::state::App;
use axum::Json;
use faden_engine::decision::{Decision, Kind, MessageOutcome};
use faden_model::id::Born;
use faden_model::{ProfileId, Timestamp};
use faden_runtime::SharedStore;
use faden_runtime::views::decided::{Order, behind, order, row_before, stored};
use std::collections::BTreeMap;
use utoipa::openapi::{Object, ObjectBuilder, Type};

/// Stored decisions that one call looks at; those that a filter leaves aside count.
const LOOKED_AT_MAX: usize = 5_000;

const KINDS: [&str; 15] = [
    "enrolled", "step", "message", "exposure", "goal", "ended", "audience", "trait", "consent", "emitted", "merged", "unmerged",
    "left_out", "moved", "rejected",
];
const OUTCOMES: [&str; 8] = ["sent", "suppressed", "held", "failed", "completed", "exit", "goal", "merged"];

/// [`KINDS`] in the OpenAPI document.
pub fn kinds() -> Object {
    named(&KINDS)
}

/// [`OUTCOMES`] in the OpenAPI document.
pub fn outcomes() -> Object {
    named(&OUTCOMES)
}

pub fn named(names: &[&str]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.iter().copied())).build()
}

/// Which decisions a list is about.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub kind: Option<String>,
    pub journey: Option<String>,
    pub template: Option<String>,
    pub outcome: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Wanted {
    /// # Errors
    /// When a kind, an outcome or an instant is none.
    pub fn read(asked: &super::decisions::Of) -> Result<Wanted, Problem> {
        let one_of = |name: &str, text: &Option<String>, known: &[&str]| match text {
            Some(text) if !known.contains(&text.as_str()) => {
                Err(bad_input(format!("`{name}` is `{text}`; it may be {}", known.join(", "))))
            }
            _ => Ok(text.clone()),
        };
        let at = |name: &str, text: &Option<String>| text.as_deref().map(|text| instant(name, text)).transpose();
        Ok(Wanted {
            kind: one_of("kind", &asked.kind, &KINDS)?,
            journey: asked.journey.clone(),
            template: asked.template.clone(),
            outcome: one_of("outcome", &asked.outcome, &OUTCOMES)?,
            from: at("from", &asked.from)?,
            to: at("to", &asked.to)?,
        })
    }

    pub fn matches(&self, decision: &Decision) -> bool {
        let (journey, template, outcome) = about(&decision.kind);
        let is = |asked: &Option<String>, value: &str| asked.as_deref().is_none_or(|asked| asked == value);
        self.in_time(decision.at)
            && is(&self.kind, decision.kind.name())
            && is(&self.journey, journey)
            && is(&self.template, template)
            && is(&self.outcome, outcome)
    }

    fn in_time(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at <= to)
    }
}

/// Journey, template and outcome of a decision; empty where it has none.
fn about(kind: &Kind) -> (&str, &str, &str) {
    match kind {
        Kind::Enrolled { journey, .. } | Kind::Step { journey, .. } | Kind::Goal { journey, .. } | Kind::Moved { journey, .. } => {
            (journey, "", "")
        }
        Kind::Ended { journey, outcome, .. } => (journey, "", outcome.name()),
        Kind::Message(message) => {
            let outcome = match message.outcome {
                MessageOutcome::Sent => "sent",
                MessageOutcome::Suppressed { .. } => "suppressed",
                MessageOutcome::Held { .. } => "held",
                MessageOutcome::Failed { .. } => "failed",
            };
            (&message.journey, &message.template, outcome)
        }
        _ => ("", "", ""),
    }
}

/// Where a page begins: before this decision.
pub type Start = (i64, u64, u32);

/// One page of everybody's decisions.
///
/// # Errors
/// [`Problem`] while the server has no state.
pub async fn everybody(app: &App, wanted: Wanted, limit: usize, start: Option<Start>) -> Result<Json<Page<ChainItem>>, Problem> {
    let before = start.map(|(at, under, count)| (Timestamp(at), Born { under: ProfileId(under), count }));
    let asked = wanted.clone();
    let look = app.keeper.look(move |node| {
        let is_asked = |decision: &&Decision| before.is_none_or(|before| order(decision) < before) && asked.matches(decision);
        let mut fresh: Vec<&Decision> = node.unwritten_decisions().iter().filter(is_asked).collect();
        fresh.sort_by_key(|decision| std::cmp::Reverse(order(decision)));
        let fresh: Vec<Decision> = fresh.into_iter().take(limit + 1).cloned().collect();
        (fresh, node.store().cloned())
    });
    let (fresh, store) = look.await?;
    blocking(move || {
        let mut found: BTreeMap<Order, Decision> = fresh.into_iter().map(|decision| (order(&decision), decision)).collect();
        let left = store.and_then(|store| older(&store, &wanted, limit, before, &mut found));
        let more = found.len() > limit;
        let newest: Vec<(Order, Decision)> = found.into_iter().rev().take(limit).collect();
        let next = if more { newest.last().map(|(order, _)| *order) } else { left };
        let next: Option<Start> = next.map(|(at, born)| (at.0, born.under.0, born.count));
        Page::new(newest.iter().filter_map(|(_, decision)| told(decision)).collect(), next.as_ref())
    })
    .await
}

/// Adds stored decisions until there are more than `limit`; gives how far it came, where there are older ones.
fn older(
    store: &SharedStore,
    wanted: &Wanted,
    limit: usize,
    before: Option<Order>,
    found: &mut BTreeMap<Order, Decision>,
) -> Option<Order> {
    let latest = [before.map(|(at, _)| at), wanted.to].into_iter().flatten().min();
    let mut key = latest.map(|latest| behind(store, latest)).unwrap_or_default();
    let (mut looked_at, mut oldest) = (0, None);
    while let Some(row) = row_before(store, &key) {
        if wanted.from.is_some_and(|from| row.newest < from) {
            return None;
        }
        // Decisions of one millisecond may lie in two rows.
        let enough = found.keys().rev().nth(limit).is_some_and(|(at, _)| row.newest < *at);
        if enough || (looked_at >= LOOKED_AT_MAX && oldest.is_some_and(|(at, _)| row.newest < at)) {
            return oldest;
        }
        for order in row.made.iter().filter(|order| before.is_none_or(|before| **order < before) && wanted.in_time(order.0)) {
            looked_at += 1;
            if !found.contains_key(order) {
                found.extend(stored(store, order.1).filter(|decision| wanted.matches(decision)).map(|decision| (*order, decision)));
            }
        }
        oldest = row.made.first().copied().or(oldest);
        key = row.key;
    }
    None
}

/// One decision, told.
fn told(decision: &Decision) -> Option<ChainItem> {
    let mut line = String::new();
    decision.write_json(&mut line, true);
    serde_json::from_str(&line).ok().map(|line| item(&line))
}

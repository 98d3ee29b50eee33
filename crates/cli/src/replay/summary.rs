//! What a run came to: counts by journey, template and rule, and the tables that show them.

use crate::table::Table;
use crate::terminal::{Paint, thousands};
use faden_engine::decision::{Decision, Kind, MessageOutcome};
use faden_model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Rules shown in the table.
const RULES_SHOWN: usize = 8;
const WEEK_MS: i64 = 7 * 86_400_000;
/// 1970-01-01 was a Thursday: weeks begin on Mondays four days later.
const FIRST_MONDAY_MS: i64 = 4 * 86_400_000;

/// Counts over decisions.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub decisions: u64,
    pub merges: u64,
    pub left_out: u64,
    /// Journeys by name.
    pub journeys: BTreeMap<String, Passages>,
    /// Messages by template.
    pub messages: BTreeMap<String, Outcomes>,
    /// Suppressions by rule.
    pub rules: BTreeMap<String, u64>,
    /// Refusals of the engine by code.
    pub refusals: BTreeMap<String, u64>,
    /// Messages by week, counted in weeks since 1970.
    pub weeks: BTreeMap<i64, Outcomes>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passages {
    pub entered: u64,
    pub completed: u64,
    pub exited: u64,
    pub goal: u64,
    pub ended: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub sent: u64,
    pub suppressed: u64,
    pub held: u64,
    pub failed: u64,
}

/// What is counted of a decision; texts that it does not have are empty.
#[derive(Clone, Debug, Default)]
struct Facts<'a> {
    kind: &'a str,
    at: Timestamp,
    journey: &'a str,
    template: &'a str,
    outcome: &'a str,
    rule: &'a str,
    code: &'a str,
}

/// The same from a written line.
#[derive(Deserialize)]
struct Line<'a> {
    kind: &'a str,
    at: &'a str,
    #[serde(borrow, default)]
    journey: Cow<'a, str>,
    #[serde(borrow, default)]
    template: Cow<'a, str>,
    #[serde(borrow, default)]
    outcome: Cow<'a, str>,
    #[serde(borrow, default)]
    rule: Cow<'a, str>,
    #[serde(borrow, default)]
    code: Cow<'a, str>,
}

/// How lines begin whose kind has no row of its own.
const ONLY_COUNTED: [&str; 3] = [r#"{"kind":"step""#, r#"{"kind":"audience""#, r#"{"kind":"trait""#];

impl Summary {
    pub fn add(&mut self, decision: &Decision) {
        let mut facts = Facts { kind: decision.kind.name(), at: decision.at, ..Facts::default() };
        match &decision.kind {
            Kind::Enrolled { journey, .. } | Kind::Goal { journey, .. } => facts.journey = journey,
            Kind::Ended { journey, outcome, .. } => (facts.journey, facts.outcome) = (journey, outcome.name()),
            Kind::Message(message) => {
                facts.template = &message.template;
                (facts.outcome, facts.rule) = match &message.outcome {
                    MessageOutcome::Sent => ("sent", ""),
                    MessageOutcome::Suppressed { rule } => ("suppressed", rule.as_str()),
                    MessageOutcome::Held { rule, .. } => ("held", rule.as_str()),
                    MessageOutcome::Failed { .. } => ("failed", ""),
                };
            }
            Kind::Rejected { code, .. } => facts.code = code,
            _ => {}
        }
        self.count(&facts);
    }

    /// Counts a line that [`Decision::write_json`] wrote; others are passed over.
    pub fn add_line(&mut self, line: &str) {
        // Half of all lines are of kinds that are only counted; they need not be read.
        if ONLY_COUNTED.iter().any(|start| line.starts_with(start)) {
            self.decisions += 1;
            return;
        }
        let Ok(read) = serde_json::from_str::<Line<'_>>(line) else { return };
        let at = Timestamp::parse(read.at).unwrap_or_default();
        let Line { journey, template, outcome, rule, code, .. } = &read;
        self.count(&Facts { kind: read.kind, at, journey, template, outcome, rule, code });
    }

    fn count(&mut self, facts: &Facts<'_>) {
        self.decisions += 1;
        match facts.kind {
            "enrolled" => slot(&mut self.journeys, facts.journey).entered += 1,
            "goal" => slot(&mut self.journeys, facts.journey).goal += 1,
            "ended" => {
                let passages = slot(&mut self.journeys, facts.journey);
                passages.ended += 1;
                passages.completed += u64::from(facts.outcome == "completed");
                passages.exited += u64::from(facts.outcome == "exit");
            }
            "message" => {
                slot(&mut self.messages, facts.template).count(facts.outcome);
                let week = (facts.at.0 - FIRST_MONDAY_MS).div_euclid(WEEK_MS);
                self.weeks.entry(week).or_default().count(facts.outcome);
                if facts.outcome == "suppressed" {
                    *slot(&mut self.rules, facts.rule) += 1;
                }
            }
            "merged" => self.merges += 1,
            "left_out" => self.left_out += 1,
            "rejected" => *slot(&mut self.refusals, facts.code) += 1,
            _ => {}
        }
    }

    /// Passages that have begun and not ended.
    pub fn running(&self) -> u64 {
        self.journeys.values().map(|passages| passages.entered.saturating_sub(passages.ended)).sum()
    }

    /// Rules by how often they suppressed a message, most often first.
    pub fn top_rules(&self) -> Vec<(&str, u64)> {
        let mut rules: Vec<(&str, u64)> = self.rules.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
        rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
        rules
    }

    pub fn tables(&self, paint: Paint) -> String {
        let mut journeys = Table::new(["journey", "#entered", "#completed", "#exited", "#goal", "#running"]);
        for (name, passages) in &self.journeys {
            let Passages { entered, completed, exited, goal, ended } = *passages;
            let [entered_text, completed, exited, goal] = [entered, completed, exited, goal].map(thousands);
            journeys.row([name.clone(), entered_text, completed, exited, goal, thousands(entered.saturating_sub(ended))]);
        }
        let mut messages = Table::new(["template", "#sent", "#suppressed", "#held", "#failed"]);
        for (name, outcomes) in &self.messages {
            let Outcomes { sent, suppressed, held, failed } = *outcomes;
            let [sent, suppressed, held, failed] = [sent, suppressed, held, failed].map(thousands);
            messages.row([name.clone(), sent, suppressed, held, failed]);
        }
        let mut rules = Table::new(["suppressed by", "#messages"]);
        for (rule, count) in self.top_rules().into_iter().take(RULES_SHOWN) {
            rules.row([rule.to_owned(), thousands(count)]);
        }
        let mut refusals = Table::new(["refused by the engine", "#times"]);
        for (code, count) in &self.refusals {
            refusals.row([code.clone(), thousands(*count)]);
        }
        let shown = [journeys, messages, rules, refusals].into_iter().filter(|table| !table.is_empty());
        shown.map(|table| table.render(paint)).collect::<Vec<_>>().join("\n")
    }

    pub fn to_json(&self) -> Value {
        let journeys = self.journeys.iter().map(|(name, passages)| {
            let Passages { entered, completed, exited, goal, ended } = *passages;
            let running = entered.saturating_sub(ended);
            json!({"journey": name, "entered": entered, "completed": completed, "exited": exited, "goal": goal, "running": running})
        });
        let messages = self.messages.iter().map(|(name, outcomes)| {
            let Outcomes { sent, suppressed, held, failed } = *outcomes;
            json!({"template": name, "sent": sent, "suppressed": suppressed, "held": held, "failed": failed})
        });
        let rules = self.top_rules().into_iter().map(|(rule, count)| json!({"rule": rule, "messages": count}));
        json!({
            "decisions": self.decisions, "merges": self.merges, "left_out": self.left_out, "journeys": journeys.collect::<Vec<_>>(),
            "messages": messages.collect::<Vec<_>>(), "suppressed_by": rules.collect::<Vec<_>>(), "refused": self.refusals,
        })
    }
}

impl Outcomes {
    fn count(&mut self, outcome: &str) {
        match outcome {
            "sent" => self.sent += 1,
            "suppressed" => self.suppressed += 1,
            "held" => self.held += 1,
            _ => self.failed += 1,
        }
    }
}

/// The place of a name, made if it is new; no allocation for a known one.
fn slot<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("it is there or was just put there")
}

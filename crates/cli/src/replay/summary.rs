//! What a run came to: counts by journey, template and rule, and the tables that show them.

use crate::table::Table;
use crate::terminal::{Paint, thousands};
use faden_engine::decision::{Decision, Kind, MessageOutcome, Outcome};
use serde_json::{Value, json};
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

impl Summary {
    pub fn add(&mut self, decision: &Decision) {
        self.decisions += 1;
        match &decision.kind {
            Kind::Enrolled { journey, .. } => slot(&mut self.journeys, journey).entered += 1,
            Kind::Goal { journey, .. } => slot(&mut self.journeys, journey).goal += 1,
            Kind::Ended { journey, outcome, .. } => {
                let passages = slot(&mut self.journeys, journey);
                passages.ended += 1;
                passages.completed += u64::from(*outcome == Outcome::Completed);
                passages.exited += u64::from(*outcome == Outcome::Exit);
            }
            Kind::Message(message) => {
                slot(&mut self.messages, &message.template).count(&message.outcome);
                let week = (decision.at.0 - FIRST_MONDAY_MS).div_euclid(WEEK_MS);
                self.weeks.entry(week).or_default().count(&message.outcome);
                if let MessageOutcome::Suppressed { rule } = &message.outcome {
                    *slot(&mut self.rules, rule) += 1;
                }
            }
            Kind::Merged { .. } => self.merges += 1,
            Kind::LeftOut { .. } => self.left_out += 1,
            Kind::Rejected { code, .. } => *slot(&mut self.refusals, code) += 1,
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
    fn count(&mut self, outcome: &MessageOutcome) {
        match outcome {
            MessageOutcome::Sent => self.sent += 1,
            MessageOutcome::Suppressed { .. } => self.suppressed += 1,
            MessageOutcome::Held { .. } => self.held += 1,
            MessageOutcome::Failed { .. } => self.failed += 1,
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

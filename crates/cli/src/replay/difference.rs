//! What differs between two runs over the same events: messages as a multiset.
//!
//! Two messages are the same when instant, person, journey, step, template and outcome are.

use crate::table::Table;
use crate::terminal::{Paint, thousands};
use faden_engine::decision::{Decision, Kind, MessageOutcome};
use faden_model::{Text, Timestamp};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Days shown in the table.
const DAYS_SHOWN: usize = 31;

/// Collects the messages of two runs.
#[derive(Debug, Default)]
pub struct Comparison {
    kinds: BTreeMap<Sort, u32>,
    rows: [Vec<Row>; 2],
}

/// What a message is, whoever gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Sort {
    journey: Text,
    step: Text,
    template: Text,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    at: Timestamp,
    /// The user id, else the profile.
    person: Text,
    sort: u32,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Differences {
    journeys: BTreeMap<String, Counts>,
    templates: BTreeMap<(String, &'static str), Counts>,
    days: BTreeMap<String, Counts>,
    /// Messages that only one side has, by time.
    only: Vec<Only>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    a: u64,
    b: u64,
    only_a: u64,
    only_b: u64,
}

#[derive(Debug)]
struct Only {
    side: usize,
    row: Row,
    sort: Sort,
}

impl Comparison {
    pub fn take(&mut self, side: usize, decisions: &[Decision]) {
        for decision in decisions {
            let Kind::Message(message) = &decision.kind else { continue };
            let outcome = match message.outcome {
                MessageOutcome::Sent => "sent",
                MessageOutcome::Suppressed { .. } => "suppressed",
                MessageOutcome::Held { .. } => "held",
                MessageOutcome::Failed { .. } => "failed",
            };
            let sort = Sort { journey: message.journey.clone(), step: message.step.clone(), template: message.template.clone(), outcome };
            let next = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
            let sort = *self.kinds.entry(sort).or_insert(next);
            let person = if decision.user_id.is_empty() { Text::from(decision.profile.to_string()) } else { decision.user_id.clone() };
            self.rows[side].push(Row { at: decision.at, person, sort });
        }
    }

    pub fn finish(mut self) -> Differences {
        let mut sorts = vec![Sort::default(); self.kinds.len()];
        for (sort, number) in self.kinds {
            sorts[number as usize] = sort;
        }
        self.rows.iter_mut().for_each(|rows| rows.sort_unstable());
        let mut found = Differences::default();
        let [a, b] = self.rows;
        let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
        loop {
            let order = match (a.peek(), b.peek()) {
                (Some(a), Some(b)) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return found,
            };
            let row = if order == Ordering::Greater { b.next() } else { a.next() };
            if order == Ordering::Equal {
                b.next();
            }
            if let Some(row) = row {
                let sort = sorts[row.sort as usize].clone();
                found.count(row, sort, order);
            }
        }
    }
}

impl Differences {
    fn count(&mut self, row: Row, sort: Sort, order: Ordering) {
        let day = row.at.to_string().chars().take(10).collect();
        let counts = [
            self.journeys.entry(sort.journey.to_string()).or_default(),
            self.templates.entry((sort.template.to_string(), sort.outcome)).or_default(),
            self.days.entry(day).or_default(),
        ];
        for counts in counts {
            counts.a += u64::from(order != Ordering::Greater);
            counts.b += u64::from(order != Ordering::Less);
            counts.only_a += u64::from(order == Ordering::Less);
            counts.only_b += u64::from(order == Ordering::Greater);
        }
        if order != Ordering::Equal {
            self.only.push(Only { side: usize::from(order == Ordering::Greater), row, sort });
        }
    }

    /// One JSON object per message that only one side has.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_lines(&self, out: &mut impl Write) -> io::Result<()> {
        for only in &self.only {
            writeln!(out, "{}", only.to_json())?;
        }
        out.flush()
    }

    pub fn tables(&self, names: &[String; 2], persons: usize, paint: Paint) -> String {
        let mut out = format!("  a  {}\n  b  {}\n\n", names[0], names[1]);
        if self.only.is_empty() {
            let messages: u64 = self.journeys.values().map(|counts| counts.a).sum();
            out.push_str(&format!("  no difference in {} messages\n", thousands(messages)));
            return out;
        }
        let mut journeys = Table::new(["journey", "#a", "#b", "#only a", "#only b"]);
        for (name, counts) in &self.journeys {
            let [a, b, only_a, only_b] = counts.texts();
            journeys.row([name.clone(), a, b, only_a, only_b]);
        }
        let mut templates = Table::new(["template", "outcome", "#a", "#b", "#only a", "#only b"]);
        for ((name, outcome), counts) in &self.templates {
            let [a, b, only_a, only_b] = counts.texts();
            templates.row([name.clone(), (*outcome).to_owned(), a, b, only_a, only_b]);
        }
        let differ: Vec<(&String, &Counts)> = self.days.iter().filter(|(_, counts)| counts.only_a + counts.only_b > 0).collect();
        let mut days = Table::new(["day", "#a", "#b", "#only a", "#only b"]);
        for (day, counts) in differ.iter().take(DAYS_SHOWN) {
            let [a, b, only_a, only_b] = counts.texts();
            days.row([(*day).clone(), a, b, only_a, only_b]);
        }
        out.push_str(&format!("{}\n{}\n{}", journeys.render(paint), templates.render(paint), days.render(paint)));
        if differ.len() > DAYS_SHOWN {
            out.push_str(&format!("  and {} more days; --out FILE writes every difference\n", differ.len() - DAYS_SHOWN));
        }
        out.push_str(&format!("\n{}", self.persons(persons, paint)));
        out
    }

    fn persons(&self, shown: usize, paint: Paint) -> String {
        let mut order: Vec<&Text> = Vec::new();
        let mut table = Table::new(["person", "only", "at", "template", "outcome"]);
        let mut known = std::collections::BTreeSet::new();
        for only in &self.only {
            if known.insert(&only.row.person) {
                order.push(&only.row.person);
            }
        }
        let first: BTreeMap<&Text, usize> = order.iter().take(shown).enumerate().map(|(place, person)| (*person, place)).collect();
        let mut rows: Vec<(usize, &Only)> =
            self.only.iter().filter_map(|only| first.get(&only.row.person).map(|place| (*place, only))).collect();
        rows.sort_by_key(|(place, only)| (*place, only.row.at, only.side));
        for (_, only) in rows {
            let side = ["a", "b"][only.side].to_owned();
            let Sort { template, outcome, .. } = &only.sort;
            table.row([only.row.person.to_string(), side, only.row.at.to_string(), template.to_string(), (*outcome).to_owned()]);
        }
        let mut out = table.render(paint);
        if order.len() > shown {
            out.push_str(&format!("  and {} more persons; --out FILE writes every difference\n", thousands((order.len() - shown) as u64)));
        }
        out
    }
}

impl Counts {
    fn texts(self) -> [String; 4] {
        [self.a, self.b, self.only_a, self.only_b].map(thousands)
    }
}

impl Only {
    fn to_json(&self) -> Value {
        let Sort { journey, step, template, outcome } = &self.sort;
        let only = ["a", "b"][self.side];
        json!({
            "only": only, "at": self.row.at.to_string(), "person": self.row.person.as_str(), "journey": journey.as_str(),
            "step": step.as_str(), "template": template.as_str(), "outcome": outcome,
        })
    }
}

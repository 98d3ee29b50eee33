//! `then`: what must come out of a scenario, read into plain data.

use super::{Moment, Reader};
use crate::workspace::code;
use crate::workspace::fields::{Map, first_line};
use crate::workspace::suggest::quoted;
use crate::workspace::yaml::Node;
use faden_model::diagnostic::ByteRange;
use faden_model::{Text, Timestamp, Value};

/// A line of `then`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub place: ByteRange,
    pub what: Expected,
}

/// What must be so at the end. What is `None` is not looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// `sent: none`
    NothingSent,
    Sent {
        template: Option<Text>,
        channel: Option<Text>,
        /// The address it went to.
        to: Option<Text>,
        which: Which,
    },
    Suppressed {
        template: Option<Text>,
        rule: Option<Text>,
        which: Which,
    },
    Held {
        template: Option<Text>,
        rule: Option<Text>,
        until: Option<Timestamp>,
        which: Which,
    },
    /// `enrollment: none`
    NothingEnrolled,
    /// `at` is the entry, or the end where `stands` speaks of one.
    Enrollment {
        journey: Text,
        stands: Option<Stands>,
        which: Which,
    },
    /// A goal was reached.
    Goal {
        journey: Text,
        which: Which,
    },
    Profile {
        /// The given customer when missing.
        user_id: Option<Text>,
        traits: Vec<(Text, Value)>,
        audiences: Option<Vec<Text>>,
        /// Purpose and whether a consent stands.
        consents: Vec<(Text, bool)>,
    },
}

/// Which of several, and how many of them: at least one when `count` is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    pub user_id: Option<Text>,
    /// `After` counts from the first line of `when`.
    pub at: Option<Moment>,
    pub count: Option<u32>,
}

/// Where a passage is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// `completed`, `exit` or `goal`.
    Ended(Text),
    Waiting(Text),
}

const ENDS: [(&str, &str); 3] = [("completed", "completed"), ("exit", "exit"), ("goal", "goal")];
const KEYS: [&str; 6] = ["sent", "suppressed", "held", "enrollment", "goal", "profile"];

impl<'a> Reader<'a> {
    pub(super) fn expectation(&self, node: &'a Node) -> Option<Expectation> {
        let sheet = self.sheet;
        let map = sheet.map(node, "a line of `then`", &KEYS)?;
        let written: Vec<&str> = KEYS.into_iter().filter(|key| map.has(key)).collect();
        let [key] = written.as_slice() else {
            let help = format!("write one of {}; what must hold as well is a line of its own", quoted(&KEYS));
            sheet.error(first_line(sheet, node.place), code::CONFLICTING_KEYS, "a line of `then` says one thing", help);
            return None;
        };
        let node = map.get(key)?;
        let what = match *key {
            "sent" => self.sent(node),
            "suppressed" => self.suppressed(node),
            "held" => self.held(node),
            "enrollment" => self.enrollment(node),
            "goal" => self.goal(node),
            _ => self.profile(node),
        };
        Some(Expectation { place: first_line(sheet, node.place), what: what? })
    }

    fn sent(&self, node: &'a Node) -> Option<Expected> {
        let sheet = self.sheet;
        if node.scalar().is_some() {
            return sheet.one_of(node, "sent", &[("none", ())]).map(|()| Expected::NothingSent);
        }
        let map = sheet.map(node, "`sent`", &["template", "channel", "to", "user_id", "at", "after", "count"])?;
        Some(Expected::Sent {
            template: map.get("template").and_then(|node| self.template(node)),
            channel: map.get("channel").and_then(|node| self.channel(node)),
            to: map.get("to").and_then(|node| sheet.text(node, "to")),
            which: self.which(&map),
        })
    }

    fn suppressed(&self, node: &'a Node) -> Option<Expected> {
        let map = self.sheet.map(node, "`suppressed`", &["template", "rule", "user_id", "at", "after", "count"])?;
        Some(Expected::Suppressed {
            template: map.get("template").and_then(|node| self.template(node)),
            rule: map.get("rule").and_then(|node| self.sheet.text(node, "rule")),
            which: self.which(&map),
        })
    }

    fn held(&self, node: &'a Node) -> Option<Expected> {
        let map = self.sheet.map(node, "`held`", &["template", "rule", "until", "user_id", "at", "after", "count"])?;
        Some(Expected::Held {
            template: map.get("template").and_then(|node| self.template(node)),
            rule: map.get("rule").and_then(|node| self.sheet.text(node, "rule")),
            until: map.get("until").and_then(|node| self.instant(node, "until")),
            which: self.which(&map),
        })
    }

    fn enrollment(&self, node: &'a Node) -> Option<Expected> {
        let sheet = self.sheet;
        if node.scalar().is_some() {
            return sheet.one_of(node, "enrollment", &[("none", ())]).map(|()| Expected::NothingEnrolled);
        }
        let map = sheet.map(node, "`enrollment`", &["journey", "ended", "waiting", "user_id", "at", "after", "count"])?;
        let journey = map.require("journey", "journey: cart_recovery").and_then(|node| self.journey(node))?;
        let stands = match (map.get("ended"), map.get("waiting")) {
            (Some(node), None) => Some(Stands::Ended(Text::new(sheet.one_of(node, "ended", &ENDS)?))),
            (None, Some(node)) => Some(Stands::Waiting(self.step(node, &journey)?)),
            (Some(_), Some(node)) => {
                let help = "keep one of the two";
                sheet.error(node.place, code::CONFLICTING_KEYS, "a passage that ended waits nowhere", help);
                return None;
            }
            (None, None) => None,
        };
        Some(Expected::Enrollment { journey, stands, which: self.which(&map) })
    }

    fn goal(&self, node: &'a Node) -> Option<Expected> {
        let map = self.sheet.map(node, "`goal`", &["journey", "user_id", "at", "after", "count"])?;
        let journey = map.require("journey", "journey: cart_recovery").and_then(|node| self.journey(node))?;
        Some(Expected::Goal { journey, which: self.which(&map) })
    }

    fn profile(&self, node: &'a Node) -> Option<Expected> {
        let sheet = self.sheet;
        let map = sheet.map(node, "`profile`", &["user_id", "traits", "audiences", "consent"])?;
        let traits = map.get("traits").map_or(Vec::new(), |node| self.values(node, "`traits`"));
        let audiences = map.get("audiences").map(|node| {
            let named = sheet.texts(node, "audiences").unwrap_or_default();
            named.into_iter().filter(|(name, node)| self.audience(node, name)).map(|(name, _)| name).collect()
        });
        let mut consents = Vec::new();
        for (key, node) in map.get("consent").and_then(|node| sheet.open_map(node, "`consent`")).map_or(&[][..], |map| map.fields()) {
            consents.extend(sheet.boolean(node, &key.name).map(|stands| (Text::new(&key.name), stands)));
        }
        let user_id = map.get("user_id").and_then(|node| sheet.text(node, "user_id"));
        Some(Expected::Profile { user_id, traits, audiences, consents })
    }

    fn which(&self, map: &Map<'a>) -> Which {
        let sheet = self.sheet;
        let at = match (map.get("at"), map.get("after")) {
            (Some(_), Some(node)) => {
                let help = "keep one of the two";
                sheet.error(node.place, code::CONFLICTING_KEYS, "`at` and `after` say the same thing twice", help);
                None
            }
            (Some(node), None) => self.instant(node, "at").map(Moment::At),
            (None, Some(node)) => sheet.span(node, "after").map(Moment::After),
            (None, None) => None,
        };
        Which { user_id: map.get("user_id").and_then(|node| sheet.text(node, "user_id")), at, count: self.count(map) }
    }
}

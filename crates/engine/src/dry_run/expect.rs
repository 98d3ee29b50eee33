//! Expectations against what happened, and the nearest thing where they do not hold.

use super::passages::{Passage, passages};
use super::timeline::{describe_message, gap, since};
use super::{Failure, World, moment};
use crate::decision::{Decision, Kind, Message, MessageOutcome};
use crate::profile::Profile;
use crate::view::View;
use crate::workspace::scenario::{Expectation, Expected, Given, Scenario, Stands, Which};
use faden_model::condition::{Attribute, Root, Scope};
use faden_model::{EnrollmentId, Identifier, IdentifierKind, Text, Timestamp, Value, identifier};
use std::collections::BTreeMap;

/// Most things that happened instead in one failure.
const SHOWN_MAX: usize = 5;

/// Everything that expectations ask about.
pub struct Outcome<'a> {
    world: &'a World,
    given: &'a Given,
    start: Timestamp,
    passages: BTreeMap<EnrollmentId, Passage>,
}

/// Something that happened, and why it is not what was expected.
struct Candidate {
    text: String,
    misses: Vec<String>,
}

impl<'a> Outcome<'a> {
    pub fn new(world: &'a World, scenario: &'a Scenario, start: Timestamp) -> Outcome<'a> {
        Outcome { world, given: &scenario.given, start, passages: passages(world) }
    }

    /// `None` when the expectation holds.
    pub fn check(&self, expectation: &Expectation) -> Option<Failure> {
        let none = Which { count: Some(0), ..Which::default() };
        let (what, which, candidates) = match &expectation.what {
            Expected::NothingSent => ("a message sent".to_owned(), &none, self.messages(&none, &|message| miss_sent(message, [&None; 3]))),
            Expected::Sent { template, channel, to, which } => {
                let what = message(template) + &part(" sent on ", channel, " sent") + &part(" to ", to, "");
                (what, which, self.messages(which, &|message| miss_sent(message, [template, channel, to])))
            }
            Expected::Suppressed { template, rule, which } => {
                let what = message(template) + " suppressed" + &part(" by ", rule, "");
                (what, which, self.messages(which, &|message| miss_suppressed(message, template, rule)))
            }
            Expected::Held { template, rule, until, which } => {
                let what = message(template) + " held" + &part(" until ", until, "") + &part(" by ", rule, "");
                (what, which, self.messages(which, &|message| miss_held(message, template, rule, *until)))
            }
            Expected::NothingEnrolled => ("a passage through a journey".to_owned(), &none, self.enrollments(&none, None, None)),
            Expected::Enrollment { journey, stands, which } => {
                let what = match stands {
                    Some(Stands::Ended(outcome)) => format!("a passage through {journey} that ended: {outcome}"),
                    Some(Stands::Waiting(step)) => format!("a passage through {journey} that waits at {step}"),
                    None => format!("a passage through {journey}"),
                };
                (what, which, self.enrollments(which, Some(journey), stands.as_ref()))
            }
            Expected::Goal { journey, which } => (format!("the goal of {journey} reached"), which, self.goals(which, journey)),
            Expected::Profile { user_id, traits, audiences, consents } => {
                let (expected, instead) = self.profile(user_id.as_ref(), traits, audiences.as_deref(), consents)?;
                return Some(Failure { place: expectation.place, expected, instead });
            }
        };
        let instead = judge(which.count, candidates)?;
        Some(Failure { place: expectation.place, expected: self.describe(what, which), instead })
    }

    fn describe(&self, what: String, which: &Which) -> String {
        let at = which.at.map(|at| moment(at, self.start)).map(|at| format!(" at {}", self.at(at))).unwrap_or_default();
        let who = part(" for user_id ", &which.user_id, "");
        let count = match which.count {
            None => String::new(),
            Some(0) => return format!("not once {what}{at}{who}"),
            Some(1) => ", once".to_owned(),
            Some(count) => format!(", {count} times"),
        };
        format!("{what}{at}{who}{count}")
    }

    fn at(&self, at: Timestamp) -> String {
        format!("{at} ({})", since(self.start, at))
    }

    /// Whether it is the right person and instant.
    fn miss_which(&self, which: &Which, user_id: &str, at: Timestamp) -> Vec<String> {
        let mut misses = Vec::new();
        if let Some(wanted) = which.at.map(|at| moment(at, self.start)).filter(|wanted| *wanted != at) {
            misses.push(if at > wanted { format!("{} too late", gap(wanted, at)) } else { format!("{} too early", gap(at, wanted)) });
        }
        if which.user_id.as_ref().is_some_and(|wanted| wanted != user_id) {
            misses.push(format!("for user_id {user_id}"));
        }
        misses
    }

    fn candidate(&self, decision: &Decision, which: &Which, what: String, mut misses: Vec<String>) -> Candidate {
        misses.extend(self.miss_which(which, &decision.user_id, decision.at));
        Candidate { text: format!("{what} at {}", self.at(decision.at)), misses }
    }

    fn messages(&self, which: &Which, misses: &dyn Fn(&Message) -> Vec<String>) -> Vec<Candidate> {
        let messages = self.world.decisions().iter().filter_map(|decision| match &decision.kind {
            Kind::Message(message) => Some(self.candidate(decision, which, describe_message(message), misses(message))),
            _ => None,
        });
        messages.collect()
    }

    fn goals(&self, which: &Which, wanted: &Text) -> Vec<Candidate> {
        let goals = self.world.decisions().iter().filter_map(|decision| match &decision.kind {
            Kind::Goal { journey, .. } => {
                let misses = if journey == wanted { Vec::new() } else { vec!["another journey".to_owned()] };
                Some(self.candidate(decision, which, format!("the goal of {journey} was reached"), misses))
            }
            _ => None,
        });
        goals.collect()
    }

    fn enrollments(&self, which: &Which, journey: Option<&Text>, stands: Option<&Stands>) -> Vec<Candidate> {
        let candidate = |passage: &Passage| {
            let mut misses = Vec::new();
            if journey.is_some_and(|journey| *journey != passage.journey) {
                misses.push("another journey".to_owned());
            }
            let fits = match stands {
                None => true,
                Some(Stands::Ended(outcome)) => passage.ended.is_some_and(|(_, ended)| outcome == ended),
                Some(Stands::Waiting(step)) => passage.waiting.contains(step),
            };
            if !fits {
                misses.push("stands elsewhere".to_owned());
            }
            let ended_at = passage.ended.map(|(at, _)| at).filter(|_| matches!(stands, Some(Stands::Ended(_))));
            misses.extend(self.miss_which(which, &passage.user_id, ended_at.unwrap_or(passage.entered_at)));
            let now = match passage.ended {
                Some((at, outcome)) => format!("ended at {}: {outcome}", self.at(at)),
                None => format!("waits at {}", passage.waiting.join(" and ")),
            };
            Candidate { text: format!("{} entered at {}, {now}", passage.journey, self.at(passage.entered_at)), misses }
        };
        self.passages.values().map(candidate).collect()
    }

    /// What the profile should be, and what it is; `None` when that is the same.
    fn profile(
        &self,
        user_id: Option<&Text>,
        traits: &[(Text, Value)],
        audiences: Option<&[Text]>,
        consents: &[(Text, bool)],
    ) -> Option<(String, Vec<String>)> {
        let Some(profile) = self.person(user_id) else {
            return Some(("a profile".to_owned(), vec!["there is no such person".to_owned()]));
        };
        let view = View { index: self.world.index(), profile, event: None, enrollment: None, now: self.world.clock() };
        let (mut expected, mut instead) = (Vec::new(), Vec::new());
        let mut hold = |what: &str, wanted: String, found: String| {
            if wanted != found {
                expected.push(format!("{what} {wanted}"));
                instead.push(format!("{what} is {found}"));
            }
        };
        for (name, wanted) in traits {
            let found = view.trait_value(name);
            if *wanted != found {
                hold(&format!("trait {name}"), wanted.to_string(), found.to_string());
            }
        }
        if let Some(wanted) = audiences {
            let names = profile.memberships.iter().filter_map(|membership| self.world.index().audience_name(membership.key));
            hold("audiences", list(wanted.iter().map(Text::as_str)), list(names));
        }
        for (purpose, wanted) in consents {
            let path = [Text::const_new("consent"), purpose.clone()].into_iter().collect();
            let found = view.attribute(&Attribute { root: Root::Profile, path });
            hold(&format!("consent for {purpose}"), wanted.to_string(), found.to_string());
        }
        if expected.is_empty() { None } else { Some((expected.join(", "), instead)) }
    }

    /// The person of this user id, else the given customer.
    fn person(&self, user_id: Option<&Text>) -> Option<&'a Profile> {
        let somebody = (IdentifierKind::AnonymousId, Text::const_new(super::calls::SOMEBODY));
        let (kind, value) = match user_id {
            Some(user_id) => (IdentifierKind::UserId, user_id.clone()),
            None => self.given.identifiers.first().cloned().unwrap_or(somebody),
        };
        let value = identifier::normalise(&kind, &value, &self.world.index().definitions.country)?;
        self.world.find(&Identifier { kind: kind.clone(), value })
    }
}

/// What happened instead; `None` when as many fit as must.
fn judge(count: Option<u32>, mut candidates: Vec<Candidate>) -> Option<Vec<String>> {
    let fits = candidates.iter().filter(|candidate| candidate.misses.is_empty()).count();
    let enough = count.map_or(fits >= 1, |count| usize::try_from(count).is_ok_and(|count| count == fits));
    if enough {
        return None;
    }
    if fits > 0 {
        candidates.retain(|candidate| candidate.misses.is_empty());
    }
    candidates.sort_by_key(|candidate| candidate.misses.len());
    let mut instead = Vec::new();
    for candidate in candidates.iter().take(SHOWN_MAX) {
        let misses = candidate.misses.join(", ");
        instead.push(if misses.is_empty() { candidate.text.clone() } else { format!("{} ({misses})", candidate.text) });
    }
    match candidates.len() {
        0 => instead.push("nothing of the kind".to_owned()),
        many if many > SHOWN_MAX => instead.push(format!("and {} more", many - SHOWN_MAX)),
        _ => {}
    }
    Some(instead)
}

fn message(template: &Option<Text>) -> String {
    template.as_ref().map_or("a message".to_owned(), |template| format!("`{template}`"))
}

fn part(before: &str, value: &Option<impl std::fmt::Display>, otherwise: &str) -> String {
    value.as_ref().map_or(otherwise.to_owned(), |value| format!("{before}{value}"))
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn differs(wanted: &Option<Text>, found: &str) -> bool {
    wanted.as_ref().is_some_and(|wanted| wanted != found)
}

fn miss_template(message: &Message, wanted: &Option<Text>) -> Vec<String> {
    if differs(wanted, &message.template) { vec!["another template".to_owned()] } else { Vec::new() }
}

fn miss_sent(message: &Message, [template, channel, to]: [&Option<Text>; 3]) -> Vec<String> {
    let mut misses = miss_template(message, template);
    if message.outcome != MessageOutcome::Sent {
        misses.push("not sent".to_owned());
        return misses;
    }
    if differs(channel, &message.channel) {
        misses.push("another channel".to_owned());
    }
    if differs(to, &message.address) {
        misses.push("another address".to_owned());
    }
    misses
}

fn miss_suppressed(message: &Message, template: &Option<Text>, wanted: &Option<Text>) -> Vec<String> {
    let mut misses = miss_template(message, template);
    match &message.outcome {
        MessageOutcome::Suppressed { rule } if differs(wanted, rule) => misses.push("another rule".to_owned()),
        MessageOutcome::Suppressed { .. } => {}
        _ => misses.push("not suppressed".to_owned()),
    }
    misses
}

fn miss_held(message: &Message, template: &Option<Text>, wanted: &Option<Text>, wanted_until: Option<Timestamp>) -> Vec<String> {
    let mut misses = miss_template(message, template);
    match &message.outcome {
        MessageOutcome::Held { until, rule } => {
            if differs(wanted, rule) {
                misses.push("another rule".to_owned());
            }
            if wanted_until.is_some_and(|wanted| wanted != *until) {
                misses.push("another end".to_owned());
            }
        }
        _ => misses.push("not held".to_owned()),
    }
    misses
}

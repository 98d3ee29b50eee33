//! One workspace in virtual time: identity stream, one partition, and channels that write and answer.

use crate::content::{self, Links, Passage};
use crate::decision::{Decision, Kind, MessageOutcome};
use crate::definitions::Index;
use crate::front::{Front, NoPast};
use crate::identity::Identity;
use crate::policy::ConsentEntry;
use crate::profile::Profile;
use crate::shard::{NothingCold, Shard};
use crate::workspace::scenario::Answer;
use faden_model::{Command, Event, Identifier, MessageId, ProfileId, Receipt, Text, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Instants at which something is due, in one run; a scenario that needs more never ends.
pub const INSTANTS_MAX: u32 = 100_000;

/// Everything that a scenario needs to happen in.
pub struct World {
    front: Front,
    shard: Shard,
    decisions: Vec<Decision>,
    /// Decisions up to here were looked at for messages that a channel answers.
    answered: usize,
    answers: Vec<(Text, Answer)>,
    otherwise: Answer,
    /// Messages that went out and whose template fails, as texts.
    unwritten: Vec<(Text, String)>,
    instants_left: u32,
}

/// Why a message that goes out cannot be written, with its template; `None` when it can.
fn unwritten(shard: &Shard, decision: &Decision) -> Option<(Text, String)> {
    let Kind::Message(message) = &decision.kind else { return None };
    if message.outcome != MessageOutcome::Sent {
        return None;
    }
    let profile = shard.profile(decision.profile)?;
    let index = &shard.index;
    // While a receipt is awaited the passage is there.
    let enrollment = profile.enrollments.iter().find(|enrollment| enrollment.id == message.enrollment);
    let passage = enrollment.map(|enrollment| Passage::of(index, enrollment));
    let links = Links {
        unsubscribe: "https://example.com/u",
        preferences: "https://example.com/p",
        view: "https://example.com/v",
        confirm: "https://example.com/c",
        token: "token",
    };
    let facts = content::variables(index, profile, passage.as_ref(), &links, decision.at);
    let written = content::render(&index.definitions, &message.template, &message.channel, profile.language(), &facts);
    written.err().map(|error| (message.template.clone(), error.to_string()))
}

impl World {
    /// Nobody is known, and it is just before `start`.
    pub fn new(index: Arc<Index>, start: Timestamp) -> World {
        let front = Front::new(Identity::new([0; 16]), false);
        // What is due at the very start happens before the first line, as before any other.
        let shard = Shard::new(index, Timestamp(start.0.saturating_sub(1)));
        World {
            front,
            shard,
            decisions: Vec::new(),
            answered: 0,
            answers: Vec::new(),
            otherwise: Answer::Delivers,
            unwritten: Vec::new(),
            instants_left: INSTANTS_MAX,
        }
    }

    /// How channels answer from now on; without this nothing waits for an answer. `by_hand`: receipts come from
    /// outside, and a channel of which nothing is said is silent.
    pub fn answer(&mut self, answers: &[(Text, Answer)], by_hand: bool) {
        self.answers = answers.to_vec();
        self.otherwise = if by_hand { Answer::Silent } else { Answer::Delivers };
        self.shard.output.awaits_receipts = true;
    }

    /// New definitions hold from now on.
    pub fn publish(&mut self, index: Arc<Index>) {
        self.shard.publish(index);
    }

    /// What is known of somebody before anything happens.
    pub(super) fn give(&mut self, at: Timestamp, event: &Event<'_>, consents: Vec<ConsentEntry>) {
        let command = Command::Event(event.clone());
        let mut deliveries = Vec::new();
        let rules = &self.shard.index.definitions.identity;
        let ahead = self.front.look_ahead(std::iter::once(&command));
        self.front.route(rules, at, &command, ahead.of(0), &mut NoPast, &mut deliveries);
        self.decisions.append(&mut self.front.decisions);
        for delivery in deliveries {
            self.shard.given(delivery, consents.clone(), &mut NothingCold);
        }
        self.shard.output.decisions.clear();
    }

    /// Lets time pass up to `at`, then does what the command says.
    pub fn take(&mut self, at: Timestamp, command: &Command<'_>) {
        self.pass_time(at);
        self.apply(at, command);
    }

    /// Lets everything happen that is due up to and including `until`.
    pub fn pass_time(&mut self, until: Timestamp) {
        self.run_out(until);
        if !self.is_cut_off() {
            self.apply(until, &Command::Tick);
        }
    }

    /// As [`World::pass_time`], but the clock stays where nothing is due any more.
    pub fn run_out(&mut self, until: Timestamp) {
        while let Some(due) = self.shard.next_due().filter(|due| *due <= until) {
            if self.instants_left == 0 {
                return;
            }
            self.instants_left -= 1;
            self.apply(due, &Command::Tick);
        }
    }

    pub fn is_cut_off(&self) -> bool {
        self.instants_left == 0
    }

    fn apply(&mut self, at: Timestamp, command: &Command<'_>) {
        self.route(at, command);
        while let Some((message, receipt)) = self.next_answer() {
            self.route(at, &Command::Receipt { message, receipt });
        }
    }

    fn route(&mut self, at: Timestamp, command: &Command<'_>) {
        let mut deliveries = Vec::new();
        let index = self.shard.index.clone();
        let ahead = self.front.look_ahead(std::iter::once(command));
        self.front.route(&index.definitions.identity, at, command, ahead.of(0), &mut NoPast, &mut deliveries);
        self.decisions.append(&mut self.front.decisions);
        for delivery in deliveries {
            self.shard.apply(delivery, &mut NothingCold);
            while let Some(state) = self.shard.outgoing.pop() {
                self.shard.apply(state, &mut NothingCold);
            }
        }
        if self.shard.output.awaits_receipts {
            self.unwritten.extend(self.shard.output.decisions.iter().filter_map(|decision| unwritten(&self.shard, decision)));
        }
        self.decisions.append(&mut self.shard.output.decisions);
    }

    /// The answer of a channel to the next message that has gone out since.
    fn next_answer(&mut self) -> Option<(MessageId, Receipt)> {
        while let Some(decision) = self.decisions.get(self.answered) {
            self.answered += 1;
            let Kind::Message(message) = &decision.kind else { continue };
            if message.outcome != MessageOutcome::Sent || !self.shard.output.awaits_receipts {
                continue;
            }
            let answer = self.answers.iter().find(|(channel, _)| *channel == message.channel).map_or(self.otherwise, |(_, answer)| *answer);
            match answer {
                Answer::Delivers => return Some((message.id, Receipt::Delivered)),
                Answer::Fails => return Some((message.id, Receipt::Failed)),
                Answer::Silent => {}
            }
        }
        None
    }

    /// The latest message that went out, of this template or of any.
    pub(super) fn latest_message(&self, template: Option<&str>) -> Option<MessageId> {
        self.decisions.iter().rev().find_map(|decision| match &decision.kind {
            Kind::Message(message)
                if message.outcome == MessageOutcome::Sent && template.is_none_or(|wanted| message.template == wanted) =>
            {
                Some(message.id)
            }
            _ => None,
        })
    }

    /// The messages that went out and cannot be written: template and reason, each once.
    pub(super) fn unwritten(&self) -> BTreeSet<&(Text, String)> {
        self.unwritten.iter().collect()
    }

    /// Everything that was decided so far, in its order.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    pub(super) fn into_decisions(self) -> Vec<Decision> {
        self.decisions
    }

    pub fn index(&self) -> &Arc<Index> {
        &self.shard.index
    }

    pub fn clock(&self) -> Timestamp {
        self.shard.clock()
    }

    /// Whom an identifier points to.
    pub fn find(&self, identifier: &Identifier<'_>) -> Option<&Profile> {
        self.shard.profile(self.front.identity.find(identifier)?)
    }

    /// Every live profile, in the order of their ids.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.shard.warm_ids().into_iter().filter_map(|id: ProfileId| self.shard.profile(id))
    }
}

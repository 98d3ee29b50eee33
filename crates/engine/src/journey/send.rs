//! The one way out: a message asks the gate, and what the gate says is written down.

use super::{Enrollment, JourneyVersion, Send, StepKind, Token, TokenState};
use crate::audience::key_of;
use crate::decision::{Kind, Message, MessageOutcome};
use crate::definitions::Index;
use crate::policy::{Address, Check, ConsentEntry, Contact, Request, SentEntry, Verdict, gate};
use crate::profile::{Profile, push_tight};
use crate::turn::Turn;
use faden_model::{EnrollmentId, MessageId, Receipt, Text, Timestamp};
use smallvec::SmallVec;
use std::sync::Arc;

/// A message of this instant, before messages that compete for a cap are put in order.
#[derive(Clone, Debug)]
pub(crate) struct PendingSend {
    pub enrollment: EnrollmentId,
    pub version: Arc<JourneyVersion>,
    pub step: u16,
    pub priority: i32,
    /// A bit for each of the step's channels that was tried.
    pub tried: u16,
    /// When the message was due first.
    pub since: Timestamp,
}

impl Turn<'_> {
    pub(crate) fn want_to_send(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, step: u16, tried: u16, since: Timestamp) {
        self.place(id, step, TokenState::Active);
        self.sends.push(PendingSend { enrollment: id, version: version.clone(), step, priority: version.priority, tried, since });
    }

    /// Asks the gate and follows its answer.
    pub(crate) fn send(&mut self, pending: PendingSend) {
        let version = pending.version.clone();
        let Some(StepKind::Send(send)) = version.steps.get(usize::from(pending.step)).map(|step| &step.kind) else { return };
        // An earlier message of this instant may have led to the end of this passage.
        let active = |enrollment: &super::Enrollment| {
            enrollment.tokens.iter().any(|token| token.step == pending.step && token.state == TokenState::Active)
        };
        if !self.enrollment(pending.enrollment).is_some_and(active) {
            return;
        }
        let id = MessageId(self.profile.count());
        let asked = self.ask_the_gate(&pending, send);
        let (went, target) = match &asked.outcome {
            MessageOutcome::Sent => ("sent", send.sent),
            MessageOutcome::Suppressed { .. } if pending.tried != 0 => ("failed", send.failed),
            MessageOutcome::Suppressed { .. } => ("suppressed", send.suppressed),
            MessageOutcome::Held { .. } => ("held", send.sent),
            MessageOutcome::Failed { .. } => ("failed", send.failed),
        };
        let outcome = asked.outcome.clone();
        let (journey, step) = (version.name.clone(), version.step_name(pending.step));
        let (template, purpose) = (send.template.clone(), send.purpose.clone().unwrap_or_else(|| version.purpose.clone()));
        let channel = asked.channel.clone();
        self.decide(Kind::Message(Box::new(Message {
            id,
            enrollment: pending.enrollment,
            journey,
            step,
            template,
            purpose: purpose.clone(),
            channel: asked.channel,
            address: asked.address,
            outcome: asked.outcome,
            checks: asked.checks,
        })));
        match outcome {
            MessageOutcome::Held { until, .. } => {
                let order = self.profile.order();
                let (since, tried) = (pending.since, pending.tried);
                self.become_state(pending.enrollment, pending.step, TokenState::Held { due: until, order, since, tried });
            }
            MessageOutcome::Sent => {
                self.remember_sent(&pending, purpose, &channel);
                if self.out.awaits_receipts {
                    let tried = pending.tried | bit_of(send, &channel);
                    let due = send.fallback_after.map(|after| (self.at + after, self.profile.order()));
                    self.become_state(pending.enrollment, pending.step, TokenState::Receipt { message: id, tried, due });
                } else {
                    self.go_on(pending.enrollment, pending.step, Text::const_new(went), target);
                }
            }
            MessageOutcome::Suppressed { .. } | MessageOutcome::Failed { .. } => {
                self.go_on(pending.enrollment, pending.step, Text::const_new(went), target);
            }
        }
    }

    fn ask_the_gate(&self, pending: &PendingSend, send: &Send) -> Asked {
        let open: SmallVec<[Text; 4]> =
            send.channels.iter().enumerate().filter(|(at, _)| pending.tried & bit(*at) == 0).map(|(_, channel)| channel.clone()).collect();
        let request = Request {
            at: self.at,
            due: pending.since,
            purpose: send.purpose.as_deref().unwrap_or(&pending.version.purpose),
            channels: &open,
            priority: pending.version.priority,
            journey: pending.version.key,
        };
        ask(self.index, self.profile, &request, self.out.explain)
    }

    fn remember_sent(&mut self, pending: &PendingSend, purpose: Text, channel: &Text) {
        let Some(strand) = self.enrollment(pending.enrollment).map(|enrollment| enrollment.strand) else { return };
        let longest = self.index.definitions.policies.window_max();
        let entry = SentEntry { at: self.at, purpose, channel: channel.clone(), journey: pending.version.key, priority: pending.priority };
        let now = self.at;
        let sent = &mut self.profile.strand_mut(strand).sent;
        if !sent.is_empty() {
            crate::policy::prune(sent, now, longest);
        }
        if longest.0 > 0 {
            push_tight(sent, entry);
        }
    }

    fn become_state(&mut self, id: EnrollmentId, step: u16, state: TokenState) {
        if let Some(token) = self.enrollment_mut(id).and_then(|enrollment| enrollment.tokens.iter_mut().find(|token| token.step == step)) {
            token.state = state;
        }
    }

    /// A message failed, or the time for its receipt has passed: the next channel, or the `failed` way.
    pub(crate) fn next_channel(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, step: u16, tried: u16) {
        let Some(StepKind::Send(send)) = version.steps.get(usize::from(step)).map(|step| &step.kind) else { return };
        let left = (0..send.channels.len()).any(|at| tried & bit(at) == 0);
        if !left {
            return self.go_on(id, step, Text::const_new("failed"), send.failed);
        }
        if let Some(enrollment) = self.enrollment_mut(id) {
            enrollment.tokens.retain(|token| token.step != step);
        }
        self.want_to_send(id, version, step, tried, self.at);
    }

    /// What a channel says about a message of this profile.
    pub(crate) fn receipt(mut self, message: MessageId, receipt: Receipt) {
        let waiting = self.profile.enrollments.iter().find_map(|enrollment| {
            enrollment.tokens.iter().find_map(|token| match token.state {
                TokenState::Receipt { message: known, tried, .. } if known == message => {
                    Some((enrollment.id, enrollment.journey, enrollment.version, token.step, tried))
                }
                _ => None,
            })
        });
        let Some((id, journey, number, step, tried)) = waiting else { return };
        let Some(version) = self.index.version(journey, number).cloned() else { return };
        let Some(StepKind::Send(send)) = version.steps.get(usize::from(step)).map(|step| &step.kind) else { return };
        match receipt {
            // With a fallback only what has arrived counts; without one, what the provider took.
            Receipt::Sent if send.fallback_after.is_some() => {}
            Receipt::Sent | Receipt::Delivered | Receipt::Read => self.go_on(id, step, Text::const_new("sent"), send.sent),
            Receipt::Failed => self.next_channel(id, &version, step, tried),
        }
        self.settle();
    }
}

/// May a message still go out, now that a worker holds it in his hands?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clearance {
    Go,
    /// Quiet hours began meanwhile.
    Hold {
        until: Timestamp,
    },
    Stop {
        rule: Text,
    },
}

/// Asks the gate about one message that was decided earlier: days may lie between. Caps are left out, as
/// the message itself counts there already. A passage that has ended takes its message along: nobody is
/// reminded of what he has bought meanwhile.
pub fn clearance(index: &Index, profile: &Profile, message: &Message, at: Timestamp) -> Clearance {
    let waits = |enrollment: &Enrollment| {
        let waiting = |token: &Token| matches!(token.state, TokenState::Receipt { message: known, .. } if known == message.id);
        enrollment.id == message.enrollment && enrollment.tokens.iter().any(waiting)
    };
    if !profile.enrollments.iter().any(waits) {
        return Clearance::Stop { rule: Text::const_new("journey.left") };
    }
    let channels = [message.channel.clone()];
    let addresses: Vec<Address<'_>> =
        profile.address(&message.channel).map(|value| Address { channel: &message.channel, value }).into_iter().collect();
    let consents: Vec<ConsentEntry> = profile.strands.iter().flat_map(|strand| strand.consents.iter().cloned()).collect();
    let contact = Contact {
        country: profile.country(),
        brand: profile.brand(),
        time_zone: profile.time_zone(),
        contact_times: profile.contact_times(),
        addresses: &addresses,
        preferred_channel: None,
        consents: &consents,
        sent: &[],
        suppressed: &[],
    };
    let journey = key_of(&message.journey);
    let request = Request { at, due: at, purpose: &message.purpose, channels: &channels, priority: 0, journey };
    match gate(&index.definitions.policies, &contact, &request, None) {
        Verdict::Send { address, .. } if address == message.address => Clearance::Go,
        Verdict::Send { .. } => Clearance::Stop { rule: Text::const_new("address.changed") },
        Verdict::Hold { until, .. } => Clearance::Hold { until },
        Verdict::Suppress { rule } => Clearance::Stop { rule: rule.code },
    }
}

/// What the gate says about a message to this profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Empty where no channel is open.
    pub channel: Text,
    pub address: Text,
    pub outcome: MessageOutcome,
    /// Every rule that was asked, where reasons are wanted.
    pub checks: Vec<Check>,
}

/// Asks the gate with everything that is known of the profile.
pub fn ask(index: &Index, profile: &Profile, request: &Request<'_>, reasons: bool) -> Asked {
    let addresses: SmallVec<[Address<'_>; 4]> = request
        .channels
        .iter()
        .filter_map(|channel| profile.address(channel).map(|value| Address { channel: channel.as_str(), value }))
        .collect();
    // One strand is the rule; several are read side by side.
    let (mut consents, mut sent) = (Vec::new(), Vec::new());
    let (consents, sent): (&[_], &[_]) = match profile.strands.as_slice() {
        [only] => (&only.consents, &only.sent),
        strands => {
            for strand in strands {
                consents.extend_from_slice(&strand.consents);
                sent.extend_from_slice(&strand.sent);
            }
            (&consents, &sent)
        }
    };
    let contact = Contact {
        country: profile.country(),
        brand: profile.brand(),
        time_zone: profile.time_zone(),
        contact_times: profile.contact_times(),
        addresses: &addresses,
        preferred_channel: profile.preferred_channel(),
        consents,
        sent,
        suppressed: &[],
    };
    let mut checks = Vec::new();
    let verdict = gate(&index.definitions.policies, &contact, request, reasons.then_some(&mut checks));
    let (channel, address, outcome) = match verdict {
        Verdict::Send { channel, address } => (channel.clone(), Text::new(address), MessageOutcome::Sent),
        Verdict::Hold { until, rule } => (Text::default(), Text::default(), MessageOutcome::Held { until, rule: rule.code }),
        Verdict::Suppress { rule } => (Text::default(), Text::default(), MessageOutcome::Suppressed { rule: rule.code }),
    };
    Asked { channel, address, outcome, checks }
}

/// Steps have at most 16 channels (`workspace::read` holds that), one bit each.
fn bit(channel: usize) -> u16 {
    1u16.checked_shl(u32::try_from(channel).unwrap_or(u32::MAX)).unwrap_or(0)
}

fn bit_of(send: &Send, channel: &str) -> u16 {
    send.channels.iter().position(|known| known == channel).map_or(0, bit)
}

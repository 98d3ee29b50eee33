//! Moving through a journey: entering, waiting, branching, leaving.

use super::{Change, Enrollment, Join, JourneyVersion, StepKind, Target, Token, TokenState};
use crate::calendar;
use crate::decision::{Cause, Facts, Kind, Outcome};
use crate::definitions::trait_dependency;
use crate::experiment::{Assignment, Experiment, assign};
use crate::policy::{ConsentEntry, ConsentState, record_consent};
use crate::track::Place;
use crate::turn::{OwnEvent, Turn};
use crate::view::{EventView, View};
use faden_model::{EnrollmentId, ProfileId, Text, Timestamp, Value, json};
use smallvec::SmallVec;
use std::sync::Arc;

/// A journey that a step started, waiting for its place in the turn.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub journey: u64,
    pub strand: ProfileId,
    pub by: EnrollmentId,
    /// The step that waits for its end.
    pub waits_at: Option<u16>,
}

impl Turn<'_> {
    /// Takes one passage from `target` on until it has to wait, or ends.
    pub(crate) fn run(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, mut target: Target) {
        loop {
            let step = match target {
                Target::End => return self.end(id, Outcome::Completed, "", &Cause::Time),
                Target::Join(parallel) => match self.join(id, version, parallel) {
                    Some(next) => {
                        target = next;
                        continue;
                    }
                    None => return,
                },
                Target::Step(step) => step,
            };
            self.steps_left = self.steps_left.saturating_sub(1);
            let Some(here) = version.steps.get(usize::from(step)).filter(|_| self.steps_left > 0) else {
                return self.moved(id, version, Place::Step(step), Place::Out, "");
            };
            match self.work(id, version, step, &here.kind) {
                Some(next) => {
                    match here.kind {
                        // These have said which way they went.
                        StepKind::Branch { .. } | StepKind::Split { .. } => {}
                        StepKind::WaitAudience { .. } => self.moved(id, version, Place::Step(step), next.into(), "matched"),
                        _ => self.moved(id, version, Place::Step(step), next.into(), ""),
                    }
                    target = next;
                }
                None => return,
            }
        }
    }

    /// Does one step. `None` when the passage waits there (or is gone).
    fn work(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, step: u16, kind: &StepKind) -> Option<Target> {
        match kind {
            StepKind::Send(_) => {
                self.want_to_send(id, version, step, 0, self.at);
                None
            }
            StepKind::WaitFor { span, .. } => self.wait_until(id, step, self.at + *span),
            StepKind::WaitUntil { until, next } => match self.local_time(until) {
                Some(due) if due > self.at => self.wait_until(id, step, due),
                _ => Some(*next),
            },
            StepKind::WaitInstant { at, next } => match at.evaluate(&self.passage_view(id)) {
                Value::Time(due) if due > self.at => self.wait_until(id, step, due),
                Value::Text(text) => match Timestamp::parse(&text) {
                    Ok(due) if due > self.at => self.wait_until(id, step, due),
                    _ => Some(*next),
                },
                _ => Some(*next),
            },
            StepKind::WaitEvent { timeout, .. } => self.wait(id, step, *timeout),
            StepKind::WaitAudience { audience, change, timeout, matched, .. } => {
                if self.profile.is_member(*audience) == (*change == Change::Entered) {
                    return Some(*matched);
                }
                self.wait(id, step, *timeout)
            }
            StepKind::Branch { arms, otherwise } => Some(self.branch(id, version, step, arms, *otherwise)),
            StepKind::Split { experiment, arms, holdout } => Some(self.split(id, version, step, experiment, arms, *holdout)),
            StepKind::Set { traits, next } => {
                self.set(id, traits);
                Some(*next)
            }
            StepKind::Emit { event, properties, next } => {
                self.emit(id, event, properties);
                Some(*next)
            }
            StepKind::Subscribe { purpose, channel, granted, next } => {
                self.subscribe(id, purpose, channel.as_ref(), *granted);
                Some(*next)
            }
            StepKind::Journey { journey, wait, next } => {
                let strand = self.enrollment(id)?.strand;
                self.starts.push_back(Start { journey: *journey, strand, by: id, waits_at: wait.then_some(step) });
                if *wait {
                    // Until the child has its id, the place stands as one that waits for anything.
                    self.place(id, step, TokenState::Child { enrollment: id });
                    return None;
                }
                Some(*next)
            }
            StepKind::Parallel { branches, .. } => self.fork(id, version, step, branches),
            StepKind::Goto { to, max, exceeded } => Some(self.jump(id, step, *to, *max, *exceeded)),
            StepKind::End => Some(Target::End),
            StepKind::Unavailable { kind } => {
                self.reject("step-unavailable", Text::new(*kind));
                Some(Target::End)
            }
        }
    }

    pub(crate) fn enrollment(&self, id: EnrollmentId) -> Option<&Enrollment> {
        self.profile.enrollments.iter().find(|enrollment| enrollment.id == id)
    }

    pub(crate) fn enrollment_mut(&mut self, id: EnrollmentId) -> Option<&mut Enrollment> {
        self.profile.enrollments.iter_mut().find(|enrollment| enrollment.id == id)
    }

    /// What a step of this passage sees: the entering event, the enrollment, the profile.
    pub(crate) fn passage_view(&self, id: EnrollmentId) -> View<'_> {
        let enrollment = self.enrollment(id);
        let event = enrollment.and_then(|enrollment| enrollment.event.as_deref()).map(EventView::of_kept);
        View { enrollment, ..self.view(event) }
    }

    /// Puts a place on the map of this passage.
    pub(crate) fn place(&mut self, id: EnrollmentId, step: u16, state: TokenState) {
        if let Some(enrollment) = self.enrollment_mut(id) {
            enrollment.tokens.push(Token { step, state });
        }
    }

    fn wait_until(&mut self, id: EnrollmentId, step: u16, due: Timestamp) -> Option<Target> {
        let order = self.profile.order();
        self.place(id, step, TokenState::Until { due, order });
        None
    }

    fn wait(&mut self, id: EnrollmentId, step: u16, timeout: Option<faden_model::Span>) -> Option<Target> {
        let timeout = timeout.map(|span| (self.at + span, self.profile.order()));
        self.place(id, step, TokenState::Wait { timeout });
        None
    }

    fn local_time(&self, until: &super::LocalTime) -> Option<Timestamp> {
        let own = self.profile.time_zone().and_then(calendar::zone);
        let zone = own.or_else(|| calendar::zone(&self.index.definitions.time_zone))?;
        calendar::next_local(self.at, zone, until.minute_of_day, until.days)
    }

    fn branch(
        &mut self,
        id: EnrollmentId,
        version: &JourneyVersion,
        step: u16,
        arms: &[(faden_model::condition::Expression, Target)],
        otherwise: Target,
    ) -> Target {
        let view = self.passage_view(id);
        let mut facts = Facts::new();
        let mut taken = (Text::const_new("otherwise"), otherwise);
        for (condition, target) in arms {
            if self.out.explain {
                facts.extend(condition.explain(&view));
            }
            if condition.holds(&view) {
                taken = (Text::new(condition.source()), *target);
                break;
            }
        }
        self.went(id, version, step, taken.0, taken.1, facts);
        taken.1
    }

    pub(crate) fn went(&mut self, id: EnrollmentId, version: &JourneyVersion, step: u16, went: Text, to: Target, facts: Facts) {
        self.moved(id, version, Place::Step(step), to.into(), &went);
        let (journey, step, to) = (version.name.clone(), version.step_name(step), version.target_name(to));
        self.decide(Kind::Step { enrollment: id, journey, step, went, to, facts });
    }

    fn split(
        &mut self,
        id: EnrollmentId,
        version: &JourneyVersion,
        step: u16,
        experiment: &Experiment,
        arms: &[Target],
        holdout: Target,
    ) -> Target {
        // The strand's origin, so that a merge never moves anybody to another arm of what he is in.
        let who = self.enrollment(id).map_or(self.profile.id, |enrollment| enrollment.strand);
        let (name, target) = match assign(who, experiment) {
            Assignment::Arm(arm) => (experiment.arms[arm].name.clone(), arms.get(arm).copied().unwrap_or(holdout)),
            Assignment::HoldOut => (Text::const_new("holdout"), holdout),
            Assignment::OutOfGroup => (Text::const_new("out_of_group"), holdout),
        };
        if let Some(enrollment) = self.enrollment_mut(id)
            && !enrollment.arms.iter().any(|(known, _)| *known == experiment.name)
        {
            enrollment.arms.push((experiment.name.clone(), name.clone()));
            self.decide(Kind::Exposure { enrollment: id, experiment: experiment.name.clone(), arm: name.clone() });
        }
        self.went(id, version, step, name, target, Facts::new());
        target
    }

    fn set(&mut self, id: EnrollmentId, traits: &[(Text, faden_model::condition::Expression)]) {
        let Some(strand) = self.enrollment(id).map(|enrollment| enrollment.strand) else { return };
        let values: Vec<Value> = traits.iter().map(|(_, expression)| expression.evaluate(&self.passage_view(id))).collect();
        for ((name, _), value) in traits.iter().zip(values) {
            let at = self.at;
            if self.profile.tell(strand, name, value.clone(), at) {
                self.learned_of();
                self.decide(Kind::Trait { enrollment: id, name: name.clone(), value });
                let pending = self.index.readers(&trait_dependency(name)).to_vec();
                self.evaluate(pending, &Cause::Journey { enrollment: id });
            }
        }
    }

    fn emit(&mut self, id: EnrollmentId, name: &Text, properties: &[(Text, faden_model::condition::Expression)]) {
        let Some(strand) = self.enrollment(id).map(|enrollment| enrollment.strand) else { return };
        let view = self.passage_view(id);
        let mut fields: Vec<(Text, Value)> =
            properties.iter().map(|(name, expression)| (name.clone(), expression.evaluate(&view))).collect();
        fields.sort();
        let mut written = String::new();
        json::write_value(&mut written, &Value::Map(fields));
        let message_id = Text::from(format!("{id}/{}", self.profile.next_count));
        self.decide(Kind::Emitted { enrollment: id, event: name.clone() });
        self.events.push_back(OwnEvent { name: name.clone(), message_id, strand, properties: written });
    }

    fn subscribe(&mut self, id: EnrollmentId, purpose: &Text, channel: Option<&Text>, granted: bool) {
        let Some(strand) = self.enrollment(id).map(|enrollment| enrollment.strand) else { return };
        let state = if granted { ConsentState::Granted } else { ConsentState::Withdrawn };
        let proof = Text::from(id.to_string());
        let entry = ConsentEntry { purpose: purpose.clone(), channel: channel.cloned(), point: None, state, at: self.at, proof };
        record_consent(&mut self.profile.strand_mut(strand).consents, entry);
        let cause = Cause::Journey { enrollment: id };
        self.decide(Kind::Consent { purpose: purpose.clone(), channel: channel.cloned(), granted, cause: cause.clone() });
        let pending = self.index.readers("consent").to_vec();
        self.evaluate(pending, &cause);
    }

    fn fork(&mut self, id: EnrollmentId, version: &Arc<JourneyVersion>, step: u16, branches: &[Target]) -> Option<Target> {
        let count = u16::try_from(branches.len()).unwrap_or(u16::MAX);
        let enrollment = self.enrollment_mut(id)?;
        enrollment.joins.retain(|(parallel, _)| *parallel != step);
        enrollment.joins.push((step, count));
        for branch in branches {
            // The first branch of an `any` may have ended the step already.
            if self.enrollment(id).is_some_and(|enrollment| enrollment.joins.iter().any(|(parallel, _)| *parallel == step)) {
                self.moved(id, version, Place::Step(step), (*branch).into(), "");
                self.run(id, version, *branch);
            }
        }
        None
    }

    /// A branch has come to its end. Gives the way on when it was the last one needed.
    fn join(&mut self, id: EnrollmentId, version: &JourneyVersion, parallel: u16) -> Option<Target> {
        let StepKind::Parallel { until, join, next, .. } = &version.steps.get(usize::from(parallel))?.kind else { return None };
        let enrollment = self.enrollment_mut(id)?;
        let place = enrollment.joins.iter().position(|(step, _)| *step == parallel)?;
        enrollment.joins[place].1 = enrollment.joins[place].1.saturating_sub(1);
        if enrollment.joins[place].1 > 0 && *join == Join::All {
            return None;
        }
        let inside = |step: u16| step > parallel && step < *until;
        enrollment.joins.retain(|(step, _)| *step != parallel && !inside(*step));
        let (stopped, others) = std::mem::take(&mut enrollment.tokens).into_iter().partition(|token| inside(token.step));
        enrollment.tokens = others;
        let stopped: SmallVec<[Token; 1]> = stopped;
        self.dropped(id, version, &stopped);
        self.moved(id, version, Place::Join(parallel), (*next).into(), "");
        self.sends.retain(|send| send.enrollment != id || !inside(send.step));
        Some(*next)
    }

    fn jump(&mut self, id: EnrollmentId, step: u16, to: Target, max: u16, exceeded: Target) -> Target {
        let Some(enrollment) = self.enrollment_mut(id) else { return exceeded };
        let place = match enrollment.jumps.iter().position(|(from, _)| *from == step) {
            Some(place) => place,
            None => {
                enrollment.jumps.push((step, 0));
                enrollment.jumps.len() - 1
            }
        };
        if enrollment.jumps[place].1 >= max {
            return exceeded;
        }
        enrollment.jumps[place].1 += 1;
        to
    }

    pub(crate) fn child_ended(&mut self, parent: EnrollmentId, step: u16) {
        let Some(enrollment) = self.enrollment(parent) else { return };
        let waits = enrollment.tokens.iter().any(|token| token.step == step && matches!(token.state, TokenState::Child { .. }));
        let Some(version) = self.index.version(enrollment.journey, enrollment.version) else { return };
        if let Some(StepKind::Journey { next, .. }) = version.steps.get(usize::from(step)).map(|step| &step.kind)
            && waits
        {
            self.go_on(parent, step, Text::default(), *next);
        }
    }
}

impl JourneyVersion {
    pub fn step_name(&self, step: u16) -> Text {
        self.steps.get(usize::from(step)).map(|step| step.id.clone()).unwrap_or_default()
    }

    pub fn target_name(&self, target: Target) -> Text {
        match target {
            Target::Step(step) => self.step_name(step),
            Target::End => Text::const_new("end"),
            Target::Join(parallel) => self.step_name(parallel),
        }
    }
}
